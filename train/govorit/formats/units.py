"""Offsets that other programs count in units of their own -> indices into the Python string; and what to say where they do not fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from govorit.errors import UserError
from govorit.formats.options import UNITS

Ruler = Callable[[int], int | None]
_BOM = "\ufeff"


def ruler(text: str, unit: str) -> Callable[[int], int | None]:
    """Make the function from an offset in `unit` to the index in `text`; None where no character begins or the text does not end.

    >>> ruler("я😀и", "utf16")(3)
    2
    """
    if unit == "characters":
        return lambda offset: offset
    table: dict[int, int] = {}
    at = 0
    for index, char in enumerate(text):
        if unit == "crlf" and char == "\n" and index and text[index - 1] == "\r":
            continue  # the pair was counted at its CR
        table[at] = index
        at += 1 if unit == "crlf" else _length(char, unit)
    table[at] = len(text)
    return table.get


def to_index(measure: Ruler, offset: int, text: str, unit: str, where: str) -> int:
    """Convert one offset with `measure`, which is `ruler(text, unit)`.

    Raises:
        UserError: it falls inside a character, or lies outside the text.
    """
    index = measure(offset)
    if index is None:
        total = _length(text, unit)
        problem = "falls inside a character" if 0 <= offset <= total else f"lies outside the text, which has {total} of them"
        raise UserError(f"{where}: the offset {offset!r:.40}, counted in {unit}, {problem}; mend it, or give the right `offsets=`")
    return index


def remedy(text: str, unit: str, fits: Callable[[Ruler], bool]) -> str | None:
    """Find what would make marks fit the text, as the end of a message; `fits` tries them with offsets counted another way."""
    for other in UNITS:
        if other != unit and _differs(text, other, unit) and fits(_ruler(text, other)):
            return f"they count {_NAMES[other]}: read it with offsets={other}"
    if text.startswith(_BOM):
        measure = _ruler(text[1:], unit)
        if fits(lambda offset: None if (index := measure(offset)) is None else index + 1):
            return "they leave out the byte order mark that the text begins with: remove it"
    return None


def misread(text: str, places: Sequence[tuple[int, int]], unit: str) -> str | None:
    """Tell whether offsets that come without their words count another unit: as read some of them split a word or leave the text,
    and in that unit none would. Gives the end of a message."""
    if not places or all(_whole(text, start, end) for start, end in indices(places, ruler(text, unit))):
        return None
    return remedy(text, unit, lambda measure: all(_whole(text, start, end) for start, end in indices(places, measure)))


# One article may have hundreds of marks that do not fit.
_ruler = lru_cache(maxsize=8)(ruler)


@lru_cache(maxsize=32)
def _differs(text: str, one: str, other: str) -> bool:
    return _length(text, one) != _length(text, other)


def indices(places: Sequence[tuple[int, int]], measure: Ruler) -> list[tuple[int, int]]:
    """Convert each place; (0, 0) for one that cannot be."""
    pairs = [(measure(start), measure(end)) for start, end in places]
    return [(0, 0) if start is None or end is None else (start, end) for start, end in pairs]


_NAMES = {"characters": "characters", "utf16": "UTF-16 units", "bytes": "bytes", "crlf": "each CRLF as one character"}


def _whole(text: str, start: int, end: int) -> bool:
    """Whether the place lies in the text and neither splits a word nor starts or ends with a space."""
    if not 0 <= start < end <= len(text) or text[start].isspace() or text[end - 1].isspace():
        return False
    return not (_inside(text, start) or _inside(text, end))


def _inside(text: str, index: int) -> bool:
    return 0 < index < len(text) and text[index - 1].isalnum() and text[index].isalnum()


def _length(text: str, unit: str) -> int:
    if unit == "characters":
        return len(text)
    if unit == "crlf":
        return len(text.replace("\r\n", "\n"))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2 if unit == "utf16" else len(text.encode("utf-8", "surrogatepass"))
