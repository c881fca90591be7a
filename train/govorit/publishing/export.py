"""The network as one graph that runs without torch: ONNX, and OpenVINO's own format made of it."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from govorit.engines import INPUTS, load
from govorit.errors import MissingPackageError
from govorit.network import local_attention
from govorit.network.tagger import Tagger
from govorit.windows import Batch

TOLERANCE = 1e-3  # between the logits of two engines
PACKAGES = {"onnx": ("onnx",), "int8": ("onnx",), "openvino": ("onnx", "openvino")}
Run = Callable[[np.ndarray, np.ndarray], Mapping[str, np.ndarray]]
_WIDE = re.compile(r"/mlp/Wo/|(?<!attention)/output/dense/")  # the last product of a layer, in ModernBERT and in BERT
_OPSET = 17  # has LayerNormalization as one operator


class _Answers(nn.Module):
    """What a tagger answers, in order: a graph has no names but those that the exporter is given."""

    def __init__(self, tagger: Tagger) -> None:
        super().__init__()
        self.tagger = tagger

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.tagger(ids, mask).values())


def check(engines: Iterable[str]) -> None:
    """Whether what an export to `engines` (onnx, int8, openvino) needs is installed.

    Raises:
        MissingPackageError: it is not.
    """
    for engine in engines:
        for package in PACKAGES[engine]:
            if find_spec(package) is None:
                raise MissingPackageError(f"--{engine}", package, PACKAGES[engine][-1])


def onnx(tagger: Tagger, path: Path) -> None:
    """Write the whole tagger as one ONNX graph, in float32, for any number of windows of any length.

    Inputs are INPUTS, int64 (batch, tokens); outputs are named as what `Tagger.forward` answers.
    """
    # The first row full, the second padded: what is traced holds for both.
    ids, mask = torch.full((2, 16), 5), torch.ones(2, 16, dtype=torch.int64)
    mask[1, 10:] = 0
    training, device = tagger.training, next(tagger.parameters()).device
    tagger.eval()
    try:
        with torch.inference_mode(), local_attention.blockwise(tagger.encoder), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the exporter: its way of tracing is the older one, which needs no onnxscript
            outputs = list(tagger(ids.to(device), mask.to(device)))
            torch.onnx.export(
                _Answers(tagger),
                (ids.to(device), mask.to(device)),
                str(path),
                input_names=list(INPUTS),
                output_names=outputs,
                dynamic_axes={name: {0: "batch", 1: "tokens"} for name in (*INPUTS, *outputs)},
                opset_version=_OPSET,
                dynamo=False,
            )
    finally:
        tagger.train(training)


def int8(graph: Path, path: Path) -> None:
    """Write the ONNX graph at `graph` again, some quarter of its size: products of 8 bits, activations rounded as they come.

    Weights take 7 of the 8 bits: with all of them, products overflow on processors without VNNI, and answers would depend on the machine.
    The last product of a layer stays in 32 bits: what it takes in has a few large values, which round all others off, and in 8 bits twice
    as many logits would change.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    products = [node.name for node in onnx.load(graph, load_external_data=False).graph.node if node.op_type in ("MatMul", "Gemm")]
    kept = [name for name in products if _WIDE.search(name)]
    logging.disable(logging.WARNING)  # it tells of every tensor of a shape that it passes over
    try:
        quantize_dynamic(graph, path, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True, nodes_to_exclude=kept)
    finally:
        logging.disable(logging.NOTSET)


def openvino(graph: Path, path: Path) -> None:
    """Write the ONNX graph at `graph` in OpenVINO's format: `path`, which ends in .xml, and its weights beside it in .bin."""
    import openvino  # type: ignore[import-untyped]

    openvino.save_model(openvino.convert_model(graph), path, compress_to_fp16=False)


def run_onnx(path: Path) -> Run:
    """Run a graph with ONNX Runtime, on the processor."""
    session = load(path)
    names = [output.name for output in session.get_outputs()]
    return lambda ids, mask: dict(zip(names, session.run(names, dict(zip(INPUTS, (ids, mask), strict=True))), strict=True))


def run_openvino(path: Path) -> Run:
    """Run a graph with OpenVINO, on the processor, in float32."""
    import openvino

    model = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(ids: np.ndarray, mask: np.ndarray) -> dict[str, np.ndarray]:
        found = model(dict(zip(INPUTS, (ids, mask), strict=True)))
        return {output.get_any_name(): found[output].copy() for output in model.outputs}

    return run


def distance(tagger: Tagger, run: Run, batches: Iterable[Batch]) -> float:
    """The largest difference between what the tagger and another engine answer, padding aside."""
    largest = 0.0
    for batch in batches:
        with torch.inference_mode():
            expected = tagger(torch.from_numpy(batch.ids), torch.from_numpy(batch.mask))
        found = run(batch.ids, batch.mask)
        tokens = batch.mask.astype(bool)
        for key, values in expected.items():
            largest = np.maximum(largest, np.abs(values.numpy() - found[key])[tokens].max())  # and not max(): NaN stays
    return float(largest)
