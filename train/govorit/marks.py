"""Quotation marks: which opening mark is closed where. Russian news mixes « », „ “, “ ”, straight ones and forgotten ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

DASHES = "—–-"  # that a turn in speech may begin with
MARKS = '«»„“”"'
_ENDS = re.compile(f"[{MARKS}\n]")  # and the line ends that may close them
_REACH = 3000  # characters that a pair of marks may hold: beyond it one of the two was forgotten
_DEPTH = 20  # pairs that may lie in each other: likewise


def stretches(text: str) -> Iterator[tuple[int, int]]:
    """Outermost pairs of quotation marks, both included.

    >>> [text[a:b] for text in ["Фонд «Новый «Свет»» и „дом“"] for a, b in stretches(text)]
    ['«Новый «Свет»»', '„дом“']
    """
    marks = [(found.start(), found[0]) for found in _ENDS.finditer(text)]
    at = 0
    while at < len(marks):
        place, mark = marks[at]
        last = _closing(text, marks, at) if mark in "«„“" or (mark == '"' and not _closes(text, place)) else None
        if last is None:
            at += 1
        else:
            yield place, marks[last][0] + 1
            at = last + 1


def asks(text: str) -> bool:
    """Whether a text ends with a question mark, whatever marks stand behind it.

    >>> [asks(text) for text in ("Да?", "«Да?!»", "Да?..", "Да. Нет")]
    [True, True, True, False]
    """
    bare = text.rstrip(' \t\r\n\u00a0»”“")')
    return "?" in bare[len(bare.rstrip("?!.…")) :]


def _closing(text: str, marks: Sequence[tuple[int, str]], at: int) -> int | None:
    """Which mark closes the one at `at`; the last inner one where a pair shares its closing mark with the pair inside."""
    stack = [marks[at][1]]
    inner = None
    for number in range(at + 1, len(marks)):
        place, mark = marks[number]
        if place - marks[at][0] > _REACH or len(stack) > _DEPTH:
            return None
        if mark == "\n":
            if inner is not None and not _closes_later(marks, number, stack[0]):
                return inner  # the end of a paragraph stands for the mark that lacks
        elif mark in "»”" or (mark == "“" and "„" in stack) or (mark == '"' and '"' in stack and _closes(text, place)):
            if mark == '"' and stack[-1] != '"' and stack[0] == '"':
                stack = stack[:1]
            stack.pop()
            if not stack:
                return number
            inner = number
        else:
            stack.append(mark)
    return inner


def _closes_later(marks: Sequence[tuple[int, str]], at: int, opening: str) -> bool:
    """Whether the next one of the marks « and » behind `at` closes."""
    return opening == "«" and next((mark for place, mark in marks[at : at + 40] if mark in "«»"), "") == "»"


def _closes(text: str, place: int) -> bool:
    """Whether a straight mark closes: there is a word or a stop before it."""
    return place > 0 and not text[place - 1].isspace() and text[place - 1] not in "(—–«„"
