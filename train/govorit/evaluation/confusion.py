"""What spans are taken for: label against label, and errors of boundary, type, missing and spurious ones apart.

Gold and predicted spans that overlap are paired one to one. A pair, or a span without one, falls into one of SORTS. From their counts come
the four schemas of SemEval-2013 Task 9 (Segura-Bedmar, Martínez and Herrero-Zazo 2013, section 5), in the categories of MUC-5 (Chinchor and
Sundheim 1993): correct, incorrect, partial, missing, spurious. Unlike a miss beside a spurious span, which strict scores count twice, a
wrong boundary is there one error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from govorit.article import Article, Span
from govorit.evaluation.metrics import touching

SORTS = ("correct", "boundary", "type", "type and boundary", "missing", "spurious")
CORRECT, BOUNDARY, TYPE, BOTH, MISSING, SPURIOUS = SORTS
NOTHING = ""  # in place of a label: no span there
# What a pair counts as in each schema; the official task calls the second "exact boundary matching, regardless to the type".
_SCHEMAS = {
    "strict": {CORRECT: "correct", BOUNDARY: "incorrect", TYPE: "incorrect", BOTH: "incorrect"},
    "exact": {CORRECT: "correct", BOUNDARY: "incorrect", TYPE: "correct", BOTH: "incorrect"},
    "partial": {CORRECT: "correct", BOUNDARY: "partial", TYPE: "correct", BOTH: "partial"},
    "type": {CORRECT: "correct", BOUNDARY: "correct", TYPE: "incorrect", BOTH: "incorrect"},
}


@dataclass(frozen=True, slots=True)
class Schema:
    """Counts and figures of one schema; half of a partial match counts as right."""

    correct: int
    incorrect: int
    partial: int
    missing: int
    spurious: int

    @property
    def precision(self) -> float:
        return self._share(self.spurious)

    @property
    def recall(self) -> float:
        return self._share(self.missing)

    @property
    def f1(self) -> float:
        asked = 2 * (self.correct + self.incorrect + self.partial) + self.missing + self.spurious
        return (2 * self.correct + self.partial) / asked if asked else 0.0

    def _share(self, unpaired: int) -> float:
        of = self.correct + self.incorrect + self.partial + unpaired
        return (self.correct + self.partial / 2) / of if of else 0.0


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often each gold label was taken for each predicted one, NOTHING included, and what sorts of error that makes.

    `matrix` is keyed by gold and predicted label; `sorts` by gold label, that of the prediction where there is no gold, then by SORTS.
    """

    labels: list[str]
    matrix: Counter[tuple[str, str]]
    sorts: dict[str, Counter[str]]

    @property
    def total(self) -> Counter[str]:
        return sum(self.sorts.values(), Counter())

    def schemas(self) -> dict[str, Schema]:
        total = self.total
        found = {}
        for name, meaning in _SCHEMAS.items():
            counts = Counter[str]()
            for sort, category in meaning.items():
                counts[category] += total[sort]
            found[name] = Schema(counts["correct"], counts["incorrect"], counts["partial"], total[MISSING], total[SPURIOUS])
        return found


def count(pairs: Iterable[tuple[Article, Article]], layer: str) -> Confusion:
    """Count what the spans of a layer were taken for, in the articles whose gold annotates it."""
    matrix, sorts = Counter[tuple[str, str]](), dict[str, Counter[str]]()
    for gold, predicted in pairs:
        if gold.annotated(layer):
            for one, other in compare(gold.layer(layer), predicted.layer(layer)):
                labels = one.label if one else NOTHING, other.label if other else NOTHING
                matrix[labels] += 1
                sorts.setdefault(labels[0] or labels[1], Counter())[sort(one, other)] += 1
    labels_found = sorted({label for pair in matrix for label in pair} - {NOTHING})
    return Confusion(labels_found, matrix, {label: sorts[label] for label in labels_found if label in sorts})


def compare(gold: Iterable[Span], predicted: Iterable[Span]) -> list[tuple[Span | None, Span | None]]:
    """Pair what overlaps, one to one, and put None beside what has no partner; each place and label counts once."""
    ours, theirs = ({(span.start, span.end, span.label): span for span in side} for side in (gold, predicted))
    pairs: list[tuple[Span | None, Span | None]] = [(ours.pop(place), theirs.pop(place)) for place in [*ours] if place in theirs]
    left = partners([*ours.values()], [*theirs.values()])
    paired = {id(span) for pair in left for span in pair}
    pairs += left
    pairs += [(span, None) for span in ours.values() if id(span) not in paired]
    pairs += [(None, span) for span in theirs.values() if id(span) not in paired]
    return pairs


def partners(gold: Sequence[Span], predicted: Sequence[Span]) -> list[tuple[Span, Span]]:
    """Pair spans that overlap, one to one: those of the same place first, then of the same label, then the nearest.

    Both sides are sorted by start.
    """

    def distance(pair: tuple[Span, Span]) -> tuple[bool, bool, int]:
        one, other = pair
        edges = abs(one.start - other.start) + abs(one.end - other.end)
        return edges > 0, one.label != other.label, edges

    pairs: list[tuple[Span, Span]] = []
    taken = set[int]()
    for one, other in sorted(touching(gold, predicted), key=distance):
        if not taken & {id(one), id(other)}:
            taken |= {id(one), id(other)}
            pairs.append((one, other))
    return pairs


def sort(one: Span | None, other: Span | None) -> str:
    """Which of SORTS a pair is.

    >>> sort(Span(0, 8, "PER"), Span(3, 8, "PER"))
    'boundary'
    """
    if one is None or other is None:
        return SPURIOUS if one is None else MISSING
    placed, labelled = (one.start, one.end) == (other.start, other.end), one.label == other.label
    if placed:
        return CORRECT if labelled else TYPE
    return BOUNDARY if labelled else BOTH


def to_json(found: Confusion) -> dict[str, Any]:
    """The counts as plain objects: gold label -> predicted label -> how many, NOTHING as an empty string."""
    sides = (*found.labels, NOTHING)
    return {
        "matrix": {one: {other: n for other in sides if (n := found.matrix[one, other])} for one in sides},
        "errors": {label: {kind: counts[kind] for kind in SORTS} for label, counts in found.sorts.items()},
        "schemas": {
            name: {
                **{field: getattr(schema, field) for field in Schema.__dataclass_fields__},
                **{field: round(getattr(schema, field), 4) for field in ("precision", "recall", "f1")},
            }
            for name, schema in found.schemas().items()
        },
    }
