"""Run what people use beside the released model, on the same articles: entities, and speed pair by pair; write README's table.

usage: python scripts/bench/peers.py DATA_ROOT [--model models/mini-joint] [--pairs 5]

Entities: strict span F1 of PER, LOC and ORG. The released model has learnt from factRuEval: its figure there is that of the same recipe
(`experiment=mini_joint`) in cross-validation. Of newsroom it has learnt the train split, of NEREL no entities; settings of the decoder
were chosen by dev of both; natasha has seen neither. Both draw ORG otherwise than factRuEval does, for all alike: ours holds
the place behind a public body apart there, as factRuEval does, and inside here (`--places`); what that does for natasha is a row as well.
Speed: CPU-seconds of one thread on the articles of newsroom train; natasha finds sentences, words and entities, ours entities,
quotations, speakers and names. The shapes of rubert-tiny2 and ruBERT have random weights and do no more than run in plain transformers,
in batches of 16 as the articles come, cut at the window.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before any library starts its threads

import natasha_entities
import torch
from scores import dataset_split, train
from selection import nerel
from speed import build, paired, read_plainly
from tables import LABELS, markdown, replace_between

from govorit import formats
from govorit.article import LAYERS, Article, Span
from govorit.contract import APART, INSIDE
from govorit.corpora import silver
from govorit.decoding import bodies
from govorit.evaluation import metrics
from govorit.extractor import Extractor

ROOT = Path(__file__).resolve().parents[2]
FEW = 8  # articles that the shape of ruBERT reads: it takes its time


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="folder of the public corpora, see data/README.md")
    parser.add_argument("--model", type=Path, default=ROOT / "models/mini-joint")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--folds", type=int, default=5, help="of the cross-validation; finished ones in --out are taken as they are")
    parser.add_argument("--first", type=int, metavar="N", help="only the first N folds, and both scored on their articles (default: all)")
    parser.add_argument("--out", type=Path, default=Path("outputs/peers"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    table = markdown(["F1", "factRuEval devset", *("",) * 3, "NEREL dev", *("",) * 3, "newsroom test", *("",) * 3], entities(options))
    speeds = markdown(["reads", "articles a CPU-second", "characters a CPU-second", "of natasha's speed"], speed(options))
    print(table, speeds, sep="\n\n")
    replace_between("peers", f"{table}\n\n{speeds}\n\n{starts(options.model)} {sameness(options)}")


def entities(options: argparse.Namespace) -> list[list[str]]:
    """A row a system: F1 of PER, LOC, ORG and all of them, on three corpora."""
    found = {article.id: article for article in cross_validated(options)}
    devset = formats.read(options.root / "factrueval-2016/devset", "factrueval")
    factrueval = [article for article in devset if article.id in found]
    unseen = [nerel(options.root, "dev"), list(formats.read(ROOT / "data/newsroom/test.jsonl"))]
    extractor = Extractor.load(options.model)
    ours = [f1(factrueval, [found[article.id] for article in factrueval]), *(f1(gold, list(extractor.read(gold))) for gold in unseen)]
    theirs = [natasha(gold) for gold in (factrueval, *unseen)]
    alike = [settled(marked, way) for marked, way in zip(theirs, (APART, INSIDE, INSIDE), strict=True)]
    by_natasha = [list(map(f1, (factrueval, *unseen), found)) for found in (theirs, alike)]
    folds = f"{options.first} of {options.folds} folds, {len(found)} articles" if options.first else f"{options.folds} folds"
    return [
        ["", *LABELS * 3],
        [f"{options.model.name} (factRuEval: {folds})", *chain.from_iterable(ours)],
        ["natasha 1.6", *chain.from_iterable(by_natasha[0])],
        ["natasha 1.6, its places settled alike", *chain.from_iterable(by_natasha[1])],
    ]


def f1(gold: Sequence[Article], found: Sequence[Article]) -> list[str]:
    scores = metrics.score(gold, found, ["entities"], resamples=0)["entities"].strict
    return [f"{scores[label].f1:.3f}" for label in LABELS]


def natasha(articles: Sequence[Article]) -> list[Article]:
    marked = silver.teacher().ner.map(article.text for article in articles)
    return [
        Article(article.id, article.text, tuple(Span(span.start, span.stop, span.type) for span in markup.spans))
        for article, markup in zip(articles, marked, strict=True)
    ]


def settled(articles: Sequence[Article], way: str) -> list[Article]:
    return [replace(article, entities=tuple(bodies.settled(article.text, article.entities, way))) for article in articles]


def cross_validated(options: argparse.Namespace) -> list[Article]:
    """What the recipe finds in each article of factRuEval's devset when that is not learnt from."""
    found: list[Article] = []
    for fold in range(options.first or options.folds):
        data = [f"data.root={options.root}", "data.split.dev=0.1", f"data.folds={options.folds}", f"data.fold={fold}"]
        folder = train(options.out / f"joint-{fold}", "experiment=mini_joint", *data)
        held_out = [article for article in dataset_split(folder, "test") if article.meta["corpus"] == "quotes_factrueval"]
        found += Extractor.load(folder / "model", "torch", places=APART).read(held_out)
    return found


def speed(options: argparse.Namespace) -> list[list[str]]:
    articles = list(formats.read(ROOT / "data/newsroom/train.jsonl"))
    compared = []
    for name, engine in (("8 bits, ONNX Runtime", "onnx"), ("fp32, torch", "torch")):
        extractor = Extractor.load(options.model, engine)
        read = partial(read_all, extractor, articles)
        compared.append(compare(f"{options.model.name}, {name}: entities, quotations, speakers, names", articles, read, options.pairs))
    for shape, name, some, pairs in (("tiny2", "rubert-tiny2", articles, options.pairs), ("base", "ruBERT", articles[:FEW], 1)):
        network, tokenizer, contract = build(shape, articles)
        read = partial(read_plainly, network, tokenizer, some, contract)
        compared.append(compare(f"the shape of {name}, fp32, plain transformers: tags", some, read, pairs))
    compared.append(compare("natasha's tagger alone, slovnet", articles, partial(read_by_slovnet, articles), options.pairs))
    return [*(row for row, _ in compared), compared[0][1]]


def compare(name: str, articles: Sequence[Article], read: Callable[[], object], pairs: int) -> tuple[list[str], list[str]]:
    """A row of the table of speeds, and natasha's for it: medians, and the ratio to natasha's speed on the same articles, taken in turn."""
    ours, theirs = paired(read, partial(read_by_natasha, articles), pairs)
    ratios = sorted(b / a for a, b in zip(ours, theirs, strict=True))
    spread = f" ({ratios[0]:.2f} to {ratios[-1]:.2f})" if len(ratios) > 1 else ""
    return (
        [name, *amounts(articles, ours), f"{statistics.median(ratios):.2f}{spread}"],
        ["natasha 1.6, as its README has it: sentences, words, entities", *amounts(articles, theirs), "1"],
    )


def amounts(articles: Sequence[Article], seconds: Sequence[float]) -> list[str]:
    """Articles and characters a CPU-second."""
    counts = len(articles), sum(len(article.text) for article in articles)
    return [f"{rate:,.1f}" if rate < 100 else f"{rate:,.0f}" for rate in (count / statistics.median(seconds) for count in counts)]


def read_by_natasha(articles: Sequence[Article]) -> None:
    for article in articles:
        natasha_entities.find(article.text)


def read_by_slovnet(articles: Sequence[Article]) -> None:
    list(silver.teacher().ner.map(article.text for article in articles))


def read_all(extractor: Extractor, articles: Sequence[Article]) -> None:
    for _ in extractor.read(articles):
        pass


def sameness(options: argparse.Namespace) -> str:
    """How many of the spans that torch finds in 500 articles the graph in 8 bits finds as well."""
    own = [article for split in ("train", "dev", "test") for article in formats.read(ROOT / f"data/newsroom/{split}.jsonl")]
    articles = [*own, *nerel(options.root, "train")][:500]
    whole, small = (
        {
            (number, layer, span.start, span.end, span.label)
            for number, article in enumerate(Extractor.load(options.model, engine).read(articles))
            for layer in LAYERS
            for span in article.layer(layer)
        }
        for engine in ("torch", "onnx")
    )
    share = 2 * len(whole & small) / (len(whole) + len(small))
    return (
        f"In {len(articles)} articles, {share:.2%} of the spans that the graph in 8 bits finds and of those that torch finds are the same."
    )


def starts(model: Path) -> str:
    """What one short article costs from the start of the program to its end: CPU-seconds and peak memory, ours and natasha's."""
    article = ROOT / "seeds/almaty-2017.txt"
    ours = [sys.executable, str(ROOT / "scripts/predict.py"), str(article), "--model", str(model)]
    theirs = [sys.executable, str(ROOT / "scripts/bench/natasha_entities.py"), str(article)]
    (mine, memory), (other, other_memory) = (min(cost(command) for _ in range(5)) for command in (ours, theirs))
    return (
        f"One article, from start to end: `scripts/predict.py` {mine:.1f} CPU-seconds and {memory} MB, natasha's entities {other:.1f} and "
        f"{other_memory} MB (the least of five)."
    )


COST = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss // 1024)
"""


def cost(command: Sequence[str]) -> tuple[float, int]:
    """CPU-seconds and peak memory in MB of a program, started from a small process: a child's peak counts what its parent held."""
    done = subprocess.run([sys.executable, "-c", COST, *command], capture_output=True, text=True, check=True)
    seconds, memory = done.stdout.split()
    return float(seconds), int(memory)


if __name__ == "__main__":
    main()
