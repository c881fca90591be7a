"""What an encoder is worth after fine-tuning: the same heads, data and steps over several encoders of one shape.

usage: python scripts/bench/encoders.py DATA_ROOT [--encoders mini,vectors,random] [--corpora factrueval,nerel,quotes,newsroom] [--seeds 3]

`mini` is models/mini; `vectors` has its shape and vocabulary, natasha's word vectors for embeddings and untrained layers; `random` is
untrained altogether. Entities (PER LOC ORG): factRuEval devset by k-fold cross-validation, the predictions of all folds scored together,
and NEREL dev after training on NEREL train. Quotation contents: quotes dev after training on its train and on newsroom. Newsroom: its
test split, as `python train/run.py` does it. The epoch is chosen on a tenth of the training folds (factRuEval), else on dev itself, for
every encoder.
Writes the table into scripts/bench/README.md and models/mini/README.md.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from scores import MIX, ROOT, dataset_split, predictions, public, train
from tables import markdown, replace_between

from govorit import formats
from govorit.evaluation import metrics
from govorit.evaluation.metrics import Scores

CONTENTS = ("DIRECT", "INDIRECT", "MIXED")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="folder of the public corpora, see data/README.md")
    parser.add_argument("--encoders", type=lambda text: text.split(","), default=["mini", "vectors", "random"])
    parser.add_argument("--corpora", type=lambda text: text.split(","), default=list(CORPORA))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("outputs/scores"), help="where the runs go; finished ones are taken as they are")
    options = parser.parse_args()
    for name in options.corpora:
        if name not in CORPORA:
            parser.error(f"--corpora: {name}: expected some of {', '.join(CORPORA)}")
    head = ["encoder", "seeds", *(figure for corpus in options.corpora for figure in CORPORA[corpus][1])]
    rows = [row(options, name, encoder(options, name)) for name in options.encoders]
    replace_between("encoders", markdown(head, rows), ROOT / "models/mini/README.md")


def encoder(options: argparse.Namespace, name: str) -> Path:
    """The folder of an encoder; one that is only compared with is made."""
    mini, place = ROOT / "models/mini", options.out / "encoder" / name
    if name == "mini":
        return mini
    if not (place / "config.json").exists():
        import torch
        from transformers import AutoConfig, AutoModelForMaskedLM

        from govorit.corpora import silver
        from govorit.network import tokenization

        torch.manual_seed(0)
        model = AutoModelForMaskedLM.from_config(AutoConfig.from_pretrained(mini))
        tokenizer = tokenization.load(str(mini), ready=True)
        if name == "vectors":
            from govorit.network.vectors import start

            start(model, tokenizer.backend_tokenizer, silver.navec(), 0)
        elif name != "random":
            raise SystemExit(f"--encoders: {name}: expected mini, vectors or random")
        model.save_pretrained(place)
        tokenizer.save_pretrained(place)
    return place


def row(options: argparse.Namespace, name: str, folder: Path) -> list[object]:
    runs = Runs(options, name, folder)
    cells: list[object] = [f"`{name}`", options.seeds]
    for corpus in options.corpora:
        measure, figures = CORPORA[corpus]
        scores = [measure(runs, seed) for seed in range(options.seeds)]
        cells += [spread(scores, figure) for figure in figures.values()]
    return cells


class Runs:
    """Fine-tuning runs of one encoder, each with the settings of model=mini."""

    def __init__(self, options: argparse.Namespace, name: str, folder: Path) -> None:
        self.options, self.name, self.folder = options, name, folder

    def train(self, what: str, *overrides: str) -> Path:
        path = [] if self.name == "mini" else [f"model.path={self.folder}"]
        return train(self.options.out / self.name / what, "model=mini", *path, *overrides)  # those of `mini` are scores.py's as well


def factrueval(runs: Runs, seed: int) -> Scores:
    folds = runs.options.folds
    data = ["task=ner", "data=factrueval", f"data.root={runs.options.root}", f"data.folds={folds}", f"seed={seed}"]
    done = [runs.train(f"factrueval-{seed}-{fold}", *data, f"data.fold={fold}") for fold in range(folds)]
    gold = list(formats.read(runs.options.root / "factrueval-2016/devset", "factrueval"))
    return metrics.score(gold, [article for run in done for article in predictions(run, "test")], ["entities"], resamples=0)


def nerel(runs: Runs, seed: int) -> Scores:
    run = runs.train(f"nerel-{seed}", "task=ner", "data=nerel_per_loc_org", f"data.root={runs.options.root}", f"seed={seed}")
    return metrics.score(dataset_split(run, "dev"), predictions(run, "dev"), ["entities"], resamples=0)


def quotes(runs: Runs, seed: int) -> Scores:
    run = runs.train(f"mix-{seed}", *MIX, f"data.root={runs.options.root}", f"seed={seed}")
    return metrics.score(public(dataset_split(run, "dev")), public(predictions(run, "dev")), ["quotes"], resamples=0)


def newsroom(runs: Runs, seed: int) -> Scores:
    run = runs.train(f"newsroom-{seed}", "data=newsroom", f"seed={seed}")
    gold = list(formats.read(ROOT / "data/newsroom/test.jsonl"))
    return metrics.score(gold, predictions(run, "test"), ["entities", "quotes"], resamples=0)


def contents(table: dict[str, metrics.Figure]) -> float:
    """F1 of the contents of all kinds together."""
    chosen = [table[label] for label in CONTENTS if label in table]
    right = sum(round(figure.recall * figure.support) for figure in chosen)
    both = sum(figure.support + figure.predicted for figure in chosen)
    return 2 * right / both if both else 0.0


def spread(scores: Sequence[Scores], figure: Callable[[Scores], float]) -> str:
    """The mean over seeds, and how far they lie apart."""
    values = [figure(found) for found in scores]
    mean = f"{statistics.fmean(values):.3f}"
    return f"{mean} ({min(values):.3f}–{max(values):.3f})" if len(values) > 1 else mean


def strict(layer: str, label: str) -> Callable[[Scores], float]:
    return lambda scores: scores[layer].strict[label].f1


CORPORA: dict[str, tuple[Callable[[Runs, int], Scores], dict[str, Callable[[Scores], float]]]] = {
    "factrueval": (factrueval, {f"factRuEval {label}": strict("entities", label) for label in ("PER", "LOC", "ORG", metrics.MICRO)}),
    "nerel": (nerel, {"NEREL dev": strict("entities", metrics.MICRO)}),
    "quotes": (
        quotes,
        {
            "quotes dev: contents": lambda scores: contents(scores["quotes"].strict),
            "contents, IoU ≥ 0.8": lambda scores: contents(scores["quotes"].iou80),
            "cues": strict("quotes", "CUE"),
            "speakers": strict("quotes", "SPEAKER"),
        },
    ),
    "newsroom": (newsroom, {"newsroom test: entities": strict("entities", metrics.MICRO), "direct contents": strict("quotes", "DIRECT")}),
}


if __name__ == "__main__":
    main()
