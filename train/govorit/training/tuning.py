"""A search for the settings that do best on dev: a study of Optuna in a folder, on which any number of processes and machines work.

Settings are drawn by TPE (Bergstra et al. 2011), for each trial from the seed and its number; a trial that stands below the median of the
others is pruned. Where a process has died, its trial is marked as failed and its settings are enqueued again with its run folder: whoever
comes next goes on from that run's last state. Who works on a run holds a lock on a file, which the system releases for the dead.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from govorit import formats
from govorit.errors import MissingPackageError, TrainingError, UserError
from govorit.training.loop import Stopped

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

ENOUGH = 8  # complete trials, from which on it is told what mattered
RUN, WHY = "run", "why"  # attributes of a trial: the name of its run folder, and why it has no score


def library() -> Any:
    """Import Optuna, or say how to get it."""
    try:
        import optuna
    except ImportError:
        raise MissingPackageError("tune", "optuna", "tune") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def text(value: Any) -> str:
    """A value as it is given to a run and shown: numbers to four digits, which is more than a search can tell apart."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@dataclass
class Job:
    """A trial to run: the values that were drawn, and the run folder."""

    trial: Trial
    folder: Path
    told: set[int] = field(default_factory=set)

    def report(self, scores: Sequence[float], epochs: int) -> None:
        """Tell the dev scores of the epochs so far, of `epochs` in all; runs are compared at each tenth, where their rates stand alike.

        Raises:
            optuna.TrialPruned: others did better by then.
        """
        for done in range(1, len(scores) + 1):
            tenth = 10 * done // epochs
            if tenth not in self.told:
                self.told.add(tenth)
                self.trial.report(max(scores[:done]), tenth)
        if 0 < len(scores) < epochs and self.trial.should_prune():
            raise library().TrialPruned


class Study:
    """A study's trials, on disk. `space` is what is drawn, by key; `settings` are what all who work on it must agree on.

    Raises:
        UserError: what is in `folder` was begun with other settings.
    """

    def __init__(self, folder: Path, space: Mapping[str, BaseDistribution], settings: Mapping[str, Any], seed: int) -> None:
        optuna = library()
        self.folder, self.space, self.seed = folder, dict(space), seed
        formats.make_folder(folder / "runs")
        with self.locked():
            storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(folder / "journal.log")))
            pruner = optuna.pruners.MedianPruner(n_startup_trials=5, n_min_trials=3)
            self.optuna = optuna.create_study(storage=storage, study_name="study", direction="maximize", pruner=pruner, load_if_exists=True)
            before = self.optuna.user_attrs.get("settings")
            if before is None:
                self.optuna.set_user_attr("settings", dict(settings))
        for key in sorted(before.keys() | settings.keys()) if before else ():
            there, here = (str(some.get(key)) for some in (before, settings))
            if there != here:
                raise UserError(f"{folder}: {key}: the study there has {there}, this one has {here}; use another --study")

    def trials(self) -> list[FrozenTrial]:
        """All trials that were begun, but for those that were handed on, which have failed for no reason of their own."""
        begun = [trial for trial in self.optuna.trials if trial.state.name != "WAITING"]
        return [trial for trial in begun if trial.state.name != "FAIL" or WHY in trial.user_attrs]

    def best(self) -> FrozenTrial | None:
        """The complete trial with the highest score, the first of several."""
        complete = [trial for trial in self.trials() if trial.state.name == "COMPLETE"]
        return max(complete, key=lambda trial: (trial.value, -trial.number), default=None)

    def search(
        self, objective: Callable[[Job], float], trials: int, first: Mapping[str, Any], finished: Callable[[FrozenTrial], None]
    ) -> None:
        """Run trials until the study has so many, those of other processes among them; `first` are the values of the very first.

        Args:
            objective: gives the score; raises `optuna.TrialPruned`, or `TrainingError` where such values cannot be trained with.
            finished: is shown each trial that this process has finished, while no other process writes.

        Raises:
            Stopped, UserError: by `objective`; the trial is left to whoever comes next.
        """
        while (begun := self._begin(trials, first)) is not None:
            job, lock = begun
            with lock:
                self._finish(job, *self._run(job, objective))
                with self.locked():
                    finished(self.optuna.trials[job.trial.number])

    def _run(self, job: Job, objective: Callable[[Job], float]) -> tuple[str, float | None, str | None]:
        """Say how a trial ended: its state, its score, and why it has none."""
        try:
            return "COMPLETE", objective(job), None
        except library().TrialPruned:
            return "PRUNED", None, "pruned"
        except TrainingError as error:  # as bad as can be, but no reason to give up: the next ones are drawn elsewhere
            return "PRUNED", None, str(error)
        except (Stopped, UserError):
            raise
        except Exception as error:
            self._finish(job, "FAIL", None, str(error))
            raise

    def _begin(self, trials: int, first: Mapping[str, Any]) -> tuple[Job, IO[str]] | None:
        """Draw the next trial and lock its run; None where there are enough."""
        optuna = library()
        with self.locked():
            self._hand_on()
            known = self.optuna.trials
            if sum(trial.state.name in ("COMPLETE", "PRUNED", "RUNNING") for trial in known) >= trials:
                return None
            if not known:
                self.optuna.enqueue_trial(dict(first))
            seed = np.random.SeedSequence((self.seed, len(known))).generate_state(1)[0]
            self.optuna.sampler = optuna.samplers.TPESampler(seed=int(seed))
            trial = self.optuna.ask(self.space)
            run = trial.user_attrs.get(RUN) or f"{trial.number:04d}"
            trial.set_user_attr(RUN, run)
            return Job(trial, self.folder / "runs" / run), _lock(self._lock_of(run))

    def _hand_on(self) -> None:
        """Enqueue again what those were at who have died."""
        state = library().trial.TrialState
        for trial in self.optuna.get_trials(states=(state.RUNNING,)):
            run = trial.user_attrs.get(RUN)
            if run is None or _is_free(self._lock_of(run)):
                self.optuna.tell(trial.number, state=state.FAIL)
                self.optuna.enqueue_trial(trial.params, user_attrs={RUN: run})

    def _finish(self, job: Job, state: str, score: float | None, why: str | None) -> None:
        """Record how a trial ended; of states and models, the best trial's model alone stays on disk."""
        with self.locked():
            if why is not None:
                job.trial.set_user_attr(WHY, why)
            self.optuna.tell(job.trial, score, state=library().trial.TrialState[state])
            best = self.best()
            for trial in self.trials():
                if trial.state.is_finished():
                    run = self.folder / "runs" / trial.user_attrs[RUN]
                    for name in ("state", "model"):
                        if name == "state" or best is None or trial.number != best.number:
                            shutil.rmtree(run / name, ignore_errors=True)

    def withdraw(self) -> None:
        """Remove the study where no run has begun and nobody else is at one; whatever else lies in its folder stays."""
        runs = self.folder / "runs"
        with self.locked():
            locks = list(runs.glob("*.lock"))
            if any(path.is_dir() for path in runs.iterdir()) or not all(map(_is_free, locks)):
                return
            for path in (*locks, *self.folder.glob("journal.log*"), self.folder / "lock"):
                path.unlink()
        for folder in (runs, self.folder):
            with suppress(OSError):  # not empty
                folder.rmdir()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Wait until no other process writes."""
        with _lock(self.folder / "lock"):
            yield

    def _lock_of(self, run: str) -> Path:
        return self.folder / "runs" / f"{run}.lock"


def _lock(path: Path) -> IO[str]:
    """Open a file that no other process has open so; closing it releases it."""
    file = path.open("a")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def _is_free(path: Path) -> bool:
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
