"""What training leaves on disk: crash-safe states to go on from, and the published folder.

Both are safetensors and JSON: nothing is pickled, nothing in them is executed. A state is written beside its place, synced, and renamed, so
that whatever stops the machine leaves the older one whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
SHARD = 15_000_000  # bytes of a state's file
_OF_AIDS = ("costs.", "links.", "syntax.", "hints.")  # weights of a tagger beside encoder and heads


@dataclass(frozen=True)
class State:
    """A moment of training: named tensors by file (`weights`, `optimizer`, …), and what JSON holds of the rest."""

    tensors: Mapping[str, Mapping[str, torch.Tensor]]
    values: Mapping[str, Any]


class States:
    """The states of one run, in `folder`: `step-…`, of which the newest two are kept, and `best`.

    `fingerprint` is that of the data; a state that was trained on other data is refused.
    """

    def __init__(self, folder: Path, fingerprint: str = "") -> None:
        self.folder, self.fingerprint = folder, fingerprint

    def save(self, state: State, step: int) -> None:
        self._write(f"step-{step:08d}", state)
        for old in self._steps()[:-2]:
            shutil.rmtree(old)

    def save_best(self, state: State) -> None:
        self._write("best", state)

    def newest(self) -> State | None:
        """The newest state that is whole, or None; a torn or damaged one is passed over."""
        return next((state for path in reversed(self._steps()) if (state := self._read(path))), None)

    def best(self) -> State | None:
        # Stopped between two renames, the last best one lies beside its place.
        return self._read(self.folder / "best") or self._read(self.folder / ".best.old")

    def _write(self, name: str, state: State) -> None:
        _write_state(self.folder / name, State(state.tensors, {**state.values, "fingerprint": self.fingerprint}))

    def _read(self, path: Path) -> State | None:
        state = _read_state(path)
        if state is None:
            return None
        values = dict(state.values)
        if values.pop("fingerprint", "") != self.fingerprint:
            raise UserError(f"{path}: was trained on other data, or another split of it; use another out=FOLDER")
        return State(state.tensors, values)

    def _steps(self) -> list[Path]:
        return sorted(self.folder.glob("step-????????"))


def _write_state(target: Path, state: State) -> None:
    beside = target.with_name(f".{target.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        beside.mkdir(parents=True)
        digests = {}
        for name, tensors in state.tensors.items():
            for number, part in enumerate(_shards(tensors)):
                path = beside / (f"{name}.safetensors" if number == 0 else f"{name}-{number}.safetensors")
                save_file(part, path)
                digests[path.stem] = _digest(path)
        (beside / "state.json").write_text(json.dumps({"values": state.values, "sha256": digests}), encoding="utf-8")
        for path in (*beside.iterdir(), beside):
            _sync(path)
    except (OSError, SafetensorError) as error:  # a full disk is a SafetensorError where safetensors writes
        shutil.rmtree(beside, ignore_errors=True)
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{target}: cannot be written ({reason}); the states before it are whole: make room, then resume=true") from None
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    beside.rename(target)
    _sync(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def _read_state(path: Path) -> State | None:
    try:
        described = json.loads((path / "state.json").read_text(encoding="utf-8"))
        files = {name: path / f"{name}.safetensors" for name in described["sha256"]}
        if any(_digest(file) != described["sha256"][name] for name, file in files.items()):
            return None
        groups: dict[str, dict[str, list[torch.Tensor]]] = {}
        for name, file in files.items():
            pieces = groups.setdefault(name.split("-")[0], {})
            for key, value in sorted(load_file(file).items(), key=lambda item: int(item[0].rpartition(":")[2])):
                pieces.setdefault(key.rpartition(":")[0], []).append(value)
        tensors = {name: {key: _whole(value) for key, value in pieces.items()} for name, pieces in groups.items()}
        return State(tensors, described["values"])
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError):
        return None


def _shards(tensors: Mapping[str, torch.Tensor]) -> Iterator[dict[str, torch.Tensor]]:
    """Share tensors out over files of at most `SHARD` bytes, that they can be carried; a larger one is cut along its first dimension.

    The parts of a tensor are called `NAME:0`, `NAME:1` and so on.
    """
    shard: dict[str, torch.Tensor] = {}
    size = 0
    for name, tensor in tensors.items():
        whole = tensor.detach().contiguous()
        rows = max(1, SHARD // max(1, whole[:1].nbytes)) if whole.ndim else 1
        for number, part in enumerate(whole.split(rows) if whole.ndim else (whole,)):
            if shard and size + part.nbytes > SHARD:
                yield shard
                shard, size = {}, 0
            shard[f"{name}:{number}"] = part.clone()
            size += part.nbytes
    yield shard


def _whole(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


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
    names, aids = _load_named(path)
    if names:
        tagger.listen(names)
    if not any(name.startswith("links.") for name in aids):
        tagger.links = None
    rest = {name: value for name, value in tagger.state_dict().items() if not name.startswith(_OF_AIDS)}
    tagger.load_state_dict(rest | aids)


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


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
