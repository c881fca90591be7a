"""What the decoder adds to the tags of entities, step by step: strict F1 of PER, LOC, ORG and all of them.

usage: python scripts/bench/entities.py DATA_ROOT [--model mini]

factRuEval's devset in the cross-validation of scores.py; NEREL dev and newsroom dev, which the released model has not learnt from (by the
first its settings were chosen, as those of the decoder were by both). Every article is read once, by torch, and its scores are decoded in
each way. Writes the table into scripts/bench/README.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from quotations import Reader
from scores import ROOT, dataset_split, folds
from selection import nerel
from tables import LABELS, markdown, replace_between

from govorit import formats
from govorit.article import Article, Span
from govorit.contract import EITHER
from govorit.decoding import boundaries, decode, repeats, viterbi
from govorit.decoding.aids import Aids
from govorit.evaluation import metrics
from govorit.extractor import Extractor
from govorit.windows import Tokens

Bounds = Sequence[tuple[int, int]]
Decoder = Callable[[Extractor, Article, Bounds, np.ndarray], list[Span]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="folder of the public corpora, see data/README.md")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--released", type=Path, default=ROOT / "models/mini-joint")
    parser.add_argument("--out", type=Path, default=Path("outputs/scores"), help="where the runs go; finished ones are taken as they are")
    options = parser.parse_args()
    released = Extractor.load(options.released, "torch")
    corpora = {
        "factRuEval devset": [Reader(Extractor.load(run / "model"), dataset_split(run, "test")) for run in folds(options)],
        "NEREL dev": [Reader(released, nerel(options.root, "dev"))],
        "newsroom dev": [Reader(released, list(formats.read(ROOT / "data/newsroom/dev.jsonl")))],
    }
    head = ["", *(cell for corpus in corpora for cell in (f"{corpus}: {LABELS[0]}", *LABELS[1:]))]
    rows = [[name, *(cell for readers in corpora.values() for cell in f1(readers, decoder))] for name, decoder in DECODERS.items()]
    table = markdown(head, rows)
    print(table)
    replace_between("entities", table)


def f1(readers: Sequence[Reader], decoder: Decoder) -> Iterator[str]:
    gold = [article for reader in readers for article in reader.articles]
    found = [answer for reader in readers for answer in reader.each(lambda *one, reader=reader: answered(reader, decoder, *one))]
    scores = metrics.score(gold, found, ["entities"], resamples=0)["entities"].strict
    return (f"{scores[label].f1:.3f}" for label in LABELS)


def answered(reader: Reader, decoder: Decoder, article: Article, item: Tokens, scores: Mapping[str, np.ndarray]) -> Article:
    return replace(article, entities=tuple(decoder(reader.extractor, article, item.bounds, scores["entities"])))


def alone(extractor: Extractor, _: Article, bounds: Bounds, scores: np.ndarray) -> list[Span]:
    return viterbi.spans(scores, bounds, extractor.contract.layers["entities"])


def with_costs(extractor: Extractor, article: Article, bounds: Bounds, scores: np.ndarray) -> list[Span]:
    costs = extractor.aids.costs["entities"][:, :, boundaries.contexts(article.text, bounds)]
    return viterbi.spans(scores, bounds, extractor.contract.layers["entities"], costs)


def with_lines(extractor: Extractor, article: Article, bounds: Bounds, scores: np.ndarray) -> list[Span]:
    return with_costs(extractor, article, bounds, boundaries.within_lines(scores, article.text, bounds))


def with_names(extractor: Extractor, article: Article, bounds: Bounds, scores: np.ndarray) -> list[Span]:
    return with_costs(extractor, article, bounds, _names(extractor, article, bounds, scores))


def with_repeats(extractor: Extractor, article: Article, bounds: Bounds, scores: np.ndarray) -> list[Span]:
    return with_costs(extractor, article, bounds, repeats.pool(_names(extractor, article, bounds, scores), article.text, bounds))


def with_edges(extractor: Extractor, article: Article, bounds: Bounds, scores: np.ndarray) -> list[Span]:
    return _decoded(extractor, article, bounds, scores, EITHER)


def whole(extractor: Extractor, article: Article, bounds: Bounds, scores: np.ndarray) -> list[Span]:
    return _decoded(extractor, article, bounds, scores, extractor.contract.places)


def _decoded(extractor: Extractor, article: Article, bounds: Bounds, scores: np.ndarray, places: str) -> list[Span]:
    layers = {"entities": extractor.contract.layers["entities"]}
    return list(decode.decode(article, bounds, {"entities": scores}, layers, Aids(costs=extractor.aids.costs), places).entities)


def _names(extractor: Extractor, article: Article, bounds: Bounds, scores: np.ndarray) -> np.ndarray:
    lines = boundaries.within_lines(scores, article.text, bounds)
    return boundaries.within_names(lines, article.text, bounds, extractor.contract.layers["entities"])


DECODERS: dict[str, Decoder] = {
    "tags alone": alone,
    "and costs of boundaries": with_costs,
    "and names that end with their lines": with_lines,
    "and persons that are nothing but names": with_names,
    "and names that come again": with_repeats,
    "and two names in one parted, no words that name nobody, datelines, edges": with_edges,
    "and places behind public bodies as the training articles have them: the decoder": whole,
}


if __name__ == "__main__":
    main()
