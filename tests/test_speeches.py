from dataclasses import replace

import pytest

from govorit.article import Quote, Span
from govorit.decoding.speeches import whole, without_links

LONG = "Слово за слово. " * 15


def found(text: str, *parts: tuple[str, str]) -> list[tuple[str, str]]:
    spans = [Span(text.index(part), text.index(part) + len(part), label, 0.9) for part, label in parts]
    return [(text[span.start : span.end], span.label) for span in whole(text, spans)]


def test_a_speech_that_begins_with_its_marks_ends_with_them():
    text = "Он сказал: «Раз. Два говорит\n\nТри»."
    whole_speech = [("«Раз. Два говорит\n\nТри»", "DIRECT")]
    assert found(text, ("«Раз", "DIRECT")) == whole_speech
    assert found(text, ("«Раз", "DIRECT"), ("говорит", "CUE"), ("Три»", "INDIRECT")) == whole_speech
    assert found(text, *whole_speech) == whole_speech
    assert found(text, ("сказал", "CUE"), ("«Раз", "DIRECT")) == [("сказал", "CUE"), *whole_speech]


def test_most_of_a_long_speech_stands_for_all_of_it():
    text = f"«{LONG}» — сказал он."
    assert found(text, (LONG[:150], "DIRECT")) == [(f"«{LONG}»", "DIRECT")]
    assert found(text, (LONG[:100], "DIRECT")) == [(LONG[:100], "DIRECT")]


def test_a_content_that_ends_with_its_marks_begins_with_them():
    assert found("💬«Дорогие друзья, приходите»", ("друзья, приходите»", "DIRECT")) == [("«Дорогие друзья, приходите»", "DIRECT")]


def test_what_stands_in_marks_from_end_to_end_is_direct():
    assert found("Он просил «не шуметь по ночам».", ("«не шуметь по ночам»", "MIXED")) == [("«не шуметь по ночам»", "DIRECT")]


def test_lines_that_end_in_a_link_are_no_speech():
    text = "— Ракета упала https://site.ru/1\n\n— Да, — сказал он."
    parts = ((text.index(part), text.index(part) + len(part)) for part in ("Ракета упала https://site.ru/1", "Да"))
    link, said = (Quote("direct", (Span(start, end, "DIRECT"),)) for start, end in parts)
    assert without_links(text, [link, said]) == [said]
    assert without_links(text, [replace(link, speaker=Span(0, 1, "SPEAKER"))])


@pytest.mark.parametrize(
    "text, parts",
    [
        ("«Да, — сказал он. — Нет».", [("«Да", "DIRECT"), ("сказал", "CUE"), ("он", "SPEAKER"), ("Нет»", "DIRECT")]),
        ("Завод «Серп» молчит.", [("Завод", "SPEAKER")]),
        ("Он признал, что «виноват сам».", [("«виноват", "MIXED")]),
        ("Он сказал, что «Серп и молот» закрыт.", [("«Серп и молот» закрыт", "INDIRECT")]),
        ("Он сказал: «Да. Нет", [("«Да", "DIRECT")]),
        ("«Да, — шепчет она. — Нет»", [("Нет»", "DIRECT")]),
        ("Статья «О том, как „жить“»", [("„жить“»", "DIRECT")]),
        ("", []),
    ],
)
def test_other_spans_stay_as_they_are(text, parts):
    assert found(text, *parts) == parts
