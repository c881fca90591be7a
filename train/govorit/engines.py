"""How the network runs at inference. An engine takes padded windows and gives log-probabilities; nothing above it knows what runs below.

:class:`TorchEngine` runs what training has in memory or on disk, on a processor or a GPU. :class:`OnnxEngine` runs the graph that
`scripts/publish.py --int8` (or `--onnx`) lays beside a checkpoint, on a processor, and needs neither torch nor transformers.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from govorit.decoding.hints import SYNTAX, log_softmax
from govorit.decoding.links import VECTORS
from govorit.errors import UserError

if TYPE_CHECKING:
    import onnxruntime
    import torch

    from govorit.network.tagger import Tagger


INT8, ONNX = "onnx/model_int8.onnx", "onnx/model.onnx"  # graphs in a checkpoint's folder, the first the one to read with
INPUTS = ("input_ids", "attention_mask")


class Engine(Protocol):
    def __call__(self, ids: np.ndarray, mask: np.ndarray) -> dict[str, np.ndarray]:
        """Score windows: `ids` and `mask` (windows, tokens) -> for each layer float32 log-probabilities (windows, tokens, tags).

        Where there is a link head, the vectors of the tokens as well, under `links.VECTORS`, (windows, tokens, size); where there are
        hints, the most probable label of each silver layer, (windows, tokens), under `hints.SYNTAX` and its name.
        """


class TorchEngine:
    """Runs a :class:`~govorit.network.tagger.Tagger` as it stands; it may be in training between two calls."""

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


def find_graph(folder: Path) -> Path | None:
    """The graph of the checkpoint in `folder` to read with, None where it has none."""
    return next((path for name in (INT8, ONNX) if (path := folder / name).exists()), None)


def load(graph: Path, threads: int = 0) -> onnxruntime.InferenceSession:
    """Load a graph into ONNX Runtime, for the processor, in so many threads; 0: as many as OMP_NUM_THREADS says, or one a core.

    Raises:
        UserError: the graph cannot be loaded.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or int(os.environ.get("OMP_NUM_THREADS", 0))  # 0: its own choice
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the library's own exceptions have no common class
        raise UserError(f"{graph}: cannot be loaded ({' '.join(str(error).split()):.180}); write it again: scripts/publish.py") from None


class OnnxEngine:
    """Runs a graph of :mod:`govorit.publishing.export`, as :func:`load` loads it."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        self.session = load(path, threads)
        self.keys = [output.name for output in self.session.get_outputs()]

    def __call__(self, ids: np.ndarray, mask: np.ndarray) -> dict[str, np.ndarray]:
        """Score windows one by one: activations are rounded to the range of what is read at once, and company must not change an answer."""
        runs = [
            self.session.run(self.keys, dict(zip(INPUTS, (ids[row : row + 1, :size], mask[row : row + 1, :size]), strict=True)))
            for row, size in enumerate(mask.sum(axis=1))
        ]
        answers: dict[str, np.ndarray] = {}
        for key, found in zip(self.keys, zip(*runs, strict=True), strict=True):
            for row, values in enumerate(found):
                array = _array(key, values[0])
                answers.setdefault(key, np.zeros((*ids.shape, *array.shape[1:]), array.dtype))[row, : len(array)] = array
        return answers


def _answer(key: str, values: torch.Tensor) -> torch.Tensor:
    if key == VECTORS:
        return values
    return values.argmax(-1) if key.startswith(SYNTAX) else values.log_softmax(-1)


def _array(key: str, values: np.ndarray) -> np.ndarray:
    """What :func:`_answer` makes of a tensor, of an array."""
    if key == VECTORS:
        return values
    return values.argmax(-1) if key.startswith(SYNTAX) else log_softmax(values)
