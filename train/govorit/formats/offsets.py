"""Offsets that other programs count in their own units -> indices into the Python string."""

from __future__ import annotations

from collections.abc import Callable


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
        at += (
            1
            if unit == "crlf"
            else len(char.encode("utf-16-le" if unit == "utf16" else "utf-8", "surrogatepass")) // (2 if unit == "utf16" else 1)
        )
    table[at] = len(text)
    return table.get
