"""Fine-tuning: from annotated articles to report and checkpoint."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate.utils import broadcast_object_list
from tqdm import tqdm
from transformers import PreTrainedTokenizerFast

from govorit import checkpoint, windows
from govorit import contract as contracts
from govorit.article import Article
from govorit.config import Config, check, keys, settled
from govorit.contract import Contract
from govorit.corpora import corpus
from govorit.corpora.corpus import Corpus
from govorit.decoding import bodies, boundaries, hints
from govorit.engines import TorchEngine
from govorit.errors import UserError
from govorit.evaluation import attribution, metrics, mistakes, readable, report, slices
from govorit.evaluation.attribution import Attribution
from govorit.evaluation.metrics import Scores
from govorit.evaluation.report import Lasting
from govorit.evaluation.slices import Known
from govorit.extractor import Extractor
from govorit.formats import jsonl
from govorit.network import tagger, tokenization
from govorit.network.lora import adapt
from govorit.network.tagger import Tagger
from govorit.pipeline.stages import Outcome, Say, check_folder, open_folder, prepare, surroundings
from govorit.training import finetuning
from govorit.training.finetuning import Progress, TrainingSet
from govorit.training.states import States
from govorit.training.tracking import tracked


def run(config: Config, folder: Path, say: Say = print, watch: Callable[[Progress], None] = lambda progress: None) -> Outcome:
    """Convert, check, split, encode, train, evaluate, report, publish; `watch` is that of :func:`finetuning.train`.

    Nothing is written to `folder` before the corpus and the model have been checked.

    Raises:
        UserError: what a person has to mend, in one line.
        loop.Stopped: by a signal or because its time was up, after the state was saved.
    """
    started = time.monotonic()
    check(config)
    accelerator = prepare(config, folder)
    folder = Path(broadcast_object_list([str(folder)])[0])  # its name may hold the time, which is another in each process
    check_folder(config, folder)
    data = corpus.load(config.data, config.task.layers, config.seed)
    finetuning.check_class_weights(config.trainer.class_weights, data.labels)
    network, tokenizer, contract, notes = _model(config, data)
    notes = [*data.notes, *notes]
    training_set, unheld = encode(data.splits["train"], tokenizer, contract)
    training_set = _listen(network, training_set, tokenizer, contract)
    adapters = adapt(network, config.trainer.lora_rank, config.trainer.lora_alpha) if config.trainer.lora else None
    notes += unheld
    notes += [
        f"precision {finetuning.choose_precision(config.trainer.precision, accelerator.device)[1]}",
        f"device {accelerator.device}",
    ]
    if not data.splits["dev"]:
        notes.append("there is no dev split: the epoch is chosen on the training articles themselves")
    if accelerator.is_main_process:
        open_folder(config, folder, data)
    for line in (f"run folder: {folder}", _describe(data, config), *notes):
        say(line)
    accelerator.wait_for_everyone()
    with tracked(accelerator, config.trainer.track, folder, keys(config)):
        progress = finetuning.train(
            network, training_set, config.trainer, config.seed, accelerator, States(folder / "state", data.fingerprint),
            lambda callback: _dev(_extractor(network, tokenizer, contract), data.splits["dev"] or data.splits["train"], callback),
            config.resume, say, watch,
        )  # fmt: skip
    if adapters is not None:
        adapters.merge_and_unload()
    if not accelerator.is_main_process:
        return Outcome(folder, "", {})
    checkpoint.publish(network, tokenizer, contract, folder / "model")
    extractor = _extractor(network, tokenizer, contract)
    held_out = [split for split in ("dev", "test") if data.splits[split] and (split == "dev" or config.report.test)]
    predicted = {split: read(extractor, data.splits[split], split) for split in held_out}
    (folder / "predictions").mkdir(exist_ok=True)
    for split, found in predicted.items():
        jsonl.write(found, folder / "predictions" / f"{split}.jsonl")
    scores = {
        split: metrics.score(data.splits[split], found, config.task.layers, resamples=config.report.resamples, seed=config.seed)
        for split, found in predicted.items()
    }
    attributed = {
        split: attribution.score(data.splits[split], found, resamples=config.report.resamples, seed=config.seed)
        for split, found in predicted.items()
        if "quotes" in config.task.layers
    }
    _report(config, folder, data, extractor, scores, attributed, predicted, progress, notes, time.monotonic() - started)
    shutil.rmtree(folder / "state", ignore_errors=True)
    tables = (f"{split}\n{readable.table(found, attributed.get(split))}" for split, found in scores.items())
    return Outcome(folder, "\n\n".join(tables), scores)


def encode(articles: Sequence[Article], tokenizer: PreTrainedTokenizerFast, contract: Contract) -> tuple[TrainingSet, list[str]]:
    """Turn articles into windows to train on, and say how many gold spans these cannot hold."""
    frame = windows.Frame(tokenizer.backend_tokenizer)
    tokens = windows.tokenize_all([article.text for article in articles], tokenizer.backend_tokenizer)
    labelled = [windows.label(article, item, contract.layers) for article, item in zip(articles, tokens, strict=True)]
    labels = {layer: [found[layer] for found, _ in labelled] for layer in contract.layers}
    notes = []
    for layer in contract.layers:
        refused = sum(len(lost.get(layer, ())) for _, lost in labelled)
        total = sum(len(article.layer(layer)) for article in articles if article.annotated(layer))
        if refused:
            notes.append(f"train: {layer}: {refused} of {total} gold spans start or end inside a word or token and cannot be learnt")
    pieces = windows.cut_all(tokens, contract.window - frame.size, contract.overlap)
    return TrainingSet(articles, tokens, labels, pieces, frame), notes


def _extractor(network: Tagger, tokenizer: PreTrainedTokenizerFast, contract: Contract) -> Extractor:
    """Read with the network as it is now: what the decoder needs of it is copied."""
    return Extractor(TorchEngine(network), tokenizer.backend_tokenizer, contract, network.aids())


def _listen(network: Tagger, data: TrainingSet, tokenizer: PreTrainedTokenizerFast, contract: Contract) -> TrainingSet:
    """Count boundaries, and ask the network what it reads for the rules, and the rules what they make of it."""
    for layer, labels in contract.layers.items():
        network.costs[layer].data = torch.from_numpy(boundaries.count(data.articles, layer, labels))
    if network.hints is None:
        return data
    extractor = _extractor(network, tokenizer, contract)
    with tqdm(total=1, desc="reading train", leave=False, mininterval=1, bar_format="{l_bar}{bar}") as bar:
        scores = extractor.score(data.tokens, 2048, lambda done, total: bar.update(done / total - bar.n))
    syntax = {hints.SYNTAX + layer: [np.full(len(item.ids), windows.IGNORED) for item in data.tokens] for layer in network.names}
    hinted = [np.zeros(len(item.ids), np.int64) for item in data.tokens]
    for i, (article, item, read) in enumerate(zip(data.articles, data.tokens, scores, strict=True)):
        hinted[i][item.heads] = hints.find(article.text, item.bounds, read, network.names)
        for key, values in syntax.items():
            values[i][item.heads] = read[key]
    return replace(data, labels={**data.labels, **syntax}, hints=hinted)


def read(extractor: Extractor, articles: Sequence[Article], what: str) -> list[Article]:
    """Read articles with a progress bar; gold annotation on them is replaced by what is found."""
    with tqdm(extractor.read(articles), total=len(articles), desc=f"reading {what}", unit="article", leave=False) as bar:
        return list(bar)


def _model(config: Config, data: Corpus) -> tuple[Tagger, PreTrainedTokenizerFast, Contract, list[str]]:
    """Build or load the network and its tokenizer, and settle what the checkpoint will promise."""
    notes: list[str] = []
    path = config.model.path
    earlier = next((place for place in (Path(path), Path(path).parent) if (place / contracts.FILE).exists()), None) if path else None
    if earlier is not None:
        before = contracts.load(earlier)
        for layer, labels in data.labels.items():
            if before.layers.get(layer) != labels:
                raise UserError(
                    f"model.path: {path}: was trained on {layer} {before.layers.get(layer)}, the data has {labels}; "
                    f"choose data with the same labels (data.labels=…), or start from the encoder it was made of"
                )
        network = checkpoint.load_tagger(earlier)
        network.keep(data.labels)
        tokenizer = tokenization.load(str(earlier / before.first), ready=True)
    elif path:
        tokenizer = tokenization.load(path, ready=checkpoint.has_silver_heads(Path(path)))
        network = tagger.build(config.model, data.labels, tokenizer)
        started = checkpoint.start_heads(network, Path(path))
        if checkpoint.start_syntax(network, Path(path)):
            notes.append("quotations are hinted at by rules, over the syntax that the encoder reads")
        notes += [f"the heads start from silver ones: {'; '.join(started)}"] * bool(started)
    else:
        learnt = tokenization.learn((article.text for article in data.splits["train"]), config.model.scratch.vocabulary)
        tokenizer = tokenization.wrap(learnt)
        network = tagger.build(config.model, data.labels, tokenizer)
    positions = tagger.positions(network.encoder)
    limit = min(config.model.window, positions)
    overlap = min(config.model.overlap, limit // 4)
    if limit < config.model.window:
        notes.append(f"window: {limit} tokens, since the encoder has no more positions (model.window={config.model.window})")
    trained_on = {"data": config.data.name, "split": data.fingerprint, "encoder": path or config.model.name}
    places = bodies.way_of(data.splits["train"], data.labels.get("entities", ()))
    if places:
        notes.append(f"the place behind a public body (МИД РФ) is {places} its name, as in most training articles; --places of predict.py")
    return network, tokenizer, Contract(data.labels, limit, overlap, trained_on, places, min(config.model.reads, positions)), notes


def _dev(extractor: Extractor, articles: Sequence[Article], callback: Callable[..., None]) -> dict[str, Any]:
    """The dev figures that training steers by: strict micro F1 of each layer, their mean as `score`; and which places are wrong."""
    predicted = list(extractor.read(articles, progress=callback))
    scores = metrics.score(articles, predicted, list(extractor.contract.layers), resamples=0)
    figures = {f"{layer}_f1": found.strict[metrics.MICRO].f1 for layer, found in scores.items()}
    wrong = mistakes.wrong_places(metrics.pair(articles, predicted), extractor.contract.layers)
    return {**figures, "score": sum(figures.values()) / len(figures), "wrong": wrong}


def _describe(data: Corpus, config: Config) -> str:
    sizes = ", ".join(f"{split} {len(articles)}" for split, articles in data.splits.items())
    labels = "; ".join(f"{layer}: {' '.join(names)}" for layer, names in data.labels.items())
    return f"data={config.data.name}: {sizes} articles; {labels}"


def _report(
    config: Config, folder: Path, data: Corpus, extractor: Extractor, scores: dict[str, Scores], attributed: dict[str, Attribution],
    predicted: dict[str, list[Article]], progress: Progress, notes: list[str], seconds: float,
) -> None:  # fmt: skip
    final = "test" if "test" in predicted else "dev"
    if final == "dev" and predicted:
        why = "there is no test split" if config.report.test else "report.test=false"
        notes = [*notes, f"{why}: the scores are those of dev, on which the epoch was chosen"]
    pairs = {split: metrics.pair(data.splits[split], found) for split, found in predicted.items()}
    report.write(
        folder,
        report.Run(
            title=f"{config.task.name} · {config.model.name} · {config.data.name}",
            scores=scores,
            attribution=attributed,
            history=progress.history,
            notes=notes,
            corpus={split: corpus.counts(articles, config.task.layers) for split, articles in data.splits.items() if articles},
            config=settled(config),
            **surroundings(),
            seconds=round(seconds, 1),
            fingerprint=data.fingerprint,
            examples=pairs.get(final, []),
            split=final if predicted else "",
            known=Known(
                slices.vocabulary(data.splits["train"]),
                slices.window_positions(data.splits[final], extractor.tokenizer, extractor.contract),
            ),
            lasting=Lasting(pairs["dev"], progress.wrong, len(progress.history)) if "dev" in pairs else None,
            resamples=config.report.resamples,
            seed=config.seed,
        ),
    )
