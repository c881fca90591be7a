"""The lint program as a user runs it: all problems of a corpus with their places, a summary, an exit status, and no traceback ever."""

import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from generate import random_article

from govorit import formats
from govorit.cli.lint import main
from govorit.formats import jsonl

ROOT = Path(__file__).parents[1]
TEXT = "Нурсултан Назарбаев сказал в Алматы: «Да»."


def row(id: str, text: str = TEXT, **fields: object) -> str:
    return json.dumps({"id": id, "text": text, **fields}, ensure_ascii=False)


def span(start: int, end: int, label: str | None = "PER") -> dict[str, object]:
    return {"start": start, "end": end} | ({"label": label} if label is not None else {})


def numbered(number: int) -> str:
    return f"{TEXT} Сообщение {number}: {'о делах ' * number}"


# A line of a file, and the problem in it: severity, code, and a part of what is said of it.
PLANTED = (
    (row("a1", entities=[span(0, 19)]), None),
    (row("a2", numbered(2), entities=[span(19, 0)]), ("error", "reversed")),
    (row("a3", numbered(3), entities=[span(0, 20)]), ("error", "space")),
    ('{"id": "a4", "text": "Да"', ("error", "format")),
    (row("a5", numbered(5), entities=[span(0, 19), span(10, 19)]), ("error", "overlap")),
    (row("a6", numbered(6), entities=[span(0, 19, "РER")]), ("error", "homoglyph-label")),
    (row("a2", numbered(7)), ("error", "duplicate-id")),
    (row("a8", numbered(8), entitys=[]), ("error", "format")),
    (row("a9", "  "), ("error", "empty-text")),
    (row("a10", numbered(10), quotes=[{"kind": "direct", "content": []}]), ("error", "format")),
    (row("a11", numbered(11), entities=[span(0, 8)]), ("warning", "split-word")),
    (row("a12", TEXT.upper()), ("warning", "duplicate")),
    (row("a13", numbered(13) + "и\u0306"), ("warning", "decomposed")),
    (row("a14", numbered(14), entities=[span(0, 19)]), None),
)


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "news.jsonl"
    path.write_text("".join(line + "\n" for line, _ in PLANTED), encoding="utf-8")
    return path


def run(capsys, monkeypatch, *arguments: object) -> tuple[int, list[str], str]:
    monkeypatch.setattr(sys, "argv", ["lint", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    out, err = capsys.readouterr()
    return int(end.value.code), out.split("\n")[:-1], err


def test_every_planted_problem_is_listed_at_its_line(corpus, capsys, monkeypatch):
    status, lines, err = run(capsys, monkeypatch, corpus)
    assert (status, err) == (2, "")
    found = [line for line in lines if not line.endswith("[warning: rare-label]") and line.startswith(str(corpus))]
    expected = [(number, planted) for number, (_, planted) in enumerate(PLANTED, 1) if planted]
    assert len(found) == len(expected) == 12
    for line, (number, (severity, code)) in zip(found, expected, strict=True):
        assert line.startswith(f"{corpus}:{number}: ") and line.endswith(f"  [{severity}: {code}]")
    assert lines[-5].startswith("12 articles, ")
    assert lines[-4:-2] == ["8 entities: PER 7, РER 1", "0 quotations"]
    assert lines[-2] == "9 errors: duplicate-id 1, empty-text 1, format 3, homoglyph-label 1, overlap 1, reversed 1, space 1"
    assert lines[-1] == "5 warnings: decomposed 1, duplicate 1, rare-label 2, split-word 1"


def test_machines_read_the_same_as_json(corpus, capsys, monkeypatch):
    status, [line], _ = run(capsys, monkeypatch, corpus, "--json")
    report = json.loads(line)
    assert status == 2 and len(report["problems"]) == 14
    assert report["problems"][0].keys() == {"where", "file", "line", "field", "message", "severity", "code"}
    lines = [problem["line"] for problem in report["problems"] if problem["code"] != "rare-label"]
    assert lines == [number for number, (_, planted) in enumerate(PLANTED, 1) if planted]
    assert report["summary"]["articles"] == 12 and report["summary"]["entities"] == {"PER": 7, "РER": 1}
    assert sum(report["summary"]["errors"].values()) == 9 and sum(report["summary"]["warnings"].values()) == 5


def test_the_list_is_cut_where_asked_and_the_figures_are_not(corpus, capsys, monkeypatch):
    _, lines, _ = run(capsys, monkeypatch, corpus, "--max", 3)
    assert lines[3] == "… and 11 more problems" and lines[-2].startswith("9 errors: ")
    _, [line], _ = run(capsys, monkeypatch, corpus, "--max", 0, "--json")
    assert json.loads(line)["problems"] == [] and json.loads(line)["summary"]["articles"] == 12


def test_several_sources_are_one_corpus_sorted_by_place(tmp_path, capsys, monkeypatch):
    for name in ("b", "a"):
        (tmp_path / f"{name}.jsonl").write_text("".join(row(f"x{n}", numbered(n)) + "\n" for n in range(11)), encoding="utf-8")
    status, lines, _ = run(capsys, monkeypatch, tmp_path / "b.jsonl", tmp_path / "a.jsonl", tmp_path / "c.jsonl")
    places = [line.split(": ")[0].removeprefix(f"{tmp_path}/") for line in lines if line.endswith("[error: duplicate-id]")]
    assert status == 2 and places == [f"a.jsonl:{number}" for number in range(1, 12)]
    assert f"{tmp_path}/c.jsonl: no such file or folder  [error: format]" in lines


def test_files_of_one_name_in_several_folders_are_no_problem(tmp_path, capsys, monkeypatch):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.txt").write_text(f"{TEXT} {folder}", encoding="utf-8")
    assert run(capsys, monkeypatch, tmp_path / "a", tmp_path / "b")[0] == 0
    status, lines, _ = run(capsys, monkeypatch, tmp_path)
    assert status == 2 and "if they lie in folders in it, name those" in lines[0]


def test_warnings_alone_are_no_failure(capsys, monkeypatch):
    status, lines, _ = run(capsys, monkeypatch, ROOT / "seeds")
    assert status == 0 and lines[-2:] == ["0 errors", "5 warnings: rare-label 5"]


def test_the_newsroom_is_clean(capsys, monkeypatch):
    status, lines, _ = run(capsys, monkeypatch, ROOT / "data/newsroom", "--labels", "PER,LOC,ORG")
    assert (status, len(lines), lines[-2:]) == (0, 5, ["0 errors", "0 warnings"])


def test_labels_that_may_not_occur_are_errors(capsys, monkeypatch):
    status, lines, _ = run(capsys, monkeypatch, ROOT / "seeds", "--labels", "PER, LOC")
    assert status == 2 and sum(line.endswith("[error: unknown-label]") for line in lines) == 1
    assert "the label 'ORG' is not known; expected one of PER, LOC; rename it" in "\n".join(lines)


def test_nested_entities_are_reduced_where_asked(tmp_path, capsys, monkeypatch):
    (tmp_path / "a.jsonl").write_text(row("a", entities=[span(0, 19), span(10, 19)]), encoding="utf-8")
    assert run(capsys, monkeypatch, tmp_path / "a.jsonl")[0] == 2
    status, lines, _ = run(capsys, monkeypatch, tmp_path / "a.jsonl", "--nested", "outermost")
    assert status == 0 and "1 entity: PER 1" in lines


def test_a_corpus_with_names_and_offsets_of_its_own_is_read(tmp_path, capsys, monkeypatch):
    text = "😀 Иванов сказал: «Да»."
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    (tmp_path / "a.ann").write_text("T1\tЧеловек 3 9\tИванов\nT2\tРечь 18 22\t«Да»\n", encoding="utf-8")
    options = ("--offsets", "utf16", "--names", "direct=Речь", "--json")
    status, [line], _ = run(capsys, monkeypatch, tmp_path, *options)
    summary = json.loads(line)["summary"]
    assert (status, summary["entities"], summary["quotations"]) == (0, {"Человек": 1}, {"direct": 1})
    status, [line], _ = run(capsys, monkeypatch, tmp_path, "--json")
    report = json.loads(line)
    assert status == 2 and [problem["line"] for problem in report["problems"] if problem["severity"] == "error"] == [1, 2]
    assert all("utf16" in problem["message"] for problem in report["problems"] if problem["severity"] == "error")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "SRC"),
        (["--offsets", "words", "seeds"], "--offsets"),
        (["--names", "direct", "seeds"], "expected OURS=THEIRS"),
        (["--names", "shout=X", "seeds"], "'shout' is not one of ours"),
        (["--max", "-1", "seeds"], "--max"),
        (["--from", "docx", "seeds"], "--from"),
    ],
)
def test_a_mistake_in_the_command_is_told_in_a_line(capsys, monkeypatch, arguments, said):
    status, lines, err = run(capsys, monkeypatch, *arguments)
    assert status == 2 and not lines and said in err and "Traceback" not in err


def test_a_corpus_without_articles_is_refused(tmp_path, capsys, monkeypatch):
    (tmp_path / "a.jsonl").write_text("\n")
    status, lines, err = run(capsys, monkeypatch, tmp_path / "a.jsonl")
    assert (status, lines, err) == (2, [], f"{tmp_path / 'a.jsonl'}: no articles in it\n")


def test_the_program_runs_and_writes_nothing(corpus):
    before = sorted(corpus.parent.iterdir())
    program = [sys.executable, ROOT / "scripts/lint.py", "news.jsonl", "--json"]
    done = subprocess.run(program, cwd=corpus.parent, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stderr) == (2, "")
    assert json.loads(done.stdout)["problems"][0]["file"] == "news.jsonl"
    assert sorted(corpus.parent.iterdir()) == before


def damage(rng: Random, data: bytes) -> bytes:
    at, size = rng.randrange(len(data)), rng.randrange(1, 9)
    parts = (
        b"\xff",
        b'"',
        b"}",
        b"\x00",
        b"99999999999999999999",
        b"-1",
        b"\n",
        b"\t",
        b"NaN",
        b"\xef\xbb\xbf",
        b"[" * 99_999,
        b"T1",
        b"\xd0",
    )
    return rng.choice(
        (
            data[:at],
            data[:at] + data[at + size :],
            data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :],
            data[:at] + rng.choice(parts) + data[at:],
            data[:at] + data[at : at + 200] + data[at:],
            data.decode().encode("utf-16"),
        )
    )


@pytest.mark.parametrize("name", ["jsonl", "brat"])
def test_a_damaged_corpus_is_reported_line_by_line(tmp_path, capsys, monkeypatch, name):
    rng = Random(11)
    articles = [random_article(rng, f"a{number}", exotic=False) for number in range(3)]
    formats.write(
        [*articles, next(jsonl.read(ROOT / "data/newsroom/dev.jsonl"))], tmp_path / "c.jsonl" if name == "jsonl" else tmp_path, name
    )
    files = {path: path.read_bytes() for path in sorted(tmp_path.iterdir()) if path.read_bytes()}
    statuses = []
    for _ in range(300):
        path = rng.choice(sorted(files))
        path.write_bytes(damage(rng, files[path]))
        status, lines, err = run(capsys, monkeypatch, tmp_path, "--from", name)
        path.write_bytes(files[path])
        statuses.append(status)
        assert (lines or err.count("\n") == 1) and "Traceback" not in err
        assert all(": " in line for line in lines if line.endswith("]"))
        assert not lines or (status == 2) == any("[error: " in line for line in lines)
    assert 150 < statuses.count(2) < 300 and set(statuses) == {0, 2}


@pytest.mark.parametrize(
    ("shell", "status", "error"), [(">/dev/full", 2, "the output: No space left on device\n"), (">&- 2>&- <&-", 0, "")]
)
def test_an_output_that_takes_nothing(tmp_path, shell, status, error):
    (tmp_path / "a.jsonl").write_text(row("a") + "\n")
    command = f'"$0" "$1" "$2" {shell}'
    done = subprocess.run(["sh", "-c", command, sys.executable, ROOT / "scripts/lint.py", tmp_path], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (status, error)


def test_a_folder_with_splits_is_read_as_training_reads_it(tmp_path, capsys, monkeypatch):
    for split in ("train", "dev"):
        (tmp_path / split).mkdir()
        (tmp_path / split / "news.jsonl").write_text(row("a1", numbered(len(split))), encoding="utf-8")
    status, lines, _ = run(capsys, monkeypatch, tmp_path)
    assert status == 2 and "dev/news.jsonl:1: id: " in lines[0] and "duplicate-id" in lines[0], lines
