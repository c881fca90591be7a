"""`python train/run.py task=mlm` and `python scripts/silver.py` as a user runs them."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import raw
import tiny
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer, BertConfig, BertForMaskedLM

from govorit import checkpoint
from govorit.cli import train as program
from govorit.corpora import silver
from govorit.network import tokenization

ROOT = Path(__file__).parents[1]
RUN = ROOT / "train/run.py"
MLM = (
    *tiny.OVERRIDES, "mlm.lengths=[16,48]", "mlm.every=1200", "mlm.look=512", "mlm.heldout=0.2", "mlm.tokens=12000",
    "trainer.learning_rate=1e-2", "trainer.head_learning_rate=1e-2",
)  # fmt: skip


def overrides(text: Path | str, *more: str) -> list[str]:
    return ["task=mlm", f"data.text={text}", *MLM, *more]


def call(arguments: list[str], cwd: Path) -> int:
    """Run the program in this process, from `cwd`; return its exit status."""
    before = sys.argv
    sys.argv = [str(RUN), *arguments]
    try:
        with contextlib.chdir(cwd), pytest.raises(SystemExit) as stop:
            program.main()
    finally:
        sys.argv = before
    return int(stop.value.code or 0)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def only(folder: Path) -> Path:
    (found,) = folder.iterdir()
    return found


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with `text/` and `labels/` of two texts, and `plain.txt`."""
    folder = tmp_path_factory.mktemp("place")
    raw.write_labelled(folder, "a", [raw.article(number) for number in range(24)])
    raw.write_labelled(folder, "b", [raw.article(number) for number in range(24, 32)])
    raw.write(folder / "plain.txt", raw.documents(24))
    return folder


def labelled(place: Path, *more: str) -> list[str]:
    """What reads the labelled texts, one of them twice a pass."""
    return overrides(place / "text", f"data.silver={place / 'labels'}", f"data.cache={place / 'cache'}", "+data.passes.b=2", *more)


@pytest.fixture(scope="module")
def ran(place, tmp_path_factory) -> Path:
    """The run folder of a run on the labelled texts that never stopped."""
    cwd = tmp_path_factory.mktemp("whole")
    assert call(labelled(place), cwd) == 0
    return only(cwd / "outputs")


# What a run leaves


def test_a_run_leaves_an_encoder_and_its_curve(ran):
    assert {path.name for path in ran.iterdir()} == {"config.yaml", "report.md", "metrics.json", "model"}
    told = json.loads((ran / "metrics.json").read_text())
    assert told["title"] == "mlm · scratch" and told["tokens"] == told["history"][-1]["tokens"] >= 12000
    assert {"heldout_loss", "perplexity", "words_loss", "entities", "entities_loss", "quotes"} <= told["history"][-1].keys()
    shown = (ran / "report.md").read_text()
    assert shown.startswith("# mlm · scratch\n") and "| step |" in shown and " tokens |" in shown and "* device cpu" in shown
    assert "name: mlm" in (ran / "config.yaml").read_text()
    folder = ran / "model"
    assert {path.suffix for path in folder.iterdir()} == {".json", ".safetensors"}
    _, info = AutoModelForMaskedLM.from_pretrained(folder, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    assert AutoModel.from_pretrained(folder).config.hidden_size == 32
    plain = AutoTokenizer.from_pretrained(folder)
    assert plain.model_max_length == 64 and plain.mask_token == "[MASK]"
    assert checkpoint.has_silver_heads(folder)


def test_what_a_run_says(place, tmp_path, capsys):
    assert call(overrides(place / "plain.txt", "mlm.tokens=400"), tmp_path) == 0
    out, said = capsys.readouterr()
    run = only(tmp_path / "outputs")
    assert not checkpoint.has_silver_heads(run / "model")
    for part in ("learning 400 word pieces from 1 texts\n", f"run folder: {run.relative_to(tmp_path)}\ntokens: plain ", "; held out "):
        assert part in said, said
    assert out.startswith("| step |") and "checkpoint outputs/" in out and "figures    outputs/" in out
    assert "report     " not in out and "dataset" not in out, "what is not there is not named"


def test_a_run_that_holds_nothing_out_leaves_its_encoder(place, tmp_path, capsys):
    assert call(overrides(place / "plain.txt", "mlm.tokens=400", "mlm.heldout=0", "out=run"), tmp_path) == 0
    assert "; held out 0\n" in capsys.readouterr().err
    assert (tmp_path / "run/model/model.safetensors").exists() and (tmp_path / "run/metrics.json").exists()


def test_a_second_run_finds_tokenizer_and_tokens(place, tmp_path, capsys):
    assert call(overrides(place / "plain.txt", "mlm.tokens=400", "out=one"), tmp_path) == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "data/built").rglob("*")}
    assert "learning" in capsys.readouterr().err
    assert call(overrides(place / "plain.txt", "mlm.tokens=400", "out=two"), tmp_path) == 0
    assert "learning" not in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "data/built").rglob("*")} == before
    assert files(tmp_path / "one/model") == files(tmp_path / "two/model")


# Stopped and resumed


def test_killed_while_the_tokenizer_was_written_it_learns_it_anew(place, tmp_path, capsys, monkeypatch):
    class Killed:
        def save(self, path: str) -> None:
            Path(path).write_text('{"version": ')
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(tokenization, "learn", lambda *_, **__: Killed())
        assert call(overrides(place / "plain.txt", "mlm.tokens=400", "out=run"), tmp_path) == 130
    assert call(overrides(place / "plain.txt", "mlm.tokens=400", "out=run"), tmp_path) == 0
    assert capsys.readouterr().err.count("learning 400 word pieces") == 2


def test_stopped_by_a_signal_it_goes_on_to_the_bytes_of_a_run_that_never_stopped(place, ran, tmp_path, capsys):
    arguments = labelled(place)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    environment.pop("PYTHONPATH", None)
    process = subprocess.Popen([sys.executable, str(RUN), *arguments], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    lines = []
    for line in process.stderr:
        lines.append(line)
        if line.startswith("step ") and not any(before.startswith("step ") for before in lines[:-1]):  # a tenth of the way
            process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143, "".join(lines)
    assert lines[-1] == "stopped by SIGTERM; resume=true goes on\n"
    run = only(tmp_path / "outputs")
    assert {path.name for path in run.iterdir()} == {"config.yaml", "state"}

    assert call(arguments, tmp_path) == 0, "a new folder, since resume was not asked for"
    assert len(list((tmp_path / "outputs").iterdir())) == 2
    assert call([*arguments, f"out={run}"], tmp_path) == 2
    assert "an unfinished run of this config is there; resume=true" in capsys.readouterr().err.split("\n")[-2]

    assert call([*arguments, "resume=true"], tmp_path) == 0
    said = capsys.readouterr().err
    assert "resumed: step " in said
    assert {path.name for path in run.iterdir()} == {path.name for path in ran.iterdir()}
    assert files(run / "model") == files(ran / "model")
    assert call([*arguments, "resume=true", f"out={run}"], tmp_path) == 0
    assert "has come to its end, there is nothing to resume" in capsys.readouterr().err


def test_minutes_are_an_end_without_failure(place, ran, tmp_path, capsys):
    arguments = labelled(place, "trainer.minutes=1e-6")
    assert call([*arguments, "out=run"], tmp_path) == 0
    assert capsys.readouterr().err.endswith("stopped since trainer.minutes are over; resume=true goes on\n")
    assert (tmp_path / "run/state").is_dir() and not (tmp_path / "run/model").exists()
    assert call([*arguments, "out=run", "resume=true"], tmp_path) == 0
    assert "resumed: step 1 of " in capsys.readouterr().err


def test_two_processes_come_to_the_weights_of_one(place, tmp_path, capsys):
    arguments = labelled(place, "model.scratch.dropout=0", "trainer.precision=fp32", "trainer.accumulate=2", "mlm.tokens=4000")
    launch = ["-m", "accelerate.commands.launch", "--cpu", "--num_processes=2", "--num_machines=1", "--mixed_precision=no"]
    command = [sys.executable, *launch, "--dynamo_backend=no", "--num_cpu_threads_per_process=1", "--main_process_port=0", str(RUN)]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run([*command, *arguments, "out=two"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("checkpoint ") == 1, "one process speaks for both"
    assert call([*arguments, "out=one"], tmp_path) == 0
    one, other = (load_file(tmp_path / folder / "model/model.safetensors") for folder in ("one", "two"))
    assert all(torch.allclose(one[name].float(), other[name].float(), atol=1e-3) for name in one)


# Word vectors


class Vocabulary(dict):
    """Words and their numbers, as navec keeps them."""

    def __init__(self, words: list[str]) -> None:
        super().__init__((word, number) for number, word in enumerate(words))
        self.words = words


@pytest.fixture
def navec(monkeypatch):
    """Word vectors of the words of `tiny`, in place of natasha's."""
    stock = sorted({word.lower() for text in raw.documents(20) for word in text.split() if word.isalpha()})
    rows = np.random.default_rng(0).normal(size=(len(stock), 30))
    made = SimpleNamespace(vocab=Vocabulary(stock), pq=SimpleNamespace(unpack=lambda: rows))
    monkeypatch.setattr(silver, "navec", lambda: made)
    return f"embeddings start from the vectors of {len(stock)} words (navec)"


def test_embeddings_start_from_word_vectors(place, navec, tmp_path, capsys):
    assert call(overrides(place / "plain.txt", "mlm.tokens=400", "mlm.vectors=true", "out=run"), tmp_path) == 0
    assert navec in capsys.readouterr().err and navec in (tmp_path / "run/report.md").read_text()


def test_killed_while_its_first_state_was_written_it_starts_from_word_vectors_again(place, navec, tmp_path, capsys):
    (tmp_path / "run/state/.step-00000001.new").mkdir(parents=True)
    assert call(overrides(place / "plain.txt", "mlm.tokens=400", "mlm.vectors=true", "out=run", "resume=true"), tmp_path) == 0
    assert navec in capsys.readouterr().err


# Going on from it


def test_fine_tuning_starts_from_the_silver_heads(ran, tmp_path, capsys):
    root = tiny.corpus(tmp_path / "corpus")
    arguments = ["data=folder", f"data.root={root}", f"model.path={ran / 'model'}", *tiny.OVERRIDES, "trainer.epochs=1", "out=fine"]
    assert call(arguments, tmp_path) == 0
    said = capsys.readouterr().err
    assert "the heads start from silver ones: entities: O B-LOC I-LOC B-PER I-PER; quotes: O B-DIRECT " in said
    assert (tmp_path / "fine/model/entities/config.json").exists() and (tmp_path / "fine/report.md").exists()


def test_pre_training_goes_on_from_an_encoder(place, ran, tmp_path, capsys):
    arguments = labelled(place, f"model.path={ran / 'model'}", "mlm.tokens=400", "out=more")
    assert call(arguments, tmp_path) == 0
    assert "the silver heads go on from those of model.path" in capsys.readouterr().err
    one, two = (json.loads((folder / "metrics.json").read_text())["history"] for folder in (ran, tmp_path / "more"))
    assert two[0]["words_loss"] < 0.7 * one[0]["words_loss"]
    assert AutoTokenizer.from_pretrained(tmp_path / "more/model").get_vocab() == AutoTokenizer.from_pretrained(ran / "model").get_vocab()


# Mistakes


def small_bert(folder: Path) -> Path:
    tokenizer = tokenization.wrap(tokenization.learn(raw.documents(10), 300))
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32, "max_position_embeddings": 32}
    BertForMaskedLM(BertConfig(vocab_size=len(tokenizer), **shape)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def mistakes(place: Path, beside: Path) -> dict[str, tuple[list[str], str]]:
    plain = place / "plain.txt"
    return {
        "no text": (["task=mlm", *MLM], "data.text: found None, expected "),
        "no such path": (overrides("none"), "data.text: none: no such file or folder"),
        "rows longer than the window": (overrides(plain, "mlm.lengths=[32,128]"), "mlm.lengths: found [32, 128], expected "),
        "rows longer than a batch": (overrides(plain, "trainer.batch_tokens=40"), "mlm.lengths: found [16, 48], expected at most "),
        "three lengths": (overrides(plain, "mlm.lengths=[16,32,48]"), "mlm.lengths: found [16, 32, 48], expected one or two"),
        "all hidden": (overrides(plain, "mlm.mask=1"), "mlm.mask: found 1.0, expected "),
        "passes": (overrides(plain, "+data.passes.plain=-1"), "data.passes: found {'plain': -1}, expected "),
        "misspelt": (overrides(plain, "mlm.mas=0.2"), "mlm.mask"),
        "no encoder": (overrides(plain, "model.path=no/such/folder"), "model.path: no/such/folder"),
        "not UTF-8": (overrides(beside / "bytes.txt"), f"{beside / 'bytes.txt'}:3: text: not UTF-8"),
        "no labels": (overrides(plain, f"data.silver={place / 'labels'}"), "plain.silver.safetensors: no silver labels there; "),
        "little text": (overrides(beside / "short.txt"), "fewer than two rows"),
        "no pass": (overrides(plain, "+data.passes.plain=0"), "data."),
        "nothing to learn": (overrides(plain, "+mlm.weights.words=0"), "mlm.weights"),
        "a text that is not there": (overrides(plain, "+data.passes.plian=2"), "data.passes: "),
        "a loss that is not there": (overrides(plain, "+mlm.weights.word=2"), "mlm.weights: "),
        "positions": (overrides(plain, f"model.path={beside / 'bert'}"), "mlm.lengths"),
    }


AFTER_PACKING = ("little text", "positions")  # what is learnt and packed by then is kept, for the next try


@pytest.mark.parametrize("name", mistakes(Path(), Path()))
def test_a_mistake_is_one_line_and_leaves_nothing(place, tmp_path, capsys, name):
    beside, cwd = tmp_path / "beside", tmp_path / "cwd"
    cwd.mkdir()
    raw.write(beside / "short.txt", ["Да."])
    (beside / "bytes.txt").write_bytes(b"ok\n\n\xd1\n")
    arguments, expected = mistakes(place, beside)[name]
    if name == "positions":
        small_bert(beside / "bert")
    capsys.readouterr()
    status, said = call(arguments, cwd), capsys.readouterr().err
    assert status == 2, said
    lines = said.removesuffix("\n").split("\n")
    assert expected in lines[-1] and "Traceback" not in said, said
    assert len(lines) == 1 or name in AFTER_PACKING, said
    assert {path.name for path in cwd.iterdir()} <= ({"data"} if name in AFTER_PACKING else set())


# scripts/silver.py


def silver_program(cwd: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run it where natasha cannot be found."""
    start = f"""import importlib.util, runpy, sys
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "natasha" else found(name, *more)
sys.argv = {["silver.py", *arguments]!r}
runpy.run_path({str(ROOT / "scripts/silver.py")!r}, run_name="__main__")"""
    return subprocess.run([sys.executable, "-c", start], cwd=cwd, capture_output=True, text=True, timeout=100)


def test_labelling_without_natasha_is_one_line(place, tmp_path):
    done = silver_program(tmp_path, str(place / "plain.txt"), "--out", "labels")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert done.stderr.startswith("natasha: not installed, ")
    assert list(tmp_path.iterdir()) == []


def test_labelling_a_text_and_finding_it_labelled(tmp_path, monkeypatch, capsys):
    pytest.importorskip("slovnet")
    pytest.importorskip("natasha")
    from govorit.cli import silver as labelling

    path = raw.write(tmp_path / "text/news.txt", raw.documents(3))
    monkeypatch.setattr(sys, "argv", ["silver.py", str(tmp_path / "text"), "--out", str(tmp_path / "labels"), "--processes", "1"])
    target = tmp_path / "labels/news.silver.safetensors"
    for expected in (f"{target}: 3 documents, ", f"{target}: of this very text, kept"):
        with pytest.raises(SystemExit) as stop:
            labelling.main()
        out, said = capsys.readouterr()
        assert not stop.value.code and expected in out + said
        before = target.stat().st_mtime_ns
    assert target.stat().st_mtime_ns == before
    found = silver.load(target, silver.digest(raw.documents(3)))
    assert len(found.first) == 4 and path.exists()
