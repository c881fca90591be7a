"""The programs, as `scripts/` and the installed commands start them."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable

from govorit.errors import UserError


def guarded(program: Callable[[], int | None]) -> None:
    """Run a program: a user's mistake becomes one line on standard error and exit status 2, Ctrl-C status 130."""
    # Before torch is imported: threads that spin while they wait take a shared processor from whoever works on it.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        status = program() or 0
    except UserError as error:
        print(error, file=sys.stderr)
        status = error.code
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:  # whoever read our output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more at its end
        status = 0
    sys.exit(status)


def whole(least: int = 0, most: float = math.inf) -> Callable[[str], int]:
    """Make a type for argparse: whole numbers from `least` to `most`."""
    expected = f"{least} to {most}" if most < math.inf else f"{least} or more" if least else "a whole number"

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"found {text!r}, expected {expected}")
        return int(text)

    return read
