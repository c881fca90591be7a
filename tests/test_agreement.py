"""Alpha against Krippendorff's own examples, and scripts/agreement.py as a user runs it."""

import doctest
import json
import random
from dataclasses import replace
from functools import partial
from itertools import permutations

import pytest
from generate import random_article

from govorit.article import Article
from govorit.cli import agreement as cli
from govorit.errors import UserError
from govorit.evaluation import agreement
from govorit.evaluation.agreement import alpha, measure, pair, word_labels
from govorit.formats import brat, jsonl
from govorit.formats.inline import parse

ANNA = parse(
    '<q><ORG>Росстат</ORG> ошибся</q>, — <cue>сказал</cue> <src name="Иван Петров"><PER>Петров</PER></src> в <LOC>Москве</LOC>.', "1"
)
BORIS = parse('<q>Росстат ошибся</q>, — <cue>сказал</cue> <src name="Пётр Петров"><PER>Петров</PER></src> в <ORG>Москве</ORG>.', "1")


def by_definition(values: list[tuple[str, str]]) -> float:
    """One less observed over expected disagreement: of the values of a unit, and of any two of all values."""
    observed = sum(one != other for one, other in values) / len(values)
    every = [value for unit in values for value in unit]
    pairs = list(permutations(every, 2))
    return 1 - observed / (sum(one != other for one, other in pairs) / len(pairs))


def test_examples_hold():
    assert doctest.testmod(agreement).failed == 0 and doctest.testmod(agreement).attempted


def test_alpha_of_krippendorffs_two_observers():
    """Krippendorff 2011, B: three of twelve units differ; of n = 24 values there are 4 a, 6 b, 6 c, 6 d, 2 e.

    alpha = (23 * (24 - 6) - (4*3 + 3 * 6*5 + 2*1)) / (24 * 23 - (4*3 + 3 * 6*5 + 2*1)) = (414 - 104) / (552 - 104) = 0.692.
    """
    ben, gerry = "aabbdcccedda", "babbbccceddd"
    assert alpha(zip(ben, gerry, strict=True)) == pytest.approx(310 / 448) == pytest.approx(0.692, abs=5e-4)


def test_alpha_of_krippendorffs_binary_data():
    """Krippendorff 2011, A: four of ten units differ; of 20 values 14 are 0: 1 - 19 * 4 / (14 * 6) = 0.095."""
    assert alpha(zip("0100000010", "1110010000", strict=True)) == pytest.approx(1 - 19 * 8 / (2 * 14 * 6)) == pytest.approx(0.095, abs=5e-4)


@pytest.mark.parametrize("seed", range(5))
def test_alpha_by_its_definition(seed):
    rng = random.Random(seed)
    values = [tuple(rng.choices(["", "PER", "LOC"], [6, 2, 1], k=2)) for _ in range(30)]
    assert alpha(values) == pytest.approx(by_definition(values)) == pytest.approx(alpha([pair[::-1] for pair in values]))


def test_alpha_where_nothing_varies_and_where_nothing_differs():
    assert alpha([]) is None and alpha([("", "")] * 5) is None
    assert alpha([("PER", "PER"), ("", "")]) == 1.0


def test_words_have_the_label_of_their_span():
    article = parse("<PER>В. Путин</PER> в <LOC>Санкт-Петербурге</LOC>.", "1")
    assert word_labels(article, "entities") == ["PER"] * 3 + [""] + ["LOC"] * 3 + [""]
    assert word_labels(article, "quotes") == [""] * 8


def test_agreement_counted_by_hand():
    """Of three entities and two, one is the same; of nine words, two differ."""
    found = measure([(ANNA, BORIS)], 0)
    entities = found.layers["entities"]
    assert (entities["micro"].strict.support, entities["micro"].strict.predicted) == (3, 2)
    assert entities["micro"].strict.f1 == pytest.approx(2 / 5) and entities["PER"].strict.f1 == 1.0 == entities["PER"].alpha
    # Of 18 values 13 are none, 2 PER, 2 ORG, 1 LOC.
    assert found.words == 9 and entities["micro"].alpha == pytest.approx(1 - 17 * 4 / (18 * 18 - 13**2 - 2**2 - 2**2 - 1))
    assert found.quotations.with_speaker["all"].f1 == 1.0 and found.quotations.said_by["all"].f1 == 0.0
    ((article, listed),) = found.disagreements
    assert article is ANNA and [(item.layer, item.kind, item.gold_spans, item.predicted_spans) for item in listed] == [
        ("entities", "missed", ((0, 7, "ORG"),), ()),
        ("quotes", "wrong name", ((25, 31, "SPEAKER"),), ((25, 31, "SPEAKER"),)),
        ("entities", "wrong label", ((34, 40, "LOC"),), ((34, 40, "ORG"),)),
    ]


@pytest.mark.parametrize("seed", range(4))
def test_who_is_a_and_who_is_b_changes_no_figure(seed):
    rng = random.Random(seed)
    one = [random_article(rng, str(i)) for i in range(4)]
    other = [replace(article, entities=article.entities[::2], quotes=article.quotes[1:]) for article in one]
    there, back = measure(pair(one, other), 0), measure(pair(other, one), 0)
    for layer, rows in there.layers.items():
        for label, row in rows.items():
            turned = back.layers[layer][label]
            assert (row.strict.f1, row.iou80.f1, row.alpha) == pytest.approx((turned.strict.f1, turned.iou80.f1, turned.alpha))


def test_whoever_agrees_with_himself_agrees():
    articles = [random_article(random.Random(i), str(i)) for i in range(5)]
    found = measure(pair(articles, articles), 0)
    assert not found.disagreements and set(found.layers) == {"entities", "quotes"}
    for rows in found.layers.values():
        assert all(row.strict.f1 == row.iou80.f1 == row.alpha == 1.0 for row in rows.values())


def test_a_layer_that_one_has_not_annotated_is_not_compared():
    bare = replace(BORIS, quotes=(), meta={"layers": "entities"})
    found = measure([(ANNA, bare)], 0)
    assert set(found.layers) == {"entities"} and found.quotations is None
    assert {item.layer for _, listed in found.disagreements for item in listed} == {"entities"}


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ([ANNA], [replace(BORIS, id="2")], "'1' is not in B (1 of 1 are not)"),
        ([ANNA], [BORIS, replace(BORIS, id="2")], "'2' is not in A (1 of 2 are not)"),
        ([ANNA, ANNA], [BORIS], "comes twice in A"),
        ([ANNA], [Article("1", "Другое")], "is another text than at"),
        ([], [], "have no article in common"),
    ],
)
def test_what_cannot_be_paired_is_refused(one, other, said):
    with pytest.raises(UserError, match=said.replace("(", r"\(").replace(")", r"\)")):
        pair([replace(article) for article in one], [replace(article) for article in other])


@pytest.fixture
def program(program, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return partial(program, cli.main)


def test_two_formats_side_by_side(program, tmp_path):
    jsonl.write([ANNA], tmp_path / "anna.jsonl")
    brat.write([BORIS], tmp_path / "boris")
    status, out, err = program("anna.jsonl", "boris", "--out", "report")
    assert (status, err) == (0, "")
    assert "A: `anna.jsonl`, B: `boris`; 1 articles, 9 words" in out and "## 3 disagreements" in out
    assert "- entities, A alone: `ORG Росстат` 0–7\n" in out
    assert "- entities, label: A `LOC Москве` 34–40; B `ORG Москве` 34–40\n" in out
    assert "Иван Петров" in out and "Пётр Петров" in out
    assert (tmp_path / "report/agreement.md").read_text(encoding="utf-8") == out
    plain = json.loads((tmp_path / "report/agreement.json").read_text(encoding="utf-8"))
    assert plain["disagreements"][0] | {"b": []} == plain["disagreements"][0]
    assert plain["disagreements"][0]["a"] == [{"start": 0, "end": 7, "label": "ORG"}]
    assert plain["layers"]["entities"]["micro"]["strict"]["f1"] == 0.4
    status, out, _ = program("anna.jsonl", "boris", "--list", 1, "--resamples", 0)
    assert status == 0 and "Росстат` 0–7" in out and "Москве" not in out and "… and 2 more" in out


def test_mistakes_of_a_user_are_told_in_a_line(program, tmp_path):
    jsonl.write([ANNA], tmp_path / "a.jsonl")
    jsonl.write([BORIS, replace(BORIS, id="2")], tmp_path / "b.jsonl")
    jsonl.write([replace(BORIS, text=BORIS.text[:-1] + "!")], tmp_path / "c.jsonl")
    for arguments, said in (
        (("a.jsonl", "none.jsonl"), "none.jsonl: no such file or folder"),
        (("a.jsonl", "b.jsonl"), "b.jsonl:2: id: '2' is not in a.jsonl"),
        (("a.jsonl", "c.jsonl"), "c.jsonl:1: text: '1' is another text than at a.jsonl:1"),
    ):
        status, out, err = program(*arguments, "--out", "report")
        assert (status, out) == (2, "") and said in err and err.count("\n") == 1 and not (tmp_path / "report").exists()
    assert program("a.jsonl", "b.jsonl", "--common", "--resamples", 0)[0] == 0
