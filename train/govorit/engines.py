"""How the network runs at inference. An engine takes padded windows and gives log-probabilities; nothing above it knows what runs below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    import torch

    from govorit.tagger import Tagger


class Engine(Protocol):
    def __call__(self, ids: np.ndarray, mask: np.ndarray) -> dict[str, np.ndarray]:
        """Score windows: `ids` and `mask` (windows, tokens) -> for each layer float32 log-probabilities (windows, tokens, tags)."""


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
        return {layer: values.float().log_softmax(-1).cpu().numpy() for layer, values in logits.items()}
