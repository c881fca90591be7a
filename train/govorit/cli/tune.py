"""python scripts/tune.py: search for the settings that do best on dev, with Optuna; Hydra's words for sweeps say what is searched."""

from __future__ import annotations

import argparse
import math
import shlex
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from govorit import files, paths
from govorit.cli import Parser, guarded, whole
from govorit.cli.train import implied, one_line, quieten, quoted, say, settle
from govorit.config import Config, check, flatten, register, settled
from govorit.corpora import corpus
from govorit.errors import TrainingError, UserError

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override
    from omegaconf import DictConfig
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

    from govorit.training.finetuning import Progress
    from govorit.training.tuning import Job, Study

OURS = ("out", "resume", "trainer.minutes", "report.test", "data.save")  # keys that the search sets itself
APART = ("out", "resume", "trainer.minutes", "trainer.track")  # what may differ between those who work on one study
EPILOG = """what is searched, in Hydra's words (quoted, or the shell reads them):
  'trainer.learning_rate=tag(log,interval(1e-5,1e-3))'   between two numbers, on a log scale
  'trainer.warmup=interval(0,0.3)'                       between two numbers
  'trainer.epochs=range(2,9)'                            2 to 8; or int(interval(2,8))
  'trainer.batch_tokens=choice(2048,4096)'               one of these
The first trial takes what conf/ says. The same command goes on with a study, and started twice works on it twice."""


def main() -> None:
    guarded(_program)


def _program() -> int:
    from hydra import initialize_config_dir

    options = _options()
    register()
    with initialize_config_dir(str(paths.shipped("conf")), version_base="1.3"):
        plan = _plan([*map(quoted, options.overrides)])
        return _search(plan, options)


def _options() -> argparse.Namespace:
    parser = Parser(
        prog="tune", description="Search for the settings that do best on dev; test is not looked at.",
        epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--study", type=Path, required=True, metavar="FOLDER", help="where the study lies, or is begun")
    parser.add_argument("--trials", type=whole(1), default=30, metavar="N", help="trials of the study in all (default: %(default)s)")
    parser.add_argument("--minutes", type=_minutes, default=math.inf, metavar="M", help="stop after so many; the trial in hand is kept")
    parser.add_argument("overrides", nargs="+", metavar="KEY=VALUE", help="as for train/run.py, and what is searched")
    return parser.parse_intermixed_args()


@dataclass(frozen=True)
class Plan:
    """What is fixed and what is searched, as it was said on the command line; `space` has what is drawn by key, `said` how it was said."""

    fixed: list[str]
    said: dict[str, str]
    space: dict[str, BaseDistribution]

    def overrides(self, values: Mapping[str, Any]) -> list[str]:
        from govorit.training.tuning import text

        return [*self.fixed, *(f"{key}={text(value)}" for key, value in values.items())]

    def command(self, values: Mapping[str, Any]) -> str:
        return shlex.join(["python", "train/run.py", *self.overrides(values)])

    def config(self, values: Mapping[str, Any]) -> Config:
        return settle(_compose(self.overrides(values)))

    def corners(self) -> list[dict[str, Any]]:
        """Values to try the config with: every choice and both ends of each key, with the first of the others."""
        ends = {key: list(getattr(drawn, "choices", None) or (drawn.low, drawn.high)) for key, drawn in self.space.items()}  # type: ignore[attr-defined]
        first = {key: values[0] for key, values in ends.items()}
        return [first, *({**first, key: value} for key, values in ends.items() for value in values[1:])]

    def defaults(self) -> dict[str, Any]:
        """What conf/ says of the keys that are searched, where that can be drawn."""
        composed = _compose(self.fixed)
        found = {key: OmegaConf.select(composed, key.lstrip("+"), throw_on_missing=False) for key in self.space}
        found = {key: str(value) if hasattr(self.space[key], "choices") else value for key, value in found.items()}
        return {key: value for key, value in found.items() if _can_draw(self.space[key], value)}

    def settings(self) -> dict[str, str]:
        """What all processes of a study have to agree on: their configs before paths are filled in, which differ between machines."""
        composed = flatten(OmegaConf.to_container(_compose(self.overrides(self.corners()[0])), resolve=False))
        return {key: str(value) for key, value in {**composed, **self.said}.items() if key not in APART}


def _plan(overrides: list[str]) -> Plan:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        parsed = OverridesParser.create().parse_overrides(overrides)
    except HydraException as error:
        raise UserError(one_line(error)) from None
    for override in parsed:
        if override.key_or_group in OURS:
            raise UserError(f"{override.input_line}: the search sets {override.key_or_group} itself; leave it out")
    searched = [override for override in parsed if override.is_sweep_override()]
    if not searched:
        raise UserError("nothing is searched: give a key a range, as 'trainer.learning_rate=tag(log,interval(1e-5,1e-3))'; see --help")
    fixed = [str(override.input_line) for override in parsed if not override.is_sweep_override()]
    plan = Plan(
        [*fixed, *implied(overrides)],
        {override.get_key_element(): str(override.input_line).partition("=")[2] for override in searched},
        {override.get_key_element(): _distribution(override) for override in searched},
    )
    for values in plan.corners():
        config = plan.config(values)
        if config.task.name == "mlm":
            raise UserError("task=mlm: pre-training has no dev score to search by; expected joint, ner or quotes")
        check(config)
    return plan


def _distribution(override: Override) -> BaseDistribution:
    """What Hydra has read of a key's sweep, as Optuna draws it."""
    from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, RangeSweep

    from govorit.training.tuning import library

    kinds, sweep, line = library().distributions, override.value(), override.input_line
    tags: set[str] = getattr(sweep, "tags", set())
    if not isinstance(sweep, ChoiceSweep | IntervalSweep | RangeSweep):
        raise UserError(f"{line}: expected choice(…), range(…) or interval(…)")
    if not tags <= ({"log"} if isinstance(sweep, IntervalSweep) else set()):
        raise UserError(f"{line}: found the tag {', '.join(sorted(tags))}, expected none, or log around interval(…)")
    if isinstance(sweep, ChoiceSweep):
        return kinds.CategoricalDistribution(list(override.sweep_string_iterator()))
    try:
        if isinstance(sweep, IntervalSweep):
            kind = kinds.IntDistribution if isinstance(sweep.start, int) else kinds.FloatDistribution
            return kind(sweep.start, sweep.end, log="log" in tags)
        values = sorted(map(float, override.sweep_string_iterator()))
        if not values:
            raise UserError(f"{line}: there is nothing in this range")
        if isinstance(sweep.start, int) and isinstance(sweep.step, int):
            return kinds.IntDistribution(int(values[0]), int(values[-1]), step=abs(sweep.step))
        return kinds.FloatDistribution(values[0], values[-1], step=abs(float(sweep.step)))
    except ValueError as error:
        raise UserError(f"{line}: {error}") from None


def _can_draw(drawn: BaseDistribution, value: Any) -> bool:
    try:
        return bool(drawn._contains(drawn.to_internal_repr(value)))
    except (TypeError, ValueError):
        return False


def _compose(overrides: list[str]) -> DictConfig:
    from hydra import compose
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    try:
        return compose("config", overrides)
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(one_line(error)) from None


def _search(plan: Plan, options: argparse.Namespace) -> int:
    from govorit.training import study as tables
    from govorit.training.loop import Stopped
    from govorit.training.tuning import Study

    deadline = time.monotonic() + 60 * options.minutes
    first = plan.config(plan.corners()[0])
    if not corpus.load(first.data, first.task.layers, first.seed).splits["dev"]:
        raise UserError(f"data={first.data.name}: there is no dev split, and nothing to search by")
    quieten(first)
    study = Study(options.study, plan.space, plan.settings(), first.seed)
    code = 0
    try:
        study.search(lambda job: _run(plan, job, deadline), options.trials, plan.defaults(), lambda trial: _tell(plan, study, trial))
    except Stopped as stopped:
        say(f"{str(stopped).partition(';')[0]}; the same command goes on, with the trial in hand as well")
        code = stopped.code
    except UserError:
        study.withdraw()
        raise
    with study.locked():
        _write(plan, study)
        drawn = tables.plot(study)
    for name in ("study.md", "best.yaml", *["importance.png"] * drawn):
        if (study.folder / name).exists():
            print(study.folder / name)
    return code


def _run(plan: Plan, job: Job, deadline: float) -> float:
    """Train with what was drawn; return the best dev score."""
    import torch

    from govorit import pipeline

    overrides = plan.overrides(job.trial.params)
    sys.argv[1:] = overrides  # what the report of the run says that it was started with
    config, scores = plan.config(job.trial.params), [-math.inf]
    minutes = max((deadline - time.monotonic()) / 60, 1e-9) if deadline < math.inf else 0
    config = replace(
        config, resume=True, data=replace(config.data, save=False), report=replace(config.report, test=False),
        trainer=replace(config.trainer, minutes=minutes),
    )  # fmt: skip

    def watch(progress: Progress) -> None:
        scores[:] = [row["score"] for row in progress.history]
        job.report(scores, config.trainer.epochs)

    say(f"trial {job.trial.number}: {shlex.join(overrides[len(plan.fixed) :])}")
    try:
        pipeline.run(config, job.folder, say, watch)
    except torch.OutOfMemoryError:
        raise TrainingError("out of memory") from None
    return max(scores)


def _tell(plan: Plan, study: Study, trial: FrozenTrial) -> None:
    """Say how a trial ended, and bring the tables up to date."""
    from govorit.training.tuning import WHY

    _write(plan, study)
    best = study.best()
    ended = trial.user_attrs.get(WHY) or f"{trial.value:.4f}"
    say(f"trial {trial.number}: {ended}" + (f"; the best is trial {best.number}, {best.value:.4f}" if best else ""))


def _write(plan: Plan, study: Study) -> None:
    """Write what is known by now: the table of trials, and the best one's config."""
    from govorit.training import study as tables

    tables.write(study, plan.command)
    if (best := study.best()) is not None:
        files.write(study.folder / "best.yaml", settled(plan.config(best.params)))


def _minutes(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number above 0")
    return value
