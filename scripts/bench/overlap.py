"""Which articles that encoders are judged on stand in the text that they are pre-trained on, whole or nearly so.

usage: python scripts/bench/overlap.py DATA_ROOT TEXT [TEXT …]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from govorit import formats
from govorit.corpora import archive, duplicates

ROOT = Path(__file__).resolve().parents[2]
JUDGED = {"factRuEval devset": "factrueval-2016/devset", "NEREL dev": "nerel-v1.1/dev", "NEREL train": "nerel-v1.1/train"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="folder of the public corpora, see data/README.md")
    parser.add_argument("text", nargs="+", help="files or folders of raw text")
    options = parser.parse_args()
    judged = {name: options.root / place for name, place in JUDGED.items()} | {"newsroom": ROOT / "data/newsroom"}
    articles = [(name, article) for name, place in judged.items() for article in formats.read(place)]
    raw = [document for text in archive.texts(options.text) for document in text.documents()]
    print(f"{len(articles)} articles, {len(raw):,} documents of raw text")
    found = duplicates.groups([article.text for _, article in articles] + raw, threshold=0.5)
    for name in judged:
        both = [group for group in found if any(i < len(articles) and articles[i][0] == name for i in group) and group[-1] >= len(articles)]
        print(f"{name}: {len(both)} with a Jaccard index of word 5-grams of 0.5 or more", *(articles[group[0]][1].id for group in both))


if __name__ == "__main__":
    main()
