"""How well predicted spans match gold ones: strict seqeval over words, overlap of characters, bootstrap intervals.

Gold comes from the articles, never from a model's label ids, so that neither truncation nor alignment can hide a miss,
and what words cannot hold stays in the denominator. Figures are fractions, 0.0 where there is nothing to divide by.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from seqeval.metrics import classification_report
from seqeval.scheme import IOB2

from govorit.article import LAYERS, Article, Span
from govorit.errors import UserError
from govorit.words import OUTSIDE, encode, words

MICRO, MACRO = "micro", "macro"
_PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Figure:
    """The figures of one label; `support` counts gold spans, `predicted` the model's.

    `interval` is the 95 % interval of F1. No interval where nothing was resampled, and none for the macro average.
    """

    precision: float
    recall: float
    f1: float
    support: int
    predicted: int
    interval: tuple[float, float] | None = None
    precision_interval: tuple[float, float] | None = None
    recall_interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class LayerScores:
    """The figures of one layer, keyed by label, then "micro" and "macro".

    `strict` asks for the same words and label; `iou80` and `iou50` for the same label and characters that overlap, with
    an intersection over union of at least 0.8 and 0.5. `articles` were scored, `unannotated` left out as their gold
    says nothing about this layer. `unrepresented_*` spans start or end inside a word, or overlap another span: no tags
    hold them, and they are scored all the same.
    """

    strict: dict[str, Figure]
    iou80: dict[str, Figure]
    iou50: dict[str, Figure]
    articles: int
    unannotated: int
    unrepresented_gold: int
    unrepresented_predicted: int


Scores = dict[str, LayerScores]


@dataclass(frozen=True, slots=True)
class _Document:
    """One article's gold and predicted spans, and both as seqeval's sequences of tags."""

    gold: list[Span]
    predicted: list[Span]
    gold_tags: list[list[str]]
    predicted_tags: list[list[str]]
    refused: tuple[int, int]


def score(
    gold: Sequence[Article],
    predicted: Sequence[Article],
    layers: Sequence[str],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Scores:
    """Score predictions against gold, paired by article id; `resamples=0` leaves the intervals out.

    Raises:
        UserError: an article that one side lacks or has twice, texts that differ, or a label named like an average.
    """
    assert set(layers) <= set(LAYERS), layers
    pairs = pair(gold, predicted)
    return {layer: _score_layer(pairs, layer, resamples, seed) for layer in layers}


def to_json(scores: Scores) -> dict[str, Any]:
    """The scores as plain objects, fractions rounded to four digits."""
    return {layer: plain(dataclasses.asdict(result)) for layer, result in scores.items()}


def plain(value: Any) -> Any:
    """What `json.dumps` takes: tuples become lists, fractions are rounded to four digits."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value


def pair(gold: Sequence[Article], predicted: Sequence[Article]) -> list[tuple[Article, Article]]:
    """Pair gold and predicted articles by id, in the order of the gold; predicted entities that the gold says nothing about are left out.

    Raises:
        UserError: an article that one side lacks or has twice, or texts that differ.
    """
    asked, answered = by_id(gold, "the gold articles"), by_id(predicted, "the predicted articles")
    for one, other, name in ((asked, answered, "predicted"), (answered, asked, "gold")):
        missing = [article for article_id, article in one.items() if article_id not in other]
        if missing:
            raise UserError(
                f"{_where(missing[0])}: id: {missing[0].id!r} is not among the {name} articles"
                f" ({len(missing)} of {len(one)} are not); give the same articles on both sides"
            )
    for article_id, article in asked.items():
        if article.text != answered[article_id].text:
            raise UserError(
                f"{_where(answered[article_id])}: text: the predicted article {article_id!r} differs from the gold one;"
                " predict from the text as it stands in the gold"
            )
    return [(article, answered[article_id].within(article)) for article_id, article in asked.items()]


def by_id(articles: Iterable[Article], name: str) -> dict[str, Article]:
    """Key articles by their ids.

    Raises:
        UserError: two of `name` have one id.
    """
    found: dict[str, Article] = {}
    for article in articles:
        if found.setdefault(article.id, article) is not article:
            raise UserError(f"{_where(article)}: id: {article.id!r} comes twice in {name}; keep one")
    return found


def _where(article: Article) -> str:
    return article.where or article.id


def _score_layer(pairs: Sequence[tuple[Article, Article]], layer: str, resamples: int, seed: int) -> LayerScores:
    documents = [_document(gold, answer, layer) for gold, answer in pairs if gold.annotated(layer)]
    labels = sorted({span.label for document in documents for span in (*document.gold, *document.predicted)})
    if clash := {MICRO, MACRO}.intersection(labels):
        raise UserError(f"{layer}: label: {min(clash)!r} is the name of an average in the scores; rename the label")

    exact = _tally((_exact(document) for document in documents), documents, labels)
    near, half = (
        _tally((_overlapping(document.gold, document.predicted, least) for document in documents), documents, labels)
        for least in (0.8, 0.5)
    )
    return LayerScores(
        strict=_official(_figures(exact, labels, resamples, seed), documents, labels),
        iou80=_figures(near, labels, resamples, seed),
        iou50=_figures(half, labels, resamples, seed),
        articles=len(documents),
        unannotated=len(pairs) - len(documents),
        unrepresented_gold=sum(document.refused[0] for document in documents),
        unrepresented_predicted=sum(document.refused[1] for document in documents),
    )


def _document(gold: Article, predicted: Article, layer: str) -> _Document:
    """Write both sides as tags; what the tags of either cannot hold is a one-word sequence of its own on both."""
    bounds, sides = words(gold.text), (_spans(gold, layer), _spans(predicted, layer))
    refused = [encode(spans, bounds)[1] for spans in sides]
    apart = sorted({*refused[0], *refused[1]}, key=lambda span: (span.start, span.end, span.label))
    gold_tags, predicted_tags = ([_tags(spans, apart, bounds), *_alone(spans, apart)] for spans in sides)
    return _Document(*sides, gold_tags, predicted_tags, (len(refused[0]), len(refused[1])))


def _spans(article: Article, layer: str) -> list[Span]:
    """The layer without the model's probabilities, each place and label once, in order."""
    return list(dict.fromkeys(Span(span.start, span.end, span.label) for span in article.layer(layer)))


def _tags(spans: Iterable[Span], apart: Collection[Span], bounds: Sequence[tuple[int, int]]) -> list[str]:
    tags, refused = encode((span for span in spans if span not in apart), bounds)
    assert not refused, refused
    return tags


def _alone(spans: Collection[Span], apart: Iterable[Span]) -> Iterator[list[str]]:
    return ([f"B-{span.label}" if span in spans else OUTSIDE] for span in apart)


def _exact(document: _Document) -> set[Span]:
    return {*document.gold} & {*document.predicted}


def _overlapping(gold: Sequence[Span], predicted: Sequence[Span], least: float) -> set[Span]:
    """Match spans of one label one to one, the best overlap first, and return the gold ones that found a partner.

    Greedy is optimal here: in a flat layer, two spans can both have IoU >= 0.5 with a third only as its two exact
    halves, and a half overlaps nothing else, so no choice takes a partner away from another span. Where predictions
    overlap each other, the matching is still one to one.
    """
    pairs = [(_iou(one, other), one, other) for one, other in touching(gold, predicted) if one.label == other.label]
    matched, taken = set[Span](), set[Span]()
    for iou, one, other in sorted(pairs, key=lambda pair: -pair[0]):
        if iou >= least and one not in matched and other not in taken:
            matched.add(one)
            taken.add(other)
    return matched


def touching(gold: Sequence[Span], predicted: Sequence[Span]) -> Iterator[tuple[Span, Span]]:
    """Sweep both sides, each sorted by start, for the pairs that overlap."""
    waiting, near = list(reversed(predicted)), list[Span]()
    for one in gold:
        while waiting and waiting[-1].start < one.end:
            near.append(waiting.pop())
        near = [other for other in near if other.end > one.start]
        yield from ((one, other) for other in near if one.overlaps(other))


def _iou(one: Span, other: Span) -> float:
    shared = min(one.end, other.end) - max(one.start, other.start)
    return shared / (max(one.end, other.end) - min(one.start, other.start))


def _tally(matched: Iterable[Iterable[Span]], documents: Sequence[_Document], labels: Sequence[str]) -> np.ndarray:
    """Count matched, predicted and gold spans: `(documents, labels + 1, 3)`, all labels together in the last row."""
    counts = np.zeros((len(documents), len(labels) + 1, 3), dtype=np.int64)
    for row, found, document in zip(counts, matched, documents, strict=True):
        for column, spans in enumerate((found, document.predicted, document.gold)):
            tally = Counter(span.label for span in spans)
            row[:-1, column] = [tally[label] for label in labels]
    counts[:, -1] = counts[:, :-1].sum(axis=1)
    return counts


def _figures(counts: np.ndarray, labels: Sequence[str], resamples: int, seed: int) -> dict[str, Figure]:
    figures = dict(zip((*labels, MICRO), summarise(counts, resamples, seed), strict=True))
    each = [(figure.precision, figure.recall, figure.f1) for name, figure in figures.items() if name != MICRO]
    precision, recall, f1 = np.mean(each, axis=0).tolist() if each else (0.0, 0.0, 0.0)
    figures[MACRO] = Figure(precision, recall, f1, figures[MICRO].support, figures[MICRO].predicted)
    return figures


def summarise(counts: np.ndarray, resamples: int, seed: int) -> list[Figure]:
    """Turn counts of matched, predicted and gold, `(documents, rows, 3)`, into a figure a row; all rows share the resamples."""
    totals = counts.sum(axis=0)
    rates, bounds = _rates(totals), _intervals(counts, resamples, seed)
    figures = []
    for row, ((precision, recall, f1), (_, predicted, support)) in enumerate(zip(rates.tolist(), totals.tolist(), strict=True)):
        spread = [(float(low), float(high)) for low, high in bounds[:, row].T] if bounds is not None else [None] * 3
        figures.append(Figure(precision, recall, f1, support, predicted, spread[2], spread[0], spread[1]))
    return figures


def _rates(counts: np.ndarray) -> np.ndarray:
    """Turn counts of matched, predicted and gold spans `(..., 3)` into precision, recall and F1 `(..., 3)`."""
    matched, predicted, gold = np.moveaxis(counts, -1, 0)
    return np.stack([_divide(matched, predicted), _divide(matched, gold), _divide(2 * matched, predicted + gold)], axis=-1)


def _divide(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)


def _intervals(counts: np.ndarray, resamples: int, seed: int) -> np.ndarray | None:
    """Bootstrap the rates over documents: the low and high percentiles, `(2, labels + 1, 3)`.

    Efron and Tibshirani 1993, ch. 13. Documents are resampled, not spans, because spans of one article stand and fall
    together. A resample without the label counts as 0.0, as in the point estimates: a label that one document alone has
    gets a wide interval, as it should.
    """
    documents = len(counts)
    if not resamples or not documents:
        return None
    generator = np.random.default_rng(seed)
    flat = counts.reshape(documents, -1).astype(np.float64)  # floats for BLAS; whole numbers below 2**53 stay exact
    draws = (generator.integers(documents, size=documents) for _ in range(resamples))
    totals = np.stack([np.bincount(draw, minlength=documents) @ flat for draw in draws])
    return np.percentile(_rates(totals.reshape(resamples, *counts.shape[1:])), _PERCENTILES, axis=0)


def _official(figures: dict[str, Figure], documents: Sequence[_Document], labels: Sequence[str]) -> dict[str, Figure]:
    """Put seqeval's own precision, recall and F1 into figures that were counted from the same spans."""
    if not labels:
        return figures
    # seqeval strips hyphens off a label's ends ("-PER" would become "PER"), and lenient without both mode and scheme.
    codes = {label: str(number) for number, label in enumerate(labels)}
    report = classification_report(
        [_coded(tags, codes) for document in documents for tags in document.gold_tags],
        [_coded(tags, codes) for document in documents for tags in document.predicted_tags],
        output_dict=True,
        zero_division=0,
        mode="strict",
        scheme=IOB2,
    )
    names = {MICRO: "micro avg", MACRO: "macro avg", **codes}
    return {name: _overwritten(figure, report[names[name]]) for name, figure in figures.items()}


def _coded(tags: Iterable[str], codes: dict[str, str]) -> list[str]:
    return [OUTSIDE if tag == OUTSIDE else tag[:2] + codes[tag[2:]] for tag in tags]


def _overwritten(figure: Figure, row: dict[str, Any]) -> Figure:
    assert int(row["support"]) == figure.support, (row, figure)
    # seqeval gives NumPy's numbers, which json.dumps refuses.
    return dataclasses.replace(figure, precision=float(row["precision"]), recall=float(row["recall"]), f1=float(row["f1-score"]))
