"""Where gold and prediction differ: entities span by span, quotations whole; and for how long in training a place has been wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from govorit import highlight
from govorit.article import LAYERS, Article, Quote, Span
from govorit.evaluation import attribution, confusion
from govorit.evaluation.attribution import Difference
from govorit.highlight import Place
from govorit.markdown import code

_ENTITY_KINDS = {
    confusion.MISSING: "missed",
    confusion.SPURIOUS: "spurious",
    confusion.TYPE: "wrong label",
    confusion.BOUNDARY: "wrong boundary",
    confusion.BOTH: "wrong label and boundary",
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One difference between gold and prediction, each side with its label and words; empty where it has none.

    `gold_spans` and `predicted_spans` are where to see it on each side; `score` is the prediction's, None for what was missed.
    """

    start: int
    layer: str
    kind: str
    gold: str
    predicted: str
    gold_spans: tuple[Place, ...] = ()
    predicted_spans: tuple[Place, ...] = ()
    score: float | None = None


def find(gold: Article, predicted: Article, layers: Iterable[str] = LAYERS, names: bool = True) -> list[Mistake]:
    """List how the prediction differs from the gold in those of `layers` that the gold annotates, in text order.

    Entities are compared span by span: those that overlap are paired one to one, `wrong label`, `wrong boundary` or `wrong label and
    boundary`; the others are `missed` or `spurious`. Quotations are compared whole, by :func:`govorit.evaluation.attribution.differences`.
    """
    annotated = [layer for layer in layers if gold.annotated(layer)]
    found: list[Mistake] = []
    if "entities" in annotated:
        found += _of_entities(gold, predicted)
    if "quotes" in annotated:
        found += _of_quotations(gold, predicted, names)
    return sorted(found, key=lambda mistake: mistake.start)


def wrong_places(pairs: Sequence[tuple[Article, Article]], layers: Collection[str]) -> list[str]:
    """Name each place that is wrong, whatever is wrong there, so that it is known again in another epoch."""
    names = attribution.names_anybody(gold for gold, _ in pairs)
    return sorted({place(gold, mistake) for gold, predicted in pairs for mistake in find(gold, predicted, layers, names)})


def place(article: Article, mistake: Mistake) -> str:
    """The gold's place, or that of what is spurious: `a-004 entities gold 152`."""
    return f"{article.id} {mistake.layer} {'gold' if mistake.gold else 'spurious'} {mistake.start}"


def in_words(item: Mistake) -> list[str]:
    """Write either side of a mistake as Markdown, in words and offsets, where it has any."""
    sides = ((item.gold, item.gold_spans), (item.predicted, item.predicted_spans))
    return [f"{code(said)} {', '.join(f'{start}–{end}' for start, end, _ in places)}" for said, places in sides if said]


def _of_entities(gold: Article, predicted: Article) -> Iterator[Mistake]:
    for one, other in confusion.compare(gold.layer("entities"), predicted.layer("entities")):
        if kind := _ENTITY_KINDS.get(confusion.sort(one, other)):
            first = one or other
            assert first
            told, found = (_words(span, gold) if span else "" for span in (one, other))
            score = other.score if other else None
            yield Mistake(first.start, "entities", kind, told, found, _places([one]), _places([other]), score)


def _of_quotations(gold: Article, predicted: Article, names: bool) -> Iterator[Mistake]:
    for found in attribution.differences(gold, predicted, names):
        told = [_told(found.kind, quote, gold) if quote else "" for quote in (found.gold, found.predicted)]
        if found.gold and found.predicted and told[0] == told[1]:  # the same words at another place: `он`
            told = [f"{words} [{_at(found.kind, quote)}]" for words, quote in zip(told, (found.gold, found.predicted), strict=True)]
        ours, theirs = (_places(_wrong(found.kind, quote)) if quote else () for quote in (found.gold, found.predicted))
        yield Mistake(_start(found), "quotes", found.kind, told[0], told[1], ours, theirs, _score(found))


def _start(found: Difference) -> int:
    """Where the gold's content starts, so that a place keeps its name however the prediction changes."""
    return found.gold.content[0].start if found.gold else found.start


def _score(found: Difference) -> float | None:
    if found.predicted is None:
        return None
    return found.predicted.name_score if found.kind == "wrong name" else found.predicted.score


def _wrong(kind: str, quote: Quote) -> Sequence[Span]:
    """The spans of a quotation in which a mistake shows: where the part that is wrong is lacking, the content."""
    part = {"wrong cue": quote.cue, "wrong speaker": quote.speaker, "wrong name": quote.speaker}.get(kind)
    return [part] if part else quote.content


def _places(spans: Iterable[Span | None]) -> tuple[Place, ...]:
    return tuple((span.start, span.end, span.label) for span in spans if span)


def _told(kind: str, quote: Quote, article: Article) -> str:
    """The quotation in words, as much of it as shows the mistake."""
    (said,) = highlight.who_said_what(replace(article, quotes=(quote,)))
    if kind == "wrong boundary":
        return _clip(said.content, 120)
    if kind == "wrong kind":
        return f"{said.kind}: {_clip(said.content, 60)}"
    mention = (said.surface or "no speaker") if kind in ("wrong cue", "wrong speaker") else said.speaker
    return f"{mention} — {said.cue or 'no cue'}: {_clip(said.content, 60)}"


def _at(kind: str, quote: Quote) -> str:
    part = {"wrong cue": quote.cue, "wrong speaker": quote.speaker}.get(kind)
    return ", ".join(f"{span.start}–{span.end}" for span in ([part] if part else quote.content))


def _words(span: Span, article: Article) -> str:
    return f"{span.label} {_clip(' '.join(article.text[span.start : span.end].split()), 120)}"


def _clip(text: str, most: int) -> str:
    """Leave the middle of a long text out: mistakes are at the edges."""
    if len(text) <= most:
        return text
    return f"{text[: most // 2].rsplit(maxsplit=1)[0]} […] {text[-most // 2 :].split(maxsplit=1)[-1]}"
