"""What a run found: scores, mistakes and highlighted articles as HTML, the tables as Markdown, the figures as JSON."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from govorit import attribution, highlight
from govorit.article import LAYERS, Article, Quote, Span
from govorit.attribution import Accuracy, Attribution
from govorit.metrics import Figure, Scores, to_json

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
MEASURES = {
    "exact": "content exact",
    "content": "content IoU ≥ 0.8",
    "with_speaker": "with the right speaker",
    "said_by": "said by the right name",
}
EXAMPLES = 20
LISTED = 30
_CHART = {"width": 420, "height": 190, "left": 54, "right": 410, "top": 12, "bottom": 160}


@dataclass
class Run:
    """What there is to report. `scores`, `attribution` and `corpus` are keyed by split, `config` is the resolved YAML.

    `history` has a row for each epoch; the columns whose names contain `loss` or `f1` are drawn. `notes` say in plain
    sentences what could not be represented, and what was chosen and why. `examples` pairs gold articles with predicted
    ones: the counts of mistakes are over all of them, and those with the most are shown.
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


@dataclass(frozen=True, slots=True)
class Mistake:
    """One difference between gold and prediction, each side with its label and words; empty where it has none."""

    start: int
    layer: str
    kind: str
    gold: str
    predicted: str


def write(folder: Path, run: Run) -> None:
    """Write `metrics.json`, `report.md` and `report.html` into `folder`, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = _facts(run)
    _put(folder / "report.md", _render("report.md.j2", facts, finalize=_markdown))
    _put(folder / "report.html", _render("report.html.j2", facts, autoescape=True))
    _put(folder / "metrics.json", json.dumps(figures(run), ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def figures(run: Run) -> dict[str, Any]:
    """The run's figures as plain objects; a number that is not finite becomes None."""
    return {
        "title": run.title,
        "command": run.command,
        "fingerprint": run.fingerprint,
        "seconds": _finite(run.seconds),
        "scores": {split: to_json(scores) for split, scores in run.scores.items()},
        "attribution": {split: attribution.to_json(result) for split, result in run.attribution.items()},
        "history": [{key: _finite(value) for key, value in row.items()} for row in run.history],
        "corpus": run.corpus,
        "notes": run.notes,
        "versions": run.versions,
        "hardware": run.hardware,
    }


def table(scores: Scores, quotations: Attribution | None = None) -> str:
    """Write the scores for a terminal, in percent: strict with the F1's 95 % interval, F1 by overlap, support; then what no word holds.

    Whole quotations come last, in a table of their own.
    """
    rows = [["", "P", "R", "F1", "95 %", "IoU≥.8", "IoU≥.5", "support"]]
    for layer, result in scores.items():
        rows.append([layer, *[""] * 7])
        for name, figure in result.strict.items():
            overlaps = [percent(found[name].f1) for found in (result.iou80, result.iou50)]
            rows.append(["  " + name, *_cells(figure), *overlaps, str(figure.support)])
    return "\n".join([*_aligned(rows), *_unrepresented(scores), *(["", *_quotations(quotations)] if quotations else [])])


def _quotations(result: Attribution) -> Iterator[str]:
    rows = [["who said what", "P", "R", "F1", "95 %", "gold", "predicted"]]
    for name, figures in measures(result):
        figure = figures[attribution.ALL]
        rows.append(["  " + name, *_cells(figure), str(figure.support), str(figure.predicted)])
    yield from _aligned(rows)
    judged = (f"{what} {percent(found.value)}" + f" ({interval(found)})" * bool(found.interval) for what, found in result.right.items())
    yield f"right in {result.right['kind'].matched} matched quotations: {', '.join(judged)}"


def measures(result: Attribution) -> list[tuple[str, dict[str, Figure]]]:
    """The figures that ask for more and more of a quotation, with what to call them; names only where the gold has any."""
    return [(name, figures) for key, name in MEASURES.items() if (figures := getattr(result, key))]


def _unrepresented(scores: Scores) -> Iterator[str]:
    for layer, result in scores.items():
        for count, whose in ((result.unrepresented_gold, "gold"), (result.unrepresented_predicted, "predicted")):
            if count:
                yield f"{layer}: {count} {whose} spans start or end inside a word, or overlap; none of them is left out of the scores"
        if result.unannotated:
            yield f"{layer}: {result.unannotated} articles are not annotated in this layer and are not scored"


def percent(value: float) -> str:
    """The fraction in percent, with the four digits that metrics.json has, so that all places agree."""
    return f"{100 * round(value, 4):.2f}"


def interval(figure: Figure | Accuracy) -> str:
    return "–".join(map(percent, figure.interval)) if figure.interval else ""


def mistakes(gold: Article, predicted: Article, layers: Iterable[str] = LAYERS, names: bool = True) -> list[Mistake]:
    """List how the prediction differs from the gold in those of `layers` that the gold annotates, in text order.

    Entities are compared span by span: those that overlap are paired one to one, `wrong label`, `wrong boundary` or `wrong label and
    boundary`; the others are `missed` or `spurious`. Quotations are compared whole, by :func:`govorit.attribution.differences`.
    """
    annotated = [layer for layer in layers if gold.annotated(layer)]
    found: list[Mistake] = []
    if "entities" in annotated:
        found += _entity_mistakes(gold, predicted)
    if "quotes" in annotated:
        found += _quotation_mistakes(gold, predicted, names)
    return sorted(found, key=lambda mistake: mistake.start)


def _entity_mistakes(gold: Article, predicted: Article) -> Iterator[Mistake]:
    sides = [{(span.start, span.end, span.label): span for span in article.layer("entities")} for article in (gold, predicted)]
    missed = [span for place, span in sides[0].items() if place not in sides[1]]
    spurious = [span for place, span in sides[1].items() if place not in sides[0]]
    for one, other in _partners(missed, spurious):
        missed.remove(one)
        spurious.remove(other)
        yield Mistake(one.start, "entities", _difference(one, other), _words(one, gold), _words(other, gold))
    yield from (Mistake(span.start, "entities", "missed", _words(span, gold), "") for span in missed)
    yield from (Mistake(span.start, "entities", "spurious", "", _words(span, gold)) for span in spurious)


def _partners(gold: Iterable[Span], predicted: Sequence[Span]) -> list[tuple[Span, Span]]:
    """Pair spans that overlap, one to one: those of the same place first, then of the same label, then the nearest."""

    def distance(pair: tuple[Span, Span]) -> tuple[bool, bool, int]:
        one, other = pair
        edges = abs(one.start - other.start) + abs(one.end - other.end)
        return edges > 0, one.label != other.label, edges

    touching = [(one, other) for one in gold for other in predicted if one.overlaps(other)]
    pairs: list[tuple[Span, Span]] = []
    for pair in sorted(touching, key=distance):
        if all(pair[0] is not one and pair[1] is not other for one, other in pairs):
            pairs.append(pair)
    return pairs


def _difference(one: Span, other: Span) -> str:
    if (one.start, one.end) == (other.start, other.end):
        return "wrong label"
    return "wrong boundary" if one.label == other.label else "wrong label and boundary"


def _quotation_mistakes(gold: Article, predicted: Article, names: bool) -> Iterator[Mistake]:
    for found in attribution.differences(gold, predicted, names):
        sides = [_told(found.kind, quote, gold) if quote else "" for quote in (found.gold, found.predicted)]
        if found.gold and found.predicted and sides[0] == sides[1]:  # the same words at another place: `он`
            sides = [f"{told} [{_at(found.kind, quote)}]" for told, quote in zip(sides, (found.gold, found.predicted), strict=True)]
        yield Mistake(found.start, "quotes", found.kind, *sides)


def _told(kind: str, quote: Quote, article: Article) -> str:
    """The quotation in words, as much of it as shows the mistake."""
    (said,) = highlight.who_said_what(replace(article, quotes=(quote,)))
    if kind == "wrong boundary":
        return _clip(said.content, 120)
    if kind == "wrong kind":
        return f"{said.kind}: {_clip(said.content, 60)}"
    mention = (said.surface or "no speaker") if kind in ("wrong cue", "wrong speaker") else said.speaker
    return f"{mention} — {said.cue or 'no cue'}: {_clip(said.content, 60)}"


def _at(kind: str, quote: Quote) -> str:
    part = {"wrong cue": quote.cue, "wrong speaker": quote.speaker}.get(kind)
    return ", ".join(f"{span.start}–{span.end}" for span in ([part] if part else quote.content))


def _words(span: Span, article: Article) -> str:
    return f"{span.label} {_clip(' '.join(article.text[span.start : span.end].split()), 120)}"


def _clip(text: str, most: int) -> str:
    """Leave the middle of a long text out: mistakes are at the edges."""
    if len(text) <= most:
        return text
    return f"{text[: most // 2].rsplit(maxsplit=1)[0]} […] {text[-most // 2 :].split(maxsplit=1)[-1]}"


def _facts(run: Run) -> dict[str, Any]:
    """Everything that the templates name."""
    layers = [layer for layer in LAYERS if any(layer in scores for scores in run.scores.values())]
    named = [attribution.names_anybody(side) for side in zip(*run.examples, strict=True)]
    found = [(gold, predicted, mistakes(gold, predicted, layers, all(named))) for gold, predicted in run.examples]
    worst = sorted((example for example in found if example[2]), key=lambda example: -len(example[2]))[:EXAMPLES]
    return {
        "run": run,
        "method": METHOD,
        "quotations": QUOTATIONS,
        "css": Markup(highlight.CSS),
        "policy": highlight.POLICY,
        "duration": _duration(run.seconds),
        "curves": [curve for word in ("loss", "f1") if (curve := _curve(run.history, word))],
        "chart": _CHART,
        "columns": list(dict.fromkeys(key for row in run.history for key in row)),
        "kinds": _by_kind(found),
        "examples": [_example(*example, layers) for example in worst],
        "nameless": named == [True, False] and "quotes" in layers,
        "faultless": sum(not listed for _, _, listed in found),
        "measures": measures,
        "percent": percent,
        "interval": interval,
        "number": _number,
        "fenced": _fenced,
    }


def _by_kind(found: Iterable[tuple[Article, Article, list[Mistake]]]) -> list[dict[str, Any]]:
    """The mistakes of each layer and kind, the most frequent first; of many, some from all over the corpus."""
    kinds: dict[tuple[str, str], list[tuple[str, Mistake]]] = {}
    for gold, _, listed in found:
        for mistake in listed:
            kinds.setdefault((mistake.layer, mistake.kind), []).append((highlight.heading(gold), mistake))
    return [
        {"layer": layer, "kind": kind, "count": len(rows), "shown": rows[:: math.ceil(len(rows) / LISTED)]}
        for (layer, kind), rows in sorted(kinds.items(), key=lambda item: -len(item[1]))
    ]


def _example(gold: Article, predicted: Article, listed: list[Mistake], layers: Sequence[str]) -> dict[str, Any]:
    shown = [Markup(highlight.to_html(_only(article, gold, layers))) for article in (gold, predicted)]
    return {"heading": highlight.heading(gold), "gold": shown[0], "predicted": shown[1], "count": len(listed)}


def _only(article: Article, gold: Article, layers: Sequence[str]) -> Article:
    """Leave out what was not scored, which would look like a mistake of the other side."""
    scored = {layer for layer in layers if gold.annotated(layer)}
    return replace(
        article,
        entities=article.entities if "entities" in scored else (),
        quotes=article.quotes if "quotes" in scored else (),
    )


def _curve(history: Sequence[dict[str, float]], word: str) -> dict[str, Any] | None:
    """Lay out the columns whose names contain `word` against the epoch, as the points of an SVG, if there are any."""
    names = dict.fromkeys(key for row in history for key in row if word in key.lower())
    series = {
        name: [(row.get("epoch", i), row[name]) for i, row in enumerate(history, 1) if _finite(row.get(name)) is not None] for name in names
    }
    points = [pair for line in series.values() for pair in line]
    if not points:
        return None
    (first, last), (low, high) = ((min(values), max(values)) for values in zip(*points, strict=True))

    def point(epoch: float, value: float) -> tuple[str, str]:
        x = _CHART["left"] + (_CHART["right"] - _CHART["left"]) * (epoch - first) / (last - first or 1)
        y = _CHART["bottom"] - (_CHART["bottom"] - _CHART["top"]) * (value - low) / (high - low or 1)
        return f"{x:.1f}", f"{y:.1f}"

    lines = [{"name": name, "points": [point(*pair) for pair in line]} for name, line in series.items()]
    return {"lines": lines, "first": first, "last": last, "low": low, "high": high}


def _cells(figure: Figure) -> tuple[str, str, str, str]:
    return percent(figure.precision), percent(figure.recall), percent(figure.f1), interval(figure)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        numbers = "  ".join(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        yield f"{row[0].ljust(widths[0])}  {numbers}".rstrip()


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _number(value: float | None) -> str:
    """At most four significant digits, without an exponent where the number is a whole one."""
    if value is None or not math.isfinite(value):
        return "—"
    return str(int(value)) if value == int(value) else f"{value:.4g}"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min {rest:02} s"


def _markdown(value: object) -> str:
    """Escape a value for a line or a table's cell of Markdown."""
    if isinstance(value, Markup):
        return value
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", html.escape(" ".join(str(value).split()), quote=False))


def _fenced(text: str, language: str = "") -> Markup:
    """Write `text` as a code block, in a fence longer than any that it contains."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return Markup(f"{fence}{language}\n{text.rstrip()}\n{fence}")


def _render(name: str, facts: dict[str, Any], autoescape: bool = False, finalize: Callable[[object], str] | None = None) -> str:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=autoescape,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name).render(facts)


def _put(path: Path, text: str) -> None:
    """Write the file beside its place and rename it, so that no reader ever sees half of it."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(text.encode("utf-8", "replace"))
    beside.replace(path)
