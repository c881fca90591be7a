"""Label Studio JSON: a list of tasks (https://labelstud.io/guide/export: "JSON", not "JSON-MIN"), labelled by :data:`CONFIG`.

    [{"id": 7, "data": {"text": "…", "id": "a-001", "meta": {"title": "…"}},
      "annotations": [{"result": [
        {"id": "T1", "type": "labels", "from_name": "label", "to_name": "text",
         "value": {"start": 0, "end": 6, "text": "…", "labels": ["PER"]}},
        {"type": "relation", "from_id": "T2", "to_id": "T3", "direction": "right", "labels": ["Cue"]},
        {"id": "T2", "type": "textarea", "from_name": "name", "to_name": "text", "value": {"text": ["Пётр Иванов"]}}]}]}]

**Reading.** The text is `data.text`, or else the only string in `data`; `data.id` is the id, `data.meta` and other fields are `meta`. A
region is an entity unless its label is a quotation's part by `names`; one with several labels is a span of each. Relations tie as in
brat, drawn either way, and one without a label is what its ends make it. A per-region text area or choice called `name` is the name of
its quotation, or of the quotations of its speaker. A task's annotation is its gold: the only one that was not cancelled, or the one that
is the ground truth; more are an error. Predictions, with their scores, are read only where there is no annotation; a task with neither
has `meta["layers"]` empty. Regions of other tags (`hypertextlabels`) are listed in
`meta["left_out"]`, other results passed over. Offsets count characters, as Label Studio has stored them since 2022
(https://github.com/HumanSignal/label-studio/pull/1559); exports from before count UTF-16 units: `offsets=utf16`. The words beside
the offsets must be what the text has there.

**Writing** gives one file for the import dialog: articles with scores as `predictions` (pre-annotations), others as `annotations`; with
`version`, that of the model that found all this, everything as predictions, also where it found nothing. An interrupted quotation is a
region a piece, tied by Continuation; scores of contents and of quotations are one number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from govorit.article import QUOTE_LABELS, Article
from govorit.errors import UserError
from govorit.formats import create, files, noted, read_text
from govorit.formats.assembly import Assembler, dissolve, same
from govorit.formats.options import DEFAULTS, Options
from govorit.formats.strict_json import a_list, a_score, a_string, an_object, an_offset, as_meta, each, items, one_line
from govorit.formats.units import Ruler, indices, misread, remedy, ruler, to_index

_INTERFACE = """<View>
  <Style>.lsf-richtext__line, .htx-text {{ white-space: pre-wrap; }}</Style>
  <Relations>
    <Relation value="Cue"/>
    <Relation value="Speaker"/>
    <Relation value="Continuation"/>
  </Relations>
  <Labels name="label" toName="text" choice="multiple">
{labels}
  </Labels>
  <Text name="text" value="$text"/>
  <TextArea name="name" toName="text" perRegion="true" maxSubmissions="1" placeholder="Who the speaker is"/>
</View>
"""
_EXPECTED = "a list of tasks, as Label Studio exports them"


def interface(labels: Iterable[str]) -> str:
    """The labelling interface for entities with `labels`, and for quotations: to paste into a project's settings, as code."""
    rows = (f"    <Label value={quoteattr(label)}/>" for label in (*labels, *QUOTE_LABELS))
    return _INTERFACE.format(labels="\n".join(rows))


CONFIG = interface(("PER", "LOC", "ORG"))


def read(path: Path, options: Options = DEFAULTS) -> Iterator[Article]:
    for file in files(path, ".json"):
        number = 0
        try:
            for line, task in items(read_text(file).removeprefix("\ufeff"), file, _EXPECTED):
                number += 1
                try:
                    article = _article(task, f"{options.stem(file)}-{number}", f"{file}:{line}", options)
                except UserError as error:
                    options.report(error)
                else:
                    yield article
        except UserError as error:
            options.report(error)


def write(articles: Iterable[Article], path: Path, options: Options = DEFAULTS, version: str | None = None) -> None:
    with create(path) as file:
        separator = "[\n"
        for article in articles:
            file.write(separator + dump(article, options, version))
            separator = ",\n"
        file.write("\n]\n" if separator == ",\n" else "[]\n")


def dump(article: Article, options: Options = DEFAULTS, version: str | None = None) -> str:
    """Write one article as one task, on one line."""
    return one_line(task(article, options, version))


def task(article: Article, options: Options = DEFAULTS, version: str | None = None) -> dict[str, Any]:
    """The article as the plain objects of one task."""
    marks, ties, names = dissolve(article, options, pieces=False)
    places = {mark.key: dict(zip(("start", "end"), mark.pieces[0], strict=True)) for mark in marks}
    result: list[dict[str, Any]] = []
    for mark in marks:
        value = {**places[mark.key], "text": article.text[slice(*mark.pieces[0])], "labels": [mark.label]}
        score = {} if mark.score is None else {"score": round(mark.score, 4)}
        result.append({"id": mark.key, "from_name": "label", "to_name": "text", "type": "labels", "value": value, **score})
    for key, name in names.items():
        value = {**places[key], "text": [name]}
        result.append({"id": key, "from_name": options.name("name"), "to_name": "text", "type": "textarea", "value": value})
    for tie in ties:
        result.append({"type": "relation", "from_id": tie.first, "to_id": tie.second, "direction": "right", "labels": [tie.name]})
    scores = [mark.score for mark in marks if mark.score is not None]
    data = {"text": article.text, "id": article.id, "meta": dict(article.meta)}
    if not scores and version is None:
        return {"data": data, "annotations": [{"result": result}]}
    least = {"score": round(min(scores), 4)} if scores else {}
    return {"data": data, "predictions": [{"model_version": version or "govorit", **least, "result": result}]}


def _article(value: object, name: str, where: str, options: Options) -> Article:
    task = an_object(value, where, "a task: an object with 'data'")
    if not isinstance(task.get("data"), dict):
        raise UserError(f"{where}: data: missing, expected an object with 'text'; export as JSON, not as JSON-MIN")
    data = task["data"]
    key = _text_key(data, where)
    rest = {field: item for field, item in data.items() if field not in (key, "id", "meta") and item is not None}
    meta = as_meta(rest | an_object(data.get("meta") or {}, f"{where}: data.meta", "an object"))
    identifier = data.get("id")
    if identifier is None:
        identifier = f"{name.rpartition('-')[0]}-{task['id']}" if type(task.get("id")) is int else name
    if type(identifier) not in (int, str):
        raise UserError(f"{where}: data.id: found {identifier!r:.40}, expected a string or a number")
    chosen = _chosen(task, where)
    if chosen is None:
        return Article(str(identifier), data[key], meta={**meta, "layers": ""}, where=where)
    reader = _Results(data[key], where, options)
    reader.read(*chosen)
    entities, quotes = reader.assembler.finish(data[key])
    return Article(str(identifier), data[key], entities, quotes, meta | noted(reader.assembler.left_out), where=where)


def _text_key(data: Mapping[str, Any], where: str) -> str:
    strings = [key for key, item in data.items() if isinstance(item, str) and key != "id"]
    if "text" not in strings and len(strings) != 1:
        found = ", ".join(map(repr, strings)) or "no string"
        raise UserError(f"{where}: data: found {found:.60}, expected the article in 'text'; rename the field")
    return "text" if "text" in strings else strings[0]


def _chosen(task: Mapping[str, Any], where: str) -> tuple[str, list[Any]] | None:
    """Pick the annotation that is the gold, or else the prediction: where it stands, and its results."""
    for field in ("annotations", "completions", "predictions"):
        listed = a_list(task.get(field), f"{where}: {field}")
        found = [(f"{field}[{i}]", item) for i, item in enumerate(listed) if isinstance(item, dict) and not item.get("was_cancelled")]
        strange = [item for item in listed if not isinstance(item, dict) and (field != "predictions" or type(item) is not int)]
        if strange:
            raise UserError(f"{where}: {field}: found {strange[0]!r:.40}, expected an object with 'result'")
        if len(found) > 1:
            found = [(at, item) for at, item in found if item.get("ground_truth")] or found
        if len(found) > 1:
            remedy = "make one the ground truth, or export one only"
            raise UserError(f"{where}: {field}: found {len(found)} of them, expected one; {remedy}")
        if found:
            at, item = found[0]
            return f"{where}: {at}.result", a_list(item.get("result"), f"{where}: {at}.result")
    return None


class _Results:
    """Hands the results of one annotation to an assembler."""

    def __init__(self, text: str, where: str, options: Options) -> None:
        self.text, self.where, self.options = text, where, options
        self.measure: Ruler = ruler(text, options.offsets)
        self.assembler = Assembler(where, options)
        self.bare: list[tuple[int, int]] = []  # places without their words

    def read(self, where: str, results: list[Any]) -> None:
        problems: list[UserError] = []
        list(each(results, where, self._result, problems.append))
        if hint := misread(self.text, self.bare, self.options.offsets):
            raise UserError(f"{self.where}: the offsets split words or leave the text; {hint}")
        for problem in problems:
            self.options.report(problem)

    def _result(self, value: object, where: str) -> None:
        result = an_object(value, where, "an object with 'type'")
        kind = result.get("type")
        if kind == "labels":
            self._region(result, where)
        elif kind == "relation":
            self._relation(result, where)
        elif kind in ("textarea", "choices") and result.get("from_name") == self.options.name("name"):
            self._name(result, where)
        elif isinstance(kind, str) and kind.endswith("labels"):
            self.assembler.left_out.append(f"{Path(self.where).name}: {kind}: a region that is not of <Labels> on <Text>")

    def _region(self, result: Mapping[str, Any], where: str) -> None:
        key = a_string(result.get("id"), f"{where}.id")
        try:
            value = an_object(result.get("value"), f"{where}.value")
            labels = [a_string(label, f"{where}.value.labels") for label in a_list(value.get("labels"), f"{where}.value.labels")]
            if not labels:
                raise UserError(f"{where}.value.labels: empty, expected a label; give the region one, or remove it")
            place = self._place(value, f"{where}.value")
            score = a_score(result, where)
        except UserError:
            self.assembler.skip(key)
            raise
        # Relations and names are a quotation's: its part takes the region's own key, an entity at the same place another one.
        parts = [label for label in labels if self.options.label(label) is not None] or labels[:1]
        for label in labels:
            self.assembler.span(key if label == parts[0] else f"{key}/{label}", label, [place], where, score)

    def _place(self, value: Mapping[str, Any], where: str) -> tuple[int, int]:
        bounds = an_offset(value.get("start"), f"{where}.start"), an_offset(value.get("end"), f"{where}.end")
        said = value.get("text")
        if not isinstance(said, str):
            self.bare.append(bounds)
        try:
            start, end = (to_index(self.measure, offset, self.text, self.options.offsets, where) for offset in bounds)
            if not 0 <= start < end <= len(self.text):
                expected = f"start before end, within the {len(self.text)} characters of the text"
                raise UserError(f"{where}: found the offsets {bounds[0]!r:.20} to {bounds[1]!r:.20}, expected {expected}; mend them")
            if isinstance(said, str) and not _same(said, (start, end), self.text):
                problem = f"found {said!r:.60}, but the text has {self.text[start:end]!r:.60} at {bounds[0]}"
                raise UserError(f"{where}.text: {problem}; the text or the offsets were changed: mark it anew")
        except UserError as error:
            hint = isinstance(said, str) and remedy(self.text, self.options.offsets, lambda measure: self._fits(said, bounds, measure))
            raise (UserError(f"{str(error).rpartition('; ')[0]}; {hint}") if hint else error) from None
        return start, end

    def _fits(self, said: str, bounds: tuple[int, int], measure: Ruler) -> bool:
        [(start, end)] = indices([bounds], measure)
        return 0 <= start < end <= len(self.text) and _same(said, (start, end), self.text)

    def _relation(self, result: Mapping[str, Any], where: str) -> None:
        first, second = (a_string(result.get(end), f"{where}.{end}") for end in ("from_id", "to_id"))
        labels: Sequence[Any] = a_list(result.get("labels"), f"{where}.labels") or [""]
        if result.get("direction") == "left":
            first, second = second, first
        for label in labels:
            self.assembler.relation(a_string(label, f"{where}.labels"), first, second, where, either=True)

    def _name(self, result: Mapping[str, Any], where: str) -> None:
        key = a_string(result.get("id"), f"{where}.id")
        value = an_object(result.get("value"), f"{where}.value", "an object with 'text' or 'choices'")
        given = value.get("choices" if result["type"] == "choices" else "text")
        names = [given] if isinstance(given, str) else a_list(given, f"{where}.value")
        if len(names) > 1:
            raise UserError(f"{where}.value: found {len(names)} names, expected one; remove the others")
        for name in names:
            self.assembler.name(key, a_string(name, f"{where}.value"), where)


def _same(said: str, place: tuple[int, int], text: str) -> bool:
    # Some versions write a line end as a backslash and an n.
    return same(said, [place], text) or same(said.replace("\\n", "\n"), [place], text)
