"""How the tests share the processor, call programs, and the run that most of them try programs on."""

import fcntl
import io
import os
import sys
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before any test imports the client of the Hub, which tries for a minute
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before any test imports torch: threads that spin while they wait starve the others

LONGEST = ("test_learning", "test_train_program", "test_wheel")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest tests, so that no processor waits for them at the end."""
    items.sort(key=lambda item: item.path.stem not in LONGEST)


@pytest.fixture
def one_thread():
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def cwd(tmp_path, monkeypatch) -> Path:
    """An empty folder, in which the test runs."""
    place = tmp_path / "cwd"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def program(monkeypatch, capsys):
    """Call a program's main() and give its exit status, standard output and standard error."""

    def call(main, *arguments, stdin: bytes | None = None):
        monkeypatch.setattr(sys, "argv", ["program", *map(str, arguments)])
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as stopped:
            main()
        done = capsys.readouterr()
        return stopped.value.code, done.out, done.err

    return call


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory) -> Path:
    """A finished run, its corpus beside it, that finds something; trained once for all processes, and for tests to read, not to change."""
    import tiny
    import torch

    from govorit import pipeline

    base = tmp_path_factory.getbasetemp()
    place = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "tiny"
    place.mkdir(exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "first-round/metrics.json").exists():
            before = torch.get_num_threads()
            pipeline.run(tiny.config(tiny.corpus(place / "corpus", 16), epochs=16), place / "first-round", lambda line: None)
            torch.set_num_threads(before)
    return place / "first-round"
