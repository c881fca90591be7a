"""Figures as people read them, everywhere alike; and the scores of a run as a table for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from govorit.evaluation import attribution
from govorit.evaluation.attribution import Accuracy, Attribution
from govorit.evaluation.metrics import Figure, Scores

MEASURES = {
    "exact": "content exact",
    "content": "content IoU ≥ 0.8",
    "with_speaker": "with the right speaker",
    "said_by": "said by the right name",
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


def number(value: float | None) -> str:
    """At most four significant digits, without an exponent where the number is a whole one."""
    if value is None or not math.isfinite(value):
        return "—"
    return str(int(value)) if value == int(value) else f"{value:.4g}"


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min {rest:02} s"


def _cells(figure: Figure) -> tuple[str, str, str, str]:
    return percent(figure.precision), percent(figure.recall), percent(figure.f1), interval(figure)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        numbers = "  ".join(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        yield f"{row[0].ljust(widths[0])}  {numbers}".rstrip()
