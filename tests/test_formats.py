import doctest
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from random import Random
from unittest.mock import ANY

import pytest
from generate import random_article
from mutants import mutants, survives

from govorit import formats
from govorit.article import CUE, SPEAKER, Article, Quote, Span
from govorit.corpora import lint
from govorit.errors import UserError
from govorit.formats import brat, factrueval, inline, jsonl
from govorit.formats.options import DEFAULTS, Options
from govorit.words import encode, words

ROOT = Path(__file__).parents[1]
CORPORA = Path(os.environ.get("GOVORIT_DATA") or Path(__file__).parents[2] / "shared/data")
TEXT = "Иванов сказал: «Да».\nПетров, — добавил он, — «Нет»."


def refusal(path: Path, name: str | None = None) -> str:
    """Read what must not be read; give the message, which is one line."""
    with pytest.raises(UserError) as caught:
        list(formats.read(path, name))
    assert len(str(caught.value).split("\n")) == 1
    return str(caught.value)


# Round trips


def articles(count: int, **options: bool) -> list[Article]:
    rng = Random(7)
    return [random_article(rng, f"a-{number:04}", **options) for number in range(count)]


def test_jsonl_is_lossless(tmp_path):
    written = articles(2000, crossing=True)
    named = Quote("direct", (Span(0, 2, "DIRECT"),), name="Иванов", score=0.25, name_score=0.75)
    scored = replace(written[0], entities=(Span(0, 2, "PER", 0.5),), quotes=(named,))
    formats.write([*written, replace(scored, id="scored")], tmp_path / "a.jsonl")
    assert list(formats.read(tmp_path / "a.jsonl")) == [*written, replace(scored, id="scored")]


def test_jsonl_takes_a_whole_number_for_an_id(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"id": 17, "text": "Да"}\n{"text": "Нет"}\n', encoding="utf-8")
    assert [article.id for article in formats.read(tmp_path / "a.jsonl")] == ["17", "a-2"]


def test_jsonl_lets_half_a_surrogate_pair_out_as_it_came_in(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"id": "a", "text": "Да\\ud83d"}\n', encoding="utf-8")
    [article] = formats.read(tmp_path / "a.jsonl")
    jsonl.write([article], tmp_path / "b.jsonl")
    assert list(formats.read(tmp_path / "b.jsonl")) == [article]


def test_brat_keeps_all_but_scores_and_meta(tmp_path):
    written = articles(2000, crossing=True)
    formats.write(written, tmp_path / "brat", "brat")
    assert list(formats.read(tmp_path / "brat")) == [replace(article, meta={}) for article in written]


def test_brat_keeps_two_quotations_of_one_content(tmp_path):
    content = (Span(15, 19, "DIRECT"),)
    both = Article("a", TEXT, quotes=(Quote("direct", content, name="Иванов"), Quote("direct", content, name="Петров")))
    brat.write([both], tmp_path)
    assert list(brat.read(tmp_path / "a.txt")) == [both]


def test_inline_keeps_all_but_scores(tmp_path):
    written = articles(2000)
    formats.write(written, tmp_path / "inline", "inline")
    assert list(formats.read(tmp_path / "inline")) == written


def test_inline_is_what_a_reader_writes():
    article = inline.parse('<src name="Пётр Иванов"><PER>Иванов</PER></src> <cue>сказал</cue>: <q>«Да»</q>.')
    assert article.text == "Иванов сказал: «Да»."
    assert article.entities == (Span(0, 6, "PER"),)
    said = Quote("direct", (Span(15, 19, "DIRECT"),), Span(7, 13, CUE), Span(0, 6, SPEAKER), "Пётр Иванов")
    assert article.quotes == (said,)
    numbered = '<src 1 name="Пётр Иванов"><PER>Иванов</PER></src> <cue 1>сказал</cue>: <q 1 direct>«Да»</q>.'
    assert inline.dump(article) == numbered


def test_inline_ties_what_has_no_number_to_its_neighbour():
    article = inline.parse(
        "<q>«Да»</q>, — <cue>сказал</cue> <src>Иванов</src>. <src>Петров</src> <cue>считает</cue>, что <q indirect>нет</q>"
    )
    parts = [(q.kind, text(article, q.cue), text(article, q.speaker)) for q in article.quotes]
    assert parts == [("direct", "сказал", "Иванов"), ("indirect", "считает", "Петров")]


def text(article: Article, span: Span | None) -> str | None:
    return span and article.text[span.start : span.end]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc/a", "..\\a", "a\x00", "a\nb", "\ud800"])
@pytest.mark.parametrize("module", [brat, inline])
def test_an_id_never_leads_out_of_the_folder(tmp_path, module, name):
    with pytest.raises(UserError, match="cannot name a file"):
        module.write([Article(name, "Да")], tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("module", [brat, inline])
def test_an_id_is_written_once(tmp_path, module):
    with pytest.raises(UserError, match="comes twice"):
        module.write([Article("a", "Да"), Article("a", "Нет")], tmp_path)


UNWRITABLE = {
    "angle bracket": (inline, Article("a", "1 < 2")),
    "crossing": (inline, Article("a", "аб вг де", (Span(0, 5, "PER"),), (Quote("direct", (Span(3, 8, "DIRECT"),)),))),
    "nested": (inline, Article("a", "аб вг", (Span(0, 5, "PER"), Span(0, 2, "LOC")))),
    "small label": (inline, Article("a", "аб", (Span(0, 2, "per"),))),
    "space": (inline, Article("a", "аб вг", (Span(0, 3, "PER"),))),
    "no content": (inline, Article("a", "аб", quotes=(Quote("direct", ()),))),
    "quote label": (brat, Article("a", "аб", (Span(0, 2, "CUE"),))),
    "spaced label": (brat, Article("a", "аб", (Span(0, 2, "P R"),))),
    "out of range": (brat, Article("a", "аб", (Span(0, 3, "PER"),))),
    "reversed": (brat, Article("a", "аб", (Span(2, 1, "PER"),))),
    "kind": (brat, Article("a", "аб", quotes=(Quote("spoken", (Span(0, 2, "SPOKEN"),)),))),
    "nothing said": (brat, Article("a", "аб", quotes=(Quote("direct", ()),))),
    "name in lines": (brat, Article("a", "аб", quotes=(Quote("direct", (Span(0, 2, "DIRECT"),), name="а\nб"),))),
    "surrogate": (brat, Article("a", "а\ud800")),
}


@pytest.mark.parametrize("name", UNWRITABLE)
def test_what_a_format_cannot_hold_is_refused(tmp_path, name):
    module, article = UNWRITABLE[name]
    with pytest.raises(UserError):
        module.write([article], tmp_path)


@pytest.mark.parametrize("name", ["factrueval", "text", "xml"])
def test_a_format_that_cannot_be_written_says_so(tmp_path, name):
    with pytest.raises(UserError):
        formats.write([], tmp_path / "a", name)


# brat by hand


def write_pair(folder: Path, ann: str, body: str = TEXT) -> Path:
    (folder / "a.txt").write_bytes(body.encode())
    (folder / "a.ann").write_bytes(ann.encode())
    return folder / "a.ann"


def test_brat_reads_what_others_write(tmp_path):
    ann = (
        "\ufeffT1\tPER 0 6\tИванов\r\nT2\tDIRECT 15 19\t«Да»\r\nT3\tCUE 7 13\tсказал\r\n"
        "T4\tDIRECT 45 50\t«Нет»\nT5\tPER 21 27\tПетров\nR1\tCue Arg1:T4 Arg2:T3\n"
        "R2\tContinuation Arg1:T2 Arg2:T4\nR3\tALIAS Arg1:T1 Arg2:T5\t\n"
        "E1\tMeet:T1\nR4\tTHEME Arg1:E1 Arg2:T5\nA1\tNegated E1\nN1\tReference T1 W:Q1\tИ\n"
        "*\tEquiv T1 T5\n#1\tAnnotatorNotes T4\tname: Пётр Иванов\n#2\tAnnotatorNotes T1\tname?\n\n"
    )
    [article] = brat.read(write_pair(tmp_path, ann))
    assert article.entities == (Span(0, 6, "PER"), Span(21, 27, "PER"))
    content = (Span(15, 19, "DIRECT"), Span(45, 50, "DIRECT"))
    assert article.quotes == (Quote("direct", content, Span(7, 13, CUE), None, "Пётр Иванов"),)
    assert article.meta == {}


def test_brat_joins_pieces_that_a_line_end_parts(tmp_path):
    [article] = brat.read(write_pair(tmp_path, "T1\tORG 0 6;7 20\tИванов сказал: «Да».\nT2\tDIRECT 15 20;21 27\t«Да». Петров\n"))
    assert article.entities == (Span(0, 20, "ORG"),)
    assert article.quotes[0].content == (Span(15, 27, "DIRECT"),)


def test_brat_lists_what_it_could_not_take(tmp_path):
    [article] = brat.read(write_pair(tmp_path, "T1\tEVENT 21 27;0 6\tПетров Иванов\nпо словам\n"))
    assert article.entities == ()
    assert article.meta["left_out"].split("\n") == [
        "a.ann:2: no annotation: 'по словам'",
        "a.ann:1: T1: EVENT in pieces: 'Иванов Петров'",
    ]


SAID = "T1\tDIRECT 15 19\t«Да»\nT2\tCUE 7 13\tсказал\nT3\tSPEAKER 0 6\tИванов\nT4\tPER 0 6\tИванов\nT5\tINDIRECT 21 27\tПетров\n"
TIED = SAID + "R1\tCue Arg1:T1 Arg2:T2\nR2\tSpeaker Arg1:T1 Arg2:T3\n"
BROKEN_BRAT = {
    "no tab": ("T1 PER 0 6 Иванов\n", 1, "expected an id such as T1"),
    "unknown id": ("X1\tPER 0 6\tИванов\n", 1, "expected an id such as T1"),
    "cut short": ("T1\tPER 0\n", 1, "expected LABEL START END"),
    "only an id": ("T1", 1, "expected an id"),
    "no label": ("T1\t0 6\tИванов\n", 1, "expected LABEL START END"),
    "no text": ("T1\tPER 0 6\n", 1, "expected LABEL START END"),
    "words for offsets": ("T1\tPER a b\tИванов\n", 1, "expected LABEL START END"),
    "negative": ("T1\tPER -1 6\tИванов\n", 1, "expected LABEL START END"),
    "fraction": ("T1\tPER 0.0 6.0\tИванов\n", 1, "expected LABEL START END"),
    "other digits": ("T1\tPER ٠ ٦\tИванов\n", 1, "expected LABEL START END"),
    "half a piece": ("T1\tPER 0 6;\tИванов\n", 1, "expected LABEL START END"),
    "commas": ("T1\tPER 0 6,21 27\tИванов Петров\n", 1, "expected LABEL START END"),
    "reversed": ("T1\tPER 6 0\tИванов\n", 1, "expected START before END"),
    "empty": ("T1\tPER 6 6\t\n", 1, "expected START before END"),
    "beyond": ("T1\tPER 0 60000\tИванов\n", 1, "expected START before END"),
    "far beyond": (f"T1\tPER 0 {'9' * 5000}\tИванов\n", 1, "expected START before END"),
    "shifted": ("\nT1\tPER 1 7\tИванов\n", 2, "the text has 'ванов '"),
    "other text": ("T1\tPER 0 6\tПетров\n", 1, "the text has 'Иванов'"),
    "overlapping pieces": ("T1\tPER 0 6;5 9\tИванов в ск\n", 1, "overlap"),
    "id twice": ("T1\tPER 0 6\tИванов\nT1\tPER 21 27\tПетров\n", 2, "already taken at a.ann:1"),
    "orphan cue": ("T1\tCUE 7 13\tсказал\n", 1, "belongs to no quotation"),
    "orphan speaker": (TIED + "T9\tSPEAKER 21 27\tПетров\n", 8, "belongs to no quotation"),
    "cue in pieces": ("T1\tCUE 0 6;21 27\tИванов Петров\n", 1, "in 2 pieces"),
    "unknown cue": (SAID + "R1\tCue Arg1:T1 Arg2:T9\n", 6, "T9 is not in this file"),
    "unknown content": (SAID + "R1\tCue Arg1:T9 Arg2:T2\n", 6, "T9 is not in this file"),
    "unknown entity": (TIED + "R3\tALIAS Arg1:T4 Arg2:T9\n", 8, "T9 is not in this file"),
    "unknown note": (TIED + "#1\tAnnotatorNotes T9\tname: Иванов\n", 8, "T9 is not in this file"),
    "turned round": (SAID + "R1\tCue Arg1:T2 Arg2:T1\n", 6, "expected Arg1 a content"),
    "cue of an entity": (SAID + "R1\tCue Arg1:T4 Arg2:T2\n", 6, "expected Arg1 a content"),
    "speaker for cue": (SAID + "R1\tCue Arg1:T1 Arg2:T3\n", 6, "and Arg2 a CUE"),
    "two cues": (TIED + "T9\tCUE 31 38\tдобавил\nR3\tCue Arg1:T1 Arg2:T9\n", 9, "already has a CUE"),
    "no arguments": (TIED + "R3\tCue T1 T2\n", 8, "expected NAME Arg1:T1 Arg2:T2"),
    "one argument": (TIED + "R3\tCue Arg1:T1\n", 8, "expected NAME Arg1:T1 Arg2:T2"),
    "bare note": (TIED + "#1\tAnnotatorNotes\n", 8, "expected AnnotatorNotes T1"),
    "two names": (TIED + "#1\tAnnotatorNotes T1\tname: А\n#2\tAnnotatorNotes T1\tname: Б\n", 9, "already has a name"),
    "kinds differ": (TIED + "R3\tContinuation Arg1:T1 Arg2:T5\n", 8, "expected one kind"),
    "continues an entity": (TIED + "R3\tContinuation Arg1:T1 Arg2:T4\n", 8, "expected two contents"),
    "circle": (TIED + "R3\tContinuation Arg1:T1 Arg2:T1\n", 8, "in a circle"),
    "two heads": (
        TIED + "T8\tINDIRECT 0 6\tИванов\nT9\tINDIRECT 45 50\t«Нет»\nR3\tContinuation Arg1:T5 Arg2:T9\nR4\tContinuation Arg1:T8 Arg2:T9\n",
        11,
        "already continues another",
    ),
    "names along a chain": (
        TIED + "T9\tINDIRECT 45 50\t«Нет»\nR3\tContinuation Arg1:T5 Arg2:T9\n"
        "#1\tAnnotatorNotes T5\tname: А\n#2\tAnnotatorNotes T9\tname: Б\n",
        11,
        "for one quotation",
    ),
}


@pytest.mark.parametrize("name", BROKEN_BRAT)
def test_brat_refuses_with_the_line(tmp_path, name):
    ann, line, expected = BROKEN_BRAT[name]
    message = refusal(write_pair(tmp_path, ann))
    assert message.startswith(f"{tmp_path / 'a.ann'}:{line}: ") and expected in message


def test_brat_wants_both_files(tmp_path):
    (tmp_path / "a.ann").write_text("")
    assert "a.txt: missing" in refusal(tmp_path)
    (tmp_path / "a.ann").rename(tmp_path / "b.txt")
    assert "b.ann: missing" in refusal(tmp_path / "b.txt", "brat")
    assert "no .ann file" in refusal(tmp_path, "brat")
    write_pair(tmp_path, "")
    assert "b.txt: has no b.ann" in refusal(tmp_path)


def test_brat_wants_utf8(tmp_path):
    write_pair(tmp_path, TIED)
    (tmp_path / "a.ann").write_bytes(b"T1\tPER 0 6\t" + "Иванов".encode("cp1251"))
    assert "a.ann:1: text: byte 11 is not UTF-8" in refusal(tmp_path)


# inline by hand

BROKEN_INLINE = {
    "never closed": ("<PER>Иванов", "<PER> is never closed"),
    "never opened": ("Иванов</PER>", "expected no closing tag"),
    "out of order": ("<q><PER>Иванов</q></PER>", "expected </PER>"),
    "entity in entity": ("<ORG><LOC>Омск</LOC></ORG>", "<LOC> inside <ORG>"),
    "cue in content": ("<q>да <cue>сказал</cue></q>", "<cue> inside <q>"),
    "empty": ("<PER></PER>", "is empty"),
    "space": ("<PER>Иванов </PER>", "starts or ends with a space"),
    "stray": ("1 < 2", "a stray '<'"),
    "other tag": ("<b>да</b>", "a stray '<'"),
    "self closed": ("<PER/>", "a stray '<'"),
    "attribute": ('<PER x="1">да</PER>', "an entity has a label only"),
    "closing attribute": ("<PER>да</PER 1>", "expected </PER>"),
    "kind": ("<q 1 spoken>да</q>", "expected <q 1 direct> (or indirect, mixed)"),
    "two kinds": ("<q 1 direct>да</q> <q 1 mixed>да</q>", "keep one kind"),
    "huge number": (f"<q {'9' * 5000}>да</q>", "expected <q 1 direct>"),
    "no such number": ("<q 1>да</q> <cue 2>сказал</cue>", "but no <q 2>"),
    "no neighbour": ("<cue>сказал</cue>", "no <q> for it"),
    "only numbered": ("<q 1>да</q> <cue>сказал</cue>", "no <q> for it"),
    "two cues": ("<q 1>да</q> <cue 1>сказал</cue> <cue 1>и добавил</cue>", "a second <cue>"),
    "two names": ('<q 1>да</q><name 1="А"/> <src 1 name="Б">он</src>', "keep one"),
    "named cue": ('<q 1>да</q> <cue 1 name="А">сказал</cue>', "name the speaker"),
    "bad name": ("<q 1>да</q><name 1=А/>", 'expected <name 1="…"/>'),
}


@pytest.mark.parametrize("name", BROKEN_INLINE)
def test_inline_refuses_with_the_line(tmp_path, name):
    body, expected = BROKEN_INLINE[name]
    with pytest.raises(UserError, match=r"^inline:2: markup: "):
        inline.parse(f"Первая строка\n{body}")
    (tmp_path / "a.txt").write_text(f"# id: a\n# title: б\n\nПервая строка\n{body}", encoding="utf-8")
    message = refusal(tmp_path)
    assert message.startswith(f"{tmp_path / 'a.txt'}:5: markup: ") and expected in message


@pytest.mark.parametrize("head", ["", "# id: a\n", "# id: a\n# title: б\nТекст", "# id: \n\nТекст", "# id: a\n# id: b\n\nТекст"])
def test_inline_wants_its_header(tmp_path, head):
    (tmp_path / "a.txt").write_text(head, encoding="utf-8")
    assert str(tmp_path / "a.txt") in refusal(tmp_path, "inline")


# JSON Lines by hand

SPAN = '{"start": 0, "end": 2}'
BROKEN_JSONL = {
    "not JSON": ("{", "not valid JSON"),
    "cut short": ('{"text": "Да', "not valid JSON (Unterminated string starting at, character 10)"),
    "a list": ("[]", "found a list"),
    "a number": ("1", "found a number"),
    "no text": ("{}", "text: found nothing"),
    "null text": ('{"text": null}', "text: found nothing"),
    "number for text": ('{"text": 1}', "text: found a number"),
    "a fraction for id": ('{"id": 1.5, "text": "Да"}', "id: found a number"),
    "true for id": ('{"id": true, "text": "Да"}', "id: found true"),
    "key twice": ('{"text": "Да", "text": "Нет"}', "'text' comes twice"),
    "inner key twice": ('{"text": "Да", "entities": [{"start": 0, "start": 1}]}', "'start' comes twice"),
    "a field of its own": ('{"text": "Да", "title": "Нет"}', "title: unknown field; expected id, text, entities, quotes, meta; move it"),
    "misspelt": ('{"text": "Да", "entitis": []}', "did you mean 'entities'?"),
    "NaN": ('{"text": "Да", "entities": [{"start": 0, "end": 2, "label": "PER", "score": NaN}]}', "NaN"),
    "infinity": ('{"text": "Да", "entities": [{"start": 0, "end": 2, "label": "PER", "score": 1e999}]}', "score"),
    "a score above 1": (
        '{"text": "Да", "entities": [{"start": 0, "end": 2, "label": "PER", "score": 7}]}',
        "score: found 7, expected a number from 0 to 1",
    ),
    "a word for a score": (
        '{"text": "Да", "quotes": [{"kind": "direct", "content": [{"start": 0, "end": 2}], "name_score": "да"}]}',
        "name_score: found 'да', expected a number",
    ),
    "deep": ('{"text": ' + "[" * 100_000, "nested too deeply"),
    "deep objects": ('{"a": ' * 100_000, "nested too deeply"),
    "many digits": ('{"text": "Да", "entities": [{"start": ' + "1" * 5000 + "}]}", "not valid JSON"),
    "string offset": ('{"text": "Да", "entities": [{"start": "0", "end": 2, "label": "PER"}]}', "entities[0].start"),
    "true offset": ('{"text": "Да", "entities": [{"start": true, "end": 2, "label": "PER"}]}', "entities[0].start"),
    "fraction": ('{"text": "Да", "entities": [{"start": 0.0, "end": 2, "label": "PER"}]}', "entities[0].start"),
    "no end": ('{"text": "Да", "entities": [{"start": 0, "label": "PER"}]}', "entities[0].end"),
    "no label": (f'{{"text": "Да", "entities": [{SPAN}]}}', "entities[0].label"),
    "span of numbers": ('{"text": "Да", "entities": [[0, 2, "PER"]]}', "entities[0]: found a list"),
    "entities object": ('{"text": "Да", "entities": {}}', "entities: found an object"),
    "kind": (f'{{"text": "Да", "quotes": [{{"kind": "said", "content": [{SPAN}]}}]}}', "quotes[0].kind"),
    "list for kind": (f'{{"text": "Да", "quotes": [{{"kind": [], "content": [{SPAN}]}}]}}', "quotes[0].kind"),
    "no content": ('{"text": "Да", "quotes": [{"kind": "direct", "content": []}]}', "quotes[0].content: empty"),
    "cue": (f'{{"text": "Да", "quotes": [{{"kind": "direct", "content": [{SPAN}], "cue": 3}}]}}', "quotes[0].cue"),
    "name": (f'{{"text": "Да", "quotes": [{{"kind": "direct", "content": [{SPAN}], "name": 3}}]}}', "quotes[0].name"),
    "meta": ('{"text": "Да", "meta": {"a": 1}}', "meta: found"),
    "list for meta": ('{"text": "Да", "meta": [1]}', "meta: found"),
}


@pytest.mark.parametrize("name", BROKEN_JSONL)
def test_jsonl_refuses_with_the_line(tmp_path, name):
    line, expected = BROKEN_JSONL[name]
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"text": "Да\u0085нет\u2028"}}\n\n{line}\n', encoding="utf-8")
    message = refusal(path)
    assert message.startswith(f"{path}:3: ") and expected in message


def test_jsonl_wants_utf8(tmp_path):
    (tmp_path / "a.jsonl").write_bytes('{"text": "Да"}'.encode("utf-16"))
    assert "not UTF-8" in refusal(tmp_path / "a.jsonl")


# factRuEval by hand

FACT_SPANS = "1 name 0 5 10 1  # 10 Борис\n2 surname 6 6 11 1  # 11 Громов\n3 org_name 16 7 13 1  # 13 Росстат\n"
FACT_OBJECTS = "7 Person 1 2 # Борис Громов\n8 Org 3 # Росстат\n9 Project 3 # Росстат\n"
FACT_TEXT = "Борис Громов из Росстат"


def write_facts(folder: Path, spans: str = FACT_SPANS, objects: str = FACT_OBJECTS) -> Path:
    for suffix, content in ((".txt", FACT_TEXT), (".spans", spans), (".objects", objects)):
        (folder / f"book_1{suffix}").write_text(content, encoding="utf-8")
    return folder


def test_factrueval_takes_whole_people_and_names(tmp_path):
    [article] = formats.read(write_facts(tmp_path))
    assert article.entities == (Span(0, 12, "PER"), Span(16, 23, "ORG"))
    assert not article.annotated("quotes") and article.annotated("entities")
    assert article.meta["left_out"] == "book_1.objects:3: Project without a name of its own"


BROKEN_FACTS = {
    "cut short": ("1 name 0 5\n", FACT_OBJECTS, ".spans:1: span: found"),
    "words for offsets": ("1 name a b 10 1 # 10 Борис\n", FACT_OBJECTS, ".spans:1: span: found"),
    "negative": ("1 name -1 5 10 1 # 10 Борис\n", FACT_OBJECTS, ".spans:1: span: found"),
    "many digits": (f"1 name {'9' * 5000} 5 10 1 # 10 Борис\n", FACT_OBJECTS, ".spans:1: span: found"),
    "beyond": ("1 name 0 500 10 1 # 10 Борис\n", FACT_OBJECTS, ".spans:1: span 1: found 500 characters"),
    "empty": ("1 name 0 0 10 1 # 10 Борис\n", FACT_OBJECTS, ".spans:1: span 1: found 0 characters"),
    "shifted": ("1 name 1 5 10 1 # 10 Борис\n", FACT_OBJECTS, "the text has 'орис '"),
    "no tokens": ("1 name 0 5 10 1\n", FACT_OBJECTS, "the text has 'Борис'"),
    "id twice": (FACT_SPANS + "1 surname 6 6 11 1 # 11 Громов\n", FACT_OBJECTS, ".spans:4: span 1: this id already"),
    "unknown span": (FACT_SPANS, "\n7 Person 1 5 # Борис\n", ".objects:2: object 7: span '5'"),
    "word for span": (FACT_SPANS, "7 Person 1 Борис\n", ".objects:1: object 7: span 'Борис'"),
    "no span": (FACT_SPANS, "7 Person # Борис\n", ".objects:1: object: found"),
}


@pytest.mark.parametrize("name", BROKEN_FACTS)
def test_factrueval_refuses_with_the_line(tmp_path, name):
    spans, objects, expected = BROKEN_FACTS[name]
    message = refusal(write_facts(tmp_path, spans, objects))
    assert message.startswith(str(tmp_path / "book_1")) and expected in message


@pytest.mark.parametrize("suffix", [".txt", ".spans", ".objects"])
def test_factrueval_wants_its_files(tmp_path, suffix):
    (write_facts(tmp_path) / f"book_1{suffix}").unlink()
    assert suffix in refusal(tmp_path, "factrueval")


# Any damage: a UserError of one line, or an article

DOCCANO = {
    "id": 3,
    "text": TEXT,
    "entities": [
        {"id": 1, "label": "SPEAKER", "start_offset": 0, "end_offset": 6},
        {"id": 2, "label": "DIRECT", "start_offset": 15, "end_offset": 19},
        {"id": 3, "label": "PER", "start_offset": 21, "end_offset": 27},
    ],
    "relations": [{"id": 1, "from_id": 2, "to_id": 1, "type": "Speaker"}],
    "Comments": [],
}
PRODIGY = {
    "text": TEXT,
    "tokens": [{"text": "Иванов", "start": 0, "end": 6, "id": 0}, {"text": "сказал", "start": 7, "end": 13, "id": 1}],
    "spans": [
        {"start": 7, "end": 13, "token_start": 1, "token_end": 1, "label": "CUE"},
        {"start": 15, "end": 19, "token_start": 3, "token_end": 5, "label": "DIRECT"},
    ],
    "relations": [{"head": 4, "child": 1, "label": "Cue"}],
    "answer": "accept",
    "_input_hash": 12,
}
DAMAGED = ("jsonl", "doccano", "prodigy", "brat", "inline", "factrueval", "text", "conll", "labelstudio")


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_read_or_refused(tmp_path, name):
    rng, taken, refused = Random(8), 0, 0
    module = name if name in formats.FORMATS else "jsonl"
    if name in ("doccano", "prodigy"):
        row = json.dumps(DOCCANO if name == "doccano" else PRODIGY, ensure_ascii=False)
        (tmp_path / "a.jsonl").write_text(f"{row}\n{row}\n", encoding="utf-8")
    elif name in ("factrueval", "text"):
        write_facts(tmp_path)
    else:
        several = articles(2, exotic=False)
        single = {"jsonl": "a.jsonl", "conll": "a.conll", "labelstudio": "a.json"}
        formats.write(several, tmp_path / single.get(name, ""), name)
    files = {path: path.read_bytes() for path in sorted(tmp_path.iterdir()) if name != "text" or path.suffix == ".txt"}
    files = {path: data for path, data in files.items() if data and path.suffix != ".conf"}
    reported: list[UserError] = []
    for path, data in files.items():
        for number, mutant in enumerate(mutants(data, rng, 2000 // len(files))):
            path.write_bytes(mutant)
            options = Options(report=reported.append) if number % 3 == 0 else DEFAULTS
            if survives(lambda options=options: formats.read(tmp_path, module, options)):
                taken += 1
            else:
                refused += 1
        path.write_bytes(data)
    assert refused > 200 and taken > 200, (taken, refused)
    assert all("\n" not in str(error) for error in reported)


@pytest.mark.parametrize("kind", ["brat", "factrueval"])
def test_files_may_be_missing(tmp_path, kind):
    if kind == "brat":
        formats.write(articles(3), tmp_path, "brat")
    else:
        write_facts(tmp_path)
    for path in sorted(tmp_path.iterdir()):
        data = path.read_bytes()
        path.unlink()
        taken = survives(lambda: formats.read(tmp_path, kind))
        assert taken == (path.name == "annotation.conf")
        path.write_bytes(data)


# Offsets that count something else


def counted(text: str, offset: int, unit: str) -> int:
    before = text[:offset]
    if unit == "crlf":
        return offset - before.count("\r\n")
    return len(before.encode("utf-16-le" if unit == "utf16" else "utf-8")) // (2 if unit == "utf16" else 1)


def exported(article: Article, unit: str, folder: Path, name: str) -> Path:
    """Write `article` as a program does whose offsets count `unit`, or that leaves out a byte order mark."""
    text = article.text

    def at(offset: int) -> int:
        return offset - 1 if unit == "bom" else counted(text, offset, unit)

    folder.mkdir()
    path = folder / {"brat": "", "labelstudio": "a.json", "jsonl": "a.jsonl"}[name]
    formats.write([article], path, name)
    if name == "brat":
        path = folder / f"{article.id}.ann"

        def place(found: re.Match[str]) -> str:
            return found[1] + re.sub(r"\d+", lambda number: str(at(int(number[0]))), found[2]) + "\t"

        body = re.sub(r"(?m)^(T\d+\t\S+ )([\d ;]+)\t", place, path.read_bytes().decode())
    else:
        body = re.sub(r'("(?:start|end)": )(\d+)', lambda found: found[1] + str(at(int(found[2]))), path.read_bytes().decode())
    path.write_bytes(body.encode())
    return path


def moved(article: Article, text: str, at: Callable[[int], int]) -> Article:
    """The same annotation on another text, where the offset `n` is `at(n)`."""

    def span(one: Span | None) -> Span | None:
        return one and replace(one, start=at(one.start), end=at(one.end))

    quotes = [replace(q, content=tuple(map(span, q.content)), cue=span(q.cue), speaker=span(q.speaker)) for q in article.quotes]
    return replace(article, text=text, entities=tuple(map(span, article.entities)), quotes=tuple(quotes))


def with_crlf(article: Article) -> Article:
    return moved(article, article.text.replace("\n", "\r\n"), lambda offset: offset + article.text[:offset].count("\n"))


def with_mark(article: Article) -> Article:
    return moved(article, "\ufeff" + article.text, lambda offset: offset + 1)


@pytest.mark.parametrize("name", ["brat", "labelstudio", "jsonl"])
@pytest.mark.parametrize("unit", ["utf16", "bytes", "crlf", "bom"])
def test_offsets_that_count_something_else_are_converted_or_refused(tmp_path, name, unit):
    rng, told, shifted = Random(9), 0, 0
    found = [article for i in range(400) if "\r" not in (article := random_article(rng, f"a-{i}", crossing=True)).text][:100]
    assert len(found) == 100
    if unit in ("crlf", "bom"):
        found = [with_crlf(article) if unit == "crlf" else with_mark(article) for article in found]
    for article in found:
        expected = replace(article, meta={}) if name == "brat" else article
        path = exported(article, unit, tmp_path / article.id, name)
        if unit != "bom":
            assert list(formats.read(path, name, Options(offsets=unit))) == [expected]
        try:
            [taken] = formats.read(path, name)
        except UserError as error:
            told += "byte order mark" in str(error) if unit == "bom" else f"offsets={unit}" in str(error)
        else:
            # JSON Lines have no words beside their offsets: what neither splits a word nor leaves the text can only be linted.
            shifted += taken != expected and not (name == "jsonl" and unit != "bytes")
    assert shifted == 0
    assert told > (60 if unit in ("bytes", "bom") else 20), told


@pytest.mark.parametrize("name", ["jsonl", "conll", "labelstudio"])
def test_line_ends_and_a_byte_order_mark_change_nothing(tmp_path, name):
    written = articles(100)
    path = tmp_path / {"jsonl": "a.jsonl", "conll": "a.conll", "labelstudio": "a.json"}[name]
    formats.write(written, path, name)
    data = path.read_bytes()
    for damaged in (data.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + data, data.rstrip(b"\n")):
        path.write_bytes(damaged)
        assert list(formats.read(path)) == written


def test_the_corpus_has_names_of_its_own(tmp_path):
    names = {"direct": "Прямая", "cue": "Глагол", "to_cue": "глагол", "continuation": "дальше", "name": "кто"}
    written = [replace(article, meta={}) for article in articles(100)]
    formats.write(written, tmp_path, "brat", Options(names=names))
    assert list(formats.read(tmp_path, options=Options(names=names))) == written
    assert "Прямая" in (tmp_path / "annotation.conf").read_text(encoding="utf-8")
    assert not any(
        quote.kind == "direct" for article in formats.read(tmp_path, options=Options(report=lambda _: None)) for quote in article.quotes
    )


def test_brat_names_a_speaker_s_quotations(tmp_path):
    [article] = brat.read(write_pair(tmp_path, TIED + "#1\tAnnotatorNotes T3\tname: Пётр Иванов\n"))
    assert [quote.name for quote in article.quotes] == ["Пётр Иванов", None]


def test_what_is_broken_is_reported_and_the_rest_is_read(tmp_path):
    problems: list[UserError] = []
    broken = TIED.replace("T1\tDIRECT 15 19", "T1\tDIRECT 16 20") + "T4\tPER 0 6\tИванов\nT9\tLOC 21 27\tПетров\n"
    [article] = brat.read(write_pair(tmp_path, broken), Options(report=problems.append))
    assert article.entities == (Span(0, 6, "PER"), Span(21, 27, "LOC"))
    assert [quote.kind for quote in article.quotes] == ["indirect"]
    assert [str(problem).partition(": ")[0].rpartition(":")[2] for problem in problems] == ["1", "8"]
    row = json.dumps({"text": TEXT, "entities": [{"start": 0, "end": 6}, {"start": 0, "end": 6, "label": "PER"}], "quotes": [{}]})
    (tmp_path / "b.jsonl").write_text(f"{row}\n{{\n{row}\n")
    found = list(formats.read(tmp_path / "b.jsonl", options=Options(report=problems.append)))
    assert [article.entities for article in found] == [(Span(0, 6, "PER"),)] * 2 and len(problems) == 2 + 5


@pytest.mark.parametrize("name", formats.FORMATS)
def test_what_is_missing_is_said(tmp_path, name):
    assert "no such file or folder" in refusal(tmp_path / "missing", name)


@pytest.mark.parametrize("name", ["brat", "factrueval", "inline", "text", None])
def test_an_empty_folder_is_refused(tmp_path, name):
    assert str(tmp_path) in refusal(tmp_path, name)


def test_a_format_is_told_by_what_lies_there(tmp_path):
    assert formats.detect(ROOT / "seeds") == "brat"
    assert formats.detect(ROOT / "data/newsroom") == "jsonl"
    assert formats.detect(write_facts(tmp_path)) == "factrueval"
    (tmp_path / "b.ann").write_text("")
    assert "side by side" in refusal(tmp_path)
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    (mixed / "a.jsonl").write_text("")
    (mixed / "b.txt").write_text("Никем не прочитанное")
    assert "files of jsonl (a.jsonl) and text (b.txt) side by side" in refusal(mixed)
    for suffix, body, name in (
        (".conll", "", "conll"),
        (".iob", "", "conll"),
        (".bio", "", "conll"),
        (".json", '\ufeff\n [{"data": 1}]', "labelstudio"),
        (".json", '{"text": "Да"}\n', "jsonl"),
    ):
        folder = tmp_path / f"{suffix}-{name}"
        folder.mkdir()
        (folder / f"a{suffix}").write_text(body, encoding="utf-8")
        assert formats.detect(folder) == formats.detect(folder / f"a{suffix}") == name
    assert [article.text for article in formats.read(tmp_path / ".json-jsonl")] == ["Да"]
    inline_texts = tmp_path / "inline"
    inline_texts.mkdir()
    (inline_texts / "b.txt").write_text("\ufeff# id: b\n\n<PER>Он</PER>", encoding="utf-8")
    assert [article.id for article in formats.read(inline_texts)] == ["b"]
    for name in ("a.txt", "c.txt"):  # before it, and after it
        (inline_texts / name).write_text("Он", encoding="utf-8")
        assert f"files of inline (b.txt) and text ({name}) side by side" in refusal(inline_texts)
        (inline_texts / name).unlink()
    assert "is not known" in refusal(tmp_path, "xml")
    (tmp_path / "a.md").write_text("Да")
    assert "cannot be told from .md; say with --from (in training data.sources.NAME.format) one of jsonl" in refusal(tmp_path / "a.md")


def test_hidden_files_are_passed_over(tmp_path):
    """macOS leaves `._a.txt` beside `a.txt` on foreign disks and in archives."""
    (tmp_path / "a.txt").write_text("Да", encoding="utf-8")
    for name in ("._a.txt", "._b.jsonl", ".a.ann"):
        (tmp_path / name).write_bytes(b"\x00\x05\x16\x07\xff")
    assert list(formats.read(tmp_path)) == [Article("a", "Да")]
    (tmp_path / "a.ann").write_bytes(b"")
    assert list(formats.read(tmp_path)) == [Article("a", "Да")]


def test_a_link_to_nowhere_is_reported_and_the_rest_is_read(tmp_path):
    (tmp_path / "b.txt").write_text("Да", encoding="utf-8")
    (tmp_path / "a.txt").symlink_to("nowhere.txt")
    problems: list[UserError] = []
    assert list(formats.read(tmp_path, options=Options(report=problems.append))) == [Article("b", "Да")]
    assert [str(problem).partition(": ")[0] for problem in problems] == [str(tmp_path / "a.txt")]


NAMELESS = {  # articles without an id, by the names of their files
    "text": {"1.txt": TEXT},
    "brat": {"1.txt": TEXT, "1.ann": "T1\tPER 0 6\tИванов\n"},
    "factrueval": {"1.txt": TEXT, "1.spans": "1 name 0 6 10 1  # 10 Иванов\n", "1.objects": "7 Person 1 # Иванов\n"},
    "jsonl": {"1.jsonl": json.dumps({"text": TEXT})},
    "conll": {"1.conll": "Иванов B-PER\n"},
    "labelstudio": {"1.json": json.dumps([{"data": {"text": TEXT}}])},
}


@pytest.mark.parametrize("name", NAMELESS)
def test_suffixes_are_read_in_any_case(tmp_path, name):
    for number, spelt in enumerate((str.lower, str.upper, str.title)):
        for file, body in NAMELESS[name].items():
            (tmp_path / f"{number}{spelt(file[1:])}").write_text(body, encoding="utf-8")
    last = sorted(tmp_path.glob("1.*"))[0]  # .ANN, .OBJECTS, or the only one
    assert formats.detect(tmp_path) == formats.detect(last) == name
    assert [article.id[0] for article in formats.read(tmp_path)] == ["0", "1", "2"]
    assert len(list(formats.read(last))) == 1


@pytest.mark.parametrize("name", NAMELESS)
def test_files_of_one_name_in_several_folders_are_told_apart(tmp_path, name):
    folders = [tmp_path / "2024/январь", tmp_path / "2024/февраль", tmp_path / "2025/январь"]
    for folder in folders:
        folder.mkdir(parents=True)
        for file, body in NAMELESS[name].items():
            (folder / file).write_text(body, encoding="utf-8")

    def ids(*paths: Path) -> list[str]:
        options = Options(ids=formats.told_apart(paths))
        return [article.id for path in paths for article in formats.read(path, name, options)]

    [alone] = ids(folders[0])
    assert alone in ("1", "1-1")
    assert ids(*folders[:2]) == [f"январь-{alone}", f"февраль-{alone}"]
    assert ids(*folders) == [f"2024-январь-{alone}", f"2024-февраль-{alone}", f"2025-январь-{alone}"]
    file = next(iter(NAMELESS[name])) if name != "factrueval" else "1.objects"
    assert ids(*(folder / file for folder in folders[:2])) == ids(*folders[:2])
    other = tmp_path / "other"
    folders[1].rename(other)
    for file in NAMELESS[name]:
        (other / file).rename(other / file.replace("1", "2", 1))
    assert ids(folders[0], other) == [alone, alone.replace("1", "2", 1)]


def test_what_can_be_written_is_what_has_a_writer():
    assert [name for name in formats.FORMATS if hasattr(import_module(f"govorit.formats.{name}"), "write")] == list(formats.WRITABLE)


def test_plain_text_keeps_its_line_ends(tmp_path):
    (tmp_path / "a.b.txt").write_bytes("Да\r\nнет\u0085".encode())
    assert list(formats.read(tmp_path)) == [Article("a.b", "Да\r\nнет\u0085")]


@pytest.mark.parametrize("name", ["formats.inline", "corpora.lint", "words"])
def test_the_examples_in_docstrings_hold(name):
    assert doctest.testmod(import_module(f"govorit.{name}")) == (0, ANY)


# What travels with the project


def test_the_seed_names_who_speaks():
    [seed] = formats.read(ROOT / "seeds")
    lint.check([seed])
    assert [(text(seed, quote.cue), text(seed, quote.speaker), quote.name) for quote in seed.quotes] == [
        ("сказал", "Н. Назарбаев", "Нурсултан Назарбаев"),
        ("отметил", "президент Казахстана", "Нурсултан Назарбаев"),
        ("добавил", "президент России", "Владимир Путин"),
    ]
    assert all(text(seed, quote.content[0])[:: len(text(seed, quote.content[0])) - 1] == "“”" for quote in seed.quotes)
    assert Counter(span.label for span in seed.entities) == {"LOC": 16, "PER": 6, "ORG": 4}


def test_the_newsroom_is_sound():
    splits = {name: list(formats.read(ROOT / f"data/newsroom/{name}.jsonl")) for name in ("train", "dev", "test")}
    assert {name: len(split) for name, split in splits.items()} == {"train": 128, "dev": 24, "test": 24}
    everything = [article for split in splits.values() for article in split]
    lint.check(everything)
    assert all(encode(a.layer(layer), words(a.text))[1] == [] for a in everything for layer in ("entities", "quotes"))
    assert len({"".join(article.text.split()) for article in everything}) == len(everything)


def test_the_newsroom_is_built_from_inline_markup(tmp_path):
    splits = sorted((ROOT / "data/newsroom").glob("*.jsonl"))
    inline.write([article for path in splits for article in formats.read(path)], tmp_path / "src")
    program = [sys.executable, ROOT / "scripts/build_newsroom.py", tmp_path / "src", tmp_path / "dst"]
    subprocess.run(program, check=True, env={**os.environ, "PYTHONPATH": str(ROOT / "train")})
    assert all((tmp_path / "dst" / path.name).read_bytes() == path.read_bytes() for path in splits)


def test_the_newsroom_survives_every_format(tmp_path):
    dev = list(formats.read(ROOT / "data/newsroom/dev.jsonl"))
    formats.write(dev, tmp_path / "inline", "inline")
    formats.write(dev, tmp_path / "brat", "brat")
    assert list(formats.read(tmp_path / "inline")) == dev
    assert list(formats.read(tmp_path / "brat")) == [replace(article, meta={}) for article in dev]


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the public corpora are not here")
def test_factrueval_has_the_published_totals():
    devset = list(factrueval.read(CORPORA / "factrueval-2016/devset"))
    lint.check(devset)
    assert len(devset) == 121
    assert Counter(span.label for article in devset for span in article.entities) == {
        "LOC": 998,
        "PER": 724,
        "ORG": 605,
    }


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the public corpora are not here")
@pytest.mark.parametrize(("split", "count", "taken", "left_out"), [("train", 744, 44_601, 127), ("dev", 94, 5_583, 7)])
def test_nerel_totals_add_up(split, count, taken, left_out):
    found = list(formats.read(CORPORA / "nerel-v1.1" / split))
    assert len(found) == count
    assert sum(len(article.entities) for article in found) == taken
    notes = [line for article in found for line in article.meta.get("left_out", "").split("\n") if line]
    assert len(notes) == left_out
    lines = sum(line[:1] == b"T" for ann in (CORPORA / "nerel-v1.1" / split).glob("*.ann") for line in ann.open("rb"))
    assert taken + sum(" in pieces: " in line for line in notes) == lines


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the public corpora are not here")
def test_the_shipped_quotations_belong_to_the_corpora():
    folders = {
        "factrueval-devset": "factrueval-2016/devset",
        "nerel-train": "nerel-v1.1/train",
        "nerel-dev": "nerel-v1.1/dev",
    }
    for name, folder in folders.items():
        for line in (ROOT / f"data/quotes/{name}.jsonl").read_text(encoding="utf-8").split("\n")[:-1]:
            row = json.loads(line)
            body = formats.read_text(CORPORA / folder / f"{row['id']}.txt")
            assert len(body) == row["chars"]
            lint.check([Article(row["id"], body, quotes=jsonl.quotes(row["quotes"], name))])
