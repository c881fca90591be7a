"""A run of a second: few articles, a network of some thousand weights, one thread. The same for every test that trains."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from govorit.article import CUE, SPEAKER, Article, Quote, Span
from govorit.config import Config, Data, Model, Scratch, Source, Task, Trainer
from govorit.formats import jsonl

NAMES = ["Иван Петров", "Анна Ли", "Олег Ким", "Мария Сидорова", "Пётр Ёлкин", "Нурлан Ахметов"]
PLACES = ["Алматы", "Москве", "Бишкеке", "Минске", "Казани"]
WORDS = ["Договор подписан", "Снег выпал рано", "Цены не вырастут", "Мост откроют в мае", "Поезда идут по графику"]
CUES = ["сказал", "заявил", "отметил", "сообщил"]

SHAPE = Scratch(vocabulary=400, hidden_size=32, layers=1, heads=2, local=8, dropout=0.1)
OVERRIDES = (
    "model=scratch", "model.scratch.vocabulary=400", "model.scratch.hidden_size=32", "model.scratch.layers=1", "model.scratch.heads=2",
    "model.scratch.local=8", "model.scratch.dropout=0.1", "model.window=64", "model.overlap=16", "trainer.batch_tokens=192",
    "trainer.threads=1", "trainer.device=cpu", "report.resamples=20",
)  # fmt: skip


def article(number: int, sentences: int = 3) -> Article:
    """An article of its own for each number: every sentence names a place and quotes a person."""
    text, entities, quotes = f"Сводка {number}.", [], []

    def put(piece: str) -> tuple[int, int]:
        nonlocal text
        text += piece
        return len(text) - len(piece), len(text)

    for i in range(sentences):
        turn = number * 7 + i * 5
        put(" В ")
        entities.append(Span(*put(PLACES[turn % len(PLACES)]), "LOC"))
        put(": ")
        content = Span(*put(f"«{WORDS[(turn + number) % len(WORDS)]}»"), "DIRECT")
        put(", — ")
        cue = Span(*put(CUES[turn % len(CUES)]), CUE)
        put(" ")
        name = NAMES[(turn + i) % len(NAMES)]
        place = put(name)
        entities.append(Span(*place, "PER"))
        quotes.append(Quote("direct", (content,), cue, Span(*place, SPEAKER), name))
        put(".")
    return Article(f"n-{number:03d}", text, tuple(entities), tuple(quotes))


def articles(count: int, first: int = 0) -> list[Article]:
    return [article(number, 2 + number % 3) for number in range(first, first + count)]


def corpus(folder: Path, train: int = 12, dev: int = 3, test: int = 3) -> Path:
    """Write a corpus with the splits that have articles; a folder that `data=folder data.root=` takes."""
    folder.mkdir(parents=True, exist_ok=True)
    first = 0
    for split, count in (("train", train), ("dev", dev), ("test", test)):
        if count:
            jsonl.write(articles(count, first), folder / f"{split}.jsonl")
        first += count
    return folder


def config(root: Path, layers: Sequence[str] = ("entities", "quotes"), **trainer: object) -> Config:
    """What `task=joint model=scratch data=folder data.root=ROOT` with OVERRIDES composes, and `trainer` keys over it."""
    given: dict[str, object] = {
        "epochs": 2, "batch_tokens": 192, "learning_rate": 2e-3, "head_learning_rate": 2e-3, "threads": 1, "device": "cpu", **trainer,
    }  # fmt: skip
    made = Config(
        task=Task("joint", list(layers)),
        model=Model(name="scratch", path=None, scratch=SHAPE, window=64, overlap=16),
        data=Data(name="folder", root=str(root), sources={"folder": Source(path=str(root))}),
        trainer=Trainer(**given),  # type: ignore[arg-type]
    )
    made.report.resamples = 20
    return made
