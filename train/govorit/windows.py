"""Articles -> tokens -> overlapping windows -> batches, and windows' scores back to the words of the article."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

import numpy as np
from tokenizers import Tokenizer

from govorit import words
from govorit.article import Article, Span

IGNORED = -100  # the label of a token that stands for no word, or lies in a layer that was not annotated


@dataclass(frozen=True)
class Tokens:
    """An article as an encoder reads it, without special tokens.

    `ids`: (tokens,). `bounds` are the words that have a token of their own, half-open in the text; `heads` (words,) is the first token of
    each. A word without one (white space to this tokenizer, or swallowed by its neighbour's token) can lie inside a span, not at its edge.
    """

    ids: np.ndarray
    bounds: list[tuple[int, int]]
    heads: np.ndarray


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens `[start, end)` of article number `article`; its scores count for tokens `[own_start, own_end)`, where it is most central."""

    article: int
    start: int
    end: int
    own_start: int
    own_end: int


@dataclass(frozen=True)
class Batch:
    """Padded windows: `ids` and `mask` (windows, tokens), `labels` of each layer the same shape, with IGNORED where nothing is asked.

    `hints` are what the rules say of each token, in training, where there are any.
    """

    windows: list[Window]
    ids: np.ndarray
    mask: np.ndarray
    labels: dict[str, np.ndarray]
    hints: np.ndarray | None = None


class Frame:
    """How a tokenizer wraps a window: the special tokens before and after it."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        bare = tokenizer.encode("а", add_special_tokens=False).ids
        whole = tokenizer.encode("а").ids
        at = next(i for i in range(len(whole)) if whole[i : i + len(bare)] == bare)
        self.before, self.after = whole[:at], whole[at + len(bare) :]
        found = (tokenizer.token_to_id(name) for name in ("[PAD]", "<pad>"))
        self.padding = next((i for i in found if i is not None), 0)

    @cached_property
    def size(self) -> int:
        return len(self.before) + len(self.after)

    def pad(
        self,
        windows: Sequence[Window],
        tokens: Sequence[Tokens],
        labels: Mapping[str, Sequence[np.ndarray]] | None = None,
        hints: Sequence[np.ndarray] | None = None,
    ) -> Batch:
        """Lay windows side by side, padded to the longest of them."""
        width = max(w.end - w.start for w in windows) + self.size
        ids = np.full((len(windows), width), self.padding, dtype=np.int64)
        mask = np.zeros((len(windows), width), dtype=np.int64)
        asked = {layer: np.full((len(windows), width), IGNORED, dtype=np.int64) for layer in labels or ()}
        hinted = None if hints is None else np.zeros((len(windows), width), dtype=np.int64)
        for row, window in enumerate(windows):
            line = [*self.before, *tokens[window.article].ids[window.start : window.end], *self.after]
            ids[row, : len(line)], mask[row, : len(line)] = line, 1
            shift = len(self.before) - window.start
            for layer, values in (labels or {}).items():
                own = slice(window.own_start, window.own_end)
                asked[layer][row, window.own_start + shift : window.own_end + shift] = values[window.article][own]
            if hinted is not None and hints is not None:
                hinted[row, window.start + shift : window.end + shift] = hints[window.article][window.start : window.end]
        return Batch(list(windows), ids, mask, asked, hinted)


def tokenize(text: str, tokenizer: Tokenizer) -> Tokens:
    """Turn a whole article into tokens, however long, and find the first token of each word.

    >>> tokens = tokenize("В.Путин сказал", tokenizer); [text[s:e] for s, e in tokens.bounds]
    ['В', '.', 'Путин', 'сказал']
    """
    encoding = tokenizer.encode(text, add_special_tokens=False)
    return _align(text, encoding.ids, encoding.offsets)


def tokenize_all(texts: Sequence[str], tokenizer: Tokenizer) -> list[Tokens]:
    encodings = tokenizer.encode_batch(list(texts), add_special_tokens=False)
    return [_align(text, encoding.ids, encoding.offsets) for text, encoding in zip(texts, encodings, strict=True)]


def _align(text: str, ids: Sequence[int], offsets: Sequence[tuple[int, int]]) -> Tokens:
    bounds = words.words(text)
    starts, ends = np.array(bounds, dtype=np.int64).reshape(-1, 2).T
    begins = [start if end - start < 2 or text[start].isalnum() else _begin(text, start, end) for start, end in offsets]
    heads = np.searchsorted(np.maximum.accumulate(begins, dtype=np.int64), starts)  # the first token that begins no earlier
    own = np.append(begins, len(text))[heads] < ends
    return Tokens(np.array(ids, dtype=np.int32), list(compress(bounds, own.tolist())), heads[own])


def _begin(text: str, start: int, end: int) -> int:
    """Where a token's own text begins: byte-level tokenizers count the space before a word to it, and what is hidden after that space."""
    while start < end - 1 and (text[start].isspace() or unicodedata.category(text[start]) in ("Cf", "Cc")):
        start += 1
    return start


def cut(length: int, size: int, overlap: int, article: int = 0) -> list[Window]:
    """Cut `length` tokens into the fewest windows of at most `size` that share `overlap`, all of one size and no larger than they must be.

    Every token is owned by one window: that in whose middle it stands more nearly.

    >>> [(w.start, w.end, w.own_start, w.own_end) for w in cut(10, 6, 2)]
    [(0, 6, 0, 5), (4, 10, 5, 10)]
    """
    if not 0 <= overlap < size:
        raise ValueError(f"overlap {overlap} must be at least 0 and less than the window's {size} tokens")
    count = 1 if length <= size else -(-(length - overlap) // (size - overlap))
    size = min(size, -(-(length + (count - 1) * overlap) // count))
    starts = [(length - size) * i // (count - 1) if count > 1 else 0 for i in range(count)]
    ends = [min(start + size, length) for start in starts]
    seams = [0, *((end + start) // 2 for end, start in zip(ends[:-1], starts[1:], strict=True)), length]
    return [Window(article, *place) for place in zip(starts, ends, seams[:-1], seams[1:], strict=True)]


def cut_all(tokens: Sequence[Tokens], size: int, overlap: int) -> list[Window]:
    """Cut every article; `size` is without special tokens. An article without tokens gives no window."""
    return [window for i, item in enumerate(tokens) if len(item.ids) for window in cut(len(item.ids), size, overlap, i)]


def label(article: Article, tokens: Tokens, layers: Mapping[str, Sequence[str]]) -> tuple[dict[str, np.ndarray], dict[str, list[Span]]]:
    """Write the article's gold as one label id a token and layer: (tokens,), IGNORED but on the first token of each word.

    Returns the labels, and the spans of each layer that these tokens cannot hold.
    """
    labels: dict[str, np.ndarray] = {}
    refused: dict[str, list[Span]] = {}
    for layer, names in layers.items():
        labels[layer] = np.full(len(tokens.ids), IGNORED, dtype=np.int64)
        if not article.annotated(layer):
            continue
        ids = {name: i for i, name in enumerate(words.tag_names(names))}
        tags, refused[layer] = words.encode([s for s in article.layer(layer) if s.label in names], tokens.bounds)
        labels[layer][tokens.heads] = [ids[tag] for tag in tags]
    return labels, refused


def batches(lengths: Sequence[int], budget: int, rng: np.random.Generator | None = None, pool: int = 50) -> Iterator[list[int]]:
    """Group items into batches whose longest item times their number is at most `budget`, a longer item alone.

    With `rng`, items are shuffled, sorted by length only inside pools of `pool` batches, and the batches come in random order; without, all
    are sorted, longest first.
    """
    order = np.arange(len(lengths)) if rng is None else rng.permutation(len(lengths))
    whole = sum(lengths) if rng is None else budget * pool
    plan: list[list[int]] = []
    for part in pools(order.tolist(), lengths, whole):
        part.sort(key=lambda i: (-lengths[i], i))
        batch: list[int] = []
        for i in part:
            if batch and lengths[batch[0]] * (len(batch) + 1) > budget:
                plan.append(batch)
                batch = []
            batch.append(i)
        plan.append(batch)
    shuffled = range(len(plan)) if rng is None else rng.permutation(len(plan))
    return (plan[i] for i in shuffled)


def pools(order: Iterable[int], lengths: Sequence[int], size: int) -> Iterator[list[int]]:
    """Cut `order`, numbers of items, into pieces of as many as have the length `size` together."""
    part: list[int] = []
    total = 0
    for i in order:
        part.append(i)
        total += lengths[i]
        if total >= size:
            yield part
            part, total = [], 0
    if part:
        yield part
