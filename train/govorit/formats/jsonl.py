"""JSON Lines, one article a line: the format in and out of every program, and lossless.

    {"id": str, "text": str, "entities": [{"start", "end", "label", "score"?}],
     "quotes": [{"kind", "content": [{"start", "end", "score"?}], "cue": {"start", "end"} | null,
                 "speaker": {"start", "end"} | null, "name": str | null, "score"?, "name_score"?}], "meta": {str: str}}

Only `text` is required: an article without an id is named after its file and line, and a whole number is taken as its digits. The lines
that Doccano and Prodigy export are told by their fields and read as well (`govorit.formats.dialects`). `offsets=` says what the offsets
count, on reading only: we write characters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from govorit.article import CUE, KINDS, SPEAKER, Article, Quote, Span
from govorit.errors import UserError
from govorit.formats import create, files
from govorit.formats.dialects import tell
from govorit.formats.options import DEFAULTS, Options, refuse
from govorit.formats.strict_json import a_list, a_score, a_string, an_object, an_offset, each, known_fields, one_line, parse
from govorit.formats.units import misread, ruler, to_index

EXPECTED = "one article a line"


def read(path: Path, options: Options = DEFAULTS) -> Iterator[Article]:
    for file in files(path, ".jsonl", ".json"):
        try:
            lines = file.open("rb")
        except OSError as error:
            raise UserError(f"{file}: cannot be read: {error.strerror}") from None
        with lines:
            yield from read_lines(lines, str(file), options)


def read_lines(lines: Iterable[bytes], name: str, options: Options = DEFAULTS) -> Iterator[Article]:
    """Read articles from lines of bytes; `name` stands for the file in messages and in the ids of articles that have none."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            where = f"{name}:{number}"
            try:
                article = to_article(parse(line.rstrip(b"\r\n"), where, EXPECTED), f"{options.stem(Path(name))}-{number}", where, options)
            except UserError as error:
                options.report(error)
            else:
                yield article


def write(articles: Iterable[Article], path: Path, options: Options = DEFAULTS) -> None:
    with create(path) as file:
        for article in articles:
            file.write(dump(article) + "\n")


def dump(article: Article) -> str:
    """Write one article as one line of JSON, without the line end."""
    return one_line(record(article))


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
                **({} if q.name_score is None else {"name_score": round(q.name_score, 4)}),
            }
            for q in article.quotes
        ],
        "meta": dict(article.meta),
    }


def quotes(value: object, where: str) -> tuple[Quote, ...]:
    """Read the value of a `quotes` field; every message names `where`."""
    return _Reader(lambda offset, _: offset, refuse).quotes(value, where)


def to_article(value: object, name: str, where: str, options: Options = DEFAULTS) -> Article:
    """Read one article from the value that JSON gave; `name` is its id where it has none."""
    item = an_object(value, where, "a JSON object with the field 'text'")
    dialect = tell(item)
    return dialect(item, name, where, options) if dialect else _ours(item, name, where, options)


def _ours(value: Mapping[str, Any], name: str, where: str, options: Options) -> Article:
    known_fields(value, ("id", "text", "entities", "quotes", "meta"), where)
    meta = value.get("meta") or {}
    if not isinstance(meta, dict) or not all(isinstance(v, str) for v in meta.values()):
        raise UserError(f"{where}: meta: found {meta!r:.60}, expected an object of strings")
    text = a_string(value.get("text"), f"{where}: text")
    measure = ruler(text, options.offsets)
    own = value.get("id", name)
    reader = _Reader(lambda offset, at: to_index(measure, offset, text, options.offsets, at), options.report)
    article = Article(
        id=str(own) if type(own) is int else a_string(own, f"{where}: id"),
        text=text,
        entities=reader.entities(value.get("entities"), where),
        quotes=reader.quotes(value.get("quotes"), where),
        meta=meta,
        where=where,
    )
    if options.offsets == "characters":
        places = [(span.start, span.end) for layer in ("entities", "quotes") for span in article.layer(layer)]
        if hint := misread(text, places, options.offsets):
            raise UserError(f"{where}: the offsets split words or leave the text; {hint}")
    return article


@dataclass(frozen=True)
class _Reader:
    """Reads the layers of one article; `measure` converts an offset, `report` is told of each item that must be left out."""

    measure: Callable[[int, str], int]
    report: Callable[[UserError], None]

    def entities(self, value: object, where: str) -> tuple[Span, ...]:
        where = f"{where}: entities"
        return tuple(span for _, span in each(a_list(value, where), where, self._entity, self.report))

    def quotes(self, value: object, where: str) -> tuple[Quote, ...]:
        where = f"{where}: quotes"
        return tuple(quote for _, quote in each(a_list(value, where), where, self._quote, self.report))

    def _entity(self, value: object, where: str) -> Span:
        item = an_object(value, where)
        known_fields(item, ("start", "end", "label", "score"), where)
        return self._span(item, a_string(item.get("label"), f"{where}.label"), where)

    def _quote(self, value: object, where: str) -> Quote:
        item = an_object(value, where)
        known_fields(item, ("kind", "content", "cue", "speaker", "name", "score", "name_score"), where)
        kind = item.get("kind")
        if kind not in KINDS:
            raise UserError(f"{where}.kind: found {kind!r:.60}, expected one of {', '.join(KINDS)}")
        content = a_list(item.get("content"), f"{where}.content")
        if not content:
            raise UserError(f"{where}.content: empty, expected at least one span")
        name = item.get("name")
        return Quote(
            kind=kind,
            content=tuple(self._part(part, kind.upper(), f"{where}.content[{i}]") for i, part in enumerate(content)),
            cue=None if item.get("cue") is None else self._part(item["cue"], CUE, f"{where}.cue"),
            speaker=None if item.get("speaker") is None else self._part(item["speaker"], SPEAKER, f"{where}.speaker"),
            name=None if name is None else a_string(name, f"{where}.name"),
            score=a_score(item, where),
            name_score=a_score(item, where, "name_score"),
        )

    def _part(self, value: object, label: str, where: str) -> Span:
        item = an_object(value, where)
        known_fields(item, ("start", "end", "score"), where)
        return self._span(item, label, where)

    def _span(self, item: Mapping[str, Any], label: str, where: str) -> Span:
        start, end = (self.measure(an_offset(item.get(name), f"{where}.{name}"), f"{where}.{name}") for name in ("start", "end"))
        return Span(start, end, label, a_score(item, where))


def _place(span: Span) -> dict[str, Any]:
    return {"start": span.start, "end": span.end, **_score(span)}


def _score(item: Span | Quote) -> dict[str, float]:
    return {} if item.score is None else {"score": round(item.score, 4)}
