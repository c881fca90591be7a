"""A card is what the Hub reads and what a person reads, made of the run folder, and names nobody's folders."""

import ast
import re
from dataclasses import replace

import pytest
import yaml
from huggingface_hub import ModelCard
from huggingface_hub.repocard_data import model_index_to_eval_results

from govorit.contract import Contract
from govorit.publishing import card
from govorit.publishing.card import Facts

FIGURE = {"precision": 0.8123, "recall": 0.7, "f1": 0.752, "support": 40, "predicted": 38, "interval": [0.7011, 0.8]}
WEAK = FIGURE | {"f1": 0.5, "support": 9, "interval": [0.31, 0.66]}
STRONG = FIGURE | {"f1": 0.9}


def layer(**labels):
    strict = {**labels, "micro": FIGURE | {"precision_interval": [0.75, 0.86], "recall_interval": [0.61, 0.78]}, "macro": FIGURE}
    return {"strict": strict, "iou80": strict, "iou50": strict, "articles": 24, "unannotated": 0}


def source(**paths):
    return {"train": None, "dev": None, "test": None, "path": None, "quotes": [], **paths}


ROOT = "/home/anna/secret"
SOURCES = {
    "newsroom": source(train=f"{ROOT}/data/newsroom/train.jsonl", test=f"{ROOT}/data/newsroom/test.jsonl"),
    "nerel": source(train=f"{ROOT}/NEREL-v1.1/train", dev=f"{ROOT}/NEREL-v1.1/dev", quotes=[f"{ROOT}/data/quotes/nerel-train.jsonl"]),
    "факты": source(dev=f"{ROOT}/factrueval-2016/devset"),
    "archive": source(path=f"{ROOT}/archive"),
    "given": source(path="hub:anna/news:train"),
    "unused": source(path=f"{ROOT}/unused"),
}
TRAINER = {"batch_tokens": 2048, "learning_rate": 6e-4, "head_learning_rate": 1e-3}
SPLIT = {"dev": 0.1, "test": 0.1, "folds": 0}
CONFIG = {
    "model": {"path": "DeepPavlov/rubert-base-cased"},
    "data": {"name": "mix", "sources": SOURCES, "use": ["newsroom", "nerel", "факты", "archive", "given"], "split": SPLIT},
    "trainer": TRAINER,
    "report": {"resamples": 1000},
    "seed": 7,
}
METRICS = {
    "scores": {
        "dev": {"entities": layer(PER=STRONG, ORG=WEAK)},
        "test": {"entities": layer(PER=STRONG, ORG=WEAK), "quotes": layer(CUE=STRONG)},
    },
    "attribution": {"test": {"exact": {"all": STRONG}, "content": {"all": STRONG}, "with_speaker": {"all": FIGURE}, "said_by": {}}},
    "history": [{"epoch": 1, "loss": 0.5, "tokens_per_second": 1000.0, "seconds": 1800.0}] * 2,
    "corpus": {"train": {"articles": 872, "words": 239132}},
    "notes": ["train: entities: 1 of 19792 gold spans | cannot be learnt"],
    "versions": {"govorit": "0.1.0", "torch": "2.13.0"},
    "hardware": {"processor": "Intel Xeon", "cores": "2"},
    "fingerprint": "8ba6785f80d1",
}
CONTRACT = Contract({"entities": ["ORG", "PER"], "quotes": ["CUE"]}, 512, 128)
FACTS = Facts("anna/news-reader", CONTRACT, CONFIG, METRICS, on_hub=True)


def test_the_hub_reads_its_head():
    data = ModelCard(card.render(FACTS)).data
    assert (data.language, data.pipeline_tag, data.library_name) == ("ru", "token-classification", "transformers")
    assert data.base_model == "DeepPavlov/rubert-base-cased"
    assert data.datasets == ["newsroom", "nerel-1.1", "govorit-quotes", "own-articles-archive", "anna/news"], "what it was trained on"
    assert data.license is None and ModelCard(card.render(replace(FACTS, license="cc-by-4.0"))).data.license == "cc-by-4.0"


def test_the_model_index_holds_the_strict_scores_of_every_split_and_layer_with_their_intervals():
    front = yaml.safe_load(card.render(FACTS).split("---")[1])
    name, results = model_index_to_eval_results(front["model-index"])
    assert name == "news-reader" and results == ModelCard(card.render(FACTS)).data.eval_results
    assert len(front["model-index"][0]["results"]) == 3, "an entry a split and layer"
    assert {(r.dataset_split, r.dataset_config, r.metric_type) for r in results} == {
        (split, layer, metric)
        for split, layer in (("test", "entities"), ("test", "quotes"), ("dev", "entities"))
        for metric in ("f1", "precision", "recall")
    }
    first = results[0]
    assert first.metric_value == 0.752 and first.metric_name == "strict f1, micro (95 %: 0.701–0.800)"
    assert first.metric_args == {"mode": "strict", "scheme": "IOB2", "interval": [0.7011, 0.8]}
    assert first.dataset_name == "mix: newsroom, own articles: archive, anna/news (24 articles)"


def test_scores_without_intervals_claim_none():
    figures = {key: value for key, value in FIGURE.items() if key != "interval"}
    scores = {"test": {"entities": {"strict": {"PER": figures, "micro": {**figures, "interval": None}}, "articles": 24}}}
    text = card.render(replace(FACTS, metrics={**METRICS, "scores": scores}))
    assert "95 %: " not in text and ModelCard(text).data.eval_results[0].metric_args == card.SEQEVAL


def test_a_person_finds_what_it_is_for_what_it_cannot_do_and_whose_the_texts_are():
    text = card.render(FACTS)
    for heading in ("Use", "Scores", "Intended use", "Limits", "Training data and its rights", "Training", "How to cite"):
        assert text.count(f"\n## {heading}\n") == 1
    assert "Weakest entities of test: ORG F1 0.500 (9 in gold, 95 % 0.310–0.660)" in text
    assert "[NEREL 1.1](https://github.com/nerel-ds/NEREL) | train, dev | annotation: no licence stated" in text
    assert "| own articles: archive | train, dev, test | not distributed" in text and "unused" not in text
    assert "No licence of the weights is stated" in text and "Notes of the publisher" not in text


def test_it_says_whether_public_bodies_hold_their_places():
    assert "public body" not in card.render(FACTS)
    text = card.render(replace(FACTS, contract=replace(CONTRACT, places="inside")))
    assert "(`МИД РФ`) is inside its name" in text and 'Extractor.load(…, places="apart")' in text


def test_time_is_told_and_energy_only_where_somebody_knows_the_power():
    assert "| time | 1 h 00 min |" in card.render(FACTS) and "| energy | not measured" in card.render(FACTS)
    assert "0.065 kWh: an estimate" in card.render(replace(FACTS, watts=65))


def test_folders_of_a_machine_are_nowhere(tmp_path):
    config = {**CONFIG, "model": {"path": f"{ROOT}/encoders/ours"}}
    text = card.render(replace(FACTS, config=config))
    assert ROOT not in text and "anna/secret" not in text and "| began with | ours |" in text
    assert ModelCard(text).data.base_model is None


@pytest.mark.parametrize(("name", "on_hub", "key"), [("anna/news-reader", True, "news-reader"), ('наш "чтец"', False, "наш-чтец")])
def test_examples_are_python_and_tables_are_even(name, on_hub, key):
    facts = replace(FACTS, name=name, on_hub=on_hub, exports=["onnx/model.onnx"], checked=["50 articles."], notes="Для **своих**.")
    text = card.render(facts)
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    assert len(blocks) == 2 and all(ast.parse(block) for block in blocks)
    assert ("snapshot_download" in text) == on_hub
    tables = re.findall(r"(?:^\|.*\|\n)+", text, re.M)
    assert len(tables) == 6
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.strip().split("\n")}) == 1, table
    assert "\n\n\n" not in text.partition("\n# ")[2]
    assert "\n## Notes of the publisher\n\nДля **своих**.\n\n## How to cite\n" in text and "\n* 50 articles.\n" in text
    assert "{{" not in text and f"@misc{{{key},\n" in text


def test_a_tokenizer_whose_words_the_pipeline_cannot_tell_is_warned_of():
    assert "tells words by spaces alone" not in card.render(FACTS)
    assert "the pipeline tells words by spaces alone" in card.render(replace(FACTS, word_pieces=False))


def test_an_encoder_is_traced_to_where_it_began(tmp_path):
    """Fine-tuned from a run's encoder, which was pre-trained further from one on the Hub."""
    encoder = tmp_path / "archive" / "model"
    encoder.mkdir(parents=True)
    (encoder.parent / "config.yaml").write_text("model:\n  path: cointegrated/rubert-tiny2\n")
    assert card.base_model(str(encoder)) == "cointegrated/rubert-tiny2"
    assert card.base_model("/anywhere/models/mini") == "models/mini" and card.base_model(None) is None
    assert card.base_model(str(tmp_path)) is None
    assert card.encoder(None) == "random weights" and card.encoder(str(tmp_path)) == tmp_path.name


@pytest.mark.parametrize(
    ("split", "used"),
    [
        ({"dev": 0, "test": 0, "folds": 0}, ("train",)),
        ({"dev": 0.1, "test": 0, "folds": 0}, ("train", "dev")),
        ({"dev": 0, "test": 0, "folds": 5}, ("train", "test")),
    ],
)
def test_a_corpus_is_named_for_the_splits_that_it_is_shared_out_into(split, used):
    data = {"use": ["archive"], "sources": SOURCES, "split": split}
    assert [corpus.used for corpus in card.corpora(data)] == [used]
