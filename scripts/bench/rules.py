"""What the quotation rules and natasha find by themselves, where encoders are judged: a baseline with nothing learnt.

usage: python scripts/bench/rules.py DATA_ROOT

Quotations: quotes dev (NEREL dev and factRuEval devset). Entities: natasha's on factRuEval devset. Writes the table into
scripts/bench/README.md. The rules were written with the articles of newsroom train and NEREL train in view.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from encoders import contents
from scores import ROOT
from tables import markdown, replace_between

from govorit import corpus, decode, formats, metrics, rules, silver
from govorit.article import Article, Span
from govorit.config import Data, Source

QUOTES = {
    "quotes_nerel": ("brat", "nerel-v1.1/dev", "nerel-dev"),
    "quotes_factrueval": ("factrueval", "factrueval-2016/devset", "factrueval-devset"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="folder of the public corpora, see data/README.md")
    options = parser.parse_args()
    gold = quoted(options.root)
    found = metrics.score(gold, [by_rules(article) for article in gold], ["quotes"], resamples=0)["quotes"]
    rows: list[Sequence[object]] = [
        ("rules, quotes dev", name, f"{strict:.3f}", f"{overlap:.3f}")
        for name, strict, overlap in (
            ("contents", contents(found.strict), contents(found.iou80)),
            *((label, found.strict[label].f1, found.iou80[label].f1) for label in found.strict if label != metrics.MACRO),
        )
    ]
    named = list(formats.read(options.root / "factrueval-2016/devset", "factrueval"))
    scores = metrics.score(named, [by_natasha(article) for article in named], ["entities"], resamples=0)["entities"]
    rows += [
        ("natasha, factRuEval devset", label, f"{figure.f1:.3f}", f"{scores.iou80[label].f1:.3f}")
        for label, figure in scores.strict.items()
        if label != metrics.MACRO
    ]
    replace_between("rules", markdown(["who, on what", "label", "strict F1", "IoU ≥ 0.8"], rows), ROOT / "scripts/bench/README.md")


def quoted(root: Path) -> list[Article]:
    """The dev articles of data=quotes."""
    sources = {
        name: Source(format=kind, train=str(root / place), quotes=[str(ROOT / f"data/quotes/{labels}.jsonl")], nested="outermost")
        for name, (kind, place, labels) in QUOTES.items()
    }
    return corpus.load(Data(name="quotes", root=None, sources=sources), ["quotes"], 0).splits["train"]


def by_rules(article: Article) -> Article:
    starts, labels = silver.teacher().label(article.text)
    spans = rules.find(article.text, starts, labels, silver.teacher().names)
    return replace(article, quotes=tuple(decode.quotes([replace(span, score=1.0) for span in spans], article.text)))


def by_natasha(article: Article) -> Article:
    (markup,) = silver.teacher().ner.map([article.text])
    return replace(article, entities=tuple(Span(span.start, span.stop, span.type) for span in markup.spans))


if __name__ == "__main__":
    main()
