from govorit.article import Span
from govorit.decoding.edges import trimmed


def ends(text: str) -> list[str]:
    return [text[span.start : span.end] for span in trimmed(text, [Span(0, len(text), "ORG", 0.5)])]


def test_signs_beside_the_words_are_left_out():
    for text, inside in (
        ("👉 Очевидец Роман П.", "Очевидец Роман П."),
        ("💬«Да»", "«Да»"),
        ("❗️Да❗️", "Да"),
        ("• пункт", "пункт"),
        ("ИГ*", "ИГ"),
        ("«Би-би-си» **", "«Би-би-си»"),
    ):
        assert ends(text) == [inside]


def test_words_and_their_symbols_stay():
    for text in ("№ 2 имени Кадырова", "Canal+", "«Вперёд!»", "Apple®", "А👍Б", "5 °"):
        assert ends(text) == [text]


def test_nothing_but_signs_is_nothing():
    assert ends("😀") == ends("* *") == []
