"""A comparison of runs to read: as plain objects, as Markdown, and as a page of the articles that changed most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from operator import gt, lt
from statistics import fmean, stdev
from typing import Any

from govorit import highlight
from govorit.article import Article
from govorit.evaluation.comparison import QUOTATIONS, Change, Comparison, Row
from govorit.evaluation.groups import differing
from govorit.evaluation.mistakes import in_words
from govorit.evaluation.readable import MEASURES, percent
from govorit.markdown import code, escape, table


def to_json(found: Comparison) -> dict[str, Any]:
    """The comparison as plain objects, fractions rounded to four digits; a group without a difference is the baseline."""
    names = [group.name for group in found.groups]
    return {
        "split": found.split,
        "articles": len(found.gold),
        "baseline": names[found.baseline],
        "resamples": found.resamples,
        "groups": [
            {"name": group.name, "runs": [str(run.folder) for run in group.runs], "seeds": [run.seed for run in group.runs]}
            for group in found.groups
        ],
        "config": differing([group.runs[0].config for group in found.groups]),
        "rows": [_row_to_json(row, names) for row in found.rows],
        "changes": {name: [_change_to_json(change) for change in changes] for name, changes in zip(names, found.changes, strict=True)},
    }


def _row_to_json(row: Row, names: Sequence[str]) -> dict[str, Any]:
    groups = {
        name: {
            "f1": round(fmean(values), 4),
            "deviation": round(stdev(values), 4) if len(values) > 1 else None,
            "values": [round(value, 4) for value in values],
            **({"difference": round(d.value, 4), "interval": d.interval and [round(v, 4) for v in d.interval], "p": d.p} if d else {}),
        }
        for name, values, d in zip(names, row.values, row.differences, strict=True)
    }
    return {"layer": row.layer, "name": row.name, "gold": row.gold, "groups": groups}


def _change_to_json(change: Change) -> dict[str, Any]:
    listed = [{**asdict(item), "before": before, "after": after} for item, before, after in change.mistakes]
    for mistake in listed:
        del mistake["score"]
    mean = {"before": round(change.before, 4), "after": round(change.after, 4)}
    return {"id": change.gold.id, "readings": list(change.readings), **mean, "mistakes": listed}


def markdown(found: Comparison, articles: int = 10) -> str:
    """Write the comparison as Markdown, with the mistakes of the `articles` that changed most in each group."""
    blocks = [f"# {len(found.gold)} articles of {found.split}", "\n".join(_members(found)), *_config(found)]
    others = [i for i in range(len(found.groups)) if i != found.baseline]
    for other in others:
        blocks += [f"## {_mark(other)} against {_mark(found.baseline)}", _figures(found, other), *_changed(found, other, articles)]
    if not others:
        blocks += [table([["", "gold", _mark(0)], *([_title(row), str(row.gold), _mean(row.values[0])] for row in found.rows)])]
        blocks += ["One group: nothing to compare it with."]
    return "\n\n".join([*blocks, _method(found)]) + "\n"


def _mark(number: int) -> str:
    """What a group is called in a table."""
    return chr(ord("A") + number) if number < 26 else f"Z{number}"


def _members(found: Comparison) -> Iterator[str]:
    for i, group in enumerate(found.groups):
        baseline = " (baseline)" * (i == found.baseline and len(found.groups) > 1)
        seeds = f"seed{'s' * (len(group.seeds) > 1)} {', '.join(map(str, group.seeds))}"
        apart = ", each on articles of its own" * any(len(read) < len(group.seeds) for read in group.readings().values())
        yield f"- {_mark(i)}{baseline}: {code(group.name)}; {len(group.runs)} run{'s' * (len(group.runs) > 1)}, {seeds}{apart}"


def _config(found: Comparison) -> Iterator[str]:
    """The keys in which the configs of groups differ, where there are more than their names say; sources of data go without saying."""
    keys = differing([group.runs[0].config for group in found.groups])
    if "data.name" in keys:
        keys = {key: values for key, values in keys.items() if not key.startswith("data.sources.")}
    if any(f"{key.removesuffix('.name')}=" not in group.name for key in keys for group in found.groups):
        marks = [_mark(i) for i in range(len(found.groups))]
        yield table([["config", *marks], *([key, *values] for key, values in keys.items())], numbers=False)


def _figures(found: Comparison, other: int) -> str:
    one, two = _mark(found.baseline), _mark(other)
    rows = [["", "gold", one, two, f"{two} − {one}", "95 %", "p"]]
    for row in found.rows:
        difference = row.differences[other]
        assert difference is not None
        values = [_mean(row.values[i]) for i in (found.baseline, other)]
        spread = " … ".join(map(_signed, difference.interval)) if difference.interval else ""
        p = f"{difference.p:.4f}" if difference.p is not None else ""
        rows.append([_title(row), str(row.gold), *values, _signed(difference.value), spread, p])
    return table(rows)


def _title(row: Row) -> str:
    return MEASURES[row.name] if row.layer == QUOTATIONS else f"{row.layer} {row.name}"


def _mean(values: Sequence[float]) -> str:
    return percent(fmean(values)) + (f" ± {percent(stdev(values))}" if len(values) > 1 else "")


def _signed(value: float) -> str:
    return f"{100 * value:+.2f}"


def _changed(found: Comparison, other: int, most: int) -> Iterator[str]:
    changes = found.changes[other]
    one, two = _mark(found.baseline), _mark(other)
    if not changes:
        yield f"{two} makes the same mistakes as {one} in all articles."
        return
    better, worse = (sum(test(change.after, change.before) for change in changes) for test in (lt, gt))
    before, after = (sum(getattr(change, side) for change in changes) for side in ("before", "after"))
    yield (
        f"{two} makes other mistakes than {one} in {len(changes)} of {len(found.gold)} articles: fewer in {better}, more in {worse}; "
        f"in these {_number(before)} became {_number(after)}"
    )
    for change in changes[:most]:
        head = f"### {escape(highlight.heading(change.gold))}\n\nmistakes: {one} {_number(change.before)}, {two} {_number(change.after)}\n"
        yield "\n".join([head, *_mistakes(change, one, two)])


def _mistakes(change: Change, one: str, two: str) -> Iterator[str]:
    times = change.readings
    for item, before, after in change.mistakes:
        sides = " read as ".join(in_words(item))
        yield f"- {item.layer}, {item.kind}: {sides} ({one} {before} of {times[0]}, {two} {after} of {times[1]})"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _method(found: Comparison) -> str:
    means = "F1 in percent, strict for spans: mean ± standard deviation over seeds."
    if len(found.groups) == 1:
        return means
    return (
        f"{means} The difference is that of F1 over the counts of all seeds; 95 %: paired bootstrap over articles; p: approximate "
        f"randomisation over articles, two-sided; {found.resamples} resamples each. They say how these runs differ over articles, not over "
        "seeds, and each p is of its row alone."
    )


def page(found: Comparison, articles: int = 10) -> str:
    """Write the articles that changed most as an HTML page: the gold, and what the first run of baseline and group read in each."""
    readings = [group.readings() for group in found.groups]
    shown: list[Article] = []
    for i, changes in enumerate(found.changes):
        for change in changes[:articles]:
            shown.append(_titled(change.gold, "gold", found.layers))
            for group in (found.baseline, i):
                shown.append(_titled(readings[group][change.gold.id][0], f"{_mark(group)} {found.groups[group].name}", found.layers))
    return highlight.page(shown, f"What changed in {found.split}")


def _titled(article: Article, whose: str, layers: Sequence[str]) -> Article:
    entities, quotes = article.entities if "entities" in layers else (), article.quotes if "quotes" in layers else ()
    return replace(article, id=f"{article.id} · {whose}", entities=entities, quotes=quotes, meta={})
