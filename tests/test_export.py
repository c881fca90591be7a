"""A tagger of any family as a graph answers what torch answers, for one window and many, short and long."""

import sys

import numpy as np
import pytest
import torch
from transformers import AutoModel, BertConfig, ModernBertConfig, RobertaConfig

from govorit.decoding.hints import SYNTAX
from govorit.decoding.links import VECTORS
from govorit.errors import UserError
from govorit.network.tagger import Tagger
from govorit.publishing import export
from govorit.windows import Batch

LAYERS = {"entities": ["LOC", "PER"], "quotes": ["DIRECT", "INDIRECT", "MIXED", "CUE", "SPEAKER"]}
SHAPE = {"vocab_size": 90, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
IDS = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}
FAMILIES = {
    "bert": BertConfig(**SHAPE, max_position_embeddings=512),
    "roberta": RobertaConfig(**SHAPE, max_position_embeddings=514, pad_token_id=1),
    "modernbert": ModernBertConfig(**SHAPE, **IDS, local_attention=8, layer_types=["sliding_attention", "full_attention"]),
}
SIZES = ((1, 2), (1, 3), (3, 9), (2, 130), (4, 512), (1, 512))


def tagger(family: str, attention: str = "sdpa") -> Tagger:
    """Random weights, large enough that every layer matters."""
    torch.manual_seed(0)
    made = Tagger(AutoModel.from_config(FAMILIES[family], attn_implementation=attention), LAYERS).eval()
    made.listen({"forms": ["NOUN", "VERB", "ADJ"]})
    for weight in made.parameters():
        weight.data.normal_(0, 0.3)
    return made


def batches(padding: int) -> list[Batch]:
    """Random windows of all SIZES; every second is half as long and padded."""
    rng = np.random.default_rng(0)
    made = []
    for rows, width in SIZES:
        ids, mask = rng.integers(5, 90, (rows, width)), np.ones((rows, width), np.int64)
        mask[1::2, width // 2 :] = 0
        made.append(Batch([], np.where(mask, ids, padding), mask, {}))
    return made


@pytest.mark.parametrize(("family", "attention"), [("bert", "sdpa"), ("roberta", "eager"), ("modernbert", "sdpa"), ("modernbert", "eager")])
def test_onnx_answers_what_torch_answers(family, attention, tmp_path, one_thread):
    pytest.importorskip("onnx")
    network = tagger(family, attention).train()
    export.onnx(network, tmp_path / "model.onnx")
    assert network.training, "as it was before"
    network.eval()
    run = export.run_onnx(tmp_path / "model.onnx")
    tried = batches(FAMILIES[family].pad_token_id)
    assert list(run(tried[0].ids, tried[0].mask)) == ["entities", "quotes", VECTORS, SYNTAX + "forms"]
    assert export.distance(network, run, tried) < 1e-4


def test_openvino_answers_what_torch_answers(tmp_path, one_thread):
    pytest.importorskip("openvino")
    network = tagger("modernbert")
    export.onnx(network, tmp_path / "model.onnx")
    export.openvino(tmp_path / "model.onnx", tmp_path / "model.xml")
    run = export.run_openvino(tmp_path / "model.xml")
    assert export.distance(network, run, batches(0)) < 1e-4


def test_a_graph_that_answers_otherwise_is_told_by_its_distance(one_thread):
    network = tagger("bert")

    def run(ids, mask):
        with torch.inference_mode():
            answers = {key: values.numpy().copy() for key, values in network(torch.from_numpy(ids), torch.from_numpy(mask)).items()}
        answers["quotes"][0, 0, 0] += wrong
        return answers

    wrong = 0.5
    assert export.distance(network, run, batches(0)) == pytest.approx(0.5, abs=1e-4)
    wrong = float("nan")
    assert np.isnan(export.distance(network, run, batches(0)))


@pytest.mark.parametrize("engine, package", [("onnx", "onnx"), ("openvino", "openvino")])
def test_what_is_not_installed_is_said_in_one_line(engine, package, monkeypatch):
    monkeypatch.setattr(export, "find_spec", lambda name: None if name == package else sys)
    with pytest.raises(UserError, match=rf"--{engine}: needs {package}.*pip install 'govorit\[{engine}\]'"):
        export.check([engine])
