"""Scores of words -> spans: the best sequence of tags that is valid, whatever its boundaries cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from govorit import words
from govorit.article import Span


def spans(scores: np.ndarray, bounds: Sequence[tuple[int, int]], labels: Sequence[str], costs: np.ndarray | None = None) -> list[Span]:
    """Decode the best valid IOB2 sequence of (words, tags) log-probabilities; a span's score is the mean probability of its tags.

    >>> spans(np.log([[.1, .8, .1], [.2, .1, .7]]), [(0, 2), (3, 8)], ["PER"])
    [Span(start=0, end=8, label='PER', score=0.75)]
    """
    tags = words.tag_names(labels)
    path = best_path(scores, costs)
    chosen = np.exp(scores[np.arange(len(path)), path].astype(np.float64))
    found = []
    starts = {start: i for i, (start, _) in enumerate(bounds)}
    ends = {end: i for i, (_, end) in enumerate(bounds)}
    for span in words.decode([tags[i] for i in path], bounds):
        score = chosen[starts[span.start] : ends[span.end] + 1].mean()
        found.append(replace(span, score=round(float(score), 4)))
    return found


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
    begins, ends = (costs[:, side].T.tolist() for side in (0, 1))
    return np.array(_search(scores.tolist(), begins, ends), dtype=np.int64)


def _search(rows: list[list[float]], begins: list[list[float]], ends: list[list[float]]) -> list[int]:
    """Viterbi over O and one state a label, B or I: in plain numbers, which for a dozen tags is faster than in arrays."""
    labels = range(len(begins[0]))
    outside, inside = 0.0, [-math.inf for _ in labels]
    came: list[int] = []  # the state before a word that is O or B: 0 for O, label + 1
    stayed: list[list[bool]] = []  # whether a word in a span of each label goes on with it
    for row, begin, end in zip(rows, begins, ends, strict=False):
        best, source = _best(outside, inside, end)
        goes_on = []
        for label in labels:
            begun, kept = best + begin[label] + row[2 * label + 1], inside[label] + row[2 * label + 2]
            goes_on.append(kept > begun)
            inside[label] = max(begun, kept)
        outside = best + row[0]
        came.append(source)
        stayed.append(goes_on)
    path, state = [0] * len(rows), _best(outside, inside, ends[-1])[1]
    for i in range(len(rows) - 1, -1, -1):
        if state and stayed[i][state - 1]:
            path[i] = 2 * state
        else:
            path[i], state = max(2 * state - 1, 0), came[i]
    return path


def _best(outside: float, inside: list[float], end: list[float]) -> tuple[float, int]:
    """The best state to leave, and its score once its span has ended."""
    best, source = outside, 0
    for label, (value, cost) in enumerate(zip(inside, end, strict=True)):
        if value + cost > best:
            best, source = value + cost, label + 1
    return best, source


def _valid(path: np.ndarray) -> bool:
    inside = (path > 0) & (path % 2 == 0)
    before = np.concatenate(([0], path[:-1]))
    return bool(np.all(~inside | (before == path) | (before == path - 1)))
