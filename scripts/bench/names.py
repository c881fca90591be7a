"""How often speakers are named as annotated, by kind of mention, with gold spans of quotations.

usage: python scripts/bench/names.py DATA_ROOT [--entities gold natasha none]

On NEREL train, newsroom train and dev, interviews train and quotes dev (NEREL dev and factRuEval devset), whose errors the rules were
written after, and on newsroom test and interviews test, with which they were not. A name is right if it is the annotated string, no name if
there is none.
Entities are gold, natasha's, or none at all: then names are found by capitals and a dictionary. Writes the table into
scripts/bench/README.md.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rules_baseline import QUOTES, by_natasha, quoted
from scores import ROOT
from tables import markdown, replace_between

from govorit import formats, names
from govorit.article import Article, Quote
from govorit.names import lexicon

KINDS = ("name", "pronoun", "designation", "organisation", "no speaker")
TRAIN = {"nerel": ("brat", "nerel-v1.1/train", "nerel-train")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="folder of the public corpora, see data/README.md")
    parser.add_argument("--entities", nargs="+", default=["gold", "natasha", "none"], choices=["gold", "natasha", "none"])
    options = parser.parse_args()
    corpora = {
        "NEREL train": quoted(options.root, TRAIN),
        "newsroom train, dev": [article for split in ("train", "dev") for article in ours("newsroom", split)],
        "interviews train": list(ours("interviews", "train")),
        "quotes dev": quoted(options.root, QUOTES),
        "newsroom test": list(ours("newsroom", "test")),
        "interviews test": list(ours("interviews", "test")),
    }
    rows = [row(name, source, articles) for name, articles in corpora.items() for source in options.entities]
    table = markdown(["gold spans of", "entities", "quotations", "all", *KINDS], rows)
    print(table)
    replace_between("names", table)


def ours(corpus: str, split: str) -> Iterator[Article]:
    return formats.read(ROOT / "data" / corpus / f"{split}.jsonl", "jsonl")


def row(name: str, source: str, articles: Sequence[Article]) -> list[str]:
    counts, right = Counter[str](), Counter[str]()
    for article in articles:
        known = {"gold": article, "natasha": by_natasha(article) if source == "natasha" else article, "none": replace(article, entities=())}
        for gold, found in zip(article.quotes, names.resolve(article.text, known[source].entities, article.quotes), strict=True):
            for kind in ("all", kind_of(article, gold)):
                counts[kind] += 1
                right[kind] += gold.name == found.name
    return [name, source, str(counts["all"]), *(f"{right[kind] / max(counts[kind], 1):.3f}" for kind in ("all", *KINDS))]


def kind_of(article: Article, quote: Quote) -> str:
    speaker = quote.speaker
    if speaker is None:
        return "no speaker"
    if article.text[speaker.start : speaker.end].lower() in lexicon.PRONOUNS:
        return "pronoun"
    inside = {entity.label for entity in article.entities if speaker.start <= entity.start and entity.end <= speaker.end}
    if "PER" in inside:
        return "name"
    return "organisation" if any(e.start <= speaker.start and speaker.end <= e.end for e in article.entities) else "designation"


if __name__ == "__main__":
    main()
