import random
from dataclasses import replace

import pytest
from generate import random_article

from govorit.article import Article, Span
from govorit.evaluation import confusion, metrics
from govorit.evaluation.confusion import BOTH, BOUNDARY, CORRECT, MISSING, SPURIOUS, TYPE

TEXT = "Глава Росстата Павел Малков прилетел в Москву"
PLACE = {"Росстата": (6, 14), "Павел Малков": (15, 27), "Малков": (21, 27), "Москву": (39, 45), "прилетел": (28, 36)}


def article(*marked: tuple[str, str]) -> Article:
    return Article("a", TEXT, tuple(Span(*PLACE[words], label) for words, label in marked))


GOLD = article(("Росстата", "ORG"), ("Павел Малков", "PER"), ("Москву", "LOC"))


@pytest.mark.parametrize(
    ("found", "sort"),
    [
        ((("Павел Малков", "PER"),), CORRECT),
        ((("Малков", "PER"),), BOUNDARY),
        ((("Павел Малков", "ORG"),), TYPE),
        ((("Малков", "ORG"),), BOTH),
        ((), MISSING),
    ],
)
def test_each_sort_of_error(found, sort):
    gold, predicted = article(("Павел Малков", "PER")), article(*found)
    result = confusion.count([(gold, predicted)], "entities")
    assert result.sorts == {"PER": {sort: 1}}
    spurious = confusion.count([(predicted, gold)], "entities").total
    assert spurious[SPURIOUS if sort == MISSING else sort] == 1


def test_the_schemas_are_those_of_semeval_2013():
    """The worked cases of the task: a right span, a wrong boundary, a wrong type, one missed and one spurious."""
    predicted = article(("Росстата", "LOC"), ("Малков", "PER"), ("прилетел", "PER"))
    result = confusion.count([(GOLD, predicted)], "entities")
    counts = {
        name: (found.correct, found.incorrect, found.partial, found.missing, found.spurious) for name, found in result.schemas().items()
    }
    assert counts == {"strict": (0, 2, 0, 1, 1), "exact": (1, 1, 0, 1, 1), "partial": (1, 0, 1, 1, 1), "type": (1, 1, 0, 1, 1)}
    assert result.schemas()["partial"].precision == result.schemas()["partial"].recall == result.schemas()["partial"].f1 == 0.5
    assert result.matrix == {("ORG", "LOC"): 1, ("PER", "PER"): 1, ("LOC", ""): 1, ("", "PER"): 1}


@pytest.mark.parametrize("seed", range(40))
def test_nothing_is_lost_and_strict_is_the_strict_score(seed):
    rng = random.Random(seed)
    gold = random_article(rng)
    moved = [replace(span, end=span.end + rng.choice((0, 0, 1)), label=rng.choice((span.label, "PER"))) for span in gold.entities]
    predicted = replace(gold, entities=tuple(span for span in moved if rng.random() < 0.8))
    result = confusion.count([(gold, predicted)], "entities")
    strict, scored = result.schemas()["strict"], metrics.score([gold], [predicted], ["entities"], resamples=0)["entities"].strict["micro"]
    assert strict.correct + strict.incorrect + strict.missing == scored.support
    assert strict.correct + strict.incorrect + strict.spurious == scored.predicted
    assert (strict.precision, strict.recall, strict.f1) == pytest.approx((scored.precision, scored.recall, scored.f1))
    assert sum(result.matrix.values()) == result.total.total()


def test_the_nearest_is_the_partner_and_each_has_one():
    text = "а б в г"
    gold = [Span(0, 3, "PER"), Span(4, 7, "PER")]
    assert len(text) == 7
    assert confusion.partners(gold, [Span(2, 7, "PER")]) == [(gold[1], Span(2, 7, "PER"))]
    assert confusion.partners(gold, [Span(0, 3, "ORG"), Span(0, 1, "PER")]) == [(gold[0], Span(0, 3, "ORG"))]


def test_what_the_gold_does_not_annotate_is_not_counted():
    unknown = replace(GOLD, entities=(), meta={"layers": "quotes"})
    result = confusion.count([(unknown, GOLD)], "entities")
    assert result.labels == [] and not result.total and result.schemas()["strict"].f1 == 0.0
