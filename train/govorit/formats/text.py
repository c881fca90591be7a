"""Plain articles, one a `.txt` file, with nothing marked on them; the id is the file's name without `.txt`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from govorit.article import Article
from govorit.formats import read_each, read_text
from govorit.formats.options import DEFAULTS, Options


def read(path: Path, options: Options = DEFAULTS) -> Iterator[Article]:
    yield from read_each(path, ".txt", lambda file: Article(options.stem(file), read_text(file), where=str(file)), options)
