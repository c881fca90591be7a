import importlib.util
import json

import numpy as np
import pytest
import raw
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from govorit.corpora import silver
from govorit.corpora.silver import HEADS, LAYERS, REACH, Silver
from govorit.errors import UserError

ARTICLES = [raw.article(number) for number in range(5)]


def equal(one: Silver, other: Silver) -> bool:
    arrays = [(one.first, other.first), (one.starts, other.starts), *((one.labels[layer], other.labels[layer]) for layer in LAYERS)]
    return one.names == other.names and all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in arrays)


# The file


def test_labels_come_back_from_their_file(tmp_path):
    made, path = raw.labels(ARTICLES), tmp_path / "a.silver.safetensors"
    made.save(path, "9f8a")
    assert equal(silver.load(path, "9f8a"), made)
    assert list(tmp_path.iterdir()) == [path]
    assert all(isinstance(value, np.ndarray) for value in load_file(path).values()), "plain arrays"


def test_each_document_has_its_own_labels():
    together = raw.labels(ARTICLES)
    for number, article in enumerate(ARTICLES):
        starts, labels = together.document(number)
        alone = raw.labels([article])
        assert starts.tolist() == alone.starts.tolist() and labels.keys() == set(LAYERS)
        assert all(labels[layer].tolist() == alone.labels[layer].tolist() for layer in LAYERS)


def test_nothing_at_all_comes_back(tmp_path):
    made = raw.labels([])
    made.save(tmp_path / "a", "")
    assert equal(silver.load(tmp_path / "a", ""), made)


@pytest.mark.parametrize("damage", ["empty", "cut off", "no names", "no text", "no metadata", "no starts", "names are no JSON", "a folder"])
def test_a_damaged_file_is_told_in_a_line(tmp_path, damage):
    path = tmp_path / "a.silver.safetensors"
    raw.labels(ARTICLES).save(path, "9f8a")
    tensors, told = load_file(path), {"names": json.dumps(raw.NAMES), "text": "9f8a"}
    if damage in ("empty", "cut off"):
        path.write_bytes(path.read_bytes()[: -10 if damage == "cut off" else 0])
    elif damage == "a folder":
        path.unlink()
        path.mkdir()
    else:
        tensors = {name: value for name, value in tensors.items() if damage != "no starts" or name != "starts"}
        told = {name: value for name, value in told.items() if damage != f"no {name}"}
        told |= {"names": "["} if damage == "names are no JSON" else {}
        save_file(tensors, path, metadata=None if damage == "no metadata" else told)
    with pytest.raises(UserError, match=rf"^{path}: cannot be read .*; make it anew with scripts/silver\.py$"):
        silver.load(path, "9f8a")


@pytest.mark.parametrize(
    "documents", [["Да.", "Нет."], ["Нет.", "Да."], ["Да."], ["Да.Нет."], ["Да.\nНет."], ["Да.", "Нет.", ""], ["Да.", "Нет"], []]
)
def test_a_digest_is_that_of_these_documents_in_this_order(documents):
    others = [["Да", "Нет."], ["Д", "а.", "Нет."], ["да.", "нет."]]
    assert silver.digest(iter(documents)) == silver.digest(documents) not in [silver.digest(other) for other in others]
    assert (silver.digest(documents) == silver.digest(["Да.", "Нет."])) == (documents == ["Да.", "Нет."])
    silver.digest(["\ud800"])


# Syntactic heads


@given(st.lists(st.integers(0, 60), max_size=60))
def test_a_label_says_where_the_head_stands(found):
    found = [min(head, len(found)) for head in found]
    labels = silver.heads(found)
    assert labels.dtype == np.int16 and labels.shape == (len(found),)
    for at, (head, label) in enumerate(zip(found, labels, strict=True), 1):
        offset = head - at
        if head in (0, at):
            expected = "root"
        elif abs(offset) > REACH:
            expected = "left" if offset < 0 else "right"
        else:
            expected = f"{offset:+d}"
        assert HEADS[label] == expected


def test_labels_of_heads_are_told_apart():
    assert len(set(HEADS)) == len(HEADS) == 3 + 2 * REACH


# Natasha


def test_without_natasha_it_is_told_how_to_get_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for call in (silver.natasha, silver.navec, silver.Teacher):
        with pytest.raises(UserError, match=r"^natasha: not installed, .*; pip install "):
            call()


def test_what_natasha_says():
    pytest.importorskip("slovnet")
    pytest.importorskip("natasha")
    texts = ["«Да», — сказал Иван Петров.\n\nОн живёт в Москве. Мэр Сергей Собянин подписал указ.", "", "Снег выпал."]
    done = []
    found = silver.annotate(texts, 1, done.append)
    assert len(found.first) == 4 and (found.first[0], found.first[-1]) == (0, len(found.starts)) and found.first[1] == found.first[2]
    assert sum(done) == sum(map(len, texts)) and found.labels.keys() == set(LAYERS) == found.names.keys()
    starts, labels = found.document(0)
    named = {layer: [found.names[layer][i] for i in values] for layer, values in labels.items()}
    at = {word: starts.tolist().index(texts[0].index(word)) for word in ("сказал", "Иван", "Петров", "Москве", "Мэр", "подписал", "указ")}
    entities = named["entities"]
    assert [entities[at[word]] for word in ("Иван", "Петров", "Москве", "указ")] == ["B-PER", "I-PER", "B-LOC", "O"]
    assert named["forms"][at["сказал"]].startswith("VERB|") and "VerbForm=Fin" in named["forms"][at["сказал"]]
    assert named["relations"][at["подписал"]] == "root" and named["heads"][at["подписал"]] == "root"
    assert named["heads"][at["Мэр"]] == f"{at['подписал'] - at['Мэр']:+d}" and named["relations"][at["Мэр"]] == "nsubj"
    assert silver.annotate(texts[2:], 1).starts.tolist() == found.document(2)[0].tolist() == [0, 5, 10]


def test_the_labels_made_by_hand_in_these_tests_are_called_as_natasha_calls_them():
    pytest.importorskip("slovnet")
    pytest.importorskip("natasha")
    names = silver.teacher().names
    assert names["entities"] == raw.NAMES["entities"] and names["heads"] == raw.NAMES["heads"]
    assert set(raw.NAMES["relations"]) <= set(names["relations"])


def test_natashas_word_vectors():
    pytest.importorskip("navec")
    pytest.importorskip("natasha")
    vectors = silver.navec()
    assert len(vectors.vocab.words) > 200_000 and vectors["президент"].shape == (300,)


def test_chunks_keep_every_document_in_its_place():
    documents = raw.documents(30)
    for size in (1, 500, 10**9):
        chunks = list(silver._chunks(documents, size))
        assert [document for chunk in chunks for document in chunk] == documents
        assert all(sum(map(len, chunk[:-1])) < size for chunk in chunks)
    assert list(silver._chunks([], 10)) == []
