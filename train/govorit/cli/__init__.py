"""The programs, as `scripts/` and the installed commands start them."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn

from govorit import formats
from govorit.errors import UserError


def guarded(program: Callable[[], int | None]) -> None:
    """Run a program: a user's mistake, or a full disk, becomes one line on standard error and exit status 2, Ctrl-C status 130."""
    # Before torch is imported: threads that spin while they wait take a shared processor from whoever works on it.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    _stand_in()
    try:
        status = program() or 0
        sys.stdout.flush()  # while we can still say what is wrong with it
    except UserError as error:
        print(error, file=sys.stderr)
        status = error.code
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:  # whoever read our output has enough
        _discard_output()
        status = 0
    except OSError as error:
        _discard_output()
        print(UserError(f"{error.filename or 'the output'}: {error.strerror or error}"), file=sys.stderr)
        status = UserError.code
    sys.exit(status)


def _stand_in() -> None:
    """Put /dev/null in place of each standard stream that whoever started us has closed: Python has None there."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115


def _discard_output() -> None:
    """Throw away what is not written yet, or Python complains once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def tell_passed_over(paths: Iterable[Path]) -> None:
    """Say on standard error what in folders of articles is not read."""
    for told in formats.passed_over(paths):
        print(told, file=sys.stderr)


def counted(count: int, things: str) -> str:
    """`1 entity`, `2 entities`."""
    one = f"{things[:-3]}y" if things.endswith("ies") else things[:-1]
    return f"{count} {one if count == 1 else things}"


class Parser(argparse.ArgumentParser):
    """A parser that tells a mistake in one line, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message.removeprefix('argument ')}; --help says what there is")


def whole(least: int = 0, most: float = math.inf) -> Callable[[str], int]:
    """Make a type for argparse: whole numbers from `least` to `most`."""
    expected = f"{least} to {most}" if most < math.inf else f"{least} or more" if least else "a whole number"

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"found {text!r}, expected {expected}")
        return int(text)

    return read
