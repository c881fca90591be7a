"""What a checkpoint was trained to do: its layers with their labels, and how it cuts long articles; `govorit.json` beside the weights."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from govorit.errors import UserError

FILE = "govorit.json"
INSIDE, APART, EITHER = PLACES = ("inside", "apart", "")


@dataclass(frozen=True)
class Contract:
    """`layers` maps each layer to its labels; it was trained on windows of `window` tokens, special tokens included, that share `overlap`.

    `reads` is the window that articles are read in, where that is a larger one: see :attr:`reading`.
    `places` says whether the place behind a public body is part of its name: see :mod:`govorit.decoding.bodies`.
    """

    layers: dict[str, list[str]]
    window: int
    overlap: int
    trained_on: dict[str, str] = field(default_factory=dict)
    places: str = EITHER
    reads: int = 0

    @property
    def reading(self) -> int:
        """How many tokens are read at once, special tokens included."""
        return max(self.reads, self.window)

    @property
    def first(self) -> str:
        """The layer from whose folder encoder and tokenizer are read; those of the others are the same."""
        return next(iter(self.layers))

    def save(self, folder: Path) -> None:
        (folder / FILE).write_text(json.dumps({"format": 1, **asdict(self)}, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def load(folder: Path) -> Contract:
    """Read the contract of the checkpoint in `folder`.

    Raises:
        UserError: there is none, or it is of another version.
    """
    path = folder / FILE
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value.pop("format") != 1:
            raise UserError(f"{path}: format: written by another version of govorit; train again, or use that version")
        contract = Contract(**value)
        if not contract.layers:
            raise ValueError("layers: there is none")
        if not isinstance(contract.reads, int):
            raise ValueError(f"reads: found {contract.reads!r}, expected a number of tokens")
        if contract.places not in PLACES:
            raise ValueError(f"places: found {contract.places!r}, expected one of {', '.join(map(repr, PLACES))}")
        return contract
    except OSError:
        raise UserError(f"{folder}: not a govorit checkpoint (it has no {FILE}); name a folder that training has written") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{path}: cannot be read ({error}); train again, or fetch the checkpoint again") from None
