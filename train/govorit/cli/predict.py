"""python scripts/predict.py: read articles with a trained model, write what was found."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, TextIO

from tqdm import tqdm

from govorit import contract, files, formats, highlight, paths
from govorit.article import Article
from govorit.cli import Parser, guarded, preannotation, tell_passed_over, whole
from govorit.corpora import lint
from govorit.errors import UserError
from govorit.extractor import Extractor
from govorit.formats import jsonl
from govorit.formats.options import Options


def main() -> None:
    guarded(_program)


def _program() -> int:
    options = _options()
    articles = _articles(options)
    tell_passed_over(Path(source) for source in options.source if source != "-")
    if options.to in preannotation.TOOLS:
        return _pre_annotate(articles, options)
    _spare_sources(options.out, options.source)
    if options.out and all(map(_can_be_read_twice, options.source)):  # no mistake shall cost the model's work
        for article in _articles(options):
            lint.bare(article)
    articles = chain(list(islice(articles, 1)), articles)  # a source that cannot be read is told before the model is loaded
    _, extractor = load_model(options.model, options.engine, places=options.places)
    mistakes: list[UserError] = []
    empty: list[Article] = []
    with _output(options.out) as out:
        found = extractor.read(_until_mistake(articles, mistakes, empty), options.batch_tokens)
        _write(tqdm(found, unit="article", disable=None, leave=False), options.to, out)
        if mistakes:  # on standard output, what came before it is written
            raise mistakes[0]
    if empty:
        print(f"left out: {len(empty)} without text, the first {empty[0].where or empty[0].id}", file=sys.stderr)
    return 0


def _pre_annotate(articles: Iterable[Article], options: argparse.Namespace) -> int:
    preannotation.check_target(options.to, options.out)
    gathered = preannotation.gather(articles, options.to)
    model, extractor = load_model(options.model, options.engine, places=options.places)
    found = tqdm(extractor.read(gathered, options.batch_tokens), total=len(gathered), unit="article", disable=None, leave=False)
    print(preannotation.write(found, options.to, options.out, model, extractor.contract.layers.get("entities", ())), file=sys.stderr)
    return 0


def _options() -> argparse.Namespace:
    parser = Parser(prog="predict", description="Read Russian news articles: who is named, and who said what.")
    parser.add_argument(
        "source",
        nargs="*",
        default=["-"],
        help="files or folders of articles, as .txt or in any other format, or - for standard input (default)",
    )
    model_arguments(parser)
    parser.add_argument(
        "--from", dest="format", choices=formats.FORMATS, help="format of the sources (default: told by suffix and content)"
    )
    parser.add_argument(
        "--to",
        choices=("jsonl", "text", "html", *preannotation.TOOLS),
        default="jsonl",
        help="what to write: for programs, for readers, or for annotators to correct (default: jsonl)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="file to write, whole or not at all; for brat a folder (default: standard output; labelstudio and brat want a name)",
    )
    places_argument(parser)
    batch_argument(parser)
    return parser.parse_args()


def _articles(options: argparse.Namespace) -> Iterator[Article]:
    """Open every source, so that a missing one is told at once; what is in them is read as it is asked for."""
    reading = Options(ids=formats.told_apart(Path(source) for source in options.source if source != "-"))
    return chain.from_iterable([_read(source, options.format, reading) for source in options.source])


def _read(source: str, name: str | None, reading: Options) -> Iterator[Article]:
    return _read_stream(sys.stdin.buffer, name) if source == "-" else formats.read(Path(source), name, reading)


def _can_be_read_twice(source: str) -> bool:
    return source != "-" and (Path(source).is_file() or Path(source).is_dir())


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


def _until_mistake(articles: Iterable[Article], mistakes: list[UserError], empty: list[Article]) -> Iterator[Article]:
    """Pass articles with a text on, stripped of annotation, up to the first that cannot be read."""
    try:
        for article in map(lint.bare, articles):
            if article.text.strip():
                yield article
            else:
                empty.append(article)
    except UserError as mistake:
        mistakes.append(mistake)


def _write(articles: Iterable[Article], form: str, out: TextIO) -> None:
    if form == "html":
        out.write(highlight.page(list(articles), "govorit"))
    for article in articles if form != "html" else ():
        out.write((jsonl.dump(article) if form == "jsonl" else highlight.to_text(article)) + "\n")
        out.flush()


def _spare_sources(out: Path | None, sources: Iterable[str]) -> None:
    """Refuse to write where something is read from: articles are read one by one, after the output is opened."""
    for source in map(Path, sources):
        if out and (out.resolve() == source.resolve() or (out.suffix != ".html" and out.resolve().parent == source.resolve())):
            raise UserError(f"--out: {out}: is among what is read; name another place")


@contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    """What to write to: standard output, which stays open, a device, or a file that is there whole or not at all."""
    if path is None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", newline="\n")
        yield sys.stdout
    elif path.exists() and not path.is_file():
        try:
            with path.open("w", encoding="utf-8", newline="\n") as device:
                yield device
        except OSError as error:
            raise UserError(f"{path}: cannot be written: {error.strerror}") from None
    else:
        formats.make_folder(path.absolute().parent)
        with files.whole(path.resolve()) as beside, beside.open("w", encoding="utf-8", newline="\n") as file:
            yield file


def model_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", type=Path, metavar="FOLDER", help="a run folder, or a checkpoint (default: the released model, not your newest run)"
    )
    parser.add_argument(
        "--engine", choices=("auto", "onnx", "torch"), default="auto", help="what runs it (default: its ONNX graph, else torch)"
    )


def places_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--places",
        choices=(contract.INSIDE, contract.APART),
        help="whether the country or region behind a public body is part of its name, as in `МИД РФ` (default: as the model has learnt)",
    )


def batch_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--batch-tokens",
        type=whole(1),
        default=2048,
        metavar="N",
        help="tokens in a batch, padding included (default: 2048, the fastest on a processor; more on a GPU)",
    )


def load_model(named: Path | None, engine: str, threads: int = 0, places: str | None = None) -> tuple[Path, Extractor]:
    """Load the checkpoint to read with: the one named, else the newest, which is said; its folder, and what reads."""
    model = named or paths.newest_model()
    if model is None:
        raise UserError("--model: there is no model yet; train one (python train/run.py), or name a checkpoint")
    folder = paths.checkpoint(model)
    extractor = Extractor.load(folder, engine, threads, places)
    if named is None:
        print(f"model: {model}", file=sys.stderr)
    return folder, extractor
