"""Scores of words -> spans: the best sequence of tags that is valid, whatever its boundaries cost."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from govorit.article import Span

_LEAST = -1e6  # stands for -inf in sums
_SLACK = 1e-6  # more than they lose by rounding

Chance = tuple[int, float, float, float]  # a label with its scores to begin at a word, to go on with it, and to end behind it


def spans(scores: np.ndarray, bounds: Sequence[tuple[int, int]], labels: Sequence[str], costs: np.ndarray | None = None) -> list[Span]:
    """Decode the best valid IOB2 sequence of (words, tags) log-probabilities; a span's score is the mean probability of its tags.

    >>> spans(np.log([[.1, .8, .1], [.2, .1, .7]]), [(0, 2), (3, 8)], ["PER"])
    [Span(start=0, end=8, label='PER', score=0.75)]
    """
    path = best_path(scores, costs)
    chosen = np.exp(scores[np.arange(len(path)), path].astype(np.float64))
    begins = np.flatnonzero(path % 2)
    stops = np.append(np.flatnonzero((path == 0) | (path % 2)), len(path))  # words that go on with nothing
    ends = stops[np.searchsorted(stops, begins, side="right")]
    return [
        Span(bounds[begin][0], bounds[end - 1][1], labels[path[begin] // 2], round(float(chosen[begin:end].sum()) / (end - begin), 4))
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
    ]


def best_path(scores: np.ndarray, costs: np.ndarray | None = None) -> np.ndarray:
    """Find the best tag sequence in which every I- continues its B- or I- (Viterbi, first-order).

    Tags are numbered as by :func:`govorit.words.tag_names`: 0 is O, then B and I of each label in turn. Ties go to the lower number.
    `costs` (labels, 2, words + 1), at most 0, are added where a span starts before a word, and where one ends before it.
    """
    path = scores.argmax(axis=1) if len(scores) else np.zeros(0, dtype=np.int64)
    if costs is None:
        if _valid(path):
            return path  # the best of all sequences is the best of the valid ones
        costs = np.zeros((scores.shape[1] // 2, 2, len(scores) + 1))
    outside, kept = scores[:, 0].astype(np.float64), scores[:, 2::2].astype(np.float64)
    begun, ended = scores[:, 1::2] + costs[:, 0, :-1].T.astype(np.float64), costs[:, 1, 1:].T
    worth = _worth(outside[:, None], begun, kept, ended)
    chances: list[list[Chance]] = [[] for _ in scores]
    words, labels = np.nonzero(worth)
    columns = (column.tolist() for column in (labels, begun[worth], kept[worth], ended[worth]))
    for word, chance in zip(words.tolist(), zip(*columns, strict=True), strict=True):
        chances[word].append(chance)
    path = np.zeros(len(scores), dtype=np.int64)
    edges = np.flatnonzero(np.diff(worth.any(axis=1), prepend=False, append=False))
    for first, last in edges.reshape(-1, 2).tolist():
        path[first:last] = _search(outside[first:last].tolist(), chances[first:last])
    return path


def _worth(outside: np.ndarray, begun: np.ndarray, kept: np.ndarray, ended: np.ndarray) -> np.ndarray:
    """Say which words lie in a span of a label that is worth more than O all along, (words, labels): in no other span is a best path."""
    outside, begun, kept = (np.maximum(values, _LEAST) for values in (outside, begun, kept))
    gains = np.cumsum(kept - outside, axis=0)  # of a span that goes on, up to each word
    begin = np.maximum.accumulate(begun - outside - gains)
    end = np.maximum.accumulate((gains + ended)[::-1])[::-1]
    return begin + end > -_SLACK


def _search(outside: Sequence[float], chances: Sequence[Sequence[Chance]]) -> list[int]:
    """Viterbi over O and one state a label, B or I: in plain numbers, since few labels have a chance at a word."""
    best, inside = 0.0, dict[int, float]()
    came = [0]  # the state behind each word that is best to leave: 0 for O, label + 1
    stayed: list[set[int]] = []  # the states that a word goes on with
    for score, labels in zip(outside, chances, strict=True):
        before, spans, source, goes_on = best, inside, 0, set()
        best, inside = before + score, {}
        for label, begun, kept, ended in labels:
            value, longer = before + begun, spans.get(label, -math.inf) + kept
            if longer > value:
                value = longer
                goes_on.add(label + 1)
            inside[label] = value
            if value + ended > best:
                best, source = value + ended, label + 1
        came.append(source)
        stayed.append(goes_on)
    path, state = [0] * len(outside), came.pop()
    for i in range(len(outside) - 1, -1, -1):
        if state in stayed[i]:
            path[i] = 2 * state
        else:
            path[i], state = max(2 * state - 1, 0), came[i]
    return path


def _valid(path: np.ndarray) -> bool:
    inside = (path > 0) & (path % 2 == 0)
    before = np.concatenate(([0], path[:-1]))
    return bool(np.all(~inside | (before == path) | (before == path - 1)))
