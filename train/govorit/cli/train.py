"""python train/run.py: compose the config, run the pipeline, say where everything is."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from govorit import paths
from govorit.cli import guarded
from govorit.config import Config, register, settled
from govorit.errors import UserError

if TYPE_CHECKING:
    from omegaconf import DictConfig

OUTPUTS = Path("outputs")


def main() -> None:
    guarded(_program)


def _program() -> int:
    import hydra
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors come up to us, who say them in one line
    register()
    if any(a.startswith("model.path=") for a in sys.argv[1:]) and not any(a.startswith("model=") for a in sys.argv[1:]):
        sys.argv.append("model=own")
    try:
        hydra.main(version_base="1.3", config_path=str(paths.shipped("conf")), config_name="config")(_job)()
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(_one_line(error)) from None
    return 0


def _job(composed: DictConfig) -> None:
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    sweep = Path(HydraConfig.get().sweep.dir) if HydraConfig.get().mode == RunMode.MULTIRUN else None
    try:
        config = _settle(composed)
        name = HydraConfig.get().job.override_dirname if sweep else ""
        _run(config, _folder(config, sweep, name))
    except BaseException:
        if sweep and {path.name for path in sweep.iterdir()} <= {"multirun.yaml"}:
            shutil.rmtree(sweep)  # nothing was run
        raise


def _run(config: Config, folder: Path) -> None:
    import datasets
    import transformers

    from govorit import pipeline
    from govorit.training import Stopped

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    datasets.disable_progress_bars()
    _say(f"run folder: {folder}")
    try:
        outcome = pipeline.run(config, folder, _say)
    except Stopped as stopped:
        _say(str(stopped))
        sys.exit(stopped.code)
    if outcome.scores:
        print(f"{outcome.table}\n")
        for what, place in (
            ("report", "report.html"), ("", "report.md"), ("figures", "metrics.json"), ("dataset", "dataset"), ("checkpoint", "model"),
        ):  # fmt: skip
            if (folder / place).exists():
                print(f"{what:<10} {folder / place}")


def _settle(composed: DictConfig) -> Config:
    """The composed config as dataclasses; what is missing is told by its key."""
    from omegaconf import OmegaConf

    missing = OmegaConf.missing_keys(composed)
    if missing:
        key = min(missing)
        hint = "; it is the folder that holds the corpora: data/README.md says how to get them" if key == "data.root" else ""
        raise UserError(f"{key}: must be given, as {key}=…{hint}")
    OmegaConf.resolve(composed)
    config: Any = OmegaConf.to_object(composed)
    return config


def _folder(config: Config, sweep: Path | None, name: str) -> Path:
    """The run folder: the one that is named, the one to resume, or a new one."""
    if config.out:
        return Path(config.out)
    if config.resume and (found := _unfinished(config)):
        return found
    if sweep:
        return sweep / (re.sub(r"[^\w.=-]+", "_", name) or "run")
    stem = f"{time.strftime('%Y-%m-%d_%H-%M-%S')}_{config.task.name}_{config.model.name}_{config.data.name}"
    return next(path for i in range(1000) if not (path := OUTPUTS / (stem + f"_{i}" * bool(i))).exists())


def _unfinished(config: Config) -> Path | None:
    """The newest run of this very config that has not come to its report."""
    wanted = settled(config)
    runs = [
        path for path in (*OUTPUTS.glob("*/config.yaml"), *OUTPUTS.glob("*/*/config.yaml"))
        if path.read_text(encoding="utf-8") == wanted and not (path.parent / "metrics.json").exists()
    ]  # fmt: skip
    return max(runs, key=lambda path: path.stat().st_mtime).parent if runs else None


def _one_line(error: Exception) -> str:
    """What Hydra says of a bad override, without its advice on Hydra itself."""
    lines = [line.strip() for line in str(error).split("\n") if line.strip()]
    text = "; ".join(
        line
        for line in lines
        if not line.startswith(
            (
                "To append",
                "full_key",
                "object_type",
                "reference_type",
                "Check that",
                "Config search",
                "provider=",
                "set the env",
            )
        )
    )
    return text or type(error).__name__


def _say(line: str) -> None:
    from tqdm import tqdm

    if int(os.environ.get("RANK", "0")) == 0:
        tqdm.write(line, file=sys.stderr)
