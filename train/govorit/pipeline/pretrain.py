"""(Further) pre-training: from raw text to an encoder."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from accelerate.utils import broadcast_object_list
from tqdm import tqdm
from transformers import AutoModelForMaskedLM, PreTrainedTokenizerFast

from govorit import checkpoint, files, formats
from govorit.config import Config, check, keys
from govorit.corpora import archive, silver
from govorit.corpora.archive import Packed, Text
from govorit.errors import UserError
from govorit.network import tagger, tokenization, vectors
from govorit.pipeline.stages import Outcome, Say, check_folder, open_folder, prepare, surroundings
from govorit.training import curve, finetuning, pretraining, tracking
from govorit.training.pretraining import Network
from govorit.training.states import States


def pretrain(config: Config, folder: Path, say: Say = print) -> Outcome:
    """Find the text, learn or load the tokenizer, pack, train on masked words and silver labels, publish the encoder.

    Raises:
        UserError: what a person has to mend, in one line.
        loop.Stopped: by a signal or because its time was up, after the state was saved.
    """
    check(config)
    accelerator = prepare(config, folder)
    folder = Path(broadcast_object_list([str(folder)])[0])
    check_folder(config, folder)
    texts = _texts(config)
    with accelerator.main_process_first():  # the others find what it has learnt and packed
        tokenizer = _tokenizer(config, texts, Path(config.data.cache), say)
        train, heldout = _pack(config, texts, tokenizer)
    pretraining.plans(train, config.data.passes, config.mlm, config.trainer, config.seed, accelerator.num_processes)  # or say what is amiss
    states = States(folder / "state", train.key)
    fresh = not config.resume or states.newest() is None
    network, notes = _network(config, tokenizer, train.names, fresh)
    limit = min(config.model.window, tagger.positions(network.encoder))
    if max(config.mlm.lengths) > limit:
        raise UserError(f"mlm.lengths: found {config.mlm.lengths}, expected at most {limit}: the encoder has no more positions")
    notes += [
        f"precision {finetuning.choose_precision(config.trainer.precision, accelerator.device)[1]}",
        f"device {accelerator.device}",
        f"{sum(p.numel() for p in network.model.parameters()) / 1e6:.1f} M weights",
    ]
    if accelerator.is_main_process:
        open_folder(config, folder)
    told = [f"{name} {end - start:,}" for name, (start, end) in train.ranges.items()]
    shown = told if len(told) <= 12 else [f"{len(train):,} of {len(told):,} texts"]
    for line in (f"run folder: {folder}", f"tokens: {'  '.join(shown)}; held out {len(heldout):,}", *notes):
        say(line)
    accelerator.wait_for_everyone()
    with tracking.tracked(accelerator, config.trainer.track, folder, keys(config)):
        progress = pretraining.pretrain(
            network, train, heldout, tokenizer.mask_token_id, config.mlm, config.trainer, config.data.passes, config.seed, accelerator,
            states, config.resume, say,
        )  # fmt: skip
    if not accelerator.is_main_process:
        return Outcome(folder, "", {})
    checkpoint.publish_encoder(network, tokenizer, limit, folder / "model")
    facts = {**surroundings(), "title": f"mlm · {config.model.name}", "seconds": round(progress.seconds, 1), "tokens": progress.tokens}
    curve.write(folder, progress.history, facts, notes)
    shutil.rmtree(folder / "state", ignore_errors=True)
    return Outcome(folder, curve.table(progress.history), {})


def _texts(config: Config) -> list[Text]:
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


def _tokenizer(config: Config, texts: Sequence[Text], cache: Path, say: Say) -> PreTrainedTokenizerFast:
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
        with files.whole(place / "tokenizer.json") as beside:
            learnt.save(str(beside))
    return tokenization.wrap(tokenization.read(place))


def _pack(config: Config, texts: Sequence[Text], tokenizer: PreTrainedTokenizerFast) -> tuple[Packed, Packed]:
    with tqdm(desc="packing text", unit="char", unit_scale=True, leave=False, disable=None) as bar:
        return archive.pack(texts, tokenizer.backend_tokenizer, Path(config.data.cache), config.mlm.heldout, bar.update)


def _network(
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
