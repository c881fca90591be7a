import platform
import re
import subprocess
import sys

import pytest

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


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries give memory back themselves")
def test_freed_memory_is_given_back_though_what_came_last_is_still_held():
    program = """
from pathlib import Path
from govorit import machine
held = lambda: int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20
blocks = [bytes(5000) for _ in range(20_000)]
blocks[:-1] = []
before = held()
machine.give_back_memory()
print(before - held(), len(blocks[0]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    given_back, kept = map(int, done.stdout.split())
    assert given_back > 50 and kept == 5000


def test_where_the_c_library_is_another(monkeypatch):
    monkeypatch.setattr(machine.ctypes, "CDLL", lambda name: object())
    machine.give_back_memory()
