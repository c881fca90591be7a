"""How the network runs at inference. An engine takes padded windows and gives log-probabilities; nothing above it knows what runs below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from govorit.hints import SYNTAX
from govorit.links import VECTORS

if TYPE_CHECKING:
    import torch

    from govorit.tagger import Tagger


class Engine(Protocol):
    def __call__(self, ids: np.ndarray, mask: np.ndarray) -> dict[str, np.ndarray]:
        """Score windows: `ids` and `mask` (windows, tokens) -> for each layer float32 log-probabilities (windows, tokens, tags).

        Where there is a link head, the vectors of the tokens as well, under `links.VECTORS`, (windows, tokens, size); where there are
        hints, the most probable label of each silver layer, (windows, tokens), under `hints.SYNTAX` and its name.
        """


class TorchEngine:
    """Runs a :class:`~govorit.tagger.Tagger` as it stands; it may be in training between two calls."""

    def __init__(self, tagger: Tagger, dtype: torch.dtype | None = None) -> None:
        self.tagger, self.dtype = tagger, dtype

    def __call__(self, ids: np.ndarray, mask: np.ndarray) -> dict[str, np.ndarray]:
        import torch

        device = next(self.tagger.parameters()).device
        training = self.tagger.training
        self.tagger.eval()
        with torch.inference_mode(), torch.autocast(device.type, self.dtype, enabled=self.dtype is not None):
            logits = self.tagger(torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device))
        self.tagger.train(training)
        return {key: _answer(key, values.float()).cpu().numpy() for key, values in logits.items()}


def _answer(key: str, values: torch.Tensor) -> torch.Tensor:
    if key == VECTORS:
        return values
    return values.argmax(-1) if key.startswith(SYNTAX) else values.log_softmax(-1)
