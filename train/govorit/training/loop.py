"""What every training loop here has: it can be stopped after any step and goes on to the same weights."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

import torch
from accelerate import Accelerator
from torch import nn

from govorit.errors import TrainingError
from govorit.training.states import State, States

if TYPE_CHECKING:
    from govorit.config import Trainer


class Stopped(Exception):  # noqa: N818 (no error: it was asked for)
    """Training was stopped, by a signal or because its time was up (`number` 0), and its state is saved. `code` is the exit status."""

    def __init__(self, number: int) -> None:
        reason = f"by {signal.Signals(number).name}" if number else "since trainer.minutes are over"
        super().__init__(f"stopped {reason}; resume=true goes on")
        self.code = 128 + number if number else 0


class Resumable:
    """The state of a training run. `progress` is a dataclass of what JSON can hold; a subclass makes the steps.

    `minutes` is how long this slice of the run may take; 0: no limit.
    """

    def __init__(self, network: nn.Module, groups: list[dict[str, Any]], accelerator: Accelerator, states: States, minutes: float) -> None:
        self.network, self.accelerator, self.states = network, accelerator, states
        self.rates = [group["lr"] for group in groups]
        self.optimizer = torch.optim.AdamW(groups, fused=accelerator.device.type in ("cpu", "cuda"))
        self.progress: Any = None
        self.deadline = time.monotonic() + 60 * minutes if minutes else math.inf
        self.stop_signal = 0

    def snapshot(self) -> State:
        """Everything that the next step depends on."""
        optimizer = {
            f"{name}.{key}": value
            for name, parameter in self.network.named_parameters()
            for key, value in self.optimizer.state.get(parameter, {}).items()
        }
        random = {"cpu": torch.get_rng_state()}
        if self.accelerator.device.type == "cuda":
            random["cuda"] = torch.cuda.get_rng_state()
        tensors = {"weights": dict(self.network.named_parameters()) | dict(self.network.named_buffers())}
        tensors |= {"optimizer": optimizer, "random": random}
        values = {key: value for key, value in vars(self.progress).items() if value != -math.inf}
        return State({name: {k: v.cpu() for k, v in group.items()} for name, group in tensors.items()}, values)

    def restore(self, state: State) -> None:
        self.progress = type(self.progress)(**state.values)
        with torch.no_grad():
            for name, value in (*self.network.named_parameters(), *self.network.named_buffers()):  # tied weights come once
                value.copy_(state.tensors["weights"][name])
        saved = state.tensors["optimizer"]
        for name, parameter in self.network.named_parameters():
            keys = [key for key in ("step", "exp_avg", "exp_avg_sq") if f"{name}.{key}" in saved]
            if keys:
                self.optimizer.state[parameter] = {key: saved[f"{name}.{key}"].to(parameter.device) for key in keys}
        torch.set_rng_state(state.tensors["random"]["cpu"])
        if "cuda" in state.tensors["random"] and self.accelerator.device.type == "cuda":
            torch.cuda.set_rng_state(state.tensors["random"]["cuda"])

    def scale_rates(self, factor: float) -> None:
        """Set the learning rates of a step to so much of the configured ones."""
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor

    def finite(self) -> bool:
        return all(bool(torch.isfinite(value).all()) for value in self.network.state_dict().values())

    def save(self) -> None:
        raise NotImplementedError

    @contextmanager
    def within_memory(self, trainer: Trainer) -> Iterator[None]:
        """Say in a line that a step does not fit into the accelerator's memory.

        Raises:
            TrainingError: so it is.
        """
        try:
            yield
        except torch.OutOfMemoryError:
            half, twice = max(1, trainer.batch_tokens // 2), 2 * trainer.accumulate
            raise TrainingError(
                f"trainer.batch_tokens: {trainer.batch_tokens} tokens do not fit into the memory of {self.accelerator.device}; "
                f"steps much the same: trainer.batch_tokens={half} trainer.accumulate={twice}"
            ) from None

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Turn SIGINT and SIGTERM into a stop after the step in hand; a second one stops at once."""

        def ask(number: int, _: FrameType | None) -> None:
            if self.stop_signal:
                raise KeyboardInterrupt
            self.stop_signal = number

        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop_if_asked(self) -> None:
        """Save and stop where a signal has come to any process, or the time of this slice is up.

        Raises:
            Stopped: so it is.
        """
        asked = self.stop_signal or (-1 if time.monotonic() >= self.deadline else 0)
        if self.accelerator.num_processes > 1:  # one process may have been asked before the others
            told = self.accelerator.gather(torch.tensor([asked], device=self.accelerator.device))
            asked = int(told.max()) or int(told.min())
        if asked:
            self.save()
            raise Stopped(max(asked, 0))
