"""Names that an article repeats: what a name is taken for in one place counts where it stands again.

An encoder takes `Мугабе` for a person here and for a place there. Within one article a name nearly always means one thing (Krishnan and
Manning 2006), so every capitalised word is scored with its other occurrences in mind.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_WEIGHT = 0.5  # of the mean over the other occurrences, beside the word's own scores; both chosen on dev splits (scripts/bench/README.md)
_FLOOR = 1e-3  # of a probability: one occurrence rules nothing out for the others
_SHORTEST = 3  # letters: `В` and `Он` are capitals of sentences


def pool(scores: np.ndarray, text: str, bounds: Sequence[tuple[int, int]]) -> np.ndarray:
    """Add to the scores of each capitalised word what its other occurrences in the article are taken for, in most cases of the name.

    Args:
        scores: (words, tags) log-probabilities, in the order of :func:`govorit.words.tag_names`.
        bounds: the words, half-open.

    Returns:
        Log-probabilities of the same shape. B and I of a label move together, so that spans begin where they began.
    """
    stems: dict[str, int] = {}
    places, groups = [], []
    for i, (start, end) in enumerate(bounds):
        if end - start >= _SHORTEST and text[start].isupper():
            places.append(i)
            groups.append(stems.setdefault(stem(text[start:end]), len(stems)))
    if len(stems) == len(places):
        return scores
    own = np.log(np.maximum(_by_label(scores[places]), _FLOOR))
    sums = np.zeros((len(stems), own.shape[1]))
    np.add.at(sums, groups, own)
    others = np.bincount(groups)[groups, None] - 1
    shift = _WEIGHT * (sums[groups] - own) / np.maximum(others, 1)
    pooled = scores.astype(np.float64)
    pooled[places, 0] += shift[:, 0]
    pooled[places, 1:] += shift[:, 1:].repeat(2, axis=1)
    pooled[places] -= np.log(np.exp(pooled[places]).sum(axis=1, keepdims=True))
    return pooled.astype(scores.dtype)


def stem(word: str) -> str:
    """What is left of a name without its last two letters, four at least: as good on dev as lemmas, or as endings taken off one by one."""
    return word[: max(len(word) - 2, 4)].lower()


def _by_label(scores: np.ndarray) -> np.ndarray:
    """Probabilities (words, 1 + labels) of O and of each label, B and I together."""
    probabilities = np.exp(scores.astype(np.float64))
    return np.concatenate((probabilities[:, :1], probabilities[:, 1::2] + probabilities[:, 2::2]), axis=1)
