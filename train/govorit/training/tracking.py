"""What a run tells TensorBoard, MLflow or Weights & Biases while it trains, through the trackers of `accelerate`.

The loops call `accelerator.log`, which does nothing where nobody listens. TensorBoard's files lie in the run folder, and so do the others'
unless their own settings (MLFLOW_TRACKING_URI, WANDB_DIR) say otherwise. A run that is resumed goes on in the same record.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from govorit.errors import MissingPackageError


def check(name: str | None) -> None:
    """Refuse a tracker whose package is missing."""
    if name and importlib.util.find_spec(name) is None:
        raise MissingPackageError("trainer.track", name, "track" if name == "tensorboard" else None)


@contextmanager
def tracked(accelerator: Accelerator, name: str | None, folder: Path, config: Mapping[str, Any]) -> Iterator[None]:
    """Let the tracker that `accelerator` was made with listen; `config` has dotted keys."""
    if name == "tensorboard":  # in RUN/tensorboard, where config.yaml lies beside it
        accelerator.init_trackers(name)
    elif name:
        accelerator.init_trackers("govorit", dict(config), {name: _record(name, folder)})
    if name == "mlflow" and accelerator.is_main_process:
        _mlflow_id(folder).write_text(accelerator.get_tracker(name, unwrap=True).info.run_id, encoding="utf-8")
    try:
        yield
    finally:
        for tracker in accelerator.trackers:
            tracker.finish()


def _record(name: str, folder: Path) -> dict[str, Any]:
    """Which record to write: the one that this run has begun, if any, in the run folder."""
    if name == "mlflow":
        os.environ.setdefault("MLFLOW_TRACKING_URI", f"sqlite:///{folder.resolve() / 'mlflow.db'}")
        known = _mlflow_id(folder)
        return {"run_id": known.read_text(encoding="utf-8")} if known.exists() else {"run_name": folder.name}
    os.environ.setdefault("WANDB_DIR", str(folder))
    return {"name": folder.name, "id": hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16], "resume": "allow"}


def _mlflow_id(folder: Path) -> Path:
    return folder / "mlflow.id"
