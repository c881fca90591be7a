import errno
import resource
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from govorit.errors import UserError
from govorit.training.states import SHARD, State, States

torch.set_num_threads(1)


def state(step: int) -> State:
    values = torch.Generator().manual_seed(step)
    tensors = {"weights": {"a": torch.randn(40, 30, generator=values)}, "optimizer": {"b": torch.full((3,), step), "c": torch.tensor(1.5)}}
    return State(tensors, {"step": step, "history": [{"loss": 0.5}], "text": "й"})


def same(one: State | None, other: State) -> bool:
    assert one is not None and one.values == other.values and one.tensors.keys() == other.tensors.keys()
    return all(torch.equal(one.tensors[file][name], value) for file, part in other.tensors.items() for name, value in part.items())


def test_states_come_back(tmp_path):
    states = States(tmp_path / "state", "9f8a")
    assert states.newest() is None and states.best() is None
    states.save(state(1), 1)
    states.save_best(state(1))
    states.save(state(2), 2)
    again = States(tmp_path / "state", "9f8a")
    assert same(again.newest(), state(2)) and same(again.best(), state(1))
    again.save_best(state(2))
    assert same(again.best(), state(2))


def test_two_states_are_kept(tmp_path):
    states = States(tmp_path)
    for step in (1, 2, 9, 10, 11, 100):
        states.save(state(step), step)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000011", "step-00000100"]
    assert same(states.newest(), state(100))


@pytest.mark.parametrize("name", ["weights.safetensors", "optimizer.safetensors", "state.json"])
@pytest.mark.parametrize("damage", ["truncated", "flipped", "missing", "empty"])
def test_a_damaged_state_is_passed_over(tmp_path, name, damage):
    states = States(tmp_path, "9f8a")
    states.save(state(1), 1)
    states.save(state(2), 2)
    path = tmp_path / "step-00000002" / name
    content = bytearray(path.read_bytes())
    path.unlink()
    if damage == "flipped":
        content[len(content) // 2 if name != "state.json" else 0] ^= 1
    if damage != "missing":
        path.write_bytes(content[: {"truncated": len(content) - 5, "empty": 0}.get(damage, len(content))])
    assert same(states.newest(), state(1))
    states.save(state(2), 2)  # and what is damaged can be written again
    assert same(states.newest(), state(2))


def test_what_was_left_half_written_is_no_state(tmp_path):
    states = States(tmp_path)
    states.save(state(1), 1)
    for name in (".step-00000002.new", ".best.new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "weights.safetensors").write_bytes(b"torn")
    assert same(states.newest(), state(1)) and states.best() is None
    states.save(state(2), 2)
    states.save_best(state(2))
    assert same(states.newest(), state(2)) and same(states.best(), state(2))
    assert not any(path.name.startswith(".") for path in tmp_path.iterdir())


@pytest.mark.parametrize("stop", range(4))
def test_a_best_state_is_there_whenever_the_machine_stops(tmp_path, monkeypatch, stop):
    states = States(tmp_path)
    states.save_best(state(1))
    moves = 0

    class Killed(BaseException):
        pass

    def counted(call):
        def instead(*arguments, **options):
            nonlocal moves
            moves += 1
            if moves > stop:
                raise Killed
            return call(*arguments, **options)

        return instead

    monkeypatch.setattr("govorit.training.states.save_file", counted(save_file))
    monkeypatch.setattr(Path, "rename", counted(Path.rename))
    with pytest.raises(Killed):
        states.save_best(state(2))
    monkeypatch.undo()
    assert same(states.best(), state(1))
    states.save_best(state(3))
    assert same(states.best(), state(3))


@pytest.mark.parametrize("calls", [0, 1])
def test_a_disk_that_fills_up_leaves_the_older_states(tmp_path, monkeypatch, calls):
    states = States(tmp_path)
    states.save(state(1), 1)
    states.save_best(state(1))
    made = []

    def full(tensors, path, **options):
        made.append(path)
        save_file(tensors, path, **options)
        if len(made) > calls:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("govorit.training.states.save_file", full)
    for save in (lambda: states.save(state(2), 2), lambda: states.save_best(state(2))):
        made.clear()
        with pytest.raises(UserError, match="No space left on device"):
            save()
    assert same(states.newest(), state(1)) and same(states.best(), state(1))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best", "step-00000001"], "nothing half written takes up room"


def test_a_real_limit_on_files_is_met_as_a_full_disk_is(tmp_path):
    states = States(tmp_path)
    states.save(state(1), 1)
    large = State({"weights": {"a": torch.zeros(1 << 20)}}, {"step": 2})
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        with pytest.raises(UserError, match="resume=true"):
            states.save(large, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert same(states.newest(), state(1))


def test_a_state_of_other_data_is_refused(tmp_path):
    States(tmp_path, "9f8a").save(state(1), 1)
    States(tmp_path, "9f8a").save_best(state(1))
    other = States(tmp_path, "0000")
    for read in (other.newest, other.best):
        with pytest.raises(UserError, match="other data"):
            read()


def test_a_state_of_tensors_that_share_memory_or_are_views(tmp_path):
    table = torch.arange(12.0).reshape(3, 4)
    states = States(tmp_path)
    states.save(State({"weights": {"a": table.T, "b": table[:, 1], "c": torch.zeros(0)}}, {}), 1)
    found = states.newest()
    assert found is not None and np.array_equal(found.tensors["weights"]["a"].numpy(), table.T.numpy())
    assert torch.equal(found.tensors["weights"]["b"], table[:, 1])


# States in files that can be carried


@pytest.mark.parametrize("limit", [64, 500, 5000, 10**9])
def test_a_state_comes_back_from_files_of_any_size(tmp_path, monkeypatch, limit):
    monkeypatch.setattr("govorit.training.states.SHARD", limit)
    made = torch.Generator().manual_seed(0)
    tensors = {
        "weights": {
            "embeddings": torch.randn(300, 7, generator=made), "cube": torch.randn(5, 2, 3, generator=made), "a:1": torch.arange(30),
            "scalar": torch.tensor(1.5), "half": torch.randn(9, generator=made).half(), "none": torch.zeros(0, 4),
            "wide": torch.ones(1, 16), "turned": torch.randn(6, 40, generator=made).T, "flag": torch.tensor(True),
        },
        "optimizer": {}, "random": {"cpu": torch.arange(11, dtype=torch.uint8)},
    }  # fmt: skip
    States(tmp_path).save(State(tensors, {"step": 1}), 1)
    again = States(tmp_path).newest()
    assert again.values == {"step": 1} and again.tensors.keys() == tensors.keys()
    for name, group in tensors.items():
        assert again.tensors[name].keys() == group.keys()
        for key, value in group.items():
            assert again.tensors[name][key].dtype == value.dtype and torch.equal(again.tensors[name][key], value), key
    files = list((tmp_path / "step-00000001").glob("*.safetensors"))
    held = [sum(value.nbytes for value in load_file(path).values()) for path in files]
    assert max(held) <= limit and sum(held) == sum(value.nbytes for group in tensors.values() for value in group.values())
    assert len(files) <= 2 * (sum(held) // limit + len(tensors)) + 8, "files are filled"
    assert all(path.stat().st_size < limit + 4000 for path in files)


def test_a_shard_that_is_damaged_or_gone_damages_the_state(tmp_path, monkeypatch):
    monkeypatch.setattr("govorit.training.states.SHARD", 1000)
    states = States(tmp_path)
    for damage in ("flipped", "missing"):
        states.save(state(1), 1)
        states.save(state(2), 2)
        path = tmp_path / "step-00000002" / "weights-3.safetensors"
        content = bytearray(path.read_bytes())
        path.unlink()
        if damage == "flipped":
            content[-1] ^= 1
            path.write_bytes(content)
        assert same(states.newest(), state(1))


def test_files_of_a_state_are_small_by_default():
    assert SHARD <= 15_000_000
