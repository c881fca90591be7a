"""JSON Lines, one article a line: the format in and out of every program, and lossless.

    {"id": str, "text": str, "entities": [{"start", "end", "label", "score"?}],
     "quotes": [{"kind", "content": [{"start", "end", "score"?}], "cue": {"start", "end"} | null,
                 "speaker": {"start", "end"} | null, "name": str | null, "score"?}], "meta": {str: str}}

Only `text` is required: an article without an id is named after its file and line.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from govorit.article import CUE, KINDS, SPEAKER, Article, Quote, Span
from govorit.errors import UserError
from govorit.formats import files
from govorit.formats.options import DEFAULTS, Options


def read(path: Path, options: Options = DEFAULTS) -> Iterator[Article]:
    for file in files(path, ".jsonl"):
        with file.open("rb") as lines:
            yield from read_lines(lines, str(file))


def read_lines(lines: Iterable[bytes], name: str) -> Iterator[Article]:
    """Read articles from lines of bytes; `name` stands for the file in messages and in the ids of articles that have none."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            where = f"{name}:{number}"
            yield _article(_parse(line, where), f"{Path(name).stem}-{number}", where)


def write(articles: Iterable[Article], path: Path, options: Options = DEFAULTS) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for article in articles:
            file.write(dump(article) + "\n")


def dump(article: Article) -> str:
    """Write one article as one line of JSON, without the line end."""
    line = json.dumps(record(article), ensure_ascii=False)
    # Half a surrogate pair, which JSON lets in, has no UTF-8: it goes out as it came, escaped.
    return json.dumps(record(article)) if re.search("[\ud800-\udfff]", line) else line


def record(article: Article) -> dict[str, Any]:
    """The article as the plain objects that JSON knows."""
    return {
        "id": article.id,
        "text": article.text,
        "entities": [{"start": s.start, "end": s.end, "label": s.label, **_score(s)} for s in article.entities],
        "quotes": [
            {
                "kind": q.kind,
                "content": [_place(s) for s in q.content],
                "cue": q.cue and _place(q.cue),
                "speaker": q.speaker and _place(q.speaker),
                "name": q.name,
                **_score(q),
            }
            for q in article.quotes
        ],
        "meta": dict(article.meta),
    }


def quotes(value: object, where: str) -> tuple[Quote, ...]:
    """Read the value of a `quotes` field; every message names `where`."""
    return tuple(_quote(item, f"{where}: quotes[{i}]") for i, item in enumerate(_list(value, f"{where}: quotes")))


def _parse(line: bytes, where: str) -> Mapping[str, Any]:
    try:
        value = json.loads(line.decode("utf-8-sig"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise UserError(f"{where}: byte {error.start} of the line is not UTF-8; convert the file to UTF-8") from None
    except RecursionError:
        raise UserError(f"{where}: JSON nested too deeply; expected one article a line") from None
    except ValueError as error:
        raise UserError(f"{where}: not valid JSON ({error}); expected one article a line") from None
    if not isinstance(value, dict):
        raise UserError(f"{where}: found {_kind(value)}, expected a JSON object with the field 'text'")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the field {next(k for k in keys if keys.count(k) > 1)!r} comes twice")
    return fields


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _article(value: Mapping[str, Any], name: str, where: str) -> Article:
    _fields(value, ("id", "text", "entities", "quotes", "meta"), where)
    meta = value.get("meta") or {}
    if not isinstance(meta, dict) or not all(isinstance(v, str) for v in meta.values()):
        raise UserError(f"{where}: meta: found {meta!r:.60}, expected an object of strings")
    entities = _list(value.get("entities"), f"{where}: entities")
    return Article(
        id=_string(value.get("id", name), f"{where}: id"),
        text=_string(value.get("text"), f"{where}: text"),
        entities=tuple(_entity(item, f"{where}: entities[{i}]") for i, item in enumerate(entities)),
        quotes=quotes(value.get("quotes"), where),
        meta=meta,
        where=where,
    )


def _entity(value: object, where: str) -> Span:
    item = _object(value, where)
    _fields(item, ("start", "end", "label", "score"), where)
    return _span(item, _string(item.get("label"), f"{where}.label"), where)


def _quote(value: object, where: str) -> Quote:
    item = _object(value, where)
    _fields(item, ("kind", "content", "cue", "speaker", "name", "score"), where)
    kind = item.get("kind")
    if kind not in KINDS:
        raise UserError(f"{where}.kind: found {kind!r}, expected one of {', '.join(KINDS)}")
    content = _list(item.get("content"), f"{where}.content")
    if not content:
        raise UserError(f"{where}.content: empty, expected at least one span")
    name = item.get("name")
    return Quote(
        kind=kind,
        content=tuple(_part(part, kind.upper(), f"{where}.content[{i}]") for i, part in enumerate(content)),
        cue=item.get("cue") and _part(item["cue"], CUE, f"{where}.cue"),
        speaker=item.get("speaker") and _part(item["speaker"], SPEAKER, f"{where}.speaker"),
        name=None if name is None else _string(name, f"{where}.name"),
        score=_read_score(item, where),
    )


def _part(value: object, label: str, where: str) -> Span:
    item = _object(value, where)
    _fields(item, ("start", "end", "score"), where)
    return _span(item, label, where)


def _span(item: Mapping[str, Any], label: str, where: str) -> Span:
    for name in ("start", "end"):
        if type(item.get(name)) is not int:
            raise UserError(f"{where}.{name}: found {item.get(name)!r:.40}, expected a whole number")
    return Span(item["start"], item["end"], label, _read_score(item, where))


def _read_score(item: Mapping[str, Any], where: str) -> float | None:
    score = item.get("score")
    if score is not None and (type(score) not in (int, float) or not math.isfinite(score)):
        raise UserError(f"{where}.score: found {score!r:.40}, expected a number")
    return score


def _fields(item: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in item.keys() - set(known):
        near = get_close_matches(key, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected {', '.join(known)}"
        raise UserError(f"{where}: {key}: unknown field; {hint}")


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UserError(f"{where}: found {_kind(value)}, expected an object with 'start' and 'end'")
    return value


def _list(value: object, where: str) -> list[Any]:
    if value is not None and not isinstance(value, list):
        raise UserError(f"{where}: found {_kind(value)}, expected a list")
    return value or []


def _string(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise UserError(f"{where}: found {_kind(value)}, expected a string")
    return value


def _kind(value: object) -> str:
    names = {
        dict: "an object",
        list: "a list",
        str: "a string",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return names.get(type(value), "nothing")


def _place(span: Span) -> dict[str, Any]:
    return {"start": span.start, "end": span.end, **_score(span)}


def _score(item: Span | Quote) -> dict[str, float]:
    return {} if item.score is None else {"score": round(item.score, 4)}
