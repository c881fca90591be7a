"""Crash-safe states of a run, to go on from.

A state is safetensors and JSON: nothing is pickled. It is written beside its place, synced, and renamed, so that whatever stops the machine
leaves the older one whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from govorit.errors import UserError

SHARD = 15_000_000  # bytes of a state's file


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
            shutil.rmtree(_displaced(old), ignore_errors=True)

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


def _displaced(state: Path) -> Path:
    """Where a state, if there is one, lies now beside its place: renamed, so that whatever stops the machine no half of it stays there."""
    gone = state.with_name(f".{state.name}.old")
    shutil.rmtree(gone, ignore_errors=True)
    if state.exists():
        state.rename(gone)
    return gone


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
    old = _displaced(target)
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


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
