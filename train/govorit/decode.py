"""Scores of words -> spans, and spans -> quotations. The only decoder: evaluation and inference both call :func:`decode`."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from govorit import boundaries, links, names, words
from govorit.article import CUE, KINDS, SPEAKER, Article, Quote, Span
from govorit.hints import Hints
from govorit.links import SENTENCE_END

_BLOCK = re.compile(r":\s*\n\s*")  # a colon that announces what stands in the next paragraph
_MARKS = '«»“”„"'
_JOINED = re.compile(r"[ ,;]*(?:и )?|:\s*")  # between two contents of one attribution
_INTERRUPTED = {"DIRECT": re.compile(r"\W*\s[—–-]\s.*\s[—–-]\s"), "INDIRECT": re.compile(r", (?!(?:и|а|но|однако) ).*, ")}


@dataclass(frozen=True)
class Aids:
    """What a checkpoint has for the decoder beside its scores; without any of it, tags alone decide, and nearness ties quotations.

    `costs` of boundaries are those of :func:`govorit.boundaries.count`, by layer; `links` the weights of the link head; `hints` how much
    the quotes layer believes the rules.
    """

    costs: Mapping[str, np.ndarray] = field(default_factory=dict)
    links: links.Weights | None = None
    hints: Hints | None = None


NO_AIDS = Aids()


def decode(
    article: Article,
    bounds: Sequence[tuple[int, int]],
    scores: Mapping[str, np.ndarray],
    layers: Mapping[str, Sequence[str]],
    aids: Aids = NO_AIDS,
) -> Article:
    """Read an article from the scores of its words.

    Args:
        article: the text; what is marked on it already is replaced.
        bounds: its words, half-open.
        scores: for each layer the log-probabilities of its tags, (words, tags), in the order of :func:`govorit.words.tag_names`.
        layers: the labels of each layer.
        aids: with a link head, `scores` has the vectors of the words as well, (words, size); with hints, what was read for the rules.
    """
    around = boundaries.contexts(article.text, bounds) if aids.costs else None
    found: dict[str, list[Span]] = {}
    for layer, labels in layers.items():
        values = scores[layer]
        if aids.hints is not None and layer == "quotes":
            values = aids.hints.add(values, article.text, bounds, scores)
        costs = None if around is None else aids.costs[layer][:, :, around]
        found[layer] = spans(values, bounds, labels, costs)
    entities, quoted = found.get("entities", []), found.get("quotes", [])
    tied = quotes(quoted, article.text)
    if aids.links is not None:
        tied = links.tie(quoted, article.text, tied, bounds, scores[links.VECTORS], aids.links)
    return replace(article, entities=tuple(entities), quotes=names.resolve(article.text, entities, tied))


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


def quotes(found: Sequence[Span], text: str) -> list[Quote]:
    """Tie contents, cues and speakers that lie near each other into quotations.

    Rules, nothing learnt. Contents between which the attribution stands are one quotation. Each cue and each speaker goes to one
    quotation, the nearest first, within a paragraph and with no other content between; none is lost where a quotation is free for it. Two
    contents side by side share the attribution of either: `отметил, что …: «…»`.
    """
    groups = _interrupted([span for span in found if span.label.lower() in KINDS], text)
    cues = _match(groups, {}, [span for span in found if span.label == CUE], text)
    speakers = _match(groups, cues, [span for span in found if span.label == SPEAKER], text)
    for i in range(1, len(groups)):
        if _JOINED.fullmatch(text, groups[i - 1][-1].end, groups[i][0].start):
            for one, other in ((i - 1, i), (i, i - 1)):
                if one in cues and other not in cues:
                    cues[other] = cues[one]
                    if one in speakers:
                        speakers.setdefault(other, speakers[one])
    result = []
    for i, parts in enumerate(groups):
        score = float(np.mean([part.score for part in parts if part.score is not None] or [0.0]))
        result.append(Quote(parts[0].label.lower(), parts, cues.get(i), speakers.get(i), None, round(score, 4)))
    return result


def _interrupted(contents: Sequence[Span], text: str) -> list[tuple[Span, ...]]:
    groups: list[tuple[Span, ...]] = []
    for span in contents:
        if groups and _continues(groups[-1], span, text):
            groups[-1] = (*groups[-1], span)
        else:
            groups.append((span,))
    return groups


def _continues(before: Sequence[Span], span: Span, text: str) -> bool:
    """Whether `span` goes on with the content `before`, which the attribution between them interrupts."""
    between = text[before[-1].end : span.start]
    if span.label != before[0].label or "\n" in between or between.rstrip(" —–-").endswith(":"):
        return False
    said, more = "".join(text[part.start : part.end] for part in before), text[span.start : span.end]
    if _depth(said):
        return _depth(said + more) < _depth(said) or not any(mark in more for mark in _MARKS)
    pattern = _INTERRUPTED.get(span.label)
    if pattern is None or (span.label == "DIRECT" and said[0] in _MARKS):
        return False
    return bool(pattern.fullmatch(between)) and not (span.label == "INDIRECT" and SENTENCE_END.search(between))


def _depth(said: str) -> int:
    """How many quotation marks are left open: “ closes a „, and opens otherwise; a straight one closes a straight one."""
    marks = ""
    for mark in said:
        if mark == '"':
            marks = marks[:-1] if marks.endswith('"') else marks + mark
        elif mark in "«„" or (mark == "“" and not marks.endswith("„")):
            marks += mark
        elif mark in "»”“":
            marks = marks[:-1]
    return len(marks)


def _match(groups: Sequence[tuple[Span, ...]], cues: Mapping[int, Span], candidates: Sequence[Span], text: str) -> dict[int, Span]:
    """Give as many candidates as can be a group each, the nearest first; a candidate may go to the group before or after it."""
    contents = sorted((span.start, span.end, i) for i, group in enumerate(groups) for span in group)
    ranks: list[dict[int, tuple[bool, int, int]]] = []
    for span in candidates:
        at = bisect_left(contents, (span.start,))
        beside = {i: (start, end) for start, end, i in contents[max(at - 1, 0) : at + 1]}
        near = {
            i: rank
            for i, place in beside.items()
            if (rank := _rank(span, [place, *((cue.start, cue.end) for cue in [cues.get(i)] if cue)], text))
        }
        ranks.append(dict(sorted(near.items(), key=lambda item: item[1])))
    owners: dict[int, int] = {}
    for number in sorted((i for i, near in enumerate(ranks) if near), key=lambda i: min(ranks[i].values())):
        for first in ranks[number]:
            path = {first: number}  # the groups whose owner changes: each gives way to its other group
            group, held = first, owners.get(first)
            while held is not None:
                group = next((other for other in ranks[held] if other not in path), -1)
                if group < 0:
                    break
                path[group], held = held, owners.get(group)
            if group >= 0:
                owners.update(path)
                break
    return {group: candidates[number] for group, number in owners.items()}


def _rank(span: Span, places: Sequence[tuple[int, int]], text: str) -> tuple[bool, int, int] | None:
    """How near a candidate stands to the nearest of `places`, or None in another paragraph; within its sentence comes first."""
    ranks = []
    for start, end in places:
        between = _BLOCK.sub(": ", text[min(end, span.end) : max(start, span.start)])
        if "\n" not in between:
            # At equal distance what follows wins: «…», — сказал он.
            ranks.append((bool(SENTENCE_END.search(between)), len(between), int(span.start < start)))
    return min(ranks, default=None)
