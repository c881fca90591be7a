"""Round and round as annotators go: scripts/predict.py --to labelstudio or brat, corrections through convert, scripts/select.py."""

import json
import subprocess
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import tiny

from govorit import formats
from govorit.article import Article, Span
from govorit.cli import convert, predict, select
from govorit.formats import brat, jsonl

ROOT = Path(__file__).parents[1]


@pytest.fixture
def run(tiny_run) -> Path:
    return tiny_run


@pytest.fixture
def program(monkeypatch, capsys):
    """Call a program's main() and give its exit status and standard error."""

    def call(main, *arguments):
        monkeypatch.setattr(sys, "argv", ["program", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        return stopped.value.code, capsys.readouterr().err

    return call


@pytest.fixture
def pile(tmp_path) -> Path:
    path = tmp_path / "pile.jsonl"
    jsonl.write([*tiny.articles(12, first=40), Article("пусто", " \n"), Article("тихо", "Снег.")], path)
    return path


def unscored(articles) -> list[Article]:
    def bare(span):
        return span and replace(span, score=None)

    return [
        replace(
            article,
            entities=tuple(map(bare, article.entities)),
            quotes=tuple(
                replace(q, content=tuple(map(bare, q.content)), cue=bare(q.cue), speaker=bare(q.speaker), score=None, name_score=None)
                for q in article.quotes
            ),
            meta={},
        )
        for article in sorted(articles, key=lambda article: article.id)
    ]


@pytest.mark.parametrize(("tool", "out"), [("labelstudio", "tasks.json"), ("brat", "folder")])
def test_what_nobody_corrects_comes_back_as_it_was_found(run, program, pile, tmp_path, tool, out):
    assert program(predict.main, pile, "--model", run, "--out", tmp_path / "found.jsonl")[0] == 0
    status, err = program(predict.main, pile, "--model", run, "--to", tool, "--out", tmp_path / "new" / out)
    assert status == 0 and str(tmp_path / "new" / out) in err
    assert program(convert.main, tmp_path / "new" / out, "--to", "jsonl", "--out", tmp_path / "back.jsonl")[0] == 0
    found = [article for article in formats.read(tmp_path / "found.jsonl") if article.text.strip()]
    assert unscored(formats.read(tmp_path / "back.jsonl")) == unscored(found)
    assert any(quote.name for article in found for quote in article.quotes), "the tiny model finds something, or this test says nothing"


def test_label_studio_gets_predictions_with_scores_and_an_interface(run, program, pile, tmp_path):
    program(predict.main, pile, "--model", run / "model", "--to", "labelstudio", "--out", tmp_path / "tasks.json")
    tasks = json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8"))
    assert len(tasks) == 13 and not any("annotations" in task for task in tasks), "where nothing was found, nobody has annotated either"
    assert {task["predictions"][0]["model_version"] for task in tasks} == {"govorit first-round"}
    spans = [result for task in tasks for result in task["predictions"][0]["result"] if result["type"] == "labels"]
    assert spans and all(0 < span["score"] <= 1 for span in spans)
    interface = ElementTree.fromstring((tmp_path / "tasks.xml").read_text(encoding="utf-8"))
    assert {label for span in spans for label in span["value"]["labels"]} <= {element.get("value") for element in interface.iter("Label")}


def test_brat_gets_scores_as_notes_and_every_label_of_the_model(run, program, tmp_path):
    jsonl.write([Article("тихо", "Снег."), *tiny.articles(1, first=50)], tmp_path / "in.jsonl")
    program(predict.main, tmp_path / "in.jsonl", "--model", run, "--to", "brat", "--out", tmp_path / "folder")
    assert {"PER", "LOC", "DIRECT", "CUE"} <= set((tmp_path / "folder/annotation.conf").read_text(encoding="utf-8").split("\n"))
    ann = (tmp_path / "folder/n-050.ann").read_text(encoding="utf-8")
    assert ann.count("\tAnnotationUnconfirmed T") == ann.count("\nT") + ann.startswith("T") > 0


def test_a_note_of_a_score_names_nobody(tmp_path):
    article = Article("a", "Пришёл Иван Петров.", (Span(7, 18, "PER", 0.5),))
    assert brat.dump(article) == "T1\tPER 7 18\tИван Петров\n#1\tAnnotationUnconfirmed T1\tscore: 0.50\n"
    brat.write([article], tmp_path)
    assert list(brat.read(tmp_path)) == unscored([article])


@pytest.mark.parametrize("tool", ["labelstudio", "brat"])
@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (['{"text": "Раз"}', '{"text": 5}'], "in.jsonl:2: text:"),
        (['{"id": "а", "text": "Раз"}', '{"id": "а", "text": "Два"}'], "'а' c"),
        (['{"text": " "}'], "nothing to annotate"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(program, tmp_path, tool, lines, told):
    (tmp_path / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    status, err = program(predict.main, tmp_path / "in.jsonl", "--to", tool, "--out", tmp_path / "new/out.json")
    assert status == 2 and told in err and err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_what_is_there_is_never_replaced(program, pile, tmp_path):
    for name in ("out", "tasks.json", "others.xml"):
        (tmp_path / name).write_text("исправлено", encoding="utf-8")
    for main in (predict.main, select.main):
        for tool, out, told in (
            ("brat", "out", "is there already"),
            ("labelstudio", "tasks.json", "is there already"),
            ("labelstudio", "others.json", "others.xml: is there already"),
            ("labelstudio", "tasks.txt", "ends in .json"),
            ("brat", "out/in/it", "is no folder"),
        ):
            status, err = program(main, pile, "--to", tool, "--out", tmp_path / out)
            assert status == 2 and told in err and err.count("\n") == 1
    status, err = program(predict.main, pile, "--to", "brat")
    assert status == 2 and "--out: missing" in err
    assert (tmp_path / "out").read_text(encoding="utf-8") == (tmp_path / "tasks.json").read_text(encoding="utf-8") == "исправлено"


def test_select_leaves_out_what_is_known_or_comes_twice(run, program, pile, tmp_path):
    first, second, third = tiny.articles(3, first=40)
    nearly = " ".join(f"Новость номер {number} пришла из города." for number in range(30))
    more = [replace(second, id="снова", text=second.text.upper()), Article("раз", nearly), Article("два", nearly + " Вчера.")]
    jsonl.write(more, tmp_path / "more.jsonl")
    brat.write([first, third], tmp_path / "done")
    arguments = ("--model", run, "--known", tmp_path / "done", "--number", 30)
    status, err = program(select.main, pile, tmp_path / "more.jsonl", *arguments, "--out", tmp_path / "picked.jsonl")
    picked = list(formats.read(tmp_path / "picked.jsonl"))
    ids = {article.id for article in picked}
    assert status == 0 and len(picked) == len(ids) == 12
    assert not ids & {first.id, third.id, "снова", "пусто"} and len(ids & {"раз", "два"}) == 1
    assert "read 13 articles; left out: 3 copies, 1 without text, 1 nearly the same" in err
    assert all(0 < float(article.meta["confidence"]) <= 1 for article in picked)
    assert any(article.quotes for article in picked), "what the model finds stands in them"


def test_select_takes_the_least_sure_and_the_same_again(run, program, pile, tmp_path):
    jsonl.write(
        [Article("чужое", "Курс йены вырос: «Ниппон стил» ждёт сделки, — пишет «Асахи». Нет, сказал Дзюн!")], tmp_path / "odd.jsonl"
    )
    written = []
    for number, out in ((3, "a.jsonl"), (3, "b.jsonl"), (13, "c.jsonl")):
        assert program(select.main, pile, tmp_path / "odd.jsonl", "--model", run, "--number", number, "--out", tmp_path / out)[0] == 0
        written.append((tmp_path / out).read_text(encoding="utf-8").split("\n"))
    assert written[0] == written[1] and written[0][:3] == written[2][:3]
    picked, everything = list(formats.read(tmp_path / "a.jsonl")), list(formats.read(tmp_path / "c.jsonl"))
    assert picked[0].id == "чужое" and len(everything) == 13
    sure = [sum(float(article.meta["confidence"]) for article in part) / len(part) for part in (picked, everything)]
    assert sure[0] < sure[1]


def test_mistakes_of_select(program, pile, tmp_path):
    jsonl.write(tiny.articles(12, first=40), tmp_path / "done.jsonl")
    (tmp_path / "bad.jsonl").write_text('{"text": 5}\n', encoding="utf-8")
    jsonl.write([replace(tiny.article(90), id="n-040")], tmp_path / "same.jsonl")
    for arguments, told in (
        ([tmp_path / "none"], "no such file or folder"),
        ([pile, tmp_path / "bad.jsonl"], "bad.jsonl:1: text:"),
        ([pile, tmp_path / "same.jsonl"], "'n-040' came before"),
        ([tmp_path / "done.jsonl", "--known", tmp_path / "done.jsonl"], "that is not annotated yet"),
        ([pile, "--number", "0"], "expected 1 or more"),
        ([pile, "--model", tmp_path], "not a govorit checkpoint"),
    ):
        status, err = program(select.main, *arguments, "--out", tmp_path / "picked.jsonl")
        assert status == 2 and told in err and not (tmp_path / "picked.jsonl").exists()


def test_files_of_one_name_in_several_folders_are_articles_of_their_own(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.txt").write_text(f"Новость {folder}.", encoding="utf-8")
    sources = [str(tmp_path / "a"), str(tmp_path / "b")]
    pile = select._Pile(sources, None)
    pile.survey([], "brat")
    for articles in (pile, predict._articles(Namespace(source=sources, format=None))):
        assert {article.id: article.text for article in articles} == {"a-1": "Новость a.", "b-1": "Новость b."}


def test_select_writes_for_label_studio(run, program, pile, tmp_path):
    out = tmp_path / "picked.json"
    assert program(select.main, pile, "--model", run, "--number", 4, "--to", "labelstudio", "--out", out)[0] == 0
    tasks = json.loads(out.read_text(encoding="utf-8"))
    assert len(tasks) == 4 and all("confidence" in task["data"]["meta"] for task in tasks) and (tmp_path / "picked.xml").exists()


def test_the_program_hides_no_module_of_the_standard_library():
    """`scripts/select.py` lies beside programs that import the other `select`."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); import selectors; print(selectors.DefaultSelector().select(0))"
    done = subprocess.run([sys.executable, "-c", code, ROOT / "scripts"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")
    done = subprocess.run([sys.executable, "select.py", "--help"], cwd=ROOT / "scripts", capture_output=True, text=True)
    assert done.returncode == 0 and "--known" in done.stdout
