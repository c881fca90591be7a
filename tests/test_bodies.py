import pytest

from govorit.article import Article, Span
from govorit.contract import APART, EITHER, INSIDE
from govorit.decoding.bodies import settled, way_of

BODIES = [
    ("МИД", "РФ"),
    ("Верховный суд", "Бангладеша"),
    ("Министерство энергетики", "Саудовской Аравии"),
    ("Минсельхоз", "России"),
    ("Законодательное собрание", "Приморского края"),
    ("администрации", "США"),
    ("МИД", "Российской Федерации"),
    ("Конгресс", "Соединённых Штатов"),
]


def article(*names: tuple[str, str], way: str) -> Article:
    """An article with bodies and places, together or each by itself."""
    text, spans = "", []
    for body, place in names:
        text += "В "
        first, last = len(text) + len(body), len(text) + len(body) + 1 + len(place)
        spans += [Span(len(text), last, "ORG")] if way == INSIDE else [Span(len(text), first, "ORG"), Span(first + 1, last, "LOC")]
        text += f"{body} {place} знают. "
    return Article("1", text, tuple(spans))


@pytest.mark.parametrize("body, place", BODIES)
def test_a_body_holds_its_place_or_does_not(body, place):
    together, apart = (article((body, place), way=way) for way in (INSIDE, APART))
    for before in (together, apart):
        assert tuple(settled(before.text, before.entities, INSIDE)) == together.entities
        assert tuple(settled(before.text, before.entities, APART)) == apart.entities
        assert tuple(settled(before.text, before.entities, EITHER)) == before.entities
        assert tuple(settled(before.text, before.entities, APART, ["ORG", "PER"])) == before.entities, "the model knows no places"


@pytest.mark.parametrize(
    "name",
    ["Голос Америки", "Банк России", "МЧС по Курской области", "МВД по Республике Коми", "Минеральные воды Кавказа"],
)
def test_a_place_that_makes_the_name_is_never_parted(name):
    span = Span(0, len(name), "ORG")
    assert settled(name, [span], APART) == [span]


def test_a_place_that_is_no_complement_is_never_joined():
    text = "МИД Германии Петров, сайт Reuters России, ФСБ Крыму"
    spans = [Span(0, 3, "ORG"), Span(4, 12, "PER"), Span(26, 33, "ORG"), Span(34, 40, "LOC"), Span(42, 45, "ORG"), Span(46, 51, "LOC")]
    assert settled(text, spans, INSIDE) == spans


def test_an_organisation_of_another_one_is_part_of_it():
    for one, other, together in (
        ("СБ", "ООН", True),
        ("Генштаба", "Вооружённых сил", True),
        ("Госдепа", "РИА Новости", False),
        ("RT", "ФСБ", False),
    ):
        spans = [Span(0, len(one), "ORG"), Span(len(one) + 1, len(one) + 1 + len(other), "ORG")]
        assert settled(f"{one} {other}", spans, INSIDE) == ([Span(0, spans[1].end, "ORG")] if together else spans)
        assert settled(f"{one} {other}", spans, APART) == spans


def test_the_way_is_learnt_from_articles_that_keep_to_one():
    inside, apart = ([article(*BODIES, way=way)] * 3 for way in (INSIDE, APART))
    assert way_of(inside) == way_of([*inside, apart[0]]) == INSIDE
    assert way_of(apart) == way_of([*apart, inside[0]]) == APART
    assert way_of([*inside, *apart]) == way_of(inside[:1]) == way_of([]) == EITHER
    assert way_of(inside, ["PERSON", "ORGANIZATION"]) == EITHER
    assert way_of([Article("1", inside[0].text, inside[0].entities, meta={"layers": "quotes"})] * 3) == EITHER
    assert way_of([Article("1", inside[0].text, inside[0].entities, meta={"covers": "ORG PER"})] * 3) == EITHER
