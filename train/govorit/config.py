"""The schema of `conf/`: what each key means, its type and its unit. Hydra checks every run against it before anything else happens."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from govorit import paths
from govorit.article import LAYERS
from govorit.errors import UserError


@dataclass
class Task:
    name: str = MISSING
    layers: list[str] = MISSING  # of entities, quotes: a head each; none for task=mlm


@dataclass
class Scratch:
    """Shape of an encoder with random weights, for `model=scratch`: a small ModernBERT."""

    vocabulary: int = 2000
    hidden_size: int = 192
    layers: int = 4  # the last one attends to the whole window, those below to `local` tokens
    heads: int = 3
    local: int = 32
    dropout: float = 0.2


@dataclass
class Model:
    name: str = MISSING
    path: str | None = MISSING  # Hub name or local folder of an encoder with a fast tokenizer; null: random weights, see scratch
    scratch: Scratch = field(default_factory=Scratch)
    window: int = 512  # tokens an encoder sees at once, special tokens included; at most what it has positions for
    reads: int = 0  # tokens it sees at once when articles are read, where that is more than window; as many as it has positions for
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
    covers: list[str] = field(default_factory=list)  # our labels that it marks wherever they occur, others are unknown in it; empty: all
    nested: str = "refuse"  # entities inside entities: refuse, or keep the outermost
    offsets: str = "characters"  # what its offsets count: characters, utf16 units, UTF-8 bytes, or crlf: each CRLF as one character
    names: dict[str, str] = field(default_factory=dict)  # what it calls quotations and their parts, by our names: direct: Прямая_речь
    columns: list[str] = field(default_factory=list)  # CoNLL: what each column holds: token, ner, quote or -; empty: told by the file


@dataclass
class Split:
    dev: float = 0.1  # share of the articles
    test: float = 0.1
    folds: int = 0  # k-fold cross-validation: k
    fold: int = 0  # which fold is the test set, from 0
    near: float = 0.8  # articles that share so much of their wording (Jaccard index of word 5-grams) stay on one side; 1: copies alone


@dataclass
class Data:
    name: str = MISSING
    root: str | None = MISSING  # data=folder: your articles; public corpora: the folder that holds them, see data/README.md
    sources: dict[str, Source] = field(default_factory=dict)
    use: list[str] | None = None  # names of sources; null: all
    more: list[str] = field(default_factory=list)  # articles beside those: files or folders in any format, each a source with `path`
    labels: list[str] | None = None  # entity labels to learn; null: all that the training articles have
    folds: int = 0  # short for split.folds and split.fold
    fold: int = 0
    split: Split = field(default_factory=Split)
    fraction: float = 1.0  # share of the training articles to train on, for a learning curve: a smaller one's are part of a larger one's
    save: bool = True  # write the Hugging Face dataset into the run folder
    text: str | None = None  # task=mlm: raw text, a file or folder of .txt (.xz, .gz) or .jsonl, or several with a comma between
    silver: str | None = None  # task=mlm: folder that scripts/silver.py has written labels of that text to
    passes: dict[str, int] = field(default_factory=dict)  # task=mlm: how often a pass reads a text, by its file's name; 1 where not named
    cache: str = "data/built"  # task=mlm: where the text's tokens are kept


@dataclass
class Trainer:
    epochs: int = 10
    minutes: float = 0  # stop after so many, with the state saved (resume=true goes on); 0: no limit
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
    lora: bool = False  # train low-rank additions to the encoder's matrices in place of its weights: less memory for a large encoder
    lora_rank: int = 16
    lora_alpha: int = 32  # the additions count alpha / rank
    patience: int = 0  # stop after so many epochs without a better dev score; 0: never
    precision: str = "auto"  # auto, fp32 or bf16
    threads: int = 0  # of the processor; 0: as many as it has cores, shared out among the processes on it
    device: str = "auto"  # auto or cpu
    track: str | None = None  # tensorboard, mlflow or wandb: who is told losses, rates and dev scores while it trains


@dataclass
class Mlm:
    """`task=mlm`: (further) pre-training on data.text; what it has in common with fine-tuning stands under `trainer`."""

    tokens: int = 0  # to read in all, over as many passes as that takes; 0: trainer.epochs passes
    mask: float = 0.15  # share of the words that are hidden, whole
    lengths: list[int] = field(default_factory=lambda: [128, 512])  # tokens a row: first the one, at the end the other
    short: float = 0.9  # share of the steps that read rows of the first length
    cooldown: float = 0.5  # share of the steps over which the rate falls to zero
    heldout: float = 0.005  # share of the documents that are never trained on
    every: int = 1_000_000  # tokens between two looks at the held-out documents; each saves the state
    look: int = 65_536  # held-out tokens that a look reads at most
    weights: dict[str, float] = field(default_factory=dict)  # of the losses: words, and the silver layers; 1 where not named
    vectors: bool = False  # start the embeddings of an encoder with random weights from natasha's word vectors


@dataclass
class Report:
    resamples: int = 1000  # bootstrap resamples of the confidence intervals
    test: bool = True  # read and score the test split; false while choices are being made, as scripts/tune.py does


@dataclass
class Config:
    task: Task = field(default_factory=Task)
    model: Model = field(default_factory=Model)
    data: Data = field(default_factory=Data)
    trainer: Trainer = field(default_factory=Trainer)
    mlm: Mlm = field(default_factory=Mlm)
    report: Report = field(default_factory=Report)
    seed: int = 0
    out: str | None = None  # run folder; null: a new one in outputs/
    resume: bool = False  # go on with the newest unfinished run of this config


def register() -> None:
    """Make the schema and the `${shipped:…}` resolver known to Hydra."""
    ConfigStore.instance().store(name="schema", node=Config)
    OmegaConf.register_new_resolver("shipped", lambda path: str(paths.shipped(path)), replace=True)


def settled(config: Config) -> str:
    """The config as YAML, without where the run lies, whether it goes on, how long and who is told: equal for two runs that do the same."""
    same = replace(config, out=None, resume=False, trainer=replace(config.trainer, minutes=0, track=None))
    return OmegaConf.to_yaml(OmegaConf.structured(same))


def keys(config: Config) -> dict[str, Any]:
    """The config as dotted keys and plain values, without what :func:`settled` leaves out."""
    return flatten(OmegaConf.to_container(OmegaConf.create(settled(config))))


def difference(before: str, now: str) -> str:
    """Say which key two configs as YAML differ in first, and how.

    Raises:
        UserError: `before` is no config.
    """
    try:
        one, other = (flatten(OmegaConf.to_object(OmegaConf.create(text))) for text in (before, now))
    except (YAMLError, OmegaConfBaseException) as error:
        raise UserError(f"cannot be read ({' '.join(str(error).split()):.200})") from None
    key = next((key for key in other | one if one.get(key) != other.get(key)), "its text")
    return f"{key}: the run there had {one.get(key)!r}, this one has {other.get(key)!r}"


def check(config: Config) -> None:
    """Refuse values that a type cannot.

    Raises:
        UserError: the first of them, with its key.
    """
    for key, right, expected in _rules(config):
        if not right:
            value: Any = config
            for name in key.split("."):
                value = getattr(value, name)
            raise UserError(f"{key}: found {value!r}, expected {expected}")


def _rules(config: Config) -> Iterator[tuple[str, bool, str]]:
    task, model, split, trainer = config.task, config.model, config.data.split, config.trainer
    if task.name == "mlm":
        yield from _mlm_rules(config)
    else:
        yield "data.text", not config.data.text, f"null: raw text is for task=mlm; task={task.name} reads articles, data=folder data.root=…"
        yield "task.layers", bool(task.layers) and set(task.layers) <= {*LAYERS}, f"some of {', '.join(LAYERS)}"
    yield "task.layers", len(set(task.layers)) == len(task.layers), "each layer once"
    yield "model.window", model.window >= 8, "at least 8 tokens"
    yield "model.reads", model.reads >= 0, "0 or more tokens"
    yield "model.overlap", model.overlap >= 0, "0 or more tokens"
    yield "model.dropout", model.dropout is None or 0 <= model.dropout < 1, "null, or a share from 0 up to 1"
    yield "model.attention", model.attention in ("auto", "eager", "sdpa"), "auto, eager or sdpa"
    shape = model.scratch
    for name in ("vocabulary", "hidden_size", "layers", "heads", "local"):
        yield f"model.scratch.{name}", getattr(shape, name) >= 1, "at least 1"
    yield "model.scratch.hidden_size", shape.hidden_size % (2 * max(shape.heads, 1)) == 0, f"a multiple of twice the {shape.heads} heads"
    yield "model.scratch.dropout", 0 <= shape.dropout < 1, "a share from 0 up to 1"
    for name in ("dev", "test"):
        yield f"data.split.{name}", 0 <= getattr(split, name) < 1, "a share from 0 up to 1"
    yield "data.split.near", 0 < split.near <= 1, "a share above 0, at most 1"
    yield "data.fraction", 0 < config.data.fraction <= 1, "a share above 0, at most 1"
    yield "data.split.folds", split.folds == 0 or split.folds >= 2, "0 (none), or 2 and more"
    for name in ("epochs", "batch_tokens", "accumulate", "lora_rank", "lora_alpha"):
        yield f"trainer.{name}", getattr(trainer, name) >= 1, "at least 1"
    for name in ("learning_rate", "head_learning_rate"):
        yield f"trainer.{name}", 0 <= getattr(trainer, name) <= 0.1, "from 0 to 0.1"
    for name in ("weight_decay", "clip", "patience", "threads", "minutes"):
        yield f"trainer.{name}", 0 <= getattr(trainer, name) < math.inf, "0 or more"
    yield "trainer.layer_decay", 0 < trainer.layer_decay <= 1, "a share above 0, at most 1"
    yield "trainer.warmup", 0 <= trainer.warmup <= 1, "a share from 0 to 1"
    yield "trainer.class_weights", all(0 <= weight < math.inf for weight in trainer.class_weights.values()), "weights of 0 or more"
    yield "trainer.precision", trainer.precision in ("auto", "fp32", "bf16"), "auto, fp32 or bf16"
    yield "trainer.device", trainer.device in ("auto", "cpu"), "auto or cpu"
    yield "trainer.track", trainer.track in (None, "tensorboard", "mlflow", "wandb"), "null, tensorboard, mlflow or wandb"
    yield "trainer.lora", not trainer.lora or task.name != "mlm", "false: pre-training changes the whole encoder"
    yield "report.resamples", config.report.resamples >= 0, "0 or more"
    yield "seed", 0 <= config.seed < 2**32, "0 or more, below 2**32"


def _mlm_rules(config: Config) -> Iterator[tuple[str, bool, str]]:
    mlm, data, window = config.mlm, config.data, config.model.window
    yield "data.text", bool(data.text), "a file or folder of raw text, as data.text=my_archive/"
    yield "mlm.tokens", mlm.tokens >= 0, "0 (trainer.epochs passes), or more"
    yield "mlm.mask", 0 < mlm.mask < 1, "a share between 0 and 1"
    yield (
        "mlm.lengths",
        1 <= len(mlm.lengths) <= 2 and all(8 <= n <= window for n in mlm.lengths),
        f"one or two, from 8 to model.window={window}",
    )
    yield (
        "mlm.lengths",
        max(mlm.lengths, default=0) <= config.trainer.batch_tokens,
        f"at most trainer.batch_tokens={config.trainer.batch_tokens}",
    )
    for name in ("short", "cooldown"):
        yield f"mlm.{name}", 0 <= getattr(mlm, name) <= 1, "a share from 0 to 1"
    yield "mlm.heldout", 0 <= mlm.heldout < 1, "a share from 0 up to 1"
    for name in ("every", "look"):
        yield f"mlm.{name}", getattr(mlm, name) >= 1, "at least 1 token"
    yield "mlm.weights", all(0 <= weight < math.inf for weight in mlm.weights.values()), "weights of 0 or more"
    yield "data.passes", all(count >= 0 for count in data.passes.values()), "counts of 0 or more"


def flatten(config: Any, prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one mapping of dotted keys."""
    if not isinstance(config, dict) or not config:
        return {prefix: config}
    return {key: value for name, item in config.items() for key, value in flatten(item, f"{prefix}.{name}".lstrip(".")).items()}
