import json
import re
from dataclasses import replace
from pathlib import Path
from random import Random
from xml.etree import ElementTree

import pytest
from generate import random_article

from govorit import formats
from govorit.article import CUE, SPEAKER, Article, Quote, Span
from govorit.errors import UserError
from govorit.formats import labelstudio
from govorit.formats.options import NAMES, Options

TEXT = "😀 Иванов сказал: «Да»."
SAID = Quote("direct", (Span(17, 21, "DIRECT"),), Span(9, 15, CUE), Span(2, 8, SPEAKER), "Пётр Иванов")


def region(key: str, start: int, end: int, *labels: str, text: str | None = None) -> dict:
    value = {"start": start, "end": end, "labels": list(labels), **({} if text is None else {"text": text})}
    return {"id": key, "type": "labels", "from_name": "label", "to_name": "text", "value": value}


def tie(first: str, second: str, *labels: str, direction: str = "right") -> dict:
    return {"type": "relation", "from_id": first, "to_id": second, "direction": direction, "labels": list(labels)}


def named(key: str, name: str, **value: object) -> dict:
    return {"id": key, "type": "textarea", "from_name": "name", "to_name": "text", "value": value or {"text": [name]}}


REGIONS = [
    region("x", 17, 21, "DIRECT", text="«Да»"),
    region("y", 9, 15, "CUE", text="сказал"),
    region("z", 2, 8, "PER", "SPEAKER", text="Иванов"),
]
TIES = [tie("x", "y", "Cue"), tie("x", "z", "Speaker")]


def task(*results: dict, text: str = TEXT, **fields: object) -> dict:
    return {"id": 7, "data": {"text": text}, "annotations": [{"id": 1, "result": list(results)}], **fields}


def read(folder: Path, *tasks: object, **options: object) -> list[Article]:
    path = folder / "export.json"
    path.write_text(json.dumps(tasks, ensure_ascii=False, indent=1), encoding="utf-8")
    return list(formats.read(path, options=Options(**options)))


def refusal(folder: Path, *tasks: object, **options: object) -> str:
    with pytest.raises(UserError) as caught:
        read(folder, *tasks, **options)
    return str(caught.value)


def test_2000_articles_come_back_as_they_were_with_one_score_a_quotation(tmp_path):
    rng = Random(7)
    written = [random_article(rng, f"a-{number:04}", crossing=True) for number in range(2000)]
    formats.write(written, tmp_path / "a.json", "labelstudio")
    assert list(formats.read(tmp_path / "a.json")) == written


def test_scores_make_pre_annotations(tmp_path):
    scored = replace(SAID, cue=replace(SAID.cue, score=0.75), score=0.5)
    article = Article("a", TEXT, (Span(2, 8, "PER", 0.25),), (scored,))
    [gold, predicted] = [labelstudio.task(one) for one in (Article("a", TEXT, (Span(2, 8, "PER"),)), article)]
    assert "predictions" not in gold and "annotations" not in predicted
    assert [result["score"] for result in predicted["predictions"][0]["result"] if "score" in result] == [0.25, 0.75, 0.5]
    labelstudio.write([article], tmp_path / "a.json")
    assert list(labelstudio.read(tmp_path / "a.json")) == [article]


def test_the_words_lie_beside_their_offsets():
    results = labelstudio.task(Article("a", TEXT, quotes=(SAID,)))["annotations"][0]["result"]
    assert {result["value"]["text"] for result in results if result["type"] == "labels"} == {"Иванов", "сказал", "«Да»"}


def test_the_labelling_config_knows_our_names():
    config = ElementTree.fromstring(labelstudio.CONFIG)
    values = {element.get("value") for element in config.iter() if element.tag in ("Label", "Relation")}
    assert values == {*(value for name, value in NAMES.items() if name != "name"), "PER", "LOC", "ORG"}
    assert config.find("TextArea").get("name") == NAMES["name"]


def test_an_export_is_read(tmp_path):
    [article] = read(tmp_path, task(*TIES, *REGIONS, named("x", "Пётр Иванов"), {"type": "choices", "from_name": "topic", "value": {}}))
    assert article == Article("export-7", TEXT, (Span(2, 8, "PER"),), (SAID,))


def test_relations_may_be_drawn_either_way_and_lack_a_label(tmp_path):
    [article] = read(tmp_path, task(*REGIONS, tie("y", "x"), tie("x", "z", direction="left"), named("z", "Пётр Иванов")))
    assert article.quotes == (SAID,)


def test_pieces_of_a_quotation_are_tied(tmp_path):
    more = region("w", 0, 1, "DIRECT", text="😀")
    [article] = read(tmp_path, task(*REGIONS, *TIES, more, tie("w", "x", "Continuation"), named("w", "Пётр Иванов")))
    assert article.quotes == (replace(SAID, content=(Span(0, 1, "DIRECT"), Span(17, 21, "DIRECT"))),)


def test_a_name_may_be_chosen(tmp_path):
    choice = {**named("x", "", choices=["Пётр Иванов"]), "type": "choices"}
    [article] = read(tmp_path, task(*REGIONS, *TIES, choice))
    assert article.quotes == (SAID,)


def test_the_text_is_the_only_string_and_the_rest_is_meta(tmp_path):
    [article] = read(tmp_path, {"data": {"body": "Да", "id": 3, "views": 5, "meta": {"title": "Т"}}, "annotations": [{"result": []}]})
    assert article == Article("3", "Да", meta={"views": "5", "title": "Т"})


def test_the_ground_truth_stands_and_a_cancelled_annotation_does_not(tmp_path):
    one = {"result": [region("x", 2, 8, "PER")], "ground_truth": True}
    other, cancelled = {"result": []}, {"result": [], "was_cancelled": True}
    for annotations in ([other, one], [cancelled, {"result": one["result"]}]):
        [article] = read(tmp_path, {**task(), "annotations": annotations})
        assert article.entities == (Span(2, 8, "PER"),)
    assert "annotations: found 2 of them, expected one" in refusal(tmp_path, {**task(), "annotations": [other, other]})


def test_regions_of_another_tag_are_listed(tmp_path):
    strange = {**region("x", 2, 8), "type": "hypertextlabels"}
    [article] = read(tmp_path, task(strange, {"type": "choices", "from_name": "topic", "value": {"choices": ["спорт"]}}))
    assert article.entities == () and article.meta["left_out"].startswith("export.json:2: hypertextlabels: ")
    assert "\n" not in article.meta["left_out"]


def test_what_nobody_annotated_is_unknown(tmp_path):
    [article] = read(tmp_path, {**task(), "annotations": [], "predictions": []})
    assert not article.annotated("entities") and not article.annotated("quotes")


def test_offsets_from_before_2022_are_told_and_read(tmp_path):
    shifted = [region("x", 3, 9, "PER", text="Иванов")]
    assert "they count UTF-16 units: read it with offsets=utf16" in refusal(tmp_path, task(*shifted))
    assert read(tmp_path, task(*shifted), offsets="utf16")[0].entities == (Span(2, 8, "PER"),)
    assert "offsets=utf16" in refusal(tmp_path, task(region("x", 3, 9, "PER")))


def test_names_are_the_corpus_s_own(tmp_path):
    names = {"direct": "Прямая речь", "to_cue": "глагол", "name": "кто"}
    article = Article("a", TEXT, quotes=(SAID,))
    labelstudio.write([article], tmp_path / "a.json", Options(names=names))
    written = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert all(f'"{name}"' in written for name in names.values())
    assert list(labelstudio.read(tmp_path / "a.json", Options(names=names))) == [article]


BROKEN = {
    "shifted": (task(region("x", 3, 9, "PER", text="ванов ")), None),
    "other words": (task(region("x", 2, 8, "PER", text="Петров")), "result[0].value.text: found 'Петров', but the text has 'Иванов'"),
    "reversed": (task(region("x", 8, 2, "PER", text="Иванов")), "expected start before end"),
    "beyond": (task(region("x", 2, 8000, "PER")), "expected start before end"),
    "no label": (task(region("x", 2, 8)), "labels: empty"),
    "fraction": (task(region("x", 2.5, 8, "PER")), "value.start: found 2.5"),
    "orphan": (task(REGIONS[0], REGIONS[1]), "result[1]: CUE that belongs to no quotation"),
    "unknown end": (task(*REGIONS, tie("x", "q", "Cue")), "result[3]: q is not in this file"),
    "id twice": (task(REGIONS[0], REGIONS[0]), "already taken at export.json:"),
    "two names": (task(*REGIONS, *TIES, named("x", "", text=["А", "Б"])), "found 2 names"),
    "JSON-MIN": ({"id": 1, "text": TEXT, "label": []}, "data: missing"),
    "no text": ({"data": {"a": "б", "в": "г"}}, "expected the article in 'text'"),
    "a list": ([], "found a list, expected a task"),
    "id": ({"data": {"text": "Да", "id": []}}, "data.id: found []"),
    "result": ({"data": {"text": "Да"}, "annotations": [{"result": {}}]}, "annotations[0].result: found an object, expected a list"),
    "annotation": ({"data": {"text": "Да"}, "annotations": [1]}, "annotations: found 1"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_said_with_the_line_of_its_task(tmp_path, name):
    broken, expected = BROKEN[name]
    if expected is None:
        # The words were shifted with the offsets: nothing can tell.
        assert read(tmp_path, broken)
        return
    message = refusal(tmp_path, task(), broken)
    assert re.match(rf"{re.escape(str(tmp_path))}/export\.json:\d+: ", message) and expected in message
    line = int(message.partition(": ")[0].rpartition(":")[2])
    assert line == len(json.dumps([task()], indent=1).split("\n"))


def test_a_broken_region_is_reported_and_the_rest_is_read(tmp_path):
    problems: list[UserError] = []
    regions = [replace_region(region) for region in REGIONS]
    [article] = read(tmp_path, task(*regions, *TIES), report=problems.append)
    assert article.entities == (Span(2, 8, "PER"),) and article.quotes == ()
    assert len(problems) == 1 and "found 'Нет'" in str(problems[0])


def replace_region(region: dict) -> dict:
    return {**region, "value": {**region["value"], "text": "Нет"}} if region["id"] == "x" else region


NO_LIST = [
    "",
    "{}",
    "[1",
    '[{"data": {"text": "Да"}}',
    "[] []",
    "[1,]",
    "null",
    '[{"a": 1, "a": 2}]',
    "[NaN]",
    "[" * 200_000,
    '{"a":' * 200_000,
]


@pytest.mark.parametrize("body", NO_LIST, ids=range(len(NO_LIST)))
def test_what_is_no_list_of_tasks_is_refused(tmp_path, body):
    (tmp_path / "a.json").write_text(body)
    with pytest.raises(UserError, match=r"a\.json:1: "):
        list(formats.read(tmp_path / "a.json", "labelstudio"))


def test_an_empty_list_is_written_and_read(tmp_path):
    labelstudio.write([], tmp_path / "a.json")
    assert (tmp_path / "a.json").read_text() == "[]\n" and list(labelstudio.read(tmp_path / "a.json")) == []
