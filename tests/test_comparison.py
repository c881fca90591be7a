"""Groups of runs and their figures, and scripts/compare.py as a user runs it, on run folders made by hand."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from statistics import fmean, stdev

import pytest
import tiny
from generate import random_article

from govorit import config, markdown
from govorit.article import Article
from govorit.cli import compare as cli
from govorit.errors import UserError
from govorit.evaluation import attribution, groups, metrics, side_by_side
from govorit.evaluation.comparison import QUOTATIONS, compare, count
from govorit.evaluation.groups import Run, gather
from govorit.evaluation.readable import MEASURES
from govorit.formats import hf, jsonl

GOLD = tiny.articles(6)
PLAIN = {"task.name": "joint", "task.layers": ["entities", "quotes"], "model.name": "mini", "data.name": "newsroom", "seed": 0}


def worse(article: Article, rng: random.Random, kept: float = 0.7) -> Article:
    """The article as a model reads it that misses some, and is mistaken in some speakers and names."""
    quotes = [quote for quote in article.quotes if rng.random() < kept]
    quotes = [quote if rng.random() < kept else replace(quote, speaker=None, name="Росстат") for quote in quotes]
    entities = [replace(span, score=rng.random()) for span in article.entities if rng.random() < kept]
    return replace(article, entities=tuple(entities), quotes=tuple(quotes), meta={})


def read(seed: int, kept: float = 0.7, gold: Sequence[Article] = GOLD) -> list[Article]:
    rng = random.Random(seed)
    return [worse(article, rng, kept) for article in gold]


def run(folder: str = "run", predicted: Sequence[Article] | None = None, gold: Sequence[Article] = GOLD, **keys: object) -> Run:
    settings = PLAIN | {key.replace("_", "."): value for key, value in keys.items()}
    found = read(settings["seed"], gold=gold) if predicted is None else predicted
    return Run(Path(folder), settings, list(zip(gold, found, strict=True)))


def names(*runs: Run) -> list[str]:
    return [group.name for group in gather(runs, [None] * len(runs))]


# Groups


def test_runs_that_differ_in_seed_and_fold_alone_are_a_group():
    runs = [run(seed=1), run(seed=0), run(seed=0, data_fold=3, report_resamples=5), run(seed=0, model_name="rubert")]
    groups = gather(runs, [None] * 4)
    assert [group.name for group in groups] == ["model=mini", "model=rubert"]
    assert [group.seeds for group in groups] == [[0, 1], [0]] and len(groups[0].runs) == 3


def test_groups_are_named_by_what_tells_them_apart():
    assert names(run()) == ["task=joint,model=mini,data=newsroom"]
    paths = [run(model_path="a", trainer_epochs=3), run(model_path="b", trainer_epochs=5)]
    assert names(*paths) == ["model.path=a", "model.path=b"]
    grid = [run(model_name=model, trainer_epochs=epochs) for model in ("mini", "rubert") for epochs in (3, 5)]
    assert names(*grid) == [f"model={model},trainer.epochs={epochs}" for model in ("mini", "rubert") for epochs in (3, 5)]
    sources = [run(data_name="a", data_sources_a="x"), run(data_name="a", data_sources_a="y"), run(data_name="b")]
    assert len(set(names(*sources))) == 3
    assert names(run(trainer_freeze=True), run(trainer_freeze=False)) == ["trainer.freeze=true", "trainer.freeze=false"]


def test_what_else_differs_is_listed():
    found = groups.differing([PLAIN | {"trainer.epochs": 3}, PLAIN | {"trainer.epochs": 5, "model.name": "own", "model.path": "x"}])
    assert found == {"model.name": ["mini", "own"], "trainer.epochs": ["3", "5"], "model.path": ["", "x"]}


def test_groups_by_hand():
    groups = gather([run(), run(), run(seed=1)], ["before", "after", "after"])
    assert [(group.name, len(group.runs)) for group in groups] == [("before", 1), ("after", 2)]


# Figures


@pytest.mark.parametrize("seed", range(4))
def test_counts_are_those_of_the_scores(seed):
    rng = random.Random(seed)
    gold = [random_article(rng, str(i)) for i in range(8)]
    gold[0] = replace(gold[0], quotes=(), meta={"layers": "entities"})
    predicted = [worse(article, rng) for article in gold]
    totals: dict[tuple[str, str], list[int]] = {}
    for pair in zip(gold, predicted, strict=True):
        for key, counts in count(*pair).items():
            totals[key] = [sum(pair) for pair in zip(totals.get(key, [0, 0, 0]), counts, strict=True)]
    scores = metrics.score(gold, predicted, ["entities", "quotes"], resamples=0)
    expected = {(layer, label): figure for layer, found in scores.items() for label, figure in found.strict.items() if label != "macro"}
    said = attribution.score(gold, predicted, resamples=0)
    expected |= {(QUOTATIONS, measure): getattr(said, measure)["all"] for measure in MEASURES if getattr(said, measure)}
    assert {key: totals[key][1:] for key in expected} == {key: [figure.predicted, figure.support] for key, figure in expected.items()}
    for key, figure in expected.items():
        assert totals[key][0] == pytest.approx(figure.recall * figure.support), key


def test_mean_and_deviation_are_over_seeds():
    runs = [run(seed=seed) for seed in (1, 2, 3)] + [run(seed=seed, model_name="rubert") for seed in (1, 2)]
    found = compare(gather(runs, [None] * 5), "test", resamples=200)
    f1 = [metrics.score(*zip(*one.pairs, strict=True), layers=["entities"], resamples=0)["entities"].strict["PER"].f1 for one in runs]
    (row,) = (row for row in found.rows if (row.layer, row.name) == ("entities", "PER"))
    assert row.gold == sum(span.label == "PER" for article in GOLD for span in article.entities)
    assert row.values == [pytest.approx(f1[:3]), pytest.approx(f1[3:])]
    assert f"{100 * fmean(f1[:3]):.2f} ± {100 * stdev(f1[:3]):.2f}" in side_by_side.markdown(found)
    assert row.differences[0] is None and row.differences[1].p is not None


def test_a_group_compared_with_itself_does_not_differ():
    runs = [run(seed=seed, data_name=name) for name in ("a", "b") for seed in (1, 2)]
    found = compare(gather(runs, [None] * 4), "test", resamples=100)
    for row in found.rows:
        assert row.differences[1].value == 0 and row.differences[1].interval == (0, 0) and row.differences[1].p == 1
    assert found.changes == [[], []] and "the same mistakes as A in all articles" in side_by_side.markdown(found)


def test_folds_are_put_together():
    whole = [run(model_name=name, predicted=read(7 + len(name))) for name in ("mini", "rubert")]
    folds = [Run(Path(f"{one.folder}-{fold}"), {**one.config, "data.fold": fold}, one.pairs[fold::2]) for one in whole for fold in (1, 0)]
    one, other = (compare(gather(runs, [None] * len(runs)), "test", resamples=0) for runs in (whole, folds))
    assert one.rows == other.rows and [len(changes) for changes in one.changes] == [len(changes) for changes in other.changes]


def test_names_are_compared_only_where_the_gold_has_any():
    gold = [replace(article, quotes=tuple(replace(quote, name=None) for quote in article.quotes)) for article in GOLD]
    runs = [run(gold=gold), run(gold=gold, model_name="rubert", predicted=read(5, gold=gold))]
    found = compare(gather(runs, [None, None]), "test", resamples=0)
    assert [row.name for row in found.rows if row.layer == QUOTATIONS] == ["exact", "content", "with_speaker"]
    assert not any(item.kind == "wrong name" for change in found.changes[1] for item, _, _ in change.mistakes)


def test_only_layers_that_all_read_are_compared():
    runs = [run(), run(task_name="ner", task_layers=["entities"])]
    found = compare(gather(runs, [None, None]), "test", resamples=0)
    assert {row.layer for row in found.rows} == {"entities"} and found.layers == ["entities"]
    with pytest.raises(UserError, match="no layer that all runs read: run reads quotes; other reads entities"):
        compare(gather([run(task_layers=["quotes"]), run("other", task_layers=["entities"])], [None, None]), "test")


def test_the_articles_that_change_most_are_told_with_their_mistakes():
    """One of two seeds misses Иван Петров before, none after; the probabilities of what is the same do not count."""
    missing = [replace(GOLD[0], entities=GOLD[0].entities[:1]), *GOLD[1:]]
    sure = [replace(article, entities=tuple(replace(span, score=0.5) for span in article.entities)) for article in GOLD]
    runs = [run(seed=0, predicted=missing), run(seed=1, predicted=GOLD), run(predicted=sure, model_name="rubert")]
    found = compare(gather(runs, [None] * 3), "test", resamples=0)
    (change,) = found.changes[1]
    lost = len(GOLD[0].entities) - 1
    assert (change.gold.id, change.readings, change.before, change.after, change.amount) == ("n-000", (2, 1), lost / 2, 0, lost / 2)
    assert {(item.kind, before, after) for item, before, after in change.mistakes} == {("missed", 1, 0)}
    told = side_by_side.markdown(found)
    assert "- entities, missed: `PER Иван Петров` " in told and "(A 1 of 2, B 0 of 1)" in told
    assert "fewer in 1, more in 0" in told and "### n-000" in told and "### n-000" not in side_by_side.markdown(found, 0)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (run("two", gold=GOLD[:5]), "one and two: tested on different articles: 'n-005' is in the first alone (6 and 5 articles)"),
        (run("two", gold=[*GOLD, tiny.article(50)]), "one and two: tested on different articles: 'n-050' is in the second alone"),
        (run("two", gold=[replace(GOLD[0], text=GOLD[0].text + "!"), *GOLD[1:]]), "'n-000' has another text"),
        (run("two", gold=[replace(GOLD[0], entities=()), *GOLD[1:]]), "'n-000' has other gold entities"),
        (run("two", gold=[replace(GOLD[0], quotes=GOLD[0].quotes[1:]), *GOLD[1:]]), "'n-000' has other gold quotes"),
    ],
)
def test_runs_on_other_articles_are_refused(other, said):
    other = replace(other, config={**other.config, "model.name": "rubert"})
    with pytest.raises(UserError) as refused:
        compare(gather([run("one"), other], [None, None]), "test")
    assert said in str(refused.value)


def test_seeds_that_choose_the_articles_are_put_together():
    """A corpus that is split by the seed: every seed has articles of its own, the same ones in either group."""
    shares = {1: GOLD[:4], 2: GOLD[2:]}
    runs = [run(gold=gold, seed=seed, model_name=name) for name in ("mini", "rubert") for seed, gold in shares.items()]
    found = compare(gather(runs, [None] * 4), "test", resamples=0)
    assert list(found.gold) == [article.id for article in GOLD] and len(found.rows[0].values[0]) == 2
    assert "seeds 1, 2, each on articles of its own" in side_by_side.markdown(found)
    changed = replace(GOLD[2], entities=())
    with pytest.raises(UserError, match="'n-002' has other gold entities"):
        compare(gather([runs[0], run(gold=[changed, *GOLD[3:]], seed=2)], [None, None]), "test")


def test_the_same_run_twice_is_refused():
    with pytest.raises(UserError, match="one and two: the same config and seed; leave one out, or name them: before=RUN after=RUN"):
        compare(gather([run("one"), run("two")], [None, None]), "test")


# The program


def folder(path: Path, seed: int = 0, predicted: Sequence[Article] | None = None, split: str = "test", **trainer: object) -> Path:
    """A run folder as training leaves it."""
    path.mkdir(parents=True)
    made = replace(tiny.config(Path("corpus"), **trainer), seed=seed)
    (path / "config.yaml").write_text(config.settled(made), encoding="utf-8")
    (path / "metrics.json").write_text("{}")
    hf.write(GOLD, path / "dataset" / split)
    (path / "predictions").mkdir()
    jsonl.write(read(seed) if predicted is None else predicted, path / "predictions" / f"{split}.jsonl")
    return path


@pytest.fixture(scope="module")
def sweep(tmp_path_factory) -> Path:
    """Two seeds of two configs, one run that was stopped, and what else lies in such a folder."""
    place = tmp_path_factory.mktemp("sweep")
    for epochs in (10, 2):
        for seed in (1, 2):
            folder(place / f"trainer.epochs={epochs},seed={seed}", seed, read(seed * epochs, 0.6 + epochs / 30), epochs=epochs)
    stopped = folder(place / "stopped", 3)
    (stopped / "metrics.json").unlink()
    (place / "multirun.yaml").write_text("hydra: {}\n")
    return place


@pytest.fixture
def program(program, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return partial(program, cli.main)


def test_a_sweep_in_one_line(sweep, program, tmp_path):
    status, out, err = program(sweep, "--out", "side", "--articles", 3)
    assert status == 0 and err == f"{sweep / 'stopped'}: left out: has not come to its end (no metrics.json); resume=true goes on with it\n"
    assert "- A (baseline): `trainer.epochs=2`; 2 runs, seeds 1, 2\n- B: `trainer.epochs=10`; 2 runs, seeds 1, 2\n" in out
    assert "## B against A" in out and out.count("### n-0") == 3 and "said by the right name" in out
    assert (tmp_path / "side/compare.md").read_text(encoding="utf-8") == out
    plain = json.loads((tmp_path / "side/compare.json").read_text(encoding="utf-8"))
    assert plain["config"] == {"trainer.epochs": ["2", "10"]} and plain["articles"] == 6
    micro = next(row for row in plain["rows"] if (row["layer"], row["name"]) == ("entities", "micro"))
    better = micro["groups"]["trainer.epochs=10"]
    assert set(better) == {"f1", "deviation", "values", "difference", "interval", "p"} and 0 < better["p"] <= 1
    assert better["interval"][0] <= better["difference"] <= better["interval"][1]
    page = (tmp_path / "side/compare.html").read_text(encoding="utf-8")
    assert "<script" not in page and page.count("· gold") == 3
    HTMLParser().feed(page)


def test_the_baseline_is_chosen_by_name(sweep, program):
    status, out, _ = program(sweep, "--baseline", "epochs=10", "--resamples", 0, "--articles", 0)
    assert status == 0 and "- B (baseline): `trainer.epochs=10`" in out and "## A against B" in out and "### " not in out
    status, out, err = program(sweep, "--baseline", "epochs")
    assert (status, out) == (2, "") and "part of several of the groups trainer.epochs=2; trainer.epochs=10\n" in err
    assert "none of the groups" in program(sweep, "--baseline", "rubert")[2]


def test_seeds_alone_are_one_group(sweep, program):
    status, out, err = program(*sweep.glob("trainer.epochs=2,*"))
    assert (status, err) == (0, "") and "One group: nothing to compare it with." in out and "±" in out


def test_before_and_after_by_hand(program, tmp_path):
    folder(tmp_path / "one"), folder(tmp_path / "two", predicted=GOLD)
    status, out, err = program("one", "two")
    assert (status, out) == (2, "") and "one and two: the same config and seed" in err
    status, out, _ = program("до=one", "после=two")
    assert status == 0 and "- A (baseline): `до`; 1 run, seed 0\n- B: `после`; 1 run, seed 0\n" in out and "more in 0" in out
    assert "1 run, seed 0" in program("one", "../" + tmp_path.name + "/one")[1]
    assert "the same mistakes as A in all" in program("a=one", "b=one")[1]


def test_dev_where_not_all_have_test(program, tmp_path):
    folder(tmp_path / "one", split="dev"), folder(tmp_path / "two", 1, split="dev"), folder(tmp_path / "three")
    assert program("one", "two")[::2] == (0, "") and "6 articles of dev" in program("one", "two")[1]
    status, _, err = program("one", "three")
    lines = err.splitlines()
    assert status == 2 and lines == [
        "dev: compared on it, since one has no predictions of test",
        "three: has no predictions of dev; compare another --split, or runs that have them",
    ]
    assert program("three", "--split", "dev")[::2] == (2, lines[1] + "\n")


def test_an_older_config_has_the_values_of_the_schema(program, tmp_path):
    folder(tmp_path / "one"), folder(tmp_path / "two", 1)
    path = tmp_path / "one/config.yaml"
    text = path.read_text(encoding="utf-8")
    assert "  clip: 1.0\n" in text
    path.write_text(text.replace("  clip: 1.0\n", ""), encoding="utf-8")
    assert "2 runs, seeds 0, 1" in program("one", "two")[1]


@pytest.mark.parametrize(
    ("breaking", "said"),
    [
        (lambda run: (run / "metrics.json").unlink(), "run: has not come to its end"),
        (lambda run: (run / "predictions").rename(run / "elsewhere"), "run: has no predictions/"),
        (lambda run: (run / "dataset").rename(run / "elsewhere"), "run/dataset/test: missing"),
        (lambda run: (run / "config.yaml").write_text("seed: [1"), "run/config.yaml: cannot be read"),
        (lambda run: (run / "config.yaml").write_text("- 1\n"), "run/config.yaml: seed or task.layers: missing"),
        (lambda run: (run / "config.yaml").write_bytes(b"\xff"), "run/config.yaml: cannot be read"),
        (lambda run: (run / "config.yaml").unlink(), "run: no finished run in it"),
        (lambda run: run.rename("gone"), "run: no such folder"),
        (lambda run: jsonl.write(GOLD[1:], run / "predictions/test.jsonl"), "'n-000' is not among the predicted articles"),
        (lambda run: (run / "predictions/test.jsonl").write_text("{"), "run/predictions/test.jsonl:1: "),
    ],
)
def test_what_cannot_be_compared_is_told_in_a_line(breaking, said, program, tmp_path):
    breaking(folder(tmp_path / "run"))
    status, out, err = program("run", "--out", "side")
    assert (status, out) == (2, "") and said in err and err.count("\n") == 1 and not (tmp_path / "side").exists()


def test_an_id_that_is_markup_is_text():
    gold = [replace(GOLD[0], id="<b>*1*</b>\n# 2")]
    found = compare(gather([run("one", gold=gold, seed=3), run("two", gold, gold)], ["до", "после"]), "test")
    assert "\n### &lt;b&gt;\\*1\\*&lt;/b&gt; \\# 2\n" in side_by_side.markdown(found)


def test_words_that_would_end_markup_do_not():
    assert markdown.code("a `b` c") == "``a `b` c``" and markdown.code("`") == "`` ` ``"
    assert markdown.code("Да\x1b[31m\nнет") == "`Да\ufffd[31m нет`"
    assert len(markdown.code("слово " * 100)) < 180
    lines = markdown.table([["", "F1"], ["A|B\n<i>", "1.00"]]).split("\n")
    assert lines[2] == "| A\\|B &lt;i> | 1.00 |" and len({len(line) for line in lines}) == 1
