"""Where no span begins or ends: at emoji and asterisks, between a name and its closing mark, behind a preposition, at a hyphen."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace

from govorit.article import Span
from govorit.words import has_mark, words

_SIGNS = frozenset("*•·\ufe0f\u200d")
_OF_WORDS = frozenset("№°®™©")  # symbols that belong to what stands beside them
_CLOSING = {"«": "»", "„": "“", "“": "”", '"': '"'}
_PREPOSITION = re.compile(r"\s+(?:в|во|на|по|за|о|об|с|со|из|при|для|и)\Z")
_BRACKET = re.compile(r"\s*\([^()]*\Z")


def closed(text: str, entities: Iterable[Span]) -> list[Span]:
    """Let a name that holds an opening mark hold the closing one behind it, and cut what hangs on it: `ООН (ФАО`, `Би-би-си в`."""
    spans = list(entities)
    starts = {span.start for span in spans}
    return [_closed(text, span, starts) for span in spans]


def _closed(text: str, span: Span, starts: set[int]) -> Span:
    name = text[span.start : span.end]
    for opening, closing in _CLOSING.items():
        unpaired = name.count(opening) % 2 if opening == closing else name.count(opening) - name.count(closing)
        if unpaired == 1 and text.startswith(closing, span.end) and span.end not in starts and not has_mark(text, span.end + 1):
            return replace(span, end=span.end + 1)
    for hanging in (_BRACKET, _PREPOSITION):
        if (found := hanging.search(name)) and (kept := words(name[: found.start()])):
            return replace(span, end=span.start + kept[-1][1])
    return span


def hyphenated(text: str, entities: Iterable[Span]) -> list[Span]:
    """Let the two halves of a name with a hyphen, found one by one, be one name: `Жан-Марк Эро`; places are two, `Казань-Москва`."""
    found: list[Span] = []
    for span in entities:
        before = found[-1] if found else None
        if before and before.label == span.label != "LOC" and text[before.end : span.start] == "-" and text[span.start].isupper():
            found[-1] = replace(before, end=span.end)
        else:
            found.append(span)
    return found


def trimmed(text: str, spans: Iterable[Span]) -> list[Span]:
    """Take the signs off both ends of each span; a span of nothing else falls away."""
    return [span for span in (_trimmed(text, span) for span in spans) if span.start < span.end]


def _trimmed(text: str, span: Span) -> Span:
    if not (_is_sign(text[span.start]) or _is_sign(text[span.end - 1])):
        return span
    kept = [
        (start, end)
        for start, end in words(text[span.start : span.end])
        if not all(map(_is_sign, text[span.start + start : span.start + end]))
    ]
    return replace(span, start=span.start + kept[0][0], end=span.start + kept[-1][1]) if kept else replace(span, end=span.start)


def _is_sign(character: str) -> bool:
    if character.isalnum() or character in _OF_WORDS:
        return False
    return character in _SIGNS or character.isspace() or unicodedata.category(character) in ("So", "Sk")
