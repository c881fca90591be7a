"""One thread that owns the model. Articles wait in a bounded queue; those that wait together are read together, and answered apart."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Protocol

from govorit.article import Article
from govorit.formats import jsonl

POOL = 16_384  # characters read together: two batches or so; more brings little speed and much waiting
LINGER = 0.005  # seconds in which others may join a pool that has room
OVERHEAD = 100  # characters that an article costs beside its own
_LONGEST = 600  # seconds that anybody is asked to wait


class Reads(Protocol):
    """What the extractor does for us."""

    def read(self, articles: Iterable[Article]) -> Iterable[Article]: ...


class QueueFullError(Exception):
    """The queue has no room; `seconds` is when it will have read what is in it now."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"the queue is full; try again in {seconds} s")
        self.seconds = seconds


@dataclass(eq=False)
class _Job:
    """The articles of one request; `lines` are the answers so far, in the order of the articles."""

    waiting: deque[Article]
    future: Future[list[str]] = field(default_factory=Future)
    lines: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, line: str) -> None:
        self.lines.append(line)
        if len(self.lines) == self.count and self.future.set_running_or_notify_cancel():
            self.future.set_result(self.lines)

    def fail(self, error: Exception) -> None:
        if not self.future.done() and self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)


_Part = tuple[_Job, Article]


class Reader:
    """Reads the articles of many requests with one model.

    At most `requests` wait, with `characters` in all; a request that comes when nothing waits is always taken. They take turns, an article
    each: whoever sends one does not wait for whoever sends a thousand.
    """

    def __init__(self, extractor: Reads, requests: int = 256, characters: int = 1_000_000, linger: float = LINGER) -> None:
        self.extractor, self.requests, self.characters, self.linger = extractor, requests, characters, linger
        self._jobs: deque[_Job] = deque()
        self._size = 0  # of what waits
        self.reading = 0  # articles, at this moment
        self._speed = 0.0  # characters a second, of late
        self._closed = False
        self._changed = Condition()
        self._thread = Thread(target=self._run, name="reader", daemon=True)
        self._thread.start()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return len(self._jobs)

    def submit(self, articles: Sequence[Article]) -> Future[list[str]]:
        """Let articles wait to be read; the result is a line of JSON for each. Cancelled, they are passed over.

        Raises:
            QueueFullError: too much waits already.
        """
        job = _Job(deque(articles), count=len(articles))
        if not articles:
            job.future.set_result([])
            return job.future
        size = sum(map(_size, articles))
        with self._changed:
            self._forget_done()
            if self._jobs and (len(self._jobs) >= self.requests or self._size + size > self.characters):
                raise QueueFullError(self._seconds())
            self._jobs.append(job)
            self._size += size
            self._changed.notify()
        return job.future

    def close(self) -> None:
        """Read what waits, and end."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while self._jobs or not self._closed:
            if pool := self._take():
                start, size = time.monotonic(), sum(_size(article) for _, article in pool)
                self._read(pool)
                self.reading = 0
                speed = size / max(time.monotonic() - start, 1e-6)
                self._speed += (speed - self._speed) * (0.2 if self._speed else 1)

    def _take(self) -> list[_Part]:
        """Wait for articles, and take a pool of them; none where they were cancelled meanwhile, and at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._closed)
            self._changed.wait_for(lambda: self._size >= POOL or self._closed, self.linger)
            self._forget_done()
            pool = list(self._next())
            self.reading = len(pool)
            return pool

    def _next(self) -> Iterator[_Part]:
        """An article of each request in turn; a long one does not make those wait that came before it."""
        room = POOL
        while self._jobs and room > 0:
            job = self._jobs.popleft()
            size = _size(job.waiting[0])
            if size > room < POOL:
                self._jobs.appendleft(job)
                return
            room -= size
            self._size -= size
            yield job, job.waiting.popleft()
            if job.waiting:
                self._jobs.append(job)

    def _read(self, pool: Sequence[_Part]) -> None:
        """Read a pool; where that fails, article by article, so that one which nobody can read fails alone."""
        try:
            lines = [jsonl.dump(found) for found in self.extractor.read([article for _, article in pool])]
        except Exception as error:
            if len(pool) == 1:
                pool[0][0].fail(error)
            else:
                for part in pool:
                    self._read([part])
        else:
            for (job, _), line in zip(pool, lines, strict=True):
                job.add(line)

    def _forget_done(self) -> None:
        for job in [job for job in self._jobs if job.future.done()]:
            self._jobs.remove(job)
            self._size -= sum(map(_size, job.waiting))

    def _seconds(self) -> int:
        return max(1, min(_LONGEST, math.ceil(self._size / self._speed))) if self._speed else 1


def _size(article: Article) -> int:
    return len(article.text) + OVERHEAD
