"""A first guess at an encoder's embeddings: word vectors, brought to its word pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tokenizers import Tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CASES = 3  # Capitalised, UPPER, inside a word: each gets a direction of its own, since the vectors know whole words in lower case alone


def piece_embeddings(
    tokenizer: Tokenizer, words: Sequence[str], vectors: np.ndarray, width: int, scale: float, seed: int = 0
) -> np.ndarray:
    """Project word vectors (words, numbers) to embeddings (pieces, width) with a root mean square of `scale`.

    A piece that is a word gets that word's vector, any other one the mean over the words that it occurs in; the projection keeps the
    directions of most variance (PCA). Pieces of no known word are random. Upper case and pieces inside words are told apart by directions
    of their own.
    """
    rng = np.random.default_rng(seed)
    size = tokenizer.get_vocab_size()
    pieces: list[int] = []
    owners: list[int] = []
    weights: list[float] = []
    for change in (str.lower, str.capitalize, str.upper):
        for number, encoding in enumerate(tokenizer.encode_batch([change(word) for word in words], add_special_tokens=False)):
            ids = encoding.ids
            pieces += ids
            owners += [number] * len(ids)
            weights += [1000.0 if len(ids) == 1 else 1.0] * len(ids)  # a word's own vector outweighs those that it is a part of
    counts = np.bincount(pieces, weights, size)
    has = counts > 0
    sums = torch.sparse_coo_tensor(torch.tensor([pieces, owners]), torch.tensor(weights), (size, len(words)), check_invariants=False)
    known = (sums @ torch.from_numpy(np.ascontiguousarray(vectors, dtype=np.float32))).double().numpy()
    known[has] /= counts[has, None]
    centred = known[has] - known[has].mean(0)
    axes = np.linalg.svd(centred.T @ centred)[0][:, :width]
    found = rng.normal(size=(size, width))
    found[has, : axes.shape[1]] = centred @ axes
    rms = np.sqrt(np.mean(found[has] ** 2)) if has.any() else 1.0
    found[has] /= rms
    directions = rng.normal(size=(CASES, width))
    for piece, number in tokenizer.get_vocab().items():
        letters = piece.removeprefix("##")
        if letters[:1].isupper():
            found[number] += directions[1 if len(letters) > 1 and letters.isupper() else 0]
        if piece.startswith("##"):
            found[number] += directions[2]
    return (found * (scale / np.sqrt(np.mean(found**2)))).astype(np.float32)


def start(model: PreTrainedModel, tokenizer: Tokenizer, navec: Any, seed: int) -> int:
    """Set the embeddings of `model` from navec's vectors, as :func:`piece_embeddings` says; return how many words these know."""
    words = [word for word in navec.vocab.words if not word.startswith("<")]
    vectors = navec.pq.unpack()[[navec.vocab[word] for word in words]]
    weight = model.get_input_embeddings().weight
    first = piece_embeddings(tokenizer, words, vectors, weight.shape[1], model.config.initializer_range, seed)
    weight.data[: len(first)] = torch.from_numpy(first)
    return len(words)
