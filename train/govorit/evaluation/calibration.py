"""How far the scores of what was found can be believed: reliability by bins, and the expected calibration error.

A score is believable where, of all that were found with a score near 0.9, nine of ten are right. The expected calibration error (ECE;
Naeini, Cooper and Hauskrecht 2015; Guo et al. 2017, section 2) is the mean distance between score and share of right ones over BINS equal
bins, weighted by how many fall into each. What was not found has no score and no part in this.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from govorit.article import Article
from govorit.evaluation import attribution
from govorit.evaluation.metrics import plain

BINS = 10
_Z = 1.96  # of the 95 % interval


@dataclass(frozen=True, slots=True)
class Bin:
    """What was found with a score from `low` up to `high`: its mean score, the share of it that is right, and a 95 % interval of that.

    Interval: Wilson 1927, without a bootstrap over documents.
    """

    low: float
    high: float
    count: int
    score: float
    right: float
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Calibration:
    """The bins that are not empty, and over all of them: how many, their mean score, the share that is right, the ECE."""

    bins: list[Bin]
    count: int
    score: float
    right: float
    ece: float


def measure(pairs: Sequence[tuple[Article, Article]], layers: Iterable[str]) -> dict[str, Calibration]:
    """Calibrate each kind of score that the predictions have.

    Spans of a layer are right at the same place with the same label; a quotation where its content matches with an IoU of at least 0.8 and
    its cue and speaker are right; a name, among these matches, where it is the gold's.
    """
    scored: dict[str, list[tuple[float, bool]]] = {}
    for layer in layers:
        annotated = [pair for pair in pairs if pair[0].annotated(layer)]
        scored[layer] = [item for gold, found in annotated for item in _spans(gold, found, layer)]
        if layer == "quotes":
            judged = [item for gold, found in annotated for item in _quotations(gold, found)]
            scored["whole quotations"] = [(score, right) for what, score, right in judged if what == "quotation"]
            named = attribution.names_anybody(gold for gold, _ in annotated)
            scored["names"] = [(score, right) for what, score, right in judged if what == "name" and named]
    return {name: summarise(found) for name, found in scored.items() if found}


def summarise(scored: Sequence[tuple[float, bool]]) -> Calibration:
    """Put scores, each with whether it was right, into bins.

    >>> summarise([(0.95, True), (0.85, False)]).ece
    0.45
    """
    sums = [[0, 0.0, 0] for _ in range(BINS)]
    for score, right in scored:
        into = sums[min(max(int(score * BINS), 0), BINS - 1)]
        into[0], into[1], into[2] = into[0] + 1, into[1] + score, into[2] + right
    bins = [
        Bin(i / BINS, (i + 1) / BINS, int(count), total / count, right / count, wilson(int(right), int(count)))
        for i, (count, total, right) in enumerate(sums)
        if count
    ]
    count = sum(b.count for b in bins)
    ece = sum(b.count * abs(b.score - b.right) for b in bins) / count
    return Calibration(bins, count, sum(s for s, _ in scored) / count, sum(r for _, r in scored) / count, round(ece, 12))


def wilson(right: int, count: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927)."""
    share, square = right / count, _Z * _Z / count
    middle, half = share + square / 2, _Z * math.sqrt(share * (1 - share) / count + square / count / 4)
    return max(0.0, (middle - half) / (1 + square)), min(1.0, (middle + half) / (1 + square))


def _spans(gold: Article, predicted: Article, layer: str) -> Iterator[tuple[float, bool]]:
    places = {(span.start, span.end, span.label) for span in gold.layer(layer)}
    for span in predicted.layer(layer):
        if _is_score(span.score):
            yield float(span.score or 0), (span.start, span.end, span.label) in places


def _quotations(gold: Article, predicted: Article) -> Iterator[tuple[str, float, bool]]:
    partner = {other: gold.quotes[one] for one, other in attribution.match(gold.quotes, predicted.quotes)}
    for number, quote in enumerate(predicted.quotes):
        agreed = attribution.agreement(partner[number], quote) if number in partner else {}
        if _is_score(quote.score):
            yield "quotation", float(quote.score or 0), bool(agreed) and agreed["cue"] and agreed["speaker"]
        if _is_score(quote.name_score) and quote.name and agreed:
            yield "name", float(quote.name_score or 0), agreed["name"]


def _is_score(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def to_json(found: dict[str, Calibration]) -> dict[str, Any]:
    return plain({name: dataclasses.asdict(result) for name, result in found.items()})
