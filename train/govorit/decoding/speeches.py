"""What is speech and what is not: a pair of quotation marks holds one content, however long; lines that end in a link are none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from govorit.article import KINDS, Quote, Span
from govorit.marks import DASHES, stretches
from govorit.words import has_mark

_LONG = 40  # words, from which most of a speech stands for all of it
_ASIDE = re.compile(rf"[,.!?…»”\"]\s+[{DASHES}]\s")  # opens an attribution inside the marks: `, — сказал`
_LINK = re.compile(r"https?://\S{1,200}\Z")


def whole(text: str, spans: Sequence[Span]) -> list[Span]:
    """Let a content fill its pair of marks: one that begins or ends with them, or fills most of a long pair.

    Not where somebody is said to speak inside. A token classifier loses its way in a letter of three hundred words, and cuts it where a
    sentence reads like the writer's. In NEREL train, newsroom and quotes dev, all 868 direct contents that begin with a pair of marks
    without cue or speaker in it end with it. What stands in marks from end to end is direct.
    """
    found = sorted(spans, key=lambda span: span.start)
    result: list[Span] = []
    at = 0
    for start, end in stretches(text):
        while at < len(found) and found[at].end <= start:
            result.append(found[at])
            at += 1
        behind = at
        while behind < len(found) and found[behind].start < end:
            behind += 1
        if behind > at and _is_speech(text, start, end, found[at:behind]):
            result.append(Span(start, end, "DIRECT", found[at].score))
            at = behind
    return result + found[at:]


def _is_speech(text: str, start: int, end: int, inside: Sequence[Span]) -> bool:
    """Whether the spans inside a pair of marks, in their order, are what is left of one content."""
    first, last = inside[0], inside[-1]
    contents = [span for span in inside if span.label.lower() in KINDS]
    others = [span for span in inside if span.label.lower() not in KINDS]
    if first.start < start or end < last.end or not contents or has_mark(text, end):
        return False
    if any(_ASIDE.search(text, start, span.start) for span in others):
        return False
    if contents[0].start == start and (contents[0].label == "DIRECT" or contents[0].end == end):
        return True
    if inside == contents[:1] and first.end == end and first.label == "DIRECT":
        return text[first.start] not in '«„“"' and not _ASIDE.search(text, start, first.start)
    return len(text[start:end].split()) >= _LONG and 2 * sum(span.end - span.start for span in contents) > end - start


def without_links(text: str, quotes: Iterable[Quote]) -> list[Quote]:
    """Leave out what nobody says and a link ends: lines behind dashes in a digest."""
    return [
        quote for quote in quotes if quote.cue or quote.speaker or not _LINK.search(text, quote.content[-1].start, quote.content[-1].end)
    ]
