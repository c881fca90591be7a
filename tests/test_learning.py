"""The machinery can learn: trained to the end on 60 articles, the default small network knows them by heart."""

import time
from dataclasses import replace
from pathlib import Path

from govorit import pipeline
from govorit.config import Config, Data, Model, Source, Task, Trainer
from govorit.evaluation import metrics
from govorit.extractor import Extractor
from govorit.formats import jsonl
from govorit.paths import shipped


def test_sixty_articles_are_learnt_by_heart(tmp_path):
    articles = list(jsonl.read(Path(shipped("data/newsroom/train.jsonl"))))[:60]
    jsonl.write(articles, tmp_path / "sixty.jsonl")
    model = Model(name="scratch", path=None, window=256, overlap=64)
    config = Config(
        task=Task("joint", ["entities", "quotes"]),
        model=replace(model, scratch=replace(model.scratch, dropout=0.0)),
        data=Data(name="sixty", root=None, sources={"sixty": Source(train=str(tmp_path / "sixty.jsonl"))}, save=False),
        trainer=Trainer(epochs=10, batch_tokens=768, learning_rate=2e-3, head_learning_rate=2e-3, device="cpu"),
    )
    started = time.process_time()
    pipeline.run(config, tmp_path / "run")
    seconds = time.process_time() - started
    found = Extractor.load(tmp_path / "run/model").read(articles)
    scores = metrics.score(articles, list(found), config.task.layers, resamples=0)
    f1 = {layer: figures.strict[metrics.MICRO].f1 for layer, figures in scores.items()}
    assert min(f1.values()) > 0.95, f1
    assert seconds < 2 * 120, "two minutes of two cores, whoever else is at work on them"
