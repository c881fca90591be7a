"""How a corpus writes what formats leave open: what its offsets count, what it calls quotations and their parts, which column is which."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from govorit.article import CUE, KINDS, SPEAKER
from govorit.errors import UserError

UNITS = ("characters", "utf16", "bytes", "crlf")
# Our names for what a tool calls by names of its own: labels of spans, then names of relations, then the note that holds a name.
NAMES = {
    **{kind: kind.upper() for kind in KINDS},
    "cue": CUE,
    "speaker": SPEAKER,
    "to_cue": "Cue",
    "to_speaker": "Speaker",
    "continuation": "Continuation",
    "name": "name",
}


def refuse(problem: UserError) -> None:
    """Stop at the first problem: what every program does but lint."""
    raise problem


@dataclass(frozen=True)
class Options:
    """Options of reading and writing; a format takes those that it has a use for.

    Attributes:
        offsets: what the file's offsets count: `characters` (Python's), `utf16` units (JavaScript, Java), UTF-8 `bytes`, or characters with
            each CRLF `crlf` counted as one.
        names: what the corpus calls a quotation's parts, by our names in NAMES: `{"direct": "Прямая_речь", "to_cue": "глагол"}`.
        columns: CoNLL: what stands in each column, of `token`, `ner`, `quote`, `-` (passed over); empty: told by the file.
        ids: names of files that their own does not tell apart, by their path without suffix: `govorit.formats.told_apart`.
        report: called with each problem. It raises, or returns: then the reader leaves out what is broken and goes on.
    """

    offsets: str = "characters"
    names: Mapping[str, str] = field(default_factory=dict)
    columns: Sequence[str] = ()
    ids: Mapping[Path, str] = field(default_factory=dict)
    report: Callable[[UserError], None] = refuse

    def __post_init__(self) -> None:
        if self.offsets not in UNITS:
            raise UserError(f"offsets: found {self.offsets!r}, expected one of {', '.join(UNITS)}")
        for name in self.names:
            if name not in NAMES:
                raise UserError(f"names: {name!r} is not one of ours; expected {', '.join(NAMES)}")

    def stem(self, file: Path) -> str:
        """What articles without an id are named after: the file's name without suffix, unless `ids` says otherwise."""
        return self.ids.get(file.with_suffix(""), file.stem)

    def name(self, ours: str) -> str:
        """What the corpus calls it: `options.name("cue")` -> `CUE` unless `names` says otherwise."""
        return self.names.get(ours, NAMES[ours])

    def label(self, theirs: str) -> str | None:
        """Our label of a quotation's part by the corpus's own, or None: it is an entity."""
        return next((NAMES[ours] for ours in (*KINDS, "cue", "speaker") if self.name(ours) == theirs), None)


DEFAULTS = Options()
