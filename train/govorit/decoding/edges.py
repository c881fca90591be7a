"""What no span begins or ends with: emoji, bullets and asterisks, as posts and footnotes have them beside the words."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import replace

from govorit.article import Span

_SIGNS = frozenset("*•·\ufe0f\u200d")
_OF_WORDS = frozenset("№°®™©")  # symbols that belong to what stands beside them


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
