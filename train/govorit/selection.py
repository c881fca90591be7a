"""Raw articles -> those that teach a model most: where it doubts, no doubt twice over, weighed against the work of annotating.

The doubt at a word is 1 - p of its most probable tag, in each layer: summed over an article, the number of tags that the model itself
expects to get wrong. Words are told apart by layer and stem, and what a stem teaches wears off: a set of articles is worth
Σ log(1 + doubt at each stem), so that the tenth article about one unknown ministry brings little, and one where everything is sure
brings nothing (a concave function over features, submodular: Wei, Iyer, Bilmes 2015, "Submodularity in Data Subset Selection and
Active Learning"). An article costs its words and COST more, what it takes to open and understand it; without the words, long articles
would win by their length, without COST, scraps of two lines by chance. The best worth for its cost is taken first, over and over,
which for such functions comes near to the best set that there is (Nemhauser, Wolsey, Fisher 1978).

Of an article only its stems with a doubt of at least FAINT are kept, 8 bytes each: 100,000 articles take 100 to 300 MB, and to order them
three seconds.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from govorit import windows
from govorit.article import Article

if TYPE_CHECKING:
    from govorit.extractor import Extractor

COST = 100  # words
FAINT = 0.02
STEM = 5  # letters: about what endings leave of a Russian word


@dataclass(frozen=True)
class Doubts:
    """What is kept of an article: its number of words, the doubt of all of them, and where it lies: `keys` of stems with their `masses`."""

    words: int
    total: float
    keys: np.ndarray
    masses: np.ndarray


def confidence(articles: Sequence[Doubts]) -> float:
    """The mean probability of the tags that the model would give, 1 where there are no words."""
    words = sum(article.words for article in articles)
    return 1 - sum(article.total for article in articles) / words if words else 1.0


def weigh(extractor: Extractor, articles: Iterable[Article], batch_tokens: int = 2048, pool: int = 64) -> Iterator[Doubts]:
    """Weigh articles of any length, in their order, `pool` at a time.

    The quotes layer is weighed as it decides, with its hints. By what the network thinks without them, every long quotation is doubtful:
    on 90 dev articles it expected 2,650 wrong tags and with hints 630, and its order of the articles agreed less with how many spans were
    wrong in them per word (Spearman's ρ 0.53, with hints 0.64).
    """
    source, hints = iter(articles), extractor.aids.hints
    while part := list(islice(source, pool)):
        tokens = windows.tokenize_all([article.text for article in part], extractor.tokenizer)
        for article, item, scores in zip(part, tokens, extractor.score(tokens, batch_tokens), strict=True):
            if hints is not None:
                scores["quotes"] = hints.add(scores["quotes"], article.text, item.bounds, scores)
            yield doubts(article.text, item.bounds, scores, extractor.contract.layers)


def doubts(text: str, bounds: Sequence[tuple[int, int]], scores: Mapping[str, np.ndarray], layers: Iterable[str]) -> Doubts:
    """Weigh an article by the log-probabilities of its words, (words, tags) in each layer, at `bounds`."""
    layers = list(layers)
    total = 0.0
    found: dict[int, float] = {}
    for layer in layers:
        doubt = 1 - np.exp(scores[layer].max(axis=1).astype(np.float64))
        total += float(doubt.sum())
        for i in np.flatnonzero(doubt >= FAINT).tolist():
            start, end = bounds[i]
            key = crc32(f"{layer} {text[start:end].casefold()[:STEM]}".encode("utf-8", "surrogatepass"))
            found[key] = found.get(key, 0.0) + float(doubt[i])
    keys = sorted(found)
    return Doubts(len(bounds), total / len(layers), np.array(keys, np.uint32), np.array([found[key] for key in keys], np.float32))


def order(articles: Sequence[Doubts]) -> Iterator[int]:
    """Number articles from the one to annotate first; ties go to the lower number.

    >>> sure, unsure = Doubts(50, 0.1, np.array([1]), np.array([0.1])), Doubts(50, 2.0, np.array([2, 3]), np.array([1.0, 1.0]))
    >>> list(order([sure, unsure, unsure]))
    [1, 2, 0]
    """
    sizes = np.array([len(article.keys) for article in articles], np.int64)
    ends = np.cumsum(sizes)
    stems, ids = np.unique(np.concatenate([np.zeros(0, np.uint32), *(article.keys for article in articles)]), return_inverse=True)
    gathered = np.zeros(len(stems))

    def worth(number: int) -> float:
        before = gathered[ids[ends[number] - sizes[number] : ends[number]]]
        return float(np.log1p(articles[number].masses / (1 + before)).sum()) / (articles[number].words + COST)

    # What an article would add only falls as others are taken: whoever stays ahead of the second's last figure is the best of all.
    waiting = [(-worth(number), number) for number in range(len(articles))]
    heapq.heapify(waiting)
    while waiting:
        _, number = heapq.heappop(waiting)
        now = (-worth(number), number)
        if waiting and now > waiting[0]:
            heapq.heappush(waiting, now)
            continue
        yield number
        gathered[ids[ends[number] - sizes[number] : ends[number]]] += articles[number].masses
