"""Against definitions written out: all shuffles and all resamples of a few documents, counted one by one."""

from itertools import product

import numpy as np
import pytest

from govorit.evaluation import significance
from govorit.evaluation.metrics import summarise
from govorit.evaluation.significance import Difference, compare, f1


def counts(rng: np.random.Generator, documents: int = 8, rows: int = 3) -> np.ndarray:
    """Counts of matched, predicted and gold; gold depends on the row and document alone, as two systems share it."""
    gold = 1 + np.arange(documents * rows).reshape(documents, rows) % 5
    matched = rng.integers(0, gold + 1)
    return np.stack([matched, matched + rng.integers(0, 4, gold.shape), gold], axis=-1).astype(float)


def pair(seed: int, **sizes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return counts(rng, **sizes), counts(rng, **sizes)


def score(matched: float, predicted: float, gold: float) -> float:
    return 2 * matched / (predicted + gold) if predicted + gold else 0.0


def every_shuffle(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The absolute difference of F1 of each of the 2**documents ways in which counts change sides, of the first row."""
    found = []
    for swapped in product((False, True), repeat=len(one)):
        sides = [sum(b[0] if swap else a[0] for a, b, swap in zip(x, y, swapped, strict=True)) for x, y in ((one, other), (other, one))]
        found.append(abs(score(*sides[1]) - score(*sides[0])))
    return np.array(found)


def test_f1_is_that_of_the_scores():
    one, _ = pair(0)
    assert f1(one.sum(axis=0)) == pytest.approx([figure.f1 for figure in summarise(one.astype(int), 0, 0)])
    assert f1(np.zeros((2, 3))).tolist() == [0, 0]


def test_a_difference_counted_by_hand():
    """3 of 4 found with 4 predicted against 2 of 4 with 2: 6/8 - 4/6."""
    one, other = np.array([[[1, 1, 2]], [[1, 1, 2]]]), np.array([[[2, 2, 2]], [[1, 2, 2]]])
    assert compare(one, other, 0) == [Difference(pytest.approx(6 / 8 - 4 / 6))]


@pytest.mark.parametrize("seed", range(6))
def test_p_is_the_share_of_all_shuffles_that_reach_the_difference(seed):
    one, other = pair(seed)
    exact = (every_shuffle(one, other) >= abs(f1(other.sum(0)) - f1(one.sum(0)))[0] - 1e-12).mean()
    found = compare(one, other, 20_000)[0].p
    assert found == pytest.approx(exact, abs=0.015)


def test_p_is_never_zero():
    """(r + 1) / (R + 1): of the 1024 shuffles of ten documents, two reach the difference, the observed order and its reverse."""
    one, other = np.tile([0.0, 0, 5], (10, 1, 1)), np.tile([5.0, 5, 5], (10, 1, 1))
    (found,) = compare(one, other, 9)
    assert found.value == 1.0 and found.interval == (1.0, 1.0) and found.p >= 1 / 10
    assert compare(one, other, 50_000)[0].p == pytest.approx(2 / 1024, rel=0.3)


@pytest.mark.parametrize("seed", range(3))
def test_the_interval_is_that_of_all_resamples(seed):
    one, other = pair(seed, documents=4)
    draws = [list(draw) for draw in product(range(4), repeat=4)]
    exact = np.percentile([score(*other[draw, 0].sum(0)) - score(*one[draw, 0].sum(0)) for draw in draws], [2.5, 97.5])
    assert compare(one, other, 20_000)[0].interval == pytest.approx(exact, abs=0.02)


def test_the_same_counts_do_not_differ():
    one, _ = pair(1)
    assert compare(one, one, 100) == [Difference(0.0, (0.0, 0.0), 1.0)] * 3
    assert compare(np.zeros((5, 1, 3)), np.zeros((5, 1, 3)), 100) == [Difference(0.0, (0.0, 0.0), 1.0)]
    assert compare(np.zeros((0, 1, 3)), np.zeros((0, 1, 3))) == [Difference(0.0)]


def test_sides_change_the_sign_alone():
    one, other = pair(2)
    there, back = compare(one, other, 500), compare(other, one, 500)
    for found, turned in zip(there, back, strict=True):
        assert found.value == pytest.approx(-turned.value)
        assert found.interval == pytest.approx((-turned.interval[1], -turned.interval[0]))


def test_scale_does_not_matter():
    """Counts summed over seeds and their mean are the same to F1, so that three seeds can be compared with five."""
    one, other = pair(3)
    found, scaled = compare(one, other, 500), compare(3 * one, 3 * other, 500)
    for a, b in zip(found, scaled, strict=True):
        assert (a.value, a.p) == pytest.approx((b.value, b.p)) and a.interval == pytest.approx(b.interval)


def test_of_systems_that_do_not_differ_few_are_told_apart():
    rng = np.random.default_rng(0)
    p = [compare(counts(rng, 12, 1), counts(rng, 12, 1), 200, seed)[0].p for seed in range(300)]
    assert np.mean(np.array(p) < 0.05) < 0.09 and np.mean(np.array(p) < 0.5) == pytest.approx(0.5, abs=0.1)


def test_portions_of_memory_change_nothing_but_the_draws(monkeypatch):
    one, other = pair(4)
    whole = compare(one, other, 4000)
    monkeypatch.setattr(significance, "_AT_ONCE", 3000)
    for a, b in zip(whole, compare(one, other, 4000), strict=True):
        assert a.value == b.value and a.p == pytest.approx(b.p, abs=0.05) and a.interval == pytest.approx(b.interval, abs=0.05)


def test_the_same_seed_gives_the_same_figures():
    one, other = pair(5)
    assert compare(one, other, 300, seed=7) == compare(one, other, 300, seed=7) != compare(one, other, 300, seed=8)
