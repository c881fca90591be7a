"""Where it goes well and where not: F1 by length of a span, its place in the window, words unseen in training, distance to the speaker.

Spans are scored strictly, as in :mod:`govorit.evaluation.metrics`, so that a span that is found lies in the same slice on both sides.
Quotations by distance are scored as "with the right speaker" in :mod:`govorit.evaluation.attribution`: a match counts under its gold,
others under their own. Intervals: 95 %, percentile bootstrap over documents.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from govorit import windows
from govorit.article import CUE, SPEAKER, Article, Quote, Span
from govorit.contract import Contract
from govorit.evaluation import attribution
from govorit.evaluation.metrics import Figure, plain, summarise
from govorit.words import words

ENTITIES, CONTENTS, SPEECH = PARTS = ("entities", "contents of quotations", "cues and speakers")
_MATCHED, _PREDICTED, _GOLD = range(3)
_LENGTHS = {ENTITIES: (2, 3, 5), CONTENTS: (6, 11, 21, 41), SPEECH: (2, 3, 6)}  # words, each the first of a slice
_FIFTHS = ("first fifth", "second", "middle", "fourth", "last fifth")
_DISTANCES = (4, 8, 16)
_UNSEEN = {ENTITIES: ["none", "some", "all"], CONTENTS: ["none", "up to a tenth", "up to a fifth", "more"], SPEECH: ["none", "some", "all"]}

Positions = Mapping[str, Mapping[int, float]]


@dataclass(frozen=True, slots=True)
class Slicing:
    """The figures of `part` by `by`, in the order in which to show them."""

    part: str
    by: str
    figures: dict[str, Figure]


@dataclass(frozen=True)
class Known:
    """What is known beside gold and prediction; what is not, is not sliced by.

    `seen` are the words of the training articles, as :func:`vocabulary` writes them; `positions` is keyed by article, then by where a word
    starts, as :func:`window_positions` gives it.
    """

    seen: Collection[str] | None = None
    positions: Positions | None = None


def cut(
    pairs: Sequence[tuple[Article, Article]], layers: Collection[str], known: Known, resamples: int = 1000, seed: int = 0
) -> list[Slicing]:
    """Slice the figures of gold and predicted articles, those of `layers` that the gold annotates."""
    found = []
    for part in PARTS:
        layer = ENTITIES if part == ENTITIES else "quotes"
        if layer in layers:
            annotated = [pair for pair in pairs if pair[0].annotated(layer)]
            for by, order in _orders(part, known).items():
                tallies = [_tally(gold, predicted, part, by, known) for gold, predicted in annotated]
                found.append(Slicing(part, by, _figures(tallies, order, resamples, seed)))
    if "quotes" in layers:
        tallies = [_tally_distances(*pair) for pair in pairs if pair[0].annotated("quotes")]
        order = [*_ranges(_DISTANCES, first=0), "no speaker"]
        figures = _figures(tallies, order, resamples, seed)
        found.append(Slicing("quotations with the right speaker", "words between content and speaker", figures))
    return [slicing for slicing in found if slicing.figures]


def vocabulary(articles: Iterable[Article]) -> frozenset[str]:
    """Every word of the articles, without regard to case."""
    return frozenset(article.text[start:end].lower() for article in articles for start, end in words(article.text))


def window_positions(articles: Sequence[Article], tokenizer: Tokenizer, contract: Contract) -> dict[str, dict[int, float]]:
    """Say how far into its window each word was read, from 0.0 to below 1.0: of the window whose scores count for it."""
    tokens = windows.tokenize_all([article.text for article in articles], tokenizer)
    found: dict[str, dict[int, float]] = {article.id: {} for article in articles}
    for window in windows.cut_all(tokens, contract.reading - windows.Frame(tokenizer).size, contract.overlap):
        item, into = tokens[window.article], found[articles[window.article].id]
        first, last = np.searchsorted(item.heads, (window.own_start, window.own_end))
        for number in range(first, last):
            into[item.bounds[number][0]] = (int(item.heads[number]) - window.start) / (window.end - window.start)
    return found


def to_json(found: Sequence[Slicing]) -> list[dict[str, object]]:
    def short(figure: Figure) -> dict[str, object]:
        return plain({key: getattr(figure, key) for key in ("precision", "recall", "f1", "interval", "support", "predicted")})

    return [{"part": s.part, "by": s.by, "figures": {name: short(figure) for name, figure in s.figures.items()}} for s in found]


def _orders(part: str, known: Known) -> dict[str, list[str]]:
    orders = {"length in words": _ranges(_LENGTHS[part])}
    if known.positions is not None:
        orders["place in the window"] = [*_FIFTHS]
    if known.seen is not None:
        orders["words unseen in training"] = _UNSEEN[part]
    return orders


def _tally(gold: Article, predicted: Article, part: str, by: str, known: Known) -> Counter[tuple[str, int]]:
    """Count the spans of one article by slice and column."""
    sides = [{(span.start, span.end, span.label): span for span in _of(article, part)} for article in (gold, predicted)]
    bounds = words(gold.text)
    tally: Counter[tuple[str, int]] = Counter()
    for place, span in (sides[1] | sides[0]).items():
        name = _slice(span, gold, bounds, part, by, known)
        if name is not None:
            columns = [column for column, side in ((_GOLD, sides[0]), (_PREDICTED, sides[1])) if place in side]
            tally.update((name, column) for column in (*columns, *([_MATCHED] if len(columns) == 2 else ())))
    return tally


def _of(article: Article, part: str) -> Iterator[Span]:
    layer = article.layer(ENTITIES if part == ENTITIES else "quotes")
    return (span for span in layer if part == ENTITIES or (span.label in (CUE, SPEAKER)) == (part == SPEECH))


def _slice(span: Span, article: Article, bounds: Sequence[tuple[int, int]], part: str, by: str, known: Known) -> str | None:
    """The slice in which a span lies, by one thing; None where that is not known of it."""
    inside = _within(span, bounds)
    if by == "length in words":
        return _range(max(len(inside), 1), _LENGTHS[part])
    if by == "place in the window":
        at = None if known.positions is None or not inside else known.positions.get(article.id, {}).get(inside[0][0])
        return None if at is None else _FIFTHS[min(int(at * 5), 4)]
    spelt = [word for start, end in inside if (word := article.text[start:end].lower())[0].isalnum()]
    return _share_unseen(spelt, part, known.seen or ())


def _share_unseen(spelt: Sequence[str], part: str, seen: Collection[str]) -> str | None:
    if not spelt:
        return None
    share = sum(word not in seen for word in spelt) / len(spelt)
    if part == CONTENTS:
        return "none" if not share else "up to a tenth" if share <= 0.1 else "up to a fifth" if share <= 0.2 else "more"
    return "none" if not share else "some" if share < 1 else "all"


def _within(span: Span, bounds: Sequence[tuple[int, int]]) -> Sequence[tuple[int, int]]:
    """The words that a span touches."""
    return bounds[bisect_right(bounds, span.start, key=lambda word: word[1]) : bisect_left(bounds, span.end, key=lambda word: word[0])]


def _tally_distances(gold: Article, predicted: Article) -> Counter[tuple[str, int]]:
    bounds = words(gold.text)
    pairs = attribution.match(gold.quotes, predicted.quotes)
    matched = {other for _, other in pairs}
    tally = Counter((_distance(quote, bounds), _GOLD) for quote in gold.quotes)
    tally.update((_distance(quote, bounds), _PREDICTED) for other, quote in enumerate(predicted.quotes) if other not in matched)
    for one, other in pairs:
        name = _distance(gold.quotes[one], bounds)
        right = attribution.agreement(gold.quotes[one], predicted.quotes[other])["speaker"]
        tally.update((name, column) for column in (_PREDICTED, _MATCHED)[: 1 + right])
    return tally


def _distance(quote: Quote, bounds: Sequence[tuple[int, int]]) -> str:
    """How many words stand between the speaker and the nearest content."""
    if quote.speaker is None:
        return "no speaker"
    gaps = []
    for part in quote.content:
        first, last = sorted((part, quote.speaker), key=lambda span: span.start)
        gaps.append(len(_within(Span(first.end, last.start, ""), bounds)) if first.end < last.start else 0)
    return _range(min(gaps), _DISTANCES, first=0)


def _figures(tallies: Sequence[Counter[tuple[str, int]]], order: Sequence[str], resamples: int, seed: int) -> dict[str, Figure]:
    occurring = {name for tally in tallies for name, _ in tally}
    names = [name for name in order if name in occurring]
    counts = np.array([[[tally[name, column] for column in range(3)] for name in names] for tally in tallies], dtype=np.int64)
    return dict(zip(names, summarise(counts.reshape(len(tallies), len(names), 3), resamples, seed), strict=True)) if names else {}


def _ranges(starts: Sequence[int], first: int = 1) -> list[str]:
    edges = [first, *starts]
    return [*(str(low) if high == low + 1 else f"{low}–{high - 1}" for low, high in zip(edges, starts, strict=False)), f"{starts[-1]}+"]


def _range(value: int, starts: Sequence[int], first: int = 1) -> str:
    return _ranges(starts, first)[bisect_right(starts, value)]
