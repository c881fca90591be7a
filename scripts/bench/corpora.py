"""Measure what converts and checks corpora, and write the tables into scripts/bench/README.md.

usage: python scripts/bench/corpora.py [DATA_ROOT] [--megabytes 1000]

Time and peak memory of scripts/convert.py on generated articles; duplicates planted across a split and found; with DATA_ROOT (see
data/README.md) the totals of factRuEval and NEREL, and whether each of their articles is the same after a round trip through each format.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from tables import markdown, replace_between

from govorit import formats
from govorit.article import CUE, SPEAKER, Article, Quote, Span
from govorit.cli.convert import SUFFIXES
from govorit.corpora import corpus, splits
from govorit.corpora.duplicates import NEAR, normalise, similarity
from govorit.errors import UserError
from govorit.formats import jsonl

ROOT = Path(__file__).resolve().parents[2]
WORDS = 300  # of a generated article
PLANTED = 200
CORPORA = {"factRuEval-2016 devset": ["factrueval-2016/devset"], "NEREL 1.1 train, dev": ["nerel-v1.1/train", "nerel-v1.1/dev"]}
FLAT = ("jsonl", "brat", "inline", "conll", "labelstudio", "hf", "xmi", "docbin")
NESTED = ("jsonl", "brat")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, nargs="?", help="folder of the public corpora, see data/README.md")
    parser.add_argument("--megabytes", type=int, default=1000, help="size of the large file (default: 1000)")
    parser.add_argument("--work", type=Path, help="folder for temporary files, three times as large as the file (default: the system's)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.work) as work:
        tables = [
            converting(Path(work), options.megabytes),
            duplicates(),
            *([round_trips(options.root, Path(work))] if options.root else []),
        ]
    text = "\n\n".join(tables)
    print(text)
    replace_between("corpora", text)


# Converting


def converting(work: Path, megabytes: int) -> str:
    rows = []
    for size in (10_000, megabytes * 10**6):
        source = work / "source.jsonl"
        number = generate(source, articles=size) if size == 10_000 else generate(source, size=size)
        what = f"{number:,} articles, {source.stat().st_size / 1e6:,.0f} MB of JSON Lines"
        for name, target in (("jsonl", "out.jsonl"), ("hf", "out.parquet")):
            seconds, memory = measured(source, "--to", name, "--out", work / target)
            rows.append([what, name + (" (Parquet)" if name == "hf" else ""), f"{seconds:.0f} s", f"{memory:,.0f} MB"])
            (work / target).unlink()
            print(rows[-1], flush=True)
            what = ""
    return markdown(["converted", "to", "time", "peak memory"], rows)


def generate(path: Path, articles: int = 0, size: int = 0) -> int:
    """Write so many articles, or articles of so many bytes; their texts come again after the first 5,000."""
    rng = random.Random(0)
    stock = [article(rng, str(i)) for i in range(5000)]
    written = 0
    with path.open("wb") as file:
        for number in count() if size else range(articles):
            written += file.write(f"{jsonl.dump(replace(stock[number % len(stock)], id=f'a-{number}'))}\n".encode())
            if size and written >= size:
                return number + 1
    return articles


def article(rng: random.Random, id: str) -> Article:
    """An article of some 300 words with 20 entities and 4 quotations."""
    text, entities, quotes = "", [], []

    def add(words: Sequence[str], label: str = "", end: str = " ") -> Span:
        nonlocal text
        start = len(text)
        text += " ".join(words)
        span = Span(start, len(text), label)
        text += end
        return span

    for part in range(20):
        add(rng.sample(VOCABULARY, WORDS // 30), end=", ")
        entities.append(add(rng.sample(VOCABULARY, rng.randrange(1, 3)), rng.choice(("PER", "LOC", "ORG"))))
        if part % 5 == 4:
            add(rng.sample(VOCABULARY, 3), end=". ")
            speaker, cue = add(rng.sample(VOCABULARY, 2), SPEAKER), add(["сказал"], CUE, ": ")
            said = add(["«" + " ".join(rng.sample(VOCABULARY, 12)) + "»"], "DIRECT", ". ")
            quotes.append(Quote("direct", (said,), cue, speaker, text[speaker.start : speaker.end]))
        else:
            add(rng.sample(VOCABULARY, 3), end=". ")
    return Article(id, text.strip(), tuple(entities), tuple(quotes), {"title": "Новость"})


def vocabulary() -> list[str]:
    rng = random.Random(0)
    syllables = [a + b for a in "бвгдклмнпрст" for b in "аеёиоуыя"]
    return sorted({"".join(rng.choices(syllables, k=rng.randrange(1, 5))) for _ in range(20_000)})


VOCABULARY = vocabulary()


def measured(*arguments: object) -> tuple[float, float]:
    """Run scripts/convert.py; seconds and the peak of its memory in MB."""
    started = time.monotonic()
    command = [sys.executable, str(ROOT / "scripts/convert.py"), *map(str, arguments)]
    process = os.posix_spawn(sys.executable, command, os.environ)
    _, status, usage = os.wait4(process, 0)
    assert status == 0, f"convert failed: {arguments}"
    return time.monotonic() - started, usage.ru_maxrss / 1000


# Duplicates


def duplicates() -> str:
    rng = random.Random(1)
    train = [article(rng, f"train-{i}") for i in range(10_000)]
    originals = iter(train)
    planted = {kind: [copy(kind, next(originals), rng) for _ in range(PLANTED)] for kind in COPIES}
    dev = [article(rng, f"dev-{i}") for i in range(1000)]
    started = time.monotonic()
    notes = list(splits.leaks({"train": train, "dev": [*dev, *(a for copies in planted.values() for a in copies)], "test": []}, NEAR))
    seconds = time.monotonic() - started
    rows = []
    for kind, copies in planted.items():
        found = sum(any(f"{a.id!r} of dev" in note and f"{a.meta['of']!r} of train" in note for note in notes) for a in copies)
        rows.append([f"{kind}", f"{found} of {len(copies)}"])
    rows.append(["none planted: alarms", f"{len(notes) - sum(map(len, planted.values()))}"])
    head = f"planted across a split of {len(train):,} and {len(dev):,} articles ({seconds:.0f} s)"
    return markdown([head, "found, both articles named"], rows)


COPIES: dict[str, Callable[[str, random.Random], str]] = {
    "exact": lambda text, rng: text,
    "case, ё, white space changed": lambda text, rng: rng.choice((str.upper, str.title))(text.replace("ё", "е")).replace(" ", " \n"),
    f"near: Jaccard index of 5-grams {NEAR} to 0.9": lambda text, rng: near(text, rng),
}  # fmt: skip


def copy(kind: str, original: Article, rng: random.Random) -> Article:
    text = COPIES[kind](original.text, rng)
    assert (normalise(text) == normalise(original.text)) != kind.startswith("near")
    return Article(f"{kind.split()[0].strip(',:')}-{original.id}", text, meta={"of": original.id})


def near(text: str, rng: random.Random) -> str:
    """Put other words in place of some until the index is between 0.8 and 0.9."""
    words = text.split()
    while similarity(text, " ".join(words)) > 0.9:
        words[rng.randrange(len(words))] = "иное"
    assert similarity(text, " ".join(words)) >= NEAR
    return " ".join(words)


# The public corpora


def round_trips(root: Path, work: Path) -> str:
    rows: list[list[object]] = []
    for name, folders in CORPORA.items():
        read = [article for folder in folders for article in formats.read(root / folder)]
        left_out = sum(len(article.meta[formats.LEFT_OUT].split("\n")) for article in read if formats.LEFT_OUT in article.meta)
        bare = [replace(article, meta={}) for article in read]
        entities = sum(len(article.entities) for article in read)
        flat = [replace(article, entities=corpus.outermost(article.entities)) for article in bare]
        nests = flat != [replace(article, entities=tuple(sorted(article.entities, key=lambda s: s.start))) for article in bare]
        rows.append(
            [
                name,
                f"{len(read):,}",
                f"{marks(root, folders):,}",
                f"{entities:,}",
                left_out,
                ", ".join(same(bare, work, NESTED if nests else FLAT)),
            ]
        )
        if nests:
            outer = sum(len(article.entities) for article in flat)
            rows.append(
                [f"{name}, outermost", f"{len(flat):,}", "", f"{outer:,}", f"{entities - outer:,}", ", ".join(same(flat, work, FLAT))]
            )
    return markdown(
        ["corpus", "articles", "lines in its files", "entities taken", "left out, and listed", "articles the same after a round trip"], rows
    )


def marks(root: Path, folders: Sequence[str]) -> int:
    """How many entities (brat) or objects (factRuEval, one of which may be several names or none) the files of a corpus list."""
    lines = (
        line for folder in folders for file in (root / folder).iterdir() if file.suffix in (".ann", ".objects") for line in file.open("rb")
    )
    return sum(line[:1] == b"T" or line[:1].isdigit() for line in lines)


def same(articles: Sequence[Article], work: Path, names: Sequence[str]) -> Iterator[str]:
    """For each format, how many articles are what they were after it was written and read."""
    for name in names:
        equal = refused = 0
        with tempfile.TemporaryDirectory(dir=work) as folder:
            for part in ([article] for article in articles):
                target = Path(folder) / f"{part[0].id}{SUFFIXES.get(name, '')}"
                try:
                    formats.write(part, target, name)
                except UserError:
                    refused += 1
                    continue
                back = {article.id: plain(article) for article in formats.read(target, name)}
                equal += sum(back.get(article.id) == plain(article) for article in part)
        yield f"{name} {'all' if equal == len(articles) else f'{equal:,}'}" + (f" ({refused} refused)" if refused else "")


def plain(article: Article) -> tuple[str, list[Span]]:
    return article.text, sorted(article.entities, key=lambda span: (span.start, span.end, span.label))


if __name__ == "__main__":
    main()
