import re

from govorit import machine


def test_it_says_what_a_figure_was_made_on():
    told = machine.describe()
    assert {"processor", "cores", "peak memory of this process", "system"} <= told.keys() and all(told.values())
    assert re.fullmatch(r"\d+(\.\d)? [MG]iB", told["peak memory of this process"])


def test_where_the_kernel_does_not_say(monkeypatch):
    monkeypatch.setattr(machine, "_line", lambda path, key: "")
    told = machine.describe()
    assert told["processor"] and "memory" not in told


def test_sizes():
    assert [machine._size(size) for size in (0, 5 << 20, 3 << 29)] == ["0 MiB", "5 MiB", "1.5 GiB"]
