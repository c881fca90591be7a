"""How far two annotators of the same articles agree: span F1, whole quotations, Krippendorff's alpha, and where they do not.

F1 is the same whoever of the two is taken for the gold. Alpha is Krippendorff's for nominal values and two annotators, none missing
(Krippendorff 2011, "Computing Krippendorff's alpha-reliability", B): the units are the words of the articles, a word's value is the label
of the span it lies in, or none. It corrects for the agreement that chance would bring, which is high where most words lie in no span. By
label, all other values are one. Where spans of one label touch, words do not tell them apart, F1 does; it is not his alpha of unitizing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from govorit.article import LAYERS, Article
from govorit.errors import UserError
from govorit.evaluation import attribution, metrics, mistakes
from govorit.evaluation.attribution import Attribution
from govorit.evaluation.metrics import MACRO, MICRO, Figure, plain
from govorit.evaluation.mistakes import Mistake
from govorit.evaluation.readable import MEASURES, interval, percent
from govorit.highlight import Place
from govorit.markdown import code, escape, table
from govorit.words import words

Pairs = Sequence[tuple[Article, Article]]
NOTHING = ""  # a word's value where it lies in no span
_ALONE = {"missed": "A alone", "spurious": "B alone"}


@dataclass(frozen=True, slots=True)
class Row:
    """Agreement on one label: F1, strict and at IoU >= 0.8, and alpha, None where all words have one value.

    In the figures `support` counts the spans of A, `predicted` those of B.
    """

    strict: Figure
    iou80: Figure
    alpha: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far annotators A and B agree, keyed by layer, then by label and "micro".

    `disagreements` holds the articles that have any; in them, A is the gold and B the prediction.
    """

    layers: dict[str, dict[str, Row]]
    quotations: Attribution | None
    articles: int
    words: int
    disagreements: list[tuple[Article, list[Mistake]]]


def measure(pairs: Pairs, resamples: int = 1000) -> Agreement:
    """Measure how far paired articles agree in the layers that both annotate and either has a span of; `resamples` are the intervals'."""
    both = {layer: [pair for pair in pairs if layer in _annotated(pair)] for layer in LAYERS}
    layers = {layer: chosen for layer, chosen in both.items() if any(article.layer(layer) for pair in chosen for article in pair)}
    listed = [(pair[0], mistakes.find(*pair, _annotated(pair), _names_somebody(pairs))) for pair in pairs]
    return Agreement(
        layers={layer: dict(_rows(chosen, layer, resamples)) for layer, chosen in layers.items()},
        quotations=attribution.score(*_sides(layers["quotes"]), resamples=resamples) if "quotes" in layers else None,
        articles=len(pairs),
        words=sum(len(words(one.text)) for one, _ in pairs),
        disagreements=[(article, found) for article, found in listed if found],
    )


def pair(one: Iterable[Article], other: Iterable[Article], names: tuple[str, str] = ("A", "B"), common: bool = False) -> Pairs:
    """Pair two annotators' articles by id, in the order of the first; with `common`, those that only one has are left out.

    Entities of a label that one of two does not cover are left out of the other.

    Raises:
        UserError: an article that one side lacks or has twice, texts that differ, or no article on both sides.
    """
    ours, theirs = (metrics.by_id(articles, name) for articles, name in zip((one, other), names, strict=True))
    for these, those, name in ((ours, theirs, names[1]), (theirs, ours, names[0])):
        missing = [article for article in these.values() if article.id not in those]
        if missing and not common:
            raise UserError(
                f"{missing[0].where}: id: {missing[0].id!r} is not in {name} ({len(missing)} of {len(these)} are not); "
                "give the same articles on both sides, or --common to measure those that both have"
            )
    found = ((article, theirs[article.id]) for article in ours.values() if article.id in theirs)
    pairs = [(mine.within(yours), yours.within(mine)) for mine, yours in found]
    if not pairs:
        raise UserError(f"{' and '.join(names)}: have no article in common; articles are paired by id")
    for mine, yours in pairs:
        if mine.text != yours.text:
            raise UserError(f"{yours.where}: text: {yours.id!r} is another text than at {mine.where}; both must annotate the same one")
    return pairs


def alpha(values: Iterable[tuple[str, str]]) -> float | None:
    """Krippendorff's alpha, nominal, of the pairs of values that two annotators gave each unit; None where all values are one.

    alpha = 1 - (n - 1) * sum of o_ck / sum of n_c n_k, both over c != k, of the coincidences o of n values, n_c of which are c.

    >>> alpha([("PER", "PER"), ("PER", ""), ("", ""), ("", "")])
    0.5333333333333333
    """
    coincidences, totals = Counter[tuple[str, str]](), Counter[str]()
    for (one, other), count in Counter(values).items():
        for ordered in ((one, other), (other, one)):
            coincidences[ordered] += count
            totals[ordered[0]] += count
    n = totals.total()
    observed = sum(count for (one, other), count in coincidences.items() if one != other)
    expected = n * n - sum(count * count for count in totals.values())
    return 1 - (n - 1) * observed / expected if expected else None


def word_labels(article: Article, layer: str) -> list[str]:
    """The label of the span that each word of the article lies in, or NOTHING.

    >>> from govorit.article import Span
    >>> word_labels(Article("1", "В. Путин сказал", (Span(0, 8, "PER"),)), "entities")
    ['PER', 'PER', 'PER', '']
    """
    bounds = words(article.text)
    ends, labels = [end for _, end in bounds], [NOTHING] * len(bounds)
    for span in article.layer(layer):
        at = bisect_right(ends, span.start)
        while at < len(bounds) and bounds[at][0] < span.end:
            labels[at] = span.label
            at += 1
    return labels


def _annotated(pair: tuple[Article, Article]) -> list[str]:
    return [layer for layer in LAYERS if all(article.annotated(layer) for article in pair)]


def _sides(pairs: Pairs) -> tuple[list[Article], list[Article]]:
    return [one for one, _ in pairs], [other for _, other in pairs]


def _names_somebody(pairs: Pairs) -> bool:
    return all(map(attribution.names_anybody, _sides(pairs)))


def _rows(pairs: Pairs, layer: str, resamples: int) -> Iterator[tuple[str, Row]]:
    scores = metrics.score(*_sides(pairs), layers=[layer], resamples=resamples)[layer]
    values = [both for one, other in pairs for both in zip(word_labels(one, layer), word_labels(other, layer), strict=True)]
    for label, figure in scores.strict.items():
        if label != MACRO:
            seen = values if label == MICRO else [(one * (one == label), other * (other == label)) for one, other in values]
            yield label, Row(figure, scores.iou80[label], alpha(seen))


def to_json(found: Agreement) -> dict[str, Any]:
    """The figures and disagreements as plain objects."""
    listed = (
        {"id": article.id, "kind": _kind(item), "layer": item.layer, "a": _spans(item.gold_spans), "b": _spans(item.predicted_spans)}
        | {"a_words": item.gold, "b_words": item.predicted}
        for article, items in found.disagreements
        for item in items
    )
    return {
        "articles": found.articles,
        "words": found.words,
        "layers": {layer: {label: plain(_figures(row)) for label, row in rows.items()} for layer, rows in found.layers.items()},
        "quotations": attribution.to_json(found.quotations) if found.quotations else None,
        "disagreements": list(listed),
    }


def _figures(row: Row) -> dict[str, Any]:
    strict, iou80 = ({"f1": figure.f1, "interval": figure.interval} for figure in (row.strict, row.iou80))
    return {"a": row.strict.support, "b": row.strict.predicted, "strict": strict, "iou80": iou80, "alpha": row.alpha}


def _spans(places: Iterable[Place]) -> list[dict[str, Any]]:
    return [{"start": start, "end": end, "label": label} for start, end, label in places]


def _kind(item: Mistake) -> str:
    """What a disagreement is called, neither side being right."""
    return _ALONE.get(item.kind, item.kind.removeprefix("wrong "))


def markdown(found: Agreement, names: tuple[str, str] = ("A", "B"), most: int | None = None) -> str:
    """Write figures and disagreements as Markdown; at most `most` disagreements."""
    blocks = [f"# Agreement\n\nA: {code(names[0])}, B: {code(names[1])}; {found.articles} articles, {found.words} words"]
    rows = [["spans", "A", "B", "F1", "95 %", "IoU ≥ 0.8", "alpha"]]
    for layer, labels in found.layers.items():
        for label, row in labels.items():
            agreed = "—" if row.alpha is None else f"{row.alpha:.3f}"
            rows.append([f"{layer} {label}", *_cells(row.strict), percent(row.iou80.f1), agreed])
    blocks.append(table(rows))
    if found.quotations:
        blocks.append(_whole_quotations(found.quotations))
    blocks.append(
        "F1 in percent, of spans strict and at an overlap of characters of IoU ≥ 0.8; 95 %: bootstrap over articles. Alpha: Krippendorff's "
        "for nominal values, over words, the value of a word being the label of its span or none; by label, that label or not."
    )
    return "\n\n".join([*blocks, *_listed(found, most)]) + "\n"


def _cells(figure: Figure) -> list[str]:
    return [str(figure.support), str(figure.predicted), percent(figure.f1), interval(figure)]


def _whole_quotations(result: Attribution) -> str:
    rows = [["quotations", "A", "B", "F1", "95 %"]]
    for key, name in MEASURES.items():
        if figures := getattr(result, key):
            rows.append([name.replace("right", "same"), *_cells(figures[attribution.ALL])])
    same = ", ".join(f"{what} {percent(judged.value)}" for what, judged in result.right.items())
    return f"{table(rows)}\n\nThe same in {result.right['kind'].matched} quotations whose contents match: {same}"


def _listed(found: Agreement, most: int | None) -> Iterator[str]:
    kinds = Counter(f"{item.layer} {_kind(item)}" for _, items in found.disagreements for item in items)
    counts = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
    yield f"## {kinds.total()} disagreements" + f"\n\n{counts}" * bool(counts)
    left = kinds.total() if most is None else most
    for article, items in found.disagreements:
        if shown := items[: max(left, 0)]:
            yield "\n".join([f"### {escape(article.id)}\n", *map(_line, shown)])
        left -= len(items)
    if left < 0:
        yield f"… and {-left} more"


def _line(item: Mistake) -> str:
    sides = mistakes.in_words(item)
    if item.kind not in _ALONE:
        sides = [f"{name} {side}" for name, side in zip("AB", sides, strict=True)]
    return f"- {item.layer}, {_kind(item)}: {'; '.join(sides)}"
