"""Markdown that nothing in an article can break; tables and words read as well on a terminal."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from markupsafe import Markup


def table(rows: Sequence[Sequence[str]], numbers: bool = True) -> str:
    """Write rows, the first of them the head, in columns of even width; all but the first to the right, if they are `numbers`."""
    shown = [[" ".join(cell.split()).replace("|", "\\|").replace("<", "&lt;") for cell in row] for row in rows]
    widths = [max(3, *map(len, column)) for column in zip(*shown, strict=True)]
    rule = ["-" * (width - 1) + ":" if numbers and i else "-" * width for i, width in enumerate(widths)]
    return "\n".join(_line(row, widths, numbers) for row in (shown[0], rule, *shown[1:]))


def _line(cells: Sequence[str], widths: Sequence[int], numbers: bool) -> str:
    fitted = (cell.rjust(width) if numbers and i else cell.ljust(width) for i, (cell, width) in enumerate(zip(cells, widths, strict=True)))
    return f"| {' | '.join(fitted)} |"


def code(text: str, most: int = 160) -> str:
    """Write an article's words as a code span, which nothing in them can end, on one line; the middle of a long text is left out.

    >>> code("«Да»")
    '`«Да»`'
    """
    line = "".join(sign if sign.isprintable() else "\ufffd" for sign in " ".join(text.split()))
    if len(line) > most:
        line = f"{line[: most // 2]} […] {line[-most // 2 :]}"
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    edge = " " * line.startswith("`") or " " * line.endswith("`")
    return f"{fence}{edge}{line}{edge}{fence}"


def escape(value: object) -> str:
    """Escape a value for a line or a table's cell of Markdown."""
    if isinstance(value, Markup):
        return value
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", html.escape(" ".join(str(value).split()), quote=False))


def fenced(text: str, language: str = "") -> Markup:
    """Write `text` as a code block, in a fence longer than any that it contains."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return Markup(f"{fence}{language}\n{text.rstrip()}\n{fence}")
