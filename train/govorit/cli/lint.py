"""python scripts/lint.py: every problem of annotated articles, each with its place and remedy, then what there is in figures."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from govorit import formats
from govorit.article import KINDS, Article
from govorit.cli import Parser, counted, guarded, tell_passed_over, whole
from govorit.corpora.corpus import outermost, splits_in
from govorit.corpora.lint import ERROR, Problem, corpus_problems
from govorit.errors import UserError
from govorit.formats.options import UNITS, Options


def main() -> None:
    guarded(_program)


def _program() -> int:
    options = _options()
    problems: list[Problem] = []
    places = [(path, split) for source in map(Path, options.source) for split, path in (splits_in(source) or {"": source}).items()]
    paths = [path for path, _ in places]
    tell_passed_over(paths)
    reading = replace(reading_options(options), ids=formats.told_apart(paths), report=lambda error: problems.append(_from_reader(error)))
    read = [(article, split) for path, split in places for article in _read(path, options.format, reading)]
    articles, splits = [article for article, _ in read], [split for _, split in read]
    if options.nested == "outermost":
        articles = [replace(article, entities=outermost(article.entities)) for article in articles]
    if not articles and not problems:
        raise UserError(f"{', '.join(options.source)}: no articles in it")
    problems += corpus_problems(articles, options.labels, splits)
    problems.sort(key=_place)
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")  # type: ignore[union-attr]
    summary = _summary(articles, problems)
    if options.json:
        shown = [_plain(problem) for problem in problems[: options.max]]
        print(json.dumps({"problems": shown, "summary": summary}, ensure_ascii=False))
    else:
        print(*_lines(problems, options.max), *_figures(summary), sep="\n")
    return 2 if summary["errors"] else 0


def _options() -> argparse.Namespace:
    parser = Parser(prog="lint", description="List every problem of annotated articles; exit 2 where there are errors.")
    parser.add_argument(
        "source", nargs="+", metavar="SRC", help="annotated articles: files, folders, or folders with train, dev and test in them"
    )
    reading_arguments(parser)
    parser.add_argument("--labels", type=_list, metavar="A,B", help="entity labels that may occur (default: all)")
    parser.add_argument("--nested", choices=("refuse", "outermost"), default="refuse", help="entities inside entities (default: refuse)")
    parser.add_argument("--json", action="store_true", help="print one JSON object: problems and summary")
    parser.add_argument("--max", type=whole(), metavar="N", help="print the first N problems (default: all)")
    return parser.parse_args()


def reading_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how annotated articles are to be read; :func:`reading_options` takes them."""
    parser.add_argument(
        "--from", dest="format", choices=formats.FORMATS, help="format of the articles (default: told by suffix and content)"
    )
    parser.add_argument("--offsets", choices=UNITS, default=UNITS[0], help="what their offsets count (default: %(default)s)")
    parser.add_argument(
        "--names",
        type=_pairs,
        default={},
        metavar="OURS=THEIRS,…",
        help="what they call quotations and their parts: direct=Прямая_речь,cue=Глагол",
    )
    parser.add_argument("--columns", type=_list, default=[], metavar="A,B", help="CoNLL: what the columns hold: token, ner, quote, -")


def reading_options(arguments: argparse.Namespace) -> Options:
    """Options of formats as the arguments say."""
    return Options(arguments.offsets, arguments.names, arguments.columns)


def _list(value: str) -> list[str]:
    return [item.strip() for item in value.split(",") if item.strip()]


def _pairs(value: str) -> dict[str, str]:
    pairs = {}
    for item in _list(value):
        ours, sign, theirs = item.partition("=")
        if not sign or not theirs:
            raise argparse.ArgumentTypeError(f"found {item!r}, expected OURS=THEIRS")
        pairs[ours] = theirs
    return pairs


def _read(path: Path, name: str | None, options: Options) -> Iterator[Article]:
    try:
        yield from formats.read(path, name, options)
    except UserError as error:  # the reader cannot go on
        options.report(error)


def _from_reader(error: UserError) -> Problem:
    """Take a reader's line apart: `file:line: field: message`, where the field is one word and may be missing."""
    where, _, rest = str(error).partition(": ")
    field = re.match(r"([\w.\[\]#*-]+): ", rest)
    return Problem(where, field[1], rest[field.end() :]) if field else Problem(where, "", rest)


def _place(problem: Problem) -> tuple[str, int]:
    found = re.fullmatch(r"(.*):([0-9]{1,18})", problem.where, re.DOTALL)
    return (found[1], int(found[2])) if found else (problem.where, 0)


def _plain(problem: Problem) -> dict[str, Any]:
    file, line = _place(problem)
    what = {"field": problem.field, "message": problem.message, "severity": problem.severity, "code": problem.code}
    return {"where": problem.where, "file": file, "line": line or None, **what}


def _lines(problems: Sequence[Problem], most: int | None) -> Iterator[str]:
    for problem in problems[:most]:
        yield f"{problem}  [{problem.severity}: {problem.code}]"
    if most is not None and len(problems) > most:
        yield f"… and {counted(len(problems) - most, 'more problems')}"


def _summary(articles: Sequence[Article], problems: Iterable[Problem]) -> dict[str, Any]:
    kinds = Counter(quote.kind for article in articles for quote in article.quotes)
    found = Counter((problem.severity == ERROR, problem.code) for problem in problems)
    return {
        "articles": len(articles),
        "characters": sum(len(article.text) for article in articles),
        "entities": dict(sorted(Counter(span.label for article in articles for span in article.entities).items())),
        "quotations": {kind: kinds[kind] for kind in KINDS if kinds[kind]},
        "errors": {code: count for (error, code), count in sorted(found.items()) if error},
        "warnings": {code: count for (error, code), count in sorted(found.items()) if not error},
    }


def _figures(summary: dict[str, Any]) -> Iterator[str]:
    yield ", ".join(counted(summary[name], name) for name in ("articles", "characters"))
    for name in ("entities", "quotations", "errors", "warnings"):
        parts = ", ".join(f"{key} {count}" for key, count in summary[name].items())
        yield counted(sum(summary[name].values()), name) + (f": {parts}" if parts else "")
