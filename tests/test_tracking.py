import hashlib
import importlib.util
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import tiny

from govorit import pipeline
from govorit.config import keys
from govorit.errors import UserError
from govorit.training import tracking
from govorit.training.loop import Stopped

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    return tiny.corpus(tmp_path_factory.mktemp("tracking") / "corpus")


def config(root: Path, **trainer):
    return tiny.config(root, epochs=2, batch_tokens=1024, **trainer)


def weights(folder: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.rglob("*.safetensors")))).hexdigest()


def told(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Every scalar in TensorBoard's files: (step, value) by name."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder / "tensorboard"), size_guidance={"scalars": 0}).Reload()
    return {name: [(event.step, event.value) for event in events.Scalars(name)] for name in events.Tags()["scalars"]}


def test_tensorboard_is_told_every_step_and_epoch_and_the_weights_are_those_without(root, tmp_path):
    plain = pipeline.run(config(root), tmp_path / "plain", lambda line: None)
    assert not (tmp_path / "plain/tensorboard").exists()
    heard = pipeline.run(config(root, track="tensorboard"), tmp_path / "heard", lambda line: None)
    assert weights(plain.folder / "model") == weights(heard.folder / "model")
    assert (plain.folder / "config.yaml").read_bytes() == (heard.folder / "config.yaml").read_bytes()
    scalars = told(heard.folder)
    steps = [step for step, _ in scalars["train/loss"]]
    assert steps == list(range(1, steps[-1] + 1)) == [step for step, _ in scalars["train/learning_rate"]]
    assert max(rate for _, rate in scalars["train/learning_rate"]) == pytest.approx(2e-3)
    for name in ("loss", "score", "entities_f1", "quotes_f1"):
        assert [step for step, _ in scalars[f"epoch/{name}"]] == [steps[-1] // 2, steps[-1]]

    with pytest.raises(Stopped):
        pipeline.run(config(root, track="tensorboard", minutes=1e-9), tmp_path / "slices", lambda line: None)
    pipeline.run(replace(config(root, track="tensorboard"), resume=True), tmp_path / "slices", lambda line: None)
    again = told(tmp_path / "slices")
    assert again["train/loss"] == scalars["train/loss"], "a run that is resumed goes on in the same record"
    assert again["epoch/score"] == scalars["epoch/score"]
    assert weights(tmp_path / "slices/model") == weights(plain.folder / "model")


@pytest.mark.parametrize("name, remedy", [("tensorboard", r"'govorit\[track\]'"), ("mlflow", "mlflow"), ("wandb", "wandb")])
def test_a_missing_package_is_told_before_anything_is_written(root, tmp_path, monkeypatch, name, remedy):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda wanted, *more: None if wanted == name else find(wanted, *more))
    with pytest.raises(UserError, match=rf"^trainer\.track: needs {name}, which is not installed: pip install {remedy}$"):
        pipeline.run(config(root, track=name), tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_an_unknown_tracker_is_refused(root, tmp_path):
    with pytest.raises(UserError, match=r"^trainer\.track: found 'tensorbord', expected null, tensorboard, mlflow or wandb$"):
        pipeline.run(config(root, track="tensorbord"), tmp_path / "run")


def test_a_record_is_found_again_by_its_run_folder(tmp_path, monkeypatch):
    for name in ("MLFLOW_TRACKING_URI", "WANDB_DIR"):
        monkeypatch.setenv(name, "kept")
    one, other = (tracking._record("wandb", tmp_path / name) for name in ("a", "b"))
    assert one == tracking._record("wandb", tmp_path / "a") and one["id"] != other["id"] and one["resume"] == "allow"
    assert tracking._record("mlflow", tmp_path) == {"run_name": tmp_path.name}
    (tmp_path / "mlflow.id").write_text("0a1b", encoding="utf-8")
    assert tracking._record("mlflow", tmp_path) == {"run_id": "0a1b"}


def test_what_trackers_are_told_of_the_config_is_plain_and_the_same_when_resumed(root):
    settings = keys(config(root))
    assert settings["trainer.epochs"] == 2 and settings["task.layers"] == ["entities", "quotes"]
    assert Counter(map(type, settings.values())).keys() <= {str, int, float, bool, list, dict, type(None)}
    assert settings == keys(replace(config(root, minutes=3, track="mlflow"), resume=True, out="x"))
