import math
from dataclasses import replace

import pytest

from govorit.article import Article, Quote, Span
from govorit.evaluation import calibration

TEXT = "«Да», — сказал Песков. Путин в Алматы."
QUOTE = Quote("direct", (Span(0, 4, "DIRECT"),), Span(8, 14, "CUE"), Span(15, 21, "SPEAKER"), "Дмитрий Песков")
GOLD = Article("a", TEXT, (Span(15, 21, "PER"), Span(31, 37, "LOC")), (QUOTE,))


def test_a_hand_count():
    result = calibration.summarise([(0.95, True), (0.91, True), (0.92, False), (0.62, True), (0.3, False)])
    assert [(b.low, b.count) for b in result.bins] == [(0.3, 1), (0.6, 1), (0.9, 3)]
    assert result.ece == pytest.approx((0.3 + 0.38 + 3 * abs(2.78 / 3 - 2 / 3)) / 5)
    assert (result.count, result.right) == (5, 0.6)


def test_what_is_as_sure_as_it_is_right_has_no_error():
    sure = [(0.75, number % 4 > 0) for number in range(400)]
    assert calibration.summarise(sure).ece == 0 and calibration.summarise([(1.0, True)]).ece == 0


def test_wilson_holds_the_share_and_stays_between_0_and_1():
    assert calibration.wilson(0, 10)[0] == 0 and calibration.wilson(10, 10)[1] == pytest.approx(1)
    low, high = calibration.wilson(8, 10)
    assert (round(low, 3), round(high, 3)) == (0.49, 0.943)  # Brown, Cai and DasGupta 2001 give the formula


def test_spans_quotations_and_names_are_judged_apart():
    found = replace(QUOTE, cue=None, score=0.9, name_score=0.7)
    predicted = replace(GOLD, entities=(Span(15, 21, "PER", 0.8), Span(31, 37, "ORG", 0.6)), quotes=(found,))
    measured = calibration.measure([(GOLD, predicted)], ["entities", "quotes"])
    assert {name: (result.score, result.right) for name, result in measured.items()} == {
        "entities": (pytest.approx(0.7), 0.5),
        "whole quotations": (0.9, 0.0),
        "names": (0.7, 1.0),
    }


def test_predictions_without_scores_are_not_calibrated():
    assert calibration.measure([(GOLD, GOLD)], ["entities", "quotes"]) == {}
    strange = replace(GOLD, entities=(Span(15, 21, "PER", math.nan), Span(31, 37, "LOC", 1.5)))
    assert calibration.measure([(GOLD, strange)], ["entities"])["entities"].count == 1
