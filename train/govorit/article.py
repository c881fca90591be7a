"""Text and what is marked on it. Offsets are half-open `[start, end)` indices into the article's Python string."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

LAYERS = ("entities", "quotes")
KINDS = ("direct", "indirect", "mixed")
CUE, SPEAKER = "CUE", "SPEAKER"
COVERS = "covers"  # a key of `meta`
QUOTE_LABELS = (*(kind.upper() for kind in KINDS), CUE, SPEAKER)


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled stretch of text: `text[start:end]`. `score` is the model's probability, None for gold."""

    start: int
    end: int
    label: str
    score: float | None = None

    def overlaps(self, other: Span) -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Quote:
    """One act of attribution: what was said (more than one span where the attribution interrupts it), by whom, with which cue.

    The labels of `content` are `kind.upper()`; those of `cue` and `speaker` are `CUE` and `SPEAKER`. `name` is who the speaker is, and
    `name_score` how sure that is, None for gold.
    """

    kind: str
    content: tuple[Span, ...]
    cue: Span | None = None
    speaker: Span | None = None
    name: str | None = None
    score: float | None = None
    name_score: float | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """An article with its two layers of annotation.

    `meta["layers"]`, where given, names the layers that were annotated at all (separated by a space): an absent layer is unknown,
    not empty. `meta["covers"]`, where given, names the entity labels that were annotated: any other may stand there unmarked.
    `where` says from which file and line the article came, for messages; it takes no part in comparisons.
    """

    id: str
    text: str
    entities: tuple[Span, ...] = ()
    quotes: tuple[Quote, ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict)
    where: str = field(default="", compare=False, repr=False)

    def annotated(self, layer: str) -> bool:
        return layer in self.meta.get("layers", "entities quotes").split()

    def covers(self, label: str) -> bool:
        """Whether an entity of this label would be marked."""
        return label in self.meta[COVERS].split() if COVERS in self.meta else True

    def within(self, gold: Article) -> Article:
        """Leave out the entities that the annotation of `gold` says nothing about."""
        if COVERS not in gold.meta:
            return self
        return replace(self, entities=tuple(span for span in self.entities if gold.covers(span.label)))

    def layer(self, layer: str) -> tuple[Span, ...]:
        """The layer as a sorted flat sequence of spans; a cue or speaker shared by several quotations comes once."""
        return tuple(sorted(self.entities, key=_order)) if layer == "entities" else quote_spans(self.quotes)


def quote_spans(quotes: Iterable[Quote]) -> tuple[Span, ...]:
    """Every span of `quotes`, sorted, each place and label once."""
    spans: dict[tuple[int, int, str], Span] = {}
    for quote in quotes:
        for span in (*quote.content, quote.cue, quote.speaker):
            if span is not None:
                spans.setdefault(_order(span), span)
    return tuple(spans[key] for key in sorted(spans))


def _order(span: Span) -> tuple[int, int, str]:
    return span.start, span.end, span.label
