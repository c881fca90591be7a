from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from generate import random_article

from govorit.article import Article, Span
from govorit.config import Data, Source, Split
from govorit.corpora import corpus
from govorit.corpora.duplicates import similarity
from govorit.corpora.splits import SPLITS, leaks, share_out, take
from govorit.errors import UserError
from govorit.formats import jsonl

RARITY = {"PER": 0.6, "ORG": 0.3, "LOC": 0.2, "LAW": 0.03, "RANK": 0.01}


def news(count: int, seed: int = 1) -> list[Article]:
    """Articles of 60 words of their own, with labels from frequent to rare."""
    rng = Random(seed)
    articles = []
    for number in range(count):
        words = [f"слово{rng.randrange(10**6)}" for _ in range(60)]
        text, spans, at = " ".join(words), [], 0
        for word in words:
            label = next((label for label, share in RARITY.items() if rng.random() < share / 4), None)
            if label:
                spans.append(Span(at, at + len(word), label))
            at += len(word) + 1
        articles.append(Article(f"a-{number:04}", text, tuple(spans)))
    return articles


def near(article: Article, id: str) -> Article:
    """Nearly the article: its last two words are others (0.97 of its shingles stay)."""
    words = article.text.split()
    return Article(id, " ".join([*words[:-2], "иное", "слово"]))


def labels(articles: list[Article]) -> Counter[str]:
    return Counter(span.label for article in articles for span in article.entities)


@pytest.mark.parametrize("seed", range(4))
def test_every_label_has_its_share(seed):
    articles = news(600)
    total = labels(articles)
    assert 10 < total["RANK"] < 120 < total["LOC"]
    for name, part in share_out(articles, Split(0.1, 0.2), seed).items():
        share = {"train": 0.7, "dev": 0.1, "test": 0.2}[name]
        assert len(part) == 600 * share
        assert all(abs(labels(part)[label] - share * count) <= max(1.5, 0.08 * share * count) for label, count in total.items())


def test_every_fold_has_its_share_of_every_label():
    articles = news(500)
    total, tested = labels(articles), []
    for fold in range(5):
        parts = share_out(articles, Split(0.1, 0, folds=5, fold=fold), 0)
        assert [len(parts[name]) for name in SPLITS] == [360, 40, 100]
        assert all(abs(labels(parts["test"])[label] - count / 5) <= max(1.5, 0.016 * count) for label, count in total.items())
        tested += [article.id for article in parts["test"]]
    assert sorted(tested) == [article.id for article in articles]


def test_near_duplicates_stay_on_one_side_and_the_threshold_is_the_configs():
    articles = news(200)
    copies = [near(article, f"b-{i}") for i, article in enumerate(articles)]
    assert all(similarity(a.text, b.text) > 0.9 for a, b in zip(articles, copies, strict=True))

    def parted(threshold: float, **folds: int) -> int:
        parts = share_out([*articles, *copies], Split(0.2, 0.2, near=threshold, **folds), 0)
        where = {article.id: name for name, part in parts.items() for article in part}
        return sum(where[a.id] != where[b.id] for a, b in zip(articles, copies, strict=True))

    assert parted(0.8) == parted(0.9) == parted(0.8, folds=4, fold=1) == 0
    assert parted(1.0) > 50


def test_the_split_is_the_seeds_whatever_the_order_and_the_ids_leave_it():
    articles = [*news(120), *(near(article, f"b-{article.id}") for article in news(20))]
    parts = share_out(articles, Split(), 5)
    for seed in range(3):
        assert share_out(Random(seed).sample(articles, len(articles)), Split(), 5) == parts
    assert share_out(articles, Split(), 6) != parts
    renamed = share_out([replace(article, id=f"x{article.id}") for article in articles], Split(), 5)
    assert {name: [a.id[1:] for a in part] for name, part in renamed.items()} == {
        name: [a.id for a in part] for name, part in parts.items()
    }


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
def test_little_corpora_are_shared_out_whole(count):
    for split in (Split(), Split(0.5, 0.4), Split(0, 0), Split(0.2, 0, folds=2) if count > 1 else Split()):
        parts = share_out(news(count), split, 0)
        assert sorted(a.id for part in parts.values() for a in part) == [a.id for a in news(count)]


def test_a_group_larger_than_its_split_goes_somewhere():
    article = news(1)[0]
    parts = share_out([replace(article, id=str(i)) for i in range(10)], Split(0.3, 0.3), 0)
    assert [len(part) for part in parts.values()] == [10, 0, 0]


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        (Split(0.5, 0.5), "leave nothing to train on"),
        (Split(-0.1, 0.5), "leave nothing"),
        (Split(1.0, 0, folds=2), "leave nothing"),
        (Split(near=0), r"data\.split\.near"),
        (Split(near=1.1), r"data\.split\.near"),
        (Split(folds=5, fold=5), "fold counts from 0"),
        (Split(folds=50), "fold 0 of 50 with 20 articles"),
    ],
)
def test_splits_that_cannot_be(split, expected):
    with pytest.raises(UserError, match=expected):
        share_out(news(20), split, 0)


# The learning curve


def test_a_smaller_fraction_is_part_of_a_larger_one_and_keeps_the_shares():
    articles = news(400)
    total, before = labels(articles), set()
    for fraction in (0.05, 0.1, 0.125, 0.2, 0.25, 0.5, 0.9, 1.0):
        chosen = take(Random(1).sample(articles, len(articles)), fraction, 3)
        ids = {article.id for article in chosen}
        assert before < ids and len(chosen) == len(ids) == round(400 * fraction)
        before = ids
        if fraction in (0.125, 0.25, 0.5):
            assert all(abs(labels(chosen)[label] - fraction * count) <= max(3, 0.15 * fraction * count) for label, count in total.items())
    assert take(articles, 0.1, 4) != take(articles, 0.1, 3)
    assert len(take(articles[:3], 0.01, 0)) == 1


def test_the_fraction_takes_of_the_training_articles_alone(tmp_path):
    jsonl.write(news(100), tmp_path / "a.jsonl")
    source = {"news": Source(path=str(tmp_path / "a.jsonl"))}
    whole = corpus.load(Data(name="x", sources=source), ["entities"], 0)
    part = corpus.load(Data(name="x", sources=source, fraction=0.25), ["entities"], 0)
    assert len(whole.splits["train"]) == 80 and len(part.splits["train"]) == 20
    assert whole.splits["dev"] == part.splits["dev"] and whole.splits["test"] == part.splits["test"]
    assert "data.fraction: 20 of 80 training articles" in part.notes and whole.fingerprint != part.fingerprint


# Leaks


def test_a_leak_names_both_articles():
    train, dev = news(30), news(30, seed=2)
    copy = replace(train[3], id="copy", text=train[3].text.upper())
    found = list(leaks({"train": train, "dev": [*dev, copy, near(train[5], "near")], "test": [replace(dev[0], id="again")]}, 0.8))
    assert found == [
        "leak: article 'copy' of dev has the same text as 'a-0003' of train; scores on dev are too good",
        "leak: article 'near' of dev has nearly the text (93%) of 'a-0005' of train; scores on dev are too good",
        "leak: article 'again' of test has the same text as 'a-0000' of dev; scores on test are too good",
    ]
    assert len(list(leaks({"train": train, "dev": [near(train[5], "near")], "test": []}, 0.95))) == 0
    assert list(leaks({"train": [train[0], copy, near(train[3], "n"), train[3]], "dev": [], "test": dev}, 0.8)) == []


def test_all_planted_duplicates_across_a_split_are_noted():
    rng = Random(4)
    train = [random_article(rng, f"t-{i}", exotic=False) for i in range(20)] + news(150)
    planted = [replace(a, id=f"exact-{a.id}") for a in train[20:70]]
    planted += [replace(a, id=f"written-{a.id}", text=a.text.title().replace(" ", " \n")) for a in train[70:120]]
    planted += [near(a, f"near-{a.id}") for a in train[120:170]]
    found = list(leaks({"train": train, "dev": planted, "test": []}, 0.8))
    assert len(found) == 150 and all(f"'{article.id}' of dev" in note for article, note in zip(planted, found, strict=True))


def test_near_leaks_between_given_splits_are_noted_with_the_configs_threshold(tmp_path):
    train = news(20)
    jsonl.write(train, tmp_path / "train.jsonl")
    jsonl.write([near(train[0], "b")], tmp_path / "dev.jsonl")
    source = {"news": Source(path=str(tmp_path))}
    assert any("'b' of dev" in note for note in corpus.load(Data(name="x", sources=source), ["entities"], 0).notes)
    strict = Data(name="x", sources=source, split=Split(near=1.0))
    assert not any("leak" in note for note in corpus.load(strict, ["entities"], 0).notes)


@pytest.mark.parametrize("name", ["dev", "validation"])
def test_the_splits_in_a_folder_are_found_by_their_names(tmp_path, name):
    for split in ("train", name, "test"):
        jsonl.write(news(2, seed=len(split)), tmp_path / f"{split}.jsonl")
    assert list(corpus.splits_in(tmp_path)) == ["train", "dev", "test"]
    assert corpus.splits_in(tmp_path)["dev"].stem == name
    (tmp_path / "train.jsonl").unlink()
    assert corpus.splits_in(tmp_path) == {} == corpus.splits_in(tmp_path / "test.jsonl")
