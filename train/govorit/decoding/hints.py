"""What the quotation rules find, as hints to the network: its own reading of the syntax -> rules -> a tag for each word.

An encoder that was pre-trained with silver labels (`silver.py`) can say of each word what natasha would say. Rules over that find most
quotations; the network learns how far to believe them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from razdel import tokenize

from govorit import rules, words
from govorit.article import QUOTE_LABELS, Span

SYNTAX = "syntax."  # begins the keys of what the network reads for the rules, before the name of a silver layer
_IDS = {name: number for number, name in enumerate(words.tag_names(QUOTE_LABELS), 1)}
COUNT = len(_IDS) + 1  # of different hints: 0 says that nobody has looked
_TRUST = 3.0  # what a hint adds to the score of its own tag before anything is learnt
# What stands between two spaces, or a line's end: most often a word with marks that are tokens of their own.
_PIECE = re.compile(r"(?<!\S)[«„“\"(]?(?P<word>[А-яЁё]++)[»”“\")]?[,.:;]?(?!\S)|\S+|\n")


@dataclass(frozen=True)
class Hints:
    """How scores change by hints: `weights` (COUNT, tags) are added; `names` are the labels of each silver layer."""

    weights: np.ndarray
    names: Mapping[str, Sequence[str]]

    def add(self, scores: np.ndarray, text: str, bounds: Sequence[tuple[int, int]], read: Mapping[str, np.ndarray]) -> np.ndarray:
        """Add what the rules find to the log-probabilities of the quotes layer, (words, tags); `read` as in :func:`find`."""
        return self.shift(scores, find(text, bounds, read, self.names))

    def shift(self, scores: np.ndarray, hinted: np.ndarray) -> np.ndarray:
        """Add what hints (words,) say to the log-probabilities (words, tags)."""
        return log_softmax(scores + self.weights[hinted])


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Turn logits (…, labels) into log-probabilities, label by label: a sum over each short row by itself takes thrice the time."""
    return logits - np.logaddexp.reduce(np.ascontiguousarray(np.moveaxis(logits, -1, 0)))[..., None]


def find(text: str, bounds: Sequence[tuple[int, int]], read: Mapping[str, np.ndarray], names: Mapping[str, Sequence[str]]) -> np.ndarray:
    """Tag the words `bounds` by rules: (words,) numbers from 1 to below `COUNT`, in the order of QUOTE_LABELS' tags.

    `read` has under `SYNTAX` and the name of each silver layer the label of every word, (words,) numbers into `names` of that layer.
    """
    return numbers(rules.find(text, *tokens(text, bounds, read, names), names), bounds)


def numbers(spans: Iterable[Span], bounds: Sequence[tuple[int, int]]) -> np.ndarray:
    """Number the words `bounds` by the spans of quotations over them, as :func:`find` does: (words,)."""
    tags, _ = words.encode(spans, bounds)
    return np.array([_IDS[tag] for tag in tags], dtype=np.int64)


def tokens(
    text: str, bounds: Sequence[tuple[int, int]], read: Mapping[str, np.ndarray], names: Mapping[str, Sequence[str]]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Hand what is read of the words `bounds` on to razdel's tokens, which are the rules': where each starts, and its label in each layer.

    A token such as `пресс-секретарь` or `т.д.` is several words, and has what is read of the first.
    """
    starts = np.array(_starts(text) if bounds else [], dtype=np.int32)
    at = np.searchsorted([start for start, _ in bounds], starts, side="right") - 1
    return starts, {layer: read[SYNTAX + layer][np.maximum(at, 0)] for layer in names}


def first_weights(labels: Sequence[str]) -> np.ndarray:
    """The weights to begin with, (COUNT, tags): a hint speaks for its own tag."""
    tags = words.tag_names(labels)
    return np.array([[_TRUST * (tag == hint) for tag in tags] for hint in (None, *_IDS)], dtype=np.float32)


def _starts(text: str) -> list[int]:
    """Where razdel's tokens start; it joins nothing over a space."""
    starts: list[int] = []
    before = ""
    for piece, behind in pairwise(_PIECE.finditer(text + "\n")):
        start, end = piece.span()
        if piece.lastgroup:
            first, last = piece.span("word")
            if start < first:
                starts.append(start)
            starts.append(first)
            if last < end:
                starts += range(last, end)
        else:
            starts += [start + at for at in _cut(before, piece[0], behind[0][0])]
        before = text[end - 1]
    return starts


@lru_cache(maxsize=1 << 16)
def _cut(before: str, piece: str, after: str) -> tuple[int, ...]:
    """Where tokens start in what stands between two spaces; razdel looks at the character beyond either, `кто -то`."""
    shift = len(before) + 1
    return tuple(token.start - shift for token in tokenize(f"{before} {piece} {after}") if 0 <= token.start - shift < len(piece))
