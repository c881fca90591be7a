import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from random import Random

import datasets
import pytest
from generate import random_article

from govorit import formats
from govorit.article import CUE, SPEAKER, Article, Quote, Span
from govorit.cli import convert
from govorit.corpora import corpus, lint
from govorit.formats import jsonl

ROOT = Path(__file__).parents[1]
NEWSROOM = ROOT / "data/newsroom"
EXTRAS = {"xmi": "cassis", "docbin": "spacy"}
TEXT = "Иванов сказал: «Да»."
SAID = Quote("direct", (Span(15, 19, "DIRECT"),), Span(7, 13, CUE), Span(0, 6, SPEAKER), "Иван Иванов")


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the program in this process; give its exit status and the lines of standard error."""

    def program(*arguments: object) -> tuple[int, list[str]]:
        monkeypatch.setattr(sys, "argv", ["convert", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            convert.main()
        output = capsys.readouterr()
        assert output.out == ""
        return int(ended.value.code or 0), output.err.strip().split("\n")

    return program


def news(count: int, seed: int = 1) -> list[Article]:
    rng = Random(seed)
    return [random_article(rng, id=f"a-{number:03}", exotic=False) for number in range(count)]


def write(path: Path, *articles: Article) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    jsonl.write(articles, path)
    return path


def tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def read(path: Path, name: str | None = None) -> dict[str, Article]:
    return {article.id: article for article in formats.read(path, name)}


def needs(name: str) -> None:
    if name in EXTRAS and not find_spec(EXTRAS[name]):
        pytest.skip(f"{EXTRAS[name]} is not installed")


# Any format to any other


@pytest.mark.parametrize("name", ["jsonl", "brat", "inline", "conll", "labelstudio", "hf", "xmi", "docbin"])
def test_there_and_back(tmp_path, run, name):
    needs(name)
    articles = {article.id: replace(article, meta={}) for article in news(30)}
    source = write(tmp_path / "a.jsonl", *articles.values())
    status, lines = run(source, "--to", name, "--out", tmp_path / "there")
    spans, quotes = sum(len(a.entities) for a in articles.values()), sum(len(a.quotes) for a in articles.values())
    characters = sum(len(a.text) for a in articles.values())
    assert status == 0
    assert lines[-1] == f"{tmp_path / 'there'}: 30 articles, {characters} characters, {spans} entities, {quotes} quotations"
    assert run(tmp_path / "there", "--from", name, "--out", tmp_path / "back.jsonl")[0] == 0
    back = read(tmp_path / "back.jsonl")
    assert back.keys() == articles.keys()
    if len(lines) == 1:  # nothing was said to be lost
        assert {id: replace(article, meta={}) for id, article in back.items()} == articles
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "back.jsonl", "there"]


@pytest.mark.parametrize("name", ["jsonl", "brat", "inline", "conll", "hf"])
def test_the_splits_of_a_corpus_are_kept(tmp_path, run, name):
    status, lines = run(NEWSROOM, "--to", name, "--out", tmp_path / "out")
    assert status == 0 and lines[-1].endswith("2818 entities, 1561 quotations; train 128, dev 24, test 24")
    for split in ("train", "dev", "test"):
        gold, found = read(NEWSROOM / f"{split}.jsonl"), read(corpus.splits_in(tmp_path / "out")[split], name)
        assert {a.id: (a.entities, a.quotes) for a in found.values()} == {a.id: (a.entities, a.quotes) for a in gold.values()}


def test_files_of_one_name_in_several_folders_stay_apart(tmp_path, run):
    for folder, text in (("train", TEXT), ("val", TEXT.upper())):
        (tmp_path / "in" / folder).mkdir(parents=True)
        (tmp_path / "in" / folder / "1.txt").write_text(text, encoding="utf-8")
    status, lines = run(tmp_path / "in/train", tmp_path / "in/val", "--to", "brat", "--out", tmp_path / "out")
    assert status == 0 and lines[-1].startswith(f"{tmp_path / 'out'}: 2 articles")
    assert {id: article.text for id, article in read(tmp_path / "out").items()} == {"train-1": TEXT, "val-1": TEXT.upper()}
    status, lines = run(tmp_path / "in", "--to", "jsonl", "--out", tmp_path / "shared")
    assert status == 0 and lines[-1].endswith("train 1, dev 1")
    assert list(read(tmp_path / "shared/dev.jsonl")) == ["val-1"]


def test_what_the_format_cannot_hold_is_counted(tmp_path, run):
    scored = Article("a", TEXT, (Span(0, 6, "PER", 0.5),), (replace(SAID, score=0.25),), {"title": "Да", "lead": "Нет"})
    source = write(tmp_path / "a.jsonl", scored, Article("b", TEXT + " И ещё.", meta={"title": "Да"}))
    assert run(source, "--to", "brat", "--out", tmp_path / "b") == (0, [
        "brat does not hold: 2 of 2 scores, 2 of 2 meta title, 1 of 1 meta lead",
        f"{tmp_path / 'b'}: 2 articles, 47 characters, 1 entity, 1 quotation",
    ])  # fmt: skip
    assert run(source, "--to", "hf", "--out", tmp_path / "h")[1][0] == "hf does not hold: 2 scores"
    assert len(run(source, "--to", "jsonl", "--out", tmp_path / "j")[1]) == 1
    assert list(formats.read(tmp_path / "j", "jsonl")) == list(formats.read(source))


def test_labels_and_nesting_are_as_asked(tmp_path, run):
    spans = (Span(0, 6, "PERSON"), Span(0, 13, "ORG"), Span(7, 13, "VERB"))
    source = write(tmp_path / "a.jsonl", Article("a", TEXT, spans))
    status, lines = run(source, "--out", tmp_path / "b.jsonl", "--labels", "ORG,PERSON=PER", "--nested", "outermost")
    assert status == 0 and read(tmp_path / "b.jsonl")["a"].entities == (spans[1],)
    assert lines[:2] == [
        f"{source}: 1 entities have a label that is not mapped and are left out",
        f"{source}: 1 entities lie inside (or across) a longer one and are left out: outermost only",
    ]


def test_offsets_and_names_of_the_source(tmp_path, run):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.txt").write_text("😀 Иванов сказал: «Да»", encoding="utf-8")
    body = "T1\tЦитата 18 22\t«Да»\nT2\tPER 3 9\tИванов\n"
    (tmp_path / "in/a.ann").write_text(body, encoding="utf-8")
    assert run(tmp_path / "in", "--out", tmp_path / "o.jsonl", "--names", "direct=Цитата")[0] == 2
    status, _ = run(tmp_path / "in", "--out", tmp_path / "o.jsonl", "--names", "direct=Цитата", "--offsets", "utf16")
    article = read(tmp_path / "o.jsonl")["a"]
    assert status == 0 and article.entities == (Span(2, 8, "PER"),) and article.quotes[0].content == (Span(17, 21, "DIRECT"),)


# Splits and Hugging Face datasets


def test_a_dataset_has_the_splits_and_its_parquet_is_the_same(tmp_path, run):
    source = write(tmp_path / "a.jsonl", *news(100))
    arguments = (source, "--to", "hf", "--split", "dev=0.2,test=0.1,seed=4", "--parquet")
    assert run(*arguments, "--out", tmp_path / "d")[1][-1].endswith("; train 70, dev 20, test 10")
    made = datasets.load_from_disk(tmp_path / "d")
    assert isinstance(made, datasets.DatasetDict) and {name: len(part) for name, part in made.items()} == {
        "train": 70,
        "dev": 20,
        "test": 10,
    }
    assert made["train"].features == made["dev"].features == made["test"].features
    articles = read(source)
    found = {row["id"]: corpus.article(row) for part in made.values() for row in part}
    assert found == articles
    for name, part in made.items():
        parquet = datasets.Dataset.from_parquet(str(tmp_path / f"d/parquet/{name}.parquet"), cache_dir=str(tmp_path / "cache"))
        assert parquet.features == part.features and parquet.to_list() == part.to_list()
    write(tmp_path / "b.jsonl", *reversed(news(100)))
    assert run(tmp_path / "b.jsonl", *arguments[1:], "--out", tmp_path / "e")[0] == 0
    assert {k: v for k, v in tree(tmp_path / "d").items() if "parquet" not in k} == {
        k: v for k, v in tree(tmp_path / "e").items() if "parquet" not in k
    }


def test_an_edit_that_keeps_size_and_time_gives_another_dataset(tmp_path, run):
    source = write(tmp_path / "a.jsonl", *news(5))
    assert run(source, "--to", "hf", "--out", tmp_path / "d")[0] == 0
    before, times = tree(tmp_path / "d"), source.stat()
    source.write_bytes(source.read_bytes().replace("Да".encode(), "До".encode(), 1))
    os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert (source.stat().st_size, source.stat().st_mtime_ns) == (times.st_size, times.st_mtime_ns)
    assert run(source, "--to", "hf", "--out", tmp_path / "d", "--force")[0] == 0
    assert "До" in datasets.load_from_disk(tmp_path / "d")[0]["text"]
    assert tree(tmp_path / "d")["state.json"] != before["state.json"]


def test_leaks_between_given_splits_are_said(tmp_path, run, monkeypatch):
    text = " ".join(f"слово{i}" for i in range(60))
    write(tmp_path / "in/train.jsonl", Article("a", text), Article("b", TEXT))
    write(tmp_path / "in/dev.jsonl", Article("c", text + " конец"), Article("d", TEXT.upper()))
    _, lines = run(tmp_path / "in", "--to", "jsonl", "--out", tmp_path / "out")
    assert lines[:2] == [
        "leak: article 'c' of dev has nearly the text (98%) of 'a' of train; scores on dev are too good",
        "leak: article 'd' of dev has the same text as 'b' of train; scores on dev are too good",
    ]
    monkeypatch.setattr(convert, "LEAK_LIMIT", 100)
    _, lines = run(tmp_path / "in", "--to", "jsonl", "--out", tmp_path / "out", "--force")
    assert lines[0] == "leaks: not looked for, since the texts have more than 100 characters"


# Refusals: one line, exit status 2, nothing written


BROKEN = {
    "offset": lambda d: [write(d / "a.jsonl", *news(20), Article("x", TEXT, (Span(0, 99, "PER"),))), "--to", "brat"],
    "twice": lambda d: [write(d / "a.jsonl", *news(20), news(1)[0]), "--to", "inline"],
    "twice over files": lambda d: [write(d / "a.jsonl", *news(2)), write(d / "b.jsonl", *news(1)), "--to", "jsonl"],
    "nested": lambda d: [write(d / "a.jsonl", Article("x", TEXT, (Span(0, 6, "PER"), Span(0, 13, "ORG")))), "--to", "hf"],
    "not JSON": lambda d: [(d / "a.jsonl").write_text('{"text": "Да"}\n{') and d / "a.jsonl", "--to", "jsonl"],
    "no source": lambda d: [d / "missing.jsonl", "--to", "jsonl"],
    "empty": lambda d: [write(d / "a.jsonl"), "--to", "jsonl"],
    "empty dataset": lambda d: [write(d / "a.jsonl"), "--to", "hf", "--split", "dev=0.1"],
    "not writable": lambda d: [write(d / "a.jsonl", *news(2)), "--to", "factrueval"],
    "no format": lambda d: [write(d / "a.jsonl", *news(2))],
    "angle bracket": lambda d: [write(d / "a.jsonl", *news(3), Article("x", "1 < 2")), "--to", "inline"],
    "splits of its own": lambda d: [NEWSROOM, "--to", "jsonl", "--split", "dev=0.1"],
    "nothing to train on": lambda d: [write(d / "a.jsonl", *news(5)), "--to", "jsonl", "--split", "dev=0.5,test=0.5"],
    "no such label": lambda d: [write(d / "a.jsonl", *news(5)), "--to", "jsonl", "--labels", "PER,ЛИЦО"],
    "folds": lambda d: [write(d / "a.jsonl", *news(5)), "--to", "jsonl", "--split", "folds=9"],
    "parquet": lambda d: [write(d / "a.jsonl", *news(5)), "--to", "jsonl", "--parquet"],
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_leaves_nothing(tmp_path, run, name):
    arguments = BROKEN[name](tmp_path)
    before = tree(tmp_path)
    status, lines = run(*arguments, "--out", tmp_path / "new" / "out")
    assert status == 2 and len(lines) == 1 and len(lines[0]) > 20
    assert tree(tmp_path) == before and not (tmp_path / "new").exists()
    assert not any(".out-" in line for line in lines)  # the folder where it was made means nothing to a user


@pytest.mark.parametrize("value", ["dev", "dev=x", "share=0.1", "dev=0.1;test=0.1"])
def test_a_split_that_cannot_be_read(tmp_path, run, value):
    status, lines = run(NEWSROOM, "--to", "jsonl", "--out", tmp_path / "o", "--split", value)
    assert status == 2 and "--split: found" in lines[-1]


@pytest.mark.parametrize("out", ["", "..", ".", "a.jsonl/b", "a.jsonl/b/c", "x\0y", "ы" * 200])
def test_a_place_that_cannot_be_written(tmp_path, run, out, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = write(tmp_path / "a.jsonl", *news(3))
    status, lines = run(source, "--to", "jsonl", "--out", out)
    assert status == 2 and len(lines) == 1 and (lines[0].startswith("--out: ") or "ы" in lines[0])
    assert list(tmp_path.iterdir()) == [source]


def test_what_is_there_stays_unless_it_is_to_be_replaced(tmp_path, run):
    source, out = write(tmp_path / "a.jsonl", *news(3)), write(tmp_path / "b.jsonl", *news(1))
    before = out.read_bytes()
    status, lines = run(source, "--out", out)
    assert status == 2 and "is there already" in lines[0] and out.read_bytes() == before
    assert run(source, "--out", out, "--force")[0] == 0 and out.read_bytes() == source.read_bytes()
    assert run(source, "--to", "brat", "--out", tmp_path / "d")[0] == 0
    assert run(source, "--to", "brat", "--out", tmp_path / "d", "--force", "--labels", "PER")[0] == 0
    (tmp_path / "d/notes.md").write_text("мои заметки")
    status, lines = run(source, "--to", "brat", "--out", tmp_path / "d", "--force")
    assert status == 2 and "notes.md" in lines[0] and (tmp_path / "d/notes.md").read_text() == "мои заметки"
    status, lines = run(source, "--out", tmp_path, "--to", "jsonl", "--force")
    assert status == 2 and "would be lost" in lines[0] and source.exists()


def test_force_spares_what_another_format_wrote(tmp_path, run):
    source = write(tmp_path / "a.jsonl", *news(3))
    for file, text, name in (
        ("w.txt", "# id: w\n\n<PER>Иванов</PER> сказал.\n", "brat"),
        ("w.txt", "Иванов сказал.\n", "brat"),
        ("w.txt", "Иванов сказал.\n", "inline"),
        ("w.json", '{"text": "Иванов сказал."}', "hf"),
    ):
        assert run(source, "--to", name, "--out", tmp_path / name, "--force")[0] == 0
        (tmp_path / name / file).write_text(text)
        before = tree(tmp_path)
        status, lines = run(source, "--to", name, "--out", tmp_path / name, "--force")
        assert status == 2 and f"has {file} in it, which is not of this format" in lines[0] and tree(tmp_path) == before
        (tmp_path / name / file).unlink()


def test_force_puts_no_file_in_the_place_of_a_folder(tmp_path, run):
    source = write(tmp_path / "in.jsonl", *news(3))
    write(tmp_path / "d/a.jsonl", *news(1))
    before = tree(tmp_path)
    status, lines = run(source, "--to", "jsonl", "--out", tmp_path / "d", "--force")
    assert status == 2 and "is a folder, and a file was to be written" in lines[0] and tree(tmp_path) == before
    status, lines = run(source, "--to", "brat", "--out", tmp_path / "d/a.jsonl", "--force")
    assert status == 2 and "is a file, and a folder was to be written" in lines[0] and tree(tmp_path) == before


def test_a_failure_at_the_last_moment_puts_back_what_was_there(tmp_path, run, monkeypatch):
    source, out = write(tmp_path / "a.jsonl", *news(3)), write(tmp_path / "b.jsonl", *news(1))
    before, rename = tree(tmp_path), Path.rename

    def fails(self: Path, target: Path) -> Path:
        if self.name == "b.jsonl" and target == out and "replaced" not in str(self) and self != out:
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails)
    status, lines = run(source, "--out", out, "--force")
    assert status == 2 and "No space left" in lines[0] and tree(tmp_path) == before


def test_a_format_that_moves_an_entity_is_found_out(tmp_path, run, monkeypatch):
    from govorit.formats import brat

    source = write(tmp_path / "a.jsonl", Article("a", TEXT, (Span(7, 13, "PER"),)))
    honest = brat.read
    monkeypatch.setattr(brat, "read", lambda *a: (replace(x, entities=(Span(0, 6, "PER"),)) for x in honest(*a)))
    status, lines = run(source, "--to", "brat", "--out", tmp_path / "b")
    assert status == 2 and "entities moved" in lines[0] and not (tmp_path / "b").exists()


# Nothing is ever written outside the target


IDS = ["../../x", "{0}/x", "..", ".", "a/../../b", "..\\..\\x", "x\0y", "C:\\x", "a\nb", "~/x"]


@pytest.mark.parametrize("name", ["brat", "inline", "xmi", "jsonl", "hf"])
@pytest.mark.parametrize("id", IDS)
def test_no_id_leads_out_of_the_target(tmp_path, run, name, id):
    needs(name)
    home, id = tmp_path / "one/two", id.format(tmp_path)
    source = write(home / "a.jsonl", Article("first", TEXT), Article(id, TEXT + " И ещё.", (Span(0, 6, "PER"),)))
    before = tree(tmp_path)
    status, lines = run(source, "--to", name, "--out", home / "out")
    outside = {path: data for path, data in tree(tmp_path).items() if not path.startswith("one/two/out")}
    assert outside == before
    if status == 2:
        assert "cannot name a file" in lines[0] and not (home / "out").exists()
    else:
        assert id in read(home / "out", name)


@pytest.mark.parametrize("name", ["brat", "jsonl", "hf"])
@pytest.mark.parametrize("kind", ["file", "folder", "nothing"])
def test_a_link_in_the_targets_place_is_not_followed(tmp_path, run, name, kind):
    source, aim = write(tmp_path / "in/a.jsonl", *news(3)), tmp_path / "aim"
    if kind == "file":
        aim.write_text("моё")
    elif kind == "folder":
        write(aim / "a.ann")
    link = tmp_path / "out"
    link.symlink_to(aim)
    before = tree(aim) if kind == "folder" else aim.read_text() if kind == "file" else None
    status, lines = run(source, "--to", name, "--out", link)
    assert status == 2 and "is there already" in lines[0] and link.is_symlink()
    assert run(source, "--to", name, "--out", link, "--force")[0] == 0
    assert not link.is_symlink() and len(read(link, name)) == 3
    assert before == (tree(aim) if kind == "folder" else aim.read_text() if kind == "file" else None) and (
        kind != "nothing" or not aim.exists()
    )


def test_a_link_inside_the_source_is_read_and_left_alone(tmp_path, run):
    write(tmp_path / "elsewhere.jsonl", *news(2))
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.jsonl").symlink_to(tmp_path / "elsewhere.jsonl")
    before = (tmp_path / "elsewhere.jsonl").read_bytes()
    assert run(tmp_path / "in", "--to", "brat", "--out", tmp_path / "out")[0] == 0
    assert (tmp_path / "elsewhere.jsonl").read_bytes() == before and len(read(tmp_path / "out")) == 2


# As a user runs it


def test_the_program_from_the_command_line(tmp_path):
    command = [sys.executable, str(ROOT / "scripts/convert.py"), str(ROOT / "seeds"), "--to", "jsonl", "--out", "seed.jsonl"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "train")}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "" and done.stderr.startswith("seed.jsonl: 1 article, ")
    [seed] = formats.read(tmp_path / "seed.jsonl")
    lint.check([seed])
    assert Counter(span.label for span in seed.entities) == {"LOC": 16, "PER": 6, "ORG": 4}
    again = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert again.returncode == 2 and again.stderr.count("\n") == 1
