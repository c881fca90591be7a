"""Files that are there whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from govorit.errors import UserError


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a place beside `path` to write a file to, which becomes `path` at the end, and vanishes where something goes wrong.

    Raises:
        UserError: it cannot be written.
    """
    beside = path.with_name(f".{path.name}.new")
    try:
        yield beside
        beside.replace(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        beside.unlink(missing_ok=True)


def write(path: Path, text: str) -> None:
    """Write a text, line ends untouched; half a surrogate pair, which has no UTF-8, becomes a question mark."""
    with whole(path) as beside:
        beside.write_bytes(text.encode("utf-8", "replace"))
