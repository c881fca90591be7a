"""Plain articles, one a `.txt` file, with nothing marked on them; the id is the file's name without `.txt`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from govorit.article import Article
from govorit.errors import UserError
from govorit.formats import files, read_text
from govorit.formats.options import DEFAULTS, Options


def read(path: Path, options: Options = DEFAULTS) -> Iterator[Article]:
    found = files(path, ".txt")
    if not found:
        raise UserError(f"{path}: no .txt file in this folder; expected one article a file")
    for file in found:
        try:
            text = read_text(file)
        except UserError as error:
            options.report(error)
        else:
            yield Article(file.stem, text, where=str(file))
