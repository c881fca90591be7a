"""Whether scripts/select.py picks articles that teach more than as many drawn by chance.

usage: python scripts/bench/selection.py DATA_ROOT [--base 32] [--number 32] [--pile 400] [--draws 3] [--seeds 1]

Entities of NEREL train (PER LOC ORG, outermost): a model learns from `base` articles, reads a pile of others, and learns anew from the base
and `number` articles of the pile: those that select picks, those with the least confidence alone, or some drawn by chance, several times
over. Each trains for four epochs and is scored on NEREL dev, of which nothing is chosen. Writes the table into scripts/bench/README.md.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from random import Random

from rules_baseline import LABELS
from scores import predictions, train
from tables import markdown, replace_between
from tqdm import tqdm

from govorit import formats, selection
from govorit.article import Article
from govorit.config import Source
from govorit.corpora import corpus
from govorit.evaluation import metrics
from govorit.extractor import Extractor
from govorit.formats import jsonl
from govorit.selection import COST, Doubts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="folder of the public corpora, see data/README.md")
    for name, default in (("base", 32), ("number", 32), ("pile", 400), ("draws", 3), ("seeds", 1)):
        parser.add_argument(f"--{name}", type=int, default=default, help="default: %(default)s")
    parser.add_argument(
        "--out", type=Path, default=Path("outputs/selection"), help="where the runs go; finished ones are taken as they are"
    )
    options = parser.parse_args()
    articles, gold = nerel(options.root, "train"), nerel(options.root, "dev")
    Random(0).shuffle(articles)
    base, pile = articles[: options.base], articles[options.base :][: options.pile]
    first = learn(options, "base", base, gold, 0)
    doubts = list(tqdm(selection.weigh(Extractor.load(first / "model"), pile), desc="weighing", total=len(pile), leave=False))
    rows = [["base", len(base), "", f"{f1(first, gold):.3f}"]]
    for name, draws in choices(options, doubts).items():
        figures = [f1(learn(options, f"{name}-{i}", [*base, *(pile[n] for n in chosen)], gold, seed), gold)
                   for seed in range(options.seeds) for i, chosen in enumerate(draws)]  # fmt: skip
        words = statistics.fmean(sum(doubts[number].words for number in chosen) for chosen in draws)
        spread = f" ({min(figures):.3f}–{max(figures):.3f})" if len(figures) > 1 else ""
        rows.append([f"base and {name}", options.base + options.number, f"{words:,.0f}", f"{statistics.fmean(figures):.3f}{spread}"])
    table = markdown(["learnt from", "articles", "words picked", "entities, F1"], rows)
    print(table)
    replace_between("selection", table)


def nerel(root: Path, split: str) -> list[Article]:
    read = formats.read(root / "nerel-v1.1" / split, "brat")
    return sorted(
        corpus.convert(read, "nerel", Source(labels=LABELS, nested="outermost"), lambda note: None), key=lambda article: article.id
    )


def choices(options: argparse.Namespace, doubts: Sequence[Doubts]) -> dict[str, list[list[int]]]:
    """Numbers of articles of the pile, by how they are chosen: one list, or a list a draw."""
    count = options.number
    surest_last = sorted(range(len(doubts)), key=lambda number: -doubts[number].total / (doubts[number].words + COST))
    return {
        "picked": [list(islice(selection.order(doubts), count))],
        "least sure": [surest_last[:count]],
        "chance": [Random(draw).sample(range(len(doubts)), count) for draw in range(options.draws)],
    }


def learn(options: argparse.Namespace, name: str, articles: Sequence[Article], gold: Sequence[Article], seed: int) -> Path:
    folder = options.out / "corpora" / name
    folder.mkdir(parents=True, exist_ok=True)
    jsonl.write(articles, folder / "train.jsonl")
    jsonl.write(gold, folder / "test.jsonl")
    fixed = ("model=mini", "task=ner", "trainer.epochs=4", "data=folder", "data.save=false", "report.resamples=0")
    return train(options.out / f"{name}-seed{seed}", *fixed, f"data.root={folder}", f"seed={seed}")


def f1(run: Path, gold: Sequence[Article]) -> float:
    return metrics.score(gold, predictions(run, "test"), ["entities"], resamples=0)["entities"].strict["micro"].f1


if __name__ == "__main__":
    main()
