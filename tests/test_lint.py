from dataclasses import replace
from random import Random

import pytest
from generate import random_article

from govorit.article import CUE, SPEAKER, Article, Quote, Span
from govorit.errors import UserError
from govorit.lint import check, corpus_problems, problems

WHERE = "news.jsonl:3"
TEXT = "Иванов сказал: «Да»"
SAID = Quote("direct", (Span(15, 19, "DIRECT"),), Span(7, 13, CUE), Span(0, 6, SPEAKER))


def entity(start: int, end: int, label: str = "PER") -> Article:
    return Article("a", TEXT, (Span(start, end, label),), where=WHERE)


def quoted(*quotes: Quote) -> Article:
    return Article("a", TEXT, quotes=quotes, where=WHERE)


CASES = {
    "empty": (Article("a", " \n", where=WHERE), ["text: empty article"]),
    "surrogate": (Article("a", "Да\ud83d", where=WHERE), ["text: half a surrogate pair at character 2"]),
    "kind": (quoted(replace(SAID, kind="spoken")), ["quotes: kind 'spoken', expected one of direct"]),
    "label": (entity(0, 6, "PER SON"), ["entities: PER SON [0, 6) has the label 'PER SON'"]),
    "no label": (entity(0, 6, ""), ["has the label ''"]),
    "before": (entity(-1, 6), ["entities: PER [-1, 6) starts before the text"]),
    "after": (entity(0, 99), ["entities: PER [0, 99) ends after the text, which has 19 characters"]),
    "no extent": (entity(3, 3), ["entities: PER [3, 3) is empty"]),
    "reversed": (entity(6, 3), ["entities: PER [6, 3) is reversed"]),
    "space": (entity(0, 7), ["entities: PER [0, 7) starts or ends with a space: 'Иванов '"]),
    "overlap": (
        Article("a", TEXT, (Span(0, 13, "ORG"), Span(7, 13, "PER")), where=WHERE),
        ["entities: ORG [0, 13) 'Иванов сказал' and PER [7, 13) 'сказал' overlap"],
    ),
    "twice": (
        Article("a", TEXT, (Span(0, 6, "PER"), Span(0, 6, "PER")), where=WHERE),
        ["entities: PER [0, 6) 'Иванов' and PER [0, 6) 'Иванов' overlap"],
    ),
    "cue in content": (
        quoted(replace(SAID, cue=Span(16, 18, CUE))),
        ["quotes: DIRECT [15, 19) '«Да»' and CUE [16, 18) 'Да' overlap"],
    ),
    "content of two": (quoted(SAID, SAID), ["quotes: the content [15, 19) '«Да»' comes 2 times"]),
    "far overlap": (
        Article("a", TEXT, (Span(0, 19, "ORG"), Span(0, 6, "PER"), Span(7, 13, "PER")), where=WHERE),
        ["PER [0, 6) 'Иванов' and ORG", "ORG [0, 19) 'Иванов сказал: «Да»' and PER [7, 13)"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_problem_says_where_what_and_how_to_mend_it(name):
    article, expected = CASES[name]
    found = list(problems(article))
    assert len(found) == len(expected)
    for problem, part in zip(found, expected, strict=True):
        assert problem.startswith(f"{WHERE}: ") and part in problem and "\n" not in problem


def test_ids_are_taken_once():
    articles = [Article("a", "Да", where="x.jsonl:1"), Article("b", "Да"), Article("a", "Нет", where="y.jsonl:7")]
    assert list(corpus_problems(articles)) == ["y.jsonl:7: id: 'a' was already taken at x.jsonl:1; give every article an id of its own"]


def test_check_says_the_first_problem_and_counts_the_others():
    with pytest.raises(UserError, match=r"^news\.jsonl:3: entities: PER \[6, 3\) is reversed.* \(and 1 more problems\)$"):
        check([entity(6, 3), replace(entity(3, 3), id="b")])


def test_what_is_right_has_no_problems():
    rng = Random(5)
    check(random_article(rng, id=f"a-{number}", crossing=True) for number in range(500))
    check([quoted(SAID), replace(entity(0, 6), id="b")])


def test_a_damaged_article_is_reported_and_never_an_exception():
    rng = Random(6)
    for _ in range(500):
        article = random_article(rng)
        if article.entities:
            first, *others = article.entities
            moved = replace(first, start=first.start + rng.randrange(-30, 30), end=first.end + rng.randrange(-30, 30))
            assert all("\n" not in line for line in problems(replace(article, entities=(moved, *others))))
