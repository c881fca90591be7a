import json
from functools import cache
from pathlib import Path

import pytest
import torch
from huggingface_hub import _CACHED_NO_EXIST
from huggingface_hub.errors import LocalEntryNotFoundError
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import (
    AlbertConfig,
    AutoModel,
    AutoModelForTokenClassification,
    BertConfig,
    BertModel,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    ModernBertConfig,
    PreTrainedConfig,
    RobertaConfig,
    XLMRobertaConfig,
)

from govorit import config
from govorit.decoding.links import SIZE, VECTORS
from govorit.errors import UserError
from govorit.network import tagger, tokenization
from govorit.network.tagger import Tagger

torch.set_num_threads(1)

LAYERS = {"entities": ["PER", "LOC"], "quotes": ["DIRECT"]}
SHAPE = {"vocab_size": 100, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
IDS = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}
ENCODERS: dict[str, PreTrainedConfig] = {
    "BERT": BertConfig(**SHAPE),
    "RoBERTa": RobertaConfig(**SHAPE, max_position_embeddings=514, pad_token_id=1),
    "ELECTRA": ElectraConfig(**SHAPE, embedding_size=8),
    "DistilBERT": DistilBertConfig(vocab_size=100, dim=16, n_layers=2, n_heads=2, hidden_dim=32),
    "ModernBERT": ModernBertConfig(**SHAPE, **IDS),
    "DeBERTa-v2": DebertaV2Config(**SHAPE, relative_attention=True, position_buckets=32, pos_att_type=["p2c", "c2p"]),
    "XLM-R": XLMRobertaConfig(**SHAPE, max_position_embeddings=514, pad_token_id=1),
    "ALBERT": AlbertConfig(**SHAPE, embedding_size=8),
}
POSITIONS = {"ModernBERT": 8192}


@cache
def tokenizer():
    return tokenization.wrap(tokenization.learn(["Путин заявил: «Да»."], 60))


def model(path: Path | str, **changes) -> config.Model:
    return config.Model(name="x", path=str(path), **changes)


def network(family: str) -> Tagger:
    torch.manual_seed(0)
    return Tagger(AutoModel.from_config(ENCODERS[family], attn_implementation="eager"), LAYERS).eval()


@pytest.mark.parametrize("family", ENCODERS)
def test_each_layer_is_the_standard_model_of_its_encoder(family):
    ours = network(family)
    ids = torch.randint(5, 100, (3, 20), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    mask[1, 11:] = 0
    with torch.inference_mode():
        answers = ours(ids, mask)
    assert list(answers) == [*LAYERS, VECTORS]
    for layer, labels in LAYERS.items():
        shape, encoder, head = ours.standard(layer)
        assert shape.id2label == dict(enumerate(["O", *(f"{prefix}-{label}" for label in labels for prefix in "BI")]))
        assert shape.label2id == {name: i for i, name in shape.id2label.items()} and shape.num_labels == 1 + 2 * len(labels)
        assert not encoder.keys() & head.keys() and head
        standard = AutoModelForTokenClassification.from_config(shape, attn_implementation="eager").eval()
        standard.load_state_dict({**encoder, **head})  # strict: every weight has its place
        assert [type(standard).__name__] == shape.architectures
        with torch.inference_mode():
            logits = standard(input_ids=ids, attention_mask=mask).logits
        assert answers[layer].shape == (3, 20, 1 + 2 * len(labels))
        assert torch.equal(answers[layer][mask.bool()], logits[mask.bool()])
    assert not torch.equal(answers["quotes"], answers["entities"][..., :3]), "a head of its own for each layer"


@pytest.mark.parametrize("family", ENCODERS)
def test_links_are_learnt_where_quotations_are(family):
    encoder = AutoModel.from_config(ENCODERS[family], attn_implementation="eager")
    ids = torch.full((2, 7), 8)
    with torch.inference_mode():
        quoting, naming = Tagger(encoder, LAYERS).eval()(ids, torch.ones_like(ids)), Tagger(encoder, {"entities": ["PER"]})
        assert quoting[VECTORS].shape == (2, 7, SIZE)
        assert naming.links is None and naming.aids().links is None and list(naming(ids, torch.ones_like(ids))) == ["entities"]


@pytest.mark.parametrize("family", ENCODERS)
def test_the_encoder_is_left_as_it_was(family):
    ours, before = network(family), ENCODERS[family].to_dict()
    ours.standard("entities")
    assert ENCODERS[family].to_dict() == before and ours.encoder.config.num_hidden_layers == 2


@pytest.mark.parametrize("family", ENCODERS)
def test_positions_are_what_the_encoder_can_read(family):
    limit = tagger.positions(network(family).encoder)
    assert limit == POSITIONS.get(family, 512)
    if limit == 512:
        ids = torch.full((1, limit), 7)
        with torch.inference_mode():
            network(family)(ids, torch.ones_like(ids))
            if family != "DeBERTa-v2":  # whose tokens know only how far apart they are, and so could be more
                with pytest.raises((IndexError, RuntimeError)):
                    network(family)(longer := torch.full((1, limit + 1), 7), torch.ones_like(longer))


def rates(module: nn.Module) -> list[float]:
    """Every dropout rate in a network: of its dropout modules, and those that attention keeps as numbers."""
    found = []
    for part in module.modules():
        found += [part.p] if isinstance(part, nn.Dropout) else []
        found += [value for name, value in vars(part).items() if "dropout" in name and isinstance(value, float)]
    return found


@pytest.mark.parametrize("family", ENCODERS)
def test_the_dropout_asked_for_reaches_every_module(tmp_path, family):
    AutoModel.from_config(ENCODERS[family]).save_pretrained(tmp_path)
    for rate in (0.0, 0.37):
        built = tagger.build(model(tmp_path, dropout=rate), LAYERS, tokenizer())
        assert set(rates(built)) == {rate} and rates(built.heads)
    if family == "BERT":
        assert 0.1 in rates(tagger.build(model(tmp_path), LAYERS, tokenizer()))


def test_dropout_of_an_encoder_with_random_weights():
    scratch = config.Scratch(vocabulary=60, hidden_size=24, layers=2, heads=3)
    built = tagger.build(config.Model(name="scratch", path=None, scratch=scratch, dropout=0.25), LAYERS, tokenizer())
    assert set(rates(built)) == {0.25}
    assert built.encoder.config.vocab_size == len(tokenizer())


def refusal(path: Path | str) -> str:
    with pytest.raises(UserError) as caught:
        tagger.build(model(path), LAYERS, tokenizer())
    message = str(caught.value)
    assert "\n" not in message and str(path) in message and message.startswith("model.path: ")
    return message


def test_a_folder_that_is_not_there(tmp_path):
    assert "no such folder" in refusal(tmp_path / "no" / "such")
    assert "no such folder" in refusal("no/such/folder")


def test_a_folder_without_a_config(tmp_path):
    assert "config.json" in refusal(tmp_path)


def test_pickled_weights_are_not_loaded(tmp_path):
    encoder = BertModel(BertConfig(**SHAPE))
    encoder.save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(encoder.state_dict(), tmp_path / "pytorch_model.bin")
    assert f".from_pretrained('{tmp_path}').save_pretrained('FOLDER')" in refusal(tmp_path)


def test_weights_that_run_code_do_not(tmp_path):
    class Trap:
        def __reduce__(self):
            return Path.touch, (tmp_path / "sprung",)

    BertConfig(**SHAPE).save_pretrained(tmp_path)
    torch.save({"x": Trap()}, tmp_path / "pytorch_model.bin")
    refusal(tmp_path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("kind", ["own", "bert"])
def test_code_beside_the_weights_is_not_run(tmp_path, kind):
    BertModel(BertConfig(**SHAPE)).save_pretrained(tmp_path)
    described = json.loads((tmp_path / "config.json").read_text())
    described["auto_map"] = {"AutoConfig": "code.Config", "AutoModel": "code.Model"}
    described["model_type"] = kind
    (tmp_path / "config.json").write_text(json.dumps(described))
    (tmp_path / "code.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')\n")
    if kind == "own":
        refusal(tmp_path)
    else:  # a known architecture needs no code of its own
        tagger.build(model(tmp_path), LAYERS, tokenizer())
    assert not (tmp_path / "sprung").exists()


def test_code_of_an_encoder_is_not_named_in_what_is_published():
    shape = BertConfig(**SHAPE, auto_map={"AutoModel": "code.Model"})
    assert "auto_map" not in Tagger(AutoModel.from_config(shape), LAYERS).standard("entities")[0].to_dict()
    assert shape.auto_map


def test_weights_under_other_names_are_not_replaced_by_random_ones(tmp_path):
    BertModel(BertConfig(**SHAPE)).save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    save_file({f"module.{name}": value for name, value in weights.items()}, tmp_path / "model.safetensors", {"format": "pt"})
    assert "has no weights for 37 tensors of BertModel (embeddings.LayerNorm.bias, " in refusal(tmp_path)
    few = {name: value for name, value in weights.items() if not name.startswith(("pooler.", "encoder.layer.1.output.dense.bias"))}
    save_file(few, tmp_path / "model.safetensors", {"format": "pt"})
    assert "has no weights for 1 tensors of BertModel" in refusal(tmp_path), "the pooler is not missed"


@pytest.mark.parametrize("family", ENCODERS)
def test_an_encoder_loads_where_there_is_a_gpu(tmp_path, monkeypatch, family):
    AutoModel.from_config(ENCODERS[family]).save_pretrained(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    encoder = tagger.build(model(tmp_path), LAYERS, tokenizer()).encoder
    assert encoder.config._attn_implementation == ("eager" if family == "DeBERTa-v2" else "sdpa")


def test_damaged_weights(tmp_path):
    BertModel(BertConfig(**SHAPE)).save_pretrained(tmp_path)
    whole = (tmp_path / "model.safetensors").read_bytes()
    for damaged in (whole[:1000], whole[:-1], b""):
        (tmp_path / "model.safetensors").write_bytes(damaged)
        refusal(tmp_path)
    for described in ("{", "{}", "[]", '{"model_type": "bert", "hidden_size": "many"}'):
        (tmp_path / "config.json").write_text(described)
        refusal(tmp_path)


def test_an_encoder_for_another_vocabulary(tmp_path):
    BertModel(BertConfig(**{**SHAPE, "vocab_size": 10})).save_pretrained(tmp_path)
    assert "do not belong together" in refusal(tmp_path)


def test_a_hub_name_without_a_network_names_the_ways_on(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    message = refusal("nobody/no-such-model")
    assert "model=mini" in message and "model.path=FOLDER" in message
    with pytest.raises(UserError) as caught:
        tokenization.load("nobody/no-such-model")
    assert "\n" not in str(caught.value)


def test_what_the_hub_says_reaches_the_user(monkeypatch):
    gated = OSError("You are trying to access a gated repo.\nAsk for it at …")
    told = "model.path: OWNER/NAME: no encoder can be loaded from the Hub: You are trying to access a gated repo. Ask for it at …"
    assert str(tokenization.unloadable("OWNER/NAME", "encoder", gated)) == told
    unreachable = OSError("We couldn't connect")
    unreachable.__cause__ = LocalEntryNotFoundError("no")
    assert "the Hub cannot be reached" in str(tokenization.unloadable("OWNER/NAME", "encoder", unreachable))
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: _CACHED_NO_EXIST)
    assert ".from_pretrained('OWNER/NAME').save_pretrained('FOLDER')" in str(tokenization.unloadable("OWNER/NAME", "encoder", unreachable))
