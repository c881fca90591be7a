import pytest

from govorit.article import Span
from govorit.decoding.persons import parted


def find(text: str, words: str, label: str) -> Span:
    return Span(text.index(words), text.index(words) + len(words), label)


def parts(text: str, name: str, *places: str) -> list[tuple[str, str]]:
    found = parted(text, [*(find(text, place, "LOC") for place in places), find(text, name, "PER")])
    return [(text[span.start : span.end], span.label) for span in found[len(places) :]]


@pytest.mark.parametrize(
    "one, other",
    [
        ("В.Шеймана", "А.Кулешов"),
        ("А. Лукашенко", "Виктор"),
        ("Максим Дадашев", "Дадашев"),
        ("Барака Обамы", "Малия"),
        ("Марины", "Дмитрий Туркин"),
        ("Майкла Джексона", "Кэтрин"),
    ],
)
def test_two_persons_are_two(one, other):
    assert parts(f"дочь {one} {other} пришла", f"{one} {other}") == [(one, "PER"), (other, "PER")]


def test_a_place_before_a_person_is_none():
    assert parts("премьер земли Гессен Фолькер Буфье", "Гессен Фолькер Буфье") == [("Гессен", "LOC"), ("Фолькер Буфье", "PER")]
    text = "Непал открыт. Министр Непала Мин Бахадур Шерхан ушёл"
    assert parts(text, "Непала Мин Бахадур Шерхан", "Непал") == [("Непала", "LOC"), ("Мин Бахадур Шерхан", "PER")]


@pytest.mark.parametrize(
    "name",
    ["Ким Чен Ира", "Эрих Мария Ремарк", "Анны Карловны Бенуа", "София Коппола", "Усамы бен Ладена", "Михальчука И. Ф.",
     "Томас ван дер Линде", "А. С. Пушкин", "Д. Ллойд Джордж", "Людмилы Касьян", "Азия Ардженто", "Кузьмин Н. Н."],
)  # fmt: skip
def test_one_person_stays_one(name):
    assert parts(f"Вчера {name} пел", name) == [(name, "PER")]


def test_a_model_that_knows_no_places_finds_none():
    text = "премьер земли Гессен Фолькер Буфье"
    spans = [find(text, "Гессен Фолькер Буфье", "PER")]
    assert parted(text, spans, ["PER"]) == spans


def test_other_labels_stay():
    span = Span(0, 19, "ORG")
    assert parted("В.Шеймана А.Кулешов", [span]) == [span]
