"""What OpenAPI says of the articles that come in and go out: JSON Schema, as `govorit.formats.jsonl` reads and writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from govorit.article import KINDS
from govorit.serving.bodies import JSON, LINES, TEXT

Schema = dict[str, Any]

_PROBABILITY: Schema = {"type": "number", "minimum": 0, "maximum": 1}


def _an_object(required: str, properties: Mapping[str, Schema], **more: Any) -> Schema:
    return {"type": "object", "required": required.split(), "properties": dict(properties), **more}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _a_list(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def _named(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_META: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
_OFFSETS: Schema = {
    "start": {"type": "integer", "minimum": 0},
    "end": {"type": "integer", "minimum": 1},
    "score": _PROBABILITY,
}
SCHEMAS: dict[str, Schema] = {
    "Text": _an_object(
        "text", {"id": {"type": "string"}, "text": {"type": "string"}, "meta": _META}, description="An article to read. The id comes back."
    ),
    "Place": _an_object("start end", _OFFSETS, description="Half-open, in characters (code points, not UTF-16 units) of the text."),
    "Entity": _an_object(
        "start end label", {**_OFFSETS, "label": {"type": "string"}}, description="Who or what is named: PER, LOC, ORG, or your own labels."
    ),
    "Quote": _an_object(
        "kind content cue speaker name",
        {
            "kind": {"enum": list(KINDS)},
            "content": _a_list(_named("Place")),
            "cue": _or_null(_named("Place")),
            "speaker": _or_null(_named("Place")),
            "name": _or_null({"type": "string"}),
            "score": _PROBABILITY,
            "name_score": _PROBABILITY,
        },
        description="Who said what: content in several places where the attribution interrupts it; name in the nominative, null if unsure.",
    ),
    "Article": _an_object(
        "id text entities quotes meta",
        {
            "id": {"type": "string"},
            "text": {"type": "string"},
            "entities": _a_list(_named("Entity")),
            "quotes": _a_list(_named("Quote")),
            "meta": _META,
        },
        description="What scripts/predict.py writes.",
    ),
    "Refusal": _an_object("detail", {"detail": {"type": "string"}}, description="One line: what was found, what was expected."),
}

_TEXT: Schema = {"type": "string"}
_EXAMPLE = "«Да», — сказал Иван Петров."
BODY: Schema = {
    "required": True,
    "content": {
        TEXT: {"schema": _TEXT, "example": _EXAMPLE},
        JSON: {"schema": {"anyOf": [_named("Text"), _a_list(_named("Text"))]}, "example": {"id": "1", "text": _EXAMPLE}},
        LINES: {"schema": _TEXT, "example": '{"id": "1", "text": "…"}\n{"id": "2", "text": "…"}\n'},
    },
}
FOUND: Schema = {
    "description": "What was found, in the shape of what was sent.",
    "content": {JSON: {"schema": {"anyOf": [_named("Article"), _a_list(_named("Article"))]}}, LINES: {"schema": _TEXT}},
}


def refusals(reasons: Mapping[int, str]) -> dict[int | str, Schema]:
    return {status: {"description": why, "content": {JSON: {"schema": _named("Refusal")}}} for status, why in reasons.items()}
