"""The link head: which cue and which speaker belong to a content, and which contents are one quotation that its attribution interrupts.

Each content chooses one span in each of three relations: the content that it goes on with (`part`), its `cue` and its `speaker`; itself
stands for none. The score of a pair is a bilinear form of the two spans' vectors plus a weight for each thing that is seen of the pair (who
comes first, what stands between, whether nearness ties them); a softmax over the candidates makes probabilities (Lee et al. 2017,
End-to-end Neural Coreference Resolution, section 3). The weights begin as the rules of nearness, which training then mends.

What is here runs on numpy alone; :func:`score` serves training as well, where `vectors` and the weights are tensors.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import Any

import numpy as np

from govorit.article import CUE, KINDS, SPEAKER, Quote, Span
from govorit.nearness import SENTENCE_END

VECTORS = "links"  # the key of the words' vectors among what an engine gives
SIZE = 48  # of a word's vector
RELATIONS = ("part", "cue", "speaker")
REACH = {"part": (3, 0), "cue": (4, 4), "speaker": (6, 6)}  # how many candidates that begin before a content, and after

_MARKS = (re.compile(r"\n\s*"), SENTENCE_END, re.compile(":"), re.compile("[—–]| - "), re.compile(","))
_MOST, _FARTHEST = 4, 11  # a count above this, and a gap of more than 2 ** this characters, is seen as this
_BETWEEN = 1 + len(_MARKS) + 3  # gap, marks, contents, cues, speakers
_COLUMNS = {"part": 3 + _BETWEEN, "cue": 3 + _BETWEEN, "speaker": 3 + 2 * _BETWEEN}
_BUCKETS = 32
_NEAR = 4.0  # the first score of what nearness ties: odds of 55 to 1
_PACE = 8.0  # how many times a table's weight counts: at the rate of a head, the hundred steps of a short run move a weight by 0.1
_ABSENT = -1e9


@dataclass(frozen=True)
class Weights:
    """For each relation the bilinear `matrices`, (2 SIZE, 2 SIZE), and the `tables` of what is seen of a pair, (columns * buckets,)."""

    matrices: Mapping[str, Any]
    tables: Mapping[str, Any]


@dataclass(frozen=True)
class Pairs:
    """Contents and their candidates in one relation, the content itself (nobody) first.

    `contents` (contents, 2) and `candidates` (contents, slots, 2) are the rows of the first and the last word of each span, `features`
    (contents, slots, columns) places in the table, `absent` (contents, slots) 0, or far below it where there is no candidate.
    """

    contents: Any
    candidates: Any
    features: Any
    absent: Any


def first_table(relation: str) -> np.ndarray:
    """The table to begin with: what nearness ties scores 4, all else nothing."""
    table = np.zeros(_COLUMNS[relation] * _BUCKETS, np.float32)
    table[1] = _NEAR / _PACE
    return table


def score(weights: Weights, relation: str, vectors: Any, pairs: Pairs) -> Any:
    """Score every candidate of every content, (contents, slots); `vectors` (words, SIZE) and the rest are all arrays or all tensors."""
    count, slots = pairs.absent.shape
    width = 2 * vectors.shape[-1]
    asking = vectors[pairs.contents].reshape(count, 1, width) @ weights.matrices[relation]
    asked = vectors[pairs.candidates].reshape(count, slots, width)
    return (asking * asked).sum(-1) + _PACE * weights.tables[relation][pairs.features].sum(-1) + pairs.absent


def tie(
    spans: Sequence[Span], text: str, near: Sequence[Quote], bounds: Sequence[tuple[int, int]], vectors: np.ndarray, weights: Weights
) -> list[Quote]:
    """Tie the spans of the quotes layer into quotations, each content in one.

    A quotation of several contents chooses what has the highest mean probability over them; a cue or speaker may be chosen by many. The
    score of a quotation is the mean score of its contents times the probabilities of its links.

    Args:
        spans: in the order of the text, without overlap, on the edges of words.
        near: what nearness makes of them (:func:`govorit.nearness.tie`).
        bounds: the words of the text.
        vectors: of the words, (words, SIZE).
    """
    scene = Scene(spans, text, ties(near, spans))
    places = edges(spans, bounds)
    cues = scene.contents.copy()

    def chances(relation: str) -> tuple[np.ndarray, np.ndarray]:
        candidates = scene.candidates(relation)
        scores = score(weights, relation, vectors, scene.pairs(relation, candidates, places, cues))
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        return candidates, odds / odds.sum(axis=1, keepdims=True)

    groups, certain = _group(*chances("part"))
    chosen = {"cue": _choose(groups, *chances("cue"))}
    for group, (cue, _) in zip(groups, chosen["cue"], strict=True):
        if cue is not None:
            cues[group] = cue
    chosen["speaker"] = _choose(groups, *chances("speaker"))
    found = []
    for group, sure, (cue, of_cue), (speaker, of_speaker) in zip(groups, certain, chosen["cue"], chosen["speaker"], strict=True):
        parts = tuple(spans[scene.contents[row]] for row in group)
        said = fmean([part.score for part in parts if part.score is not None] or [0.0])
        found.append(
            Quote(
                parts[0].label.lower(),
                parts,
                None if cue is None else spans[cue],
                None if speaker is None else spans[speaker],
                score=round(said * sure * of_cue * of_speaker, 4),
            )
        )
    return found


def ties(quotes: Sequence[Quote], spans: Sequence[Span]) -> dict[str, np.ndarray]:
    """Say for each relation to which of `spans` each content among them is tied, (spans,): its own number for none.

    -1 where nothing is known: for a cue or speaker, a content in no quotation, and one whose span is not among `spans`.
    """
    numbers = {(span.start, span.end, span.label): i for i, span in enumerate(spans)}

    def number(span: Span) -> int:
        return numbers.get((span.start, span.end, span.label), -1)

    found = {relation: np.full(len(spans), -1) for relation in RELATIONS}
    for quote in quotes:
        before: Span | None = None
        for part in quote.content:
            if (own := number(part)) >= 0:
                for relation, span in zip(RELATIONS, (before, quote.cue, quote.speaker), strict=True):
                    found[relation][own] = own if span is None else number(span)
            before = part
    return found


def edges(spans: Sequence[Span], bounds: Sequence[tuple[int, int]]) -> np.ndarray:
    """The first and the last word of each span, (spans, 2)."""
    starts, ends = np.array(bounds, np.int64).reshape(-1, 2).T
    return np.stack([np.searchsorted(starts, [span.start for span in spans]), np.searchsorted(ends, [span.end for span in spans])], axis=1)


class Scene:
    """Spans of a quotes layer as they stand in a text.

    `contents` are the numbers of the contents among `spans`; `near` is what nearness ties them to, as :func:`ties` gives it.
    """

    def __init__(self, spans: Sequence[Span], text: str, near: Mapping[str, np.ndarray]) -> None:
        self.text, self.near = text, near
        self.starts = np.array([span.start for span in spans], np.int64)
        self.ends = np.array([span.end for span in spans], np.int64)
        self.kinds = np.array([KINDS.index(kind) if (kind := span.label.lower()) in KINDS else -1 for span in spans], np.int64)
        self.contents = np.flatnonzero(self.kinds >= 0)
        cues, speakers = (np.array([i for i, span in enumerate(spans) if span.label == label], np.int64) for label in (CUE, SPEAKER))
        self.members = {"part": self.contents, "cue": cues, "speaker": speakers}

    def candidates(self, relation: str) -> np.ndarray:
        """The candidates of each content in the order of the text, (contents, slots): the content itself first, -1 in an empty slot."""
        members, (before, after) = self.members[relation], REACH[relation]
        at = np.searchsorted(self.starts[members], self.starts[self.contents])
        slots = at[:, None] + np.arange(-before, after)
        found = np.append(members, -1)[np.where((slots >= 0) & (slots < len(members)), slots, -1)]
        if relation == "part":
            found = np.where(self.kinds[found] == self.kinds[self.contents, None], found, -1)
        return np.concatenate([self.contents[:, None], found], axis=1)

    def pairs(self, relation: str, candidates: np.ndarray, rows: np.ndarray, cues: np.ndarray) -> Pairs:
        """Look at every pair.

        Args:
            rows: where the vectors of each span's first and last word lie, (spans, 2).
            cues: of each content, (contents,), the content itself where it has none; how a speaker stands to it is looked at as well.
        """
        own = self.contents[:, None]
        after = self.starts[candidates] > self.starts[own]
        itself = candidates == own
        columns = [
            (candidates == self.near[relation][own])[..., None],
            np.where(itself, 0, 3 * (1 + after))[..., None] + self.kinds[own][..., None],
            np.broadcast_to(np.arange(candidates.shape[1])[:, None], (*candidates.shape, 1)),
            self._between(own, candidates) * ~itself[..., None],
        ]
        if relation == "speaker":
            columns.append(self._between(cues[:, None], candidates) * (cues[:, None] != own)[..., None])
        seen = np.concatenate(columns, axis=-1)
        absent = np.where(candidates < 0, np.float32(_ABSENT), np.float32(0))
        return Pairs(rows[self.contents], rows[candidates], seen + _BUCKETS * np.arange(seen.shape[-1]), absent)

    def _between(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """What stands between two spans, as buckets that also tell who comes first."""
        after = self.starts[other] > self.starts[one]
        first, last = np.where(after, one, other), np.where(after, other, one)
        gap = np.log2(1 + np.maximum(self.starts[last] - self.ends[first], 0)).astype(np.int64)
        counts = self._counts[0][last] - self._counts[1][first]
        values = np.concatenate([np.minimum(gap, _FARTHEST)[..., None], counts.clip(0, _MOST)], axis=-1)
        return 1 + 2 * values + after[..., None]

    @cached_property
    def _counts(self) -> tuple[np.ndarray, np.ndarray]:
        """How many of each mark, of contents, cues and speakers begin before the start of each span, and before its end."""
        marks = [[match.start() for match in mark.finditer(self.text)] for mark in _MARKS]
        stops = [*map(np.array, marks), *(self.starts[members] for members in self.members.values())]
        at_start, at_end = (np.stack([np.searchsorted(stop, place) for stop in stops], axis=-1) for place in (self.starts, self.ends))
        return at_start, at_end


def _group(candidates: np.ndarray, chances: np.ndarray) -> tuple[list[list[int]], list[float]]:
    """Put each content with the one that it goes on with; return the rows of each quotation, and the product of their probabilities."""
    groups: list[list[int]] = []
    certain: list[float] = []
    at: dict[int, int] = {}  # the group of a content, by its number among the spans
    for row, slot in enumerate(chances.argmax(axis=1).tolist()):
        own = int(candidates[row, 0])
        at[own] = at[int(candidates[row, slot])] if slot else len(groups)
        if not slot:
            groups.append([])
            certain.append(1.0)
        groups[at[own]].append(row)
        certain[at[own]] *= float(chances[row, slot])
    return groups, certain


def _choose(groups: Sequence[Sequence[int]], candidates: np.ndarray, chances: np.ndarray) -> list[tuple[int | None, float]]:
    """Choose a span, or None, for each group of rows, and say how probable it is."""
    chosen: list[tuple[int | None, float]] = []
    slots = chances.argmax(axis=1).tolist()
    for group in groups:
        if len(group) == 1:  # as most are
            place = group[0], slots[group[0]]
            chosen.append((int(candidates[place]) if place[1] else None, float(chances[place])))
            continue
        means: dict[int | None, float] = defaultdict(float)
        for row in group:
            for slot, (span, chance) in enumerate(zip(candidates[row].tolist(), chances[row].tolist(), strict=True)):
                means[span if slot else None] += chance / len(group)
        best = max(means, key=means.__getitem__)
        chosen.append((best, means[best]))
    return chosen
