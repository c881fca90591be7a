"""python scripts/convert.py: annotated articles of any format into any other, checked on the way.

Articles pass one at a time, so that a corpus may be larger than memory; only digests of their ids are held. Two things hold more:
`--split` holds the articles, and splits that the corpus comes with are checked for leaks as long as their texts have no more than
LEAK_LIMIT characters. What is written is what the sources say now: nothing is kept from one run to the next, and no time stamp is
looked at.

The output is made in a hidden folder beside DST and renamed at the end: a run that fails leaves nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from govorit import formats
from govorit.article import QUOTE_LABELS, Article
from govorit.cli import Parser, counted, guarded
from govorit.cli.lint import reading_arguments, reading_options
from govorit.config import Source, Split
from govorit.corpora import corpus, lint, splits
from govorit.corpora.duplicates import NEAR
from govorit.errors import UserError
from govorit.formats import jsonl
from govorit.formats.options import Options

LEAK_LIMIT = 200_000_000
# Formats that are made for corpora larger than memory, and what they do not hold. What others do not hold is found by reading them back.
STREAMED: dict[str, tuple[str, ...]] = {"jsonl": (), "hf": ("scores",)}
# Formats of which a file is a corpus, and its name's end; the others make a folder.
SUFFIXES = {"jsonl": ".jsonl", "conll": ".conll", "labelstudio": ".json", "docbin": ".spacy"}
# What formats write beside the files of articles.
BESIDE = {"brat": ("annotation.conf",), "xmi": ("TypeSystem.xml",), "hf": formats.SAVED}


def main() -> None:
    guarded(_program)


def _program() -> int:
    options = _options()
    _check_target(options)
    try:
        with TemporaryDirectory(prefix=f".{options.out.name:.100}-", dir=_above(options.out)) as work:
            said = _made(options, Path(work))
    except OSError as error:
        raise UserError(f"--out: {options.out}: {error.strerror or error}; nothing was written") from None
    print(*said, sep="\n", file=sys.stderr)
    return 0


def _made(options: argparse.Namespace, work: Path) -> list[str]:
    """Make the output in the folder `work`, then move it to its place; messages name that place alone."""
    target = work / options.out.name

    def told(message: object) -> str:
        return str(message).replace(str(target), str(options.out)).replace(str(work), str(options.out))

    try:
        name = options.to or _told(target, options.out)
        said = _convert(options, name, target, work)
        _put(target, options.out, work, name)
    except UserError as error:
        raise UserError(told(error)) from None
    except OSError as error:
        raise UserError(f"{told(error.filename or options.out)}: {error.strerror or error}; nothing was written") from None
    return said


def _above(path: Path) -> Path:
    """The nearest folder above `path` that is there."""
    return next(place for place in path.absolute().parents if place.is_dir())


def _options() -> argparse.Namespace:
    parser = Parser(prog="convert", description="Convert annotated articles from any format to any other.")
    parser.add_argument(
        "source", nargs="+", metavar="SRC", help="annotated articles: files or folders; a folder's train, dev and test are kept"
    )
    parser.add_argument("--to", choices=formats.WRITABLE, help="format to write (default: told by the suffix of DST)")
    parser.add_argument("--out", type=Path, required=True, metavar="DST", help="file or folder to write")
    reading_arguments(parser)
    parser.add_argument("--nested", choices=("refuse", "outermost"), default="refuse", help="entities inside entities (default: refuse)")
    parser.add_argument(
        "--labels", type=_labels, default={}, metavar="A,B=C", help="entity labels to keep, others left out; B=C writes B as C"
    )
    parser.add_argument(
        "--split", type=_split, metavar="dev=0.1,test=0.1,seed=0", help="share the articles out (also near=0.8, folds=5,fold=0)"
    )
    parser.add_argument("--parquet", action="store_true", help="with --to hf: write DST/parquet as well, a file a split")
    parser.add_argument("--force", action="store_true", help="replace DST, if nothing of another format lies in it")
    return parser.parse_args()


def _labels(value: str) -> dict[str, str]:
    pairs = (item.strip().partition("=") for item in value.split(",") if item.strip())
    return {theirs: ours or theirs for theirs, _, ours in pairs}


def _split(value: str) -> tuple[Split, int]:
    """Read `dev=0.1,test=0.1,seed=0`: the split, and the seed."""
    types = {"dev": float, "test": float, "near": float, "folds": int, "fold": int, "seed": int}
    given: dict[str, float] = {}
    for item in value.split(","):
        key, _, number = item.strip().partition("=")
        try:
            given[key] = types[key](number)
        except (KeyError, ValueError):
            raise argparse.ArgumentTypeError(f"found {item!r}, expected one of {', '.join(f'{name}=NUMBER' for name in types)}") from None
    seed = int(given.pop("seed", 0))
    return Split(**given), seed  # type: ignore[arg-type]


def _check_target(options: argparse.Namespace) -> None:
    out: Path = options.out
    if out.name in ("", "..") or "\0" in str(out):
        raise UserError(f"--out: {str(out)!r}: expected the name of a file or folder to make")
    if os.path.lexists(out) and not options.force:
        raise UserError(f"--out: {out}: is there already; name another, or replace it with --force")
    blocked = next((place for place in out.absolute().parents if place.exists()), out)
    if not blocked.is_dir():
        raise UserError(f"--out: {out}: {blocked} is no folder; name another")
    for source in map(Path, options.source):
        if out.resolve() in source.resolve().parents:
            raise UserError(f"--out: {out}: {source} lies in it and would be lost; name another")
    if options.parquet and (options.to != "hf" or out.suffix.lower() == ".parquet"):
        raise UserError("--parquet: goes with --to hf and a folder to write; leave it out")


def _convert(options: argparse.Namespace, name: str, target: Path, work: Path) -> list[str]:
    """Write everything to `target` in the format `name`; return what there is to say."""
    reader = _Reader(options)
    parts = _parts(options, reader)
    places = {split: target / f"{split}{SUFFIXES.get(name, '')}" if split else target for split in parts}
    if name == "hf":
        _write_datasets(parts, places, target, work, options.parquet)
    else:
        if "" not in parts:
            target.mkdir()
        for split, articles in parts.items():
            formats.write(articles, places[split], name)
    reader.finish()
    lost = [f"{reader.tally[key]} {key}" for key in STREAMED.get(name, ()) if reader.tally[key]]
    if name not in STREAMED:
        lost = _lost(reader.tally, _read_back(places.values(), name), name)
    head = ", ".join(counted(reader.tally[key], key) for key in ("articles", "characters", "entities", "quotations"))
    shares = "; " + ", ".join(f"{split} {reader.sizes[split]}" for split in parts) if "" not in parts else ""
    return [*reader.notes, *([f"{name} does not hold: {', '.join(lost)}"] if lost else []), f"{options.out}: {head}{shares}"]


def _told(target: Path, out: Path) -> str:
    if out.suffix.lower() in (".txt", ".json"):
        raise UserError(f"--to: cannot be told from {out.name!r}; name a format")
    return formats.detect(target)


def _parts(options: argparse.Namespace, reader: _Reader) -> dict[str, Iterator[Article]]:
    """The articles by split; all of them as `""` where there are no splits."""
    paths = [Path(source) for source in options.source]
    given = corpus.splits_in(paths[0]) if len(paths) == 1 else {}
    if given and options.split:
        raise UserError(f"--split: {paths[0]} comes with splits of its own ({', '.join(given)}); leave --split out, or name its files")
    reading = replace(reading_options(options), ids=formats.told_apart(given.values() or paths))
    if given:
        return {split: reader.read([path], split, reading) for split, path in given.items()}
    if not options.split:
        return {"": reader.read(paths, "", reading)}
    shared = splits.share_out(list(reader.read(paths, "", reading)), *options.split)
    reader.sizes.update({split: len(articles) for split, articles in shared.items()})
    return {split: iter(articles) for split, articles in shared.items() if articles}


@dataclass
class _Reader:
    """Reads sources, checks every article, and counts what passes."""

    options: argparse.Namespace
    notes: list[str] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    ids: set[bytes] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)  # that the sources have
    held: splits.Splits | None = field(default_factory=dict)

    def read(self, paths: Sequence[Path], split: str, reading: Options) -> Iterator[Article]:
        source = Source(labels=self.options.labels, nested=self.options.nested)
        self.notes += formats.passed_over(paths)
        for path in paths:
            found = self._noted(formats.read(path, self.options.format, reading))
            articles = corpus.convert(found, str(path), source, self.notes.append)
            for article in tqdm(articles, desc=path.name, unit="article", disable=None, leave=False):
                self._check(article)
                _count(self.tally, article)
                self.sizes[split] += 1
                self._hold(article, split)
                yield article

    def finish(self) -> None:
        """Refuse a corpus without articles; find the leaks."""
        if not self.tally["articles"]:
            raise UserError(f"{', '.join(self.options.source)}: no articles in it")
        for label in self.options.labels:
            if label not in self.labels:
                raise UserError(f"--labels: {label!r} is not in the articles; they have {', '.join(sorted(self.labels)) or 'no entities'}")
        if self.held is None:
            self.notes.append(f"leaks: not looked for, since the texts have more than {LEAK_LIMIT:,} characters")
        else:
            self.notes += splits.leaks(self.held, NEAR)

    def _noted(self, articles: Iterable[Article]) -> Iterator[Article]:
        for article in articles:
            self.labels.update(span.label for span in article.entities)
            yield article

    def _check(self, article: Article) -> None:
        lint.check([article])
        digest = hashlib.blake2b(article.id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if digest in self.ids:
            raise UserError(f"{article.where or article.id}: id: {article.id!r} came before; give every article an id of its own")
        self.ids.add(digest)

    def _hold(self, article: Article, split: str) -> None:
        if split and self.held is not None:
            self.held.setdefault(split, []).append(Article(article.id, article.text))
            if self.tally["characters"] > LEAK_LIMIT:
                self.held = None


def _write_datasets(parts: dict[str, Iterator[Article]], places: dict[str, Path], target: Path, work: Path, parquet: bool) -> None:
    """Write what `load_from_disk` reads, the splits' labels the same; with `parquet`, target/parquet/SPLIT.parquet as well."""
    import json

    from govorit.formats import hf

    labels: dict[str, set[str]] = {"entities": set(), "quotes": set()}
    for split, articles in parts.items():
        jsonl.write(_noted(articles, labels), work / f"{split}.spool")
    known = {"entities": sorted(labels["entities"]), "quotes": list(QUOTE_LABELS) * bool(labels["quotes"])}
    known = {layer: names for layer, names in known.items() if names}
    if "" not in parts:
        target.mkdir()
        (target / "dataset_dict.json").write_text(json.dumps({"splits": list(parts)}), encoding="utf-8")
    for split, place in places.items():
        with (work / f"{split}.spool").open("rb") as spool:
            hf.write(jsonl.read_lines(spool, str(place)), place, labels=known)
            if parquet:
                (target / "parquet").mkdir(exist_ok=True)
                spool.seek(0)
                hf.write(jsonl.read_lines(spool, str(place)), target / "parquet" / f"{split or 'train'}.parquet", labels=known)


def _noted(articles: Iterable[Article], labels: dict[str, set[str]]) -> Iterator[Article]:
    for article in articles:
        labels["entities"].update(span.label for span in article.entities)
        labels["quotes"].update(quote.kind for quote in article.quotes)
        yield article


def _count(tally: Counter[str], article: Article) -> None:
    """Count what an article has, and add up digests of what no count shows."""
    parts = [part for quote in article.quotes for part in (quote.cue, quote.speaker, *quote.content) if part is not None]
    tally["articles"] += 1
    tally["characters"] += len(article.text)
    tally["entities"] += len(article.entities)
    tally["quotations"] += len(article.quotes)
    tally["pieces of quotations"] += sum(len(quote.content) for quote in article.quotes)
    tally["cues"] += sum(quote.cue is not None for quote in article.quotes)
    tally["speakers"] += sum(quote.speaker is not None for quote in article.quotes)
    tally["names of speakers"] += sum(quote.name is not None for quote in article.quotes)
    tally["scores"] += sum(span.score is not None for span in (*article.entities, *parts)) + sum(
        q.score is not None for q in article.quotes
    )
    for key in article.meta:
        tally[f"meta {key}"] += 1
    bare = [replace(span, score=None) for span in article.entities]
    for key, value in (("ids", article.id), ("texts", article.text), ("places", tuple(sorted((s.start, s.end, s.label) for s in bare)))):
        tally[f"#{key}"] = (tally[f"#{key}"] + hash((key, value))) % 2**64


def _read_back(places: Iterable[Path], name: str) -> Counter[str]:
    tally: Counter[str] = Counter()
    for place in places:
        for article in tqdm(formats.read(place, name), desc="reading back", unit="article", disable=None, leave=False):
            _count(tally, article)
    return tally


def _lost(before: Counter[str], after: Counter[str], name: str) -> list[str]:
    """What is not in what was written."""
    lost = [f"{count - after[key]} of {count} {key}" for key, count in before.items() if key[0] != "#" and after[key] < count]
    lost += [f"the {key} as they were" for key in ("ids", "texts") if before[f"#{key}"] != after[f"#{key}"]]
    if not lost and before["#places"] != after["#places"] and before["entities"] == after["entities"]:
        raise UserError(f"{name}: entities moved while they were written; nothing was kept: please report this")
    return lost


def _put(target: Path, out: Path, work: Path, name: str) -> None:
    """Move what was made to where it was asked for, in place of what is there."""
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.exists() and not out.is_symlink() and out.is_dir() != target.is_dir():
        there, made = ("a folder", "a file") if out.is_dir() else ("a file", "a folder")
        raise UserError(f"--out: {out}: is {there}, and {made} was to be written; name another, or remove it yourself")
    if out.is_dir() and not out.is_symlink():
        other = next((file for file in sorted(out.rglob("*")) if not file.is_dir() and not _is_of(name, file)), None)
        if other is not None:
            raise UserError(f"--out: {out}: has {other.relative_to(out)} in it, which is not of this format; remove the folder yourself")
    if os.path.lexists(out):
        old = work / "replaced"
        out.rename(old)
        try:
            target.rename(out)
        except OSError:
            old.rename(out)
            raise
    else:
        target.rename(out)


def _is_of(name: str, file: Path) -> bool:
    """Whether the format `name` may have written a file."""
    if file.name in BESIDE.get(name, ()):
        return True
    if name == "brat" and file.suffix.lower() == ".txt":
        return formats.beside(file, ".ann").is_file()
    try:
        return formats.detect(file) == name
    except UserError:
        return False
