"""Articles that come more than once: copies, copies written differently, and texts that share most of their wording.

Two texts are one article where they are equal after :func:`normalise`, or where the Jaccard index of their word 5-grams (shingles)
reaches a threshold. The search is exact, by prefix filtering (Chaudhuri, Ganti, Kaushik 2006, "A Primitive Operator for Similarity
Joins"): of two sets of n and m shingles with an index of at least t, the n - ⌈tn⌉ + 1 first of the one and the m - ⌈tm⌉ + 1 first of the
other have one in common, whatever the order in which "first" is meant. Rarest first, nearly every article of a corpus is done with at once:
its first ones occur nowhere else. 10,000 articles of 300 words take 5 seconds on one core.
"""

from __future__ import annotations

import math
import re
import unicodedata
from array import array
from collections.abc import Sequence
from heapq import nsmallest

NEAR = 0.8  # the Jaccard index from which two articles are one
SHINGLE = 5  # words
_INVISIBLE = "\u00ad\u200b\ufeff"


def normalise(text: str) -> str:
    """The text as two copies of one article share it: case, white space, `ё`, composition and invisible characters do not count.

    >>> normalise("Пётр  ЗАЯВИЛ:\\n«Нет»")
    'петр заявил: «нет»'
    """
    for char in _INVISIBLE:
        text = text.replace(char, "")
    return " ".join(unicodedata.normalize("NFC", text).casefold().replace("ё", "е").split())


def similarity(one: str, other: str) -> float:
    """The Jaccard index of the word 5-grams of two texts: 1 where they are equal but for punctuation and what :func:`normalise` takes away.

    >>> similarity("Глава Росстата Иванов сообщил об этом вчера.", "Глава Росстата Иванов сообщил об этом сегодня.")
    0.5
    """
    a, b = _shingles(normalise(one)), _shingles(normalise(other))
    return len(a & b) / len(a | b)


def groups(texts: Sequence[str], threshold: float = NEAR) -> list[list[int]]:
    """Find the texts that are one article: indices into `texts`, each group of two or more in order, by its first index.

    A group is connected: each of its texts is equal after :func:`normalise` to another of them, or has a :func:`similarity` of at least
    `threshold` with it. Memory: some 2 to 4 bytes a shingle, and 100 for each of those that may be doubles.

    >>> groups(["Пётр сказал: «Да».", "Цены выросли.", "петр сказал: «Да»."])
    [[0, 2]]
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold {threshold}: expected a share above 0, at most 1")
    copies: dict[str, list[int]] = {}
    for index, text in enumerate(texts):
        copies.setdefault(normalise(text), []).append(index)
    distinct = list(copies)
    near = _connect(distinct, threshold)
    joined: dict[int, list[int]] = {}
    for number, text in enumerate(distinct):
        joined.setdefault(near.get(number, number), []).extend(copies[text])
    return sorted(sorted(group) for group in joined.values() if len(group) > 1)


def _connect(texts: Sequence[str], threshold: float) -> dict[int, int]:
    """Map each of the normalised `texts` that has near ones to one of its group."""
    counts = _counts(texts)
    mask = len(counts) - 1
    kept: dict[int, tuple[array[int], int]] = {}
    index: dict[int, list[int]] = {}
    root: dict[int, int] = {}
    for number, text in enumerate(texts):
        shingles = _shingles(text)
        first = _first(shingles, counts, mask, len(shingles) - math.ceil(threshold * len(shingles) - 1e-9) + 1)
        if not first:
            continue
        bits = _bits(shingles)
        for other in set().union(*(index.get(shingle, ()) for shingle in first)):
            theirs, their_bits = kept[other]
            size = len(shingles) + len(theirs)
            # Sets that share enough differ in at most (1 - t) / (1 + t) of their members, and their bits in no more than that.
            if (bits ^ their_bits).bit_count() * (1 + threshold) > size * (1 - threshold) + 1e-9:
                continue
            if _find(root, other) != _find(root, number):
                common = len(shingles.intersection(theirs))
                if common / (size - common) >= threshold:
                    root[_find(root, other)] = _find(root, number)
        kept[number] = array("q", shingles), bits
        for shingle in first:
            index.setdefault(shingle, []).append(number)
    return {number: _find(root, number) for number in kept}


def _first(shingles: set[int], counts: bytearray, mask: int, length: int) -> list[int]:
    """Those of the `length` rarest shingles that more than one text may have."""
    shared = [shingle for shingle in shingles if counts[shingle & mask] > 1]
    alone = len(shingles) - len(shared)
    return nsmallest(length - alone, shared, key=lambda shingle: (counts[shingle & mask], shingle)) if alone < length else []


def _bits(shingles: set[int]) -> int:
    """A parity sketch of 2,048 bits: two sets differ in at least as many members as their sketches do in bits."""
    bits = 0
    for shingle in shingles:
        bits ^= 1 << (shingle & 2047)
    return bits


def _counts(texts: Sequence[str]) -> bytearray:
    """In how many texts, up to 255, the shingles of each bucket occur; shingle & (length - 1) is its bucket.

    A bucket may hold several shingles. It makes the order of rarity rough and no result inexact, since any order will do.
    """
    words = sum(text.count(" ") + 1 for text in texts)
    counts = bytearray(1 << max(10, (2 * words).bit_length()))
    mask = len(counts) - 1
    for text in texts:
        for shingle in _shingles(text):
            if counts[shingle & mask] < 255:
                counts[shingle & mask] += 1
    return counts


def _shingles(text: str) -> set[int]:
    """The word 5-grams of a normalised text as numbers of 64 bits; a shorter text, or one without words, is a shingle as a whole."""
    words = re.findall(r"\w+", text)
    if len(words) < SHINGLE:
        return {hash(tuple(words) or text)}
    return set(map(hash, zip(*(words[i:] for i in range(SHINGLE)), strict=False)))


def _find(root: dict[int, int], number: int) -> int:
    while (above := root.get(number, number)) != number:
        root[number] = root.get(above, above)
        number = above
    return number
