"""python scripts/select.py: from a pile of raw articles, those that teach a model most, with what it finds in them for people to correct.

The pile may be larger than memory: it is gone through once to check it, so that no mistake costs the model's work, once by the model, and
once or twice to fetch what was picked; of each article some hundred bytes are held. Only the texts of `--known` and of what may be picked
are held whole.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress, islice
from pathlib import Path

from tqdm import tqdm

from govorit import formats, selection
from govorit.article import Article
from govorit.cli import Parser, guarded, preannotation, whole
from govorit.cli.predict import batch_argument, load_model, model_arguments
from govorit.corpora import duplicates, lint
from govorit.errors import UserError
from govorit.formats.options import Options
from govorit.selection import Doubts


def main() -> None:
    guarded(_program)


def _program() -> int:
    options = _options()
    preannotation.check_target(options.to, options.out)
    known = [article.text for source in options.known for article in formats.read(source)]
    pile = _Pile(options.source, options.format)
    pile.survey(known, options.to)
    model, extractor = load_model(options.model, options.engine)
    bar = tqdm(selection.weigh(extractor, pile, options.batch_tokens), desc="weighing", total=sum(pile.fresh), unit="article", disable=None)
    doubts = list(bar)
    chosen, near = _pick(pile, doubts, known, options.number)
    found = extractor.read(chosen.values(), options.batch_tokens)
    noted = (_with_confidence(article, doubts[number]) for number, article in zip(chosen, found, strict=True))
    done = preannotation.write(noted, options.to, options.out, model, extractor.contract.layers.get("entities", ()))
    print(*_said(pile, doubts, [doubts[number] for number in chosen], near), done, sep="\n", file=sys.stderr)
    return 0


def _options() -> argparse.Namespace:
    parser = Parser(prog="select", description="Pick the raw articles whose annotation would teach a model most.")
    parser.add_argument("source", nargs="+", metavar="RAW", help="raw articles: files or folders; what is marked on them is passed over")
    model_arguments(parser)
    parser.add_argument("--number", type=whole(1), default=50, metavar="N", help="how many articles to pick (default: %(default)s)")
    parser.add_argument(
        "--known",
        type=Path,
        nargs="+",
        default=[],
        metavar="DONE",
        help="annotated articles, of which neither copies nor near copies are picked",
    )
    parser.add_argument(
        "--from", dest="format", choices=formats.FORMATS, help="format of the raw articles (default: told by suffix and content)"
    )
    parser.add_argument("--to", choices=("jsonl", *preannotation.TOOLS), default="jsonl", help="what to write (default: jsonl)")
    parser.add_argument("--out", type=Path, required=True, help="file to write, the best article first; for brat a folder")
    batch_argument(parser)
    return parser.parse_args()


@dataclass
class _Pile:
    """The raw articles in their files. After :meth:`survey`, iterating gives those worth reading: with a text, and each once."""

    sources: Sequence[str]
    format: str | None
    fresh: bytearray = field(default_factory=bytearray)
    empty: int = 0
    copies: int = 0

    def __iter__(self) -> Iterator[Article]:
        return (lint.bare(article) for article in compress(self._all(), self.fresh))

    def _all(self) -> Iterator[Article]:
        paths = [Path(source) for source in self.sources]
        reading = Options(ids=formats.told_apart(paths))
        for path in paths:
            yield from formats.read(path, self.format, reading)

    def survey(self, known: Iterable[str], tool: str) -> None:
        """Check every article, and find the copies of others and of `known`.

        Raises:
            UserError: an article cannot be read or written by the tool, two have one id, or there is none.
        """
        seen, taken = {_digest(text) for text in known}, set[str]()
        for article in tqdm(self._all(), desc="checking", unit="article", disable=None, leave=False):
            digest = _digest(lint.bare(article).text)
            worth = bool(article.text.strip()) and digest not in seen
            self.fresh.append(worth)
            if worth:
                preannotation.check_id(article, tool, taken)
                seen.add(digest)
            elif article.text.strip():
                self.copies += 1
            else:
                self.empty += 1
        if not any(self.fresh):
            raise UserError(f"{', '.join(map(str, self.sources))}: no article in it that is not annotated yet")

    def fetch(self, numbers: Sequence[int]) -> list[Article]:
        """Read the articles of these numbers again, in the order of the numbers."""
        wanted = set(numbers)
        found = {number: article for number, article in enumerate(self) if number in wanted}
        return [found[number] for number in numbers]


def _digest(text: str) -> bytes:
    return hashlib.blake2b(duplicates.normalise(text).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _pick(pile: _Pile, doubts: Sequence[Doubts], known: Sequence[str], count: int) -> tuple[dict[int, Article], int]:
    """Take the best `count` articles by number, in order; the second figure is how many were passed over as nearly known or picked."""
    order = selection.order(doubts)
    chosen: dict[int, Article] = {}
    near = 0
    while len(chosen) < count and (numbers := list(islice(order, 2 * count))):
        articles = pile.fetch(numbers)
        before = [*known, *(article.text for article in chosen.values())]
        groups = duplicates.groups([*before, *(article.text for article in articles)])
        doubled = {number - len(before) for group in groups for number in group[1:]}
        for place, (number, article) in enumerate(zip(numbers, articles, strict=True)):
            if len(chosen) < count:
                near += place in doubled
                chosen |= {} if place in doubled else {number: article}
    return chosen, near


def _with_confidence(article: Article, doubts: Doubts) -> Article:
    return replace(article, meta={**article.meta, "confidence": f"{selection.confidence([doubts]):.4f}"})


def _said(pile: _Pile, doubts: Sequence[Doubts], chosen: Sequence[Doubts], near: int) -> Iterator[str]:
    left_out = {"copies": pile.copies, "without text": pile.empty, "nearly the same as others picked or known": near}
    yield f"read {len(doubts):,} articles; left out: {', '.join(f'{count:,} {what}' for what, count in left_out.items())}"
    words = sum(article.words for article in chosen)
    figures = f"{selection.confidence(chosen):.3f}, that of all {selection.confidence(doubts):.3f}"
    yield f"picked {len(chosen):,}, {words:,} words to annotate; mean confidence {figures}"
