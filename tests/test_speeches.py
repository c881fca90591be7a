import pytest

from govorit.article import Span
from govorit.decoding.speeches import whole

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


@pytest.mark.parametrize(
    "text, parts",
    [
        ("«Да, — сказал он. — Нет».", [("«Да", "DIRECT"), ("сказал", "CUE"), ("он", "SPEAKER"), ("Нет»", "DIRECT")]),
        ("Завод «Серп» молчит.", [("Завод", "SPEAKER")]),
        ("Он признал, что «виноват сам».", [("«виноват", "MIXED")]),
        ("Он сказал, что «Серп и молот» закрыт.", [("«Серп и молот» закрыт", "INDIRECT")]),
        ("Он сказал: «Да. Нет", [("«Да", "DIRECT")]),
        ("", []),
    ],
)
def test_other_spans_stay_as_they_are(text, parts):
    assert found(text, *parts) == parts
