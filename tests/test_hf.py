"""Hugging Face datasets: on disk, in Parquet, from a Hub that is not there."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from types import SimpleNamespace

import datasets
import pyarrow
import pytest
from generate import random_article
from mutants import KINDS, survives
from pyarrow import parquet
from test_nearness import QUOTATIONS

from govorit import formats
from govorit.article import CUE, SPEAKER, Article, Quote, Span
from govorit.corpora import corpus
from govorit.errors import UserError
from govorit.formats import hf
from govorit.formats.inline import parse
from govorit.formats.options import Options

FRAME = "Иванов сказал: «Да».\r\n😀 Петров молчал."
HAND = Article(
    "рука",
    FRAME,
    (Span(0, 6, "PER"), Span(24, 30, "PER")),
    (Quote("direct", (Span(15, 19, "DIRECT"),), Span(7, 13, CUE), Span(0, 6, SPEAKER), "Пётр Иванов"),),
    {"title": "Заголовок"},
)


def articles(count: int) -> list[Article]:
    rng = Random(7)
    return [random_article(rng, f"a-{number:04}", crossing=True) for number in range(count)]


def mangled(data: bytes, rng: Random, n: int) -> Iterator[bytes]:
    """Mutants of what is no text."""
    kinds = [kind for kind in KINDS if kind.__name__ not in ("_encoding", "_deep")]
    return (kinds[i % len(kinds)](data, rng) for i in range(n))


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        list(formats.read(path))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def tokens(folder: Path, rows: dict, **features: datasets.Features) -> Path:
    """Save a dataset of tokens and tags; a column's labels make it a ClassLabel."""
    columns = {
        "tokens": datasets.List(datasets.Value("string")),
        **{
            name: datasets.List(datasets.ClassLabel(names=features[name]) if name in features else datasets.Value("string"))
            for name in ("ner_tags", "quote_tags")
            if name in rows
        },
        **{name: datasets.Value("string") for name in rows if name not in ("tokens", "ner_tags", "quote_tags")},
    }
    datasets.Dataset.from_dict(rows, features=datasets.Features(columns)).save_to_disk(folder)
    return folder


# Round trips


@pytest.mark.parametrize("name", ["a.parquet", "saved"])
def test_all_but_scores_comes_back(tmp_path, name):
    written = [HAND, *articles(2000)]
    formats.write(iter(written), tmp_path / name, "hf")
    assert list(formats.read(tmp_path / name)) == written
    scored = replace(HAND, entities=(Span(0, 6, "PER", 0.5),))
    formats.write([scored], tmp_path / name, "hf")
    assert list(formats.read(tmp_path / name)) == [replace(HAND, entities=(Span(0, 6, "PER"),))]


def test_the_datasets_library_reads_what_we_write(tmp_path):
    formats.write([HAND], tmp_path / "saved", "hf")
    formats.write([HAND], tmp_path / "a.parquet")
    saved = datasets.load_from_disk(tmp_path / "saved")
    assert saved.features == datasets.Features.from_arrow_schema(parquet.read_schema(tmp_path / "a.parquet"))
    row = saved[0]
    names = saved.features["ner_tags"].feature.names
    assert names == ["O", "B-PER", "I-PER"]
    assert [names[tag] for tag in row["ner_tags"]] == ["B-PER", *["O"] * 7, "B-PER", "O", "O"]
    assert row["tokens"] == ["Иванов", "сказал", ":", "«", "Да", "»", ".", "😀", "Петров", "молчал", "."]
    assert [FRAME[place["start"] : place["end"]] for place in row["token_spans"]] == row["tokens"]


def test_the_same_articles_give_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        formats.write(articles(20), tmp_path / name, "hf")
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == ["data-00000-of-00001.arrow", "dataset_info.json", "state.json"]
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in files)


def test_a_corpus_that_was_saved_with_its_splits_is_read(tmp_path):
    written = articles(6)
    splits = {"train": written[:4], "dev": written[4:5], "test": written[5:]}
    corpus.dataset(corpus.Corpus(splits, {"entities": ["LOC", "ORG", "PER", "WORK_OF_ART"]}, [])).save_to_disk(tmp_path / "saved")
    assert {split: list(formats.read(tmp_path / "saved" / split)) for split in splits} == splits
    whole = list(formats.read(tmp_path / "saved"))
    assert [article.meta["split"] for article in whole] == ["train"] * 4 + ["dev", "test"]
    assert [replace(article, meta={k: v for k, v in article.meta.items() if k != "split"}) for article in whole] == written


def test_a_layer_that_was_not_annotated_stays_unknown(tmp_path):
    half = replace(HAND, quotes=(), meta={"layers": "entities"})
    formats.write([half, HAND], tmp_path / "a.parquet")
    assert parquet.read_table(tmp_path / "a.parquet")["quote_tags"].to_pylist()[0] is None
    assert list(formats.read(tmp_path / "a.parquet")) == [half, HAND]


@pytest.mark.parametrize("name", ["a.parquet", "saved"])
@pytest.mark.parametrize("broken", [Article("a", "Да\ud83d"), Article("a", "Да", (Span(0, 2**40, "PER"),))])
def test_what_arrow_cannot_hold_is_refused_and_nothing_is_written(tmp_path, name, broken):
    with pytest.raises(UserError):
        formats.write([HAND, broken], tmp_path / name, "hf")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


# Tokens and tags


def test_tokens_and_tags_are_read_as_run_ner_reads_them(tmp_path):
    rows = {"tokens": [["Иван", "Петров", "в", "Омске"], ["Да"]], "ner_tags": [[1, 2, 0, 3], [0]], "source": ["РИА", "ТАСС"]}
    path = tokens(tmp_path / "saved", rows, ner_tags=["O", "B-PER", "I-PER", "B-LOC"])
    one, two = formats.read(path)
    assert one == Article(
        "data-00000-of-00001-1",
        "Иван Петров в Омске",
        (Span(0, 11, "PER"), Span(14, 19, "LOC")),
        meta={"source": "РИА", "layers": "entities"},
    )
    assert two.text == "Да" and not two.annotated("quotes")


def test_the_text_stays_as_it_is_where_the_tokens_stand_in_it(tmp_path):
    rows = {
        "tokens": [["«", "Омск", "»"], ["Омск", "."]],
        "ner_tags": [["O", "B-ORG", "O"], ["B-LOC", "O"]],
        "text": ["«Омск»\r\n", "Другое."],
    }
    one, two = formats.read(tokens(tmp_path / "saved", rows))
    assert (one.text, one.entities) == ("«Омск»\r\n", (Span(1, 5, "ORG"),))
    assert (two.text, two.entities) == ("Омск .", (Span(0, 4, "LOC"),))


def test_tags_of_quotations_go_to_the_nearest_content(tmp_path):
    text = ["Иванов", "сказал", ":", "«Да»", ".", "«Нет»", ",", "—", "ответил", "он", "."]
    tags = ["B-SPEAKER", "B-CUE", "O", "B-DIRECT", "O", "B-DIRECT", "O", "O", "B-CUE", "B-SPEAKER", "O"]
    path = tokens(tmp_path / "saved", {"tokens": [text], "quote_tags": [tags]})
    [article] = formats.read(path)
    parts = [tuple(article.text[s.start : s.end] for s in (*q.content, q.cue, q.speaker)) for q in article.quotes]
    assert parts == [("«Да»", "сказал", "Иванов"), ("«Нет»", "ответил", "он")]
    assert article.meta == {"layers": "quotes"}


def test_tags_alone_make_whole_quotations(tmp_path):
    gold = [replace(parse(case), id=name) for name, case in QUOTATIONS.items()]
    path = tmp_path / "a.parquet"
    hf.write(gold, path)
    parquet.write_table(parquet.read_table(path).drop_columns(["entities", "quotes"]), path)
    assert {article.id: article.quotes for article in formats.read(path)} == {article.id: article.quotes for article in gold}


def test_a_cue_in_no_quotation_is_told(tmp_path):
    text = ["Он", "сказал", ".", "«Да»", ",", "—", "ответил", "Петров", "."]
    tags = ["B-SPEAKER", "B-CUE", "O", "B-DIRECT", "O", "O", "B-CUE", "B-SPEAKER", "O"]
    path = tokens(tmp_path / "saved", {"tokens": [text], "quote_tags": [tags]})
    problems: list[UserError] = []
    [article] = formats.read(path, options=Options(report=problems.append))
    assert [(q.cue, q.speaker) for q in article.quotes] == [(Span(21, 28, CUE), Span(29, 35, SPEAKER))]
    assert [str(problem).partition(": ")[2] for problem in problems] == [
        "quote_tags: SPEAKER 'Он' stands near no content; mend the tags",
        "quote_tags: CUE 'сказал' stands near no content; mend the tags",
    ]


BROKEN_TAGS = {
    "IOB1": (["I-PER", "O"], "ner_tags[0]: found I-PER after O, expected B-PER"),
    "another label": (["B-PER", "I-LOC"], "ner_tags[1]: found I-LOC after B-PER"),
    "BIOES": (["S-PER", "O"], "ner_tags[0]: found 'S-PER', expected O, B-LABEL or I-LABEL"),
    "no scheme": (["PER", "O"], "found 'PER'"),
    "no label": (["B-", "O"], "found 'B-'"),
    "too few": (["O"], "1 tags for 2 tokens"),
}


@pytest.mark.parametrize("name", BROKEN_TAGS)
def test_tags_that_are_not_iob2_are_refused_with_their_row(tmp_path, name):
    tags, expected = BROKEN_TAGS[name]
    path = tokens(tmp_path / "saved", {"tokens": [["Да"], ["Иван", "Петров"]], "ner_tags": [["O"], tags]})
    message = refusal(path)
    assert message.startswith(f"{path / 'data-00000-of-00001.arrow'}:2: ner_tags") and expected in message


def test_numbers_without_names_are_refused(tmp_path):
    parquet.write_table(pyarrow.table({"tokens": [["Да"]], "ner_tags": [[1]]}), tmp_path / "a.parquet")
    assert "a.parquet:1: ner_tags[0]: found the number 1" in refusal(tmp_path / "a.parquet")
    path = tokens(tmp_path / "saved", {"tokens": [["Да"]], "ner_tags": [[1]]}, ner_tags=["O", "B-PER"])
    info = json.loads((path / "dataset_info.json").read_text())
    info["features"]["ner_tags"]["feature"]["names"] = ["O"]
    (path / "dataset_info.json").write_text(json.dumps(info))
    assert "expected a number from 0 to 0" in refusal(path)


def test_a_problem_that_is_reported_leaves_out_what_it_concerns(tmp_path):
    rows = {"tokens": [["Иван", "Петров", "в", "Омске"], ["Да"]], "ner_tags": [["I-PER", "I-PER", "O", "B-LOC"], ["X"]]}
    problems: list[UserError] = []
    [article] = formats.read(tokens(tmp_path / "saved", rows), options=Options(report=problems.append))
    assert article.entities == (Span(14, 19, "LOC"),)
    assert len(problems) == 2


# Ours, as others write it


def test_lists_as_columns_and_places_of_nulls_are_read(tmp_path):
    row = {
        "text": FRAME,
        "entities": {"start": [0, 24], "end": [6, 30], "label": ["PER", "PER"]},
        "quotes": [
            {"kind": "direct", "content": [{"start": 15, "end": 19}], "cue": {"start": None, "end": None}, "speaker": None, "name": None}
        ],
        "meta": {"title": "Да"},
    }
    parquet.write_table(pyarrow.Table.from_pylist([row]), tmp_path / "a.parquet")
    [article] = formats.read(tmp_path / "a.parquet")
    assert (article.id, article.entities, article.meta) == ("a-1", HAND.entities, {"title": "Да"})
    assert article.quotes == (Quote("direct", (Span(15, 19, "DIRECT"),)),)


BROKEN_ROWS = {
    "no text": ({"entities": []}, "text: found nothing"),
    "number for text": ({"text": 1}, "text: found 1"),
    "string offset": ({"text": "Да", "entities": [{"start": "0", "end": "2", "label": "PER"}]}, "entities[0]: found the offsets"),
    "no label": ({"text": "Да", "entities": [{"start": 0, "end": 2}]}, "entities[0].label"),
    "unlike lengths": ({"text": "Да", "entities": {"start": [0], "end": []}}, "unlike lengths"),
    "kind": ({"text": "Да", "quotes": [{"kind": "said", "content": [{"start": 0, "end": 2}]}]}, "kind"),
    "meta": ({"text": "Да", "meta": [{"key": "a", "value": 1}]}, "meta"),
    "id": ({"id": 1.5, "text": "Да"}, "id: found 1.5"),
    "tokens": ({"tokens": [1], "ner_tags": ["O"]}, "tokens: found"),
    "tokens without tags": ({"tokens": ["Да"]}, "ner_tags: none"),
    "token spans": (
        {"tokens": ["Да"], "token_spans": [{"start": 1, "end": 2}], "text": "Да", "ner_tags": ["O"]},
        "token_spans: the text at them is not the tokens",
    ),
}


@pytest.mark.parametrize("name", BROKEN_ROWS)
def test_a_row_that_says_something_else_is_refused(tmp_path, name):
    row, expected = BROKEN_ROWS[name]
    parquet.write_table(pyarrow.Table.from_pylist([row]), tmp_path / "a.parquet")
    message = refusal(tmp_path / "a.parquet")
    assert message.startswith(f"{tmp_path / 'a.parquet'}:1: ") and expected in message


@pytest.mark.parametrize("name", ["../secret.arrow", "/etc/passwd", "..", "a/b", "a\\b", "", None, 3])
def test_a_dataset_names_no_file_outside_its_folder(tmp_path, name):
    formats.write([HAND], tmp_path / "saved", "hf")
    state = {"_data_files": [{"filename": name}]}
    (tmp_path / "saved/state.json").write_text(json.dumps(state), encoding="utf-8")
    assert "expected one in this folder" in refusal(tmp_path / "saved")
    (tmp_path / "dataset_dict.json").write_text(json.dumps({"splits": [name]}), encoding="utf-8")
    assert "dataset_dict.json" in refusal(tmp_path)


def test_what_is_not_whole_is_refused(tmp_path):
    formats.write([HAND], tmp_path / "saved", "hf")
    (tmp_path / "saved/state.json").unlink()
    assert "state.json: missing" in refusal(tmp_path / "saved")
    (tmp_path / "a.parquet").write_bytes(b"")
    assert "a.parquet: cannot be read after row 0" in refusal(tmp_path / "a.parquet")


# The Hub


def test_a_hub_that_cannot_be_reached_is_said_in_one_line(monkeypatch):
    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", lambda *_, **__: (_ for _ in ()).throw(ConnectionError("no route\nat all")))
    message = refusal(Path("hub:owner/name:train"))
    assert message.startswith("hub:owner/name: the Hugging Face Hub cannot be reached (no route); give a folder")


@pytest.mark.parametrize("name", ["hub:", "hub:a/b/c", "hub:a b", "hub:../x", "hub:a/b:"])
def test_a_name_that_is_none_of_the_hub_is_refused(monkeypatch, name):
    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", lambda *_, **__: (_ for _ in ()).throw(ConnectionError("no route")))
    assert name[:6] in refusal(Path(name))


def test_a_split_of_the_hub_is_fetched_as_parquet(tmp_path, monkeypatch):
    files = ["README.md", "data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet", "data/test-00000-of-00001.parquet"]
    for i, name in enumerate(files[1:]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        formats.write([replace(HAND, id=f"{i}")], tmp_path / name)
    info = SimpleNamespace(sha="abc", siblings=[SimpleNamespace(rfilename=name) for name in files])
    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", lambda *_, **__: info)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda _, file, repo_type, revision: str(tmp_path / file))
    assert [article.id for article in formats.read(Path("hub:owner/name:train"))] == ["0", "1"]
    assert "it has test, train; name it as hub:owner/name:SPLIT" in refusal(Path("hub:owner/name"))
    assert "found 0 splits" in refusal(Path("hub:owner/name:dev"))


def test_the_shards_of_the_hub_are_told_by_name():
    places = {
        "data/train-00000-of-00002.parquet": "train",
        "data/train-00000-of-00002-0a1b2c3d.parquet": "train",
        "default/train/0000.parquet": "train",
        "ru/validation/0000.parquet": "ru/validation",
        "ru/train-00000-of-00001.parquet": "ru/train",
        "train.parquet": "train",
    }
    found = {name: hf._SHARD.fullmatch(name) for name in places}
    assert {name: shard and hf._split(shard) for name, shard in found.items()} == places


# Damage


@pytest.mark.parametrize(("name", "file"), [("a.parquet", "a.parquet"), ("saved", "saved/data-00000-of-00001.arrow")])
def test_damaged_tables_are_read_or_refused(tmp_path, name, file):
    formats.write(articles(3), tmp_path / name, "hf")
    data, rng, taken = (tmp_path / file).read_bytes(), Random(8), 0
    for mutant in mangled(data, rng, 2000):
        (tmp_path / file).write_bytes(mutant)
        taken += survives(lambda: formats.read(tmp_path / name))
    assert 0 < taken < 1800


@pytest.mark.parametrize("file", ["state.json", "dataset_info.json"])
def test_damaged_descriptions_are_read_or_refused(tmp_path, file):
    path = tokens(tmp_path / "saved", {"tokens": [["Да"]], "ner_tags": [[1]]}, ner_tags=["O", "B-PER"])
    data, rng = (path / file).read_bytes(), Random(8)
    for i in range(300):
        (path / file).write_bytes(KINDS[i % len(KINDS)](data, rng))
        survives(lambda: formats.read(path, "hf"))


def test_formats_do_not_load_what_they_are_not_asked_for():
    import subprocess

    code = "import sys, govorit.formats.hf, govorit.formats.xmi, govorit.formats.docbin; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"datasets", "pyarrow", "spacy", "cassis", "lxml", "huggingface_hub"} & set(loaded)
