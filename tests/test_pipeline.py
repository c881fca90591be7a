import json
from dataclasses import replace
from pathlib import Path

import datasets
import pytest
import tiny
import torch
from safetensors.torch import load_file

from govorit import contract, pipeline
from govorit.article import Article, Span
from govorit.config import Source
from govorit.corpora import corpus
from govorit.errors import UserError
from govorit.evaluation import attribution, metrics
from govorit.extractor import Extractor
from govorit.formats import jsonl


def run(config, folder: Path):
    lines: list[str] = []
    return pipeline.run(config, folder, lines.append), lines


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return {str(path.relative_to(folder)): tensor for path in sorted(folder.rglob("*.safetensors")) for tensor in load_file(path).values()}


def inside(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One joint run to look at, with its config."""
    place = tmp_path_factory.mktemp("joint")
    config = tiny.config(tiny.corpus(place / "corpus"), epochs=8)
    outcome, lines = run(config, place / "run")
    return config, outcome, lines


def test_a_run_leaves_its_config_dataset_model_and_reports_and_no_states(made):
    config, outcome, lines = made
    left = {"config.yaml", "dataset", "model", "predictions", "report.md", "report.html", "metrics.json"}
    assert inside(outcome.folder) == left
    assert inside(outcome.folder / "model") == {"govorit.json", "aids.safetensors", "entities", "quotes"}
    assert lines[0] == f"run folder: {outcome.folder}" and "train 12, dev 3, test 3 articles" in lines[1]
    assert "threads: 1" in (outcome.folder / "config.yaml").read_text(encoding="utf-8")
    stored = datasets.load_from_disk(outcome.folder / "dataset")
    assert {split: len(part) for split, part in stored.items()} == {"train": 12, "dev": 3, "test": 3}
    promised = contract.load(outcome.folder / "model")
    assert promised.layers == {"entities": ["LOC", "PER"], "quotes": list(corpus.QUOTE_LABELS)}
    assert (promised.window, promised.overlap) == (64, 16)
    assert promised.trained_on["split"] == corpus.load(config.data, config.task.layers, 0).fingerprint


def test_it_has_learnt_something(made):
    assert made[1].scores["test"]["entities"].strict[metrics.MICRO].f1 > 0.5


def test_the_scores_are_those_of_the_published_checkpoint(made):
    config, outcome, _ = made
    extractor = Extractor.load(outcome.folder / "model")
    written = json.loads((outcome.folder / "metrics.json").read_text(encoding="utf-8"))
    figures, attributed = written["scores"], written["attribution"]
    assert set(figures) == set(attributed) == {"dev", "test"}
    for split in figures:
        gold = list(jsonl.read(Path(config.data.root) / f"{split}.jsonl"))
        found = list(extractor.read(gold))
        again = metrics.score(gold, found, config.task.layers, resamples=20, seed=config.seed)
        assert figures[split] == json.loads(json.dumps(metrics.to_json(again)))
        said = attribution.score(gold, found, resamples=20, seed=config.seed)
        assert attributed[split] == json.loads(json.dumps(attribution.to_json(said)))
        stored = list(jsonl.read(outcome.folder / "predictions" / f"{split}.jsonl"))
        assert [(a.id, [(s.start, s.end, s.label) for s in a.entities]) for a in stored] == [
            (a.id, [(s.start, s.end, s.label) for s in a.entities]) for a in found
        ]
    assert any(figures["test"][layer]["strict"]["micro"]["f1"] > 0 for layer in config.task.layers)


def test_the_same_config_gives_the_same_bytes(made, tmp_path):
    config, outcome, _ = made
    run(config, tmp_path / "again")
    files = sorted(path.relative_to(outcome.folder) for path in (outcome.folder / "model").rglob("*") if path.is_file())
    assert len(files) > 8
    for file in files:
        assert (outcome.folder / file).read_bytes() == (tmp_path / "again" / file).read_bytes(), file


def test_the_report_knows_how_long_each_mistake_on_dev_has_lived(made):
    config, outcome, _ = made
    lived = json.loads((outcome.folder / "metrics.json").read_text(encoding="utf-8"))["longest_lived"]
    assert lived and list(lived.values()) == sorted(lived.values(), reverse=True)
    assert all(1 <= epochs <= config.trainer.epochs for epochs in lived.values())
    dev = {article.id for article in jsonl.read(Path(config.data.root) / "dev.jsonl")}
    assert {place.split()[0] for place in lived} <= dev
    report = (outcome.folder / "report.md").read_text(encoding="utf-8")
    assert "place in the window" in report and "words unseen in training" in report and "not known here" not in report


@pytest.mark.parametrize("layer", ["entities", "quotes"])
def test_one_layer_alone(tmp_path, layer):
    outcome, _ = run(tiny.config(tiny.corpus(tmp_path / "corpus"), [layer], epochs=1), tmp_path / "run")
    assert inside(outcome.folder / "model") == {"govorit.json", "aids.safetensors", layer}
    assert set(outcome.scores["test"]) == {layer}
    figures = json.loads((outcome.folder / "metrics.json").read_text(encoding="utf-8"))
    told = ["dev", "test"] if layer == "quotes" else []
    assert list(figures["attribution"]) == told and outcome.table.count("who said what") == len(told)


def test_without_a_test_split_dev_is_reported_and_the_report_says_so(tmp_path):
    outcome, _ = run(tiny.config(tiny.corpus(tmp_path / "corpus", test=0), epochs=1), tmp_path / "run")
    assert list(outcome.scores) == ["dev"]
    assert "there is no test split" in (tmp_path / "run/report.md").read_text(encoding="utf-8")


def test_without_dev_and_test_it_trains_and_says_what_chose_the_epoch(tmp_path):
    outcome, lines = run(tiny.config(tiny.corpus(tmp_path / "corpus", dev=0, test=0), epochs=1), tmp_path / "run")
    assert outcome.scores == {} and any("there is no dev split" in line for line in lines)
    assert {"model", "report.md", "metrics.json"} <= inside(tmp_path / "run")


def test_a_mix_of_which_one_part_has_one_layer(tmp_path):
    tiny.corpus(tmp_path / "full", train=6, dev=2, test=0)
    half = [replace(article, id=f"half-{article.id}", quotes=()) for article in tiny.articles(6, first=50)]
    jsonl.write(half[:4], tmp_path / "train.jsonl")
    jsonl.write(half[4:], tmp_path / "dev.jsonl")
    config = tiny.config(tmp_path)
    sources = {"full": Source(path=str(tmp_path / "full")), "half": Source(train=f"{tmp_path}/train.jsonl", dev=f"{tmp_path}/dev.jsonl")}
    outcome, _ = run(replace(config, data=replace(config.data, sources=sources)), tmp_path / "run")
    assert outcome.scores["dev"]["quotes"].unannotated == 2 and outcome.scores["dev"]["entities"].unannotated == 0
    rows = datasets.load_from_disk(tmp_path / "run/dataset")["train"]
    assert sum(row["quote_tags"] is None for row in rows) == 4


def test_what_cannot_be_learnt_is_counted(tmp_path):
    root = tiny.corpus(tmp_path / "corpus")
    article = tiny.article(90)
    inside_word = Span(article.text.index("водка"), article.text.index("водка") + 2, "PER")
    jsonl.write([*tiny.articles(12), replace(article, entities=(inside_word,))], root / "train.jsonl")
    _, lines = run(tiny.config(root, epochs=1), tmp_path / "run")
    assert any("train: entities: 1 of " in line and "cannot be learnt" in line for line in lines)


# A checkpoint to go on from


def test_a_published_checkpoint_is_gone_on_from(made, tmp_path):
    config, outcome, _ = made
    for name in ("model", "model/entities"):
        model = replace(config.model, name="own", path=str(outcome.folder / name))
        still = replace(config, model=model, trainer=replace(config.trainer, epochs=1, learning_rate=0.0, head_learning_rate=0.0))
        again, _ = run(still, tmp_path / name.replace("/", "-"))
        before, after = weights(outcome.folder / "model"), weights(again.folder / "model")
        assert before.keys() == after.keys() and all(torch.equal(before[key], after[key]) for key in before)
        assert again.scores["test"]["entities"].strict[metrics.MICRO].f1 == outcome.scores["test"]["entities"].strict[metrics.MICRO].f1


@pytest.mark.parametrize("layer", ["entities", "quotes"])
def test_one_layer_of_a_checkpoint_is_gone_on_with(made, tmp_path, layer):
    config, outcome, _ = made
    model = replace(config.model, name="own", path=str(outcome.folder / "model"))
    alone = replace(config, model=model, task=replace(config.task, layers=[layer]), trainer=replace(config.trainer, epochs=1))
    again, _ = run(alone, tmp_path / "run")
    (article,) = Extractor.load(again.folder / "model")([tiny.article(3).text])
    assert not article.layer(*{"entities", "quotes"} - {layer})


def test_a_checkpoint_of_other_labels_is_refused(made, tmp_path):
    config, outcome, _ = made
    other = replace(
        config, model=replace(config.model, name="own", path=str(outcome.folder / "model")), data=replace(config.data, labels=["PER"])
    )
    with pytest.raises(UserError, match=r"was trained on entities \['LOC', 'PER'\], the data has \['PER'\]") as error:
        run(other, tmp_path / "run")
    assert "\n" not in str(error.value) and not list(tmp_path.iterdir())


def test_another_config_in_the_same_folder_is_refused(made):
    config, outcome, _ = made
    before = {path: path.stat().st_mtime_ns for path in outcome.folder.rglob("*")}
    with pytest.raises(UserError, match=r"config\.yaml: seed: the run there had 0, this one has 1; use another out=FOLDER$"):
        run(replace(config, seed=1), outcome.folder)
    assert {path: path.stat().st_mtime_ns for path in outcome.folder.rglob("*")} == before


def test_an_unfinished_run_is_not_written_over(made, tmp_path):
    config, outcome, _ = made
    (tmp_path / "state").mkdir()
    (tmp_path / "config.yaml").write_bytes((outcome.folder / "config.yaml").read_bytes())
    with pytest.raises(UserError, match=r"an unfinished run .* resume=true"):
        run(config, tmp_path)
    assert inside(tmp_path) == {"state", "config.yaml"}


# What must fail does so before anything is written

GOOD = tiny.article(0)
BROKEN = {
    "offset": (replace(GOOD, entities=(Span(0, 9999, "PER"),)), r"train\.jsonl:13: entities: PER \[0, 9999\) ends after the text"),
    "empty": (Article("empty", " \n"), r"train\.jsonl:13: text: empty article"),
    "overlap": (replace(GOOD, id="x", entities=(Span(0, 6, "PER"), Span(3, 8, "LOC"))), r"PER \[0, 6\) .* and LOC \[3, 8\) .* overlap"),
    "label": (replace(GOOD, id="x", entities=(Span(0, 6, "PER SON"),)), r"train\.jsonl:13: entities: .*the label 'PER SON'"),
    "id": (GOOD, r"train\.jsonl:13: id: 'n-000' was already taken"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_corpus_is_refused_with_its_line_and_nothing_is_written(tmp_path, name):
    article, expected = BROKEN[name]
    root = tiny.corpus(tmp_path / "corpus")
    jsonl.write([*tiny.articles(12), article], root / "train.jsonl")
    with pytest.raises(UserError, match=expected) as error:
        run(tiny.config(root), tmp_path / "run")
    assert "\n" not in str(error.value) and inside(tmp_path) == {"corpus"}


def bad_configs(config):
    model, data, trainer = config.model, config.data, config.trainer
    yield "data.labels", replace(config, data=replace(data, labels=["GPE"]))
    yield "data.use", replace(config, data=replace(data, use=["none"]))
    yield "data.split.dev", replace(config, data=replace(data, split=replace(data.split, dev=1.5)))
    for fraction in (0.0, -0.5, 1.5):
        yield "data.fraction", replace(config, data=replace(data, fraction=fraction))
    yield "data.split.folds", replace(config, data=replace(data, split=replace(data.split, folds=5)))
    yield "data.split.folds", replace(config, data=replace(data, split=replace(data.split, folds=1)))
    yield "model.path", replace(config, model=replace(model, path="no/such/folder"))
    yield "model.path", replace(config, model=replace(model, path=str(data.root)))
    yield "model.window", replace(config, model=replace(model, window=2))
    yield "model.reads", replace(config, model=replace(model, reads=-1))
    yield "model.overlap", replace(config, model=replace(model, overlap=-1))
    yield "model.dropout", replace(config, model=replace(model, dropout=1.0))
    yield "model.attention", replace(config, model=replace(model, attention="flash"))
    yield "model.scratch.hidden_size", replace(config, model=replace(model, scratch=replace(model.scratch, heads=5)))
    yield "trainer.class_weights", replace(config, trainer=replace(trainer, class_weights={"PERS": 2.0}))
    for key, value in {
        "epochs": 0, "batch_tokens": 0, "accumulate": 0, "learning_rate": -1.0, "head_learning_rate": float("nan"), "layer_decay": 0.0,
        "warmup": 1.5, "clip": -1.0, "patience": -1, "precision": "fp16", "device": "gpu", "threads": -1,
    }.items():  # fmt: skip
        yield f"trainer.{key}", replace(config, trainer=replace(trainer, **{key: value}))
    yield "trainer.learning_rate", replace(config, trainer=replace(trainer, learning_rate=5.0))
    yield "task.layers", replace(config, task=replace(config.task, layers=[]))
    yield "task.layers", replace(config, task=replace(config.task, layers=["entitys"]))
    yield "report.resamples", replace(config, report=replace(config.report, resamples=-1))
    yield "seed", replace(config, seed=-1)


def test_a_bad_value_is_refused_with_its_key_and_nothing_is_written(tmp_path):
    config = tiny.config(tiny.corpus(tmp_path / "corpus"))
    for key, bad in bad_configs(config):
        with pytest.raises(UserError) as error:
            run(bad, tmp_path / "run")
        assert str(error.value).startswith(f"{key}: ") and "\n" not in str(error.value), (key, str(error.value))
        assert inside(tmp_path) == {"corpus"}, key


def test_a_label_that_nothing_has_for_a_layer(tmp_path):
    root = tiny.corpus(tmp_path / "corpus")
    for split in ("train", "dev", "test"):
        bare = [replace(article, quotes=()) for article in jsonl.read(root / f"{split}.jsonl")]
        jsonl.write(bare, root / f"{split}.jsonl")
    with pytest.raises(UserError, match="quotes: no training article has any"):
        run(tiny.config(root), tmp_path / "run")
    assert inside(tmp_path) == {"corpus"}
