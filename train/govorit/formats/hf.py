"""Hugging Face datasets: a folder that `save_to_disk` wrote, Parquet (a file or a folder of them), or `hub:OWNER/NAME[:SPLIT]`.

A row is an article, in one of two shapes:

    id, text, entities, quotes, meta          ours: offsets, as in JSON Lines
    id, tokens, ner_tags, quote_tags?         what `run_ner.py` and its like read: strict IOB2 over tokens

* Where `entities` or `quotes` is a column, it is the annotation, and the tags are passed over: they were derived from it.
* Tags are strings or ClassLabel numbers. The text of a row of tokens is its `text` where the tokens stand in it in this order (at
  `token_spans`, if there are any) with nothing but white space between them; else it is the tokens joined by single spaces.
* `quote_tags` do not say who belongs to what: nearness ties them (:func:`govorit.nearness.tie`).
* `meta` is pairs of key and value. Other columns of strings join it; columns of anything else are passed over. Of a dataset with splits
  an article has its split in `meta["split"]`.

What is written has both shapes: see :func:`features`. Scores have no place in it. What the tags cannot hold (a span that overlaps
another, or starts or ends inside a word) stands in `entities` and `quotes` alone.

Nothing of a dataset is executed: its files are Arrow, Parquet and JSON, read as such, and no cache is kept of local ones.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

from govorit import nearness, words
from govorit.article import LAYERS, QUOTE_LABELS, Article, Quote, Span, quote_spans
from govorit.errors import UserError
from govorit.formats import files, is_hub, jsonl, make_folder, read_text
from govorit.formats.options import DEFAULTS, Options

if TYPE_CHECKING:
    import datasets
    import pyarrow

TAG_COLUMNS = {"entities": "ner_tags", "quotes": "quote_tags"}
_OURS = ("id", "text", "tokens", "token_spans", *TAG_COLUMNS.values(), *LAYERS, "meta")
_BATCH = 1000  # rows in memory at once
_ARROW = "data-00000-of-00001.arrow"
# Where `push_to_hub` puts a split, data/train-00000-of-00002.parquet, and where the Hub's own conversion does, default/train/0000.parquet.
_SHARD = re.compile(r"(?:(?P<config>[\w.-]+)/)?(?:(?P<folder>[\w.]+)/\d+|(?P<split>[\w.]+?)(?:-\d+-of-\d+(?:-\w+)?)?)\.parquet")


def read(path: Path, options: Options = DEFAULTS) -> Iterator[Article]:
    for source in _hub(path) if is_hub(path) else _sources(path):
        for row in _rows(source, options):
            try:
                yield _article(row, options)
            except UserError as problem:
                options.report(problem)


def write(articles: Iterable[Article], path: Path, options: Options = DEFAULTS, labels: Mapping[str, Sequence[str]] | None = None) -> None:
    """Write a Parquet file if `path` ends in .parquet, else a folder for `load_from_disk`; a thousand articles are in memory at once.

    `labels` are those of each layer, None: those that the articles have. The splits of one dataset need the same ones.
    """
    parquet = path.suffix.lower() == ".parquet"
    if not parquet:
        make_folder(path)
    elif path.is_dir():
        raise UserError(f"{path}: is a folder; name a file that ends in .parquet")
    target = path if parquet else path / _ARROW
    partial = target.with_name(target.name + ".partial")
    try:
        # The labels must be known before the first row is written, and `articles` may be larger than memory.
        with TemporaryFile(dir=target.parent) as spool:
            if labels is None:
                labels = _spool(articles, spool)
                spool.seek(0)
                articles = jsonl.read_lines(spool, path.name)
            shape = features(labels)
            _write_rows(iter(articles), partial, shape, parquet)
        if not parquet:
            _describe(path, partial, shape)
        partial.replace(target)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        partial.unlink(missing_ok=True)


def features(labels: Mapping[str, Sequence[str]]) -> datasets.Features:
    """Columns of a dataset with these labels in its layers.

    `ner_tags` and `quote_tags` are strict IOB2 over `tokens`, and None in an article that is not annotated in that layer. Where `meta` has
    `covers`, it names the labels of entities that are known there: O may be any other.
    """
    from datasets import ClassLabel, Features, List, Value

    place = {"start": Value("int32"), "end": Value("int32")}
    quote = {"kind": Value("string"), "content": List(place), "cue": place, "speaker": place, "name": Value("string")}
    tags = {TAG_COLUMNS[layer]: List(ClassLabel(names=words.tag_names(names))) for layer, names in labels.items()}
    return Features(
        {
            "id": Value("string"),
            "text": Value("string"),
            "tokens": List(Value("string")),
            "token_spans": List(place),
            **tags,
            "entities": List({**place, "label": Value("string")}),
            "quotes": List(quote),
            "meta": List({"key": Value("string"), "value": Value("string")}),
        }
    )


def record(article: Article, labels: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The article as a row of a dataset with the columns of :func:`features`, tags by name."""
    bounds = words.words(article.text)
    plain = jsonl.record(article)
    tags: dict[str, list[str] | None] = {}
    for layer, names in labels.items():
        known = [span for span in article.layer(layer) if span.label in names]
        tags[TAG_COLUMNS[layer]] = words.encode(known, bounds)[0] if article.annotated(layer) else None
    return {
        "id": article.id,
        "text": article.text,
        "tokens": [article.text[start:end] for start, end in bounds],
        "token_spans": [{"start": start, "end": end} for start, end in bounds],
        **tags,
        "entities": plain["entities"],
        "quotes": plain["quotes"],
        "meta": [{"key": key, "value": value} for key, value in article.meta.items()],
    }


# Writing


def _spool(articles: Iterable[Article], spool: IO[bytes]) -> dict[str, list[str]]:
    """Write the articles down for a second reading; find the labels of each layer."""
    found: set[str] = set()
    quoted = False
    for article in articles:
        try:
            spool.write(json.dumps(jsonl.record(article), ensure_ascii=False).encode() + b"\n")
        except UnicodeEncodeError:
            raise UserError(f"{article.where or article.id}: half a surrogate pair, which Arrow cannot hold; mend the source") from None
        found.update(span.label for span in article.entities)
        quoted = quoted or bool(article.quotes)
    return {layer: names for layer, names in (("entities", sorted(found)), ("quotes", list(QUOTE_LABELS) * quoted)) if names}


def _write_rows(articles: Iterator[Article], path: Path, shape: datasets.Features, parquet: bool) -> None:
    import pyarrow
    from pyarrow import parquet as pq

    numbers = {column: {tag: i for i, tag in enumerate(shape[column].feature.names)} for column in TAG_COLUMNS.values() if column in shape}
    labels = {
        layer: [tag[2:] for tag in numbers[column] if tag.startswith("B-")] for layer, column in TAG_COLUMNS.items() if column in numbers
    }
    schema = shape.arrow_schema
    with pq.ParquetWriter(path, schema, write_page_checksum=True) if parquet else pyarrow.ipc.new_stream(path, schema) as writer:
        while batch := [record(article, labels) for article in islice(articles, _BATCH)]:
            for row in batch:
                row.update({column: row[column] and [ids[tag] for tag in row[column]] for column, ids in numbers.items()})
            try:
                writer.write_table(pyarrow.Table.from_pylist(batch, schema))
            except (pyarrow.ArrowException, OverflowError) as error:
                raise UserError(f"{path.name.removesuffix('.partial')}: cannot be written: {_first_line(error)}") from None


def _describe(folder: Path, arrow: Path, shape: datasets.Features) -> None:
    """Write what `load_from_disk` wants to know beside the Arrow file."""
    from datasets import DatasetInfo

    with arrow.open("rb") as file:
        fingerprint = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    DatasetInfo(features=shape).write_to_directory(str(folder))
    state: dict[str, Any] = {
        "_data_files": [{"filename": _ARROW}],
        "_fingerprint": fingerprint,
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": None,
    }
    (folder / "state.json").write_text(json.dumps(state, indent=2), encoding="utf-8")


# Files -> rows


@dataclass(frozen=True)
class _Source:
    """A file of rows, what is known of its columns from outside, and the split that it is of, if any."""

    file: Path
    features: object = None
    split: str | None = None


@dataclass(frozen=True)
class _Row:
    """One row: its columns that can be read, the names of its tags' numbers, and where it stands (`file:row`, from 1)."""

    values: Mapping[str, Any]
    tags: Mapping[str, Sequence[str]]
    where: str
    id: str
    split: str | None


def _sources(path: Path) -> Iterator[_Source]:
    if not path.is_dir():
        yield _Source(path)
    elif (path / "dataset_dict.json").is_file():
        for split in _strings(_json(path / "dataset_dict.json", "splits"), f"{path / 'dataset_dict.json'}: splits"):
            yield from (replace(source, split=split) for source in _saved(path / _plain(split, path / "dataset_dict.json")))
    elif any((path / name).is_file() for name in ("state.json", "dataset_info.json")):
        yield from _saved(path)
    else:
        found = files(path, ".parquet", ".arrow")
        yield from map(_Source, [file for file in found if file.suffix.lower() == ".parquet"] or found)


def _saved(folder: Path) -> Iterator[_Source]:
    """Find the files of a dataset that `save_to_disk` wrote: those that state.json lists, not what `map` left beside them."""
    state = folder / "state.json"
    listed = _json(state, "_data_files")
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise UserError(f"{state}: _data_files: found {listed!r:.60}, expected a list of objects with filename; save the dataset again")
    described = _json(folder / "dataset_info.json", "features")
    for item in listed:
        yield _Source(folder / _plain(item.get("filename"), state), described)


def _plain(name: object, where: Path) -> str:
    """A name of a file in the same folder, and of nothing outside it."""
    if not isinstance(name, str) or name in ("", ".", "..") or len(name) > 255 or re.search(r"[/\\\x00]", name):
        raise UserError(f"{where}: found the file name {name!r:.60}, expected one in this folder; save the dataset again")
    return name


def _json(path: Path, key: str) -> object:
    if not path.is_file():
        raise UserError(f"{path}: missing; expected what save_to_disk writes: save the dataset again")
    try:
        value = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not valid JSON ({error}); save the dataset again") from None
    return value.get(key) if isinstance(value, dict) else None


def _rows(source: _Source, options: Options) -> Iterator[_Row]:
    import pyarrow

    number = 0
    try:
        for batch in _batches(source.file):
            batch.validate(full=True)
            features = source.features or _embedded(batch.schema)
            tags = {column: _tag_names(features, column) for column in TAG_COLUMNS.values()}
            columns = [
                i for i, field in enumerate(batch.schema) if field.name in _OURS or field.type in (pyarrow.string(), pyarrow.large_string())
            ]
            names = [batch.schema.names[i] for i in columns]
            if len(set(names)) < len(names):
                raise UserError(f"{source.file}: two columns of one name in {', '.join(names):.80}; remove one")
            for values in batch.select(columns).to_pylist():
                number += 1
                yield _Row(values, tags, f"{source.file}:{number}", f"{options.stem(source.file)}-{number}", source.split)
    except (pyarrow.ArrowException, OSError, ValueError, MemoryError) as error:
        raise UserError(f"{source.file}: cannot be read after row {number}: {_first_line(error)}; write the dataset again") from None


def _batches(file: Path) -> Iterator[pyarrow.RecordBatch]:
    import pyarrow
    from pyarrow import parquet

    if file.suffix.lower() == ".parquet":
        with parquet.ParquetFile(file, page_checksum_verification=True) as rows:
            yield from rows.iter_batches(batch_size=_BATCH)
    else:
        with pyarrow.memory_map(str(file)) as mapped, pyarrow.ipc.open_stream(mapped) as batches:
            for batch in batches:
                yield from (batch.slice(start, _BATCH) for start in range(0, len(batch), _BATCH))


def _embedded(schema: pyarrow.Schema) -> object:
    """What `datasets` writes of its features into the schema of a file."""
    try:
        return json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def _tag_names(features: object, column: str) -> Sequence[str]:
    """The names of a ClassLabel column, in the spellings of `datasets` 2 to 5; none if it is none."""
    feature = features.get(column) if isinstance(features, dict) else None
    inner = feature.get("feature") if isinstance(feature, dict) else feature
    inner = inner[0] if isinstance(inner, list) and inner else inner
    names = inner.get("names") if isinstance(inner, dict) else None
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else ()


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).split("\n")), "")[:200] or type(error).__name__


# Rows -> articles


def _article(row: _Row, options: Options) -> Article:
    values = row.values
    offsets = any(layer in values for layer in LAYERS)
    if not offsets and "tokens" in values:
        text, bounds = _placed(row)
        tags = {layer: _tags(row, column, bounds, options) for layer, column in TAG_COLUMNS.items() if values.get(column) is not None}
        if not tags:
            raise UserError(f"{row.where}: ner_tags: none; expected a tag for each of the tokens")
        entities = tuple(tags.get("entities", ()))
        quotes = _tied(tags.get("quotes", ()), text, row.where, options)
        annotated = tuple(tags)
    else:
        text = _string(values.get("text"), f"{row.where}: text")
        entities = tuple(_entity(item, f"{row.where}: entities[{i}]") for i, item in enumerate(_items(values.get("entities"), row.where)))
        quotes = jsonl.quotes([_quote(item, row.where) for item in _items(values.get("quotes"), row.where)], row.where)
        annotated = tuple(layer for layer in LAYERS if values.get(layer) is not None) if offsets else LAYERS
    meta = {key: value for key, value in values.items() if key not in _OURS and isinstance(value, str)}
    if annotated != LAYERS:
        meta["layers"] = " ".join(annotated)
    if row.split is not None:
        meta["split"] = row.split
    own = values.get("id")
    name = row.id if own is None else str(own) if type(own) is int else _string(own, f"{row.where}: id")
    return Article(name, text, entities, quotes, {**meta, **_meta(values.get("meta"), row.where)}, row.where)


def _placed(row: _Row) -> tuple[str, list[tuple[int, int]]]:
    """The text of a row of tokens, and where in it they stand."""
    tokens = _strings(row.values["tokens"], f"{row.where}: tokens")
    text, spans = row.values.get("text"), row.values.get("token_spans")
    if isinstance(text, str) and spans is not None:
        bounds = [_place(item, f"{row.where}: token_spans[{i}]") for i, item in enumerate(_items(spans, row.where))]
        if [text[start:end] for start, end in bounds] != tokens:
            raise UserError(f"{row.where}: token_spans: the text at them is not the tokens; mend the offsets, or leave the column out")
        return text, bounds
    if isinstance(text, str) and (found := _found(tokens, text)) is not None:
        return text, found
    starts = accumulate((len(token) + 1 for token in tokens), initial=0)
    return " ".join(tokens), [(start, start + len(token)) for start, token in zip(starts, tokens, strict=False)]


def _found(tokens: Sequence[str], text: str) -> list[tuple[int, int]] | None:
    """Where the tokens stand, if they are all of the text but white space."""
    bounds, at = [], 0
    for token in tokens:
        start = text.find(token, at)
        if start < 0 or text[at:start].strip():
            return None
        at = start + len(token)
        bounds.append((start, at))
    return None if text[at:].strip() else bounds


def _tags(row: _Row, column: str, bounds: Sequence[tuple[int, int]], options: Options) -> list[Span]:
    """Read strict IOB2; a span that no B- begins is reported and left out."""
    where = f"{row.where}: {column}"
    tags = [_tag(tag, row.tags[column], f"{where}[{i}]") for i, tag in enumerate(_items(row.values[column], where))]
    if len(tags) != len(bounds):
        raise UserError(f"{where}: {len(tags)} tags for {len(bounds)} tokens; expected as many")
    kept: list[str] = []
    for i, tag in enumerate(tags):
        before = tags[i - 1] if i else words.OUTSIDE
        if tag.startswith("I-") and before[2:] != tag[2:]:
            remedy = f"write B-{tag[2:]} where a span begins (IOB2, not IOB1)"
            options.report(UserError(f"{where}[{i}]: found {tag} after {before}, expected B-{tag[2:]}; {remedy}"))
        orphan = tag.startswith("I-") and (kept[-1:] or [words.OUTSIDE])[0][2:] != tag[2:]
        kept.append(words.OUTSIDE if orphan else tag)
    return words.decode(kept, bounds)


def _tag(tag: object, names: Sequence[str], where: str) -> str:
    if type(tag) is int:
        if not names:
            raise UserError(f"{where}: found the number {tag}, but the dataset names no labels; make the column a ClassLabel, or strings")
        if not 0 <= tag < len(names):
            raise UserError(f"{where}: found {tag}, expected a number from 0 to {len(names) - 1}; mend the tag")
        tag = names[tag]
    if not isinstance(tag, str) or (tag != words.OUTSIDE and not re.match("[BI]-.", tag)):
        raise UserError(f"{where}: found {tag!r:.40}, expected O, B-LABEL or I-LABEL; write the tags as IOB2")
    return tag


def _tied(spans: Sequence[Span], text: str, where: str, options: Options) -> tuple[Quote, ...]:
    """Tie spans into quotations by nearness; what is in none is reported."""
    ours = [replace(span, label=options.label(span.label) or "") for span in spans]
    quotes = nearness.tie(ours, text)
    tied = quote_spans(quotes)
    for span, theirs in zip(ours, spans, strict=True):
        if span not in tied:
            problem = "stands near no content" if span.label else f"is not one of {', '.join(QUOTE_LABELS)}"
            options.report(UserError(f"{where}: quote_tags: {theirs.label} {text[span.start : span.end]!r:.60} {problem}; mend the tags"))
    return tuple(quotes)


def _entity(item: object, where: str) -> Span:
    return Span(*_place(item, where), _string(item.get("label") if isinstance(item, dict) else None, f"{where}.label"))


def _place(item: object, where: str) -> tuple[int, int]:
    start, end = (item.get(name) if isinstance(item, dict) else None for name in ("start", "end"))
    if type(start) is not int or type(end) is not int:
        raise UserError(f"{where}: found the offsets {start!r:.20} and {end!r:.20}, expected whole numbers")
    return start, end


def _quote(item: object, where: str) -> object:
    """The quotation as JSON Lines has it: Arrow writes an absent cue as a place of nulls, and some write lists as columns."""
    if not isinstance(item, dict):
        return item
    empty = {key: None for key in ("cue", "speaker") if item.get(key) == {"start": None, "end": None}}
    return {**item, **empty, "content": _items(item.get("content"), where)}


def _meta(value: object, where: str) -> dict[str, str]:
    pairs = (
        value.items() if isinstance(value, dict) else [(i.get("key"), i.get("value")) for i in _items(value, where) if isinstance(i, dict)]
    )
    meta = dict(pairs)
    if not all(isinstance(text, str) for pair in meta.items() for text in pair):
        raise UserError(f"{where}: meta: found {value!r:.60}, expected pairs of key and value, both strings")
    return meta


def _items(value: object, where: str) -> list[Any]:
    """A list of objects, which older datasets keep as an object of lists."""
    if isinstance(value, dict) and value and all(isinstance(column, list) for column in value.values()):
        if len({len(column) for column in value.values()}) > 1:
            raise UserError(f"{where}: lists of unlike lengths in {', '.join(value)}; write the dataset again")
        return [dict(zip(value, row, strict=True)) for row in zip(*value.values(), strict=True)]
    if value is not None and not isinstance(value, list):
        raise UserError(f"{where}: found {value!r:.60}, expected a list")
    return value or []


def _strings(value: object, where: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UserError(f"{where}: found {value!r:.60}, expected a list of strings")
    return value


def _string(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise UserError(f"{where}: found {'nothing' if value is None else repr(value)[:40]}, expected a string")
    return value


# The Hub


def _hub(path: Path) -> Iterator[_Source]:
    """Find the Parquet files of a dataset on the Hub: its own, or those that the Hub made of it."""
    found = re.fullmatch(r"hub:([\w.-]+(?:/[\w.-]+)?)(?::([\w./-]+))?", path.as_posix())
    if not found:
        raise UserError(f"{path}: expected hub:OWNER/NAME or hub:OWNER/NAME:SPLIT")
    name, wanted = found.groups()
    shards: dict[str, list[str]] = {}
    for revision in ("main", "refs/convert/parquet"):
        commit, listed = _list(name, revision)
        for file in listed:
            if shard := _SHARD.fullmatch(file):
                shards.setdefault(_split(shard), []).append(file)
        if shards:
            break
    chosen = [split for split in shards if wanted in (None, split, split.rpartition("/")[2])]
    if len(chosen) != 1:
        there = f"it has {', '.join(sorted(shards))}" if shards else "it has no Parquet files"
        raise UserError(f"{path}: found {len(chosen)} splits, expected one: {there}; name it as hub:{name}:SPLIT")
    for file in sorted(shards[chosen[0]]):
        yield _Source(_fetch(name, file, commit))


def _split(shard: re.Match[str]) -> str:
    """`train`, or `CONFIG/train` where the dataset has configurations."""
    split = shard["folder"] or shard["split"]
    return split if shard["config"] in (None, "data", "default") else f"{shard['config']}/{split}"


def _list(name: str, revision: str) -> tuple[str, list[str]]:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    try:
        info = HfApi().dataset_info(name, revision=revision, timeout=10)
    except RevisionNotFoundError:
        return "", []
    except RepositoryNotFoundError:
        raise UserError(f"hub:{name}: no such dataset on the Hugging Face Hub, or it is not public; check the name") from None
    except Exception as error:  # those of its HTTP client have no base that can be named
        raise _unreachable(name, error) from None
    return info.sha or revision, [item.rfilename for item in info.siblings or ()]


def _fetch(name: str, file: str, commit: str) -> Path:
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(name, file, repo_type="dataset", revision=commit))
    except Exception as error:
        raise _unreachable(name, error) from None


def _unreachable(name: str, error: Exception) -> UserError:
    return UserError(f"hub:{name}: the Hugging Face Hub cannot be reached ({_first_line(error)}); give a folder with the dataset in it")
