"""Raw text to pre-train on, and silver labels of it made by hand, as natasha's models would write them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tiny

from govorit.article import Article
from govorit.corpora import archive, silver
from govorit.corpora.silver import Silver
from govorit.words import encode, words

NAMES = {
    "entities": ["<pad>", "O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG"],
    "forms": ["<pad>", "ADP", "NOUN|Animacy=Inan|Case=Nom", "PROPN|Case=Nom", "PUNCT", "VERB|Tense=Past|VerbForm=Fin"],
    "relations": ["<pad>", "root", "nsubj", "flat:name", "punct"],
    "heads": silver.HEADS,
}


def article(number: int) -> Article:
    """One of `tiny`, in paragraphs, every quotation a sentence of its own."""
    made = tiny.article(number, 2 + number % 3)
    return Article(made.id, made.text.replace(". В ", ".\nВ ").replace(": «", ". «"), made.entities, made.quotes)


def documents(count: int, first: int = 0) -> list[str]:
    return [article(number).text for number in range(first, first + count)]


def write(path: Path, texts: Sequence[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(texts) + "\n", encoding="utf-8")
    return path


def labels(articles: Sequence[Article]) -> Silver:
    """Labels of every word: the entities of the articles, and so much of the syntax that the rules find who said what."""
    first, starts = [0], []
    columns: dict[str, list[int]] = {layer: [] for layer in silver.LAYERS}
    for item in articles:
        bounds = words(item.text)
        tags = encode(item.entities, bounds)[0]
        pieces = [item.text[start:end] for start, end in bounds]
        columns["entities"] += [NAMES["entities"].index(tag) for tag in tags]
        columns["forms"] += [_form(piece, tag) for piece, tag in zip(pieces, tags, strict=True)]
        relations = [4 if not piece.isalnum() else {"B-PER": 2, "I-PER": 3}.get(tag, 1) for piece, tag in zip(pieces, tags, strict=True)]
        columns["relations"] += relations
        columns["heads"] += silver.heads([at * (relation in (2, 3)) for at, relation in enumerate(relations)]).tolist()
        starts += [start for start, _ in bounds]
        first.append(len(starts))
    made = {layer: np.array(values, dtype=np.int16) for layer, values in columns.items()}
    return Silver(np.array(first), np.array(starts, dtype=np.int32), made, NAMES)


def _form(piece: str, tag: str) -> int:
    return 4 if not piece.isalnum() else 5 if piece in tiny.CUES else 3 if tag != "O" else 1 if piece == "В" else 2


def write_labelled(folder: Path, name: str, articles: Sequence[Article]) -> tuple[Path, Path]:
    """A text and its labels; returns the text's path and the folder of labels."""
    path, beside = write(folder / "text" / f"{name}.txt", [item.text for item in articles]), folder / "labels"
    beside.mkdir(parents=True, exist_ok=True)
    text = archive.Text(path, beside)
    labels(articles).save(text.labels_path, text.digest)
    return path, beside
