"""The machine: what a figure was made on, and what that took; and its memory."""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import sys
from contextlib import suppress
from pathlib import Path


def describe() -> dict[str, str]:
    """Say what this machine is, and how much memory this process has needed so far, in the binary units of its kernel."""
    found = {"processor": _line("/proc/cpuinfo", "model name") or platform.machine(), "cores": str(os.cpu_count())}
    if total := _line("/proc/meminfo", "MemTotal"):
        found["memory"] = _size(int(total.split()[0]) << 10)
    found["peak memory of this process"] = _size(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10)
    torch = sys.modules.get("torch")  # where nothing has imported it, no accelerator was used
    if torch is not None:
        found["threads"] = str(torch.get_num_threads())
        if torch.cuda.is_available():
            found["accelerator"] = torch.cuda.get_device_name()
            found["peak memory on it"] = _size(torch.cuda.max_memory_allocated())
    found["system"] = platform.system()
    return found


def give_back_memory() -> None:
    """Give freed memory back to the system where the C library keeps it, as GNU's does between blocks that are still held."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _line(path: str, key: str) -> str:
    """The value of the first line `key : value` in a file of the kernel, or nothing."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
