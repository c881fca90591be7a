"""A wheel, built and installed into an empty environment, runs the programs with no checkout in reach."""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
import tiny

ROOT = Path(__file__).parents[1]


def call(*command: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (found,) = folder.glob("govorit-*.whl")
    return found


@pytest.fixture(scope="module")
def programs(wheel, tmp_path_factory) -> Path:
    """The folder of programs of an environment with this wheel in it and, for its dependencies, a path to those of this one."""
    place = tmp_path_factory.mktemp("installed") / "env"
    call(sys.executable, "-m", "venv", "--without-pip", place, cwd=place.parent)
    python = place / "bin/python"
    call(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=place.parent)
    (packages,) = (place / "lib").glob("python*/site-packages")
    # A folder that a .pth file names is on the path, but its own .pth files are not read: an editable checkout stays out of sight.
    folders = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    (packages / "dependencies.pth").write_text("\n".join(folders) + "\n", encoding="utf-8")
    return place / "bin"


def test_the_wheel_holds_what_the_programs_read_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    shipped = {name.removeprefix("govorit/shipped/") for name in names if name.startswith("govorit/shipped/")}
    for folder, pattern in (
        ("conf", "*.yaml"),
        ("data/newsroom", "*.jsonl"),
        ("data/quotes", "*.jsonl"),
        ("models/mini", "*"),
        ("seeds", "*"),
    ):
        here = {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob(pattern) if path.is_file()}
        assert here and here <= shipped, here - shipped
    code = {name for name in names if name.endswith(".py")}
    assert {"govorit/cli/train.py", "govorit/formats/jsonl.py"} <= code
    assert code == {str(path.relative_to(ROOT / "train")) for path in (ROOT / "train/govorit").rglob("*.py")}
    assert {"govorit/templates/report.html.j2", "govorit/templates/report.md.j2"} <= set(names)
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"govorit"}
    assert not [name for name in names if ("test" in Path(name).name and name.endswith(".py")) or "__pycache__" in name]


def test_the_installed_package_is_not_the_checkout(programs, tmp_path):
    found = call(programs / "python", "-c", "import govorit; print(govorit.__file__)", cwd=tmp_path).stdout.strip()
    assert Path(found).is_relative_to(programs.parent)


def test_training_runs_from_an_empty_folder(programs, tmp_path):
    """The default corpus, which the wheel carries, and a network of some thousand weights."""
    done = call(
        programs / "govorit-train",
        *tiny.OVERRIDES,
        "trainer.epochs=1",
        "data.fraction=0.2",
        "model.window=256",
        "trainer.batch_tokens=2048",
        cwd=tmp_path,
    )
    (run,) = (tmp_path / "outputs").iterdir()
    assert str(run.relative_to(tmp_path) / "report.html") in done.stdout
    assert {"config.yaml", "dataset", "metrics.json", "model", "report.html", "report.md"} <= {path.name for path in run.iterdir()}
    assert f"{programs.parent}/" in (run / "config.yaml").read_text(encoding="utf-8"), "the corpus is the one in the wheel"
    assert [path.name for path in tmp_path.iterdir()] == ["outputs"]
    seed = next(programs.parent.glob("lib/python*/site-packages/govorit/shipped/seeds/almaty-2017.txt"))
    (line,) = call(programs / "govorit-predict", seed, cwd=tmp_path).stdout.splitlines()  # with the newest model: the run above
    assert json.loads(line)["text"].encode() == seed.read_bytes()
    newsroom = seed.parents[1] / "data/newsroom"
    assert "micro" in call(programs / "govorit-evaluate", newsroom / "dev.jsonl", "--model", run, "--resamples", "0", cwd=tmp_path).stdout
    assert "0 errors" in call(programs / "govorit-lint", newsroom, cwd=tmp_path).stdout
    call(programs / "govorit-convert", newsroom / "test.jsonl", "--to", "brat", "--out", "brat", cwd=tmp_path)
    assert len(list((tmp_path / "brat").glob("*.ann"))) == 24
