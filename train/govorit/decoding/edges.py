"""Where no span begins or ends: at emoji and asterisks beside the words, between a name and its closing mark, behind a preposition."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace

from govorit.article import Span

_SIGNS = frozenset("*•·\ufe0f\u200d")
_OF_WORDS = frozenset("№°®™©")  # symbols that belong to what stands beside them


_CLOSING = {"«": "»", "„": "“", "“": "”", '"': '"'}
_PREPOSITION = re.compile(r"\s+(?:в|во|на|по|за|о|об|с|со|из|при|для|и)\Z")
_BRACKET = re.compile(r"\s*\([^()]*\Z")


def closed(text: str, entities: Iterable[Span]) -> list[Span]:
    """Let a name that holds an opening mark hold the closing one behind it, and cut what hangs on it: `ООН (ФАО`, `Би-би-си в`."""
    return [_closed(text, span) for span in entities]


def _closed(text: str, span: Span) -> Span:
    name = text[span.start : span.end]
    for opening, closing in _CLOSING.items():
        unpaired = name.count(opening) % 2 if opening == closing else name.count(opening) - name.count(closing)
        if unpaired == 1 and text.startswith(closing, span.end) and opening in name:
            return replace(span, end=span.end + 1)
    for hanging in (_BRACKET, _PREPOSITION):
        if (found := hanging.search(name)) and found.start():
            return replace(span, end=span.start + found.start())
    return span


def trimmed(text: str, spans: Iterable[Span]) -> list[Span]:
    """Take the signs off both ends of each span; a span of nothing else falls away."""
    return [span for span in (_trimmed(text, span) for span in spans) if span.start < span.end]


def _trimmed(text: str, span: Span) -> Span:
    start, end = span.start, span.end
    while start < end and _is_sign(text[start]):
        start += 1
    while start < end and _is_sign(text[end - 1]):
        end -= 1
    return span if (start, end) == (span.start, span.end) else replace(span, start=start, end=end)


def _is_sign(character: str) -> bool:
    if character.isalnum() or character in _OF_WORDS:
        return False
    return character in _SIGNS or character.isspace() or unicodedata.category(character) in ("So", "Sk")
