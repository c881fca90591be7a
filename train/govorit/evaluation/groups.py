"""Finished runs, and which of them are a group: runs of one config, whatever their seeds and folds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from govorit import formats
from govorit.article import Article
from govorit.errors import UserError
from govorit.evaluation import metrics

# What leaves a run's predictions as they are, or makes it another run of the same group.
_ASIDE = {"seed", "data.fold", "data.split.fold", "data.save", "data.cache", "trainer.minutes", "trainer.track", "out", "resume"}
_NAMES = ("task.name", "model.name", "data.name")


@dataclass(frozen=True)
class Run:
    """A finished run: its config by dotted keys, and the gold and predicted articles of the split in question."""

    folder: Path
    config: Mapping[str, Any]
    pairs: Sequence[tuple[Article, Article]]

    @property
    def seed(self) -> int:
        return self.config["seed"]

    @property
    def layers(self) -> list[str]:
        return self.config["task.layers"]


@dataclass(frozen=True)
class Group:
    name: str
    runs: Sequence[Run]

    @property
    def seeds(self) -> list[int]:
        return sorted({run.seed for run in self.runs})

    def readings(self) -> dict[str, list[Article]]:
        """What the group's runs predicted, by article id; one reading for each seed in which it was tested on."""
        found: dict[str, list[Article]] = {}
        for run in self.runs:
            for gold, predicted in run.pairs:
                found.setdefault(gold.id, []).append(predicted)
        return found


def load(folder: Path, config: Mapping[str, Any], split: str) -> Run:
    """Read a finished run's gold and predictions.

    Raises:
        UserError: it has none of that split, or they are not of the same articles.
    """
    predictions, dataset = folder / "predictions" / f"{split}.jsonl", folder / "dataset" / split
    if not predictions.exists():
        raise UserError(f"{folder}: has no predictions of {split}; compare another --split, or runs that have them")
    if not dataset.exists():
        raise UserError(f"{dataset}: missing, and with it the gold; train with data.save=true, which keeps it in the run folder")
    return Run(folder, config, metrics.pair(list(formats.read(dataset, "hf")), list(formats.read(predictions))))


def gather(runs: Sequence[Run], names: Sequence[str | None]) -> list[Group]:
    """Put runs into groups: those of one given name, and those without one that differ in nothing but seed and fold."""
    gathered: dict[object, list[Run]] = {}
    for run, name in zip(runs, names, strict=True):
        gathered.setdefault(name or frozenset(_settings(run.config).items()), []).append(run)
    made = iter(_name([members[0].config for key, members in gathered.items() if not isinstance(key, str)]))
    return [
        Group(key if isinstance(key, str) else next(made), sorted(members, key=lambda run: run.seed)) for key, members in gathered.items()
    ]


def differing(configs: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The keys in which configs differ, names of whole parts first, each with its values."""
    settings = [_settings(config) for config in configs]
    keys = dict.fromkeys(key for key in (*_NAMES, *(key for each in settings for key in each)))
    found = {key: [each.get(key, "") for each in settings] for key in keys}
    return {key: values for key, values in found.items() if len(set(values)) > 1}


def _settings(config: Mapping[str, Any]) -> dict[str, str]:
    """What a group has in common, each value as it would be given on the command line."""
    return {key: _shown(value) for key, value in config.items() if key not in _ASIDE and not key.startswith("report.")}


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _name(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name configs by as few of the keys in which they differ as tell them apart; one alone by its task, model and data."""
    chosen: dict[str, list[str]] = {}
    apart = 1
    for key, values in differing(configs).items():
        now = len({*zip(*chosen.values(), values, strict=True)})
        if now > apart:
            chosen, apart = {**chosen, key: values}, now
    if not chosen:
        chosen = {key: [_shown(config.get(key)) for config in configs] for key in _NAMES}
    return [",".join(f"{key.removesuffix('.name')}={values[i]}" for key, values in chosen.items()) for i in range(len(configs))]
