"""Checkpoints: what training publishes, and how it is loaded. Safetensors and JSON: nothing is pickled, nothing in them is executed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from govorit import contract as contracts
from govorit import words
from govorit.contract import Contract
from govorit.corpora import silver
from govorit.decoding import aids
from govorit.errors import UserError
from govorit.network import tokenization
from govorit.network.tagger import Tagger

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from govorit.training.pretraining import Network

ENCODER, HEAD, INDEX = (
    "model-00001-of-00002.safetensors",
    "model-00002-of-00002.safetensors",
    "model.safetensors.index.json",
)
SILVER = "silver.safetensors"
_OF_AIDS = ("costs.", "links.", "syntax.", "hints.")  # weights of a tagger beside encoder and heads


def publish(tagger: Tagger, tokenizer: PreTrainedTokenizerFast, contract: Contract, folder: Path) -> None:
    """Write the checkpoint: for each layer a folder that `AutoModelForTokenClassification` loads, and the contract beside them.

    A layer's weights are two shards, encoder and head; the encoder's is one file for all layers (hard links where the disk has them).
    What helps the decoder beside scores is a file of its own beside the contract.
    """
    beside = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    shared: Path | None = None
    for layer in contract.layers:
        config, encoder, head = tagger.standard(layer)
        place = beside / layer
        place.mkdir(parents=True)
        config.save_pretrained(place)
        tokenizer.model_max_length = contract.window
        tokenizer.save_pretrained(place)
        if shared is None:
            shared = place / ENCODER
            _save_weights(encoder, shared)
        else:
            _link(shared, place / ENCODER)
        _save_weights(head, place / HEAD)
        names = {**dict.fromkeys(encoder, ENCODER), **dict.fromkeys(head, HEAD)}
        size = sum(value.numel() * value.element_size() for value in (*encoder.values(), *head.values()))
        (place / INDEX).write_text(json.dumps({"metadata": {"total_size": size}, "weight_map": names}, indent=1) + "\n", encoding="utf-8")
    _save_named({name: value for name, value in tagger.state_dict().items() if name.startswith(_OF_AIDS)}, tagger.names, beside / aids.FILE)
    contract.save(beside)
    shutil.rmtree(folder, ignore_errors=True)
    beside.rename(folder)


def publish_encoder(network: Network, tokenizer: PreTrainedTokenizerFast, window: int, folder: Path) -> None:
    """Write an encoder with its vocabulary head, in fp16, as `AutoModel` and `AutoModelForMaskedLM` load it; its silver heads beside it."""
    beside = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    model = deepcopy(network.model).half()
    model.config.tokenizer_class = "PreTrainedTokenizerFast"
    vars(model.config).pop("auto_map", None)
    model.save_pretrained(beside)
    tokenizer.model_max_length = window
    tokenizer.save_pretrained(beside)
    if network.layers:
        _save_named({name: value.half() for name, value in network.heads.state_dict().items()}, network.layers, beside / SILVER)
    shutil.rmtree(folder, ignore_errors=True)
    beside.rename(folder)


def has_silver_heads(folder: Path) -> bool:
    """Whether an encoder was pre-trained here with silver labels: its tokenizer is ours as well then."""
    return (folder / SILVER).exists()


def load_silver_heads(network: Network, folder: Path) -> bool:
    """Go on with the silver heads that lie beside an encoder, where they are for the same labels; say whether."""
    names, heads = _silver_heads(folder)
    if not names or names != network.layers:
        return False
    network.heads.load_state_dict(heads)
    return True


def start_heads(tagger: Tagger, folder: Path) -> list[str]:
    """Start a tagger's heads from the silver ones that lie beside its encoder, tag by tag; return the tags that these know, by layer.

    A tag that they do not know keeps its random weights.
    """
    names, saved = _silver_heads(folder)
    started = []
    for layer in [layer for layer in tagger.layers if layer in names]:
        tags = words.tag_names(tagger.layers[layer])
        known = [tag for tag in tags if tag in names[layer]]
        here, there = [tags.index(tag) for tag in known], [names[layer].index(tag) for tag in known]
        for name, value in tagger.heads[layer].state_dict().items():
            of_tags = len(value) == len(tags) and len(saved[f"{layer}.{name}"]) == len(names[layer])
            value[here if of_tags else ...] = saved[f"{layer}.{name}"][there if of_tags else ...]
        started.append(f"{layer}: {' '.join(known)}")
    return started


def start_syntax(tagger: Tagger, folder: Path) -> bool:
    """Let a tagger listen to the rules where its encoder was pre-trained with the silver layers that these read; say whether."""
    names, saved = _silver_heads(folder)
    if "quotes" not in tagger.layers or not names.keys() >= set(silver.LAYERS):
        return False
    tagger.listen({layer: names[layer] for layer in silver.LAYERS})
    tagger.syntax.load_state_dict({name: value for name, value in saved.items() if name.split(".")[0] in silver.LAYERS})
    return True


def _silver_heads(folder: Path) -> tuple[dict[str, list[str]], dict[str, torch.Tensor]]:
    path = folder / SILVER
    if not path.exists():
        return {}, {}
    try:
        return _load_named(path)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({' '.join(str(error).split()):.200}); fetch the encoder again") from None


def load_tagger(folder: Path, contract: Contract | None = None) -> Tagger:
    """Load what :func:`publish` wrote; without a file of aids, tags alone decide.

    Raises:
        UserError: it is not such a folder, or is damaged.
    """
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig, AutoModel

    contract = contract or contracts.load(folder)
    try:
        first = folder / contract.first
        config = AutoConfig.from_pretrained(first, trust_remote_code=False)
        tagger = Tagger(AutoModel.from_config(config), contract.layers)
        base = _prefix(encoder := load_file(first / ENCODER))
        tagger.encoder.load_state_dict({name.removeprefix(base): value.float() for name, value in encoder.items()})
        for layer in contract.layers:
            tagger.heads[layer].load_state_dict({name: value.float() for name, value in load_file(folder / layer / HEAD).items()})
        _load_aids(tagger, folder / aids.FILE)
    except (OSError, ValueError, KeyError, RuntimeError, AttributeError, SafetensorError, StrictDataclassError, StopIteration) as error:
        raise UserError(
            f"{folder}: the checkpoint cannot be loaded ({' '.join(str(error).split()):.300}); fetch or train it again"
        ) from None
    return tagger.eval()


def _load_aids(tagger: Tagger, path: Path) -> None:
    if not path.exists():
        tagger.links = None
        return
    names, found = _load_named(path)
    if names:
        tagger.listen(names)
    if not any(name.startswith("links.") for name in found):
        tagger.links = None
    rest = {name: value for name, value in tagger.state_dict().items() if not name.startswith(_OF_AIDS)}
    tagger.load_state_dict(rest | found)


def load_tokenizer(folder: Path, contract: Contract | None = None) -> Tokenizer:
    contract = contract or contracts.load(folder)
    return tokenization.read(folder / contract.first)


def _prefix(weights: Mapping[str, torch.Tensor]) -> str:
    """`bert.` or whatever the architecture calls its encoder: all weights of the encoder's shard begin with it."""
    return next(iter(weights)).split(".")[0] + "."


def _save_weights(weights: Mapping[str, torch.Tensor], path: Path, **metadata: str) -> None:
    metadata = metadata or {"format": "pt"}
    save_file({name: value.detach().cpu().contiguous() for name, value in weights.items()}, path, metadata=metadata)


def _save_named(weights: Mapping[str, torch.Tensor], names: Mapping[str, Sequence[str]], path: Path) -> None:
    """Write weights with the names of the labels that they know, by layer."""
    _save_weights(weights, path, names=json.dumps(names, ensure_ascii=False))


def _load_named(path: Path) -> tuple[dict[str, list[str]], dict[str, torch.Tensor]]:
    """Read what :func:`_save_named` wrote, in float32."""
    with safe_open(path, framework="pt") as file:
        weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 (not a mapping)
        return json.loads((file.metadata() or {})["names"]), weights


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
