"""Raw text to pre-train on: documents -> memory-mapped tokens with silver labels -> packed rows.

A text is a `.txt` file (also `.xz` or `.gz`), a paragraph a line, an empty line between documents, a document longer than any article cut
between paragraphs, so that some of a file without empty lines can be held out; or a `.jsonl` file of articles. A text's tokens are written
once, to a folder whose name is a digest of all that they depend on, and read through memory maps: an archive may be larger than memory.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
import shutil
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from tokenizers import Tokenizer

from govorit import formats, marks, rules, windows, words
from govorit.article import QUOTE_LABELS
from govorit.corpora import silver
from govorit.corpora.silver import Silver
from govorit.errors import UserError
from govorit.windows import IGNORED, Frame

SUFFIXES: dict[str, Callable[..., Any]] = {".txt": Path.open, ".txt.xz": lzma.open, ".txt.gz": gzip.open, ".jsonl": Path.open}
CONTINUED, HEAD, SPECIAL = 0, 1, 2  # what a token is: goes on with a word, begins one, stands for none
QUOTES = "quotes"  # the silver layer that comes from rules
LAYERS = (*silver.LAYERS, QUOTES)
_LONGEST = 100_000  # characters of a document in a .txt file, but for its last paragraph
_VERSION = 1  # of what is written; another one is another digest


@dataclass(frozen=True)
class Packed:
    """Tokens of all documents, end to end, each closed by a separator.

    `ids` and `kinds` (tokens,), `labels` of each layer (tokens,) with IGNORED where nothing is asked; `names` are a layer's labels;
    `ranges` says which tokens, half-open, come from which text; `key` is a digest of all that this depends on.
    """

    ids: np.ndarray
    kinds: np.ndarray
    labels: dict[str, np.ndarray]
    names: dict[str, list[str]]
    ranges: dict[str, tuple[int, int]]
    frame: Frame
    key: str = ""

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, starts: Sequence[int] | np.ndarray, length: int) -> Rows:
        """Take the rows of `length` tokens, special ones included, that begin at `starts`."""
        inner = np.asarray(starts)[:, None] + np.arange(length - self.frame.size)[None]
        return Rows(
            self._framed(self.ids[inner], self.frame.before, self.frame.after),
            self._framed(self.kinds[inner], SPECIAL, SPECIAL),
            {layer: self._framed(values[inner], IGNORED, IGNORED) for layer, values in self.labels.items()},
        )

    def _framed(self, inner: np.ndarray, before: int | Sequence[int], after: int | Sequence[int]) -> np.ndarray:
        left, right = len(self.frame.before), len(self.frame.after)
        framed = np.empty((len(inner), inner.shape[1] + left + right), dtype=np.int64)
        framed[:, :left], framed[:, left : framed.shape[1] - right], framed[:, framed.shape[1] - right :] = before, inner, after
        return framed


@dataclass(frozen=True)
class Rows:
    """Packed rows without padding: `ids`, `kinds` and `labels` of each layer, all (rows, tokens)."""

    ids: np.ndarray
    kinds: np.ndarray
    labels: dict[str, np.ndarray]


class Text:
    """One text file: its documents, and the silver labels that lie in `labels` under its name."""

    def __init__(self, path: Path, labels: Path | None = None) -> None:
        self.path, self.labels = path, labels
        self.name = path.name[: -len(_suffix(path))]

    def documents(self) -> Iterator[str]:
        """Read one document after the other.

        Raises:
            UserError: the file cannot be read, or is not UTF-8.
        """
        if _suffix(self.path) == ".jsonl":
            yield from (article.text for article in formats.read(self.path, "jsonl") if article.text.strip())
            return
        part: list[str] = []
        size = 0
        for line in self._lines():
            if line.strip():
                part.append(line)
                size += len(line)
            if part and (not line.strip() or size >= _LONGEST):
                yield "\n".join(part)
                part, size = [], 0
        if part:
            yield "\n".join(part)

    def _lines(self) -> Iterator[str]:
        number = 0
        try:
            with SUFFIXES[_suffix(self.path)](self.path, "rb") as file:
                for line in file:
                    number += 1
                    yield line.rstrip(b"\r\n").decode("utf-8")
        except UnicodeDecodeError:
            raise UserError(f"{self.path}:{number}: text: not UTF-8; convert the file to UTF-8") from None
        except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
            place = f"{self.path}:{number}" if number else self.path
            raise UserError(f"{place}: text: cannot be read ({error}); fetch or pack the file again") from None

    @cached_property
    def digest(self) -> str:
        return silver.digest(self.documents())

    @property
    def labels_path(self) -> Path | None:
        return self.labels / silver.file_name(self.name) if self.labels else None

    def silver(self) -> Silver | None:
        """Its silver labels, where it has a folder of them.

        Raises:
            UserError: they are not there, or are those of another text.
        """
        return silver.load(self.labels_path, self.digest) if self.labels_path else None


def _suffix(path: Path) -> str:
    return next((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), "")


def texts(places: Sequence[str], labels: Path | None = None) -> list[Text]:
    """Find the texts in files and folders, by name.

    Raises:
        UserError: there is none, or two have the same name, by which labels are found.
    """
    found: list[Text] = []
    for place in (Path(place) for place in places if place.strip()):
        if not place.exists():
            raise UserError(f"data.text: {place}: no such file or folder")
        inside = sorted(path for path in place.rglob("[!.]*") if path.is_file()) if place.is_dir() else [place]
        known = [path for path in inside if _suffix(path)]
        if not known:
            raise UserError(f"data.text: {place}: no text in it; expected {', '.join(SUFFIXES)}")
        found += [Text(path, labels) for path in known]
    if not found:
        raise UserError("data.text: found no place, expected a file or folder of raw text")
    counts: Counter[str] = Counter()
    for text in found:
        counts[text.name] += 1
        if counts[text.name] > 1:
            if labels:
                raise UserError(f"data.text: {text.path}: a second text of this name; silver labels are found by name, rename one")
            text.name += f"#{counts[text.name]}"
    return found


def pack(
    chosen: Sequence[Text],
    tokenizer: Tokenizer,
    folder: Path,
    heldout: float,
    progress: Callable[[int], None] | None = None,
) -> tuple[Packed, Packed]:
    """Turn texts into tokens to train on and tokens held out, in `folder`, or take what is there of the same texts and tokenizer.

    A document is held out by a digest of it, so that a copy of it in another text is held out as well. `progress` is told how many
    characters are done.
    """
    place = folder / _key(chosen, tokenizer, heldout)
    if not (place / "index.json").exists():
        beside = place.with_name(f".{place.name}.new")
        shutil.rmtree(beside, ignore_errors=True)
        formats.make_folder(beside)
        _write(chosen, tokenizer, heldout, beside, progress)
        shutil.rmtree(place, ignore_errors=True)
        beside.rename(place)
    train, held = (_open(place, split, tokenizer) for split in ("train", "heldout"))
    return train, held


def _key(chosen: Sequence[Text], tokenizer: Tokenizer, heldout: float) -> str:
    digests = [(text.name, text.digest, _digest(text.labels_path)) for text in chosen]
    told = [_VERSION, tokenizer.to_str(), heldout, digests]
    modules = [*sorted(Path(rules.__file__).parent.glob("*.py")), Path(marks.__file__)] if any(text.labels for text in chosen) else []
    code = b"".join(module.read_bytes() for module in modules)
    return hashlib.sha256(json.dumps(told).encode() + code).hexdigest()[:16]


def _digest(path: Path | None) -> str:
    if path is None or not path.exists():
        return hashlib.sha256().hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(chosen: Sequence[Text], tokenizer: Tokenizer, heldout: float, folder: Path, progress: Callable[[int], None] | None) -> None:
    writers = {split: _Writer(folder / split, tokenizer) for split in ("train", "heldout")}
    names: dict[str, list[str]] = {}
    for text in chosen:
        labels = text.silver()
        if labels:
            names = _names(text, labels, names)
        for writer in writers.values():
            writer.begin(text)
        documents = enumerate(text.documents())
        while part := list(islice(documents, 256)):
            tokens = windows.tokenize_all([document for _, document in part], tokenizer)
            for (number, document), item in zip(part, tokens, strict=True):
                asked = silver_labels(document, item, *labels.document(number), labels.names) if labels else {}
                writers["heldout" if _is_held_out(document, heldout) else "train"].add(item, asked)
                if progress:
                    progress(len(document))
    for writer in writers.values():
        writer.close()
    ranges = {split: writer.ranges for split, writer in writers.items()}
    (folder / "index.json").write_text(json.dumps({"names": names, "ranges": ranges}, ensure_ascii=False), encoding="utf-8")


def _names(text: Text, labels: Silver, before: Mapping[str, list[str]]) -> dict[str, list[str]]:
    names = {**labels.names, QUOTES: words.tag_names(QUOTE_LABELS)}
    if before and before != names:
        raise UserError(f"{text.labels_path}: its labels are not those of the other texts; make all with scripts/silver.py anew")
    return names


def silver_labels(
    document: str, tokens: windows.Tokens, starts: np.ndarray, labels: Mapping[str, np.ndarray], names: Mapping[str, Sequence[str]]
) -> dict[str, np.ndarray]:
    """Bring silver labels to an encoder's tokens: (tokens,) a layer, IGNORED but where a word and a silver token start alike."""
    begins = np.array([start for start, _ in tokens.bounds], dtype=np.int64)
    at = np.searchsorted(begins, starts)
    same = (at < len(begins)) & (begins[np.minimum(at, len(begins) - 1)] == starts) if len(begins) else np.zeros(len(starts), bool)
    asked = {layer: np.full(len(tokens.ids), IGNORED, dtype=np.int16) for layer in (*labels, QUOTES)}
    for layer, values in labels.items():
        asked[layer][tokens.heads[at[same]]] = values[same]
    tags, _ = words.encode(rules.find(document, starts, labels, names), tokens.bounds)
    ids = {name: i for i, name in enumerate(words.tag_names(QUOTE_LABELS))}
    asked[QUOTES][tokens.heads] = [ids[tag] for tag in tags]
    return asked


def _is_held_out(document: str, share: float) -> bool:
    value = int.from_bytes(hashlib.sha256(document.encode("utf-8", "surrogatepass")).digest()[:8], "big")
    return value < share * 2**64


class _Writer:
    """Appends the tokens of a split to flat files, in pieces."""

    def __init__(self, folder: Path, tokenizer: Tokenizer) -> None:
        folder.mkdir()
        self.folder, self.size = folder, 0
        self.files: dict[str, BinaryIO] = {}
        self.ranges: dict[str, tuple[int, int]] = {}
        self.dtype = _id_type(tokenizer)
        self.separator = Frame(tokenizer).after[:1]
        self.name = ""

    def begin(self, text: Text) -> None:
        self.name = text.name
        self.ranges[self.name] = (self.size, self.size)

    def add(self, tokens: windows.Tokens, labels: Mapping[str, np.ndarray]) -> None:
        kinds = np.full(len(tokens.ids), CONTINUED, dtype=np.uint8)
        kinds[tokens.heads] = HEAD
        end = len(self.separator)
        self._append("ids", np.concatenate((tokens.ids, self.separator)).astype(self.dtype))
        self._append("kinds", np.concatenate((kinds, [SPECIAL] * end)).astype(np.uint8))
        for layer, values in labels.items():
            self._append(f"labels.{layer}", np.concatenate((values, [IGNORED] * end)).astype(np.int16))
        self.size += len(tokens.ids) + end
        self.ranges[self.name] = (self.ranges[self.name][0], self.size)

    def _append(self, name: str, values: np.ndarray) -> None:
        if name not in self.files:
            self.files[name] = (self.folder / name).open("wb")
        self.files[name].write(values.tobytes())

    def close(self) -> None:
        for file in self.files.values():
            file.close()


def _open(place: Path, split: str, tokenizer: Tokenizer) -> Packed:
    told = json.loads((place / "index.json").read_text(encoding="utf-8"))
    ids, kinds = (_map(place / split / name, dtype) for name, dtype in (("ids", _id_type(tokenizer)), ("kinds", np.dtype(np.uint8))))
    labels = {layer: _map(place / split / f"labels.{layer}", np.dtype(np.int16)) for layer in told["names"]}
    ranges = {name: (start, end) for name, (start, end) in told["ranges"][split].items()}
    return Packed(ids, kinds, labels, told["names"], ranges, Frame(tokenizer), place.name)


def _map(path: Path, dtype: np.dtype) -> np.ndarray:
    if not path.exists() or path.stat().st_size == 0:  # an empty file cannot be mapped
        return np.zeros(0, dtype)
    return np.memmap(path, dtype, mode="r")


def _id_type(tokenizer: Tokenizer) -> np.dtype:
    return np.dtype(np.uint16 if tokenizer.get_vocab_size() < 1 << 16 else np.int32)
