"""python scripts/evaluate.py: a checkpoint, or a file of predictions, against gold articles in any format."""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from tqdm import tqdm

from govorit import __version__, formats, machine, paths
from govorit.article import LAYERS, Article
from govorit.cli import Parser, guarded, whole
from govorit.cli.lint import reading_arguments, reading_options
from govorit.cli.predict import batch_argument, places_argument
from govorit.config import Source
from govorit.corpora import corpus, lint
from govorit.errors import UserError
from govorit.evaluation import attribution, metrics, readable, report, slices
from govorit.evaluation.slices import Known


def main() -> None:
    guarded(_program)


def _program() -> int:
    options = _options()
    started = time.monotonic()
    gold, notes = _gold(options)
    layers = [layer for layer in LAYERS if any(article.annotated(layer) and article.layer(layer) for article in gold)]
    if options.model:
        predicted, known = _predict(options, gold, layers)
    else:
        predicted, known = list(formats.read(options.predictions)), Known()
        lint.check(predicted)
    layers = [layer for layer in layers if options.predictions or any(layer in a.meta.get("layers", "") for a in predicted)]
    scores = metrics.score(gold, predicted, layers, resamples=options.resamples)
    attributed = {"gold": attribution.score(gold, predicted, resamples=options.resamples)} if "quotes" in layers else {}
    for note in notes:
        print(note, file=sys.stderr)
    print(readable.table(scores, attributed.get("gold")))
    if options.out:
        report.write(
            options.out,
            report.Run(
                title=f"{options.model or options.predictions} on {options.gold}",
                command=f"python scripts/evaluate.py {' '.join(sys.argv[1:])}",
                scores={"gold": scores},
                attribution=attributed,
                notes=notes,
                corpus={"gold": corpus.counts(gold, layers)},
                versions={"python": platform.python_version(), "govorit": __version__}
                | {name: version(name) for name in _packages(options)},
                hardware=machine.describe(),
                seconds=round(time.monotonic() - started, 1),
                examples=metrics.pair(gold, predicted),
                split="gold",
                known=known,
                resamples=options.resamples,
            ),
        )
        print(f"report {options.out / 'report.html'}", file=sys.stderr)
    return 0


def _options() -> argparse.Namespace:
    parser = Parser(prog="evaluate", description="Score a checkpoint, or a file of predictions, against annotated articles.")
    parser.add_argument("gold", type=Path, help="annotated articles: a file or folder")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--model", type=Path, metavar="FOLDER", help="a run folder, or a checkpoint")
    what.add_argument("--predictions", type=Path, metavar="FILE", help="articles as predict.py writes them, paired with the gold by id")
    reading_arguments(parser)
    parser.add_argument(
        "--quotes", action="append", default=[], metavar="FILE", help="offset annotation to join to the gold (data/quotes/*.jsonl)"
    )
    parser.add_argument("--labels", metavar="A,B=C", help="entity labels to score, others left out; B=C reads the gold's B as C")
    parser.add_argument("--nested", choices=("refuse", "outermost"), default="refuse", help="entities inside entities (default: refuse)")
    parser.add_argument(
        "--resamples", type=whole(), default=1000, metavar="N", help="bootstrap resamples of the intervals; 0: none (default: 1000)"
    )
    places_argument(parser)
    batch_argument(parser)
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="for report.html, report.md and metrics.json (default: the table alone)")
    return parser.parse_args()


def _gold(options: argparse.Namespace) -> tuple[list[Article], list[str]]:
    pairs = (item.partition("=") for item in (options.labels or "").split(",") if item)
    labels = {label: ours or label for label, _, ours in pairs}
    covers = sorted({*labels.values()})
    source = Source(options.format, path=str(options.gold), quotes=options.quotes, labels=labels, covers=covers, nested=options.nested)
    notes: list[str] = []
    read = formats.read(options.gold, options.format, reading_options(options))
    gold = list(corpus.convert(read, "gold", source, notes.append, corpus.offsets(source.quotes)))
    if not gold:
        raise UserError(f"{options.gold}: no articles in it")
    lint.check(gold)
    return gold, notes


def _packages(options: argparse.Namespace) -> Sequence[str]:
    return ("numpy", "seqeval", "tokenizers", "torch", "transformers")[: 5 if options.model else 2]


def _predict(options: argparse.Namespace, gold: Sequence[Article], layers: Sequence[str]) -> tuple[list[Article], Known]:
    """Read the gold's texts with a checkpoint; `meta["layers"]` says which layers it was trained to find. And say what windows it read."""
    from govorit.extractor import Extractor

    model = options.model
    extractor = Extractor.load(paths.checkpoint(model), places=options.places)
    known = extractor.contract.layers
    for layer in set(layers) & known.keys():
        for label in sorted({span.label for article in gold for span in article.layer(layer)} - set(known[layer])):
            raise UserError(
                f"--model: {model}: was not trained on {label!r}, which the gold has; it knows {', '.join(known[layer])}: "
                f"--labels={','.join(known[layer])} scores those alone, --labels={label}=… reads {label!r} as one of them"
            )
    if not set(layers) & known.keys():
        raise UserError(f"--model: {model}: was trained on {' and '.join(known)}, the gold has {' and '.join(layers) or 'nothing'}")
    found = tqdm(extractor.read(gold, options.batch_tokens), total=len(gold), unit="article", disable=None, leave=False)
    predicted = [replace(article, meta={**article.meta, "layers": " ".join(known)}) for article in found]
    return predicted, Known(positions=slices.window_positions(gold, extractor.tokenizer, extractor.contract))
