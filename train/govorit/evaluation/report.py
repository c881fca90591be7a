"""What a run found: scores, mistakes and highlighted articles as HTML, the tables as Markdown, the figures as JSON."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from govorit import files, highlight, markdown, paths
from govorit.article import LAYERS, Article
from govorit.evaluation import attribution, calibration, confusion, mistakes, plots, slices
from govorit.evaluation.attribution import Attribution
from govorit.evaluation.calibration import Calibration
from govorit.evaluation.confusion import Confusion
from govorit.evaluation.metrics import MICRO, Figure, Scores, to_json
from govorit.evaluation.mistakes import Mistake
from govorit.evaluation.readable import duration, interval, measures, number, percent
from govorit.evaluation.slices import Known, Slicing

METHOD = (
    "Strict: seqeval, mode strict, scheme IOB2, over words; gold from the articles. A span counts as found only with"
    " every one of its words and its label. IoU ≥ 0.8 and IoU ≥ 0.5: the same label and that much overlap of characters"
    " (intersection over union), one to one. Intervals: 95 %, percentile bootstrap over documents. Figures in percent."
)
QUOTATIONS = (
    "Whole quotations, the content being all its spans together. Exact: the same spans. IoU ≥ 0.8: that much overlap of characters, one to"
    " one, whatever the kind: a match. With the right speaker: a match with the same characters as speaker, or none on either side. Said by"
    " the right name: a match with the same name, among the quotations that have one. Cue, speaker and name of a match are right also where"
    " neither side has one. A match counts under its gold's kind and form, what is spurious under its own. Intervals as above."
)
EXAMPLES = 12  # articles with the most mistakes
LASTING = 6  # articles with the mistakes that have lasted longest
LISTED = 30
PICTURED = 50  # spans: a picture of fewer says nothing
_KEPT = 500  # places in dev, in metrics.json
_STYLE = paths.TEMPLATES / "report.css"


@dataclass(frozen=True, slots=True)
class Lasting:
    """The dev articles as the chosen weights read them, and in how many of the `epochs` each place of them has been wrong.

    Places are named as by :func:`govorit.evaluation.mistakes.place`.
    """

    pairs: list[tuple[Article, Article]]
    wrong: Mapping[str, int]
    epochs: int


@dataclass
class Run:
    """What there is to report. `scores`, `attribution` and `corpus` are keyed by split, `config` is the resolved YAML.

    `history` has a row for each epoch; the columns whose names contain `loss` or `f1` are drawn. `notes` say in plain
    sentences what could not be represented, and what was chosen and why. `examples` pairs gold articles with predicted
    ones, of `split`: confusion, slices, calibration and the counts of mistakes are over all of them, and those with the
    most are shown. `resamples` and `seed` are those of the slices' intervals.
    """

    title: str
    command: str
    scores: dict[str, Scores]
    attribution: dict[str, Attribution] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    corpus: dict[str, dict[str, int]] = field(default_factory=dict)
    config: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    hardware: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    fingerprint: str = ""
    examples: list[tuple[Article, Article]] = field(default_factory=list)
    split: str = ""
    known: Known = field(default_factory=Known)
    lasting: Lasting | None = None
    resamples: int = 1000
    seed: int = 0


@dataclass(frozen=True)
class Analysis:
    """What the examples of a run say beyond its scores: `confusion` is keyed by layer, `calibration` by what the scores are of."""

    layers: list[str]
    confusion: dict[str, Confusion]
    slices: list[Slicing]
    calibration: dict[str, Calibration]


@dataclass(frozen=True, slots=True)
class Example:
    """A gold article, what was read in it, and how the two differ."""

    gold: Article
    predicted: Article
    mistakes: list[Mistake]


@dataclass
class Room:
    """What a page can still hold of highlighted articles, in characters, and how many did not fit."""

    left: int = 1_600_000
    left_out: int = 0

    def take(self, examples: Iterable[Example], layers: Sequence[str], most: int) -> list[dict[str, Any]]:
        """Highlight the first `most` of the articles for which there is room."""
        shown = []
        for example in list(examples)[:most]:
            sides = _sides(example, layers)
            size = sum(len(side["text"]) + len(side["who"]) for side in sides)
            if size <= self.left:
                self.left -= size
                shown.append({"heading": highlight.heading(example.gold), "sides": sides, "count": len(example.mistakes)})
            else:
                self.left_out += 1
        return shown


def write(folder: Path, run: Run) -> None:
    """Write `metrics.json`, `report.md` and `report.html` into `folder`, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    found = analyse(run)
    facts = _facts(run, found)
    files.write(folder / "report.md", render("report.md.j2", facts, finalize=markdown.escape))
    files.write(folder / "report.html", render("report.html.j2", facts, autoescape=True))
    files.write(folder / "metrics.json", json.dumps(figures(run, found), ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def analyse(run: Run) -> Analysis:
    """Look into the examples of a run, in the layers that were scored."""
    layers = [layer for layer in LAYERS if any(layer in scores for scores in run.scores.values())]
    scored = [layer for layer in layers if any(gold.annotated(layer) for gold, _ in run.examples)]
    return Analysis(
        layers,
        {layer: confusion.count(run.examples, layer) for layer in scored},
        slices.cut(run.examples, scored, run.known, run.resamples, run.seed),
        calibration.measure(run.examples, scored),
    )


def figures(run: Run, found: Analysis) -> dict[str, Any]:
    """The run's figures as plain objects; a number that is not finite becomes None."""
    return {
        "title": run.title,
        "command": run.command,
        "fingerprint": run.fingerprint,
        "seconds": _finite(run.seconds),
        "scores": {split: to_json(scores) for split, scores in run.scores.items()},
        "attribution": {split: attribution.to_json(result) for split, result in run.attribution.items()},
        "confusion": {layer: confusion.to_json(result) for layer, result in found.confusion.items()},
        "slices": slices.to_json(found.slices),
        "calibration": calibration.to_json(found.calibration),
        "looked_into": run.split,
        "history": [{key: _finite(value) for key, value in row.items()} for row in run.history],
        "longest_lived": dict(Counter(run.lasting.wrong).most_common(_KEPT)) if run.lasting else {},
        "corpus": run.corpus,
        "notes": run.notes,
        "versions": run.versions,
        "hardware": run.hardware,
    }


def _facts(run: Run, found: Analysis) -> dict[str, Any]:
    """Everything that the templates name."""
    named = [attribution.names_anybody(side) for side in zip(*run.examples, strict=True)]
    listed = _listed(run.examples, found.layers, all(named))
    room = Room()
    lasting, examples = _lasting(run, found.layers, room), _worst(listed, found.layers, room)
    css = highlight.CSS + _STYLE.read_text(encoding="utf-8")
    return {
        "run": run,
        "method": METHOD,
        "quotations": QUOTATIONS,
        "css": Markup(css),
        "policy": highlight.policy(css),
        "duration": duration(run.seconds),
        "conditions": _conditions(run),
        "headlines": _headlines(run),
        "columns": list(dict.fromkeys(key for row in run.history for key in row)),
        "counted": list(dict.fromkeys(what for counts in run.corpus.values() for what in counts)),
        "curves": plots.curves(run.history),
        "found": found,
        "slices": [(part, list(slicings)) for part, slicings in groupby(found.slices, key=lambda slicing: slicing.part)],
        "slice_pictures": [plots.slices(slicing) for slicing in found.slices if _shows(slicing)],
        "reliability": [plots.reliability(name, result) for name, result in found.calibration.items() if result.count >= PICTURED],
        "sorts": confusion.SORTS[1:],
        "unrepresented": list(_unheld(run.scores)),
        "kinds": _by_kind(listed),
        "lasting": lasting,
        "confident": _confident(listed),
        "examples": examples,
        "left_out": room.left_out,
        "nameless": named == [True, False] and "quotes" in found.layers,
        "faultless": sum(not example.mistakes for example in listed),
        "measures": measures,
        "percent": percent,
        "interval": interval,
        "number": number,
        "fenced": markdown.fenced,
    }


def _conditions(run: Run) -> dict[str, str]:
    """What the run took, and on what."""
    training = sum(row.get("seconds") or 0.0 for row in run.history)
    return {"in all": duration(run.seconds), **({"training": duration(training)} if training else {}), **run.hardware}


def _headlines(run: Run) -> list[tuple[str, Figure]]:
    """The few figures that a reader looks for first, of the split that the examples are of."""
    split = run.split if run.split in run.scores else next(reversed(run.scores), "")
    rows = [(f"{layer}, strict F1 of spans", result.strict[MICRO]) for layer, result in run.scores.get(split, {}).items()]
    for name, figures in measures(run.attribution[split])[1:] if split in run.attribution else ():
        rows.append((f"quotations: {name}", figures[attribution.ALL]))
    return rows


def _unheld(scores: Mapping[str, Scores]) -> Iterator[tuple[str, str, str, int, int]]:
    """For each split, layer and side: how many spans no tags hold, and of how many."""
    for split, layers in scores.items():
        for layer, result in layers.items():
            micro = result.strict[MICRO]
            yield split, layer, "gold", result.unrepresented_gold, micro.support
            yield split, layer, "predicted", result.unrepresented_predicted, micro.predicted


def _shows(slicing: Slicing) -> bool:
    return len(slicing.figures) > 1 and sum(figure.support for figure in slicing.figures.values()) >= PICTURED


def _listed(pairs: Iterable[tuple[Article, Article]], layers: Sequence[str], names: bool) -> list[Example]:
    return [Example(gold, predicted, mistakes.find(gold, predicted, layers, names)) for gold, predicted in pairs]


def _by_kind(listed: Iterable[Example]) -> list[dict[str, Any]]:
    """The mistakes of each layer and kind, the most frequent first; of many, some from all over the corpus."""
    kinds: dict[tuple[str, str], list[tuple[str, Mistake]]] = {}
    for example in listed:
        for mistake in example.mistakes:
            kinds.setdefault((mistake.layer, mistake.kind), []).append((highlight.heading(example.gold), mistake))
    return [
        {"layer": layer, "kind": kind, "count": len(rows), "shown": _some(rows)}
        for (layer, kind), rows in sorted(kinds.items(), key=lambda item: -len(item[1]))
    ]


def _confident(listed: Iterable[Example]) -> list[tuple[str, Mistake]]:
    """The mistakes of which the model was surest."""
    rows = [(highlight.heading(example.gold), mistake) for example in listed for mistake in example.mistakes if mistake.score is not None]
    return sorted(rows, key=lambda row: -(row[1].score or 0))[: LISTED // 2]


def _lasting(run: Run, layers: Sequence[str], room: Room) -> dict[str, Any] | None:
    """The mistakes on dev at the places that were wrong in the most epochs, and the articles that they are in."""
    if run.lasting is None:
        return None
    named = all(attribution.names_anybody(side) for side in zip(*run.lasting.pairs, strict=True))
    listed = _listed(run.lasting.pairs, layers, named)
    wrong = run.lasting.wrong
    aged = [(wrong.get(mistakes.place(example.gold, mistake), 0), example, mistake) for example in listed for mistake in example.mistakes]
    aged.sort(key=lambda row: -row[0])
    oldest = [row for row in aged if row[0] == aged[0][0]]
    told = aged[: max(len(oldest), LISTED)]
    many = Counter(example.gold.id for _, example, _ in oldest)
    return {
        "rows": [(age, highlight.heading(example.gold), mistake) for age, example, mistake in _some(told)],
        "count": len(aged),
        "always": sum(age == run.lasting.epochs for age, _, _ in aged),
        "examples": room.take(sorted(listed, key=lambda example: -many[example.gold.id])[: len(many)], layers, LASTING),
    }


def _some(rows: Sequence[Any]) -> Sequence[Any]:
    """At most LISTED of the rows, from all over them."""
    return rows[:: math.ceil(len(rows) / LISTED)] if rows else rows


def _worst(listed: Iterable[Example], layers: Sequence[str], room: Room) -> list[dict[str, Any]]:
    wrong = (example for example in listed if example.mistakes)
    return room.take(sorted(wrong, key=lambda example: -len(example.mistakes)), layers, EXAMPLES)


def _sides(example: Example, layers: Sequence[str]) -> list[dict[str, Any]]:
    """Gold and prediction as HTML, with what is wrong marked on both."""
    articles = [_only(article, example.gold, layers) for article in (example.gold, example.predicted)]
    cast = highlight.colours(*articles)
    sides = []
    for name, article, which in zip(("gold", "predicted"), articles, ("gold_spans", "predicted_spans"), strict=True):
        flaws: dict[highlight.Place, str] = {}
        for mistake in example.mistakes:
            for place in getattr(mistake, which):
                flaws[place] = f"{flaws[place]}, {mistake.kind}" if place in flaws else mistake.kind
        who = highlight.to_list(article, flaws, cast)
        sides.append({"name": name, "text": Markup(highlight.to_html(article, flaws, cast)), "who": Markup(who)})
    return sides


def _only(article: Article, gold: Article, layers: Sequence[str]) -> Article:
    """Leave out what was not scored, which would look like a mistake of the other side."""
    scored = {layer for layer in layers if gold.annotated(layer)}
    return replace(
        article,
        entities=article.entities if "entities" in scored else (),
        quotes=article.quotes if "quotes" in scored else (),
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def render(name: str, facts: dict[str, Any], autoescape: bool = False, finalize: Callable[[object], str] | None = None) -> str:
    return _environment(autoescape, finalize).get_template(name).render(facts)


@cache
def _environment(autoescape: bool, finalize: Callable[[object], str] | None) -> Environment:
    return Environment(
        loader=FileSystemLoader(paths.TEMPLATES),
        autoescape=autoescape,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
