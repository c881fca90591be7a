"""What a search leaves for people: study.md, with its trials and the command of the best one, and importance.png, what mattered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from govorit import files
from govorit.markdown import table
from govorit.training.tuning import ENOUGH, RUN, WHY, library, text

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

    from govorit.training.tuning import Study


def write(study: Study, command: Callable[[Mapping[str, Any]], str]) -> None:
    """Write study.md; `command` says how to train with what a trial has drawn."""
    best, trials = study.best(), study.trials()
    lines = [f"# {study.folder.name}", "", f"{_counted(trials)}. Scores are those of dev; test was not looked at.", ""]
    if best is not None:
        lines += [f"The best is trial {best.number}, {best.value:.4f}:", "", "```", command(best.params), "```", ""]
    lines += _importance(study)
    lines += [table([["trial", "dev score", *study.space, "minutes", "run"], *(_row(trial, study.space) for trial in _ranked(trials))])]
    files.write(study.folder / "study.md", "\n".join(lines) + "\n")


def importances(study: Study) -> dict[str, float]:
    """How much each key has to do with being among the best (PED-ANOVA; Watanabe et al. 2023); empty where trials are too few to tell."""
    optuna = library()
    complete = [trial for trial in study.trials() if trial.state.name == "COMPLETE"]
    if len(complete) < ENOUGH or len({trial.value for trial in complete}) < 2:
        return {}
    return optuna.importance.get_param_importances(study.optuna, evaluator=optuna.importance.PedAnovaImportanceEvaluator())


def plot(study: Study) -> bool:
    """Draw the dev score over each key, what matters most first; say whether there are trials enough."""
    shares = importances(study)
    if not shares:
        return False
    from matplotlib.figure import Figure

    complete = [trial for trial in study.trials() if trial.state.name == "COMPLETE"]
    figure = Figure(figsize=(3.2 * len(shares), 3.2), layout="constrained")
    for axes, (key, share) in zip(figure.subplots(1, len(shares), sharey=True, squeeze=False)[0], shares.items(), strict=True):
        axes.scatter([trial.params[key] for trial in complete], [trial.value for trial in complete], s=18, alpha=0.7)
        axes.set_title(f"{key}: {share:.0%}", fontsize="small")
        if getattr(study.space[key], "log", False):
            axes.set_xscale("log")
        axes.grid(alpha=0.3)
    figure.supylabel("dev score", fontsize="small")
    with files.whole(study.folder / "importance.png") as beside:
        figure.savefig(beside, format="png", dpi=120, metadata={"Software": None})
    return True


def _counted(trials: Sequence[FrozenTrial]) -> str:
    names = {"COMPLETE": "complete", "PRUNED": "pruned", "RUNNING": "running", "FAIL": "failed"}
    counts = {said: sum(trial.state.name == name for trial in trials) for name, said in names.items()}
    return f"{len(trials)} trials: " + ", ".join(f"{count} {said}" for said, count in counts.items() if count)


def _importance(study: Study) -> list[str]:
    shares = importances(study)
    if not shares:
        return [f"What mattered is told after {ENOUGH} complete trials of different scores.", ""]
    told = ", ".join(f"`{key}` {share:.0%}" for key, share in shares.items())
    return [f"What mattered for being among the best (PED-ANOVA): {told}.", "", "![What mattered](importance.png)", ""]


def _ranked(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The best first, then those without a score, in the order in which they began."""
    complete = sorted((trial for trial in trials if trial.state.name == "COMPLETE"), key=lambda trial: trial.value or 0, reverse=True)
    return [*complete, *(trial for trial in trials if trial.state.name != "COMPLETE")]


def _row(trial: FrozenTrial, space: Mapping[str, BaseDistribution]) -> list[str]:
    score = f"{trial.value:.4f}" if trial.state.name == "COMPLETE" else trial.user_attrs.get(WHY, trial.state.name.lower())
    minutes = f"{trial.duration.total_seconds() / 60:.1f}" if trial.duration else ""
    return [str(trial.number), score, *(text(trial.params.get(key, "")) for key in space), minutes, f"runs/{trial.user_attrs[RUN]}"]
