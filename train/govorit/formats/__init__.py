"""Formats of annotated articles: one module each, with `read(path, options) -> Iterator[Article]` and,
where the format can be written, `write(articles, path, options)`.

A module is found by name or by what lies at the path, and imported only when it is asked for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import TextIO

from govorit.article import Article
from govorit.errors import UserError
from govorit.formats.options import DEFAULTS, Options

FORMATS = ("jsonl", "brat", "factrueval", "inline", "text", "conll", "labelstudio", "hf", "xmi", "docbin")
WRITABLE = tuple(name for name in FORMATS if name not in ("factrueval", "text"))
LEFT_OUT = "left_out"  # key of `Article.meta`: what a reader had to leave out, a line each
_SUFFIXES = {".jsonl": "jsonl", ".json": "jsonl", ".ann": "brat", ".objects": "factrueval"}
_SUFFIXES |= {".conll": "conll", ".iob": "conll", ".bio": "conll"}
_SUFFIXES |= {".parquet": "hf", ".arrow": "hf", ".xmi": "xmi", ".zip": "xmi", ".spacy": "docbin"}
_WITH_TEXTS = ("brat", "factrueval")  # whose articles lie in .txt files
_DOCUMENTS = {".doc", ".docx", ".htm", ".html", ".md", ".odt", ".pdf", ".rtf"}  # that may hold articles, and are none of our formats
_NAME_ONE = "say with --from (in training data.sources.NAME.format)"
SAVED = ("dataset_dict.json", "dataset_info.json", "state.json")  # what `save_to_disk` of Hugging Face datasets leaves in a folder


def read(path: Path, name: str | None = None, options: Options = DEFAULTS) -> Iterator[Article]:
    """Read the articles of a file or folder, in the format `name` or in the one that :func:`detect` finds."""
    if not path.exists() and not is_hub(path):
        raise UserError(f"{path}: no such file or folder")
    return import_module(f"govorit.formats.{_known(name) if name else detect(path)}").read(path, options)


def write(articles: Iterable[Article], path: Path, name: str | None = None, options: Options = DEFAULTS) -> None:
    """Write articles in the format `name`, or in the one that the suffix of `path` tells."""
    chosen = _known(name) if name else _SUFFIXES.get(path.suffix.lower())
    if chosen not in WRITABLE:
        raise UserError(
            f"{path}: format: {name or path.suffix or 'none'} cannot be written; use a path that ends in .jsonl, or name a format"
        )
    import_module(f"govorit.formats.{chosen}").write(articles, path, options)


def detect(path: Path) -> str:
    """Tell the format of a file by its suffix and first line, that of a folder by the files in it."""
    if is_hub(path) or any((path / name).is_file() for name in SAVED):
        return "hf"
    if path.is_dir():
        found = {detect(file): file.name for file in ending(path, *_SUFFIXES)}
        if found.keys().isdisjoint(_WITH_TEXTS):
            found |= {_kind_of_text(file): file.name for file in ending(path, ".txt")}
        if len(found) > 1:
            sorts = " and ".join(f"{name} ({found[name]})" for name in sorted(found))
            raise UserError(f"{path}: format: files of {sorts} side by side; {_NAME_ONE} one of them, or move the rest")
        if found:
            return next(iter(found))
        expected = f"files that end in {', '.join(('.txt', *_SUFFIXES))}"
        raise UserError(f"{path}: no articles in this folder; expected {expected}; if they lie in folders in it, name those")
    suffix = path.suffix.lower()
    if suffix == ".txt":
        return _kind_of_text(path)
    if suffix not in _SUFFIXES:
        problem = f"cannot be told from {path.suffix or 'a name with no suffix'}"
        raise UserError(f"{path}: format: {problem}; {_NAME_ONE} one of {', '.join(FORMATS)}")
    if suffix == ".json" and _beginning(path).lstrip()[:1] == b"[":
        return "labelstudio"
    return _SUFFIXES[suffix]


def _kind_of_text(path: Path) -> str:
    return "inline" if _beginning(path).startswith(b"# id:") else "text"


def _beginning(path: Path) -> bytes:
    """The first bytes after a byte order mark; none of a file that cannot be opened: whoever reads it will say why."""
    try:
        with path.open("rb") as file:
            return file.read(200).removeprefix(b"\xef\xbb\xbf")
    except OSError:
        return b""


def is_hub(path: Path) -> bool:
    """Whether `path` is no place on this machine but a dataset on the Hugging Face Hub: `hub:OWNER/NAME[:SPLIT]`."""
    return path.as_posix().startswith("hub:")


def read_text(path: Path) -> str:
    """Read a text file as it is, line ends untouched, so that offsets into it hold.

    Raises:
        UserError: the file is not UTF-8, or cannot be read.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UserError(f"{path}:{line}: text: byte {error.start} is not UTF-8; convert the file to UTF-8") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None


def told_apart(paths: Iterable[Path]) -> dict[Path, str]:
    """Name files that are read together, and of one name in several folders, after their folders too: for `Options.ids`.

    The keys are paths without suffix: of the folders `a` and `b` with a `1.txt` in each, `{Path("a/1"): "a-1", Path("b/1"): "b-1"}`.
    """
    paths, given = list(paths), dict[Path, set[str]]()
    for path in paths if len(paths) > 1 else ():
        folder, found = (path, path.iterdir()) if path.is_dir() else (path.parent, [path])
        given.setdefault(folder, set()).update(file.stem for file in found)
    places = {folder: folder.resolve() for folder in given}
    folders: dict[str, set[Path]] = {}
    for folder, names in given.items():
        for name in names:
            folders.setdefault(name, set()).add(places[folder])
    top = os.path.commonpath(places.values()) if places else ""
    return {
        folder / name: "-".join((*places[folder].relative_to(top).parts, name))
        for folder, names in given.items()
        for name in names
        if len(folders[name]) > 1
    }


def files(path: Path, *suffixes: str) -> list[Path]:
    """List `path` itself, or the files :func:`ending` so in the folder `path`.

    Raises:
        UserError: the folder has none.
    """
    if not path.is_dir():
        return [path]
    found = ending(path, *suffixes)
    if not found:
        raise UserError(f"{path}: no {' or '.join(suffixes)} file in this folder; name another folder, or another format")
    return found


def ending(folder: Path, *suffixes: str) -> list[Path]:
    """List the files in `folder` that end so, in whatever case, sorted by name; hidden ones (`._a.txt` of macOS) are passed over."""
    return sorted(file for file in folder.glob("[!.]*") if file.name.lower().endswith(suffixes))


def beside(file: Path, suffix: str) -> Path:
    """The file of the same name with another suffix, or with that in capitals where `file` has such a one: `A.TXT` has `A.ANN`."""
    places = [file.with_suffix(spelt) for spelt in (suffix, suffix.upper(), suffix.title())]
    return next((place for place in places if place.is_file()), places[0])


def passed_over(paths: Iterable[Path]) -> Iterator[str]:
    """Say what in folders of articles may hold more of them and is not read: `FOLDER: not read: 2 folders (2023, 2024); …`."""
    for path in paths:
        if not path.is_dir() or any((path / name).is_file() for name in SAVED):
            continue
        inside = sorted(path.glob("[!.]*"))
        folders = [place.name for place in inside if place.is_dir() and _has_articles(place)]
        documents = [place.name for place in inside if place.suffix.lower() in _DOCUMENTS and place.stem.lower() != "readme"]
        counted = [
            f"{len(names)} {what}{'s' * (len(names) > 1)} ({', '.join(names[:3])}{', …' * (len(names) > 3)})"
            for what, names in (("folder", folders), ("document", documents))
            if names
        ]
        if counted:
            yield f"{path}: not read: {' and '.join(counted)}; name folders as well, save documents as text"


def _has_articles(folder: Path) -> bool:
    return any(file.suffix.lower() in (".txt", *_SUFFIXES) and file.suffix.lower() != ".json" for file in folder.rglob("[!.]*"))


def read_each(path: Path, suffix: str, read_one: Callable[[Path], Article], options: Options) -> Iterator[Article]:
    """Read a file, or each file with `suffix` in a folder, as one article; one that cannot be read is reported and left out."""
    for file in files(path, suffix):
        try:
            article = read_one(file)
        except UserError as error:
            options.report(error)
        else:
            yield article


def noted(left_out: Sequence[str]) -> dict[str, str]:
    """What goes into an article's `meta` where its reader left something out: `FILE:LINE: what`, a line each."""
    return {LEFT_OUT: "\n".join(left_out)} if left_out else {}


def create(path: Path) -> TextIO:
    """Open a text file to write to, line ends untouched."""
    try:
        return path.open("w", encoding="utf-8", newline="\n")
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from None


def make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{path}: cannot be made a folder: {error.strerror}; name another") from None


def target(article: Article, folder: Path, suffix: str, taken: set[str]) -> Path:
    """Name the file of `article` in `folder`; `taken` holds the ids named so far.

    Raises:
        UserError: the id came before, or is no name for a file: nothing is ever written outside `folder`.
    """
    name = article.id
    if not name or name[0] == "." or re.search(r"[/\\\x00-\x1f\x7f\ud800-\udfff]", name):
        raise UserError(f"{article.where or folder}: id: {name!r} cannot name a file; use letters, digits, '-' and '_'")
    if name in taken:
        raise UserError(f"{article.where or folder}: id: {name!r} comes twice; give every article an id of its own")
    taken.add(name)
    return folder / f"{name}{suffix}"


def write_text(path: Path, text: str, article: Article) -> None:
    """Write a text file byte for byte, line ends untouched."""
    try:
        path.write_bytes(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        where = article.where or article.id
        raise UserError(f"{where}: text: half a surrogate pair at character {error.start}; mend the source") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from None


def _known(name: str) -> str:
    if name not in FORMATS:
        raise UserError(f"format: {name!r} is not known; use one of {', '.join(FORMATS)}")
    return name
