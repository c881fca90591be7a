"""What a checkpoint has for the decoder beside scores, in memory and in its file `aids.safetensors`; read without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from govorit.decoding import links
from govorit.decoding.hints import Hints
from govorit.errors import UserError

FILE = "aids.safetensors"


@dataclass(frozen=True)
class Aids:
    """Without any of it, tags alone decide, and nearness ties quotations.

    `costs` of boundaries are those of :func:`govorit.decoding.boundaries.count`, by layer; `links` the weights of the link head; `hints`
    how much the quotes layer believes the rules.
    """

    costs: Mapping[str, np.ndarray] = field(default_factory=dict)
    links: links.Weights | None = None
    hints: Hints | None = None

    @classmethod
    def read(cls, folder: Path) -> Aids:
        """Read the aids of the checkpoint in `folder`; none where it has no file of them.

        Raises:
            UserError: the file is damaged.
        """
        path = folder / FILE
        if not path.exists():
            return NO_AIDS
        try:
            with safe_open(path, framework="numpy") as file:
                names = json.loads((file.metadata() or {})["names"])
                found = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118 (not a mapping)
            costs, matrices, tables = (_under(prefix, found) for prefix in ("costs.", "links.matrices.", "links.tables."))
            return cls(
                costs,
                links.Weights(matrices, tables) if matrices else None,
                Hints(found["hints.weight"], names) if names else None,
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
            raise UserError(f"{path}: cannot be read ({' '.join(str(error).split()):.200}); fetch or train the checkpoint again") from None


NO_AIDS = Aids()


def _under(prefix: str, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
