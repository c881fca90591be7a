"""What pre-training publishes, and how fine-tuning and further pre-training start from it."""

import copy
from pathlib import Path

import pytest
import raw
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoTokenizer,
    BertConfig,
    ElectraConfig,
    ModernBertConfig,
    PreTrainedConfig,
    RobertaConfig,
)

from govorit import checkpoint, words
from govorit.article import QUOTE_LABELS
from govorit.checkpoint import SILVER, has_silver_heads, load_silver_heads, publish_encoder, start_heads
from govorit.errors import UserError
from govorit.network import tokenization
from govorit.network.tagger import Tagger
from govorit.training.pretraining import Network

torch.set_num_threads(1)

NEWS = "«Ёж» — не йод: № 7 за 5 ₽, «ёлка» и й."
NAMES = {**raw.NAMES, "quotes": words.tag_names(QUOTE_LABELS)}
SHAPE = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
IDS = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}


@pytest.fixture(scope="module")
def tokenizer():
    return tokenization.wrap(tokenization.learn([*raw.documents(20), *[NEWS] * 25], 300, rare=20))


def shape(family: str, vocabulary: int) -> PreTrainedConfig:
    shapes = {
        "ModernBERT": lambda: ModernBertConfig(vocab_size=vocabulary, **SHAPE, **IDS),
        "BERT": lambda: BertConfig(vocab_size=vocabulary, **SHAPE),
        "RoBERTa": lambda: RobertaConfig(vocab_size=vocabulary, **SHAPE, pad_token_id=1),
        "ELECTRA": lambda: ElectraConfig(vocab_size=vocabulary, **SHAPE, embedding_size=8),
    }
    return shapes[family]()


FAMILIES = ("ModernBERT", "BERT", "RoBERTa", "ELECTRA")


def network(family: str, tokenizer, layers=NAMES, seed: int = 0) -> Network:
    torch.manual_seed(seed)
    model = AutoModelForMaskedLM.from_config(shape(family, len(tokenizer)), attn_implementation="eager")
    return Network(model, layers).eval()


def published(family: str, tokenizer, folder: Path, layers=NAMES) -> tuple[Network, Path]:
    net = network(family, tokenizer, layers)
    publish_encoder(net, tokenizer, 48, folder / "model")
    return net, folder / "model"


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_published_is_a_folder_for_plain_transformers(tmp_path, tokenizer, family):
    net, folder = published(family, tokenizer, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    weights = load_file(folder / "model.safetensors")
    assert {value.dtype for value in weights.values()} == {torch.float16}
    assert all(value.dtype == torch.float32 for value in net.state_dict().values() if value.is_floating_point()), "ours stays as it is"

    model, info = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    assert not any(info[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")), info
    assert model.get_input_embeddings().weight is model.get_output_embeddings().weight
    ids = torch.tensor([tokenizer.encode(NEWS)])
    every = torch.arange(ids.numel())
    with torch.inference_mode():
        ours, _ = net(ids, torch.ones_like(ids), every, every)
        torch.testing.assert_close(model.eval()(input_ids=ids).logits[0], ours, rtol=0, atol=2e-3)
        states = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()(input_ids=ids).last_hidden_state
        torch.testing.assert_close(states.flatten(0, 1), net._hidden, rtol=0, atol=2e-2)
    embeddings = model.get_input_embeddings().weight
    assert torch.equal(embeddings, net.model.get_input_embeddings().weight.half().float())


def test_the_tokenizer_that_is_published_reads_as_ours(tmp_path, tokenizer):
    _, folder = published("ModernBERT", tokenizer, tmp_path)
    plain = AutoTokenizer.from_pretrained(folder)
    assert plain.is_fast and plain.model_max_length == 48 and plain.mask_token_id == tokenizer.mask_token_id
    for text in (NEWS, *raw.documents(5)):
        assert plain(text)["input_ids"] == tokenizer.backend_tokenizer.encode(text).ids
    assert "[UNK]" not in plain.tokenize(NEWS)
    again = tokenization.load(str(folder), ready=has_silver_heads(folder))
    assert again.encode(NEWS) == tokenizer.encode(NEWS)


def test_publishing_again_replaces_the_folder(tmp_path, tokenizer):
    published("BERT", tokenizer, tmp_path)
    (tmp_path / "model" / "old").write_text("")
    _, folder = published("BERT", tokenizer, tmp_path, {})
    assert not (folder / "old").exists() and not has_silver_heads(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


# Heads


def test_silver_heads_go_on_where_the_labels_are_the_same(tmp_path, tokenizer):
    net, folder = published("ModernBERT", tokenizer, tmp_path)
    assert has_silver_heads(folder)
    again = network("ModernBERT", tokenizer, seed=1)
    assert load_silver_heads(again, folder)
    for name, value in net.heads.state_dict().items():
        assert torch.equal(again.heads.state_dict()[name], value.half().float()), name
    for layers in ({**NAMES, "forms": NAMES["forms"][::-1]}, {"forms": NAMES["forms"]}, {}):
        other = network("ModernBERT", tokenizer, layers, seed=1)
        before = copy.deepcopy(other.state_dict())
        assert not load_silver_heads(other, folder)
        assert all(torch.equal(value, before[name]) for name, value in other.state_dict().items())
    assert not load_silver_heads(again, tmp_path)


LABELS = {
    "the same": {"entities": ["PER", "LOC", "ORG"], "quotes": list(QUOTE_LABELS)},
    "another order": {"quotes": list(QUOTE_LABELS[::-1]), "entities": ["ORG", "LOC", "PER"]},
    "more": {"entities": ["EVENT", "ORG", "PER", "LOC", "AGE"]},
    "fewer": {"entities": ["LOC"]},
    "others": {"entities": ["AGE"]},
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", LABELS)
def test_heads_start_from_silver_ones_tag_by_tag(tmp_path, tokenizer, family, name):
    net, folder = published(family, tokenizer, tmp_path)
    torch.manual_seed(1)
    fine = Tagger(AutoModel.from_pretrained(folder, dtype=torch.float32), LABELS[name])
    before = copy.deepcopy(fine.state_dict())
    said = start_heads(fine, folder)
    assert [line.partition(":")[0] for line in said] == list(LABELS[name])
    for layer, labels in LABELS[name].items():
        tags = words.tag_names(labels)
        known = [tag for tag in tags if tag in NAMES[layer]]
        assert f"{layer}: {' '.join(known)}" in said and "O" in known
        silver, ours = net.heads[layer].state_dict(), fine.heads[layer].state_dict()
        assert silver.keys() == ours.keys()
        for key, value in ours.items():
            if not key.startswith(("classifier", "out_proj")):
                assert torch.equal(value, silver[key].half().float()), key
                continue
            for row, tag in zip(value, tags, strict=True):
                place = NAMES[layer].index(tag) if tag in NAMES[layer] else None
                expected = before[f"heads.{layer}.{key}"][tags.index(tag)] if place is None else silver[key][place].half().float()
                assert torch.equal(row, expected), (key, tag)
    rest = {key: value for key, value in fine.state_dict().items() if not key.startswith("heads.")}
    assert all(torch.equal(value, before[key]) for key, value in rest.items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in fine.heads.parameters())


def test_an_encoder_without_silver_heads_starts_none(tmp_path, tokenizer):
    _, folder = published("BERT", tokenizer, tmp_path, {})
    fine = Tagger(AutoModel.from_pretrained(folder, dtype=torch.float32), LABELS["the same"])
    before = copy.deepcopy(fine.state_dict())
    assert start_heads(fine, folder) == []
    assert all(torch.equal(value, before[key]) for key, value in fine.state_dict().items())


@pytest.mark.parametrize("damage", ["truncated", "empty", "nameless"])
def test_damaged_silver_heads_are_told_in_a_line(tmp_path, tokenizer, damage):
    _, folder = published("BERT", tokenizer, tmp_path)
    path = folder / SILVER
    if damage == "nameless":
        checkpoint.save_file(load_file(path), path)
    else:
        path.write_bytes(path.read_bytes()[: -10 if damage == "truncated" else 0])
    fine = Tagger(AutoModel.from_config(shape("BERT", len(tokenizer))), LABELS["the same"])
    for call in (lambda: start_heads(fine, folder), lambda: load_silver_heads(network("BERT", tokenizer), folder)):
        with pytest.raises(UserError, match=rf"^{path}: cannot be read .*fetch the encoder again$"):
            call()


def test_silver_heads_say_what_they_know(tmp_path, tokenizer):
    _, folder = published("BERT", tokenizer, tmp_path)
    with safe_open(folder / SILVER, framework="pt") as file:
        assert {name.partition(".")[0] for name in file.keys()} == set(NAMES)  # noqa: SIM118 (not a mapping)
        assert '"B-PER"' in file.metadata()["names"]
