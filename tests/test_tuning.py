import math
import multiprocessing
import os
import shlex
import sys
import time
from pathlib import Path

import optuna
import pytest
import tiny
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from govorit.cli import train
from govorit.cli import tune as program
from govorit.errors import TrainingError, UserError
from govorit.training import study as tables
from govorit.training.loop import Stopped
from govorit.training.tuning import Study, text

ROOT = Path(__file__).parents[1]
SPACE = {
    "trainer.learning_rate": FloatDistribution(1e-5, 1e-1, log=True),
    "trainer.epochs": IntDistribution(2, 8),
    "model": CategoricalDistribution(["mini", "scratch"]),
}
FIRST = {"trainer.learning_rate": 1e-3}


def study(folder: Path, **settings: str) -> Study:
    return Study(folder, SPACE, {"seed": "0", **settings}, seed=0)


def score(job) -> float:
    """Best at a rate of 0.01, whatever else was drawn; the run folder gets what a run leaves."""
    for name in ("model", "state"):
        (job.folder / name).mkdir(parents=True)
    return 1 - abs(math.log10(job.trial.params["trainer.learning_rate"]) + 2) / 10


def search(made: Study, objective=score, trials: int = 8) -> list:
    finished: list = []
    made.search(objective, trials, FIRST, finished.append)
    return finished


def drawn(made: Study) -> list[dict]:
    return [trial.params for trial in made.trials()]


def test_a_search_comes_to_its_number_of_trials_and_draws_the_same_again(tmp_path):
    one, other = study(tmp_path / "one"), study(tmp_path / "other")
    assert len(search(one)) == 8 and len(search(one)) == 0 and len(search(one, trials=12)) == 4
    search(other, trials=12)
    assert drawn(one) == drawn(other) and len({str(params) for params in drawn(one)}) == 12
    assert drawn(one)[0]["trainer.learning_rate"] == 1e-3, "the first takes what it is told to"
    best = one.best()
    assert best.value == max(trial.value for trial in one.trials())
    kept = {path.parent.name for path in (tmp_path / "one/runs").glob("*/*")}
    assert kept == {best.user_attrs["run"]}, "the model of the best trial alone stays on disk, and no state"


def test_what_was_stopped_goes_on_in_its_run_folder(tmp_path):
    plain, halting = study(tmp_path / "plain"), study(tmp_path / "halting")
    search(plain, trials=4)
    seen: list[tuple[Path, dict]] = []

    def stopped(job):
        seen.append((job.folder, job.trial.params))
        if len(seen) == 2:
            raise Stopped(15)
        return score(job)

    with pytest.raises(Stopped):
        search(halting, stopped, trials=4)
    search(study(tmp_path / "halting"), stopped, trials=4)
    assert seen[1] == seen[2] and seen[1][0].name == "0001"
    assert len(seen) == 5 and len(halting.trials()) == 4
    assert drawn(halting)[:2] == drawn(plain)[:2]
    states = [trial.state.name for trial in halting.optuna.trials]
    assert states == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE", "COMPLETE"]


def _die(folder: str) -> None:
    def dies(job):
        job.folder.mkdir()
        os._exit(9)

    search(study(Path(folder)), dies)


def _work(folder: str) -> None:
    def slow(job):
        time.sleep(0.02)
        return score(job)

    search(study(Path(folder)), slow)


def processes(target, folder: Path, count: int) -> None:
    context = multiprocessing.get_context("fork")
    started = [context.Process(target=target, args=(str(folder),)) for _ in range(count)]
    for process in started:
        process.start()
    for process in started:
        process.join(60)


def test_the_trial_of_a_process_that_has_died_is_handed_on_and_that_of_a_living_one_is_not(tmp_path):
    made = study(tmp_path)
    alive, lock = made._begin(8, FIRST)
    processes(_die, tmp_path, 1)
    folders = []

    def listed(job):
        folders.append(job.folder.name)
        return 0.5

    search(made, listed, trials=3)
    assert folders == ["0001", "0003"], "0000 is still at work, 0002 is what goes on with 0001"
    lock.close()
    search(made, listed, trials=3)
    assert folders[2:] == ["0000"] and alive.folder.name == "0000"


def test_processes_share_out_the_trials_of_a_study(tmp_path):
    processes(_work, tmp_path, 3)
    made = study(tmp_path)
    assert [trial.state.name for trial in made.trials()] == ["COMPLETE"] * 8
    assert len({str(params) for params in drawn(made)}) == 8
    assert len({trial.user_attrs["run"] for trial in made.trials()}) == 8


def test_values_that_cannot_be_trained_with_count_as_the_worst_and_a_mistake_of_the_user_ends_the_search(tmp_path):
    made = study(tmp_path)

    def diverges(job):
        if job.trial.params["trainer.learning_rate"] > 1e-3:
            raise TrainingError("step 3: loss nan")
        return score(job)

    search(made, diverges)
    bad = [trial for trial in made.trials() if trial.state.name == "PRUNED"]
    assert bad and all(trial.user_attrs["why"] == "step 3: loss nan" for trial in bad) and made.best().state.name == "COMPLETE"

    def broken(job):
        raise UserError("the disk is full")

    with pytest.raises(UserError, match="the disk is full"):
        search(made, broken, trials=9)
    assert len(search(made, trials=9)) == 1, "once that is mended, the trial goes on"

    def bug(job):
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError):
        search(made, bug, trials=10)
    assert [trial.state.name for trial in made.trials()][-1] == "FAIL"


def test_who_stands_below_the_median_is_pruned_by_the_share_of_its_epochs(tmp_path):
    made = study(tmp_path)
    search(made, lambda job: job.report([0.2, 0.8, 0.6], 3) or 0.8, trials=6)  # tenths 3, 6 and 10
    asked = []

    def lagging(job):
        for done in range(1, 7):
            asked.append(done)
            job.report([0.1 * i for i in range(1, done + 1)], 6)  # 0.1, 0.2 at a third, 0.4 at two thirds: too little
        return 0.6

    (trial,) = search(made, lagging, trials=7)
    assert trial.state.name == "PRUNED" and asked == [1, 2, 3, 4]
    assert trial.intermediate_values == pytest.approx({1: 0.1, 3: 0.2, 5: 0.3, 6: 0.4})


def test_another_search_in_the_same_folder_is_refused(tmp_path):
    search(study(tmp_path, lr="interval(0,1)"), trials=1)
    with pytest.raises(UserError, match=r": lr: the study there has interval\(0,1\), this one has interval\(0,2\); use another --study$"):
        study(tmp_path, lr="interval(0,2)")
    with pytest.raises(UserError, match=r": lr: the study there has interval\(0,1\), this one has None; use another --study$"):
        study(tmp_path)


def test_what_is_left_for_people(tmp_path):
    made = study(tmp_path / "rates")
    search(made, trials=3)
    assert not tables.plot(made)
    search(made, trials=10)
    search(made, lambda job: (_ for _ in ()).throw(optuna.TrialPruned), trials=11)
    tables.write(made, lambda params: f"train trainer.learning_rate={text(params['trainer.learning_rate'])}")
    assert tables.plot(made) and (made.folder / "importance.png").read_bytes().startswith(b"\x89PNG")
    shown = (made.folder / "study.md").read_text(encoding="utf-8")
    best = made.best()
    assert shown.startswith("# rates\n\n11 trials: 10 complete, 1 pruned.")
    assert f"train trainer.learning_rate={best.params['trainer.learning_rate']:.4g}\n" in shown
    rows = [line for line in shown.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert len(rows) == 13 and cells[2][:2] == [str(best.number), f"{best.value:.4f}"] and cells[-1][:2] == ["10", "pruned"]
    shares = tables.importances(made)
    assert next(iter(shares)) == "trainer.learning_rate" and sum(shares.values()) == pytest.approx(1)
    assert {path.name for path in made.folder.iterdir()} == {"runs", "lock", "journal.log", "study.md", "importance.png"}


# The program


def run(monkeypatch, capsys, main, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["program", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    out, said = capsys.readouterr()
    return int(stop.value.code or 0), out, said


RATE = "trainer.learning_rate=tag(log,interval(1e-5,1e-3))"
MISTAKES = {
    "nothing searched": (["model=scratch"], "nothing is searched"),
    "misspelt": (["trainer.epoch=range(2,4)"], "trainer.epoch", "trainer.epochs"),
    "misspelt beside": ([RATE, "trainr.epochs=2"], "trainr"),
    "syntax": (["trainer.epochs=range(2"], "trainer.epochs=range(2"),
    "wrong type": (["trainer.epochs=interval(2.5,8.5)"], "trainer.epochs", "2.5"),
    "bad end": (["trainer.warmup=interval(0,2)"], "trainer.warmup: found 2.0, expected a share"),
    "bad choice": (["trainer.precision=choice(fp32,fp16)"], "trainer.precision: found 'fp16'"),
    "no such group": (["model=choice(mini,rubrt)"], "rubrt"),
    "turned round": (["trainer.warmup=interval(0.5,0.1)"], "trainer.warmup=interval(0.5,0.1)"),
    "log of zero": (["trainer.learning_rate=tag(log,interval(0,1))"], "tag(log,interval(0,1))"),
    "tag": (["trainer.learning_rate=tag(lgo,interval(0,1))"], "found the tag lgo"),
    "glob": (["model=glob(*)"], "expected choice(…), range(…) or interval(…)"),
    "empty": (["trainer.epochs=range(4,2)"], "trainer.epochs=range(4,2): there is nothing in this range"),
    "ours": ([RATE, "out=x"], "out=x: the search sets out itself"),
    "pre-training": ([RATE, "task=mlm", "data.text=x"], "task=mlm: pre-training has no dev score"),
    "no root": ([RATE, "data=folder"], "data.root: must be given"),
    "no corpus": ([RATE, "data=folder", "data.root=none"], "none: no such file or folder"),
    "no model": ([RATE, "model.path=none"], "model.path: none"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_and_leaves_nothing(cwd, monkeypatch, capsys, name):
    arguments, *expected = MISTAKES[name]
    status, out, said = run(monkeypatch, capsys, program.main, "--study", "study", *arguments)
    *progress, last = said.splitlines()
    assert (status, out) == (2, "") and all(line.startswith("trial 0: ") for line in progress), said
    assert all(part in last for part in expected), last
    assert list(cwd.iterdir()) == []


def test_a_mistake_in_a_folder_of_the_user_leaves_what_is_in_it(cwd, monkeypatch, capsys):
    for name in ("mine.txt", "runs.md"):
        (cwd / name).write_text("моё", encoding="utf-8")
    assert run(monkeypatch, capsys, program.main, "--study", ".", RATE, "model.path=none")[0] == 2
    assert sorted(path.name for path in cwd.iterdir()) == ["mine.txt", "runs.md"]


def test_a_search_as_a_user_runs_it_and_the_command_that_it_ends_with(cwd, tmp_path, monkeypatch, capsys):
    root = tiny.corpus(tmp_path / "corpus")
    shape = ["data=folder", f"data.root={root}", *tiny.OVERRIDES, "trainer.batch_tokens=1024", "trainer.learning_rate=5e-3"]
    arguments = ["--study", "studies/tiny", *shape, "trainer.head_learning_rate=tag(log,interval(1e-4,1e-1))", "trainer.epochs=range(1,3)"]
    status, out, said = run(monkeypatch, capsys, program.main, *arguments, "--trials", "2", "--minutes", "1e-9")
    assert status == 0 and "stopped since trainer.minutes are over; the same command goes on" in said, said
    assert (cwd / "studies/tiny/runs/0000/state").exists() and "0 complete" not in out

    status, out, said = run(monkeypatch, capsys, program.main, *arguments, "--trials", "2")
    assert status == 0 and "resumed: epoch" in said, said
    place = cwd / "studies/tiny"
    assert out.split() == ["studies/tiny/study.md", "studies/tiny/best.yaml"]
    runs = [path for path in sorted((place / "runs").iterdir()) if path.is_dir()]
    assert len(runs) == 2 and all((path / "metrics.json").exists() and not (path / "state").exists() for path in runs)
    assert not list(place.glob("runs/*/predictions/test.jsonl")), "test is not looked at"
    assert all("report.test=false" in (path / "report.md").read_text(encoding="utf-8") for path in runs)
    (model,) = place.glob("runs/*/model")

    other = [argument.replace("1e-1", "1e-2") for argument in arguments]
    status, _, said = run(monkeypatch, capsys, program.main, *other)
    assert (status, said.count("\n")) == (2, 1) and "trainer.head_learning_rate: the study there has tag(log,interval(1e-4,1e-1))" in said

    (command,) = [line for line in (place / "study.md").read_text(encoding="utf-8").splitlines() if line.startswith("python train/run.py ")]
    status, _, said = run(monkeypatch, capsys, train.main, *shlex.split(command)[2:], "out=again")
    assert status == 0, said
    assert (cwd / "again/config.yaml").read_bytes() == (place / "best.yaml").read_bytes()
    weights = [path.relative_to(model) for path in model.rglob("*.safetensors")]
    assert weights and all((model / path).read_bytes() == (cwd / "again/model" / path).read_bytes() for path in weights)
    assert (cwd / "again/predictions/test.jsonl").exists()
