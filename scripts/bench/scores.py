"""Train and score what README shows, and write the tables into scripts/bench/README.md and README.md.

usage: python scripts/bench/scores.py DATA_ROOT [--seeds 3] [--model mini] [--folds 5]

Three experiments, each through `train/run.py` with its defaults: data=newsroom (test split, several seeds), data=factrueval (devset, k-fold
cross-validation, the predictions of all folds scored together), data=mix (newsroom and quotes together, scored on the dev articles of
quotes: NEREL dev and factRuEval devset; the epoch is chosen on dev, since there is no test split).
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from pathlib import Path

from tables import replace_between

from govorit import formats
from govorit.article import Article
from govorit.evaluation import attribution, metrics, readable
from govorit.evaluation.attribution import Attribution
from govorit.evaluation.metrics import Figure, Scores
from govorit.extractor import Extractor

ROOT = Path(__file__).resolve().parents[2]
MIX = ("data=mix", "trainer.epochs=3")  # after six, quotations on dev are a little worse: contents 0.863 at IoU 0.8 for 0.870


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="folder of the public corpora, see data/README.md")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("outputs/scores"), help="where the runs go; finished ones are taken as they are")
    options = parser.parse_args()
    rows = [*newsroom(options), *factrueval(options), *quotes(options)]
    head = ["| trained and scored on | layer | F1 | 95 % | IoU ≥ 0.8 | spans |", "|---|---|---|---|---|---|"]
    replace_between("scores", "\n".join([*head, *rows]))


def newsroom(options: argparse.Namespace) -> list[str]:
    folders = [fine_tune(options, f"newsroom-{seed}", "data=newsroom", f"seed={seed}") for seed in range(options.seeds)]
    gold = list(formats.read(ROOT / "data/newsroom/test.jsonl"))
    scores = [metrics.score(gold, predictions(folder, "test"), ["entities", "quotes"]) for folder in folders]
    return rows(f"`newsroom`, test, {len(gold)} articles, mean of {len(scores)} seeds", scores)


def factrueval(options: argparse.Namespace) -> list[str]:
    folders = folds(options)
    gold = list(formats.read(options.root / "factrueval-2016/devset", "factrueval"))
    found = [article for folder in folders for article in predictions(folder, "test")]
    scores = metrics.score(gold, found, ["entities"])
    return rows(f"`factrueval`, devset, {len(gold)} articles, {options.folds}-fold cross-validation", [scores])


def folds(options: argparse.Namespace) -> list[Path]:
    """The runs of the cross-validation over factRuEval's devset."""
    data = ["task=ner", "data=factrueval", f"data.root={options.root}", f"data.folds={options.folds}"]
    return [fine_tune(options, f"factrueval-0-{fold}", *data, f"data.fold={fold}") for fold in range(options.folds)]


def quotes(options: argparse.Namespace) -> list[str]:
    folder = quoted(options)
    gold = public(dataset_split(folder, "dev"))
    found = list(Extractor.load(folder / "model").read(gold))
    return [
        *rows(f"`mix`, dev of `quotes`, {len(gold)} articles", [metrics.score(gold, found, ["quotes"])]),
        *attributed(attribution.score(gold, found)),
    ]


def quoted(options: argparse.Namespace) -> Path:
    """The run that learns who said what."""
    return fine_tune(options, "mix-0", *MIX, f"data.root={options.root}")


def public(articles: list[Article]) -> list[Article]:
    """The articles of the public corpora among those of data=mix."""
    own = {article.id for article in formats.read(ROOT / "data/newsroom/dev.jsonl")}
    return [article for article in articles if article.id not in own]


def attributed(said: Attribution) -> list[str]:
    """A line for each measure of whole quotations."""
    lines = []
    for what, figures in readable.measures(said):
        figure = figures[attribution.ALL]
        low, high = figure.interval or (0.0, 0.0)
        lines.append(f"|  | {what} | {figure.f1:.3f} | {low:.3f}–{high:.3f} |  | {figure.support} |")
    name = said.right["name"]
    low, high = name.interval or (0.0, 0.0)
    return [*lines, f"|  | right names in matched quotations | {name.value:.3f} | {low:.3f}–{high:.3f} |  | {name.matched} |"]


def fine_tune(options: argparse.Namespace, name: str, *overrides: str) -> Path:
    return train(options.out / options.model / name, f"model={options.model}", *overrides)


def train(folder: Path, *overrides: str) -> Path:
    """Make the run `folder`, or take it as it is where it has come to its end."""
    if not (folder / "metrics.json").exists():
        print(f"== {folder}", flush=True)
        subprocess.run([sys.executable, str(ROOT / "train/run.py"), *overrides, f"out={folder}", "resume=true"], check=True)
    return folder


def dataset_split(folder: Path, split: str) -> list[Article]:
    """The gold articles of a run."""
    from datasets import load_from_disk

    from govorit.corpora import corpus

    return [corpus.article(row) for row in load_from_disk(str(folder / "dataset"))[split]]


def predictions(folder: Path, split: str) -> list[Article]:
    return list(formats.read(folder / "predictions" / f"{split}.jsonl"))


def rows(what: str, scores: list[Scores]) -> list[str]:
    """A line for each label: means over `scores`; the interval is that of the only one, or the range over several."""
    lines = []
    for layer, first in scores[0].items():
        for label in first.strict:
            if label == metrics.MACRO:
                continue
            strict = [found[layer].strict[label] for found in scores]
            overlap = [found[layer].iou80[label] for found in scores]
            cells = [what, f"{layer} {label}", mean(strict), spread(strict), mean(overlap), str(strict[0].support)]
            lines.append(f"| {' | '.join(cells)} |")
            what = ""
    return lines


def mean(figures: list[Figure]) -> str:
    return f"{statistics.fmean(figure.f1 for figure in figures):.3f}"


def spread(figures: list[Figure]) -> str:
    if len(figures) > 1:
        return f"seeds {min(f.f1 for f in figures):.3f}–{max(f.f1 for f in figures):.3f}"
    interval = figures[0].interval
    return f"{interval[0]:.3f}–{interval[1]:.3f}" if interval else ""


if __name__ == "__main__":
    main()
