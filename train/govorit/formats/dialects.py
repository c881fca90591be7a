"""The lines of JSON that Doccano and Prodigy export, told by their fields.

Doccano (https://doccano.github.io/doccano/), sequence labelling, and the same with relations:

    {"id": 7, "text": "…", "label": [[0, 6, "PER"]], "Comments": []}        also "labels"
    {"id": 7, "text": "…", "entities": [{"id": 1, "label": "CUE", "start_offset": 7, "end_offset": 13}],
     "relations": [{"id": 9, "from_id": 2, "to_id": 1, "type": "Cue"}], "Comments": []}

Prodigy (https://prodi.gy/docs/api-interfaces):

    {"text": "…", "tokens": [{"text", "start", "end", "id"}], "spans": [{"start", "end", "label", "token_start", "token_end"}],
     "relations": [{"head": 3, "child": 1, "label": "Cue", "head_span": {…}, "child_span": {…}}], "answer": "accept", "meta": {…}}

A span is an entity unless `names` (by default DIRECT, INDIRECT, MIXED, CUE, SPEAKER) says that its label is a quotation's part. Relations
tie contents to their cue, speaker and continuation as in brat (`Cue`, `Speaker`, `Continuation`), in either direction, and a relation with
no type is what its ends make it; others are passed over. Neither tool has a place for the speaker's name. Fields that are not named here
become `meta`, strings as they are and the rest as JSON; fields that begin with `_`, and Doccano's comments, are passed over.

Doccano counts UTF-16 units unless the project counts graphemes (https://github.com/doccano/doccano/issues/2290), and keeps no words beside
its offsets: read it with `offsets=utf16` where articles have emoji. Without it an article whose spans split words is refused where
another unit puts them right. Prodigy counts characters; its tokens must be what the text has there. What was answered with anything
but `accept` comes as an article without annotation, and `meta["left_out"]` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from govorit.article import COVERS, Article
from govorit.errors import UserError
from govorit.formats import LEFT_OUT, noted
from govorit.formats.assembly import Assembler
from govorit.formats.options import Options
from govorit.formats.strict_json import a_list, a_string, an_object, an_offset, as_meta, each
from govorit.formats.units import Ruler, indices, misread, remedy, ruler, to_index

Dialect = Callable[[Mapping[str, Any], str, str, Options], Article]
_DOCCANO = ("id", "text", "label", "labels", "entities", "relations", "Comments", "comments", "cats")
_PRODIGY = ("id", "text", "tokens", "spans", "relations", "answer", "meta")


def tell(value: Mapping[str, Any]) -> Dialect | None:
    """Tell whose line it is: the function that reads it, or None if it is ours."""
    if "quotes" in value:
        return None
    if value.keys() & {"spans", "tokens", "answer", "_input_hash", "_task_hash"}:
        return _prodigy
    marks = value.get("entities")
    first = marks[0] if isinstance(marks, list) and marks else None
    if value.keys() & {"label", "labels", "Comments", "relations"} or (isinstance(first, dict) and "start_offset" in first):
        return _doccano
    return None


class _Task:
    """One line while it is read: its spans with the keys that relations name them by."""

    def __init__(self, value: Mapping[str, Any], where: str, options: Options) -> None:
        self.where, self.options = where, options
        self.text = a_string(value.get("text"), f"{where}: text")
        self.measure: Ruler = ruler(self.text, options.offsets)
        self.assembler = Assembler(where, options)
        self.places: list[tuple[int, int]] = []

    def place(self, start: object, end: object, where: str) -> tuple[int, int]:
        bounds = [an_offset(offset, f"{where}.{name}") for name, offset in (("start", start), ("end", end))]
        self.places.append((bounds[0], bounds[1]))
        first, last = (to_index(self.measure, offset, self.text, self.options.offsets, where) for offset in bounds)
        if not 0 <= first < last <= len(self.text):
            expected = f"start before end, within the {len(self.text)} characters of the text"
            raise UserError(f"{where}: found the offsets {first!r:.20} to {last!r:.20}, expected {expected}; mend them")
        return first, last

    def article(self, id: str, meta: dict[str, str]) -> Article:
        entities, quotes = self.assembler.finish(self.text)
        return Article(id, self.text, entities, quotes, meta | noted(self.assembler.left_out), where=self.where)

    def check_unit(self) -> None:
        """Refuse offsets that count another unit, as far as can be told without the words beside them."""
        if hint := misread(self.text, self.places, self.options.offsets):
            raise UserError(f"{self.where}: the offsets split words or leave the text; {hint}")


def _doccano(value: Mapping[str, Any], name: str, where: str, options: Options) -> Article:
    task = _Task(value, where, options)

    def labelled(item: object, at: str) -> None:
        if not isinstance(item, list) or len(item) != 3:
            raise UserError(f"{at}: found {item!r:.60}, expected [start, end, label]")
        task.assembler.span(at, a_string(item[2], f"{at}.label"), [task.place(item[0], item[1], at)], at)

    def entity(item: object, at: str) -> None:
        fields = an_object(item, at, "an object with 'start_offset' and 'end_offset'")
        key = _key(fields.get("id"), f"{at}.id")
        try:
            label = a_string(fields.get("label"), f"{at}.label")
            task.assembler.span(key, label, [task.place(fields.get("start_offset"), fields.get("end_offset"), at)], at)
        except UserError:
            task.assembler.skip(key)
            raise

    def relation(item: object, at: str) -> None:
        fields = an_object(item, at, "an object with 'from_id' and 'to_id'")
        ends = [_key(fields.get(end), f"{at}.{end}") for end in ("from_id", "to_id")]
        task.assembler.relation(a_string(fields.get("type") or "", f"{at}.type"), ends[0], ends[1], at, either=True)

    problems: list[UserError] = []
    for field, read in (("label", labelled), ("labels", labelled), ("entities", entity), ("relations", relation)):
        at = f"{where}: {field}"
        list(each(a_list(value.get(field), at), at, read, problems.append))
    task.check_unit()
    for problem in problems:
        options.report(problem)
    rest = {key: item for key, item in value.items() if key not in _DOCCANO and key[:1] != "_"}
    return task.article(_id(value, name, where), as_meta(_meta(rest)))


def _prodigy(value: Mapping[str, Any], name: str, where: str, options: Options) -> Article:
    task = _Task(value, where, options)
    meta = as_meta(_meta({key: item for key, item in value.items() if key not in _PRODIGY and key[:1] != "_"} | _fields(value, where)))
    id, answer = _id(value, name, where), value.get("answer", "accept")
    if answer != "accept":
        note = f"{Path(where).name}: answer {answer!r:.40}: its annotation was left out"
        return Article(id, task.text, meta=meta | {"layers": ""} | noted([note]), where=where)
    _check_tokens(value, task)
    spans: list[dict[str, Any]] = []

    def span(item: object, at: str) -> None:
        fields = an_object(item, at)
        spans.append(fields | {"_key": at})
        try:
            label = a_string(fields.get("label"), f"{at}.label")
            task.assembler.span(at, label, [task.place(fields.get("start"), fields.get("end"), at)], at)
        except UserError:
            task.assembler.skip(at)
            raise

    def relation(item: object, at: str) -> None:
        fields = an_object(item, at, "an object with 'head' and 'child'")
        label = a_string(fields.get("label") or "", f"{at}.label")
        ends = [_end(fields, end, spans, options, at) for end in ("head", "child")]
        task.assembler.relation(label, ends[0], ends[1], at, either=True)

    problems: list[UserError] = []
    for field, read in (("spans", span), ("relations", relation)):
        at = f"{where}: {field}"
        list(each(a_list(value.get(field), at), at, read, problems.append))
    task.check_unit()
    for problem in problems:
        options.report(problem)
    return task.article(id, meta)


def _end(relation: Mapping[str, Any], end: str, spans: list[dict[str, Any]], options: Options, where: str) -> str:
    """Find the span at an end of a relation: by its place where that is given, otherwise by its token; a quotation's part goes first."""
    given, token = relation.get(f"{end}_span"), relation.get(end)
    if isinstance(given, dict):
        found = [span for span in spans if all(span.get(key) == given.get(key) for key in ("start", "end"))]
        found = [span for span in found if span.get("label") == given.get("label")] or found
    else:
        index = an_offset(token, f"{where}.{end}")
        found = [span for span in spans if _covers(span, index)]
    found.sort(key=lambda span: not isinstance(span.get("label"), str) or options.label(span["label"]) is None)
    if not found:
        raise UserError(f"{where}.{end}: found {given or token!r:.60}, where no span is; remove the relation, or mark the span")
    return found[0]["_key"]


def _covers(span: Mapping[str, Any], token: int) -> bool:
    first, last = span.get("token_start"), span.get("token_end")
    return type(first) is int and type(last) is int and first <= token <= last


def _check_tokens(value: Mapping[str, Any], task: _Task) -> None:
    at = f"{task.where}: tokens"
    places, said = [], []
    for _, item in each(a_list(value.get("tokens"), at), at, lambda item, _: an_object(item, at), task.options.report):
        if type(item.get("start")) is int and type(item.get("end")) is int and isinstance(item.get("text"), str):
            places.append((item["start"], item["end"]))
            said.append(item["text"])

    def stands(measure: Ruler) -> list[bool]:
        return [task.text[start:end] == word for (start, end), word in zip(indices(places, measure), said, strict=True)]

    fitting = stands(task.measure)
    if not all(fitting):
        wrong = fitting.index(False)
        hint = remedy(task.text, task.options.offsets, lambda measure: all(stands(measure))) or "export it anew"
        raise UserError(f"{at}[{wrong}]: found {said[wrong]!r:.60}, which the text does not have at {places[wrong][0]!r:.20}; {hint}")


def _fields(value: Mapping[str, Any], where: str) -> dict[str, Any]:
    return an_object(value.get("meta") or {}, f"{where}: meta", "an object")


def _meta(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in fields.items() if item is not None and key not in (LEFT_OUT, "layers", COVERS)}


def _id(value: Mapping[str, Any], name: str, where: str) -> str:
    return _key(value["id"], f"{where}: id") if value.get("id") is not None else name


def _key(value: object, where: str) -> str:
    if type(value) is int or isinstance(value, str):
        return f"{value!s:.200}"
    raise UserError(f"{where}: found {value!r:.40}, expected a number or a string")
