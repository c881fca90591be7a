"""Silver labels: what natasha's models (MIT) say of every token of raw news: entities, parts of speech with their forms, syntax.

They are what a small encoder learns from beside masked words: a far denser signal. A text file's labels are one safetensors file of plain
arrays, keyed by the digest of the text, whatever tokenizer an encoder has.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from govorit import windows
from govorit.errors import UserError

LAYERS = ("entities", "forms", "relations", "heads")
REACH = 12  # a syntactic head further away than so many tokens is only told to lie to the left or to the right
HEADS = ["root", "left", "right", *(f"{offset:+d}" for offset in range(-REACH, REACH + 1) if offset)]


@dataclass(frozen=True)
class Silver:
    """Labels of the tokens of one text file.

    `first` (documents + 1,): number of each document's first token; `starts` (tokens,): where a token starts, in characters of its
    document; `labels` of each layer (tokens,): indices into `names`.
    """

    first: np.ndarray
    starts: np.ndarray
    labels: dict[str, np.ndarray]
    names: dict[str, list[str]]

    def document(self, number: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The token starts of one document, and its labels."""
        part = slice(int(self.first[number]), int(self.first[number + 1]))
        return self.starts[part], {layer: values[part] for layer, values in self.labels.items()}

    def save(self, path: Path, digest: str) -> None:
        tensors = {"first": self.first, "starts": self.starts, **{f"labels.{layer}": values for layer, values in self.labels.items()}}
        beside = path.with_name(f".{path.name}.new")
        save_file(tensors, beside, metadata={"names": json.dumps(self.names, ensure_ascii=False), "text": digest})
        beside.rename(path)


def file_name(text: str) -> str:
    """How the file with the labels of a text of this name is called."""
    return f"{text}.silver.safetensors"


def load(path: Path, digest: str) -> Silver:
    """Read what :meth:`Silver.save` wrote for the text of this digest.

    Raises:
        UserError: there is no such file, it is damaged, or it was made of another text.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            told = file.metadata()
            if told["text"] != digest:
                raise UserError(f"{path}: its labels are those of another text; make them anew with scripts/silver.py")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
        labels = {name.removeprefix("labels."): value for name, value in tensors.items() if name.startswith("labels.")}
        return Silver(tensors["first"], tensors["starts"], labels, json.loads(told["names"]))
    except FileNotFoundError:
        raise UserError(f"{path}: no silver labels there; make them with scripts/silver.py") from None
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({' '.join(str(error).split()):.200}); make it anew with scripts/silver.py") from None


def digest(documents: Iterable[str]) -> str:
    """What labels are keyed by: the documents, in their order."""
    found = hashlib.sha256()
    for text in documents:
        found.update(text.encode("utf-8", "surrogatepass") + b"\0")
    return found.hexdigest()


def annotate(documents: Sequence[str], processes: int, progress: Callable[[int], None] | None = None) -> Silver:
    """Label documents with natasha's models; `progress` is told how many characters are done.

    Raises:
        UserError: natasha is not installed.
    """
    names = teacher().names
    parts: list[tuple[np.ndarray, dict[str, np.ndarray]]] = []
    with _workers(processes) as mapped:
        for chunk in mapped(_label_chunk, _chunks(documents, 64_000)):
            for size, starts, labels in chunk:
                parts.append((starts, labels))
                if progress:
                    progress(size)
    first = np.cumsum([0, *(len(starts) for starts, _ in parts)], dtype=np.int64)
    starts = np.concatenate([np.zeros(0, np.int32), *(starts for starts, _ in parts)])
    columns = {layer: np.concatenate([np.zeros(0, np.int16), *(labels[layer] for _, labels in parts)]) for layer in LAYERS}
    return Silver(first, starts, columns, names)


class Teacher:
    """Natasha's three models on razdel's tokens. `names` are the labels of each layer."""

    def __init__(self) -> None:
        folder, vectors = natasha(), navec()
        from slovnet import NER, Morph, Syntax

        self.ner, self.morph, self.syntax = (
            model.load(str(folder / "model" / f"slovnet_{name}_news_v1.tar"), batch_size=8).navec(vectors)
            for model, name in ((NER, "ner"), (Morph, "morph"), (Syntax, "syntax"))
        )
        vocabularies = {
            "entities": self.ner.infer.decoder.tags_vocab, "forms": self.morph.infer.decoder.tags_vocab,
            "relations": self.syntax.infer.decoder.rels_vocab,
        }  # fmt: skip
        self.names = {layer: list(vocabulary.items) for layer, vocabulary in vocabularies.items()} | {"heads": HEADS}

    def label(self, text: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Token starts (tokens,) of one document, and the label of each in each layer."""
        from razdel import sentenize, tokenize

        paragraphs: list[list[str]] = []
        sentences: list[list[str]] = []
        starts: list[int] = []
        at = 0
        for line in text.split("\n"):
            words: list[str] = []
            for sentence in sentenize(line):
                tokens = list(tokenize(sentence.text))
                if not tokens:  # an empty line is an empty sentence to razdel
                    continue
                starts += [at + sentence.start + token.start for token in tokens]
                sentences.append([token.text for token in tokens])
                words += sentences[-1]
            if words:
                paragraphs.append(words)
            at += len(line) + 1
        parsed = _in_order(self.syntax, sentences)
        columns = {
            "entities": _joined(_in_order(self.ner, paragraphs)), "forms": _joined(_in_order(self.morph, sentences)),
            "relations": _joined([relations for _, relations in parsed]), "heads": _joined([heads(found) for found, _ in parsed]),
        }  # fmt: skip
        return np.array(starts, dtype=np.int32), columns


def heads(found: Sequence[int]) -> np.ndarray:
    """Where each token's syntactic head stands, as a label of `HEADS`; `found` counts tokens from 1, 0 is the root.

    >>> [HEADS[i] for i in heads([2, 0, 2])]
    ['+1', 'root', '-1']
    """
    at = np.asarray(found, dtype=np.int64)
    offset = at - 1 - np.arange(len(at))
    near = offset + REACH + 3 - (offset > 0)
    label = np.where(offset < -REACH, 1, np.where(offset > REACH, 2, near))
    return np.where((at == 0) | (offset == 0), 0, label).astype(np.int16)


@cache
def teacher() -> Teacher:
    return Teacher()


def navec() -> Any:
    """Natasha's word vectors: 250,000 Russian words of news, 300 numbers each.

    Raises:
        UserError: natasha is not installed.
    """
    folder = natasha()
    from navec import Navec

    return Navec.load(str(next((folder / "emb").glob("navec_*.tar"))))


def natasha() -> Path:
    """The folder of natasha's models; the package itself is not imported (it wants pymorphy2, which today's setuptools breaks)."""
    found = importlib.util.find_spec("natasha")
    if found is None or found.origin is None:
        raise UserError("natasha: not installed, and silver labels and word vectors come from it; pip install 'govorit[silver]'")
    return Path(found.origin).parent / "data"


def _in_order(model: Any, items: Sequence[list[str]]) -> list[Any]:
    """What a model says of each item, in their order; they are read sorted by length, so that little is padded."""
    order = sorted(range(len(items)), key=lambda i: len(items[i]))
    found = model.infer.process(model.infer.encoder([items[i] for i in order]))
    return [value for _, value in sorted(zip(order, found, strict=True), key=lambda pair: pair[0])]


def _joined(found: Sequence[Any]) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.int16), *(np.asarray(values, dtype=np.int16) for values in found)])


def _label_chunk(texts: Sequence[str]) -> list[tuple[int, np.ndarray, dict[str, np.ndarray]]]:
    return [(len(text), *teacher().label(text)) for text in texts]


def _chunks(documents: Sequence[str], size: int) -> Iterator[list[str]]:
    """Documents in their order, as many at once as have `size` characters."""
    numbers = windows.pools(range(len(documents)), [len(document) for document in documents], size)
    return ([documents[number] for number in part] for part in numbers)


@contextmanager
def _workers(processes: int) -> Iterator[Callable[..., Iterable[Any]]]:
    """`map` over processes, in order; in this very process where one is enough."""
    if processes > 1:
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            yield pool.imap
    else:
        yield map
