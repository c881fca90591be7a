"""What fine-tuning and pre-training have in common: processes and threads, the run folder, what figures depend on."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import GradientAccumulationPlugin

from govorit import __version__, files, formats, machine
from govorit.config import Config, difference, settled
from govorit.corpora import corpus
from govorit.corpora.corpus import Corpus
from govorit.errors import UserError
from govorit.evaluation.metrics import Scores
from govorit.training import tracking

Say = Callable[[str], None]
PACKAGES = ("torch", "transformers", "tokenizers", "datasets", "accelerate", "seqeval", "hydra-core")


@dataclass
class Outcome:
    """What a run has left: the table of scores for a person, and where everything is."""

    folder: Path
    table: str
    scores: dict[str, Scores]


def prepare(config: Config, folder: Path) -> Accelerator:
    tracking.check(config.trainer.track)
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))  # processes that share this machine's cores
    torch.set_num_threads(config.trainer.threads or max(1, (os.cpu_count() or 1) // here))
    torch.manual_seed(config.seed)
    on_cpu = config.trainer.device == "cpu" or not torch.cuda.is_available()
    for name in ("DEEPSPEED", "FSDP", "MEGATRON_LM"):
        if os.environ.get(f"ACCELERATE_USE_{name}", "").lower() == "true":
            raise UserError(f"accelerate: found {name}, expected a whole network on each GPU: accelerate launch --multi_gpu")
    # What `accelerate config` says of precision and accumulation is not asked: trainer.precision and trainer.accumulate do.
    accelerator = Accelerator(
        cpu=on_cpu, log_with=config.trainer.track, project_dir=folder, mixed_precision="no",
        gradient_accumulation_plugin=GradientAccumulationPlugin(num_steps=1),
    )  # fmt: skip
    if accelerator.device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
    return accelerator


def check_folder(config: Config, folder: Path) -> None:
    """Refuse a run folder of another config, and one of an unfinished run that this one does not go on with."""
    path = folder / "config.yaml"
    if path.exists():
        before = formats.read_text(path)
        if before != settled(config):
            raise UserError(f"{path}: {difference(before, settled(config))}; use another out=FOLDER")
        if (folder / "state").exists() and not config.resume:
            raise UserError(f"{folder}: an unfinished run of this config is there; resume=true goes on with it, or use another out=FOLDER")


def open_folder(config: Config, folder: Path, data: Corpus | None = None) -> None:
    """Make the run folder with the resolved config and the dataset."""
    path = folder / "config.yaml"
    formats.make_folder(folder)
    if data and config.data.save and not (folder / "dataset").exists():
        beside = folder / ".dataset.new"
        shutil.rmtree(beside, ignore_errors=True)
        corpus.dataset(data).save_to_disk(beside)
        beside.rename(folder / "dataset")
    if not path.exists():
        files.write(path, settled(config))


def surroundings() -> dict[str, Any]:
    """What a run's figures depend on beside its config."""
    return {
        "command": shlex.join(["python", "train/run.py", *sys.argv[1:]]),
        "versions": {"python": platform.python_version(), "govorit": __version__, **{name: version(name) for name in PACKAGES}},
        "hardware": machine.describe(),
    }
