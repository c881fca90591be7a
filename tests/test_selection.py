import doctest
from random import Random

import numpy as np
import pytest

from govorit import selection
from govorit.selection import COST, Doubts, confidence, doubts, order


def scores(*rows: float) -> np.ndarray:
    """Log-probabilities of two tags a word, by the probability of the first."""
    return np.log(np.array([[row, max(1 - row, 1e-9)] for row in rows], np.float32))


def random_doubts(rng: Random, stems: int = 12) -> Doubts:
    keys = sorted(rng.sample(range(stems), rng.randrange(stems)))
    masses = np.array([rng.uniform(0.02, 3) for _ in keys], np.float32)
    return Doubts(rng.randrange(1, 400), float(masses.sum()), np.array(keys, np.uint32), masses)


def test_examples():
    assert doctest.testmod(selection).failed == 0


def test_doubt_is_what_the_best_tag_lacks_and_lies_at_stems():
    text = "Министры министра ждут"
    found = doubts(text, [(0, 8), (9, 17), (18, 22)], {"entities": scores(0.75, 0.5, 0.999), "quotes": scores(1, 1, 0.25)}, ["entities"])
    assert (found.words, len(found.keys)) == (3, 1), "one stem is doubted, and no other layer was asked for"
    assert found.total == pytest.approx(0.751, abs=1e-6) and found.masses == pytest.approx([0.75])
    both = doubts(
        text, [(0, 8), (9, 17), (18, 22)], {"entities": scores(0.75, 0.5, 1), "quotes": scores(1, 1, 0.25)}, ["entities", "quotes"]
    )
    assert len(both.keys) == 2 and both.total == pytest.approx((0.75 + 0.25) / 2)
    assert confidence([both]) == pytest.approx(1 - 0.5 / 3)


def test_an_article_without_words_doubts_nothing():
    empty = doubts("", [], {"entities": np.zeros((0, 3), np.float32)}, ["entities"])
    assert (empty.words, empty.total, len(empty.keys)) == (0, 0.0, 0)
    assert confidence([]) == confidence([empty]) == 1.0
    assert list(order([])) == [] and list(order([empty])) == [0]


def test_the_best_is_taken_first_again_and_again():
    """The definition, without the shortcuts."""
    rng = Random(0)
    for _ in range(40):
        articles = [random_doubts(rng) for _ in range(rng.randrange(1, 12))]
        gathered: dict[int, float] = {}
        left, expected = list(range(len(articles))), []
        while left:

            def gain(number: int, articles=articles, gathered=gathered) -> float:
                pairs = zip(articles[number].keys.tolist(), articles[number].masses.tolist(), strict=True)
                return sum(np.log(1 + gathered.get(key, 0) + mass) - np.log(1 + gathered.get(key, 0)) for key, mass in pairs)

            best = max(left, key=lambda number: (round(gain(number) / (articles[number].words + COST), 9), -number))
            for key, mass in zip(articles[best].keys.tolist(), articles[best].masses.tolist(), strict=True):
                gathered[key] = gathered.get(key, 0) + mass
            left.remove(best)
            expected.append(best)
        assert list(order(articles)) == expected


def test_length_alone_does_not_win_and_the_same_doubt_wears_off():
    def article(words: int, *keys: int, mass: float = 1.0) -> Doubts:
        return Doubts(words, mass * len(keys), np.array(keys, np.uint32), np.full(len(keys), mass, np.float32))

    long, dense = article(2000, 1, 2, 3, 4), article(200, 5, 6, 7)
    assert list(order([long, dense])) == [1, 0]
    same, again, other = article(200, 1, 2, 3), article(200, 1, 2, 3), article(200, 4, 5, mass=1.2)
    assert list(order([same, again, other])) == [0, 2, 1]
