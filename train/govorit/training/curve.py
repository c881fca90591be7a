"""What pre-training leaves for people: the curve of its losses as a table, `report.md` and `metrics.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from govorit import files, markdown

History = Sequence[Mapping[str, float]]


def table(history: History) -> str:
    """The history as a Markdown table, a row a look at the held-out documents."""
    names = list(dict.fromkeys(name for row in history for name in row))
    return markdown.table([names, *([_cell(row.get(name)) for name in names] for row in history)])


def write(folder: Path, history: History, facts: Mapping[str, Any], notes: Sequence[str]) -> None:
    """Write `report.md` and `metrics.json`; the latter last, since a run that has one has come to its end."""
    lines = [f"# {facts['title']}", "", *(f"* {note}" for note in notes), "", table(history), ""]
    for name, text in (
        ("report.md", "\n".join(lines)),
        ("metrics.json", json.dumps({**facts, "history": list(history), "notes": list(notes)}, ensure_ascii=False, indent=2) + "\n"),
    ):
        files.write(folder / name, text)


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:,.3f}"
