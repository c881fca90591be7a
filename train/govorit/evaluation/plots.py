"""Pictures of a report: small SVGs as `data:` addresses, in the reader's light or dark, the same bytes for the same figures.

matplotlib is imported when the first picture is drawn. An image runs no script and loads nothing; a label is plain text in it.
"""

from __future__ import annotations

import base64
import io
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from govorit.evaluation.calibration import Calibration
from govorit.evaluation.slices import Slicing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK = "#010203"  # stands for the colour of the page's text, which is known to the reader's browser alone
_COLOURS = ("#3f7fbf", "#d1881f", "#4b9b6b", "#b8577a", "#7a6fc0", "#5f8f9f")
_STYLE = "svg{color:#55565e}@media(prefers-color-scheme:dark){svg{color:#b4b6bd}}"
_FONT = "-apple-system,'Segoe UI',Roboto,'Noto Sans','Liberation Sans',sans-serif"
_SIZE = (3.5, 2.35)  # inches at 72 points: 252 by 169 pixels, which a page scales
_SETTINGS: Mapping[str, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "govorit", "text.parse_math": False, "font.family": ["DejaVu Sans"], "font.size": 8,
    "text.color": _INK, "axes.edgecolor": _INK, "axes.labelcolor": _INK, "xtick.color": _INK, "ytick.color": _INK,
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.6, "xtick.major.width": 0.6, "ytick.major.width": 0.6,
    "axes.grid": True, "axes.grid.axis": "y", "grid.color": _INK, "grid.alpha": 0.14, "grid.linewidth": 0.6, "axes.axisbelow": True,
    "legend.frameon": False, "legend.fontsize": 7.5, "figure.facecolor": "none", "axes.facecolor": "none", "savefig.transparent": True,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Picture:
    """An image as an address that holds it, what to read in its place, and what to write under it."""

    address: str
    caption: str


def curves(history: Sequence[Mapping[str, float | None]]) -> list[Picture]:
    """Draw the columns whose names contain `loss`, and those that contain `f1`, against the epoch."""
    found = []
    for word, title in (("loss", "Training loss"), ("f1", "F1 on dev, strict")):
        names = dict.fromkeys(key for row in history for key in row if word in key.lower())
        lines = {name: _line(history, name) for name in names}
        if any(lines.values()):
            found.append(_draw(title + ", by epoch", partial(_lines, lines=lines, word=word)))
    return found


def slices(slicing: Slicing) -> Picture:
    """Draw F1 and its interval for each slice, over how many gold spans there are in it."""
    return _draw(f"{slicing.part}: F1 by {slicing.by}", partial(_points, slicing=slicing))


def reliability(name: str, result: Calibration) -> Picture:
    """Draw the share of what is right against the score, over the line on which both are the same."""
    return _draw(f"{name}: share that is right, by score", partial(_reliability, result=result))


def _line(history: Sequence[Mapping[str, float | None]], name: str) -> list[tuple[float, float]]:
    """A column against the epoch, where it is a finite number."""
    values = ((row.get("epoch") or number, row.get(name)) for number, row in enumerate(history, 1))
    return [(epoch, value) for epoch, value in values if value is not None and math.isfinite(value)]


def _lines(axes: Axes, lines: Mapping[str, Sequence[tuple[float, float]]], word: str) -> None:
    from matplotlib.ticker import MaxNLocator

    for colour, (name, points) in zip(_COLOURS * (len(lines) // len(_COLOURS) + 1), lines.items(), strict=False):
        label = _legible(name.replace(f"_{word}", "").replace("_", " "))
        axes.plot(*zip(*points, strict=True), color=colour, marker="o", markersize=3, linewidth=1.4, label=label) if points else None
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(x=0.04, y=0.12)
    if len(lines) > 1:
        axes.legend(loc="best", handlelength=1.2)


def _points(axes: Axes, slicing: Slicing) -> None:
    names, figures = list(slicing.figures), list(slicing.figures.values())
    places = range(len(names))
    most = max(figure.support for figure in figures) or 1
    axes.bar(places, [figure.support / most for figure in figures], width=0.62, color=_INK, alpha=0.09, linewidth=0)
    for place, figure in zip(places, figures, strict=True):
        low, high = figure.interval or (figure.f1, figure.f1)
        axes.plot([place, place], [low, high], color=_COLOURS[0], linewidth=4, alpha=0.35, solid_capstyle="round")
        axes.annotate(str(figure.support), (place, 0), (0, 2), textcoords="offset points", ha="center", fontsize=6.5, alpha=0.8)
    axes.plot(places, [figure.f1 for figure in figures], color=_COLOURS[0], marker="o", markersize=4.5, linewidth=1)
    axes.set_xticks(list(places), [_legible(name) for name in names])
    axes.set_ylim(0, 1.04)
    axes.set_xlim(-0.6, len(names) - 0.4)


def _reliability(axes: Axes, result: Calibration) -> None:
    axes.plot([0, 1], [0, 1], color=_INK, linewidth=0.8, linestyle=(0, (4, 3)), alpha=0.55)
    for b in result.bins:
        axes.plot([b.score, b.score], b.interval, color=_COLOURS[1], linewidth=4, alpha=0.35, solid_capstyle="round")
        axes.annotate(str(b.count), (b.score, 0), (0, 2), textcoords="offset points", ha="center", fontsize=6.5, alpha=0.8)
    axes.plot([b.score for b in result.bins], [b.right for b in result.bins], color=_COLOURS[1], marker="o", markersize=4.5, linewidth=1)
    axes.set_xlim(0, 1.03)
    axes.set_ylim(0, 1.04)


def _draw(caption: str, onto: Callable[[Axes], object]) -> Picture:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with _settings():
        figure = Figure(figsize=_SIZE)
        onto(figure.add_axes((0.1, 0.12, 0.87, 0.84)))
        FigureCanvasSVG(figure).print_svg(out := io.StringIO(), metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return Picture("data:image/svg+xml;base64," + base64.b64encode(_themed(out.getvalue()).encode()).decode(), caption)


@contextmanager
def _settings() -> Iterator[None]:
    """Draw as matplotlib does by itself, whatever its user has set, and as this module says."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


def _themed(svg: str) -> str:
    """Let ink be the colour of text, letters those of the reader's system, and leave out what an image does not need."""
    svg = svg[svg.index("<svg") :].replace(_INK, "currentColor").replace("'DejaVu Sans'", _FONT)
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.S)
    return re.sub(r">\s+<", "><", svg.replace("<defs>", f"<style>{_STYLE}</style><defs>", 1))


def _legible(name: str) -> str:
    """A label as plain, short text: no control characters, which XML has no place for."""
    shown = "".join(c if c.isprintable() else "\ufffd" for c in name)
    return shown if len(shown) <= 24 else shown[:23] + "…"
