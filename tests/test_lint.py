"""Each kind of problem with its place, its words and its remedy; what is right has none."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from generate import random_article, random_text

from govorit import formats
from govorit.article import CUE, SPEAKER, Article, Quote, Span
from govorit.corpora.lint import ERROR, FAR, FEW, WARNING, Problem, check, corpus_problems, problems
from govorit.errors import UserError
from govorit.words import encode, words

ROOT = Path(__file__).parents[1]
WHERE = "news.jsonl:3"
TEXT = "Иванов сказал: «Да»"
SAID = Quote("direct", (Span(15, 19, "DIRECT"),), Span(7, 13, CUE), Span(0, 6, SPEAKER))


def entity(start: int, end: int, label: str = "PER", text: str = TEXT) -> Article:
    return Article("a", text, (Span(start, end, label),), where=WHERE)


def quoted(*quotes: Quote, text: str = TEXT) -> Article:
    return Article("a", text, quotes=quotes, where=WHERE)


def said(marked: str) -> Article:
    """An article of quotations in brackets, `[d:«Да»]` direct, `[i:…]` indirect, `[m:…]` mixed; `[+:…]` goes on with the one before."""
    text, quotes = "", []
    for piece in marked.split("["):
        inside, _, after = piece.partition("]") if quotes or text or marked.startswith("[") else ("", "", piece)
        if inside:
            kind, _, words_said = inside.partition(":")
            kind = {"d": "direct", "i": "indirect", "m": "mixed"}.get(kind, quotes[-1].kind if quotes else "")
            span = Span(len(text), len(text) + len(words_said), kind.upper())
            if inside[0] == "+":
                quotes[-1] = replace(quotes[-1], content=(*quotes[-1].content, span))
            else:
                quotes.append(Quote(kind, (span,)))
            text += words_said
        text += after
    return quoted(*quotes, text=text)


def labelled(label: str) -> Article:
    return entity(0, 6, label)


ERRORS = {
    "empty": ("empty-text", Article("a", " \n", where=WHERE), "text: empty article; remove it"),
    "surrogate": ("surrogate", Article("a", "Да\ud83d", where=WHERE), "text: half a surrogate pair at character 2; mend the encoding"),
    "kind": ("kind", quoted(replace(SAID, kind="spoken")), "quotes: kind 'spoken', expected one of direct"),
    "id": ("id", Article(" ", TEXT, where=WHERE), "id: found ' ', expected a name; give every article"),
    "no name": ("name", quoted(replace(SAID, name="")), "quotes: name '', expected a name on one line, or none"),
    "broken name": ("name", quoted(replace(SAID, name="Иван\nИванов")), r"quotes: name 'Иван\nИванов', expected a name on one line"),
    "label": (
        "label",
        labelled("PER SON"),
        "entities: PER SON [0, 6) 'Иванов': the label 'PER SON' is no name, expected one without spaces",
    ),
    "no label": ("label", labelled(""), "the label '' is no name"),
    "micro": ("reserved-label", labelled("micro"), "the label 'micro' is what reports call an average, expected another name; rename it"),
    "macro": ("reserved-label", labelled("macro"), "the label 'macro' is what"),
    "look-alike": ("homoglyph-label", labelled("РER"), "'РER' has the Cyrillic Р (U+0420), expected 'PER' in Latin letters; rename it"),
    "look-alikes": ("homoglyph-label", labelled("ОRС"), "has the Cyrillic О (U+041E), the Cyrillic С (U+0421), expected 'ORC'"),
    "Cyrillic prefix": ("homoglyph-label", labelled("В-PER"), "the Cyrillic В (U+0412), expected 'B-PER'"),
    "Greek": ("homoglyph-label", labelled("ΡER"), "the Greek Ρ (U+03A1), expected 'PER'"),
    "mixed label": ("homoglyph-label", labelled("PERлицо"), "has the Latin letters P (U+0050), E (U+0045), R (U+0052) in it"),
    "before": ("offsets", entity(-1, 6), "entities: PER [-1, 6) starts before the text; mend the offsets"),
    "after": ("offsets", entity(0, 99), "entities: PER [0, 99) ends after the text, which has 19 characters; mend the offsets"),
    "no extent": ("empty-span", entity(3, 3), "entities: PER [3, 3) is empty; remove it"),
    "reversed": ("reversed", entity(6, 3), "entities: PER [6, 3) is reversed; mend the offsets"),
    "space after": ("space", entity(0, 7), "entities: PER [0, 7) starts or ends with a space: 'Иванов '; leave the space outside"),
    "space before": ("space", entity(6, 13), "starts or ends with a space: ' сказал'"),
    "mark after": ("splits-character", entity(0, 2, text="Ваи\u0301я"[1:]), "PER [0, 2) splits 'и' from its combining mark U+0301 at"),
    "mark before": (
        "splits-character",
        entity(1, 4, text="е\u0301да"),
        "PER [1, 4) splits 'е' from its combining mark U+0301 at character 1",
    ),
    "overlap": (
        "overlap",
        Article("a", TEXT, (Span(0, 13, "ORG"), Span(7, 13, "PER")), where=WHERE),
        "entities: ORG [0, 13) 'Иванов сказал' and PER [7, 13) 'сказал' overlap; one layer is flat:"
        " keep one of them, or read with --nested outermost (in",
    ),
    "twice": (
        "overlap",
        Article("a", TEXT, (Span(0, 6, "PER"), Span(0, 6, "PER")), where=WHERE),
        "entities: PER [0, 6) 'Иванов' and PER [0, 6) 'Иванов' overlap",
    ),
    "cue in content": (
        "overlap",
        quoted(replace(SAID, cue=Span(16, 18, CUE))),
        "quotes: DIRECT [15, 19) '«Да»' and CUE [16, 18) 'Да' over",
    ),
    "content of two": ("same-content", quoted(SAID, SAID), "quotes: the content DIRECT [15, 19) '«Да»' comes 2 times; keep one of them"),
}

FILL = "а" * FAR + " "
WARNINGS = {
    "BOM": (
        "bom",
        entity(1, 7, text="\ufeff" + TEXT),
        "text: byte order mark U+FEFF at character 0; offsets of other programs may not count",
    ),
    "control": (
        "control",
        Article("a", "Да\x00 нет\x85", where=WHERE),
        "control character U+0000 at character 2, the first of 2; remove it",
    ),
    "soft hyphen": (
        "invisible",
        Article("a", "Ива\u00adнов и\u200b", where=WHERE),
        "text: invisible character U+00AD at character 3, the first of 2; words with it are others to the model: remove it",
    ),
    "entities": (
        "markup",
        Article("a", "Он: &laquo;Да&raquo; &mdash; и&nbsp;всё", where=WHERE),
        "text: '&laquo;' at character 4, the first of 4, is markup of the web, expected plain text; decode it in the source",
    ),
    "tag": ("markup", Article("a", '<p class="lead">Да', where=WHERE), "'<p class=\"lead\">' at character 0 is markup"),
    "replacement": (
        "replacement",
        Article("a", "Д\ufffd", where=WHERE),
        "replacement character U+FFFD at character 1: letters were lost; read",
    ),
    "decomposed": (
        "decomposed",
        Article("a", "Рои\u0306 и заи\u0306", where=WHERE),
        "'й' at character 2 is written as U+0438 + U+0306 (2 such)",
    ),
    "Latin": (
        "mixed-scripts",
        Article("a", "В Pоссии", where=WHERE),
        "the word 'Pоссии' at character 2 has the Latin letter P (U+0050) in it; w",
    ),
    "twice": (
        "mixed-scripts",
        Article("a", "cтол, cтол", where=WHERE),
        "the word 'cтол' at character 0 and 1 more times has the Latin letter c",
    ),
    "Cyrillic": ("mixed-scripts", Article("a", "Fruktы", where=WHERE), "has the Cyrillic letter ы (U+044B)"),
    "end in word": (
        "split-word",
        entity(0, 4),
        "PER [0, 4) 'Иван' ends inside the word 'Иванов'; it is lost in training: move it to the edges",
    ),
    "start in word": ("split-word", entity(4, 6), "PER [4, 6) 'ов' starts inside the word 'Иванов'; it is lost"),
    "in word": ("split-word", entity(1, 3), "'ва' starts inside the word 'Иванов' and ends inside the word 'Иванов'"),
    "invisible": ("split-word", entity(0, 7, text="Иванов\u200b и"), "ends with an invisible character; it is lost"),
    "open": (
        "unbalanced",
        said("Он: [d:«Да, нет]."),
        "DIRECT [4, 12) '«Да, нет' has the quotation mark « without its other half, expected b",
    ),
    "closed": ("unbalanced", said("[i:Он» ушёл], сказал"), "has the quotation mark » without its other half"),
    "crossed": ("unbalanced", said("Он: [d:«А “Б» В”]"), "has the quotation mark »"),
    "unmarked": (
        "kind-marks",
        said("Он сказал, что [d:мир неизбежен]."),
        "DIRECT [15, 28) 'мир неизбежен' is direct, but stands in no quotation m",
    ),
    "partly marked": (
        "kind-marks",
        said("Он сказал, что [i:дело идёт «не так быстро, как хочется»]."),
        "is indirect, but has 'не так быстро, как хочется' in quotation marks; mark it as mixed",
    ),
    "marked": (
        "kind-marks",
        said("Он сказал: [i:«Мир неизбежен»]."),
        "is indirect, but stands wholly in quotation marks; mark it as direct",
    ),
    "not mixed": (
        "kind-marks",
        said("Он сказал, что [m:мир неизбежен]."),
        "is mixed, but has no quotation marks in it; mark it as indirect, or t",
    ),
    "far cue": (
        "far",
        quoted(Quote("indirect", (Span(FAR + 20, FAR + 22, "INDIRECT"),), Span(0, 6, CUE)), text="Сказал " + FILL * 2),
        f"quotes: CUE [0, 6) lies {FAR + 14} characters from the content [{FAR + 20}, {FAR + 22}), expected at most {FAR}; tie the nearest",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_says_where_what_and_how_to_mend_it(name):
    code, article, expected = ERRORS[name]
    errors = [problem for problem in problems(article) if problem.severity == ERROR]
    assert [problem.code for problem in errors] == [code]
    assert str(errors[0]).startswith(f"{WHERE}: ") and expected in str(errors[0]) and "\n" not in str(errors[0])
    with pytest.raises(UserError, match=f"^{WHERE}: "):
        check([article])


@pytest.mark.parametrize("name", WARNINGS)
def test_a_warning_says_where_what_and_how_to_mend_it_and_stops_nothing(name):
    code, article, expected = WARNINGS[name]
    if "far" not in name:
        check([article])
    found = list(problems(article))
    assert code in [problem.code for problem in found] and all(problem.severity == WARNING for problem in found)
    [problem] = [problem for problem in found if problem.code == code]
    assert str(problem).startswith(f"{WHERE}: ") and expected in str(problem) and "\n" not in str(problem)


RIGHT = {
    "direct": "Он сказал: [d:«Мир неизбежен»].",
    "after что": "Он сказал, что [d:«мир неизбежен»].",
    "italics": "Он сказал: ''[d:«Мир неизбежен»]''.",
    "marks outside": "Он сказал, что «[d:мир неизбежен]».",
    "dash speech": "— [d:Мир неизбежен], — сказал он.\n— [d:«Искра» победит]!",
    "turns": "Корреспондент: [d:Вы устали?]\n\n[d:Нет, «Спартак» победит.]",
    "block": "В письме говорится:\n\n[d:Мы устали.]\n",
    "interrupted": "[d:«Это — слабость], — сказал он. — [+:Мы хотим мира»].",
    "one pair for two": "[d:«Никто не уходит], — отрезала она и пообещала: — [d:Деньги будут»].",
    "doubled": "Он: [d:«Это доклад «Росстата»].",
    "doubled straight": 'Он: [d:"Он шепнул: "Мам, я не виноват!"].',
    "nested": "Он: [d:“Поставщик говорит: „Ждите войны“, а мне смешно”].",
    "German": "Он: [d:„Мир неизбежен“].",
    "two names": "[i:«Северсвязь» покупает «Юг-Мобайл»], сказал он.",
    "title": "Он сказал, что [i:смотрел «Сказку о царе Салтане», а закон «о Ване Петрове» принят].",
    "noun": "Он назвал это [m:«охотой на самого удобного»].",
}


@pytest.mark.parametrize("name", RIGHT)
def test_quotations_as_russian_news_write_them_have_no_problems(name):
    assert list(problems(said(RIGHT[name]))) == []


def test_labels_are_held_against_those_that_may_occur():
    [problem] = problems(labelled("PRE"), ["PER", "LOC"])
    assert (problem.severity, problem.code) == (ERROR, "unknown-label")
    assert "the label 'PRE' is not known; did you mean 'PER'? rename it, or add it to the labels" in str(problem)
    assert "expected one of PER, LOC;" in str(next(problems(labelled("EVENT"), ["PER", "LOC"])))
    assert next(problems(labelled("РER"), ["PER"])).code == "homoglyph-label"
    assert list(problems(labelled("PER"), ["PER"])) == []


def test_cyrillic_labels_are_labels():
    assert list(problems(labelled("ЛИЦО"))) == list(problems(labelled("PER_лицо"))) == list(problems(labelled("МОСТ"))) == []


def test_a_label_that_looks_like_another_of_the_corpus_is_found():
    other = Article("b", TEXT, (Span(0, 6, "MOCT"),), where="b.jsonl:1")
    found = [problem for problem in corpus_problems([labelled("МОСТ"), other]) if problem.code == "homoglyph-label"]
    assert [problem.where for problem in found] == [WHERE] and "expected 'MOCT'" in found[0].message


def test_what_a_reader_left_out_is_told_at_its_place():
    notes = "a.ann:2: T4: PER in pieces: 'x y'\nsomething else"
    first, second = problems(Article("a", TEXT, meta={"left_out": notes}, where="corpus/a.ann"))
    assert str(first).startswith("corpus/a.ann:2: T4: left out on reading: PER in pieces: 'x y'; it is not learned")
    assert str(second).startswith("corpus/a.ann: left out on reading: something else; ") and second.severity == WARNING


def test_markup_without_its_header_is_found():
    [problem] = problems(Article("a", "<PER>Петров</PER> сказал: <q>«Да»</q>.", where="a.TXT"))
    assert (problem.code, problem.severity) == ("no-header", WARNING)
    assert problem.message.endswith("begin the file with '# id: …' and an empty line")
    assert list(problems(Article("a", "1 < 2 > 0, а не <Q", where="a.txt"))) == []


def test_a_surrogate_pair_is_not_split():
    found = [problem.code for problem in problems(entity(0, 1, text="\ud83d\ude00"))]
    assert found == ["surrogate", "splits-character"]


def test_ids_are_taken_once():
    articles = [
        Article("a", "Да", where="x.jsonl:1"),
        Article("b", "Нет"),
        *(Article("a", f"Текст {n}", where=f"y.jsonl:{n}") for n in (7, 8)),
    ]
    message = "id: 'a' was already taken at x.jsonl:1; give every article an id of its own"
    assert [str(problem) for problem in corpus_problems(articles)] == [f"y.jsonl:7: {message}", f"y.jsonl:8: {message}"]


def test_copies_are_told_from_near_ones():
    rng = Random(1)
    letters = "абвгдежзиклмн"
    text = " ".join("".join(rng.choices(letters, k=6)) for _ in range(300))
    changed = text[:600] + "новое " + text[600:]
    others = [" ".join("".join(rng.choices(letters, k=6)) for _ in range(300)) for _ in range(5)]
    texts = [text, *others, text.upper() + "\n", changed]
    found = list(corpus_problems([Article(str(n), body, where=f"x.jsonl:{n + 1}") for n, body in enumerate(texts)]))
    assert [(problem.code, problem.where, problem.severity) for problem in found] == [
        ("duplicate", "x.jsonl:7", WARNING),
        ("near-duplicate", "x.jsonl:8", WARNING),
    ]
    assert all("'0' at x.jsonl:1" in problem.message for problem in found)


def test_copies_in_given_splits_leak():
    articles = [Article(str(n), TEXT, where=f"x.jsonl:{n + 1}") for n in range(3)]
    remedies = [problem.message.partition("; ")[2] for problem in corpus_problems(articles, splits=["train", "train", "test"])]
    assert remedies == ["remove one", "remove one: it leaks from train into test, and scores on test are too good"]
    assert {problem.message.partition("; ")[2] for problem in corpus_problems(articles)} == {"remove one, or splits keep them together"}


def test_labels_too_rare_to_learn_are_named_once():
    many = [Article(f"m{n}", f"{TEXT} {n}", (Span(0, 6, "PER"),), where=f"x:{n}") for n in range(FEW)]
    few = [Article(f"f{n}", f"{TEXT} раз {n}", (Span(0, 6, "ORG"),), where=f"y:{n}") for n in range(FEW - 1)]
    [problem] = corpus_problems([*many, *few])
    assert (problem.where, problem.field, problem.code) == ("y:0", "entities", "rare-label")
    assert f"the label 'ORG' has {FEW - 1} spans in the whole corpus, expected {FEW} or more" in problem.message


def test_check_says_the_first_error_and_counts_the_others():
    with pytest.raises(UserError, match=r"^news\.jsonl:3: entities: PER \[6, 3\) is reversed.* \(and 1 more problems\)$"):
        check([entity(6, 3), replace(entity(3, 3), id="b"), replace(entity(0, 4), id="c")])


def test_a_problem_is_one_line():
    assert str(Problem("a\nb", "text", "x\ny")) == "a b: text: x y"
    assert str(Problem("a:1", "", "no JSON")) == "a:1: no JSON"


def test_what_is_right_has_no_errors():
    rng = Random(5)
    articles = [random_article(rng, id=f"a-{number}", crossing=True) for number in range(500)]
    check(articles)
    assert not any(problem.severity == ERROR or problem.code == "split-word" for problem in corpus_problems(articles))
    check([quoted(SAID), replace(entity(0, 6), id="b")])


def test_a_span_is_refused_as_a_tag_exactly_if_it_is_reported():
    rng = Random(7)
    for _ in range(2000):
        text = random_text(rng, pieces=12)
        start, end = sorted(rng.sample(range(len(text) + 1), 2))
        found = {problem.code for problem in problems(entity(start, end, text=text)) if problem.field == "entities"}
        assert bool(found) == bool(encode([Span(start, end, "PER")], words(text))[1]), (text, start, end)
        assert found <= {"space", "split-word", "splits-character"}


def test_a_damaged_article_is_reported_and_never_an_exception():
    rng = Random(6)
    for _ in range(500):
        article = random_article(rng)
        moved = [replace(s, start=s.start + rng.randrange(-30, 30), end=s.end + rng.randrange(-30, 30)) for s in article.entities]
        quotes = [
            replace(q, content=tuple(replace(s, start=s.start - 9, end=s.end + rng.randrange(-9, 99)) for s in q.content))
            for q in article.quotes
        ]
        broken = replace(article, entities=tuple(moved), quotes=tuple(quotes))
        assert all("\n" not in str(problem) for problem in corpus_problems([broken, broken]))


def test_what_travels_with_the_project_has_no_problems():
    assert list(corpus_problems(list(formats.read(ROOT / "data/newsroom")))) == []
    assert Counter(problem.code for problem in corpus_problems(list(formats.read(ROOT / "seeds")))) == {"rare-label": 5}


def test_wrong_kinds_of_quotation_are_told_by_their_marks():
    """Of the right ones in data/newsroom none is doubted, see above; dash speech and words wholly in marks may well be another kind."""
    caught: Counter[tuple[str, str]] = Counter()
    total: Counter[tuple[str, str]] = Counter()
    for article in formats.read(ROOT / "data/newsroom"):
        for quote in article.quotes:
            for kind in {"direct", "indirect", "mixed"} - {quote.kind}:
                wrong = replace(quote, kind=kind, content=tuple(replace(span, label=kind.upper()) for span in quote.content))
                found = {problem.code for problem in problems(replace(article, entities=(), quotes=(wrong,)))}
                total[quote.kind, kind] += 1
                caught[quote.kind, kind] += "kind-marks" in found
    share = {kinds: caught[kinds] / total[kinds] for kinds in total}
    assert share["mixed", "indirect"] > 0.95
    assert min(share["indirect", "direct"], share["indirect", "mixed"]) > 0.85
    assert min(share["direct", "indirect"], share["mixed", "direct"]) > 0.6
