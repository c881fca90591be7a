"""python scripts/predict.py: read articles with a trained model, write what was found."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import BinaryIO, TextIO

from tqdm import tqdm

from govorit import formats, highlight, lint, paths
from govorit.article import Article
from govorit.cli import guarded
from govorit.errors import UserError
from govorit.extractor import Extractor
from govorit.formats import jsonl


def main() -> None:
    guarded(_program)


def _program() -> int:
    options = _options()
    articles = chain.from_iterable(_read(path, options.format) for path in options.source)
    extractor = Extractor.load(_model(options.model))
    mistakes: list[UserError] = []
    with _output(options.out) as out:
        found = extractor.read(_until_mistake(articles, mistakes), options.batch_tokens)
        _write(tqdm(found, unit="article", disable=None, leave=False), options.to, out)
    if mistakes:  # what came before it is written
        raise mistakes[0]
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="predict", description="Read Russian news articles: who is named, and who said what.")
    parser.add_argument(
        "source", nargs="*", default=["-"], help="text files, .jsonl files, folders of them, or - for standard input (default)"
    )
    parser.add_argument(
        "--model", type=Path, help="a checkpoint that training has written (default: the newest release, else the newest run)"
    )
    parser.add_argument(
        "--from", dest="format", choices=formats.FORMATS, help="format of the sources (default: told by suffix and content)"
    )
    parser.add_argument("--to", choices=("jsonl", "text", "html"), default="jsonl", help="what to write (default: jsonl)")
    parser.add_argument("--out", type=Path, help="file to write to (default: standard output)")
    parser.add_argument(
        "--batch-tokens",
        type=int,
        default=2048,
        help="tokens in a batch, padding included (default: 2048, the fastest on a processor; more on a GPU)",
    )
    return parser.parse_args()


def _read(source: str, name: str | None) -> Iterator[Article]:
    if source == "-":
        yield from _read_stream(sys.stdin.buffer, name)
    else:
        yield from formats.read(Path(source), name)


def _read_stream(stream: BinaryIO, name: str | None) -> Iterator[Article]:
    """Articles of standard input: JSON Lines if it begins with a brace, else the whole of it is one article's text."""
    first = stream.readline()
    if name == "jsonl" or (name is None and first.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")):
        yield from jsonl.read_lines(chain([first], stream), "stdin")
    elif name in (None, "text"):
        raw = first + stream.read()
        try:
            yield Article("stdin", raw.decode("utf-8"), where="stdin:1")
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            raise UserError(f"stdin:{line}: text: byte {error.start} is not UTF-8; convert it to UTF-8") from None
    else:
        raise UserError(f"stdin: format: {name} cannot be read from standard input; use jsonl or text")


def _until_mistake(articles: Iterable[Article], mistakes: list[UserError]) -> Iterator[Article]:
    """Pass articles on, stripped of annotation, up to the first that cannot be read."""
    try:
        for article in articles:
            bare = replace(article, entities=(), quotes=())
            if bare.text.strip():  # an empty article has nothing in it, which is no mistake here
                lint.check([bare])
            yield bare
    except UserError as mistake:
        mistakes.append(mistake)


def _write(articles: Iterable[Article], form: str, out: TextIO) -> None:
    if form == "html":
        out.write(highlight.page(list(articles), "govorit"))
    for article in articles if form != "html" else ():
        out.write((jsonl.dump(article) if form == "jsonl" else highlight.to_text(article)) + "\n")
        out.flush()


def _output(path: Path | None) -> AbstractContextManager[TextIO]:
    """What to write to; standard output stays open."""
    if path is None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", newline="\n")
        return nullcontext(sys.stdout)
    try:
        return path.open("w", encoding="utf-8", newline="\n")
    except OSError as error:
        raise UserError(f"--out: {path}: cannot be written: {error.strerror}") from None


def _model(named: Path | None) -> Path:
    model = named or paths.newest_model()
    if model is None:
        raise UserError("--model: there is no model yet; train one (python train/run.py), or name a checkpoint")
    if named is None:
        print(f"model: {model}", file=sys.stderr)
    return paths.checkpoint(model)
