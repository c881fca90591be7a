"""What several seeds bring together: the mean of their weights, and the mean of their probabilities, beside each of them alone.

usage: python scripts/bench/ensembles.py DATA_ROOT [--model mini] [--seeds 3]

The runs are those of scores.py and encoders.py: data=newsroom, scored on newsroom dev, and data=mix, scored on quotes dev (NEREL dev and
factRuEval devset). Nothing is chosen by the test splits, so these are not read. Costs, hints and links are those of the first seed, in both
means. Writes the table into scripts/bench/README.md.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from scores import MIX, dataset_split, fine_tune, public
from tables import markdown, replace_between

from govorit.article import Article
from govorit.engines import Engine
from govorit.evaluation import attribution, metrics
from govorit.evaluation.attribution import ALL
from govorit.extractor import Extractor

HEAD = ["", "newsroom dev: entities", "quotations", "quotes dev: contents, IoU ≥ 0.8", "with speaker", "said by"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="folder of the public corpora, see data/README.md")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("outputs/scores"), help="where the runs go; finished ones are taken as they are")
    options = parser.parse_args()
    seeds = range(options.seeds)
    newsroom = [fine_tune(options, f"newsroom-{seed}", "data=newsroom", f"seed={seed}") for seed in seeds]
    mix = [fine_tune(options, f"mix-{seed}", *MIX, f"data.root={options.root}", f"seed={seed}") for seed in seeds]
    columns = [*figures(newsroom, dataset_split(newsroom[0], "dev"), spans), *figures(mix, public(dataset_split(mix[0], "dev")), whole)]
    rows = [[name, *(column[i] for column in columns)] for i, name in enumerate(("each alone, mean", "mean weights", "mean probabilities"))]
    table = markdown(HEAD, rows)
    print(table)
    replace_between("ensembles", table)


def figures(
    runs: Sequence[Path], gold: Sequence[Article], measure: Callable[[Sequence[Article], Sequence[Article]], list[float]]
) -> list[list[str]]:
    """Columns of a table: each measure of the runs alone, of their mean weights and of their mean probabilities."""
    readers = [Extractor.load(run / "model", "torch") for run in runs]
    alone = [measure(gold, list(reader.read(gold))) for reader in readers]
    with tempfile.TemporaryDirectory() as folder:
        weights = measure(gold, list(Extractor.load(mean(runs, Path(folder) / "model"), "torch").read(gold)))
    together = Extractor(Ensemble([reader.engine for reader in readers]), readers[0].tokenizer, readers[0].contract, readers[0].aids)
    probabilities = measure(gold, list(together.read(gold)))
    return [
        [f"{statistics.fmean(one):.3f} ({min(one):.3f}–{max(one):.3f})", f"{weights[i]:.3f}", f"{probabilities[i]:.3f}"]
        for i, one in enumerate(zip(*alone, strict=True))
    ]


def mean(runs: Sequence[Path], to: Path) -> Path:
    """Write a checkpoint whose network has the mean weights of those of `runs`."""
    shutil.copytree(runs[0] / "model", to)
    for file in to.rglob("model.safetensors"):
        parts = [load_file(run / "model" / file.relative_to(to)) for run in runs]
        save_file({key: torch.stack([part[key].float() for part in parts]).mean(0) for key in parts[0]}, file, {"format": "pt"})
    return to


class Ensemble:
    """Several networks as one engine; what is no layer's scores, the vectors of words and their syntax, is that of the first."""

    def __init__(self, engines: Sequence[Engine]) -> None:
        self.engines = engines

    def __call__(self, ids: np.ndarray, mask: np.ndarray) -> dict[str, np.ndarray]:
        first, *others = (engine(ids, mask) for engine in self.engines)
        layers = {
            key: np.log(np.mean([np.exp(one[key]) for one in (first, *others)], axis=0)) for key in ("entities", "quotes") if key in first
        }
        return first | layers


def spans(gold: Sequence[Article], found: Sequence[Article]) -> list[float]:
    scores = metrics.score(gold, found, ["entities", "quotes"], resamples=0)
    return [scores[layer].strict[metrics.MICRO].f1 for layer in ("entities", "quotes")]


def whole(gold: Sequence[Article], found: Sequence[Article]) -> list[float]:
    said = attribution.score(gold, found, resamples=0)
    return [figure[ALL].f1 for figure in (said.content, said.with_speaker, said.said_by)]


if __name__ == "__main__":
    main()
