"""A run from articles to report, stage by stage: the only module that sees the whole config."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from tqdm import tqdm
from transformers import AutoModelForMaskedLM, PreTrainedTokenizerFast

from govorit import (
    __version__,
    archive,
    checkpoint,
    corpus,
    curve,
    formats,
    metrics,
    pretraining,
    report,
    silver,
    tagger,
    tokenization,
    training,
    vectors,
    windows,
)  # fmt: skip
from govorit import contract as contracts
from govorit.archive import Packed, Text
from govorit.article import Article
from govorit.checkpoint import States
from govorit.config import Config, check, difference, settled
from govorit.contract import Contract
from govorit.corpus import Corpus
from govorit.engines import TorchEngine
from govorit.errors import UserError
from govorit.extractor import Extractor
from govorit.formats import jsonl
from govorit.metrics import Scores
from govorit.pretraining import Network
from govorit.tagger import Tagger
from govorit.training import Progress, TrainingSet

Say = Callable[[str], None]
PACKAGES = ("torch", "transformers", "tokenizers", "datasets", "accelerate", "seqeval", "hydra-core")


@dataclass
class Outcome:
    """What a run has left: the table of scores for a person, and where everything is."""

    folder: Path
    table: str
    scores: dict[str, Scores]


def run(config: Config, folder: Path, say: Say = print) -> Outcome:
    """Convert, check, split, encode, train, evaluate, report, publish.

    Nothing is written to `folder` before the corpus and the model have been checked.

    Raises:
        UserError: what a person has to mend, in one line.
        loop.Stopped: by a signal or because its time was up, after the state was saved.
    """
    started = time.monotonic()
    check(config)
    accelerator = _prepare(config)
    folder = Path(broadcast_object_list([str(folder)])[0])  # its name may hold the time, which is another in each process
    data = corpus.load(config.data, config.task.layers, config.seed)
    training.check_class_weights(config.trainer.class_weights, data.labels)
    network, tokenizer, contract, notes = _model(config, data)
    notes = [*data.notes, *notes]
    training_set, unheld = encode(data.splits["train"], tokenizer, contract)
    notes += unheld
    notes += [
        f"precision {training.choose_precision(config.trainer.precision, accelerator.device)[1]}",
        f"device {accelerator.device}",
    ]
    if not data.splits["dev"]:
        notes.append("there is no dev split: the epoch is chosen on the training articles themselves")
    if accelerator.is_main_process:
        _open(config, folder, data)
    for line in (f"run folder: {folder}", _describe(data, config), *notes):
        say(line)
    accelerator.wait_for_everyone()
    extractor = Extractor(TorchEngine(network), tokenizer.backend_tokenizer, contract)
    progress = training.train(
        network, training_set, config.trainer, config.seed, accelerator, States(folder / "state", data.fingerprint),
        lambda callback: _dev(extractor, data.splits["dev"] or data.splits["train"], contract, callback), config.resume, say,
    )  # fmt: skip
    if not accelerator.is_main_process:
        return Outcome(folder, "", {})
    checkpoint.publish(network, tokenizer, contract, folder / "model")
    predicted = {split: read(extractor, articles, split) for split, articles in data.splits.items() if articles and split != "train"}
    (folder / "predictions").mkdir(exist_ok=True)
    for split, found in predicted.items():
        jsonl.write(found, folder / "predictions" / f"{split}.jsonl")
    scores = {
        split: metrics.score(data.splits[split], found, config.task.layers, resamples=config.report.resamples, seed=config.seed)
        for split, found in predicted.items()
    }
    _report(config, folder, data, scores, predicted, progress, notes, time.monotonic() - started)
    shutil.rmtree(folder / "state", ignore_errors=True)
    return Outcome(folder, "\n\n".join(f"{split}\n{report.table(found)}" for split, found in scores.items()), scores)


def pretrain(config: Config, folder: Path, say: Say = print) -> Outcome:
    """Find the text, learn or load the tokenizer, pack, train on masked words and silver labels, publish the encoder.

    Raises:
        UserError: what a person has to mend, in one line.
        loop.Stopped: by a signal or because its time was up, after the state was saved.
    """
    check(config)
    accelerator = _prepare(config)
    folder = Path(broadcast_object_list([str(folder)])[0])
    texts = _mlm_texts(config)
    with accelerator.main_process_first():  # the others find what it has learnt and packed
        tokenizer = _mlm_tokenizer(config, texts, Path(config.data.cache), say)
        train, heldout = _pack(config, texts, tokenizer)
    pretraining.plans(train, config.data.passes, config.mlm, config.trainer, config.seed, accelerator.num_processes)  # or say what is amiss
    states = States(folder / "state", train.key)
    fresh = not config.resume or states.newest() is None
    network, notes = _mlm_network(config, tokenizer, train.names, fresh)
    limit = min(config.model.window, tagger.positions(network.encoder))
    if max(config.mlm.lengths) > limit:
        raise UserError(f"mlm.lengths: found {config.mlm.lengths}, expected at most {limit}: the encoder has no more positions")
    notes += [
        f"precision {training.choose_precision(config.trainer.precision, accelerator.device)[1]}",
        f"device {accelerator.device}",
        f"{sum(p.numel() for p in network.model.parameters()) / 1e6:.1f} M weights",
    ]
    if accelerator.is_main_process:
        _open(config, folder)
    told = [f"{name} {end - start:,}" for name, (start, end) in train.ranges.items()]
    shown = told if len(told) <= 12 else [f"{len(train):,} of {len(told):,} texts"]
    for line in (f"run folder: {folder}", f"tokens: {'  '.join(shown)}; held out {len(heldout):,}", *notes):
        say(line)
    accelerator.wait_for_everyone()
    progress = pretraining.pretrain(
        network, train, heldout, tokenizer.mask_token_id, config.mlm, config.trainer, config.data.passes, config.seed, accelerator,
        states, config.resume, say,
    )  # fmt: skip
    if not accelerator.is_main_process:
        return Outcome(folder, "", {})
    checkpoint.publish_encoder(network, tokenizer, limit, folder / "model")
    facts = {**_surroundings(), "title": f"mlm · {config.model.name}", "seconds": round(progress.seconds, 1), "tokens": progress.tokens}
    curve.write(folder, progress.history, facts, notes)
    shutil.rmtree(folder / "state", ignore_errors=True)
    return Outcome(folder, curve.table(progress.history), {})


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
    return TrainingSet([article.id for article in articles], tokens, labels, pieces, frame), notes


def read(extractor: Extractor, articles: Sequence[Article], what: str) -> list[Article]:
    """Read articles with a progress bar; gold annotation on them is replaced by what is found."""
    with tqdm(extractor.read(articles), total=len(articles), desc=f"reading {what}", unit="article", leave=False) as bar:
        return list(bar)


def _prepare(config: Config) -> Accelerator:
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))  # processes that share this machine's cores
    torch.set_num_threads(config.trainer.threads or max(1, (os.cpu_count() or 1) // here))
    torch.manual_seed(config.seed)
    accelerator = Accelerator(cpu=config.trainer.device == "cpu" or not torch.cuda.is_available())
    if accelerator.device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
    return accelerator


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
        network.layers = {layer: network.layers[layer] for layer in data.labels}
        network.heads = torch.nn.ModuleDict({layer: network.heads[layer] for layer in data.labels})
        tokenizer = tokenization.load(str(earlier / next(iter(before.layers))), ready=True)
    elif path:
        tokenizer = tokenization.load(path, ready=checkpoint.has_silver_heads(Path(path)))
        network = tagger.build(config.model, data.labels, tokenizer)
        started = checkpoint.start_heads(network, Path(path))
        notes += [f"the heads start from silver ones: {'; '.join(started)}"] * bool(started)
    else:
        learnt = tokenization.learn((article.text for article in data.splits["train"]), config.model.scratch.vocabulary)
        tokenizer = tokenization.wrap(learnt)
        network = tagger.build(config.model, data.labels, tokenizer)
    limit = min(config.model.window, tagger.positions(network.encoder))
    overlap = min(config.model.overlap, limit // 4)
    if limit < config.model.window:
        notes.append(f"window: {limit} tokens, since the encoder has no more positions (model.window={config.model.window})")
    trained_on = {"data": config.data.name, "split": data.fingerprint, "encoder": path or config.model.name}
    return network, tokenizer, Contract(data.labels, limit, overlap, trained_on), notes


def _mlm_texts(config: Config) -> list[Text]:
    """The texts of a pass, with their silver labels there where they are asked for, and every key that names a text or a loss known."""
    data, weights = config.data, config.mlm.weights
    texts = archive.texts((data.text or "").split(","), Path(data.silver) if data.silver else None)
    losses = ["words", *(archive.LAYERS if data.silver else ())]
    for key, named, known in (("data.passes", data.passes, [text.name for text in texts]), ("mlm.weights", weights, losses)):
        for name in named:
            if name not in known:
                raise UserError(f"{key}: found {name!r}, expected some of {', '.join(known[:20])}")
    if not any(weights.get(name, 1) for name in losses):
        raise UserError(f"mlm.weights: found {dict(weights)}, expected one above 0: there is nothing else to learn")
    chosen = [text for text in texts if data.passes.get(text.name, 1)]
    if not chosen:
        raise UserError(f"data.passes: found {dict(data.passes)}, expected 1 or more for one text")
    for text in chosen:
        text.silver()
    return chosen


def _mlm_tokenizer(config: Config, texts: Sequence[Text], cache: Path, say: Say) -> PreTrainedTokenizerFast:
    """The tokenizer of the encoder to go on with, or one learnt from the texts, which takes minutes and is kept."""
    if config.model.path:
        tokenizer = tokenization.load(config.model.path, ready=checkpoint.has_silver_heads(Path(config.model.path)))
        if tokenizer.mask_token_id is None:
            raise UserError(f"model.path: {config.model.path}: its tokenizer has no mask token; expected a masked-language model")
        return tokenizer
    size = config.model.scratch.vocabulary
    key = hashlib.sha256(repr((size, [text.digest for text in texts])).encode()).hexdigest()[:16]
    place = cache / f"tokenizer-{key}"
    if not (place / "tokenizer.json").exists():
        say(f"learning {size:,} word pieces from {len(texts)} texts")
        learnt = tokenization.learn((document for text in texts for document in text.documents()), size, rare=20)
        formats.make_folder(place)
        learnt.save(str(place / "tokenizer.json"))
    return tokenization.wrap(tokenization.read(place))


def _pack(config: Config, texts: Sequence[Text], tokenizer: PreTrainedTokenizerFast) -> tuple[Packed, Packed]:
    with tqdm(desc="packing text", unit="char", unit_scale=True, leave=False, disable=None) as bar:
        return archive.pack(texts, tokenizer.backend_tokenizer, Path(config.data.cache), config.mlm.heldout, bar.update)


def _mlm_network(
    config: Config, tokenizer: PreTrainedTokenizerFast, layers: Mapping[str, Sequence[str]], fresh: bool
) -> tuple[Network, list[str]]:
    model = tagger.network(config.model, tokenizer, AutoModelForMaskedLM)
    network = Network(model, layers)
    notes = []
    if config.model.path:
        if checkpoint.load_silver_heads(network, Path(config.model.path)):
            notes.append("the silver heads go on from those of model.path")
    elif config.mlm.vectors and fresh:
        known = vectors.start(model, tokenizer.backend_tokenizer, silver.navec(), config.seed)
        notes.append(f"embeddings start from the vectors of {known:,} words (navec)")
    return network, notes


def _dev(extractor: Extractor, articles: Sequence[Article], contract: Contract, callback: Callable[..., None]) -> dict[str, float]:
    """The dev figures that training steers by: strict micro F1 of each layer, and their mean as `score`."""
    predicted = list(extractor.read(articles, progress=callback))
    scores = metrics.score(articles, predicted, list(contract.layers), resamples=0)
    figures = {f"{layer}_f1": found.strict[metrics.MICRO].f1 for layer, found in scores.items()}
    return {**figures, "score": sum(figures.values()) / len(figures)}


def _describe(data: Corpus, config: Config) -> str:
    sizes = ", ".join(f"{split} {len(articles)}" for split, articles in data.splits.items())
    labels = "; ".join(f"{layer}: {' '.join(names)}" for layer, names in data.labels.items())
    return f"data={config.data.name}: {sizes} articles; {labels}"


def _open(config: Config, folder: Path, data: Corpus | None = None) -> None:
    """Make the run folder with the resolved config and the dataset, or check that the one there is of the same config."""
    path = folder / "config.yaml"
    if path.exists():
        before = formats.read_text(path)
        if before != settled(config):
            raise UserError(f"{path}: {difference(before, settled(config))}; use another out=FOLDER")
        if (folder / "state").exists() and not config.resume:
            raise UserError(f"{folder}: an unfinished run of this config is there; resume=true goes on with it, or use another out=FOLDER")
    formats.make_folder(folder)
    if data and config.data.save and not (folder / "dataset").exists():
        beside = folder / ".dataset.new"
        shutil.rmtree(beside, ignore_errors=True)
        corpus.dataset(data).save_to_disk(beside)
        beside.rename(folder / "dataset")
    if not path.exists():
        beside = folder / ".config.yaml.new"
        beside.write_text(settled(config), encoding="utf-8")
        beside.rename(path)


def _report(
    config: Config, folder: Path, data: Corpus, scores: dict[str, Scores], predicted: dict[str, list[Article]],
    progress: Progress, notes: list[str], seconds: float,
) -> None:  # fmt: skip
    final = "test" if "test" in predicted else "dev"
    if final == "dev" and predicted:
        notes = [*notes, "there is no test split: the scores are those of dev, on which the epoch was chosen"]
    report.write(
        folder,
        report.Run(
            title=f"{config.task.name} · {config.model.name} · {config.data.name}",
            scores=scores,
            history=progress.history,
            notes=notes,
            corpus={split: corpus.counts(articles, config.task.layers) for split, articles in data.splits.items() if articles},
            config=settled(config),
            **_surroundings(),
            seconds=round(seconds, 1),
            fingerprint=data.fingerprint,
            examples=list(zip(data.splits[final], predicted.get(final, ()), strict=True)) if predicted else [],
        ),
    )


def _surroundings() -> dict[str, Any]:
    """What a run's figures depend on beside its config."""
    return {
        "command": shlex.join(["python", "train/run.py", *sys.argv[1:]]),
        "versions": {"python": platform.python_version(), "govorit": __version__, **{name: version(name) for name in PACKAGES}},
        "hardware": {"processor": platform.machine(), "cores": str(os.cpu_count()), "threads": str(torch.get_num_threads())},
    }
