"""Spans -> quotations by nearness: rules, nothing learnt. The link head (`decoding/links.py`) starts from what they tie."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from statistics import fmean

from govorit.article import CUE, KINDS, SPEAKER, Quote, Span
from govorit.marks import MARKS

# All stops before a space, but for the point of an initial. A row of dots is tried from its first one (or the second, behind an initial)
# and from no other: it may be long.
SENTENCE_END = re.compile(r"[.!?…](?:(?<![.!?…].)(?<!\b\w.)|(?<=\b\w[.!?…].))[.!?…]*\s")
_BLOCK = re.compile(r":\s*\n\s*")  # a colon that announces what stands in the next paragraph
_JOINED = re.compile(r"[ ,;]*(?:и )?|:\s*")  # between two contents of one attribution
_INTERRUPTED = {"DIRECT": re.compile(r"(?>\W*?\s[—–-]\s).*\s[—–-]\s"), "INDIRECT": re.compile(r", (?!(?:и|а|но|однако) ).*, ")}


def tie(found: Sequence[Span], text: str) -> list[Quote]:
    """Tie contents, cues and speakers that lie near each other into quotations.

    Contents between which the attribution stands are one quotation. Each cue and each speaker goes to one
    quotation, the nearest first, within a paragraph and with no other content between; none is lost where a quotation is free for it. Two
    contents side by side share the attribution of either: `отметил, что …: «…»`.
    """
    groups = _interrupted([span for span in found if span.label.lower() in KINDS], text)
    cues = _match(groups, {}, [span for span in found if span.label == CUE], text)
    speakers = _match(groups, cues, [span for span in found if span.label == SPEAKER], text)
    for i in range(1, len(groups)):
        if _JOINED.fullmatch(text, groups[i - 1][-1].end, groups[i][0].start):
            for one, other in ((i - 1, i), (i, i - 1)):
                if one in cues and other not in cues:
                    cues[other] = cues[one]
                    if one in speakers:
                        speakers.setdefault(other, speakers[one])
    result = []
    for i, parts in enumerate(groups):
        scores = [part.score for part in parts if part.score is not None]
        score = round(fmean(scores), 4) if scores else None
        result.append(Quote(parts[0].label.lower(), parts, cues.get(i), speakers.get(i), None, score))
    return result


def _interrupted(contents: Sequence[Span], text: str) -> list[tuple[Span, ...]]:
    groups: list[tuple[Span, ...]] = []
    for span in contents:
        if groups and _continues(groups[-1], span, text):
            groups[-1] = (*groups[-1], span)
        else:
            groups.append((span,))
    return groups


def _continues(before: Sequence[Span], span: Span, text: str) -> bool:
    """Whether `span` goes on with the content `before`, which the attribution between them interrupts."""
    between = text[before[-1].end : span.start]
    if span.label != before[0].label or "\n" in between or between.rstrip(" —–-").endswith(":"):
        return False
    said, more = "".join(text[part.start : part.end] for part in before), text[span.start : span.end]
    if _depth(said):
        return _depth(said + more) < _depth(said) or not any(mark in more for mark in MARKS)
    pattern = _INTERRUPTED.get(span.label)
    if pattern is None or (span.label == "DIRECT" and said[0] in MARKS):
        return False
    return bool(pattern.fullmatch(between)) and not (span.label == "INDIRECT" and SENTENCE_END.search(between))


def _depth(said: str) -> int:
    """How many quotation marks are left open: “ closes a „, and opens otherwise; a straight one closes a straight one."""
    marks = ""
    for mark in said:
        if mark == '"':
            marks = marks[:-1] if marks.endswith('"') else marks + mark
        elif mark in "«„" or (mark == "“" and not marks.endswith("„")):
            marks += mark
        elif mark in "»”“":
            marks = marks[:-1]
    return len(marks)


def _match(groups: Sequence[tuple[Span, ...]], cues: Mapping[int, Span], candidates: Sequence[Span], text: str) -> dict[int, Span]:
    """Give as many candidates as can be a group each, the nearest first; a candidate may go to the group before or after it."""
    contents = sorted((span.start, span.end, i) for i, group in enumerate(groups) for span in group)
    ranks: list[dict[int, tuple[bool, int, int]]] = []
    for span in candidates:
        at = bisect_left(contents, (span.start,))
        beside = {i: (start, end) for start, end, i in contents[max(at - 1, 0) : at + 1]}
        near = {
            i: rank
            for i, place in beside.items()
            if (rank := _rank(span, [place, *((cue.start, cue.end) for cue in [cues.get(i)] if cue)], text))
        }
        ranks.append(dict(sorted(near.items(), key=lambda item: item[1])))
    owners: dict[int, int] = {}
    for number in sorted((i for i, near in enumerate(ranks) if near), key=lambda i: min(ranks[i].values())):
        for first in ranks[number]:
            path = {first: number}  # the groups whose owner changes: each gives way to its other group
            group, held = first, owners.get(first)
            while held is not None:
                group = next((other for other in ranks[held] if other not in path), -1)
                if group < 0:
                    break
                path[group], held = held, owners.get(group)
            if group >= 0:
                owners.update(path)
                break
    return {group: candidates[number] for group, number in owners.items()}


def _rank(span: Span, places: Sequence[tuple[int, int]], text: str) -> tuple[bool, int, int] | None:
    """How near a candidate stands to the nearest of `places`, or None in another paragraph; within its sentence comes first."""
    ranks = []
    for start, end in places:
        between = _BLOCK.sub(": ", text[min(end, span.end) : max(start, span.start)])
        if "\n" not in between:
            # At equal distance what follows wins: «…», — сказал он.
            ranks.append((bool(SENTENCE_END.search(between)), len(between), int(span.start < start)))
    return min(ranks, default=None)
