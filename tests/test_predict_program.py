"""scripts/predict.py and scripts/evaluate.py as a user runs them, on a model trained for a moment."""

import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import tiny

from govorit import formats
from govorit.article import Article, Span
from govorit.cli import evaluate, predict
from govorit.evaluation import metrics
from govorit.extractor import Extractor
from govorit.formats import brat, jsonl

ROOT = Path(__file__).parents[1]
SEED = ROOT / "seeds/almaty-2017.txt"


@pytest.fixture
def run(tiny_run) -> Path:
    return tiny_run


def test_what_is_written_is_what_the_extractor_finds(run, program, tmp_path):
    gold = tiny.articles(5, first=40)
    jsonl.write(gold, tmp_path / "in.jsonl")
    status, out, _ = program(predict.main, tmp_path / "in.jsonl", "--model", run)
    found = list(jsonl.read_lines(out.encode().splitlines(keepends=True), "out"))
    assert status == 0 and [article.id for article in found] == [article.id for article in gold]
    expected = Extractor.load(run / "model")([article.text for article in gold])
    assert [(a.text, a.entities, a.quotes) for a in found] == [(a.text, a.entities, a.quotes) for a in expected]
    assert any(article.quotes for article in found), "the tiny model finds something, or this test says nothing"


def test_a_public_body_holds_its_place_or_does_not(program):
    for way, expected in (("inside", ["МИД РФ"]), ("apart", ["МИД", "РФ"])):
        status, out, _ = program(predict.main, "--places", way, stdin="Глава МИД РФ Сергей Лавров прилетел.".encode())
        article = json.loads(out)
        names = [article["text"][span["start"] : span["end"]] for span in article["entities"]]
        assert status == 0 and names == [*expected, "Сергей Лавров"]


def test_sources_of_every_kind(run, program, tmp_path):
    folder = tmp_path / "archive"
    folder.mkdir()
    for article in tiny.articles(3):
        (folder / f"{article.id}.txt").write_bytes(article.text.replace(". ", ".\r\n").encode())
    status, out, _ = program(predict.main, folder, SEED, "--model", run / "model")
    found = [json.loads(line) for line in out.split("\n") if line]
    assert status == 0 and [item["id"] for item in found] == ["n-000", "n-001", "n-002", "almaty-2017"]
    assert found[0]["text"].count("\r\n") > 0 and found[-1]["text"].encode() == SEED.read_bytes()
    _, out, _ = program(predict.main, "--model", run, stdin="Он сказал «Да».\nИ ушёл.".encode())
    assert json.loads(out)["text"] == "Он сказал «Да».\nИ ушёл."
    _, out, err = program(predict.main, "-", "--model", run, stdin='{"text": "Раз"}\n{"text": "", "id": "b"}\n'.encode())
    assert [json.loads(line)["id"] for line in out.split("\n") if line] == ["stdin-1"]  # what can be read in again
    assert err == "left out: 1 without text, the first stdin:2\n"


def test_what_lies_in_an_archive_and_is_not_read_is_said(run, program, tmp_path):
    for name in ("a.txt", "2023/b.txt", "2024/01/c.txt", "pictures/d.png", "e.DOCX", "README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("Иван Петров пришёл.\n")
    status, out, err = program(predict.main, tmp_path, "--model", run)
    assert status == 0 and [json.loads(line)["id"] for line in out.splitlines()] == ["a"]
    assert err.splitlines()[0] == (
        f"{tmp_path}: not read: 2 folders (2023, 2024) and 1 document (e.DOCX); name folders as well, save documents as text"
    )
    status, out, err = program(predict.main, tmp_path / "2023", tmp_path / "2024/01", tmp_path / "a.txt", "--model", run)
    assert status == 0 and len(out.splitlines()) == 3 and "not read" not in err


def test_text_and_html(run, program, tmp_path):
    article = tiny.articles(1)[0]
    (tmp_path / "a.txt").write_text(article.text)
    status, out, _ = program(predict.main, tmp_path / "a.txt", "--model", run, "--to", "text")
    assert status == 0 and "1. " in out and "«" in out
    status, out, _ = program(predict.main, tmp_path / "a.txt", "--model", run, "--to", "html", "--out", tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text()
    assert status == 0 and out == "" and "<script" not in page and "Content-Security-Policy" in page
    HTMLParser().feed(page)


def test_bad_input_is_told_by_line_and_what_came_before_is_written(run, program, tmp_path):
    lines = [jsonl.dump(article) for article in tiny.articles(3)]
    (tmp_path / "in.jsonl").write_text("\n".join([*lines, '{"text": 5}', lines[0]]) + "\n")
    status, out, err = program(predict.main, tmp_path / "in.jsonl", "--model", run)
    assert status == 2 and out.count("\n") == 3
    assert err.count("\n") == 1 and f"{tmp_path / 'in.jsonl'}:4: text:" in err
    (tmp_path / "bad.txt").write_bytes(b"ok\n\xff")
    status, out, err = program(predict.main, tmp_path / "bad.txt", "--model", run)
    assert (status, out) == (2, "") and "bad.txt:2:" in err
    (tmp_path / "half.jsonl").write_text('{"text": "\\ud800"}\n')
    assert program(predict.main, tmp_path / "half.jsonl", "--model", run)[0] == 2
    assert program(predict.main, tmp_path / "none.txt", "--model", run)[::2] == (2, f"{tmp_path / 'none.txt'}: no such file or folder\n")


def test_what_is_read_is_never_written_over(run, program, tmp_path):
    path = tmp_path / "in.jsonl"
    jsonl.write(tiny.articles(2), path)
    before = path.read_bytes()
    (tmp_path / "link.jsonl").symlink_to(path)
    for source, out in ((path, path), (path, tmp_path / "link.jsonl"), (tmp_path, path)):
        status, _, err = program(predict.main, source, "--model", run, "--out", out)
        assert status == 2 and err == f"--out: {out}: is among what is read; name another place\n" and path.read_bytes() == before


def test_a_file_is_there_whole_or_as_it_was(run, program, tmp_path):
    """Where anything is wrong, the model is not even loaded; from standard input, what was read is thrown away."""
    line = jsonl.dump(tiny.articles(1)[0])
    (tmp_path / "good.jsonl").write_text(f"{line}\n")
    (tmp_path / "bad.jsonl").write_text(f"{line}\n{{\n")
    out = tmp_path / "earlier.jsonl"
    out.write_text("вчерашнее")
    for source in ("missing.txt", "bad.jsonl"):
        status, _, err = program(predict.main, tmp_path / "good.jsonl", tmp_path / source, "--model", tmp_path / "none", "--out", out)
        assert status == 2 and source in err and err.count("\n") == 1
    status, _, err = program(predict.main, "--model", run, "--out", out, stdin=f"{line}\n{{\n".encode())
    assert status == 2 and "stdin:2: not valid JSON" in err and out.read_text() == "вчерашнее"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.jsonl", "earlier.jsonl", "good.jsonl"]
    link, new = tmp_path / "link.jsonl", tmp_path / "new/folder/found.jsonl"
    link.symlink_to(out)
    for place in (link, new):
        assert program(predict.main, tmp_path / "good.jsonl", "--model", run, "--out", place)[0] == 0
    assert link.is_symlink() and out.read_bytes() == new.read_bytes() and json.loads(out.read_text())["id"] == "n-000"


def test_a_device_is_written_to_and_stays(run, program, tmp_path):
    for device, expected in (("/dev/null", 0), ("/dev/full", 2)):
        status, _, err = program(predict.main, SEED, "--model", run, "--out", device)
        assert status == expected and err.count("\n") == (expected > 0) and Path(device).is_char_device()
    assert "No space left" in err


def test_a_model_that_is_none(program, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, _, err = program(predict.main, SEED, "--model", tmp_path)
    assert status == 2 and "not a govorit checkpoint" in err and err.count("\n") == 1
    monkeypatch.setattr("govorit.paths.newest_model", lambda: None)
    status, _, err = program(predict.main, SEED)
    assert status == 2 and "train one" in err and err.count("\n") == 1


def test_a_mistake_is_told_before_the_model(run, program, tmp_path, monkeypatch):
    monkeypatch.setattr("govorit.paths.newest_model", lambda: run)
    (tmp_path / "a.txt").write_text("Да.")
    for arguments, expected in (
        ([tmp_path, "--from", "jsonl"], "no .jsonl or .json file"),
        ([SEED, "--engine", "onnx"], "has no ONNX graph"),
    ):
        status, out, err = program(predict.main, *arguments)
        assert (status, out) == (2, "") and expected in err and err.count("\n") == 1
    assert program(predict.main, SEED)[2].startswith("model: ")


def test_evaluating_a_checkpoint_gives_the_scores_of_its_run(run, program, tmp_path):
    gold = run.parent / "corpus/test.jsonl"
    status, out, _ = program(evaluate.main, gold, "--model", run, "--resamples", "20", "--out", tmp_path / "report")
    reported, again = (json.loads((folder / "metrics.json").read_text()) for folder in (run, tmp_path / "report"))
    for key in ("scores", "attribution"):
        assert status == 0 and again[key]["gold"] == reported[key]["test"]
    assert "micro" in out and "IoU≥.8" in out and "said by the right name" in out
    status, by_file, _ = program(evaluate.main, gold, "--predictions", run / "predictions/test.jsonl", "--resamples", "20")
    assert status == 0 and by_file == out


def test_evaluating_against_gold_in_another_format(run, program, tmp_path):
    articles = list(formats.read(run.parent / "corpus/test.jsonl"))
    brat.write(articles, tmp_path / "brat")
    status, out, _ = program(evaluate.main, tmp_path / "brat", "--predictions", run / "predictions/test.jsonl", "--resamples", "0")
    assert status == 0
    micro = metrics.score(articles, list(formats.read(run / "predictions/test.jsonl")), ["entities"], resamples=0)["entities"].strict[
        "micro"
    ]
    assert f"{100 * round(micro.f1, 4):.2f}" in out


def test_a_checkpoint_trained_on_other_labels(run, program, tmp_path):
    jsonl.write([Article("a", "В ООН решили", (Span(2, 5, "ORG"),))], tmp_path / "gold.jsonl")
    status, out, err = program(evaluate.main, tmp_path / "gold.jsonl", "--model", run)
    assert (status, out) == (2, "") and "was not trained on 'ORG'" in err and err.count("\n") == 1
    assert program(evaluate.main, tmp_path / "gold.jsonl", "--model", run, "--labels", "ORG=LOC", "--resamples", "0")[0] == 0


def test_predictions_that_miss_an_article(run, program, tmp_path):
    jsonl.write([], tmp_path / "empty.jsonl")
    status, _, err = program(evaluate.main, run.parent / "corpus/test.jsonl", "--predictions", tmp_path / "empty.jsonl")
    assert status == 2 and "n-0" in err and err.count("\n") == 1


def test_as_a_process_with_a_reader_that_stops(run, tmp_path):
    """`predict.py … | head -1` ends quietly; imports of training or reports do not come along."""
    jsonl.write(tiny.articles(40), tmp_path / "in.jsonl")
    command = [sys.executable, ROOT / "scripts/predict.py", tmp_path / "in.jsonl", "--model", run]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as process:
        first = process.stdout.readline()
        process.stdout.close()
        error = process.stderr.read()
    assert json.loads(first)["id"] == "n-000" and error == b""
