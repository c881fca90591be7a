"""Words of a text, and spans as strict IOB2 tags over them.

Words are the units of gold tags, of scores and of metrics, so that models with different tokenizers stay comparable. A word is a run of
letters and digits, or a single other visible character, each with the combining marks that follow it; a zero-width character (soft hyphen,
joiner, U+FEFF) belongs to a word only between two of its characters. White space is in no word.

    >>> text = "«Да», — сказал В.Путин."
    >>> [text[start:end] for start, end in words(text)]
    ['«', 'Да', '»', ',', '—', 'сказал', 'В', '.', 'Путин', '.']
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache

from govorit.article import Span

OUTSIDE = "O"


def words(text: str) -> list[tuple[int, int]]:
    """Find the words of `text` as half-open `(start, end)` pairs, in order and without overlap."""
    exotic = set(text) - _COMMON
    marks = frozenset(c for c in exotic if unicodedata.category(c)[0] == "M")
    hidden = frozenset(c for c in exotic if not c.isspace() and unicodedata.category(c) in ("Cf", "Cc", "Cs"))
    return [match.span() for match in _pattern(marks, hidden).finditer(text)]


_COMMON = frozenset(map(chr, (*range(0x20, 0x7F), 0xA0, *range(0x400, 0x483), *map(ord, "\n—–«»“”„…№"))))


@lru_cache(maxsize=256)
def _pattern(marks: frozenset[str], hidden: frozenset[str]) -> re.Pattern[str]:
    if not marks and not hidden:
        return re.compile(r"\w+|\S")
    mark = "[" + "".join(map(re.escape, sorted(marks))) + "]" if marks else "(?!)"
    veil = "[" + "".join(map(re.escape, sorted(hidden))) + "]" if hidden else "(?!)"
    letter, other = rf"(?!{mark})\w{mark}*", rf"(?!{mark}|{veil})[^\w\s]{mark}*"
    joined = rf"{letter}(?:{veil}*{letter})*"
    # A joiner (U+200D) ties two symbols into one, as in family emoji; a mark with nothing before it stands alone.
    return re.compile(rf"{joined}|{other}(?:\u200d{other})*|{mark}+")


def has_mark(text: str, place: int) -> bool:
    """Whether a combining mark stands at `place`: the word before it does not end there."""
    return unicodedata.category(text[place : place + 1] or " ")[0] == "M"


def encode(spans: Iterable[Span], bounds: Sequence[tuple[int, int]]) -> tuple[list[str], list[Span]]:
    """Write `spans` as IOB2 tags over the words `bounds`; return the tags and the spans that they cannot hold.

    Refused are spans that start or end inside a word or in white space, and those that overlap one already written.
    `len(spans)` is always what :func:`decode` gives back plus what was refused.

    >>> encode([Span(0, 8, "PER")], words("В. Путин сказал"))[0]
    ['B-PER', 'I-PER', 'I-PER', 'O']
    """
    tags, refused = [OUTSIDE] * len(bounds), []
    starts, ends = [start for start, _ in bounds], [end for _, end in bounds]
    for span in spans:
        first, last = bisect_left(starts, span.start), bisect_left(ends, span.end)
        fits = first <= last < len(bounds) and starts[first] == span.start and ends[last] == span.end
        if not fits or any(tag != OUTSIDE for tag in tags[first : last + 1]):
            refused.append(span)
            continue
        tags[first : last + 1] = [f"B-{span.label}"] + [f"I-{span.label}"] * (last - first)
    return tags, refused


def decode(tags: Sequence[str], bounds: Sequence[tuple[int, int]]) -> list[Span]:
    """Read strict IOB2 `tags` over the words `bounds` back as spans.

    Raises:
        ValueError: an `I-` tag that continues nothing: not IOB2.
    """
    spans: list[Span] = []
    previous = OUTSIDE
    for tag, (start, end) in zip(tags, bounds, strict=True):
        if tag[:2] == "I-":
            if previous[2:] != tag[2:]:
                raise ValueError(f"{tag} after {previous} at {start}: not IOB2")
            spans[-1] = Span(spans[-1].start, end, tag[2:])
        elif tag != OUTSIDE:
            spans.append(Span(start, end, tag[2:]))
        previous = tag
    return spans


def tag_names(labels: Iterable[str]) -> list[str]:
    """The tag set of `labels`: O, then B- and I- of each, in the order given."""
    return [OUTSIDE, *(f"{prefix}-{label}" for label in labels for prefix in "BI")]
