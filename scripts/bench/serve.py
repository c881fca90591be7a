"""Measure `scripts/serve.py` under load, and compare every answer with what the extractor says of that article by itself.

usage: python scripts/bench/serve.py --model outputs/RUN [--clients 32] [--seconds 60] [--requests 10000] [--threads N]

First, for so many seconds, each client sends article after article of data/newsroom: requests a second, and how long one takes. Then the
first paragraphs of these articles, until so many requests have been answered in all: what memory they leave behind. An answer counts as
wrong where one byte of it differs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import torch

from govorit import formats, paths
from govorit.article import Article
from govorit.extractor import Extractor
from govorit.formats import jsonl

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Tally:
    """What the clients saw; `seconds` holds one figure a request, in the order in which they were answered."""

    seconds: list[float] = field(default_factory=list)
    wrong: int = 0
    refused: int = 0


Case = tuple[bytes, bytes]  # a request's body, and the answer that it should get


def main() -> None:
    options = parse()
    articles = [article for split in ("train", "dev", "test") for article in formats.read(ROOT / f"data/newsroom/{split}.jsonl")]
    short = [replace(article, text=article.text.split("\n", 1)[0]) for article in articles]
    torch.set_num_threads(options.threads)
    extractor = Extractor.load(paths.checkpoint(options.model))
    whole, first = ([case(extractor, article) for article in some] for some in (articles, short))
    with serving(options.model, options.threads) as (url, process):
        asyncio.run(load(url, first[:64], options.clients, lambda tally: len(tally.seconds) < 64))
        before, start = memory(process.pid), time.monotonic()
        timed = asyncio.run(load(url, whole, options.clients, lambda _: time.monotonic() - start < options.seconds))
        took, after = time.monotonic() - start, memory(process.pid)
        rest = max(0, options.requests - len(timed.seconds))
        more = asyncio.run(load(url, first, options.clients, lambda tally: len(tally.seconds) < rest))
        last = memory(process.pid)
    size = statistics.mean(len(article.text) for article in articles)
    first_count, count = len(timed.seconds), len(timed.seconds) + len(more.seconds)
    print(f"{options.clients} clients, {options.threads} thread(s), articles of {size:,.0f} characters on average, {took:.0f} s")
    print(f"{first_count / took:.1f} requests a second; p50 {part(timed, 50):.2f} s, p99 {part(timed, 99):.2f} s")
    print(f"memory: {before} MB before, {after} MB after these {first_count:,}, {last} MB after {count:,}")
    print(f"wrong or mixed answers: {timed.wrong + more.wrong}; refused (503): {timed.refused + more.refused}")
    print(f"exit status after SIGTERM: {process.returncode}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def case(extractor: Extractor, article: Article) -> Case:
    bare = replace(article, entities=(), quotes=())
    (found,) = extractor.read([bare])
    return json.dumps({"id": bare.id, "text": bare.text, "meta": dict(bare.meta)}).encode(), f"{jsonl.dump(found)}\n".encode()


@contextmanager
def serving(model: Path, threads: int) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server of its own, at a free port; ended as a service manager ends one."""
    command = [sys.executable, str(ROOT / "scripts/serve.py"), "--model", str(model), "--port", "0", "--threads", str(threads)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.send_signal(signal.SIGTERM)


async def load(url: str, cases: Sequence[Case], clients: int, going: Callable[[Tally], bool]) -> Tally:
    tally = Tally()
    async with httpx.AsyncClient(base_url=url, timeout=None, limits=httpx.Limits(max_connections=clients)) as client:
        await asyncio.gather(*(ask(client, random.Random(number), cases, going, tally) for number in range(clients)))
    return tally


async def ask(client: httpx.AsyncClient, rng: random.Random, cases: Sequence[Case], going: Callable[[Tally], bool], tally: Tally) -> None:
    while going(tally):
        body, expected = rng.choice(cases)
        start = time.monotonic()
        answer = await client.post("/extract", content=body, headers={"Content-Type": "application/json"})
        if answer.status_code == 503:
            tally.refused += 1
            await asyncio.sleep(float(answer.headers["Retry-After"]))
        else:
            tally.seconds.append(time.monotonic() - start)
            tally.wrong += answer.content != expected


def part(tally: Tally, percent: int) -> float:
    return statistics.quantiles(tally.seconds, n=100, method="inclusive")[percent - 1]


def memory(pid: int) -> int:
    """What the process holds of the machine's memory now, MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.split("\n") if line.startswith("VmRSS:")).split()[1]) // 1024


if __name__ == "__main__":
    main()
