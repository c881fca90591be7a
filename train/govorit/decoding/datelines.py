"""Datelines of agencies, `МОСКВА, 5 мар — РИА Новости.`: a place in capitals, a date and who reports, before the first sentence."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from govorit.marks import DASHES

_MONTH = r"(?:янв|фев|мар|апр|ма[йя]|июн|июл|авг|сен|окт|ноя|дек)[а-я]*"
_DATE = rf"\d{{1,2}} {_MONTH}\.?(?:,? \d{{4}}(?: г(?:ода)?\b)?\.?)?"
_AGENCY = rf"(?:[,.]?\s*/[^/\n]{{2,40}}/\.?|(?:\.|[,.]?\s*[{DASHES}])\s*[«A-ZА-ЯЁ][^.,:;\n]{{1,30}}?(?:\.(?=\s)|\s[{DASHES}](?=\s)))?"
_DATELINE = re.compile(rf"^[^\S\n]*(?P<place>[А-ЯЁ]{{3,}}(?:[ -][А-ЯЁ]{{2,}}){{0,3}})[.,]\s?{_DATE}{_AGENCY}", re.M)
_FIRST = 400  # characters of an article that may hold it: a headline stands before


def place(scores: np.ndarray, text: str, bounds: Sequence[tuple[int, int]], labels: Sequence[str]) -> np.ndarray:
    """Let the place of a dateline be a LOC: its words get the scores (words, tags) of one."""
    found = _words(text, bounds, "place") if "LOC" in labels else range(0)
    if not found:
        return scores
    begins = 1 + 2 * labels.index("LOC")
    scores = scores.copy()
    scores[found] = -np.inf
    scores[found, begins + 1] = 0.0
    scores[found[0], [begins, begins + 1]] = 0.0, -np.inf
    return scores


def silent(scores: np.ndarray, text: str, bounds: Sequence[tuple[int, int]]) -> np.ndarray:
    """Let no quotation take in words of a dateline: all tags (words, tags) but O are -inf there."""
    found = _words(text, bounds, 0)
    if not found:
        return scores
    scores = scores.copy()
    scores[found, 1:] = -np.inf
    return scores


def _words(text: str, bounds: Sequence[tuple[int, int]], part: str | int) -> range:
    """The numbers of the words in a part of the dateline, none where there is no dateline."""
    found = _DATELINE.search(text, 0, _FIRST)
    starts = [start for start, _ in bounds] if found else []
    return range(*(bisect_left(starts, place) for place in found.span(part))) if found else range(0)
