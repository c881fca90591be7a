"""Runs side by side: by how much they differ, whether that is more than chance, and in which articles.

A group's figure is F1, its mean and standard deviation (of a sample) over the seeds, where all folds of a seed are one run. Groups are
compared by :mod:`govorit.evaluation.significance` on the same articles. What is counted is what :mod:`govorit.evaluation.metrics` and
:mod:`govorit.evaluation.attribution` count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from govorit.article import COVERS, LAYERS, Article
from govorit.errors import UserError
from govorit.evaluation import attribution, mistakes, significance
from govorit.evaluation.groups import Group, Run
from govorit.evaluation.metrics import MICRO
from govorit.evaluation.mistakes import Mistake
from govorit.evaluation.readable import MEASURES
from govorit.evaluation.significance import Difference

QUOTATIONS = "quotations"

Key = tuple[str, str]  # a layer, or QUOTATIONS, and a label or measure
Counts = Mapping[Key, tuple[int, int, int]]  # matched, predicted, gold


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: the gold items there are, and for each group its F1 for each seed and the difference to the baseline, None of itself."""

    layer: str
    name: str
    gold: int
    values: list[list[float]]
    differences: list[Difference | None]


@dataclass(frozen=True, slots=True)
class Change:
    """An article that a group reads otherwise than the baseline.

    `readings` are how often the baseline and the group read it, `before` and `after` their mistakes a reading. `mistakes` holds those that
    one of the two makes more often, each with the number of readings that make it, of the baseline and of the group.
    """

    gold: Article
    readings: tuple[int, int]
    before: float
    after: float
    mistakes: list[tuple[Mistake, int, int]]

    @property
    def amount(self) -> float:
        return sum(abs(after / self.readings[1] - before / self.readings[0]) for _, before, after in self.mistakes)


@dataclass(frozen=True)
class Comparison:
    """Groups compared with `groups[baseline]`.

    `changes` has for each group the articles that it reads otherwise, the most changed first.
    """

    split: str
    groups: list[Group]
    baseline: int
    layers: list[str]
    gold: dict[str, Article]
    rows: list[Row]
    changes: list[list[Change]]
    resamples: int


def compare(groups: Sequence[Group], split: str, baseline: int = 0, resamples: int = 10_000, seed: int = 0) -> Comparison:
    """Compare groups with the baseline in the layers that all of them read.

    Raises:
        UserError: they have no layer in common, or were not tested on the same articles.
    """
    layers = _common_layers(groups)
    gold = _common_gold(groups, layers)
    counts = {id(run): {one.id: count(one, other, layers) for one, other in run.pairs} for group in groups for run in group.runs}
    keys = _ordered({key for each in counts.values() for found in each.values() for key in found}, layers, gold.values())

    def array(run: Run) -> np.ndarray:
        """Counts of matched, predicted and gold items, `(articles, rows, 3)`; zeros where the run was not tested on the article."""
        return np.array([[counts[id(run)].get(one, {}).get(key, (0, 0, 0)) for key in keys] for one in gold], dtype=np.float64)

    arrays = [[array(run) for run in group.runs] for group in groups]
    means = [sum(each) / _times(group, gold)[:, None, None] for each, group in zip(arrays, groups, strict=True)]
    values = [_by_seed(group, each) for group, each in zip(groups, arrays, strict=True)]
    tested = [None if i == baseline else significance.compare(means[baseline], mean, resamples, seed) for i, mean in enumerate(means)]
    rows = [
        Row(
            *key,
            round(means[0][:, i, 2].sum()),
            [each[:, i].tolist() for each in values],
            [found[i] if found else None for found in tested],
        )
        for i, key in enumerate(keys)
    ]
    readings = [group.readings() for group in groups]
    changes = [[] if i == baseline else _changes(gold, layers, readings[baseline], found) for i, found in enumerate(readings)]
    return Comparison(split, list(groups), baseline, layers, gold, rows, changes, resamples)


def _common_layers(groups: Sequence[Group]) -> list[str]:
    layers = [layer for layer in LAYERS if all(layer in run.layers for group in groups for run in group.runs)]
    if not layers:
        each = "; ".join(f"{group.runs[0].folder} reads {' and '.join(group.runs[0].layers) or 'none'}" for group in groups)
        raise UserError(f"no layer that all runs read: {each}; compare runs that read the same")
    return layers


def _common_gold(groups: Sequence[Group], layers: Sequence[str]) -> dict[str, Article]:
    """The gold articles that all groups were tested on, by id.

    Raises:
        UserError: which two runs were tested on different articles or different gold, or on the same articles with the same seed.
    """
    first = {one.id: (one, run) for run in groups[0].runs for one, _ in run.pairs}
    for group in groups:
        tested: dict[tuple[str, int], Run] = {}
        for run in group.runs:
            for one, _ in run.pairs:
                same, where = first.get(one.id, (None, groups[0].runs[0]))
                if same is None or (difference := _difference(same, one, layers)):
                    found = difference if same else f"{one.id!r} is in the second alone"
                    raise UserError(_unlike(where, run, found))
                if (twice := tested.setdefault((one.id, run.seed), run)) is not run:
                    raise UserError(
                        f"{twice.folder} and {run.folder}: the same config and seed; leave one out, or name them: before=RUN after=RUN"
                    )
        if absent := first.keys() - {key for key, _ in tested}:
            run = first[min(absent)][1]
            raise UserError(_unlike(run, group.runs[0], f"{min(absent)!r} is in the first alone"))
    return {key: one for key, (one, _) in first.items()}


def _difference(one: Article, other: Article, layers: Sequence[str]) -> str:
    if one.text != other.text:
        return f"{one.id!r} has another text"
    for layer in layers:
        sides = [
            (each.annotated(layer), each.layer(layer), each.meta.get(COVERS) if layer == "entities" else each.quotes)
            for each in (one, other)
        ]
        if sides[0] != sides[1]:
            return f"{one.id!r} has other gold {layer}"
    return ""


def _unlike(one: Run, other: Run, found: str) -> str:
    return (
        f"{one.folder} and {other.folder}: tested on different articles: {found} ({len(one.pairs)} and {len(other.pairs)} articles); "
        "compare runs of the same data, and of the same seeds or folds where these choose the articles"
    )


def count(gold: Article, predicted: Article, layers: Iterable[str] = LAYERS) -> Counts:
    """Count what is matched, predicted and gold in an article: spans by label and in all, strictly, and whole quotations by measure."""
    counts: dict[Key, tuple[int, int, int]] = {}
    for layer in layers:
        if gold.annotated(layer):
            theirs, ours = ({(span.start, span.end, span.label) for span in side.layer(layer)} for side in (predicted, gold))
            tallies = [Counter(label for _, _, label in spans) for spans in (theirs & ours, theirs, ours)]
            counts |= {(layer, label): _three(tally[label] for tally in tallies) for label in tallies[1] | tallies[2]}
            counts[layer, MICRO] = _three(tally.total() for tally in tallies)
            if layer == "quotes":
                counts |= _whole(gold, predicted)
    return counts


def _whole(gold: Article, predicted: Article) -> Counts:
    """Count quotations by the keys of MEASURES, as :func:`govorit.evaluation.attribution.score` does."""
    sides = [predicted.quotes, gold.quotes]
    pairs = [(gold.quotes[one], predicted.quotes[other]) for one, other in attribution.match(gold.quotes, predicted.quotes)]
    right = [{**attribution.agreement(one, other), "named": bool(one.name)} for one, other in pairs]
    matched = {
        "exact": sum(each["boundary"] for each in right),
        "content": len(right),
        "with_speaker": sum(each["speaker"] for each in right),
        "said_by": sum(each["name"] and each["named"] for each in right),
    }
    asked = {measure: [len(quotes) for quotes in sides] for measure in matched}
    asked["said_by"] = [sum(bool(quote.name) for quote in quotes) for quotes in sides]
    return {(QUOTATIONS, measure): _three((matched[measure], *asked[measure])) for measure in MEASURES}


def _three(numbers: Iterable[int]) -> tuple[int, int, int]:
    one, two, three = numbers
    return one, two, three


def _ordered(keys: set[Key], layers: Sequence[str], gold: Iterable[Article]) -> list[Key]:
    """Rows in the order of a report; names only where the gold has any."""
    named = attribution.names_anybody(gold)
    spans = sorted((key for key in keys if key[0] in layers), key=lambda key: (layers.index(key[0]), key[1] == MICRO, key[1]))
    return [*spans, *((QUOTATIONS, m) for m in MEASURES if (QUOTATIONS, m) in keys and (named or m != "said_by"))]


def _times(group: Group, gold: Iterable[str]) -> np.ndarray:
    read = Counter(one.id for run in group.runs for one, _ in run.pairs)
    return np.array([read[one] for one in gold], dtype=np.float64)


def _by_seed(group: Group, arrays: Sequence[np.ndarray]) -> np.ndarray:
    """F1 of each seed over all its articles, `(seeds, rows)`."""
    totals = [sum(array.sum(axis=0) for run, array in zip(group.runs, arrays, strict=True) if run.seed == seed) for seed in group.seeds]
    return significance.f1(np.stack(totals))


def _changes(
    gold: Mapping[str, Article], layers: Sequence[str], before: Mapping[str, list[Article]], after: Mapping[str, list[Article]]
) -> list[Change]:
    """The articles in which mistakes differ, the most changed first."""
    named = attribution.names_anybody(gold.values())
    found = [_change(one, layers, before[key], after[key], named) for key, one in gold.items()]
    return sorted((change for change in found if change.mistakes), key=lambda change: -change.amount)


def _change(gold: Article, layers: Sequence[str], before: Sequence[Article], after: Sequence[Article], named: bool) -> Change:
    made = [Counter(_bare(item) for reading in side for item in mistakes.find(gold, reading, layers, named)) for side in (before, after)]
    times = len(before), len(after)
    changed = [item for item in made[0] | made[1] if made[0][item] * times[1] != made[1][item] * times[0]]
    return Change(
        gold,
        times,
        made[0].total() / times[0],
        made[1].total() / times[1],
        [(item, made[0][item], made[1][item]) for item in sorted(changed, key=lambda item: item.start)],
    )


def _bare(mistake: Mistake) -> Mistake:
    """The mistake without the model's probability, by which it would differ from the same one of another model."""
    return replace(mistake, score=None)
