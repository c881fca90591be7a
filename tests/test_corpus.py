import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from random import Random

import datasets
import pytest
from datasets import ClassLabel, List, Value
from generate import LABELS, random_article

from govorit import words
from govorit.article import CUE, QUOTE_LABELS, SPEAKER, Article, Quote, Span
from govorit.config import Data, Source, Split
from govorit.corpora import corpus
from govorit.corpora.corpus import Corpus
from govorit.errors import UserError
from govorit.formats import hf, jsonl

CORPORA = Path(os.environ.get("GOVORIT_DATA") or Path(__file__).parents[2] / "shared/data")
CONF = Path(__file__).parents[1] / "conf"
ALL_LABELS = {"entities": list(LABELS), "quotes": list(QUOTE_LABELS)}

TEXT = "Иванов сказал: «Да»"
PERSON = Span(0, 6, "PER")
SAID = Quote("direct", (Span(15, 19, "DIRECT"),), Span(7, 13, CUE), Span(0, 6, SPEAKER), "Иван Иванов")


def said(name: str, text: str = TEXT) -> Article:
    """An article of its own text, with an entity and a quotation."""
    return Article(name, f"{text}, {name}", (PERSON,), (SAID,))


def write(path: Path, *articles: Article) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    jsonl.write(articles, path)
    return path


def load(source: Source, layers=("entities", "quotes"), seed: int = 0, **data) -> Corpus:
    return corpus.load(Data(name="folder", sources={"news": source}, **data), list(layers), seed)


def many(count: int, seed: int = 1) -> list[Article]:
    rng = Random(seed)
    return [random_article(rng, id=f"a-{number:03d}", crossing=True) for number in range(count)]


# The Hugging Face dataset


def test_the_features_are_what_run_ner_expects_and_the_offsets_that_it_lacks():
    place = {"start": Value("int32"), "end": Value("int32")}
    made = corpus.dataset(Corpus({"train": [said("a")], "dev": [], "test": []}, {"entities": ["PER"], "quotes": list(QUOTE_LABELS)}, []))
    assert list(made) == ["train"]
    assert made["train"].features == datasets.Features(
        {
            "id": Value("string"),
            "text": Value("string"),
            "tokens": List(Value("string")),
            "token_spans": List(place),
            "ner_tags": List(ClassLabel(names=["O", "B-PER", "I-PER"])),
            "quote_tags": List(ClassLabel(names=["O", *(f"{p}-{label}" for label in QUOTE_LABELS for p in "BI")])),
            "entities": List({**place, "label": Value("string")}),
            "quotes": List({"kind": Value("string"), "content": List(place), "cue": place, "speaker": place, "name": Value("string")}),
            "meta": List({"key": Value("string"), "value": Value("string")}),
        }
    )


def test_the_dataset_has_only_the_tags_of_the_layers_that_are_learnt():
    made = corpus.dataset(Corpus({"train": [said("a")]}, {"entities": ["PER"]}, []))
    assert "quote_tags" not in made["train"].features and made["train"][0]["quotes"]


def test_rows_give_the_articles_back_and_their_tags_the_spans(tmp_path):
    articles = many(300)
    made = corpus.dataset(Corpus({"train": articles}, ALL_LABELS, []))
    made.save_to_disk(tmp_path / "dataset")
    stored = datasets.load_from_disk(tmp_path / "dataset")["train"]
    spans = 0
    for row, article in zip(stored, articles, strict=True):
        assert corpus.article(row) == article
        bounds = [(item["start"], item["end"]) for item in row["token_spans"]]
        assert row["tokens"] == [article.text[start:end] for start, end in bounds]
        for layer, column in hf.TAG_COLUMNS.items():
            names = stored.features[column].feature.names
            assert words.decode([names[tag] for tag in row[column]], bounds) == list(article.layer(layer))
            spans += len(article.layer(layer))
    assert spans > 1000


def test_a_layer_that_is_not_annotated_has_no_tags_rather_than_empty_ones():
    known = replace(said("a"), meta={"layers": "entities quotes"})
    half = replace(said("b"), quotes=(), meta={"layers": "entities"})
    rows = corpus.dataset(Corpus({"train": [known, half]}, {"entities": ["PER"], "quotes": list(QUOTE_LABELS)}, []))["train"]
    assert rows[1]["quote_tags"] is None and rows[1]["ner_tags"][0] == 1
    assert rows[0]["quote_tags"] is not None


def test_gold_with_a_probability_on_it_becomes_a_dataset_all_the_same():
    scored = replace(said("a"), entities=(replace(PERSON, score=0.5),), quotes=(replace(SAID, score=0.25),))
    row = corpus.dataset(Corpus({"train": [scored]}, {"entities": ["PER"]}, []))["train"][0]
    assert corpus.article(row) == said("a")


# Splits


@pytest.mark.parametrize("split", [Split(0.1, 0.1), Split(0.25, 0.5), Split(0, 0), Split(0.2, 0, folds=4, fold=1)])
def test_sharing_out_is_a_partition_whatever_the_order(split):
    articles = many(97)
    parts = corpus.share_out(articles, split, 3)
    assert list(parts) == ["train", "dev", "test"]
    assert sorted(a.id for part in parts.values() for a in part) == sorted(a.id for a in articles)
    for seed in range(3):
        shuffled = Random(seed).sample(articles, len(articles))
        assert corpus.share_out(shuffled, split, 3) == parts


def test_the_shares_are_those_asked_for():
    parts = corpus.share_out([said(f"{i}") for i in range(100)], Split(0.1, 0.2), 0)
    assert [len(parts[name]) for name in ("test", "dev", "train")] == [20, 10, 70]


def test_another_seed_is_another_split():
    articles = [said(f"{i}") for i in range(100)]
    splits = [{a.id for a in corpus.share_out(articles, Split(), seed)["test"]} for seed in range(5)]
    assert len({frozenset(ids) for ids in splits}) == 5


def test_copies_of_an_article_stay_on_one_side():
    articles = []
    for i in range(60):
        text = f"Ещё  Пётр {i} сказал: «Всё». "
        articles += [
            Article(f"{i}-{n}", copy) for n, copy in enumerate((text, text.upper(), text.replace("ё", "е"), text.replace(" ", "\n\u00a0")))
        ]
    for seed in range(5):
        for split in (Split(0.3, 0.3), Split(0.3, 0.3, folds=3, fold=seed % 3)):
            parts = corpus.share_out(articles, split, seed)
            sides = {}
            for name, part in parts.items():
                assert part
                for article in part:
                    sides.setdefault(article.id.split("-")[0], set()).add(name)
            assert all(len(names) == 1 for names in sides.values())


def test_every_article_is_tested_once_over_the_folds():
    articles = many(53)
    tests, trained = [], 0
    for fold in range(5):
        parts = corpus.share_out(articles, Split(dev=0.1, folds=5, fold=fold), 0)
        tests += [a.id for a in parts["test"]]
        trained += len(parts["train"])
        assert 9 <= len(parts["test"]) <= 12
    assert sorted(tests) == sorted(a.id for a in articles) and trained > 4 * 40


@pytest.mark.parametrize("split", [Split(folds=5, fold=5), Split(folds=5, fold=-1), Split(folds=100)])
def test_folds_that_cannot_be(split):
    with pytest.raises(UserError, match=r"^data\.split: fold"):
        corpus.share_out(many(20), split, 0)


# Sources


def test_a_folder_with_splits_in_it(tmp_path):
    write(tmp_path / "train.jsonl", said("a"), said("b"))
    write(tmp_path / "dev" / "any.jsonl", said("c"))
    write(tmp_path / "test.jsonl", said("d"))
    found = load(Source(path=str(tmp_path)))
    assert {split: [a.id for a in part] for split, part in found.splits.items()} == {"train": ["a", "b"], "dev": ["c"], "test": ["d"]}
    assert found.labels == {"entities": ["PER"], "quotes": list(QUOTE_LABELS)} and found.notes == []
    assert found.splits["train"][0].meta == {"corpus": "news", "layers": "entities quotes"}


@pytest.mark.parametrize("name", ["news.jsonl", "folder/news.jsonl"])
def test_a_file_or_folder_without_splits_is_shared_out(tmp_path, name):
    file = write(tmp_path / name, *(said(f"{i}") for i in range(20)))
    path = file if file.parent == tmp_path else file.parent
    assert {split: len(part) for split, part in load(Source(path=str(path))).splits.items()} == {"train": 16, "dev": 2, "test": 2}


def test_train_dev_and_test_by_name(tmp_path):
    a, b = write(tmp_path / "x.jsonl", said("a")), write(tmp_path / "y.jsonl", said("b"))
    found = load(Source(train=str(a), test=str(b)))
    assert [len(part) for part in found.splits.values()] == [1, 0, 1]


def test_labels_are_mapped_and_what_is_not_is_counted(tmp_path):
    spans = (Span(0, 6, "PERSON"), Span(7, 13, "VERB"), Span(16, 18, "WORD"))
    path = write(tmp_path / "a.jsonl", Article("a", TEXT, spans), Article("b", TEXT + "!", spans))
    found = load(Source(train=str(path), labels={"PERSON": "PER", "WORD": "PER"}), ["entities"])
    assert [a.entities for a in found.splits["train"]] == [(PERSON, Span(16, 18, "PER"))] * 2
    assert found.notes == ["news: 2 entities have a label that is not mapped and are left out"]


def test_labels_that_a_source_does_not_cover_are_unknown_in_it(tmp_path):
    spans = (Span(0, 6, "PERSON"), Span(7, 13, "FIRM"))
    path = write(tmp_path / "a.jsonl", Article("a", TEXT, spans))
    other = write(tmp_path / "b.jsonl", Article("b", TEXT + "!", spans))
    mapped = {"PERSON": "PER", "FIRM": "ORG"}
    sources = {"part": Source(train=str(path), labels=mapped, covers=["PER"]), "all": Source(train=str(other), labels=mapped)}
    found = corpus.load(Data(name="mix", sources=sources), ["entities"], 0)
    part, whole = found.splits["train"]
    assert part.entities == (PERSON,) and [part.covers(label) for label in ("PER", "ORG")] == [True, False]
    assert len(whole.entities) == 2 and whole.covers("ORG") and found.labels["entities"] == ["ORG", "PER"]
    assert found.notes == ["part: 1 entities have a label that .covers does not name and are left out; words without a label may be such"]
    assert corpus.article(corpus.dataset(found)["train"][0]) == part, "the dataset knows as well"


def test_an_article_says_itself_what_it_covers_in_the_words_of_its_source(tmp_path):
    spans = (Span(0, 6, "PERSON"),)
    path = write(tmp_path / "a.jsonl", Article("a", TEXT, spans, meta={"covers": "PERSON FIRM"}), Article("b", TEXT + "!", spans))
    found = load(Source(train=str(path), labels={"PERSON": "PER", "FIRM": "ORG", "PLACE": "LOC"}), ["entities"])
    assert [[a.covers(label) for label in ("PER", "ORG", "LOC")] for a in found.splits["train"]] == [[True, True, False], [True] * 3]
    narrower = load(Source(train=str(path), labels={"PERSON": "PER", "FIRM": "ORG"}, covers=["PER"]), ["entities"])
    assert [a.meta["covers"] for a in narrower.splits["train"]] == ["PER", "PER"]


def test_an_entity_that_its_article_does_not_cover_is_refused(tmp_path):
    path = write(tmp_path / "a.jsonl", Article("a", TEXT, (PERSON,), meta={"covers": "LOC"}))
    with pytest.raises(UserError, match=r"the label 'PER' is not in meta\.covers"):
        load(Source(train=str(path)), ["entities"])


NESTED = (Span(0, 6, "PER"), Span(0, 13, "ORG"), Span(7, 13, "LOC"), Span(16, 18, "PER"))


def test_outermost_keeps_the_longest_and_counts_the_rest(tmp_path):
    path = write(tmp_path / "a.jsonl", Article("a", TEXT, NESTED), Article("b", TEXT + "!", NESTED[1:3]))
    found = load(Source(train=str(path), nested="outermost"), ["entities"])
    assert [a.entities for a in found.splits["train"]] == [(NESTED[1], NESTED[3]), (NESTED[1],)]
    assert found.notes == ["news: 3 entities lie inside (or across) a longer one and are left out: outermost only"]


def test_outermost_is_flat_and_leaves_nothing_that_would_fit():
    rng = Random(4)
    for _ in range(300):
        spans = [Span(start, start + rng.randrange(1, 12), rng.choice(LABELS)) for start in (rng.randrange(60) for _ in range(12))]
        kept = corpus.outermost(spans)
        assert set(kept) <= set(spans)
        assert not any(one.overlaps(other) for i, one in enumerate(kept) for other in kept[i + 1 :])
        assert all(any(span.overlaps(other) and other.end - other.start >= span.end - span.start for other in kept) for span in spans)
        assert corpus.outermost(rng.sample(spans, len(spans))) == kept


def test_nested_entities_are_refused_and_both_are_named(tmp_path):
    path = write(tmp_path / "a.jsonl", Article("a", TEXT, NESTED[:2]))
    with pytest.raises(UserError) as error:
        load(Source(train=str(path)), ["entities"])
    assert str(error.value).startswith(f"{path}:1: ") and "PER [0, 6) 'Иванов'" in str(error.value) and "ORG [0, 13)" in str(error.value)


def offsets(path: Path, *articles: Article, **changes) -> Path:
    lines = []
    for article in articles:
        digest = hashlib.sha256(article.text.encode()).hexdigest()
        item = {"id": article.id, "sha256": digest, "chars": len(article.text), "quotes": jsonl.record(article)["quotes"], **changes}
        lines.append(json.dumps(item))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_offset_annotation_is_joined_by_id_and_text(tmp_path):
    articles = [said("a"), said("b"), said("c")]
    bare = write(tmp_path / "a.jsonl", *(replace(a, quotes=()) for a in articles))
    found = load(Source(train=str(bare), quotes=[str(offsets(tmp_path / "q", *articles[:2]))]))
    assert [a.quotes for a in found.splits["train"]] == [(SAID,), (SAID,)]
    assert found.notes == ["news: 1 of 3 articles are not listed in the offset annotation and are left out"]


def test_offset_annotation_of_an_article_that_is_not_there_is_counted(tmp_path):
    articles = [said("a"), said("b"), said("c")]
    one, other = write(tmp_path / "a.jsonl", articles[0]), write(tmp_path / "b.jsonl", articles[1])
    found = load(Source(train=str(one), dev=str(other), quotes=[str(offsets(tmp_path / "q", *articles))]))
    assert found.notes == ["news: 1 of 3 articles that the offset annotation lists are not in the corpus"]


def test_offset_annotation_of_another_text_names_the_article(tmp_path):
    bare = write(tmp_path / "a.jsonl", replace(said("a"), quotes=()))
    path = offsets(tmp_path / "q", said("a"), sha256="0" * 64)
    with pytest.raises(UserError, match="'a'") as error:
        load(Source(train=str(bare), quotes=[str(path)]))
    assert str(error.value).startswith(f"{path}:1: sha256: ") and "data/README.md" in str(error.value)


@pytest.mark.parametrize("line", ["{", "[]", "1", '{"id": "a"}', '{"id": ["a"], "sha256": "", "quotes": []}', '{"id": "a", "quotes": []}'])
def test_broken_offset_annotation_names_its_line(tmp_path, line):
    bare = write(tmp_path / "a.jsonl", said("a"))
    path = tmp_path / "q"
    path.write_text("\n" + line, encoding="utf-8")
    with pytest.raises(UserError, match="expected an object with id, sha256 and quotes") as error:
        load(Source(train=str(bare), quotes=[str(path)]))
    assert str(error.value).startswith(f"{path}:2: ")


def test_labels_to_learn(tmp_path):
    spans = (Span(0, 6, "PER"), Span(7, 13, "ORG"), Span(16, 18, "LOC"))
    path = write(tmp_path / "a.jsonl", Article("a", TEXT, spans))
    found = load(Source(train=str(path)), ["entities"], labels=["LOC", "PER"])
    assert found.labels == {"entities": ["LOC", "PER"]} and found.splits["train"][0].entities == (spans[0], spans[2])
    assert found.notes == ["1 entities have a label that data.labels does not name and are left out"]
    with pytest.raises(UserError) as error:
        load(Source(train=str(path)), ["entities"], labels=["PER", "GPE"])
    assert str(error.value) == "data.labels: 'GPE' is not in the training articles; they have LOC, ORG, PER"
    with pytest.raises(UserError, match=r"^data\.labels: 'PER' comes twice"):
        load(Source(train=str(path)), ["entities"], labels=["PER", "PER"])


def test_a_label_that_only_dev_has_counts_as_missed_and_is_noted(tmp_path):
    train, dev = write(tmp_path / "a.jsonl", said("a")), write(tmp_path / "b.jsonl", replace(said("b"), entities=(Span(0, 6, "ORG"),)))
    found = load(Source(train=str(train), dev=str(dev)))
    assert len(found.notes) == 1 and found.notes[0].startswith("dev: 1 spans of ORG cannot be found")
    assert found.splits["dev"][0].entities == (Span(0, 6, "ORG"),)
    assert set(corpus.dataset(found)["dev"][0]["ner_tags"]) == {0}


def test_a_leak_between_splits_is_noted(tmp_path):
    train = write(tmp_path / "a.jsonl", said("a"))
    test = write(tmp_path / "b.jsonl", replace(said("a"), id="b", text=said("a").text.upper().replace(" ", "\n", 1)))
    assert load(Source(train=str(train), test=str(test))).notes == [
        "leak: article 'b' of test has the same text as 'a' of train; scores on test are too good"
    ]


def test_layers_are_those_that_a_source_annotates(tmp_path):
    bare = write(tmp_path / "a.jsonl", replace(said("a"), quotes=()), replace(said("b"), quotes=()))
    full = write(tmp_path / "b.jsonl", said("c"))
    sources = {
        "bare": Source(train=str(bare)),
        "full": Source(train=str(full)),
        "told": Source(dev=str(bare), layers=["entities", "quotes"]),
    }
    found = corpus.load(Data(name="mix", sources=sources, use=["bare", "full"]), ["entities", "quotes"], 0)
    assert [a.meta["layers"] for a in found.splits["train"]] == ["entities", "entities", "entities quotes"]
    assert [a.meta["corpus"] for a in found.splits["train"]] == ["bare", "bare", "full"]
    told = corpus.load(Data(name="mix", sources={**sources, "bare": Source()}, use=["full", "told"]), ["entities", "quotes"], 0)
    assert [a.annotated("quotes") for a in told.splits["dev"]] == [True, True]


def test_an_article_that_says_itself_what_is_annotated_in_it_is_believed(tmp_path):
    half = replace(said("a"), quotes=(), meta={"layers": "entities"})
    path = write(tmp_path / "a.jsonl", half, said("b"))
    assert [a.annotated("quotes") for a in load(Source(train=str(path))).splits["train"]] == [False, True]


BAD_SOURCES = {
    "nothing": (Source(), "no training articles"),
    "no folder": (Source(path="{0}/none"), r"^data\.sources\.news\.path: .*/none: no such file or folder$"),
    "no file": (Source(train="{0}/none.jsonl"), "none.jsonl: no such file or folder"),
    "both": (Source(path="{0}/a.jsonl", train="{0}/a.jsonl"), "both path and train"),
    "nested": (Source(train="{0}/a.jsonl", nested="inner"), r"^data\.sources\.news\.nested: found 'inner'"),
    "layer": (Source(train="{0}/a.jsonl", layers=["entitys"]), r"^data\.sources\.news\.layers: found 'entitys'"),
    "covers": (
        Source(train="{0}/a.jsonl", labels={"PER": "PER"}, covers=["PERS"]),
        r"^data\.sources\.news\.covers: found 'PERS', which no entity of it has; ",
    ),
    "format": (Source(train="{0}/a.jsonl", format="xml"), "'xml' is not known"),
    "twice": (Source(train="{0}/a.jsonl", dev="{0}/a.jsonl"), "already taken"),
    "dev only": (Source(dev="{0}/a.jsonl"), "no training articles"),
    "unread": (Source(train="{0}/a.jsonl", layers=["quotes"], labels={"X": "Y"}), "no training article has any"),
}


@pytest.mark.parametrize("name", BAD_SOURCES)
def test_bad_sources_are_told_in_one_line(tmp_path, name):
    source, expected = BAD_SOURCES[name]
    write(tmp_path / "a.jsonl", said("a"))
    given = replace(source, **{key: value.format(tmp_path) for key in ("path", "train", "dev") if (value := getattr(source, key))})
    with pytest.raises(UserError, match=expected) as error:
        load(given)
    assert "\n" not in str(error.value)


def test_markup_without_its_header_is_told(tmp_path):
    (tmp_path / "a.txt").write_text("<PER>Петров</PER> сказал: <q>«Да»</q>.", encoding="utf-8")
    with pytest.raises(UserError, match=r"no training article has any; .*/a\.txt looks like inline markup without its header; choose"):
        load(Source(train=str(tmp_path)))
    articles = write(tmp_path / "b.jsonl", said("b"))
    found = corpus.load(
        Data(name="both", sources={"raw": Source(train=str(tmp_path / "a.txt")), "b": Source(train=str(articles))}), ["quotes"], 0
    )
    assert found.notes[0].startswith("raw: 1 articles look like inline markup without its header")


def test_folds_of_a_corpus_with_splits_of_its_own_are_refused(tmp_path):
    path = write(tmp_path / "a.jsonl", said("a"))
    with pytest.raises(UserError, match=r"^data\.split\.folds: news comes with splits"):
        load(Source(train=str(path)), split=Split(folds=5))
    shared = Source(path=str(write(tmp_path / "pile.jsonl", *many(12))))
    found = corpus.load(Data(name="both", sources={"news": Source(train=str(path)), "pile": shared}, split=Split(folds=3)), ["quotes"], 0)
    assert "a" in {article.id for article in found.splits["train"]} and len(found.splits["test"]) == 4
    assert found.notes[0] == "fold 0 of 3 is held out for test; -m 'data.fold=range(3)' tests each in turn"
    with pytest.raises(UserError, match=r"^data\.use: 'old' is not in data=folder; it has news"):
        load(Source(train=str(path)), use=["old"])


def test_the_fingerprint_follows_every_character_and_no_order(tmp_path):
    path, other = write(tmp_path / "a" / "1.jsonl", said("a"), said("b")), write(tmp_path / "b" / "2.jsonl", said("c"), said("d"))

    def fingerprint(*paths: Path) -> str:
        sources = {"news": Source(train=str(paths[0]), dev=str(paths[1]))}
        return corpus.load(Data(name="folder", sources=sources), ["entities", "quotes"], 0).fingerprint

    before = fingerprint(path, other)
    assert fingerprint(path, other) == before
    write(path, said("b"), said("a"))
    assert fingerprint(path, other) == before
    assert fingerprint(other, path) != before
    changed = [replace(said("a"), text=said("a").text + "."), replace(said("a"), entities=(replace(PERSON, label="ORG"),))]
    changed += [replace(said("a"), quotes=(replace(SAID, name=None),)), replace(said("a"), entities=(replace(PERSON, end=13),))]
    seen = {before}
    for article in changed:
        write(path, said("b"), article)
        seen.add(fingerprint(path, other))
    assert len(seen) == 5


def test_sharing_out_does_not_depend_on_which_file_an_article_is_in(tmp_path):
    articles = [said(f"{i}") for i in range(30)]
    for name, cut in (("one", 10), ("other", 23)):
        write(tmp_path / name / "a.jsonl", *articles[cut:])
        write(tmp_path / name / "b.jsonl", *articles[:cut])
    first, second = (load(Source(path=str(tmp_path / name))) for name in ("one", "other"))
    assert first.splits == second.splits and first.fingerprint == second.fingerprint


# The corpora that the project knows by name, where they are at hand


def named(name: str, *overrides: str) -> Corpus:
    from hydra import compose, initialize_config_dir

    from govorit.cli.train import settle
    from govorit.config import register

    if not CORPORA.is_dir():
        pytest.skip(f"{CORPORA}: the public corpora are not here; GOVORIT_DATA=FOLDER names them")
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = settle(compose("config", [f"data={name}", f"data.root={CORPORA}", *overrides]))
    return corpus.load(config.data, ["entities"] if "task=ner" in overrides else ["entities", "quotes"], 0)


def test_quotes():
    found = named("quotes")
    assert {split: len(part) for split, part in found.splits.items()} == {"train": 744, "dev": 215, "test": 0}
    assert {split: sum(len(a.quotes) for a in part) for split, part in found.splits.items()} == {"train": 2144, "dev": 645, "test": 0}
    assert found.labels["entities"] == ["LOC", "ORG", "PER"]
    assert not any("leak" in note for note in found.notes)


def test_factrueval():
    found = named("factrueval", "task=ner", "data.folds=5", "data.fold=2")
    assert found.labels == {"entities": ["LOC", "ORG", "PER"]}
    articles = [a for part in found.splits.values() for a in part]
    assert len(articles) == 121 and {a.meta["layers"] for a in articles} == {"entities"}


def test_joint():
    """What the released models learn from; folds share out factRuEval alone, the others keep their splits."""
    whole, fold = named("joint", "experiment=mini_joint"), named("joint", "data.folds=5", "data.fold=2")
    own = {split: len(named("quotes").splits[split]) for split in ("train", "dev")}
    assert {split: len(part) for split, part in whole.splits.items()} == {"train": 128 + 121 + own["train"], "dev": 24 + 94, "test": 24}
    shared = [a.id for part in fold.splits.values() for a in part if a.meta["corpus"] == "quotes_factrueval"]
    tested = [a for a in fold.splits["test"] if a.meta["corpus"] == "quotes_factrueval"]
    assert len(set(shared)) == len(shared) == 121 and 20 < len(tested) < 30
    assert {a.meta["corpus"] for a in whole.splits["train"] if a.annotated("entities")} == {"newsroom", "quotes_factrueval"}
    assert whole.labels["entities"] == ["LOC", "ORG", "PER"] and not any("leak" in note for note in whole.notes)


def test_nerel():
    found = named("nerel", "task=ner")
    assert len(found.labels["entities"]) == 29
    folded = named("nerel_per_loc_org", "task=ner")
    assert folded.labels == {"entities": ["LOC", "ORG", "PER"]}
    for split in ("train", "dev"):
        assert [a.id for a in found.splits[split]] == [a.id for a in folded.splits[split]] and found.splits[split]
