"""Damage to files, for readers that must take it or refuse it with a UserError of one line.

Pure functions of a `random.Random`, as in generate.py. No mutant is much longer than its original but the bottomless ones.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from random import Random

from govorit.article import Article
from govorit.corpora import lint
from govorit.errors import UserError

DEPTH = 200_000
_NUMBER = re.compile(rb"(?<![\w\\.])\d+(?![\w.])")
_FIELD = re.compile(rb'"\w+": ?(?:"[^"\\]*"|[\d.]+|null|\[\]|\{\})')
_PLACE = re.compile(rb"(\d+)(\D{1,12})(\d+)")


def mutants(data: bytes, rng: Random, n: int) -> Iterator[bytes]:
    """Make `n` damaged copies of `data`, each with one kind of damage, every kind in turn."""
    for i in range(n):
        yield KINDS[i % len(KINDS)](data, rng)


def survives(read: Callable[[], Iterator[Article]]) -> bool:
    """Read to the end what was damaged: whether it was taken.

    Anything but articles or a UserError of one line fails, and so do 2 seconds of work.
    """
    began = time.process_time()
    try:
        for article in read():
            list(lint.problems(article))
    except UserError as error:
        assert "\n" not in str(error) and len(str(error)) < 2000
        return False
    finally:
        assert time.process_time() - began < 2
    return True


def _flip(data: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def _truncate(data: bytes, rng: Random) -> bytes:
    return data[: rng.randrange(len(data))]


def _cut(data: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.randrange(1, 40) :]


def _repeat(data: bytes, rng: Random) -> bytes:
    at, length = rng.randrange(len(data)), rng.randrange(1, 40)
    return data[: at + length] + data[at:]


def _noise(data: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + rng.randbytes(rng.randrange(1, 20)) + data[at:]


def _lines(data: bytes, rng: Random) -> bytes:
    lines = data.split(b"\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def _double_key(data: bytes, rng: Random) -> bytes:
    return _replace(_FIELD, data, rng, lambda found: found[0] + b", " + found[0])


def _nan(data: bytes, rng: Random) -> bytes:
    return _replace(_NUMBER, data, rng, lambda _: rng.choice((b"NaN", b"Infinity", b"-1", b"1e999", b"null", b"1" * 5000, b'"1"', b"0.5")))


def _deep(data: bytes, rng: Random) -> bytes:
    at = rng.choice([found.start() for found in _NUMBER.finditer(data)] or [0])
    return data[:at] + rng.choice((b"[", b'{"a":')) * DEPTH + data[at:]


def _shift(data: bytes, rng: Random) -> bytes:
    step = rng.choice((-1, 1, 2, 1000))
    return _replace(_NUMBER, data, rng, lambda found: b"%d" % (int(found[0]) + step))


def _reverse(data: bytes, rng: Random) -> bytes:
    return _replace(_PLACE, data, rng, lambda found: found[3] + found[2] + found[1])


def _encoding(data: bytes, rng: Random) -> bytes:
    text = data.decode("utf-8")
    return text.encode(rng.choice(("utf-16", "utf-16-le", "cp1251", "koi8-r", "utf-32")), "replace")


def _line_ends(data: bytes, rng: Random) -> bytes:
    return data.replace(b"\n", rng.choice((b"\r", b"\r\n", b"", "\u2028".encode(), b"\n\n")))


def _values(data: bytes, rng: Random) -> bytes:
    return _replace(
        _FIELD, data, rng, lambda found: found[0].partition(b":")[0] + b": " + rng.choice((b"[]", b"{}", b"0", b"null", b'""', b"[0]"))
    )


def _replace(pattern: re.Pattern[bytes], data: bytes, rng: Random, by: Callable[[re.Match[bytes]], bytes]) -> bytes:
    """Replace one match; where there is none, flip a bit."""
    found = list(pattern.finditer(data))
    if not found:
        return _flip(data, rng)
    one = rng.choice(found)
    return data[: one.start()] + by(one) + data[one.end() :]


KINDS = (
    *(_flip, _truncate, _cut, _repeat, _noise, _lines, _double_key, _nan, _shift, _reverse, _encoding, _line_ends, _values) * 8,
    _deep,
)
