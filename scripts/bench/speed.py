"""Measure reading and training speed as ratios taken in one run, pair by pair.

usage: python scripts/bench/speed.py [--shape mini|scratch|tiny2|base] [--pairs 5] [--articles FILE.jsonl]

Reading: our Extractor against what people write with plain transformers on the same weights: batches of 16 articles in the order they come,
cut at the window, padded to the longest. Training: our loop (length-sorted token budget, fused AdamW, the precision that `auto` chooses)
against batches of 16 padded to the window in fp32 with plain AdamW. Figures are CPU-seconds of the process; the machine may be shared, so
trust the ratios. The released model beside natasha: peers.py.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import recipes
import torch
from accelerate import Accelerator
from transformers import AutoModel, BertConfig

from govorit import config, formats, pipeline, windows
from govorit.article import QUOTE_LABELS, Article
from govorit.contract import Contract
from govorit.engines import TorchEngine
from govorit.extractor import Extractor
from govorit.network import tagger, tokenization
from govorit.network.tagger import Tagger
from govorit.training import finetuning
from govorit.training.finetuning import TrainingSet
from govorit.training.states import States

ROOT = Path(__file__).resolve().parents[2]
SHAPES = {"tiny2": recipes.SHAPES["rubert_tiny2_joint"], "base": recipes.SHAPES["rubert_joint"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=("mini", "scratch", *SHAPES), default="mini")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--articles", type=Path, default=ROOT / "data/newsroom/train.jsonl")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    articles = list(formats.read(options.articles))
    network, tokenizer, contract = build(options.shape, articles)
    data, _ = pipeline.encode(articles, tokenizer, contract)
    extractor = Extractor(TorchEngine(network), tokenizer.backend_tokenizer, contract)
    pieces = sum(len(item.ids) for item in data.tokens)
    characters = sum(len(article.text) for article in articles)
    print(f"{options.shape}, {options.threads} thread(s), {len(articles)} articles, {characters:,} characters, {pieces:,} word pieces")
    plainly = partial(read_plainly, network, tokenizer, articles, contract)
    ours, plain = paired(lambda: list(extractor.read(articles)), plainly, options.pairs)
    show("reading", ours, plain, {"articles": len(articles), "characters": characters, "word pieces": pieces})
    steps = take(data, 12)
    tokens = sum(int(data.batch(chosen).mask.sum()) for chosen in steps)
    ours, plain = paired(lambda: train_ours(network, data, steps), lambda: train_plainly(network, data, contract), options.pairs)
    show("training", ours, plain, {"word pieces": tokens}, {"word pieces": sum(int(data.batch(c).mask.sum()) for c in first_rows(data))})
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


def build(shape: str, articles: Sequence[Article]) -> tuple[Tagger, tokenization.PreTrainedTokenizerFast, Contract]:
    layers = {"entities": ["LOC", "ORG", "PER"], "quotes": list(QUOTE_LABELS)}
    if shape == "mini":
        path = str(ROOT / "models/mini")
        tokenizer = tokenization.load(path, ready=True)
        return tagger.build(config.Model(name="mini", path=path), layers, tokenizer), tokenizer, Contract(layers, 512, 128)
    tokenizer = tokenization.wrap(tokenization.learn([article.text for article in articles], config.Scratch().vocabulary))
    if shape == "scratch":
        network = tagger.build(config.Model(name="scratch", path=None), layers, tokenizer)
    else:
        shaped = BertConfig(**SHAPES[shape])
        network = Tagger(AutoModel.from_config(shaped, attn_implementation="eager"), layers)
    return network, tokenizer, Contract(layers, 512, 128)


def read_plainly(network: Tagger, tokenizer: tokenization.PreTrainedTokenizerFast, articles: Sequence[Article], contract: Contract) -> None:
    network.eval()
    for start in range(0, len(articles), 16):
        texts = [article.text for article in articles[start : start + 16]]
        batch = tokenizer(texts, truncation=True, max_length=contract.window, padding=True, return_tensors="pt")
        with torch.inference_mode():
            scores = network(batch["input_ids"], batch["attention_mask"])
        [values.argmax(-1) for values in scores.values()]


def take(data: TrainingSet, count: int) -> list[list[int]]:
    """The first batches of an epoch."""
    sizes = [window.end - window.start + data.frame.size for window in data.windows]
    return list(islice(windows.batches(sizes, 4096, np.random.default_rng(0)), count))


def first_rows(data: TrainingSet) -> list[list[int]]:
    return [list(range(start, start + 16)) for start in (0, 16, 32)]


def train_ours(network: Tagger, data: TrainingSet, steps: Sequence[Sequence[int]]) -> None:
    """The loop's own steps, without evaluation and saving."""
    with tempfile.TemporaryDirectory() as folder:
        trainer = config.Trainer(epochs=1, batch_tokens=4096, learning_rate=1e-5, head_learning_rate=1e-5)
        loop = finetuning.Loop(network, data, trainer, 0, Accelerator(cpu=True), States(Path(folder)))
        for chosen in steps:
            loop.set_rates()
            loop.step([chosen])


def train_plainly(network: Tagger, data: TrainingSet, contract: Contract) -> None:
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-5)
    network.train()
    for chosen in first_rows(data):
        batch = data.batch(chosen)
        spare = contract.window - batch.ids.shape[1]
        ids, mask = (torch.nn.functional.pad(torch.from_numpy(values), (0, spare)) for values in (batch.ids, batch.mask))
        scores = network(ids, mask)
        loss = torch.zeros(())
        for layer, values in batch.labels.items():
            labels = torch.nn.functional.pad(torch.from_numpy(values), (0, spare), value=windows.IGNORED)
            loss = loss + torch.nn.functional.cross_entropy(scores[layer].flatten(0, 1), labels.flatten())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def paired(first: Callable[[], object], second: Callable[[], object], pairs: int) -> tuple[list[float], list[float]]:
    """CPU-seconds of both, in turn, after one warm-up each."""
    first(), second()
    times: tuple[list[float], list[float]] = [], []
    for _ in range(pairs):
        for work, into in zip((first, second), times, strict=True):
            start = time.process_time()
            work()
            into.append(time.process_time() - start)
    return times


def show(what: str, ours: Sequence[float], plain: Sequence[float], amounts: dict[str, int], theirs: dict[str, int] | None = None) -> None:
    """Amounts a CPU-second, medians, and the ratio of ours to plain, pair by pair."""
    for unit, amount in amounts.items():
        other = (theirs or amounts)[unit]
        ratios = [(amount / a) / (other / b) for a, b in zip(ours, plain, strict=True)]
        left, right = amount / statistics.median(ours), other / statistics.median(plain)
        span = f"{min(ratios):.2f} to {max(ratios):.2f}"
        print(f"{what}: {left:,.0f} {unit} a CPU-second, plainly {right:,.0f}: ratio {statistics.median(ratios):.2f} ({span})")


if __name__ == "__main__":
    main()
