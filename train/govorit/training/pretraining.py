"""Masked-language-model (pre-)training on raw text, with silver labels beside the masked words where there are some.

A step reads packed rows, hides some words whole, and asks two things: which pieces were hidden (only those go through the vocabulary head),
and what natasha and the quotation rules say of every word. Everything random is a function of (seed, step), so that a run in slices comes
to the same weights as one that never stopped.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from govorit import machine
from govorit.corpora.archive import HEAD, SPECIAL, Packed, Rows
from govorit.errors import TrainingError, UserError
from govorit.network.tagger import silver_head
from govorit.training.finetuning import choose_precision, parameter_groups
from govorit.training.loop import Resumable
from govorit.training.states import States
from govorit.windows import IGNORED

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from govorit.config import Mlm, Trainer


class Network(nn.Module):
    """A masked-language model of `transformers`, and a head for each silver layer on its last hidden states."""

    def __init__(self, model: PreTrainedModel, layers: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self.model = model
        self.layers = {layer: list(names) for layer, names in layers.items()}
        config = model.config
        self.heads = nn.ModuleDict({layer: silver_head(config, layer, len(names)) for layer, names in self.layers.items()})
        self._chosen = self._hidden = torch.zeros(0)
        model.base_model.register_forward_hook(self._gather)

    @property
    def encoder(self) -> PreTrainedModel:
        return self.model.base_model

    def forward(self, ids: Tensor, mask: Tensor, hidden: Tensor, asked: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Score rows: `ids` and `mask` (rows, tokens); `hidden` (n,) and `asked` (m,) are places in the flattened rows.

        Returns vocabulary logits of the hidden places (n, vocabulary), and for each silver layer logits of the asked ones (m, labels).
        """
        self._chosen = hidden
        scores = self.model(input_ids=ids, attention_mask=mask).logits[0]
        states, self._hidden = self._hidden[asked], self._hidden.detach()  # a network that keeps a graph cannot be copied
        return scores, {layer: head(states) for layer, head in self.heads.items()}

    def _gather(self, _: nn.Module, __: Any, output: Any) -> Any:
        """Hand on only the hidden places to the vocabulary head, whatever the architecture calls it: it is most of the work otherwise."""
        self._hidden = output.last_hidden_state.flatten(0, 1)
        output.last_hidden_state = self._hidden[self._chosen][None]
        return output


@dataclass
class Progress:
    """Where pre-training stands."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0  # of steps, in all slices
    sums: dict[str, float] = field(default_factory=dict)  # of the losses since the last row of the history
    since: int = 0  # steps since then
    history: list[dict[str, float]] = field(default_factory=list)


def pretrain(
    network: Network,
    train: Packed,
    heldout: Packed,
    mask_id: int,
    config: Mlm,
    trainer: Trainer,
    passes: Mapping[str, int],
    seed: int,
    accelerator: Accelerator,
    states: States,
    resume: bool = False,
    say: Callable[[str], None] = print,
) -> Progress:
    """Train `network` in place on `train`; losses on `heldout` go into the history.

    Raises:
        Stopped: by SIGINT, SIGTERM or `trainer.minutes`, after the state was saved.
        TrainingError: a loss or gradient that is not finite; the state of that step is not saved.
        UserError: there is less text than two rows.
    """
    loop = Loop(network, train, heldout, mask_id, config, trainer, passes, seed, accelerator, states)
    if resume and (state := states.newest()):
        loop.restore(state)
        say(f"resumed: step {loop.progress.step} of {loop.total_steps}, {loop.progress.tokens:,} tokens read")
    with loop.signals():
        loop.run(say)
    return loop.progress


class Loop(Resumable):
    """The state of pre-training and the steps over it."""

    progress: Progress

    def __init__(
        self, network: Network, train: Packed, heldout: Packed, mask_id: int, config: Mlm, trainer: Trainer,
        passes: Mapping[str, int], seed: int, accelerator: Accelerator, states: States,
    ) -> None:  # fmt: skip
        self.train, self.heldout, self.mask_id = train, heldout, mask_id
        self.config, self.trainer, self.seed = config, trainer, seed
        network.to(accelerator.device)
        network.encoder.get_input_embeddings().weight.requires_grad_(not trainer.freeze_embeddings)
        super().__init__(network, parameter_groups(network, trainer), accelerator, states, trainer.minutes)
        self.progress = Progress()
        self.dtype = choose_precision(trainer.precision, accelerator.device)[0]
        self.model = accelerator.prepare_model(network)
        size = trainer.batch_tokens * trainer.accumulate
        wanted = config.tokens or trainer.epochs * sum((end - start) * passes.get(name, 1) for name, (start, end) in train.ranges.items())
        self.total_steps = max(1, -(-wanted // size))
        self.short_steps = round(self.total_steps * config.short)
        self.plans = plans(train, passes, config, trainer, seed, accelerator.num_processes)
        torch.manual_seed(seed)

    def run(self, say: Callable[[str], None]) -> None:
        p = self.progress
        self.network.train()
        bar = tqdm(
            total=self.total_steps, initial=p.step, desc="pre-training", unit="step", leave=False,
            disable=None if self.accelerator.is_main_process else True, mininterval=1, dynamic_ncols=True,
        )  # fmt: skip
        with bar:
            while p.step < self.total_steps:
                started = time.monotonic()
                rate = self.set_rates()
                with self.within_memory(self.trainer):
                    losses, tokens = self.step(p.step)
                p.step, p.tokens, p.since = p.step + 1, p.tokens + tokens, p.since + 1
                p.seconds += time.monotonic() - started
                p.sums = {name: p.sums.get(name, 0.0) + value for name, value in losses.items()}
                told = {f"train/{name}_loss": value for name, value in losses.items()}
                self.accelerator.log({**told, "train/learning_rate": rate}, p.step)
                bar.set_postfix({name: f"{value:.2f}" for name, value in losses.items()}, lr=f"{rate:.1e}", refresh=False)
                bar.update()
                if p.tokens // self.config.every > (p.tokens - tokens) // self.config.every or p.step == self.total_steps:
                    self.look(say)
                self.stop_if_asked()

    def step(self, number: int) -> tuple[dict[str, float], int]:
        """Make one optimizer step; return the loss of the words and of each silver layer, and the number of tokens read."""
        starts, length = self.places(number)
        rows = self.train.rows(starts, length)
        hidden = hide(rows, self.config.mask, self.mask_id, np.random.default_rng((self.seed, number, 1)))
        counts = counted(rows, hidden)
        parts = np.array_split(np.arange(len(starts)), min(self.trainer.accumulate, len(starts)))
        sums: dict[str, Tensor] = {}
        for at, part in enumerate(parts):
            own = part[self.accelerator.process_index :: self.accelerator.num_processes]
            with nullcontext() if at == len(parts) - 1 else self.accelerator.no_sync(self.model):
                losses = self.losses(rows, hidden, own)
                weighted = [self.weight(name) * value / max(counts[name], 1) for name, value in losses.items()]
                if weighted:
                    self.accelerator.backward(torch.stack(weighted).sum() * self.accelerator.num_processes)  # gradients are averaged
            sums = {name: sums.get(name, 0.0) + value.detach() for name, value in losses.items()}
        norm = float(self.accelerator.clip_grad_norm_(self.model.parameters(), self.trainer.clip or math.inf))
        means = {name: float(self.accelerator.reduce(value, reduction="sum")) / max(counts[name], 1) for name, value in sums.items()}
        if not all(map(math.isfinite, (norm, *means.values()))):
            raise self.not_finite(f"losses {means}, gradient norm {norm}")
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return means, rows.ids.size

    def losses(self, rows: Rows, hidden: Hidden, part: np.ndarray) -> dict[str, Tensor]:
        """Sums of the loss over some rows: of the hidden words, and of each silver layer."""
        device, labels = self.accelerator.device, {layer: values[part] for layer, values in rows.labels.items()}
        ids, places = torch.from_numpy(hidden.ids[part]), np.flatnonzero(hidden.chosen[part] & (self.weight("words") > 0))
        asked = np.flatnonzero(np.any([values != IGNORED for values in labels.values()], axis=0)) if labels else np.zeros(0, np.int64)
        arguments = (ids, torch.ones_like(ids), torch.from_numpy(places), torch.from_numpy(asked))
        with torch.autocast(device.type, self.dtype, enabled=self.dtype is not None):
            scores, found = self.model(*(argument.to(device) for argument in arguments))
        targets = torch.from_numpy(rows.ids[part].flatten()[places]).to(device)
        sums = {}
        if len(places) or self.accelerator.num_processes > 1:  # each process has to have a gradient for every weight
            sums["words"] = functional.cross_entropy(scores.float(), targets, reduction="sum")
        for layer, logits in found.items():
            gold = torch.from_numpy(labels[layer].flatten()[asked]).to(device)
            sums[layer] = functional.cross_entropy(logits.float(), gold, ignore_index=IGNORED, reduction="sum")
        return sums

    def weight(self, name: str) -> float:
        return self.config.weights.get(name, 1.0)

    def places(self, number: int) -> tuple[np.ndarray, int]:
        """Where the rows of a step begin, and how long they are: short ones first, long ones at the end."""
        if number < self.short_steps or len(self.plans) == 1:
            return self.plans[0].starts(number), self.config.lengths[0]
        return self.plans[-1].starts(number - self.short_steps), self.config.lengths[-1]

    def set_rates(self) -> float:
        """Set this step's rates: linear warm-up, level, linear decay to zero over the last `cooldown` share; return the encoder's."""
        done = self.progress.step
        warm, cool = (max(1, round(self.total_steps * share)) for share in (self.trainer.warmup, self.config.cooldown))
        factor = min(1.0, (done + 1) / warm, (self.total_steps - done) / cool)
        self.scale_rates(factor)
        return self.trainer.learning_rate * factor

    def look(self, say: Callable[[str], None]) -> None:
        """Measure the held-out losses, write a row of the history, save."""
        p = self.progress
        figures = self.evaluate()
        speed = p.tokens / max(p.seconds, 1e-9)
        row = {
            "step": p.step, "tokens": p.tokens, "seconds": round(p.seconds, 1),
            **{f"{name}_loss": round(value / max(p.since, 1), 4) for name, value in p.sums.items()},
            **{name: round(value, 4) for name, value in figures.items()},
        }  # fmt: skip
        p.history.append(row)
        self.accelerator.log({f"heldout/{name}": value for name, value in figures.items()}, p.step)
        p.sums, p.since = {}, 0
        left = p.seconds / p.step * (self.total_steps - p.step) / 60
        shown = "  ".join(f"{name} {value:.3f}" for name, value in figures.items())
        say(f"step {p.step}/{self.total_steps}  {p.tokens / 1e6:.1f} M tokens  {speed:,.0f} tokens/s  {left:.0f} min left  {shown}")
        self.save()
        machine.give_back_memory()  # up to 3 GB after a million tokens

    def evaluate(self) -> dict[str, float]:
        """Held-out figures: loss and perplexity of hidden pieces, and for each silver layer the share of labels that are right."""
        length = self.config.lengths[0]
        inner = length - self.heldout.frame.size
        starts = np.arange(0, len(self.heldout) - inner + 1, inner)[: max(1, self.config.look // length)]
        loss, count, nowhere = 0.0, 0, np.zeros(0, np.int64)
        right: dict[str, list[int]] = {layer: [0, 0] for layer in self.heldout.labels}
        self.network.eval()
        with torch.inference_mode():
            for number, part in enumerate(_parts(starts, max(1, 2048 // length))):
                rows = self.heldout.rows(part, length)
                hidden = hide(rows, self.config.mask, self.mask_id, np.random.default_rng((number, 2)))
                if self.weight("words"):
                    scores, _ = self._scores(hidden.ids, np.flatnonzero(hidden.chosen), nowhere)
                    loss += float(functional.cross_entropy(scores, torch.from_numpy(rows.ids[hidden.chosen]), reduction="sum"))
                    count += int(hidden.chosen.sum())
                labelled = self._scores(rows.ids, nowhere, np.arange(rows.ids.size))[1] if right else {}
                for layer, found in labelled.items():
                    gold = rows.labels[layer].flatten()
                    known = gold != IGNORED
                    right[layer][0] += int((found.argmax(-1).numpy() == gold)[known].sum())
                    right[layer][1] += int(known.sum())
        self.network.train()
        figures = {"heldout_loss": loss / count, "perplexity": math.exp(min(loss / count, 50))} if count else {}
        return {**figures, **{layer: good / all_ for layer, (good, all_) in right.items() if all_}}

    def _scores(self, ids: np.ndarray, hidden: np.ndarray, asked: np.ndarray) -> tuple[Tensor, dict[str, Tensor]]:
        """Score `ids` (rows, tokens) as :meth:`Network.forward` does, at the places `hidden` and `asked` of the flattened rows."""
        device = self.accelerator.device
        arguments = (ids, np.ones_like(ids), hidden, asked)
        with torch.autocast(device.type, self.dtype, enabled=self.dtype is not None):
            scores, found = self.network(*(torch.from_numpy(argument).to(device) for argument in arguments))
        return scores.float().cpu(), {layer: logits.float().cpu() for layer, logits in found.items()}

    def save(self) -> None:
        if not self.finite():
            raise self.not_finite("weights")
        if self.accelerator.is_main_process:
            self.states.save(self.snapshot(), self.progress.step)
        self.accelerator.wait_for_everyone()

    def not_finite(self, what: str) -> TrainingError:
        return TrainingError(
            f"step {self.progress.step + 1}: {what}: not finite, nothing saved; lower trainer.learning_rate, or set trainer.precision=fp32"
        )


def plans(train: Packed, passes: Mapping[str, int], config: Mlm, trainer: Trainer, seed: int, processes: int) -> list[Plan]:
    """A plan for each length of rows.

    Raises:
        UserError: there is less text than two rows, or a batch has no row for every process.
    """
    longest = max(config.lengths)
    if trainer.batch_tokens // longest < processes:
        raise UserError(
            f"trainer.batch_tokens: found {trainer.batch_tokens}, expected a row of {longest} for each of {processes} processes: "
            f"{longest * processes} or more"
        )
    size = trainer.batch_tokens * trainer.accumulate
    return [Plan(train, passes, length, size // length, seed) for length in config.lengths]


class Plan:
    """Where the rows of each step begin: every pass over the texts in an order of its own, and cut at other places."""

    def __init__(self, packed: Packed, passes: Mapping[str, int], length: int, rows: int, seed: int) -> None:
        self.inner, self.seed = length - packed.frame.size, seed
        self.ranges = _joined(packed.ranges, passes)
        self.counts = [max(0, (end - start - self.inner) // self.inner) for start, end in self.ranges]
        self.pieces = sum(self.counts)
        if self.pieces == 0:
            raise UserError(
                f"data.text: it has {len(packed)} tokens, fewer than two rows of {length}; give more text, or shorter mlm.lengths"
            )
        self.rows = max(1, min(rows, self.pieces))
        self._pass, self._order = -1, np.zeros(0, np.int64)

    def starts(self, step: int) -> np.ndarray:
        number, at = divmod(step, self.pieces // self.rows)
        if number != self._pass:
            self._pass, self._order = number, self._shuffled(number)
        return self._order[at * self.rows : (at + 1) * self.rows]

    def _shuffled(self, number: int) -> np.ndarray:
        rng = np.random.default_rng((self.seed, self.inner, number))
        found = []
        for (start, end), count in zip(self.ranges, self.counts, strict=True):
            found.append(start + rng.integers(end - start - self.inner * count + 1) + self.inner * np.arange(count))
        return rng.permutation(np.concatenate(found))


def _joined(ranges: Mapping[str, tuple[int, int]], passes: Mapping[str, int]) -> list[tuple[int, int]]:
    """The ranges of a pass, as often as it reads them; neighbours that are read alike are one, so that short texts fill rows together."""
    joined: list[tuple[int, int, int]] = []
    for name, (start, end) in sorted(ranges.items(), key=lambda item: item[1]):
        count = passes.get(name, 1)
        if joined and joined[-1][1:] == (start, count):
            joined[-1] = (joined[-1][0], end, count)
        else:
            joined.append((start, end, count))
    return [(start, end) for start, end, count in joined for _ in range(count)]


@dataclass(frozen=True)
class Hidden:
    """Rows with words hidden: `ids` (rows, tokens) as the network sees them, `chosen` the places it is asked about."""

    ids: np.ndarray
    chosen: np.ndarray


def hide(rows: Rows, share: float, mask_id: int, rng: np.random.Generator) -> Hidden:
    """Choose whole words, every one with the same chance; of those 80 % become masks, 10 % other pieces of these rows, 10 % stay (BERT)."""
    word = np.cumsum(rows.kinds == HEAD, axis=1)
    draw = np.take_along_axis(rng.random((len(word), word.shape[1] + 1)), word, axis=1)
    chosen = (draw < share) & (rows.kinds != SPECIAL)
    pieces = rows.ids[rows.kinds != SPECIAL]
    others = pieces[rng.integers(len(pieces), size=rows.ids.shape)] if len(pieces) else rows.ids
    ids = np.where(chosen & (draw < 0.8 * share), mask_id, np.where(chosen & (draw < 0.9 * share), others, rows.ids))
    return Hidden(ids, chosen)


def counted(rows: Rows, hidden: Hidden) -> dict[str, int]:
    """How many places each loss is asked about."""
    return {"words": int(hidden.chosen.sum()), **{layer: int((values != IGNORED).sum()) for layer, values in rows.labels.items()}}


def _parts(starts: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (starts[i : i + size] for i in range(0, len(starts), size))
