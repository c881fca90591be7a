"""The fine-tuning loop: one optimizer step is `accumulate` batches of windows, shared out among the processes.

Everything random comes from the seed: the plan of an epoch is a function of (seed, epoch), so that a run that was stopped goes on in the
middle of an epoch, to the same weights as one that never stopped.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from torch import Tensor, nn
from tqdm import tqdm

from govorit import windows, words
from govorit.article import Article
from govorit.decoding import hints
from govorit.decoding.links import VECTORS
from govorit.errors import TrainingError, UserError
from govorit.network.linking import LinkLoss
from govorit.network.tagger import Tagger
from govorit.training.loop import Resumable
from govorit.training.states import State, States
from govorit.windows import IGNORED, Batch, Frame, Tokens, Window

if TYPE_CHECKING:
    from govorit.config import Trainer
    from govorit.training.pretraining import Network


_OF_HEADS = ("heads.", "links.", "syntax.", "hints.")  # weights that learn at the rate of heads
_MUTED = 0.1  # of the windows are read without hints


@dataclass(frozen=True)
class TrainingSet:
    """Tokenized articles with label ids of each layer, (tokens,) an article, and the windows cut from them.

    Where the network listens to rules, `hints` are what these say of each token, (tokens,) an article, and `labels` has what the network
    read for them before training, under `hints.SYNTAX` and the name of each silver layer: it is not to forget that.
    """

    articles: Sequence[Article]
    tokens: Sequence[Tokens]
    labels: Mapping[str, Sequence[np.ndarray]]
    windows: Sequence[Window]
    frame: Frame
    hints: Sequence[np.ndarray] | None = None

    def batch(self, chosen: Sequence[int]) -> Batch:
        return self.frame.pad([self.windows[i] for i in chosen], self.tokens, self.labels, self.hints)

    def names(self, chosen: Sequence[int]) -> list[str]:
        return sorted({self.articles[self.windows[i].article].id for i in chosen})


@dataclass
class Progress:
    """Where training stands; all that a resumed run needs beside tensors."""

    epoch: int = 0
    step: int = 0  # optimizer steps made in this epoch
    total_steps: int = 0  # optimizer steps made in all
    best: float = -math.inf
    best_epoch: int = -1
    loss: float = 0.0  # sum over this epoch's steps
    tokens: int = 0  # read in this epoch
    seconds: float = 0.0  # of this epoch
    history: list[dict[str, float]] = field(default_factory=list)
    wrong: dict[str, int] = field(default_factory=dict)  # place in dev -> after how many epochs it was wrong


def train(
    tagger: Tagger,
    data: TrainingSet,
    config: Trainer,
    seed: int,
    accelerator: Accelerator,
    states: States,
    evaluate: Callable[[Callable[..., None]], dict[str, Any]],
    resume: bool = False,
    say: Callable[[str], None] = print,
    watch: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Fine-tune `tagger` in place, and leave in it the weights of the epoch that was best on dev.

    Args:
        evaluate: gives the figures of the dev set, `score` among them, and, where it likes, as `wrong` the places that are wrong; it is
            handed a callback to call between batches.
        states: where each epoch's and the best state are saved.
        watch: is shown the progress of each epoch when its state is saved, and of a run that is resumed; what it raises ends the training.

    Raises:
        Stopped: by SIGINT, SIGTERM or `trainer.minutes`, after the state was saved.
        TrainingError: a loss or gradient that is not finite; the state of that step is not saved.
    """
    loop = Loop(tagger, data, config, seed, accelerator, states)
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in tagger.parameters()]
    say(f"{sum(size for size, learns in sizes if learns):,} of {sum(size for size, _ in sizes):,} weights are trained")
    if resume and (state := states.newest()):
        loop.restore(state)
        say(f"resumed: epoch {loop.progress.epoch + 1}, {loop.progress.total_steps} steps done")
        watch(loop.progress)
    elif accelerator.is_main_process:
        shutil.rmtree(states.folder, ignore_errors=True)  # of another run, which must not be taken for one of ours
    with loop.signals():
        while loop.progress.epoch < config.epochs and not loop.patience_spent():
            loop.run_epoch(evaluate, say)
            watch(loop.progress)
    if (best := states.best()) is not None:
        tagger.load_state_dict(best.tensors["weights"])
    return loop.progress


class Loop(Resumable):
    """The state of fine-tuning and the steps over it."""

    progress: Progress

    def __init__(self, tagger: Tagger, data: TrainingSet, config: Trainer, seed: int, accelerator: Accelerator, states: States) -> None:
        self.tagger, self.data, self.config, self.seed = tagger, data, config, seed
        self.tagger.to(accelerator.device)
        if config.freeze_embeddings:
            self.tagger.encoder.get_input_embeddings().weight.requires_grad_(False)
        super().__init__(tagger, parameter_groups(tagger, config), accelerator, states, config.minutes)
        self.progress = Progress()
        self.dtype = choose_precision(config.precision, accelerator.device)[0]
        self.total_steps = max(1, sum(len(self.plan(epoch)) for epoch in range(config.epochs)))
        self.model = accelerator.prepare_model(tagger)
        self.losses = {layer: _loss(names, config.class_weights, accelerator.device) for layer, names in tagger.layers.items()}
        self.losses |= {hints.SYNTAX + layer: nn.CrossEntropyLoss(ignore_index=IGNORED, reduction="sum") for layer in tagger.names}
        self.links = None if tagger.links is None else LinkLoss(data.articles, data.tokens, data.frame, tagger.layers["quotes"])
        self.unknown = unknown_tags(data.articles, tagger.layers.get("entities", ()))
        self.last: list[int] = []  # windows of the last step, to name its articles
        torch.manual_seed(seed)

    def plan(self, epoch: int) -> list[list[list[int]]]:
        """The epoch's optimizer steps, each a list of batches of window numbers."""
        sizes = [w.end - w.start + self.data.frame.size for w in self.data.windows]
        rng = np.random.default_rng((self.seed, epoch))
        plan = list(windows.batches(sizes, self.config.batch_tokens, rng))
        return [plan[i : i + self.config.accumulate] for i in range(0, len(plan), self.config.accumulate)]

    def run_epoch(self, evaluate: Callable[[Callable[..., None]], dict[str, Any]], say: Callable[[str], None]) -> None:
        """Make the epoch's remaining steps, evaluate, save."""
        p, plan = self.progress, self.plan(self.progress.epoch)
        self.tagger.train()
        bar = tqdm(
            total=self.total_steps, initial=p.total_steps, desc=f"epoch {p.epoch + 1}/{self.config.epochs}", unit="step", leave=False,
            disable=None if self.accelerator.is_main_process else True, mininterval=0.5, dynamic_ncols=True,
        )  # fmt: skip
        with bar:
            for step in plan[p.step :]:
                started = time.monotonic()
                rate = self.set_rates()
                with self.within_memory(self.config):
                    loss, tokens = self.step(step)
                p.step, p.total_steps = p.step + 1, p.total_steps + 1
                p.loss, p.tokens, p.seconds = p.loss + loss, p.tokens + tokens, p.seconds + time.monotonic() - started
                self.accelerator.log({"train/loss": loss, "train/learning_rate": rate}, p.total_steps)
                bar.set_postfix(
                    loss=f"{loss:.3f}",
                    lr=f"{rate:.1e}",
                    tokens_s=f"{p.tokens / max(p.seconds, 1e-9):,.0f}",
                    refresh=False,
                )
                bar.update()
                self.stop_if_asked()
        figures = evaluate(lambda *_: self.stop_if_asked())
        figures = broadcast_object_list([figures])[0]  # of one process: all have to agree on when to stop
        for place in figures.pop("wrong", ()):
            p.wrong[place] = p.wrong.get(place, 0) + 1
        self.finish_epoch(figures, plan, say)
        self.stop_if_asked()

    def finish_epoch(self, figures: Mapping[str, float], plan: Sequence[Any], say: Callable[[str], None]) -> None:
        p = self.progress
        speed = p.tokens / max(p.seconds, 1e-9)
        row = {
            "epoch": p.epoch + 1,
            "loss": p.loss / len(plan),
            **figures,
            "tokens_per_second": round(speed),
            "seconds": round(p.seconds, 1),
        }
        p.history.append({key: round(float(value), 6) for key, value in row.items()})
        self.accelerator.log({f"epoch/{key}": value for key, value in p.history[-1].items()}, p.total_steps)
        better = figures["score"] > p.best
        if better:
            p.best, p.best_epoch = figures["score"], p.epoch
        shown = "  ".join(f"{key} {value:.3f}" for key, value in figures.items())
        left = p.seconds * (self.config.epochs - p.epoch - 1) / 60
        mark = "  best" if better else ""
        say(f"epoch {p.epoch + 1:3d}  loss {row['loss']:.4f}  {shown}  {speed:,.0f} tokens/s  {left:.1f} min left{mark}")
        p.epoch, p.step, p.loss, p.tokens, p.seconds = p.epoch + 1, 0, 0.0, 0, 0.0
        self.save(better)

    def save(self, best: bool = False) -> None:
        """Save the state to go on from, and the weights as the best ones before it.

        Raises:
            TrainingError: the last step has made weights that are not finite.
        """
        if not self.finite():
            raise self.not_finite(self.progress.total_steps, "weights")
        if self.accelerator.is_main_process:
            if best:
                self.states.save_best(State({"weights": self.tagger.state_dict()}, {"epoch": self.progress.best_epoch}))
            self.states.save(self.snapshot(), self.progress.total_steps)
        self.accelerator.wait_for_everyone()

    def not_finite(self, step: int, what: str) -> TrainingError:
        return TrainingError(
            f"step {step}: {what}: not finite, nothing saved; articles {', '.join(self.data.names(self.last))}; "
            f"lower trainer.learning_rate, or set trainer.precision=fp32"
        )

    def step(self, plan: Sequence[Sequence[int]]) -> tuple[float, int]:
        """Make one optimizer step; return the loss and the number of tokens read, padding left out."""
        self.last = [i for chosen in plan for i in chosen]
        batches = [self.data.batch(chosen) for chosen in plan]
        self.mute(batches)
        asked = self.count(batches)
        total = 0.0
        for number, batch in enumerate(batches):
            last = number == len(batches) - 1
            with nullcontext() if last else self.accelerator.no_sync(self.model):
                loss = self.loss(_share(batch, self.accelerator.process_index, self.accelerator.num_processes), asked)
                self.accelerator.backward(loss * self.accelerator.num_processes)  # gradients are averaged over processes
            total += float(self.accelerator.reduce(loss.detach(), reduction="sum"))
        norm = float(self.accelerator.clip_grad_norm_(self.model.parameters(), self.config.clip or math.inf))
        if not (math.isfinite(total) and math.isfinite(norm)):
            raise self.not_finite(self.progress.total_steps + 1, f"loss {total}, gradient norm {norm}")
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return total, sum(int(b.mask.sum()) for b in batches)

    def mute(self, batches: Sequence[Batch]) -> None:
        """Take the hints from some windows, so that tags are learnt without them as well: plain transformers have none."""
        rng = np.random.default_rng((self.seed, self.progress.total_steps))
        for batch in batches:
            if batch.hints is not None:
                batch.hints[rng.random(len(batch.windows)) < _MUTED] = 0

    def count(self, batches: Sequence[Batch]) -> dict[str, int]:
        """How much a step asks: labelled words of each layer, and contents whose links are known."""
        asked = {layer: sum(int((b.labels[layer] != IGNORED).sum()) for b in batches) for layer in self.losses}
        return asked if self.links is None else {**asked, VECTORS: sum(map(self.links.count, batches))}

    def loss(self, batch: Batch, asked: Mapping[str, int]) -> Tensor:
        """This process's share of the loss: for each layer the mean over all labelled words of the step, layers added.

        Links add the mean over the step's contents.
        """
        device = self.accelerator.device
        with torch.autocast(device.type, self.dtype, enabled=self.dtype is not None):
            inputs = (batch.ids, batch.mask) if batch.hints is None else (batch.ids, batch.mask, batch.hints)
            logits = self.model(*(torch.from_numpy(values).to(device) for values in inputs))
        total = torch.zeros((), device=device)
        for layer, loss in self.losses.items():
            labels = torch.from_numpy(batch.labels[layer]).to(device)
            scores = logits[layer].float()
            unknown = self.unknown[[window.article for window in batch.windows]] if layer == "entities" else None
            if unknown is not None and unknown.any():
                scores = _folded(scores, unknown.to(device))
            total = total + loss(scores.flatten(0, 1), labels.flatten()) / max(asked[layer], 1)
        if self.links is not None and self.tagger.links is not None:
            total = total + self.links(self.tagger.links, batch, logits) / max(asked[VECTORS], 1)
        return total

    def set_rates(self) -> float:
        """Set the learning rates of this step: linear warm-up, then linear decay to zero; return the encoder's."""
        warm = max(1, round(self.total_steps * self.config.warmup))
        done = self.progress.total_steps
        factor = (done + 1) / warm if done < warm else (self.total_steps - done) / max(1, self.total_steps - warm)
        self.scale_rates(factor)
        return self.config.learning_rate * factor

    def patience_spent(self) -> bool:
        p = self.progress
        return bool(self.config.patience) and p.best_epoch >= 0 and p.epoch - 1 - p.best_epoch >= self.config.patience


def parameter_groups(tagger: Tagger | Network, config: Trainer) -> list[dict[str, Any]]:
    """Group the weights that learn by rate and decay: heads, encoder layers (each below the top slower by `layer_decay`), embeddings.

    Biases and normalisation weights (one dimension) do not decay.
    """
    depth = getattr(tagger.encoder.config, "num_hidden_layers", 0)
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in tagger.named_parameters():
        if parameter.requires_grad:
            below = depth - _height(name, depth)
            rate = config.head_learning_rate if name.startswith(_OF_HEADS) else config.learning_rate * config.layer_decay**below
            groups.setdefault((rate, parameter.ndim > 1), []).append(parameter)
    return [
        {"params": parameters, "lr": rate, "weight_decay": config.weight_decay if decays else 0.0}
        for (rate, decays), parameters in groups.items()
    ]


def _height(name: str, depth: int) -> int:
    """How high a weight of the encoder lies, by its name: 0 for embeddings, then the layers from 1, `depth` for what comes after them."""
    return next((int(part) + 1 for part in name.split(".") if part.isdigit()), 0 if "embed" in name else depth)


def check_class_weights(weights: Mapping[str, float], layers: Mapping[str, Sequence[str]]) -> None:
    """Refuse weights of labels that are not learnt."""
    known = [label for labels in layers.values() for label in labels]
    for label in weights:
        if label not in (words.OUTSIDE, *known):
            raise UserError(f"trainer.class_weights: {label!r} is not learnt; expected O or some of {', '.join(known)}")


def choose_precision(wanted: str, device: torch.device) -> tuple[torch.dtype | None, str]:
    """Choose the type of matrix products, None for float32, and say why. Weights and optimizer stay float32."""
    if wanted != "auto":
        return (torch.bfloat16 if wanted == "bf16" else None), f"{wanted}: as trainer.precision says"
    if device.type == "cuda":
        name, fast = torch.cuda.get_device_name(device), torch.cuda.get_device_capability(device) >= (8, 0)
    else:
        name, fast = "this processor", device.type == "cpu" and (_flag("amx_bf16") or _flag("avx512_bf16"))
    return (torch.bfloat16, f"bf16: {name} multiplies it faster") if fast else (None, f"fp32: {name} has no fast bf16")


def _flag(name: str) -> bool:
    try:
        return name in Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return False


def _loss(labels: Sequence[str], weights: Mapping[str, float], device: torch.device) -> nn.CrossEntropyLoss:
    values = [weights.get(name.removeprefix("B-").removeprefix("I-"), 1.0) for name in words.tag_names(labels)]
    return nn.CrossEntropyLoss(torch.tensor(values, device=device), ignore_index=IGNORED, reduction="sum")


def unknown_tags(articles: Sequence[Article], labels: Sequence[str]) -> Tensor:
    """Which tags of entities are unknown in an article, since it does not cover their labels: (articles, tags) of bool."""
    rows = [[False, *(not article.covers(label) for label in labels for _ in "BI")] for article in articles]
    return torch.tensor(rows, dtype=torch.bool)


def _folded(scores: Tensor, unknown: Tensor) -> Tensor:
    """Count unknown tags (windows, tags) to O in scores (windows, tokens, tags): a word without a label may be O or any of them.

    What is learnt is then the probability of what the annotation says, all that it leaves open added up (Tsuboi et al. 2008).
    """
    open_ = unknown[:, None, :]
    either = open_.clone()
    either[..., 0] = True
    outside = scores.masked_fill(~either, -math.inf).logsumexp(-1, keepdim=True)
    return torch.cat((outside, scores.masked_fill(open_, -math.inf)[..., 1:]), -1)


def _share(batch: Batch, process: int, processes: int) -> Batch:
    """The rows of a batch that one of several processes computes; one with none computes a row that asks for nothing, to keep in step."""
    if processes == 1:
        return batch
    idle = process >= len(batch.windows)
    rows = slice(1) if idle else slice(process, None, processes)
    labels = {layer: np.full_like(values[rows], IGNORED) if idle else values[rows] for layer, values in batch.labels.items()}
    hinted = None if batch.hints is None else batch.hints[rows]
    return Batch(batch.windows[rows], batch.ids[rows], batch.mask[rows], labels, hinted)
