"""The schema of `conf/`: what each key means, its type and its unit. Hydra checks every run against it before anything else happens."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, OmegaConf

from govorit import paths


@dataclass
class Task:
    name: str = MISSING
    layers: list[str] = MISSING  # of entities, quotes: a head each


@dataclass
class Scratch:
    """Shape of an encoder with random weights, for `model=scratch`: a small ModernBERT."""

    vocabulary: int = 4000
    hidden_size: int = 192
    layers: int = 4  # the last one attends to the whole window, those below to `local` tokens
    heads: int = 3
    local: int = 32
    dropout: float = 0.2


@dataclass
class Model:
    name: str = MISSING
    path: str | None = None  # Hub name or local folder of an encoder with a fast tokenizer; null: random weights, see scratch
    scratch: Scratch = field(default_factory=Scratch)
    window: int = 512  # tokens an encoder sees at once, special tokens included; at most what it has positions for
    overlap: int = 128  # tokens that neighbouring windows of a long article share
    dropout: float | None = None  # null: what the encoder's own config says
    attention: str = "auto"  # auto (eager on a processor, where its backward pass in bf16 is the faster one), eager or sdpa


@dataclass
class Source:
    """One corpus: where its splits lie, and how its annotation becomes ours."""

    format: str | None = None  # null: told by the file's suffix
    train: str | None = None
    dev: str | None = None
    test: str | None = None
    path: str | None = None  # in place of the three: a folder with train, dev and test in it, or articles that data.split shares out
    quotes: list[str] = field(default_factory=list)  # offset annotation to join by id; articles that it does not list are left out
    layers: list[str] = field(default_factory=list)  # what is annotated in it; empty: every layer that has a span
    labels: dict[str, str] = field(default_factory=dict)  # its entity labels -> ours, others are left out; empty: all as they are
    nested: str = "refuse"  # entities inside entities: refuse, or keep the outermost


@dataclass
class Split:
    dev: float = 0.1  # share of the articles
    test: float = 0.1
    folds: int = 0  # k-fold cross-validation: k
    fold: int = 0  # which fold is the test set, from 0


@dataclass
class Data:
    name: str = MISSING
    root: str | None = None  # data=folder: your articles; public corpora: the folder that holds them, see data/README.md
    sources: dict[str, Source] = field(default_factory=dict)
    use: list[str] | None = None  # names of sources; null: all
    labels: list[str] | None = None  # entity labels to learn; null: all that the training articles have
    split: Split = field(default_factory=Split)
    save: bool = True  # write the Hugging Face dataset into the run folder


@dataclass
class Trainer:
    epochs: int = 10
    batch_tokens: int = 4096  # a batch's size, padding included
    accumulate: int = 1  # batches an optimizer step
    learning_rate: float = 5e-5
    head_learning_rate: float = 5e-4
    layer_decay: float = 1.0  # each layer below the top learns at this share of the rate of the layer above
    weight_decay: float = 0.01
    warmup: float = 0.1  # share of all steps
    clip: float = 1.0  # gradient norm
    class_weights: dict[str, float] = field(default_factory=dict)  # label (or O) -> weight of its tags in the loss
    freeze_embeddings: bool = False
    patience: int = 0  # stop after so many epochs without a better dev score; 0: never
    precision: str = "auto"  # auto, fp32 or bf16
    threads: int = 0  # of the processor; 0: as many as it has cores
    device: str = "auto"  # auto or cpu


@dataclass
class Report:
    resamples: int = 1000  # bootstrap resamples of the confidence intervals


@dataclass
class Config:
    task: Task = field(default_factory=Task)
    model: Model = field(default_factory=Model)
    data: Data = field(default_factory=Data)
    trainer: Trainer = field(default_factory=Trainer)
    report: Report = field(default_factory=Report)
    seed: int = 0
    out: str | None = None  # run folder; null: a new one in outputs/
    resume: bool = False  # go on with the newest unfinished run of this config


def register() -> None:
    """Make the schema and the `${shipped:…}` resolver known to Hydra."""
    ConfigStore.instance().store(name="schema", node=Config)
    OmegaConf.register_new_resolver("shipped", lambda path: str(paths.shipped(path)), replace=True)


def settled(config: Config) -> str:
    """The config as YAML, without where the run lies and whether it goes on: equal for two runs that do the same."""
    return OmegaConf.to_yaml(OmegaConf.structured(replace(config, out=None, resume=False)))


def flatten(config: Any, prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one mapping of dotted keys."""
    if not isinstance(config, dict) or not config:
        return {prefix: config}
    return {key: value for name, item in config.items() for key, value in flatten(item, f"{prefix}.{name}".lstrip(".")).items()}
