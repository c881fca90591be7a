import json
from pathlib import Path

import pytest

from govorit import formats
from govorit.article import CUE, SPEAKER, Article, Quote, Span
from govorit.errors import UserError
from govorit.formats.options import Options

TEXT = "😀 Иванов сказал: «Да»."
SAID = Quote("direct", (Span(17, 21, "DIRECT"),), Span(9, 15, CUE), Span(2, 8, SPEAKER))
PER = (Span(2, 8, "PER"),)


def read(folder: Path, *rows: dict, **options: object) -> list[Article]:
    path = folder / "export.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return list(formats.read(path, options=Options(**options)))


def refusal(folder: Path, row: dict, **options: object) -> str:
    with pytest.raises(UserError) as caught:
        read(folder, row, **options)
    assert str(caught.value).startswith(f"{folder / 'export.jsonl'}:1: ")
    return str(caught.value)


# Doccano

ENTITIES = [
    {"id": 1, "label": "PER", "start_offset": 2, "end_offset": 8},
    {"id": 2, "label": "SPEAKER", "start_offset": 2, "end_offset": 8},
    {"id": 3, "label": "CUE", "start_offset": 9, "end_offset": 15},
    {"id": 4, "label": "DIRECT", "start_offset": 17, "end_offset": 21},
]
RELATIONS = [{"id": 1, "from_id": 4, "to_id": 3, "type": "Cue"}, {"id": 2, "from_id": 2, "to_id": 4, "type": "Speaker"}]


@pytest.mark.parametrize("field", ["label", "labels"])
def test_doccano_marks_entities(tmp_path, field):
    [article] = read(tmp_path, {"id": 12, "text": TEXT, field: [[2, 8, "PER"]], "Comments": [], "source": "РИА", "views": 3})
    assert article == Article("12", TEXT, PER, meta={"source": "РИА", "views": "3"})


def test_doccano_ties_quotations(tmp_path):
    [article] = read(tmp_path, {"id": 12, "text": TEXT, "entities": ENTITIES, "relations": RELATIONS, "Comments": []})
    assert article == Article("12", TEXT, PER, (SAID,))


def test_a_relation_of_another_type_is_passed_over(tmp_path):
    others = [{"id": 3, "from_id": 1, "to_id": 3, "type": "knows"}, {"id": 4, "from_id": 1, "to_id": 3, "type": None}]
    [article] = read(tmp_path, {"text": TEXT, "entities": ENTITIES, "relations": [*RELATIONS, *others]})
    assert (article.id, article.quotes) == ("export-1", (SAID,))


def test_names_are_the_corpus_s_own(tmp_path):
    entities = [{**entity, "label": entity["label"].replace("DIRECT", "прямая речь")} for entity in ENTITIES]
    relations = [{**relation, "type": relation["type"].replace("Cue", "глагол")} for relation in RELATIONS]
    options = {"names": {"direct": "прямая речь", "to_cue": "глагол"}}
    assert read(tmp_path, {"text": TEXT, "entities": entities, "relations": relations}, **options)[0].quotes == (SAID,)


def test_doccano_counts_utf16_units(tmp_path):
    row = {"text": TEXT, "label": [[3, 9, "PER"], [10, 16, "LOC"]]}
    assert "the offsets split words or leave the text; they count UTF-16 units: read it with offsets=utf16" in refusal(tmp_path, row)
    assert read(tmp_path, row, offsets="utf16")[0].entities == (Span(2, 8, "PER"), Span(9, 15, "LOC"))
    assert "falls inside a character" in refusal(tmp_path, {"text": TEXT, "label": [[1, 9, "PER"]]}, offsets="utf16")
    assert "lies outside the text" in refusal(tmp_path, {"text": TEXT, "label": [[3, 99, "PER"]]}, offsets="utf16")


BROKEN = {
    "two fields": ({"label": [[2, 8]]}, "label[0]: found [2, 8], expected [start, end, label]"),
    "label": ({"label": [[2, 8, 5]]}, "label[0].label: found a number"),
    "offset": ({"label": [["2", 8, "PER"]]}, "label[0].start: found '2'"),
    "reversed": ({"label": [[8, 2, "PER"]]}, "expected start before end"),
    "empty": ({"label": [[2, 2, "PER"]]}, "expected start before end"),
    "orphan": ({"entities": ENTITIES, "relations": []}, "entities[1]: SPEAKER that belongs to no quotation"),
    "unknown": ({"entities": ENTITIES, "relations": [{"from_id": 9, "to_id": 3, "type": "Cue"}]}, "9 is not in this file"),
    "no end": ({"entities": ENTITIES, "relations": [{"from_id": 4, "type": "Cue"}]}, "relations[0].to_id: found None"),
    "id twice": ({"entities": [ENTITIES[0], ENTITIES[0]]}, "already taken at export.jsonl:1: entities[0]"),
    "a number": ({"label": 7}, "label: found a number, expected a list"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_doccano_is_refused_with_the_field(tmp_path, name):
    fields, expected = BROKEN[name]
    assert expected in refusal(tmp_path, {"text": TEXT, **fields})


def test_what_is_broken_is_reported_and_the_rest_is_read(tmp_path):
    problems: list[UserError] = []
    [article] = read(tmp_path, {"text": TEXT, "label": [[8, 2, "LOC"], [2, 8, "PER"]]}, report=problems.append)
    assert article.entities == PER and len(problems) == 1
    entities = [*ENTITIES[:3], {**ENTITIES[3], "end_offset": 99}]
    [article] = read(tmp_path, {"text": TEXT, "entities": entities, "relations": RELATIONS}, report=problems.append)
    assert article == Article("export-1", TEXT, PER)
    assert len(problems) == 2, "a cue whose content was refused is no orphan"


# Prodigy

TOKENS = [
    {"text": word, "start": start, "end": start + len(word), "id": i}
    for i, (word, start) in enumerate([("😀", 0), ("Иванов", 2), ("сказал", 9), (":", 15), ("«", 17), ("Да", 18), ("»", 20), (".", 21)])
]
SPANS = [
    {"start": 2, "end": 8, "token_start": 1, "token_end": 1, "label": "PER"},
    {"start": 2, "end": 8, "token_start": 1, "token_end": 1, "label": "SPEAKER"},
    {"start": 9, "end": 15, "token_start": 2, "token_end": 2, "label": "CUE"},
    {"start": 17, "end": 21, "token_start": 4, "token_end": 6, "label": "DIRECT"},
]
TASK = {
    "text": TEXT,
    "tokens": TOKENS,
    "spans": SPANS,
    "answer": "accept",
    "_input_hash": 1,
    "_view_id": "relations",
    "meta": {"source": "РИА"},
}
BY_SPAN = [
    {"head": 6, "child": 2, "label": "Cue", "head_span": SPANS[3], "child_span": SPANS[2]},
    {"head": 6, "child": 1, "label": "Speaker", "head_span": SPANS[3], "child_span": SPANS[1]},
]
BY_TOKEN = [{"head": 5, "child": 2, "label": "Cue"}, {"head": 1, "child": 4, "label": "Speaker"}]


@pytest.mark.parametrize("relations", [BY_SPAN, BY_TOKEN])
def test_prodigy_ties_quotations(tmp_path, relations):
    [article] = read(tmp_path, {**TASK, "relations": relations})
    assert article == Article("export-1", TEXT, PER, (SAID,), {"source": "РИА"})


def test_prodigy_needs_no_tokens(tmp_path):
    [article] = read(tmp_path, {"text": TEXT, "spans": [{"start": 2, "end": 8, "label": "PER"}]})
    assert article.entities == PER


@pytest.mark.parametrize("answer", ["reject", "ignore"])
def test_what_was_not_accepted_is_not_gold(tmp_path, answer):
    [article] = read(tmp_path, {**TASK, "answer": answer})
    assert article.entities == () and not article.annotated("entities")
    assert article.meta["left_out"] == f"export.jsonl:1: answer {answer!r}: its annotation was left out"


def test_prodigy_s_tokens_prove_its_offsets(tmp_path):
    wide = [{**token, "start": token["start"] + (i > 0), "end": token["end"] + 1} for i, token in enumerate(TOKENS)]
    assert "tokens[0]: found '😀', which the text does not have at 0; they count UTF-16 units" in refusal(
        tmp_path, {**TASK, "tokens": wide}
    )
    wrong = [{**TOKENS[1], "text": "Петров"}]
    assert "tokens[0]: found 'Петров'" in refusal(tmp_path, {**TASK, "tokens": wrong})


def test_a_relation_to_no_span_is_refused(tmp_path):
    message = refusal(tmp_path, {**TASK, "relations": [{"head": 0, "child": 2, "label": "Cue"}]})
    assert "relations[0].head: found 0, where no span is" in message


def test_our_own_lines_stay_our_own(tmp_path):
    assert "unknown field" in refusal(tmp_path, {"text": TEXT, "entities": [{"start": 0, "end": 1, "label": "X", "id": 3}]})
    assert "unknown field" in refusal(tmp_path, {"text": TEXT, "quotes": [], "label": []})
