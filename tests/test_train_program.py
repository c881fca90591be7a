"""`python train/run.py` as a user runs it: its config, its mistakes, its signals, its sweeps, its processes."""

import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
import tiny
import torch
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from safetensors.torch import load_file

from govorit.article import Span
from govorit.cli import train as program
from govorit.config import Config, check, register
from govorit.errors import UserError
from govorit.formats import jsonl
from govorit.training.states import _read_state

ROOT = Path(__file__).parents[1]
CONF = ROOT / "conf"
RUN = ROOT / "train/run.py"
LONG = ("trainer.epochs=16",)  # a few seconds


def names(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def overrides(root: Path, *more: str) -> list[str]:
    return ["data=folder", f"data.root={root}", *tiny.OVERRIDES, *more]


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    return tiny.corpus(tmp_path_factory.mktemp("corpus") / "corpus", train=18)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def only(folder: Path) -> Path:
    (found,) = folder.iterdir()
    return found


# The config


def settled(*given: str) -> Config:
    return program.settle(compose("config", list(given)))


@pytest.fixture
def composing():
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        yield


def test_every_task_model_and_corpus_go_together(composing):
    combinations = list(itertools.product(names("task"), names("model"), names("data")))
    assert len(combinations) >= 3 * 6 * 7
    for task, model, data in combinations:
        given = [
            f"task={task}",
            f"model={model}",
            f"data={data}",
            *(["data.root=/x"] if data != "newsroom" else []),
            *(["data.text=/x"] if task == "mlm" else []),
            *(["model.path=/y"] if model == "own" else []),
        ]
        config = settled(*given)
        assert isinstance(config, Config), given
        assert (config.task.name, config.model.name, config.data.name) == (task, model, data)
        assert set(config.task.layers) <= {"entities", "quotes"} and config.data.sources
        check(config)
        for source in config.data.sources.values():
            places = [source.path, source.train, source.dev, source.test, *source.quotes]
            for place in filter(None, places):
                assert "$" not in place and (place.startswith("/x") or Path(place).exists()), (data, place)


def test_every_trainer_and_report(composing):
    assert set(names("model")) <= set(names("trainer")), "trainer=${model}"
    for name in names("trainer"):
        check(settled(f"trainer={name}"))
    for name in names("report"):
        check(settled(f"report={name}"))


def test_the_keys_of_a_corpus_come_through(composing):
    folded = settled("data=nerel_per_loc_org", "data.root=/x").data.sources["nerel"]
    assert folded.train == "/x/nerel-v1.1/train" and folded.nested == "outermost" and folded.labels["CITY"] == "LOC"
    mixed = settled("data=mix", "data.root=/x", "data.use=[newsroom,quotes_nerel]").data
    assert set(mixed.sources) == {"newsroom", "quotes_nerel", "quotes_factrueval"} and mixed.use == ["newsroom", "quotes_nerel"]
    assert settled("data=mix", "data.use=[newsroom]").data.root is None
    assert settled("model=rubert").trainer.learning_rate == 5e-5 != settled("model=scratch").trainer.learning_rate


def test_more_articles_are_sources_of_their_own(composing, tmp_path):
    (tmp_path / "newsroom").mkdir()
    places = [str(tiny.corpus(tmp_path / "corpus", train=1) / "train.jsonl"), str(tmp_path / "newsroom")]
    data = settled("data=newsroom", f"data.more=[{','.join(places)}]").data
    assert list(data.sources) == ["newsroom", "train", "newsroom_2"] and [data.sources[n].path for n in ("train", "newsroom_2")] == places
    assert data.use is None and data.more == []
    assert settled("data=newsroom", "data.use=[newsroom]", f"data.more=[{places[0]}]").data.use == ["newsroom", "train"]
    with pytest.raises(UserError, match=r"^data\.more: /nowhere: no such file or folder$"):
        settled("data=newsroom", "data.more=[/nowhere]")
    with pytest.raises(Exception, match="sources") as error:
        settled("data=newsroom", "+data.sources.mine.path=/x")
    assert program.one_line(error.value) == (
        "+data.sources.mine.path=/x: adds a source; expected data.more=[FILE_OR_FOLDER], or conf/data/NAME.yaml"
    )


@pytest.mark.parametrize("data", sorted(set(names("data")) - {"newsroom"}))
def test_the_root_of_a_corpus_must_be_given(composing, data):
    for given in ([], ["data.root="]):
        with pytest.raises(UserError, match=r"^data\.root: must be given, as data\.root=…"):
            settled(f"data={data}", *given)


def test_a_root_that_is_not_read_is_told(composing):
    for given, remedy in (
        ([], "say data=folder"),
        (["data=newsroom", "task=ner"], "say data=folder"),
        (["task=mlm"], "raw text for task=mlm is"),
    ):
        with pytest.raises(UserError, match=rf"^data\.root: data=newsroom does not read it; {remedy}"):
            settled(*given, "data.root=/x")
    for given in (["data=mix", "data.use=[newsroom]"], ["experiment=mini_joint"], ["data.sources.newsroom.train=${data.root}/train.jsonl"]):
        assert settled(*given, "data.root=/x").data.root == "/x"
    with pytest.raises(UserError, match=r"^data\.text: found '/x', expected null: raw text is for task=mlm; task=joint reads articles"):
        check(settled("data.text=/x"))


@pytest.mark.parametrize(
    "argument, value",
    [
        ("data.root=статьи", "статьи"), ("data.root=мои статьи/за 2026 (1)", "мои статьи/за 2026 (1)"), ("data.root='статьи'", "статьи"),
        ('data.root="мои, статьи"', "мои, статьи"), ("data.labels=[ЛИЦО, PER,'МЕСТО']", ["ЛИЦО", "PER", "МЕСТО"]), ("seed=7", 7),
        ("data.root=a b/c", "a b/c"), ('data.root="a\\"ы"', 'a"ы'),
    ],
)  # fmt: skip
def test_values_in_any_script_need_no_quotes(argument, value):
    assert OverridesParser.create().parse_override(program.quoted(argument)).value() == value


def test_a_sweep_over_folders_with_russian_names():
    swept = OverridesParser.create().parse_override(program.quoted("data.root=статьи,b,в г"))
    assert swept.is_sweep_override() and list(swept.sweep_string_iterator()) == ['"статьи"', "b", '"в г"']
    assert program.quoted("--config-dir=папка") == "--config-dir=папка"


@pytest.mark.parametrize(
    "given, taken",
    [
        ("-m data=folder model.path=x seed=1,2", "model=own data=folder model.path=x seed=1,2 -m"),
        ("-m task=mlm data.text=x", "trainer=mlm task=mlm data.text=x -m"), ("task=ner -m seed=1,2", "task=ner seed=1,2 -m"),
        ("--cfg job data.root=x model.path=y", "model=own data.root=x model.path=y --cfg job"),
        ("--cfg job --resolve ~data", "~data --cfg job --resolve"), ("seed=1 --info", "seed=1 --info"),
        ("-m seed=1,2 word", "seed=1,2 word -m"),
    ],
)  # fmt: skip
def test_options_may_stand_before_overrides_and_among_them(given, taken):
    assert program.gathered(given.split()) == taken.split()


# Mistakes


def main(monkeypatch, capsys, *arguments: str) -> tuple[int, str]:
    """Run the program in this process; return its exit status and what it wrote on standard error."""
    monkeypatch.setattr(sys, "argv", [str(RUN), *arguments])
    with pytest.raises(SystemExit) as stop:
        program.main()
    return int(stop.value.code or 0), capsys.readouterr().err


MISTAKES = {
    "misspelt": (["trainer.epoch=3"], "trainer.epoch", "trainer.epochs"),
    "misspelt group": (["trainr.epochs=3"], "trainr"),
    "wrong type": (["trainer.epochs=many"], "trainer.epochs", "many"),
    "no such choice": (["model=rubrt"], "rubrt", "rubert_tiny2"),
    "no key": (["articles"], "articles: found no value; settings are KEY=VALUE"),
    "no value": (["trainer.epochs"], "trainer.epochs: found no value; settings are KEY=VALUE"),
    "dashes": (["--data=folder", "data.root=x"], "--data=folder: a setting has no dashes; say data=folder\n"),
    "dashes and a space": (["--epochs", "3"], "--epochs: a setting has no dashes; say trainer.epochs=…\n"),
    "decimal comma": (["trainer.learning_rate=0,001"], "trainer.learning_rate=0,001: found a comma; expected a point in a number"),
    "no brackets": (["data.more=/a b"], "data.more: found /a b, expected a list: data.more=[/a b]\n"),
    "for short": (["trainer.lr=1e-3"], "did you mean trainer.learning_rate=…?"),
    "shorter still": (["lr=1e-3"], "did you mean trainer.learning_rate=…?"),
    "syntax": (["trainer.epochs=[1"], "trainer.epochs=[1"),
    "no root": (["data=folder"], "data.root: must be given"),
    "empty root": (["data=folder", "data.root="], "data.root: must be given, as data.root=…"),
    "root that is not read": (["data.root=/nowhere"], "data.root: data=newsroom does not read it; say data=folder"),
    "no path": (["model=own"], "model.path: must be given"),
    "empty path": (["model.path="], "model.path: must be given"),
    "no model": (["model.path=no/such/folder"], "model.path: no/such/folder"),
    "no corpus": (["data=folder", "data.root=none"], "data.sources.folder.path: none: no such file or folder"),
    "label": (["data.labels=[PER,GPE]"], "data.labels: 'GPE'"),
    "value": (["trainer.precision=fp16"], "trainer.precision: found 'fp16'"),
    "window": (["model.window=3"], "model.window: found 3"),
    "sweep, misspelt": (["-m", "seed=1,2", "trainer.epoch=3"], "trainer.epoch"),
    "sweep, wrong type": (["-m", "seed=a,1"], "seed"),
    "no corpus, in Russian": (["data=folder", "data.root=статьи (1)"], "data.sources.folder.path: статьи (1): no such file or folder"),
    "sweep, no corpus": (["-m", "seed=1,2", "data=folder", "data.root=none"], "none: no such file or folder"),
    "sweep, no encoder": (["-m", "seed=1,2", "model.path=no/such/folder"], "model.path: no/such/folder"),
    "sweep, no text": (["-m", "task=mlm", "seed=1,2"], "data.text: found None"),
    "sweep, value": (["-m", "trainer.precision=fp16,bf17"], "trainer.precision: found 'fp16'"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_and_leaves_nothing(cwd, monkeypatch, capsys, name):
    arguments, *expected = MISTAKES[name]
    status, said = main(monkeypatch, capsys, *arguments)
    assert status == 2
    assert said.count("\n") == 1 and said.endswith("\n"), said
    assert all(part in said for part in expected), said
    assert list(cwd.iterdir()) == []


def test_a_broken_offset_names_file_and_line(cwd, tmp_path, monkeypatch, capsys):
    path = tiny.corpus(tmp_path / "corpus") / "dev.jsonl"
    article = tiny.article(99)
    broken = type(article)(article.id, article.text, (Span(0, 10_000, "PER"),))
    jsonl.write([broken], path)
    status, said = main(monkeypatch, capsys, *overrides(path.parent))
    assert (status, said.count("\n"), list(cwd.iterdir())) == (2, 1, [])
    assert said.startswith(f"{path}:1: entities: PER [0, 10000) ends after the text")


# Real processes


def start(cwd: Path, *arguments: str, log: str = "stderr") -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    environment.pop("PYTHONPATH", None)
    with (cwd / log).open("w") as said, (cwd / f"{log}.out").open("w") as out:
        return subprocess.Popen([sys.executable, str(RUN), *arguments], cwd=cwd, env=environment, stderr=said, stdout=out, text=True)


def wait_for(what, seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_mistakes_of_a_real_process(tmp_path):
    (tmp_path / "logs").mkdir()
    running = []
    for name, arguments in (("misspelt", ["trainer.epoch=3"]), ("corpus", ["data=folder", "data.root=none"])):
        (tmp_path / name).mkdir()
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        command = [sys.executable, str(RUN), *arguments]
        running.append(
            subprocess.Popen(command, cwd=tmp_path / name, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
    for process, name in zip(running, ("misspelt", "corpus"), strict=True):
        out, said = process.communicate(timeout=120)
        assert (process.returncode, out, said.count("\n")) == (2, "", 1), said
        assert list((tmp_path / name).iterdir()) == []


def test_stopped_by_signals_a_run_goes_on_to_the_bytes_of_one_that_never_stopped(root, tmp_path):
    whole, halting = tmp_path / "whole", tmp_path / "halting"
    whole.mkdir()
    halting.mkdir()
    arguments = overrides(root, *LONG)
    uninterrupted = start(whole, *arguments)
    first = start(halting, *arguments, log="first")
    wait_for(lambda: first.poll() is not None or list(halting.glob("outputs/*/state/step-*")))
    first.send_signal(signal.SIGTERM)
    assert first.wait(60) == 143, (halting / "first").read_text()
    assert (halting / "first").read_text().rstrip().endswith("stopped by SIGTERM; resume=true goes on")
    run = only(halting / "outputs")
    assert (run / "state").is_dir() and not (run / "model").exists()

    second = start(halting, *arguments, "resume=true", log="second")
    wait_for(lambda: second.poll() is not None or "epoch" in (halting / "second").read_text().partition("resumed: epoch")[2])
    second.send_signal(signal.SIGINT)
    assert second.wait(60) == 130, (halting / "second").read_text()
    third = start(halting, *arguments, "resume=true", log="third")
    assert third.wait(120) == 0, (halting / "third").read_text()
    assert "resumed: epoch" in (halting / "third").read_text()

    assert uninterrupted.wait(120) == 0, (whole / "stderr").read_text()
    assert only(halting / "outputs") == run and not (run / "state").exists()
    assert files(run / "model") == files(only(whole / "outputs") / "model")
    shown = (whole / "stderr.out").read_text(encoding="utf-8")
    assert "entities" in shown and "micro" in shown
    for place in ("report.html", "report.md", "metrics.json", "dataset", "model"):
        path = only(whole / "outputs") / place
        assert path.exists() and str(path.relative_to(whole)) in shown


def _child(cwd: str, arguments: list[str]) -> None:
    """The program in a forked process of a server that has the libraries loaded already: kills cost no start-up time."""
    os.chdir(cwd)
    with Path("log").open("a") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    sys.argv = [str(RUN), *arguments]
    program.main()


def test_killed_at_any_moment_a_run_goes_on_from_whole_states(root, tmp_path):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["govorit.pipeline", "datasets", "hydra", "transformers.models.modernbert.modeling_modernbert"])
    arguments = overrides(root, *LONG, "resume=true")
    whole = tmp_path / "whole"
    whole.mkdir()
    process = context.Process(target=_child, args=(str(whole), arguments))
    process.start()
    began = time.monotonic()
    process.join(120)
    seconds = time.monotonic() - began
    assert process.exitcode == 0, (whole / "log").read_text()
    expected = files(only(whole / "outputs") / "model")

    rng, killed, states = Random(int(time.time())), 0, 0
    for turn in range(3):
        cwd = tmp_path / f"killed-{turn}"
        cwd.mkdir()
        process = context.Process(target=_child, args=(str(cwd), arguments))
        process.start()
        wait_for(lambda cwd=cwd: (cwd / "outputs").exists())
        time.sleep(rng.uniform(0.0, 0.4 * seconds))
        process.kill()
        process.join()
        killed += process.exitcode == -signal.SIGKILL
        for path in cwd.glob("outputs/*/state/step-*"):
            assert _read_state(path) is not None, path
            states += 1
        process = context.Process(target=_child, args=(str(cwd), arguments))
        process.start()
        process.join(120)
        assert process.exitcode == 0, (cwd / "log").read_text()
        finished = [path for path in (cwd / "outputs").iterdir() if (path / "metrics.json").exists()]
        assert [files(path / "model") for path in finished] == [expected], (cwd / "log").read_text()
        assert {path.name for path in finished[0].iterdir() if path.name.startswith(".") or path.name == "state"} == set()
    assert killed, "a kill came too late each time"


def test_a_sweep_writes_a_run_folder_for_each_value(root, cwd, monkeypatch, capsys):
    status, said = main(monkeypatch, capsys, "-m", "seed=1,2", *overrides(root, "trainer.epochs=1"))
    assert status == 0, said
    sweep = only(cwd / "outputs")
    runs = [path for path in sorted(sweep.iterdir()) if path.is_dir()]
    assert len(runs) == 2 and all({"model", "metrics.json", "report.md", "config.yaml"} <= {p.name for p in run.iterdir()} for run in runs)
    assert [f"seed: {seed}" in (run / "config.yaml").read_text() for seed, run in enumerate(runs, 1)] == [True, True]
    weights = [files(run / "model")["entities/model-00002-of-00002.safetensors"] for run in runs]
    assert weights[0] != weights[1]
    assert [path.name for path in cwd.iterdir()] == ["outputs"]
    assert [run.name for run in runs] == ["seed=1", "seed=2"]


def test_two_processes_come_to_the_weights_of_one(root, cwd, monkeypatch, capsys):
    arguments = overrides(root, "model.scratch.dropout=0", "trainer.precision=fp32", "trainer.epochs=2", "trainer.accumulate=2")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONPATH", None)
    launch = ["-m", "accelerate.commands.launch", "--cpu", "--num_processes=2", "--num_machines=1", "--mixed_precision=no"]
    command = [sys.executable, *launch, "--dynamo_backend=no", "--num_cpu_threads_per_process=1", "--main_process_port=0", str(RUN)]
    two = subprocess.Popen([*command, *arguments, "out=two"], env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    status, said = main(monkeypatch, capsys, *arguments, "out=one")
    assert status == 0, said
    out, said = two.communicate(timeout=150)
    assert two.returncode == 0, said
    assert out.count("checkpoint ") == 1, "one process speaks for both"
    for name in ("entities/model-00001-of-00002", "entities/model-00002-of-00002", "quotes/model-00002-of-00002"):
        one, other = (load_file(f"{folder}/model/{name}.safetensors") for folder in ("one", "two"))
        assert one.keys() == other.keys()
        for key in one:
            torch.testing.assert_close(one[key], other[key], rtol=0, atol=1e-4, msg=lambda text, key=key: f"{key}: {text}")
