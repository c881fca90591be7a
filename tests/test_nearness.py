import re
import time
from itertools import product
from random import Random

import pytest
from generate import random_article

from govorit import nearness
from govorit.article import Quote, Span
from govorit.formats.inline import parse

# Each is the gold: what the rules make of its spans alone is compared with its links.
QUOTATIONS = {
    "a quotation, then who said it": "<q>«Да»</q>, — <cue>сказал</cue> <src>Путин</src>.",
    "who said it, then a quotation": "<src>Путин</src> <cue>сказал</cue>: <q>«Да»</q>.",
    "a cue alone": "Как <cue>сообщается</cue>, <q indirect>дождь пройдёт</q>.",
    "no cue": "<src>Путин</src>: <q>«Да»</q>.",
    "what somebody says": "<src>Росстат</src> <cue>сообщил</cue>, что <q indirect>цены выросли</q>.",
    "by the words of somebody": "<cue>По словам</cue> <src>В. Путина</src>, <q indirect>цены выросли</q>.",
    "a subject with initials": "<src>Н. Назарбаев</src> на встрече с В. Путиным <cue>отметил</cue>, что <q indirect>рад</q>.",
    "interrupted «»": "<q 1 direct>«Это — признак слабости</q>, — <cue 1>сказал</cue> <src 1>он</src>. — <q 1 direct>Мы хотим мира»</q>.",
    "interrupted “”": "<q 1 direct>“Это слабость</q>, — <cue 1>сказал</cue> <src 1>он</src>. — <q 1 direct>Мы хотим мира”</q>.",
    "interrupted „“": "<q 1 direct>„Это слабость</q>, — <cue 1>сказал</cue> <src 1>он</src>. — <q 1 direct>Мы хотим мира“</q>.",
    'interrupted ""': '<q 1 direct>"Это слабость</q>, - <cue 1>сказал</cue> <src 1>он</src>. - <q 1 direct>Мы хотим мира"</q>.',
    "interrupted, goes on with a name": "<q 1 direct>«Да</q>, — <cue 1>сказал</cue> <src 1>он</src>. — <q 1 direct>«Левиафан» плох»</q>.",
    "interrupted twice": (
        "<q 1 direct>«Да</q>, — <cue 1>сказал</cue> <src 1>он</src>, — <q 1 direct>и нет</q>, — добавил, — <q 1 direct>и всё»</q>."
    ),
    "interrupted dash speech": "— <q 1 direct>Доедем</q>, — <cue 1>пообещал</cue> <src 1>водитель</src>. — <q 1 direct>Пока доедем.</q>",
    "interrupted indirect": "<q 1 indirect>Цены</q>, <cue 1>сказал</cue> <src 1>он</src>, <q 1 indirect>вырастут</q>.",
    "two closed „“ are two": (
        "<q 1 direct>„Да“</q>, — <cue 1>сказал</cue> <src 1>Путин</src>. <q 2 direct>„Нет“</q>, — <cue 2>ответил</cue> <src 2>Песков</src>."
    ),
    "two in a paragraph": (
        "<q 1 direct>«Да»</q>, — <cue 1>сказал</cue> <src 1>он</src>. <q 2 direct>«Нет»</q>, — <cue 2>ответил</cue> <src 2>Песков</src>."
    ),
    "two, the second's cue further away than the first's": (
        "<q 1 direct>«Да»</q>, — <cue 1>сказал</cue> <src 1>я</src>. "
        "<q 2 direct>«Нет»</q>, — после долгого раздумья <cue 2>ответил</cue> <src 2>Песков</src>."
    ),
    "two that follow their cues": (
        "<src 1>Он</src> <cue 1>сказал</cue>: <q 1 direct>«Да»</q>. <src 2>Песков</src> <cue 2>ответил</cue>: <q 2 direct>«Нет»</q>."
    ),
    "straight marks": (
        '<q 1 direct>"Да"</q>, - <cue 1>сказал</cue> <src 1>он</src>. <q 2 direct>"Нет"</q>, - <cue 2>ответил</cue> <src 2>Песков</src>.'
    ),
    "one subject, two cues": (
        "<src 1>Чайка</src> <cue 1>напомнил</cue>, что <q 1 indirect>срок прошёл</q>, "
        "и <cue 2>подчеркнул</cue>, что <q 2 indirect>ждать нельзя</q>."
    ),
    "a shared cue": "<src 1,2>Он</src> <cue 1,2>отметил</cue>, что <q 1 indirect>расчёты устарели</q>: <q 2 direct>«Мы считали»</q>.",
    "a shared cue behind": "<q 1 direct>«Да»</q> и <q 2 direct>«Нет»</q>, — <cue 1,2>сказал</cue> <src 1,2>Песков</src>.",
    "a floating quotation in its own paragraph": (
        "<q 1 direct>«Да»</q>, — <cue 1>сказал</cue> <src 1>он</src>.\n\n<q 2 direct>«Мы хотим мира»</q>.\n\nВстреча прошла в Астане."
    ),
    "a floating quotation in a sentence of its own": (
        "<q 1 direct>«Да»</q>, — <cue 1>сказал</cue> <src 1>он</src>. <q 2 direct>«Мы хотим мира»</q>."
    ),
    "a floating quotation nearer to the cue of the sentence before": (
        "<q 1 direct>«Да»</q>, — после долгого раздумья <cue 1>сказал</cue> <src 1>он</src>. <q 2 direct>«Мы хотим мира»</q>."
    ),
    "turns of an interview": "— <q 1 direct>Кто там?</q>\n\n— <q 2 direct>Свои</q>, — <cue 2>сказал</cue> <src 2>он</src>.",
    "a block after a colon": "<src>Вот что</src> <cue>заявил</cue>:\n\n<q>«Да»</q>.\n\nИ ушёл.",
    "an entity's name in the content": "<q>«Фильм «Левиафан» хорош»</q>, — <cue>сказал</cue> <src>он</src>.",
}


@pytest.mark.parametrize("case", QUOTATIONS)
def test_quotations_are_tied_as_a_reader_ties_them(case):
    gold = parse(QUOTATIONS[case])
    assert shown(nearness.tie(gold.layer("quotes"), gold.text), gold.text) == shown(gold.quotes, gold.text)


def shown(quotes, text: str) -> list[tuple]:
    def words_of(span: Span | None) -> str | None:
        return text[span.start : span.end] if span else None

    return [(quote.kind, tuple(map(words_of, quote.content)), words_of(quote.cue), words_of(quote.speaker)) for quote in quotes]


def test_any_spans_make_quotations_of_each_content_once():
    for i in range(1000):
        article = random_article(Random(i))
        spans = article.layer("quotes")
        found = nearness.tie(spans, article.text)
        contents = [span for quote in found for span in quote.content]
        assert contents == [span for span in spans if span.label not in ("CUE", "SPEAKER")]
        assert all(quote.kind.upper() == span.label for quote in found for span in quote.content)
        assert {span for quote in found for span in (quote.cue, quote.speaker) if span} <= set(spans)


def test_no_cue_is_lost_where_a_quotation_is_free_for_it():
    # Each content stands nearer to the cue after it than to its own: the nearest cue of each would leave the first one out.
    text = "".join(f"сказал, что тут же и там цены{i} " for i in range(2000))
    found = []
    for i in range(2000):
        start = text.index(f"цены{i} ")
        cue = text.rindex("сказал", 0, start)
        found += [Span(cue, cue + 6, "CUE", 1.0), Span(start, start + len(f"цены{i}"), "INDIRECT", 1.0)]
    quotes = nearness.tie(found, text)
    assert [quote.cue for quote in quotes] == found[::2]


def test_a_sentence_ends_at_the_stops_before_a_space_but_at_no_initial():
    plain = re.compile(r"(?<!\b\w)[.!?…]+\s")
    for text in ("".join(signs) for length in range(7) for signs in product("аБ. !", repeat=length)):
        assert [end.span() for end in nearness.SENTENCE_END.finditer(text)] == [end.span() for end in plain.finditer(text)], text


@pytest.mark.parametrize("between", ["." * 100_000 + "x", " -" * 50_000 + "x", ", " * 50_000])
def test_what_stands_between_two_contents_may_be_long(between):
    begun = time.process_time()
    for label in ("DIRECT", "INDIRECT"):
        end = len(between) + 2
        found = nearness.tie([Span(0, 2, label), Span(end, end + 2, label)], f"Да{between}Да")
        assert len(found) in (1, 2)
    assert time.process_time() - begun < 5


def test_a_quotations_score_is_that_of_its_content():
    found = [Span(0, 4, "DIRECT", 0.5), Span(8, 14, "CUE", 0.1)]
    assert nearness.tie(found, "«Да», — сказал он.") == [Quote("direct", (found[0],), found[1], None, None, 0.5)]
    assert nearness.tie(found[1:], "«Да», — сказал он.") == nearness.tie([], "Да") == []
    bare = [Span(span.start, span.end, span.label) for span in found]
    assert nearness.tie(bare, "«Да», — сказал он.") == [Quote("direct", (bare[0],), bare[1])], "no score of none"
