"""How well predicted quotations match gold ones: whole acts of attribution, where :mod:`govorit.evaluation.metrics` scores their spans.

The content of a quotation is all its spans together. Two quotations match where their contents, as sets of characters, have an
intersection over union (IoU) of at least 0.8; one to one, the best first, whatever their kinds. Their contents are exact where all
spans are equal. A speaker (a cue) is right at the same characters, or where neither side has one. Names are equal without regard to
case, white space and ё or е; they are scored where the gold names anybody at all. Figures are fractions, as in `metrics`.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from govorit.article import KINDS, Article, Quote, Span
from govorit.evaluation.metrics import Figure, pair, plain, summarise

ALL = "all"
FORMS = ("before", "after", "inside", "floating", "dash", "interrupted", "paragraphs")
IOU = 0.8
_EXACT, _CONTENT, _WITH_SPEAKER, _SAID_BY = _MEASURES = ("exact", "content", "with_speaker", "said_by")
_JUDGED = ("kind", "cue", "speaker", "name")
_OPENING = "«„“”\"'‘‹"  # ” opens in some hands
_MATCHED, _PREDICTED, _GOLD = _COLUMNS = range(3)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How many of the matched quotations are right in one respect; `interval` is the 95 % interval of `value`."""

    value: float
    right: int
    matched: int
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Attribution:
    """The figures of quotations, keyed by "all", then by those of KINDS and of FORMS that occur.

    `exact` and `content` ask for the content, exactly and at IoU >= 0.8; `with_speaker` for the latter and the right speaker;
    `said_by` for the latter and the right name, and counts the quotations that have a name on the side in question: it is empty where
    the gold has no name. A match counts under the kind and form of its gold, what is spurious under its own. `right` is keyed by
    "kind", "cue", "speaker" and "name" and says how many of the matched quotations agree in it. `unannotated` articles were left out,
    as their gold says nothing about quotations.
    """

    exact: dict[str, Figure]
    content: dict[str, Figure]
    with_speaker: dict[str, Figure]
    said_by: dict[str, Figure]
    right: dict[str, Accuracy]
    articles: int
    unannotated: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is wrong with a quotation: `missed`, `spurious`, or `wrong` and one of boundary, kind, cue, speaker and name."""

    kind: str
    gold: Quote | None
    predicted: Quote | None

    @property
    def start(self) -> int:
        return min(quote.content[0].start for quote in (self.gold, self.predicted) if quote)


def score(gold: Sequence[Article], predicted: Sequence[Article], *, resamples: int = 1000, seed: int = 0) -> Attribution:
    """Score the quotations of predictions against gold, paired by article id; `resamples=0` leaves the intervals out.

    Intervals: percentile bootstrap over documents, as in :func:`govorit.evaluation.metrics.score`.

    Raises:
        UserError: an article that one side lacks or has twice, or texts that differ.
    """
    pairs = pair(gold, predicted)
    annotated = [(one, other) for one, other in pairs if one.annotated("quotes")]
    tallies = [_tally(one, other) for one, other in annotated]
    occurring = {group for tally in tallies for _, group, _ in tally}
    groups = [group for group in (ALL, *KINDS, *FORMS) if group == ALL or group in occurring]
    rows = [*product(_MEASURES, groups), *product(_JUDGED, [ALL])]
    counts = np.array(
        [tally[measure, group, column] for tally in tallies for measure, group in rows for column in _COLUMNS], dtype=np.int64
    )
    counts = counts.reshape(len(tallies), len(rows), len(_COLUMNS))
    figures = dict(zip(rows, summarise(counts, resamples, seed), strict=True))
    right = dict(zip(rows, counts[:, :, _MATCHED].sum(axis=0).tolist(), strict=True))
    named = names_anybody(one for one, _ in annotated)
    return Attribution(
        exact={group: figures[_EXACT, group] for group in groups},
        content={group: figures[_CONTENT, group] for group in groups},
        with_speaker={group: figures[_WITH_SPEAKER, group] for group in groups},
        said_by={group: figures[_SAID_BY, group] for group in groups} if named else {},
        right={what: _accuracy(figures[what, ALL], right[what, ALL]) for what in _JUDGED if named or what != "name"},
        articles=len(annotated),
        unannotated=len(pairs) - len(annotated),
    )


def to_json(result: Attribution) -> dict[str, Any]:
    """The figures as plain objects, fractions rounded to four digits."""
    return plain(dataclasses.asdict(result))


def names_anybody(articles: Iterable[Article]) -> bool:
    return any(quote.name for article in articles for quote in article.quotes)


def differences(gold: Article, predicted: Article, names: bool = True) -> list[Difference]:
    """List what is wrong with the predicted quotations, in text order; without `names`, names are not compared.

    A quotation whose content overlaps another side's with an IoU below 0.8 has a wrong boundary and is judged no further; above that,
    each thing that is wrong is one difference.
    """
    pairs, missed, spurious = _split(gold.quotes, predicted.quotes, IOU)
    apart, missed, spurious = _split(missed, spurious, 0.0)
    found = [
        Difference(f"wrong {what}", one, other)
        for one, other in pairs
        for what, right in agreement(one, other).items()
        if not right and (names or what != "name")
    ]
    found += [Difference("wrong boundary", one, other) for one, other in apart]
    found += [Difference("missed", quote, None) for quote in missed]
    found += [Difference("spurious", None, quote) for quote in spurious]
    return sorted(found, key=lambda difference: difference.start)


def match(gold: Sequence[Quote], predicted: Sequence[Quote], least: float = IOU) -> list[tuple[int, int]]:
    """Match quotations whose contents overlap with an IoU of at least `least`, one to one, the best first; return their indices.

    In a flat layer no choice is left from 0.5 on: two contents that each share more than half with a third overlap each other.
    """

    def rank(overlap: tuple[float, int, int]) -> tuple[float, list[tuple[int, int]], list[tuple[int, int]]]:
        """The best first; ties go by place, so that the order in which quotations come decides nothing."""
        iou, one, other = overlap
        return -iou, _places(gold[one].content), _places(predicted[other].content)

    pairs, taken = [], (set[int](), set[int]())
    for iou, one, other in sorted(_overlaps(gold, predicted), key=rank):
        if iou >= least and one not in taken[0] and other not in taken[1]:
            taken[0].add(one)
            taken[1].add(other)
            pairs.append((one, other))
    return pairs


def form(quote: Quote, text: str) -> str:
    """Say how a quotation stands in its text; the first of these that holds.

    `interrupted`: in several spans; `paragraphs`: with a line break in it; `dash`: direct with no opening mark, as after a dash or in
    an interview; `floating`: with neither cue nor speaker; else where its cue and speaker stand: `before` the content, `after` it, or
    on both sides, the content `inside` them.

    >>> form(Quote("direct", (Span(0, 4, "DIRECT"),), Span(8, 14, "CUE")), "«Да», — сказал он.")
    'after'
    """
    if len(quote.content) > 1:
        return "interrupted"
    (content,) = quote.content
    if "\n" in text[content.start : content.end]:
        return "paragraphs"
    if quote.kind == "direct" and text[content.start] not in _OPENING:
        return "dash"
    sides = {"before" if part.start < content.start else "after" for part in (quote.cue, quote.speaker) if part}
    if len(sides) == 1:
        return sides.pop()
    return "inside" if sides else "floating"


def _split(gold: Sequence[Quote], predicted: Sequence[Quote], least: float) -> tuple[list[tuple[Quote, Quote]], list[Quote], list[Quote]]:
    """The quotations that match, what is left of the gold, and what is left of the prediction."""
    pairs = match(gold, predicted, least)
    ours, theirs = {one for one, _ in pairs}, {other for _, other in pairs}
    return (
        [(gold[one], predicted[other]) for one, other in pairs],
        [quote for number, quote in enumerate(gold) if number not in ours],
        [quote for number, quote in enumerate(predicted) if number not in theirs],
    )


def _tally(gold: Article, predicted: Article) -> Counter[tuple[str, str, int]]:
    """Count the quotations of one article by measure, group and column."""
    tally: Counter[tuple[str, str, int]] = Counter()

    def add(quote: Quote, measures: Iterable[str], column: int) -> None:
        tally.update(product(measures, (ALL, quote.kind, form(quote, gold.text)), [column]))

    pairs, _, spurious = _split(gold.quotes, predicted.quotes, IOU)
    for quote in gold.quotes:
        add(quote, _asked(quote), _GOLD)
    for quote in spurious:
        add(quote, _asked(quote), _PREDICTED)
    for one, other in pairs:
        right = agreement(one, other)
        met = {_EXACT: right["boundary"], _CONTENT: True, _WITH_SPEAKER: right["speaker"], _SAID_BY: right["name"] and one.name}
        add(one, _asked(other), _PREDICTED)
        add(one, (measure for measure in _MEASURES if met[measure]), _MATCHED)
        tally.update((what, ALL, column) for what in _JUDGED for column in _COLUMNS if column != _MATCHED or right[what])
    return tally


def _asked(quote: Quote) -> Sequence[str]:
    return _MEASURES if quote.name else _MEASURES[:-1]


def agreement(one: Quote, other: Quote) -> dict[str, bool]:
    """In which respects two matched quotations agree."""
    return {
        "boundary": _places(one.content) == _places(other.content),
        "kind": one.kind == other.kind,
        "cue": _places([one.cue]) == _places([other.cue]),
        "speaker": _places([one.speaker]) == _places([other.speaker]),
        "name": _folded(one.name) == _folded(other.name),
    }


def _accuracy(figure: Figure, right: int) -> Accuracy:
    """Read an accuracy off a figure whose predicted and gold are both the matched quotations."""
    return Accuracy(figure.recall, right, figure.support, figure.recall_interval)


def _overlaps(gold: Sequence[Quote], predicted: Sequence[Quote]) -> Iterator[tuple[float, int, int]]:
    """The IoU of every two quotations that share a character, with their indices."""
    ours, theirs = ([_characters(quote) for quote in quotes] for quotes in (gold, predicted))
    owners: dict[int, list[int]] = {}
    for other, characters in enumerate(theirs):
        for at in characters:
            owners.setdefault(at, []).append(other)
    for one, characters in enumerate(ours):
        for other, shared in Counter(owner for at in characters for owner in owners.get(at, ())).items():
            yield shared / (len(characters) + len(theirs[other]) - shared), one, other


def _characters(quote: Quote) -> set[int]:
    return {at for span in quote.content for at in range(span.start, span.end)}


def _places(spans: Iterable[Span | None]) -> list[tuple[int, int]]:
    return [(span.start, span.end) for span in spans if span]


def _folded(name: str | None) -> str:
    return " ".join((name or "").casefold().replace("ё", "е").split())
