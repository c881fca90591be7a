from govorit.article import Span
from govorit.decoding.edges import closed, hyphenated, trimmed


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


def test_a_name_with_its_opening_mark_gets_the_closing_one():
    for text, end, name in (
        ("ИК «Велес Капитал» и", 17, "ИК «Велес Капитал»"),
        ('ФК "Тамбов" ушёл', 10, 'ФК "Тамбов"'),
        ("«Северсвязь» и", 12, "«Северсвязь»"),
        ("Северсвязь» и", 10, "Северсвязь"),
        ("партии «Новый „Свет“» и", 20, "партии «Новый „Свет“»"),
    ):
        (span,) = closed(text, [Span(0, end, "ORG")])
        assert text[span.start : span.end] == name


def test_what_hangs_on_a_name_is_cut():
    for text, name in (
        ("ООН (ФАО", "ООН"),
        ("Совет (СПЧ) РФ", "Совет (СПЧ) РФ"),
        ("Би-би-си в", "Би-би-си"),
        ("(ФАО", "(ФАО"),
        ("Да и Нет", "Да и Нет"),
    ):
        (span,) = closed(text, [Span(0, len(text), "ORG")])
        assert text[span.start : span.end] == name


def test_a_hyphen_ends_no_name():
    for text, label, expected in (
        ("Жан-Марк Эро", "PER", ["Жан-Марк Эро"]),
        ("Скотленд-Ярд", "ORG", ["Скотленд-Ярд"]),
        ("Казань-Москва", "LOC", ["Казань", "Москва"]),
        ("Молотов-коктейль", "PER", ["Молотов", "коктейль"]),
    ):
        at = text.index("-")
        found = hyphenated(text, [Span(0, at, label), Span(at + 1, len(text), label)])
        assert [text[span.start : span.end] for span in found] == expected
    two = [Span(0, 3, "PER"), Span(4, 8, "ORG")]
    assert hyphenated("Жан-Марк", two) == two
