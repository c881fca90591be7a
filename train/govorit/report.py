"""What a run found, on one page: scores, errors and highlighted articles as HTML, the tables as Markdown, all figures as JSON."""

from __future__ import annotations

import json
import math
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from govorit import highlight
from govorit.article import LAYERS, Article, Quote, Span
from govorit.metrics import Figure, LayerScores, Scores, to_json

METHOD = (
    "Strict: seqeval, mode strict, scheme IOB2, over words; gold from the articles. A span counts as found only with every one of "
    "its words and its label. IoU ≥ 0.8 and IoU ≥ 0.5: the same label and that much overlap of characters (intersection over "
    "union), one to one. Intervals: 95 %, percentile bootstrap over documents. All figures in percent."
)
EXAMPLES = 20


@dataclass
class Run:
    """What there is to report. `scores` and `corpus` are keyed by split, `config` is the resolved YAML.

    `history` has a row for each epoch; its keys that end in `loss` and those that contain `f1` are drawn. `notes` say in plain
    sentences what could not be represented and what was chosen why. `examples` pairs gold articles with predicted ones.
    """

    title: str
    command: str
    scores: dict[str, Scores]
    history: list[dict[str, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    corpus: dict[str, dict[str, int]] = field(default_factory=dict)
    config: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    hardware: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    fingerprint: str = ""
    examples: list[tuple[Article, Article]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mistake:
    """One difference between gold and prediction: the words that the gold marks and those that the model marked."""

    layer: str
    kind: str
    gold: str
    predicted: str


def write(folder: Path, run: Run) -> None:
    """Write `report.html`, `report.md` and `metrics.json` into `folder`, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = _facts(run)
    _put(folder / "metrics.json", json.dumps(figures(run), ensure_ascii=False, indent=2, allow_nan=False) + "\n")
    _put(folder / "report.md", _environment(_markdown).get_template("report.md.j2").render(facts))
    _put(folder / "report.html", _environment(None).get_template("report.html.j2").render(facts))


def figures(run: Run) -> dict[str, Any]:
    """The run's figures as plain objects; a number that is not finite becomes None."""
    return {
        "title": run.title,
        "command": run.command,
        "fingerprint": run.fingerprint,
        "seconds": _finite(run.seconds),
        "scores": {split: to_json(scores) for split, scores in run.scores.items()},
        "history": [{key: _finite(value) for key, value in row.items()} for row in run.history],
        "corpus": run.corpus,
        "notes": run.notes,
        "versions": run.versions,
        "hardware": run.hardware,
    }


def table(scores: Scores) -> str:
    """Write the strict scores for a terminal, in percent: label, precision, recall, F1, its 95 % interval, support."""
    rows = [("", "P", "R", "F1", "95 %", "support")]
    for layer, result in scores.items():
        rows.append((layer, "", "", "", "", ""))
        for name, figure in result.strict.items():
            shown = (percent(value) for value in (figure.precision, figure.recall, figure.f1))
            rows.append((f"  {name}", *shown, interval(figure), str(figure.support)))  # type: ignore[arg-type]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_aligned(row, widths) for row in rows)


def percent(value: float) -> str:
    """The fraction in percent with the four digits that metrics.json has, so that every place shows one number."""
    return f"{100 * round(value, 4):.2f}"


def interval(figure: Figure) -> str:
    return "–".join(percent(value) for value in figure.interval) if figure.interval else ""


def mistakes(gold: Article, predicted: Article) -> list[Mistake]:
    """List how the prediction differs from the gold, in the layers that the gold annotates.

    What overlaps is paired, same places and then same labels first: `wrong label`, `wrong boundary`, or both; what is left is `missed` or
    `spurious`. `wrong attribution` is a quotation with the right content and another cue, speaker or name.
    """
    found = [mistake for layer in LAYERS if gold.annotated(layer) for mistake in _span_mistakes(gold, predicted, layer)]
    return found + (list(_attribution_mistakes(gold, predicted)) if gold.annotated("quotes") else [])
