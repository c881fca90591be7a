"""What a model found, for people to correct: the files of an annotation tool, whole or not at all.

Articles are read and checked before the model starts, so that no mistake in them costs its work, and nothing that is there is
replaced: it may have been corrected by hand.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from govorit import formats
from govorit.article import Article
from govorit.corpora import lint
from govorit.errors import UserError
from govorit.formats import brat, jsonl, labelstudio

TOOLS = ("labelstudio", "brat")
_ADVICE = {
    "labelstudio": "{0}: tasks to import; the labelling interface to paste as code is {1}",
    "brat": "{0}: to be copied into brat's data folder",
    "jsonl": "{0}: written",
}


def check_target(tool: str, out: Path | None) -> None:
    """Refuse to write where something is, or where `out` is no name for the tool's files."""
    if out is None:
        raise UserError(f"--out: missing; --to {tool} writes a {'folder' if tool == 'brat' else 'file'}: name it")
    if tool == "labelstudio" and out.suffix != ".json":
        raise UserError(f"--out: {out}: expected a name that ends in .json")
    _refuse_existing(_made(tool, out))
    above = next(place for place in out.absolute().parents if place.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise UserError(f"--out: {out}: {above} is no folder that can be written to; name another")


def gather(articles: Iterable[Article], tool: str) -> list[Article]:
    """Read all that there is to annotate: the articles that have a text, as the tool takes them."""
    found = [article for article in map(lint.bare, articles) if article.text.strip()]
    taken: set[str] = set()
    for article in found:
        check_id(article, tool, taken)
    if not found:
        raise UserError("nothing to annotate: the sources have no text in them")
    return found


def check_id(article: Article, tool: str, taken: set[str]) -> None:
    """Refuse an id that came before, or that the tool has no way to write; `taken` holds the ids so far."""
    if tool == "brat":
        formats.target(article, Path(), ".txt", taken)
    elif article.id in taken:
        raise UserError(f"{article.where or article.id}: id: {article.id!r} came before; give every article an id of its own")
    taken.add(article.id)


def write(articles: Iterable[Article], tool: str, out: Path, model: Path, labels: Iterable[str]) -> str:
    """Write the files of the tool; `labels` are the entities that may be marked. Returns what there is to do with them."""
    paths = _made(tool, out)
    formats.make_folder(out.absolute().parent)
    with TemporaryDirectory(prefix=f".{out.name:.100}-", dir=out.absolute().parent) as work:
        if tool == "brat":
            brat.write(articles, Path(work) / out.name, labels=labels)
        elif tool == "jsonl":
            jsonl.write(articles, Path(work) / out.name)
        else:
            labelstudio.write(articles, Path(work) / out.name, version=_version(model))
            (Path(work) / paths[1].name).write_text(labelstudio.interface(labels), encoding="utf-8")
        _refuse_existing(paths)  # once more: hours may have passed
        for path in paths:
            (Path(work) / path.name).rename(path)
    return _ADVICE[tool].format(*paths)


def _refuse_existing(paths: Iterable[Path]) -> None:
    for path in paths:
        if os.path.lexists(path):
            raise UserError(f"--out: {path}: is there already, corrected perhaps; name another, or remove it yourself")


def _made(tool: str, out: Path) -> list[Path]:
    """What is written: for Label Studio, the labelling interface beside the tasks."""
    return [out, out.with_suffix(".xml")] if tool == "labelstudio" else [out]


def _version(model: Path) -> str:
    """The name of the run that made a checkpoint, by which Label Studio tells the rounds apart."""
    place = model.resolve()
    return f"govorit {place.parent.name if place.name == 'model' else place.name}"
