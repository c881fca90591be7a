"""python scripts/agreement.py: how far two annotators of the same articles agree, and where they do not."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from govorit import formats
from govorit.article import Article
from govorit.cli import Parser, guarded, whole
from govorit.cli.compare import show, write
from govorit.cli.lint import reading_arguments, reading_options
from govorit.corpora import lint
from govorit.corpora.corpus import outermost
from govorit.evaluation import agreement


def main() -> None:
    guarded(_program)


def _program() -> int:
    options = _options()
    names = str(options.a), str(options.b)
    pairs = agreement.pair(_read(options.a, options), _read(options.b, options), names, options.common)
    found = agreement.measure(pairs, options.resamples)
    if options.out:
        plain = json.dumps(agreement.to_json(found), ensure_ascii=False, indent=2) + "\n"
        write(options.out, {"agreement.json": plain, "agreement.md": agreement.markdown(found, names)})
    show(agreement.markdown(found, names, options.list))
    return 0


def _options() -> argparse.Namespace:
    parser = Parser(prog="agreement", description="Measure how far two annotators of the same articles agree.")
    parser.add_argument("a", type=Path, metavar="A", help="the articles as one annotated them: a file or folder")
    parser.add_argument("b", type=Path, metavar="B", help="the same articles as the other did, paired by id; in any format")
    reading_arguments(parser)
    parser.add_argument("--nested", choices=("refuse", "outermost"), default="refuse", help="entities inside entities (default: refuse)")
    parser.add_argument("--common", action="store_true", help="measure the articles that both have (default: refuse if one has more)")
    parser.add_argument(
        "--resamples", type=whole(), default=1000, metavar="N", help="bootstrap resamples of the intervals; 0: none (default: 1000)"
    )
    parser.add_argument("--list", type=whole(), metavar="N", help="print the first N disagreements (default: all)")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="folder for agreement.md and agreement.json, with all disagreements")
    return parser.parse_args()


def _read(path: Path, options: argparse.Namespace) -> list[Article]:
    articles = list(formats.read(path, options.format, reading_options(options)))
    if options.nested == "outermost":
        articles = [replace(article, entities=outermost(article.entities)) for article in articles]
    lint.check(articles)
    return articles
