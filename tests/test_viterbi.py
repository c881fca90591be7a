from itertools import product
from random import Random

import numpy as np
import pytest
from generate import random_text

from govorit import words
from govorit.article import Span
from govorit.decoding import viterbi

LABELS = ["PER", "LOC", "ORG"]
TAGS = words.tag_names(LABELS)


def valid(path) -> bool:
    return all(
        tag[0] != "I" or before[2:] == tag[2:]
        for before, tag in zip(["O", *(TAGS[i] for i in path)], (TAGS[i] for i in path), strict=False)
    )


PATHS = {n: np.array([p for p in product(range(7), repeat=n) if valid(p)]) for n in range(1, 5)}


def best_by_force(scores: np.ndarray) -> float:
    paths = PATHS[len(scores)]
    return scores[np.arange(len(scores)), paths].sum(axis=1).max()


def total(scores: np.ndarray, path: np.ndarray) -> float:
    return scores[np.arange(len(path)), path].sum()


def test_the_best_path_is_the_best_of_all_valid_ones():
    rng = np.random.default_rng(0)
    invalid = 0
    for case in range(1500):
        scores = rng.normal(size=(rng.integers(1, 5), 7))
        if case % 3 == 1:
            scores = rng.integers(-2, 1, size=scores.shape).astype(float)  # ties
        if case % 3 == 2:
            scores[rng.random(scores.shape) < 0.4] = -np.inf
            scores[:, 0] = np.maximum(scores[:, 0], -100)  # O stays possible, so some sequence is
        path = viterbi.best_path(scores.astype(np.float32))
        assert valid(path)
        assert total(scores, path) == pytest.approx(best_by_force(scores))
        invalid += not valid(scores.argmax(axis=1))
    assert invalid > 300, "Viterbi was needed often enough"


def test_six_words_by_force():
    paths = np.array([p for p in product(range(5), repeat=6) if valid(p)])  # two labels
    rng = np.random.default_rng(1)
    for _ in range(60):
        scores = rng.normal(size=(6, 5))
        path = viterbi.best_path(scores)
        assert valid(path) and total(scores, path) == pytest.approx(scores[np.arange(6), paths].sum(axis=1).max())


def test_costs_of_boundaries_count():
    rng = np.random.default_rng(3)
    for case in range(600):
        size = rng.integers(1, 5)
        scores, costs = rng.normal(size=(size, 7)), -rng.exponential(2, size=(3, 2, size + 1))
        if case % 2:
            scores[rng.random(scores.shape) < 0.3] = -np.inf
            scores[:, 0] = np.maximum(scores[:, 0], -100)

        def worth(path, scores=scores, costs=costs):
            begins = sum(costs[tag // 2, 0, i] for i, tag in enumerate(path) if tag % 2)
            ends = sum(
                costs[(tag - 1) // 2, 1, i] for i, tag in enumerate(path, 1) if tag and not (i < len(path) and path[i] == tag + tag % 2)
            )
            return total(scores, path) + begins + ends

        path = viterbi.best_path(scores, costs)
        assert valid(path)
        assert worth(path) == pytest.approx(max(map(worth, PATHS[size])))


def test_the_shortcut_and_viterbi_agree(monkeypatch):
    rng = np.random.default_rng(2)
    cases = [rng.normal(size=(n, 7)) + 4 * (np.arange(7) == 0) for n in (1, 2, 5, 40, 300) for _ in range(40)]
    by_shortcut = [path for scores in cases if valid(path := viterbi.best_path(scores))]
    monkeypatch.setattr(viterbi, "_valid", lambda path: False)
    for scores, path in zip(cases, by_shortcut, strict=True):
        assert np.array_equal(viterbi.best_path(scores), path)


@pytest.mark.parametrize("impossible", [[[0, -np.inf, -np.inf]], [[-np.inf, -np.inf, 0.0]], [[-np.inf] * 3] * 2])
def test_what_cannot_be_is_still_valid(impossible):
    path = viterbi.best_path(np.array(impossible))
    assert len(path) == len(impossible) and valid(path)


def test_no_words_no_path():
    assert viterbi.best_path(np.zeros((0, 7))).shape == (0,)
    assert viterbi.spans(np.zeros((0, 7)), [], LABELS) == []


def test_a_spans_score_is_the_mean_probability_of_its_tags():
    scores = np.log([[0.1, 0.8, 0.1], [0.2, 0.1, 0.7], [0.9, 0.05, 0.05]])
    assert viterbi.spans(scores, [(0, 2), (3, 8), (9, 10)], ["PER"]) == [Span(0, 8, "PER", 0.75)]


def test_scores_are_probabilities_and_spans_lie_on_words():
    rng = np.random.default_rng(3)
    for i in range(300):
        text = random_text(Random(i))
        bounds = words.words(text)
        logits = rng.normal(size=(len(bounds), 7)) * 4
        found = viterbi.spans((logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)).astype(np.float32), bounds, LABELS)
        assert all(0 <= span.score <= 1 for span in found)
        assert words.encode(found, bounds)[1] == []


def test_costs_of_boundaries_are_weighed_with_the_tags():
    rng = np.random.default_rng(2)
    moved = 0
    for _ in range(600):
        scores = rng.normal(size=(rng.integers(1, 5), 7))
        costs = np.minimum(rng.normal(size=(3, 2, len(scores) + 1)), 0) * rng.integers(0, 3)
        path = viterbi.best_path(scores, costs)
        worth = [total(scores, other) + price(other, costs) for other in PATHS[len(scores)]]
        assert valid(path) and total(scores, path) + price(path, costs) == pytest.approx(max(worth))
        moved += not np.array_equal(path, viterbi.best_path(scores))
    assert moved > 100


def price(path: np.ndarray, costs: np.ndarray) -> float:
    """What the spans of a path pay where they begin and end."""
    bounds = [(i, i + 1) for i in range(len(path))]
    spans = words.decode([TAGS[i] for i in path], bounds)
    return sum(costs[LABELS.index(span.label), 0, span.start] + costs[LABELS.index(span.label), 1, span.end] for span in spans)
