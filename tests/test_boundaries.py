import time
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from generate import random_text

from govorit.article import Article
from govorit.decoding import boundaries, viterbi
from govorit.formats.inline import parse
from govorit.words import words

SAID = "<q 1>«Мы открываем новый мост</q>, — <cue 1>сказал</cue> <src 1>мэр</src>. — <q 1>Он стоит дорого»</q>."


def articles(count: int = 40) -> list[Article]:
    """Every person stands before `сказал`, every city after `в` and before a full stop."""
    names, cities = ("Иван Петров", "Анна Ким", "Пётр"), ("Москве", "Нижнем Новгороде")
    texts = [f"А вчера <PER>{names[i % 3]}</PER> сказал, что был в <LOC>{cities[i % 2]}</LOC>. Потом уехал.\n" for i in range(count)]
    return [parse(text, str(i)) for i, text in enumerate(texts)]


def between(text: str, before: str, after: str) -> int:
    """Number of the boundary between two words, which come side by side once."""
    found = [text[start:end] for start, end in words(text)]
    (place,) = (i for i in range(1, len(found)) if found[i - 1 : i + 1] == [before, after])
    return place


def test_a_context_is_told_by_the_words_beside_it_and_by_the_marks_around_it():
    text = "Он сказал: «Да, был дома». Она ушла, мы остались.\nИ он тоже"
    found = boundaries.contexts(text, words(text))
    assert len(found) == len(words(text)) + 1 and found.min() >= 0 and found.max() < boundaries.CONTEXTS
    inside, outside = between(text, "был", "дома"), between(text, "мы", "остались")
    assert found[inside] != found[outside], "in marks and out of them"
    comma_inside, comma_outside = between(text, ",", "был"), between(text, ",", "мы")
    assert found[comma_inside] != found[comma_outside]
    joined = text.replace("\n", " ")
    at = between(text, ".", "И")
    assert found[at] != boundaries.contexts(joined, words(joined))[at], "a paragraph ends there"
    assert np.array_equal(np.delete(found, at), np.delete(boundaries.contexts(joined, words(joined)), at))


def test_contexts_of_any_text():
    for seed in range(300):
        text = random_text(Random(seed))
        assert boundaries.contexts(text, words(text)).shape == (len(words(text)) + 1,)
    assert boundaries.contexts("", []).shape == (1,)


def test_odd_places_cost_and_usual_ones_do_not():
    costs = boundaries.count(articles(), "entities", ["PER", "LOC", "ORG"])
    assert costs.shape == (3, 2, boundaries.CONTEXTS) and costs.max() == 0 and np.isfinite(costs).all()
    text = "А вчера Иван Петров сказал, что был в Москве. Потом уехал."
    found = boundaries.contexts(text, words(text))
    begins, ends = costs[:, 0][:, found], costs[:, 1][:, found]
    assert begins[0, between(text, "вчера", "Иван")] == 0 and ends[0, between(text, "Петров", "сказал")] == 0
    assert ends[1, between(text, "Москве", ".")] == 0
    assert begins[0, between(text, "в", "Москве")] > -1, "the same context as before a name"
    assert begins[0, between(text, "что", "был")] < -1, "no name begins before a small letter"
    assert ends[0, between(text, "Иван", "Петров")] < -1, "no name ends before a capital"
    assert not costs[2].any(), "a label that never comes costs nothing"


def test_a_few_spans_are_not_counted():
    assert not boundaries.count(articles(15), "entities", ["PER"]).any()
    assert boundaries.count(articles(30), "entities", ["PER"]).any()


def test_the_order_of_articles_and_labels_does_not_matter():
    here, there = boundaries.count(articles(), "entities", ["PER", "LOC"]), boundaries.count(articles()[::-1], "entities", ["LOC", "PER"])
    assert np.array_equal(here, there[::-1])


def test_unannotated_articles_are_not_counted():
    named = articles(30)
    blank = [Article(f"x{i}", article.text, meta={"layers": "quotes"}) for i, article in enumerate(named)]
    assert np.array_equal(boundaries.count(named, "entities", ["PER"]), boundaries.count(named + blank, "entities", ["PER"]))


def test_inside_marks_a_quotation_does_not_end_between_plain_words():
    said = [parse(SAID, str(i)) for i in range(40)]
    costs = boundaries.count(said, "quotes", ["DIRECT"])
    found = boundaries.contexts(said[0].text, words(said[0].text))
    ends = costs[0, 1][found]
    assert ends[between(said[0].text, "мост", ",")] == 0
    assert ends[between(said[0].text, "новый", "мост")] < -1


def test_articles_that_do_not_cover_a_label_say_nothing_of_where_it_stands():
    whole = articles()
    part = [replace(a, id=a.id + "-", entities=tuple(s for s in a.entities if s.label == "PER"), meta={"covers": "PER"}) for a in whole]
    per, loc = 0, 1
    alone, both = (boundaries.count(found, "entities", ["PER", "LOC"]) for found in (whole, whole + part))
    assert np.array_equal(alone[loc], both[loc]) and not np.array_equal(alone[per], both[per])


def test_no_name_goes_on_in_another_paragraph():
    """In a wrapped text, which has lines that begin with a small letter, a name may go on in the next line, but not over an empty one."""
    goes_on, begins, out = [0.0, 0.1, 0.9], [0.0, 0.9, 0.1], [1.0, 0.0, 0.0]
    for text, together in (
        ("Гессен\nТомас Шефер", False),
        ("в земле Гессен\nТомас Шефер", True),
        ("Приехал Томас\nШефер в Москву\nи уехал", True),
        ("Приехал Томас\n\nШефер в Москву\nи уехал", False),
        ("Приехал Томас\r\nШефер", False),
    ):
        bounds = words(text)
        names = [i for i, (start, end) in enumerate(bounds) if text[start:end] in ("Гессен", "Томас", "Шефер")]
        with np.errstate(divide="ignore"):
            scores = np.log([goes_on if i in names[1:] else begins if i in names else out for i in range(len(bounds))])
        given = scores.copy()
        found = viterbi.spans(boundaries.within_lines(scores, text, bounds), bounds, ["PER"])
        assert np.array_equal(scores, given)
        assert (len(found) == 1) == together, text
        assert not any("\n" in text[span.start : span.end] for span in found) or together


def test_a_persons_name_stays_in_one_script():
    """Numerals go with either, and names of others mix scripts as they will."""
    for text, persons in (
        ("Regnum Минченко", ["Regnum", "Минченко"]),
        ("Хван Чжан Lenta", ["Хван Чжан", "Lenta"]),
        ("Елизавета II Виндзор", ["Елизавета II Виндзор"]),
        ("Ben Cohn", ["Ben Cohn"]),
        ("Cергей Петров", ["Cергей Петров"]),  # with a Latin C
        ("Жан-Поль Ги", ["Жан-Поль Ги"]),
    ):
        bounds = words(text)
        with np.errstate(divide="ignore"):
            scores = np.log([[0.0, 0.1, 0.5, 0.1, 0.3] if i else [0.0, 0.6, 0.0, 0.4, 0.0] for i in range(len(bounds))])
        given = scores.copy()
        found = viterbi.spans(boundaries.within_names(scores, text, bounds, ["PER", "ORG"]), bounds, ["PER", "ORG"])
        assert [text[span.start : span.end] for span in found] == (persons if len(persons) == 1 else [text]), text
        assert np.array_equal(scores, given)
        alone = viterbi.spans(boundaries.within_names(scores[:, :3], text, bounds, ["PERSON"]), bounds, ["PERSON"])
        assert [text[span.start : span.end] for span in alone] == persons
        assert np.array_equal(boundaries.within_names(scores[:, 2:], text, bounds, ["ORG"]), scores[:, 2:])


def test_a_persons_name_goes_on_over_no_sign_that_names_do_not_have():
    """And `-младший` belongs to the name before it, where there is one."""
    for text, persons in (
        ("Дж. «Бадди» Макгирт", ["Дж. «Бадди» Макгирт"]),
        ("Гидеон Ю (Гидеон Ю)", ["Гидеон Ю", "Гидеон Ю"]),
        ("Барак, Обама —", ["Барак", "Обама"]),
        ("Буш-младшего и Буш-старший", ["Буш-младшего", "Буш-старший"]),
        ("и-младший Буш - старший", ["Буш"]),
    ):
        bounds = words(text)
        kinds = ["small" if text[start].islower() else "name" if text[start].isalpha() else "sign" for start, _ in bounds]
        with np.errstate(divide="ignore"):
            scores = np.log([{"small": [0.9, 0.0, 0.1], "name": [0.0, 0.2, 0.8], "sign": [0.4, 0.0, 0.6]}[kind] for kind in kinds])
        found = viterbi.spans(boundaries.within_names(scores, text, bounds, ["PER"]), bounds, ["PER"])
        assert [text[span.start : span.end] for span in found] == persons, text


def test_no_answer_goes_on_into_the_question_behind_it():
    """But for what stands in marks, and for a question of the speaker's own: the next turn has a dash."""
    begins, goes_on = [0.0, 1.0, 0.0], [0.0, 0.1, 0.9]
    for text, parts in (
        ("— Нет.\n\nА зимой?\n\n— Да.", ["Нет.", "А зимой?\n\n— Да."]),
        ("— Нет.\r\n\r\nА зимой?!\r\n\r\n— Да.", ["Нет.", "А зимой?!\r\n\r\n— Да."]),
        ("— Нет.\n\nКто знает?\n\nЯ нет.", ["Нет.\n\nКто знает?\n\nЯ нет."]),
        ("— Нет.\n\n— А зимой?\n\n— Да.", ["Нет.\n\n— А зимой?\n\n— Да."]),
        ("«Нет.\n\nА зимой?\n\n— Да»", ["«Нет.\n\nА зимой?\n\n— Да»"]),
        ("Нет.\n\nА зимой?", ["Нет.\n\nА зимой?"]),
    ):
        bounds = [(start, end) for start, end in words(text) if start or text[0] != "—"]
        with np.errstate(divide="ignore"):
            scores = np.log([goes_on if i else begins for i in range(len(bounds))])
        given = scores.copy()
        found = viterbi.spans(boundaries.before_questions(scores, text, bounds), bounds, ["DIRECT"])
        assert [text[span.start : span.end] for span in found] == parts
        assert np.array_equal(scores, given)


@pytest.mark.parametrize("text", ["А?\n— «Да».\n" * 8000, "\nА" + "?" * 60_000 + "а\n— Да", "\nА?" + "\n" * 60_000 + "Да"])
def test_plain_questions_are_found_in_time_in_proportion(text):
    scores, bounds = np.zeros((1, 3)), [(0, 1)]
    begun = time.process_time()
    boundaries.before_questions(scores, text, bounds)
    assert time.process_time() - begun < 3
