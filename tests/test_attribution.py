import doctest
import json
import random
from dataclasses import replace

import pytest
from generate import random_article, random_quotes

from govorit.article import KINDS, Article, Quote, Span
from govorit.errors import UserError
from govorit.evaluation import attribution
from govorit.evaluation.attribution import ALL, FORMS, Attribution, differences, form, match, score, to_json
from govorit.formats.inline import parse

MEASURES = ("exact", "content", "with_speaker", "said_by")
GOLD = parse('<q>«Цены выросли на пять процентов»</q>, — <cue>сказал</cue> <src name="Иван Петров">он</src> Олегу Киму.')
(SAID,) = GOLD.quotes


def scored(gold: Article | list[Article], predicted: Article | list[Article], **options: int) -> Attribution:
    sides = ([side] if isinstance(side, Article) else side for side in (gold, predicted))
    return score(*sides, **{"resamples": 0, **options})


def against(*quotes: Quote, gold: Article = GOLD) -> Attribution:
    return scored(gold, replace(gold, quotes=quotes))


def f1(result: Attribution) -> list[float]:
    """What holds of all quotations: exact, content, with the speaker, said by."""
    return [getattr(result, measure)[ALL].f1 for measure in MEASURES if getattr(result, measure)]


def right(result: Attribution) -> dict[str, int]:
    return {what: found.right for what, found in result.right.items()}


def articles(seed: int, count: int = 6) -> list[Article]:
    return [random_article(random.Random(f"{seed} {i}"), str(i)) for i in range(count)]


def worse(article: Article, rng: random.Random) -> Article:
    """The article as a model might read it: quotations lost, cut short, with another kind, cue, speaker or name, and invented."""
    quotes = [_damaged(quote, rng) for quote in article.quotes if rng.random() < 0.8]
    taken = {at for quote in quotes for at in _characters(quote)}
    quotes += [quote for quote in random_quotes(rng, article.text) if not taken & _characters(quote) and rng.random() < 0.3]
    return replace(article, quotes=tuple(quotes))


def _damaged(quote: Quote, rng: random.Random) -> Quote:
    first, *rest = quote.content
    changes = (
        {},
        {"content": (replace(first, end=max(first.start + 1, first.end - rng.choice((1, 1, 9)))), *rest)},
        {"kind": rng.choice(KINDS)},
        {"cue": None},
        {"speaker": None},
        {"speaker": Span(first.end, first.end + 1, "SPEAKER")},
        {"name": rng.choice((None, "Росстат"))},
        {"cue": None, "name": "Росстат"},
    )
    return replace(quote, **rng.choice(changes))


def _characters(quote: Quote) -> set[int]:
    return {at for span in quote.content for at in range(span.start, span.end)}


@pytest.mark.parametrize(
    ("expected", "markup"),
    [
        ("before", "<src>Путин</src> <cue>сказал</cue>: <q>«Да»</q>."),
        ("before", "<src>Путин</src>: <q>«Да»</q>."),
        ("before", "<cue>По словам</cue> <src>Путина</src>, <q indirect>цены выросли</q>."),
        ("after", "<q>«Да»</q>, — <cue>сказал</cue> <src>Путин</src>."),
        ("after", "<q indirect>Цены выросли</q>, <cue>сообщается</cue> на сайте."),
        ("inside", "<src>Путин</src>: <q>«Да»</q>, — так он <cue>сказал</cue>."),
        ("floating", "<q>«Да»</q>."),
        ("floating", "<q indirect>Цены выросли</q>."),
        ("dash", "— <q>Да.</q>"),
        ("dash", "— <q>Да</q>, — <cue>сказал</cue> <src>Путин</src>."),
        ("dash", "<src>Путин</src>: <q>Да, мы рады.</q>"),
        ("interrupted", "<q 1 direct>«Да</q>, — <cue 1>сказал</cue> <src 1>он</src>. — <q 1 direct>Мы рады»</q>."),
        ("interrupted", "— <q 1 direct>Да</q>, — <cue 1>сказал</cue> <src 1>он</src>. — <q 1 direct>Мы\nрады</q>."),
        ("paragraphs", "<src>Путин</src> <cue>сказал</cue>: <q>«Да.\n\nМы рады»</q>."),
        ("paragraphs", "<q>— Да.\n— Мы рады.</q>"),
    ],
)
def test_each_quotation_has_one_form(expected, markup):
    article = parse(markup)
    assert [form(quote, article.text) for quote in article.quotes] == [expected]


@pytest.mark.parametrize("seed", range(10))
def test_gold_against_itself_is_perfect(seed):
    gold = articles(seed)
    result = scored(gold, gold, resamples=10)
    quotes = [quote for article in gold for quote in article.quotes]
    assert result.content[ALL].support == len(quotes)
    assert result.said_by[ALL].support == sum(bool(quote.name) for quote in quotes)
    for measure in MEASURES:
        assert all(figure.f1 == float(figure.support > 0) for figure in getattr(result, measure).values())
    assert {found.value for found in result.right.values()} == {1.0}
    assert [differences(article, article) for article in gold] == [[]] * len(gold)


@pytest.mark.parametrize("seed", range(10))
def test_the_order_of_quotations_and_articles_does_not_matter(seed):
    rng, gold = random.Random(seed), articles(seed)
    predicted = [worse(article, rng) for article in gold]
    shuffled = [[replace(a, quotes=tuple(rng.sample(a.quotes, len(a.quotes)))) for a in side] for side in (gold, predicted)]
    rng.shuffle(shuffled[1])
    assert scored(*shuffled) == scored(gold, predicted)


@pytest.mark.parametrize("seed", range(10))
def test_lost_quotations_lower_recall_only(seed):
    gold = articles(seed, 12)
    kept = [replace(article, quotes=article.quotes[::2]) for article in gold]
    result = scored(gold, kept)
    for measure in MEASURES:
        figure = getattr(result, measure)[ALL]
        assert figure.precision == 1.0 and figure.recall == figure.predicted / figure.support < 1.0
    assert {found.value for found in result.right.values()} == {1.0}
    back = scored(kept, gold)
    assert (back.content[ALL].precision, back.content[ALL].recall) == (result.content[ALL].recall, 1.0)


@pytest.mark.parametrize("seed", range(20))
def test_the_parts_add_up_and_every_mistake_is_listed(seed):
    rng, gold = random.Random(seed), articles(seed)
    predicted = [worse(article, rng) for article in gold]
    result = scored(gold, predicted)
    for measure in MEASURES:
        figures = getattr(result, measure)
        for parts in (KINDS, FORMS):
            for count in ("support", "predicted"):
                assert sum(getattr(figures[part], count) for part in parts if part in figures) == getattr(figures[ALL], count)
    listed = [difference for pair in zip(gold, predicted, strict=True) for difference in differences(*pair)]
    kinds = [difference.kind for difference in listed]
    for what, found in result.right.items():
        assert kinds.count(f"wrong {what}") == found.matched - found.right
    matched, exact = (round(figures[ALL].recall * figures[ALL].support) for figures in (result.content, result.exact))
    assert matched == result.right["cue"].matched
    apart = kinds.count("wrong boundary") - (matched - exact)
    assert kinds.count("missed") + apart == result.content[ALL].support - matched
    assert kinds.count("spurious") + apart == result.content[ALL].predicted - matched
    assert result.exact[ALL].f1 <= result.content[ALL].f1 >= result.with_speaker[ALL].f1


@pytest.mark.parametrize("seed", range(20))
def test_matching_leaves_no_pair_out(seed):
    """In a flat layer each content has at most one partner, so that all pairs that overlap enough are matched."""
    rng = random.Random(seed)
    gold = random_article(rng)
    sides = gold.quotes, worse(gold, rng).quotes
    pairs = [(i, j) for i, one in enumerate(sides[0]) for j, other in enumerate(sides[1]) if _iou(one, other) >= 0.8]
    assert sorted(match(*sides)) == pairs


def _iou(one: Quote, other: Quote) -> float:
    return len(_characters(one) & _characters(other)) / len(_characters(one) | _characters(other))


def test_a_moved_speaker_is_the_speakers_alone():
    moved = replace(SAID, speaker=Span(len(GOLD.text) - 11, len(GOLD.text) - 1, "SPEAKER"))
    assert GOLD.text[moved.speaker.start : moved.speaker.end] == "Олегу Киму"
    result = against(moved)
    assert f1(result) == [1.0, 1.0, 0.0, 1.0]
    assert right(result) == {"kind": 1, "cue": 1, "speaker": 0, "name": 1}
    assert [difference.kind for difference in differences(GOLD, replace(GOLD, quotes=(moved,)))] == ["wrong speaker"]


def test_a_missing_speaker_is_right_only_where_the_gold_has_none():
    silent = replace(SAID, speaker=None)
    assert against(silent).with_speaker[ALL].f1 == 0.0
    gold = replace(GOLD, quotes=(silent,))
    assert against(silent, gold=gold).with_speaker[ALL].f1 == 1.0
    assert against(SAID, gold=gold).with_speaker[ALL].f1 == 0.0


def test_another_name_is_who_said_it_alone():
    result = against(replace(SAID, name="Олег Ким"))
    assert f1(result) == [1.0, 1.0, 1.0, 0.0] and right(result) == {"kind": 1, "cue": 1, "speaker": 1, "name": 0}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Пётр Ёлкин", "Петр Елкин", True),
        ("РИА «Новости»", "риа\u00a0«новости»", True),
        ("судья", " судья\n", True),
        (None, "", True),
        ("Пётр Ёлкин", "Ёлкин", False),
        ("Пётр Ёлкин", None, False),
        (None, "Пётр Ёлкин", False),
    ],
)
def test_names_are_compared_without_case_white_space_and_the_dots_of_ё(one, other, same):
    named = replace(SAID, content=(Span(0, 4, "DIRECT"),), name="Росстат")  # so that the gold names somebody
    gold = replace(GOLD, quotes=(replace(named, name=one), replace(named, content=(Span(5, 12, "DIRECT"),))))
    result = scored(gold, replace(gold, quotes=(replace(gold.quotes[0], name=other), gold.quotes[1])))
    assert result.right["name"].right == 1 + same
    assert (result.said_by[ALL].support, result.said_by[ALL].predicted) == (1 + bool(one), 1 + bool(other))


def test_where_the_gold_names_nobody_names_are_not_scored():
    result = against(SAID, gold=replace(GOLD, quotes=(replace(SAID, name=None),)))
    assert result.said_by == {} and "name" not in result.right
    assert differences(replace(GOLD, quotes=(replace(SAID, name=None),)), GOLD, names=False) == []


def test_kinds_need_not_agree_and_a_match_counts_under_that_of_the_gold():
    result = against(replace(SAID, kind="mixed", content=(replace(SAID.content[0], label="MIXED"),)))
    assert f1(result) == [1.0] * 4 and right(result)["kind"] == 0
    assert list(result.content) == [ALL, "direct", "after"] and result.content["direct"].f1 == 1.0


def test_what_is_spurious_counts_under_its_own_kind_and_form():
    invented = Quote("indirect", (Span(41, 50, "INDIRECT"),))
    result = against(SAID, invented)
    assert {group: (figure.support, figure.predicted) for group, figure in result.content.items()} == {
        ALL: (1, 2), "direct": (1, 1), "indirect": (0, 1), "after": (1, 1), "floating": (0, 1),
    }  # fmt: skip


@pytest.mark.parametrize(("end", "exact", "content"), [(10, 1.0, 1.0), (9, 0.0, 1.0), (8, 0.0, 1.0), (7, 0.0, 0.0)])
def test_contents_match_from_four_fifths_on(end, exact, content):
    gold = Article("a", "«12345678» и ещё", quotes=(Quote("direct", (Span(0, 10, "DIRECT"),)),))
    result = against(Quote("direct", (Span(0, end, "DIRECT"),)), gold=gold)
    assert f1(result) == [exact, content, content]


def test_the_parts_of_an_interrupted_quotation_are_one_content():
    gold = parse("<q 1 direct>«Цены</q>, — <cue 1>сказал</cue> <src 1>он</src>. — <q 1 direct>Выросли сильно»</q>.")
    (whole,) = gold.quotes
    halves = tuple(replace(whole, content=(span,)) for span in whole.content)
    result = against(*halves, gold=gold)
    assert (result.content[ALL].support, result.content[ALL].predicted, result.content[ALL].f1) == (1, 2, 0.0)
    kinds = {difference.kind: difference.predicted for difference in differences(gold, replace(gold, quotes=halves))}
    assert kinds == {"spurious": halves[0], "wrong boundary": halves[1]}  # the longer one is the quotation
    glued = replace(whole, content=(Span(whole.content[0].start, whole.content[1].end, "DIRECT"),))
    assert f1(against(glued, gold=gold))[:2] == [0.0, 0.0]  # the attribution's characters are too many


def test_a_quotation_given_twice_is_right_once():
    result = against(SAID, SAID)
    assert (result.content[ALL].precision, result.content[ALL].recall) == (0.5, 1.0)
    assert [difference.kind for difference in differences(GOLD, replace(GOLD, quotes=(SAID, SAID)))] == ["spurious"]


def test_below_four_fifths_only_the_boundary_is_judged():
    short = replace(SAID, content=(Span(0, 12, "DIRECT"),), speaker=None, name="Олег Ким")
    assert [difference.kind for difference in differences(GOLD, replace(GOLD, quotes=(short,)))] == ["wrong boundary"]
    assert f1(against(short)) == [0.0] * 4


def test_articles_whose_gold_lacks_quotations_are_left_out():
    unknown = replace(GOLD, id="b", quotes=(), meta={"layers": "entities"})
    result = scored([GOLD, unknown], [GOLD, replace(GOLD, id="b")])
    assert (result.articles, result.unannotated) == (1, 1) and f1(result) == [1.0] * 4


def test_articles_must_pair_up():
    with pytest.raises(UserError, match="is not among the predicted"):
        scored([GOLD], [])


def test_intervals_hold_the_point_and_can_be_repeated():
    rng, gold = random.Random(3), articles(3, 30)
    predicted = [worse(article, rng) for article in gold]
    one, again, other = (scored(gold, predicted, resamples=200, seed=seed) for seed in (5, 5, 6))
    assert one == again != other
    for measure in MEASURES:
        low, high = getattr(one, measure)[ALL].interval
        assert 0 <= low < getattr(one, measure)[ALL].f1 < high <= 1
    for found in one.right.values():
        assert found.interval[0] < found.value < found.interval[1] and found.value == found.right / found.matched
    assert scored(gold, predicted).content[ALL].interval is None


@pytest.mark.parametrize("predicted", [[], [replace(GOLD, quotes=())]])
def test_nothing_to_divide_by_is_zero(predicted):
    result = scored([replace(article, quotes=()) for article in predicted], predicted, resamples=5)
    assert f1(result) == [0.0] * 3 and right(result) == {"kind": 0, "cue": 0, "speaker": 0}


def test_json_is_plain_and_rounded():
    gold = articles(1)
    result = scored(gold, [worse(article, random.Random(1)) for article in gold], resamples=10)
    plain = to_json(result)
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["said_by"][ALL]["f1"] == round(result.said_by[ALL].f1, 4)
    assert set(plain) == {*MEASURES, "right", "articles", "unannotated"}
    assert plain["right"]["cue"]["interval"] == [round(value, 4) for value in result.right["cue"].interval]


def test_the_examples_in_the_documentation():
    assert doctest.testmod(attribution).failed == 0
