"""Put articles in inline markup into the splits of data/newsroom: python scripts/build_newsroom.py SRC DST

SRC is a folder of `.txt` files (`govorit.formats.inline`), DST gets `train.jsonl`, `dev.jsonl` and `test.jsonl`. Every
series of articles (the part of the id before the `-`: one hand each) gives 15 % to test and 15 % to dev, in the order
of the SHA-256 of the ids, so that the same articles fall into the same splits on every machine.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from govorit.article import LAYERS, Article
from govorit.corpora.lint import check
from govorit.errors import UserError
from govorit.formats import inline, jsonl
from govorit.words import encode, words

SPLITS = ("train", "dev", "test")
HELD_OUT = 0.15


def main(arguments: Sequence[str]) -> None:
    if len(arguments) != 2:
        raise UserError("usage: python scripts/build_newsroom.py SRC DST")
    source, target = map(Path, arguments)
    articles = list(inline.read(source))
    check(articles)
    check_texts_differ(articles)
    check_words_hold(articles)
    target.mkdir(parents=True, exist_ok=True)
    for name, split in zip(SPLITS, assign(articles), strict=True):
        jsonl.write(split, target / f"{name}.jsonl")
        print(f"{name}: {len(split)} articles, {sum(len(article.text) for article in split)} characters")


def assign(articles: Iterable[Article]) -> tuple[list[Article], list[Article], list[Article]]:
    """Divide the articles into train, dev and test, series by series; each split is in the order of the ids."""
    series: dict[str, list[Article]] = {}
    for article in articles:
        series.setdefault(article.id.partition("-")[0], []).append(article)
    train, dev, test = [], [], []
    for members in series.values():
        members.sort(key=lambda article: hashlib.sha256(article.id.encode()).digest())
        held = round(len(members) * HELD_OUT)
        test += members[:held]
        dev += members[held : 2 * held]
        train += members[2 * held :]
    return by_id(train), by_id(dev), by_id(test)


def by_id(articles: list[Article]) -> list[Article]:
    return sorted(articles, key=lambda article: article.id)


def check_texts_differ(articles: Iterable[Article]) -> None:
    """Refuse two articles that are one but for case, spaces and punctuation."""
    seen: dict[str, Article] = {}
    for article in articles:
        other = seen.setdefault("".join(re.findall(r"\w+", article.text.casefold())), article)
        if other is not article:
            raise UserError(f"{article.where}: text: the same as that of {other.where}; remove one of them")


def check_words_hold(articles: Iterable[Article]) -> None:
    """Refuse a span that starts or ends inside a word: no tag could hold it."""
    for article in articles:
        for layer in LAYERS:
            for span in encode(article.layer(layer), words(article.text))[1]:
                found = f"{span.label} [{span.start}, {span.end}) {article.text[span.start : span.end]!r:.60}"
                raise UserError(f"{article.where}: {layer}: {found} cuts a word; mark whole words")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(error.code)
