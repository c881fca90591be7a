"""Whether two systems that read the same documents differ by more than chance would have them differ.

Both methods work on counts of matched, predicted and gold items in each document, the unit that both resample: items of one document stand
and fall together. The statistic is the difference of F1 = 2 matched / (predicted + gold), each over the sums of the counts.

* The interval of the difference is that of the paired bootstrap (Koehn 2004, "Statistical significance tests for machine translation
  evaluation"): documents are drawn with replacement, the same ones for both systems; the 2.5th and 97.5th percentiles.
* p is that of approximate randomisation (Noreen 1989, "Computer-intensive methods for testing hypotheses", ch. 2; Yeh 2000, "More accurate
  tests for the statistical significance of result differences"), two-sided. In each of R shuffles every document's counts change sides with
  probability 1/2; r is how often the absolute difference is at least the observed one, and p = (r + 1) / (R + 1).

Where a system was trained with several seeds, its counts in a document are the mean of theirs over the seeds, and change sides together.
What is tested is then how these trained systems differ over documents. How they vary with the seed is no part of it: the standard deviation
over seeds says that. A p is that of one row alone; of twenty rows without any difference, one will have p < 0.05.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_AT_ONCE = 2_000_000  # numbers in memory: resamples times documents
_PERCENTILES = (2.5, 97.5)
_EQUAL = 1e-12  # differences of sums that only rounding tells apart


@dataclass(frozen=True, slots=True)
class Difference:
    """How much higher the second F1 is than the first, with the 95 % interval and p of that; None where nothing was resampled."""

    value: float
    interval: tuple[float, float] | None = None
    p: float | None = None


def compare(one: np.ndarray, other: np.ndarray, resamples: int = 10_000, seed: int = 0) -> list[Difference]:
    """Compare counts of matched, predicted and gold, each `(documents, rows, 3)`, a difference a row; all rows share the resamples."""
    assert one.shape == other.shape, (one.shape, other.shape)
    observed = f1(other.sum(axis=0)) - f1(one.sum(axis=0))
    if not resamples or not len(one):
        return [Difference(float(value)) for value in observed]
    generator = np.random.default_rng(seed)
    low, high = np.percentile(_bootstrap(one, other, resamples, generator), _PERCENTILES, axis=0)
    shuffled = _shuffle(one, other, resamples, generator)
    reached = (np.abs(shuffled) >= np.abs(observed) - _EQUAL).sum(axis=0)
    p = (reached + 1) / (resamples + 1)
    return [Difference(float(v), (float(a), float(b)), float(q)) for v, a, b, q in zip(observed, low, high, p, strict=True)]


def f1(counts: np.ndarray) -> np.ndarray:
    """Turn counts of matched, predicted and gold `(..., 3)` into F1 `(...)`, 0.0 where there is nothing to divide by."""
    matched, predicted, gold = np.moveaxis(counts, -1, 0)
    return np.divide(2 * matched, predicted + gold, out=np.zeros(matched.shape), where=predicted + gold > 0)


def _bootstrap(one: np.ndarray, other: np.ndarray, resamples: int, generator: np.random.Generator) -> np.ndarray:
    """Differences of F1 over documents drawn with replacement, `(resamples, rows)`."""
    documents = len(one)
    found = []
    for size in _portions(resamples, documents):
        draws = generator.integers(documents, size=(size, documents)) + documents * np.arange(size)[:, None]
        times = np.bincount(draws.ravel(), minlength=size * documents).reshape(size, documents).astype(np.float64)
        found.append(f1(_sums(times, other)) - f1(_sums(times, one)))
    return np.concatenate(found)


def _shuffle(one: np.ndarray, other: np.ndarray, resamples: int, generator: np.random.Generator) -> np.ndarray:
    """Differences of F1 after every document's counts have changed sides with probability 1/2, `(resamples, rows)`."""
    found = []
    for size in _portions(resamples, len(one)):
        moved = _sums(generator.integers(2, size=(size, len(one))).astype(np.float64), other - one)
        found.append(f1(other.sum(axis=0) - moved) - f1(one.sum(axis=0) + moved))
    return np.concatenate(found)


def _sums(times: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Sums of `counts` in which each document counts so many `times`, `(resamples, rows, 3)`."""
    return (times @ counts.reshape(len(counts), -1)).reshape(len(times), *counts.shape[1:])


def _portions(resamples: int, documents: int) -> list[int]:
    most = max(1, _AT_ONCE // documents)
    return [min(most, resamples - start) for start in range(0, resamples, most)]
