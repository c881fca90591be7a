"""The organisations and places of an article, found by where they stand and how they begin: no lookup goes through all of them."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from govorit.article import Span
from govorit.names import lexicon
from govorit.names.morphology import case_of, known_parses

_BRACKETED = re.compile(r" \(([^()\s]+)\)")
_LETTERS = re.compile(r"[^\W\d_]+")
_CYRILLIC = re.compile("[А-ЯЁа-яё -]+")
_REGIONS = ("края", "области", "округа", "района", "республики", "Республики", "Федерации", "Штатов", "Королевства", "Эмиратов")
_CAPITAL = re.compile(r"[а-яё,] ([А-ЯЁ][а-яё]+)(?=[ ,.])(?! [А-ЯЁ])")


def joined(text: str, spans: Sequence[Span]) -> list[Span]:
    """Join organisations with the places and organisations in the genitive right behind them: `Минобороны` and `России`, `СБ` and `ООН`."""
    found: list[Span] = []
    for span in spans:
        before = found[-1] if found else None
        beside = before and before.label in lexicon.ORGANISATION_LABELS and span.start == before.end + 1 and text[before.end] == " "
        if before and beside and _CYRILLIC.fullmatch(text, before.start, before.end) and _belongs(text, span):
            found[-1] = replace(before, end=span.end)
        else:
            found.append(span)
    return found


def _belongs(text: str, span: Span) -> bool:
    """Whether a place or an organisation may stand in the genitive."""
    words = text[span.start : span.end].split(" ")
    first, last = words[0], words[-1]
    if span.label in lexicon.PLACE_LABELS:
        return last.isupper() or is_genitive(last)
    if span.label not in lexicon.ORGANISATION_LABELS or first in lexicon.AGENCIES or not _CYRILLIC.fullmatch(text, span.start, span.end):
        return False
    return first.isupper() or any(case_of(parse) == "gent" for parse in known_parses(first))


def is_genitive(word: str) -> bool:
    """Whether the last word of a place may stand in the genitive: `России`, `США`, `Приморского края`."""
    return word in _REGIONS or any(case_of(parse) == "gent" and "Geox" in parse.tag for parse in known_parses(word))


def _before_brackets(text: str, span: Span) -> Span:
    """A name without brackets that were taken for a part of it."""
    cut = text.find(" (", span.start, span.end)
    return replace(span, end=cut) if cut > span.start else span


def _initials(name: str) -> Iterator[str]:
    """What a name of several words may be called for short, without the place it belongs to as well: `АНБ`."""
    words = [word for word in _LETTERS.findall(name)[:10] if len(word) > 2 or word.isupper()]
    least = 2 if words and (words[0].isascii() or is_adjective(words[0])) else 3  # not `ЦБ` for `Центр безопасности`
    for count in range(least, len(words) + 1):
        if count == len(words) or (words[count][0].isupper() and words[count - 1][0].islower()):
            yield "".join(word[0] for word in words[:count]).upper()


def is_adjective(word: str) -> bool:
    return any(parse.tag.POS == "ADJF" for parse in known_parses(word)[:1])


class Entities:
    def __init__(self, text: str, spans: Sequence[Span]) -> None:
        self.text = text
        names = (_before_brackets(text, span) for span in spans)
        self.spans = joined(text, sorted(names, key=lambda span: (span.start, span.end)))
        self._starts = [span.start for span in self.spans]

    def around(self, position: int) -> Span | None:
        """The entity that a position is inside."""
        at = bisect_right(self._starts, position) - 1
        return self.spans[at] if at >= 0 and position < self.spans[at].end else None

    def at(self, start: int) -> Span | None:
        at = bisect_left(self._starts, start)
        return self.spans[at] if at < len(self.spans) and self.spans[at].start == start else None

    def before(self, position: int, reach: int) -> Iterator[Span]:
        """Those within `reach` characters before a position, the nearest first."""
        for at in range(bisect_left(self._starts, position) - 1, -1, -1):
            if self.spans[at].start < position - reach:
                return
            if self.spans[at].end <= position:
                yield self.spans[at]

    @cached_property
    def abbreviated(self) -> dict[str, Span]:
        """The names of several words that abbreviations stand for: those with it in brackets behind them, or those of its initials."""
        long = [span for span in self.spans if " " in self.text[span.start : span.end]]
        ends = {span.end: span for span in long}
        found = [(match[1], ends[match.start()]) for match in _BRACKETED.finditer(self.text) if match.start() in ends]
        for span in long:
            if span.label in lexicon.ORGANISATION_LABELS:
                found += [(letters, span) for letters in _initials(self.text[span.start : span.end])]
        return dict(reversed(found))

    @cached_property
    def beginning(self) -> dict[str, list[Span]]:
        """Names of several words by their first three letters, each name once."""
        names = {self.text[span.start : span.end]: span for span in reversed(self.spans)}
        found: dict[str, list[Span]] = {}
        for name, span in reversed(names.items()):
            if " " in name:
                found.setdefault(name[:3].lower(), []).append(span)
        return found

    @cached_property
    def _capitals(self) -> frozenset[str]:
        words = _CAPITAL.findall(self.text)
        return frozenset(word[:-cut] for word in words for cut in (1, 2))

    def is_capital(self, word: str) -> bool:
        """Whether the article writes a noun large where no sentence begins, in whatever case: `в Кремле`."""
        return word[:-1] in self._capitals
