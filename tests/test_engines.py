"""Engines agree: torch, the same network as a graph, and that graph in 8 bits; and the graph needs no torch."""

import json
import subprocess
import sys
from functools import cache
from random import Random

import numpy as np
import onnx
import pytest
import torch
from test_checkpoint import CONTRACT, articles, tokenizer, trained
from test_extractor import long_articles, same
from transformers import ModernBertConfig, ModernBertModel

from govorit.article import LAYERS
from govorit.checkpoint import load_tagger, publish
from govorit.decoding.aids import NO_AIDS, Aids
from govorit.engines import INT8, OnnxEngine
from govorit.errors import UserError
from govorit.extractor import Extractor
from govorit.network import local_attention, tokenization
from govorit.network.tagger import Tagger
from govorit.publishing import export

torch.set_num_threads(1)
NOISE = 1e-4


@cache
def local(reach: int = 4) -> ModernBertModel:
    torch.manual_seed(1)
    shape = ModernBertConfig(
        vocab_size=tokenizer().get_vocab_size(), hidden_size=32, num_hidden_layers=3, num_attention_heads=2, intermediate_size=48,
        local_attention=2 * reach, layer_types=["sliding_attention", "sliding_attention", "full_attention"], attention_dropout=0.0,
        pad_token_id=0, bos_token_id=2, eos_token_id=3, cls_token_id=2, sep_token_id=3,
    )  # fmt: skip
    return ModernBertModel._from_config(shape, attn_implementation="eager").eval()


@pytest.mark.parametrize("reach", [1, 4, 16])
def test_blocks_compute_what_the_whole_square_does(reach):
    encoder, rng = local(reach), Random(reach)
    for tokens in (1, 2, 2 * reach - 1, 2 * reach, 2 * reach + 1, *(rng.randrange(3, 90) for _ in range(8))):
        ids = torch.randint(5, encoder.config.vocab_size, (3, tokens))
        mask = (torch.arange(tokens) < torch.tensor([[tokens], [max(1, tokens // 2)], [1]])).long()
        with torch.inference_mode():
            expected = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
            with local_attention.blockwise(encoder):
                found = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
            again = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        assert torch.equal(expected, again), "the encoder is left as it was"
        assert torch.allclose(expected[mask.bool()], found[mask.bool()], atol=1e-5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A checkpoint with its graph in 32 and in 8 bits."""
    place = tmp_path_factory.mktemp("run") / "model"
    publish(trained(), tokenization.wrap(tokenizer()), CONTRACT, place)
    (place / INT8).parent.mkdir()
    export.onnx(trained(), place / "whole.onnx")
    export.int8(place / "whole.onnx", place / INT8)
    return place


@pytest.mark.parametrize(("family", "last"), [("BERT", "/output/dense/"), ("ModernBERT", "/mlp/Wo/")])
def test_every_product_with_weights_is_in_8_bits_but_the_last_of_each_layer(tmp_path, family, last):
    tagger = trained() if family == "BERT" else Tagger(local(4), CONTRACT.layers)
    export.onnx(tagger, tmp_path / "whole.onnx")
    export.int8(tmp_path / "whole.onnx", tmp_path / "small.onnx")
    graph = onnx.load(tmp_path / "small.onnx").graph
    weights = {tensor.name for tensor in graph.initializer}
    kept = [node.name for node in graph.node if node.op_type in ("MatMul", "Gemm") and node.input[1] in weights]
    layers = tagger.encoder.config.num_hidden_layers
    assert len(kept) == layers and all(last in name and "/attention/" not in name for name in kept)
    assert sum(node.op_type == "MatMulInteger" for node in graph.node) > 3 * layers


def test_aids_are_read_without_torch_as_torch_reads_them(folder):
    found, expected = Aids.read(folder), load_tagger(folder).aids()
    assert found.costs.keys() == expected.costs.keys() and all(np.array_equal(found.costs[k], v) for k, v in expected.costs.items())
    for part in ("matrices", "tables"):
        one, other = getattr(found.links, part), getattr(expected.links, part)
        assert one.keys() == other.keys() and all(np.array_equal(one[key], value) for key, value in other.items())
    assert Aids.read(folder / "quotes") is NO_AIDS


def test_the_graph_answers_what_torch_answers(folder):
    by_torch = Extractor.load(folder, "torch")
    by_graph = Extractor(OnnxEngine(folder / "whole.onnx"), by_torch.tokenizer, by_torch.contract, by_torch.aids)
    pairs = list(zip(by_torch.read(long_articles()), by_graph.read(long_articles()), strict=True))
    assert all(same(*pair) for pair in pairs) and sum(len(one.entities) for one, _ in pairs) > 100


def test_local_layers_are_written_in_blocks_and_answer_the_same(tmp_path):
    tagger = Tagger(local(), CONTRACT.layers).eval()
    export.onnx(tagger, tmp_path / "graph.onnx")
    run = export.run_onnx(tmp_path / "graph.onnx")
    for tokens in (1, 7, 8, 9, 50):
        ids = torch.randint(5, 200, (2, tokens))
        mask = torch.ones_like(ids)
        mask[1, (tokens + 1) // 2 :] = 0
        found = run(ids.numpy(), mask.numpy())
        with torch.inference_mode():
            for key, values in tagger(ids, mask).items():
                assert np.allclose(found[key][mask.bool()], values[mask.bool()], atol=NOISE)


def test_eight_bits_find_nearly_the_same_spans(folder):
    def spans(engine: str) -> set:
        read = Extractor.load(folder, engine).read(articles())
        return {(article.id, span.start, span.end, span.label) for article in read for layer in LAYERS for span in article.layer(layer)}

    whole, small = spans("torch"), spans("onnx")
    assert len(whole & small) > 0.95 * len(whole | small) > 50
    assert (folder / INT8).stat().st_size < 0.6 * (folder / "whole.onnx").stat().st_size


def test_torch_reads_where_there_is_a_gpu(folder, monkeypatch):
    moved = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr("govorit.network.tagger.Tagger.to", lambda tagger, device: moved.append(device) or tagger)
    Extractor.load(folder, "torch")
    assert moved == ["cuda"]


READ = """
import json, sys
from govorit.extractor import Extractor
article, = Extractor.load(sys.argv[1])([sys.argv[2]])
print(json.dumps([len(article.entities), sorted({name.split(".")[0] for name in sys.modules})]))
"""


def test_with_a_graph_reading_needs_no_torch(folder):
    text = articles()[0].text
    done = subprocess.run([sys.executable, "-c", READ, str(folder), text], capture_output=True, text=True, check=True)
    found, loaded = json.loads(done.stdout)
    assert found == len(Extractor.load(folder, "onnx")([text])[0].entities) > 0
    assert "onnxruntime" in loaded and not {*loaded} & {"torch", "transformers", "datasets", "accelerate"}


def test_a_graph_that_is_missing_or_broken_is_said_in_one_line(folder, tmp_path):
    place = tmp_path / "model"
    publish(trained(), tokenization.wrap(tokenizer()), CONTRACT, place)
    assert Extractor.load(place), "without a graph, torch reads"
    for content, expected in ((None, "has no ONNX graph; .*publish"), (b"", "cannot be loaded"), (b"not a graph", "cannot be loaded")):
        if content is not None:
            (place / INT8).parent.mkdir(exist_ok=True)
            (place / INT8).write_bytes(content)
        with pytest.raises(UserError, match=expected) as error:
            Extractor.load(place, "onnx")
        assert "\n" not in str(error.value)
