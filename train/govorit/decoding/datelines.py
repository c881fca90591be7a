"""Datelines of agencies, `МОСКВА, 5 мар — РИА Новости.`: a place in capitals, a date and who reports, before the first sentence."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

_MONTH = r"(?:янв|фев|мар|апр|ма[йя]|июн|июл|авг|сен|окт|ноя|дек)[а-я]*"
_DATE = rf"\d{{1,2}} {_MONTH}\.?(?:,? \d{{4}}(?: г(?:ода)?\b)?\.?)?"
_AGENCY = r"(?:[,.]?\s*/[^/\n]{2,40}/\.?|(?:\.|[,.]?\s*[—–-])\s*[«A-ZА-ЯЁ][^.,:;\n]{1,30}?(?:\.(?=\s)|\s[—–-](?=\s)))?"
_DATELINE = re.compile(rf"^[^\S\n]*(?P<place>[А-ЯЁ]{{3,}}(?:[ -][А-ЯЁ]{{2,}}){{0,3}})[.,]\s?{_DATE}{_AGENCY}", re.M)
_FIRST = 400  # characters of an article that may hold it: a headline stands before


def place(scores: np.ndarray, text: str, bounds: Sequence[tuple[int, int]], labels: Sequence[str]) -> np.ndarray:
    """Let the place of a dateline be a LOC: its words get the scores (words, tags) of one."""
    found = _DATELINE.search(text, 0, _FIRST) if "LOC" in labels else None
    if found is None:
        return scores
    first, last = (bisect_left([start for start, _ in bounds], place) for place in found.span("place"))
    begins = 1 + 2 * labels.index("LOC")
    scores = scores.copy()
    scores[first:last] = -np.inf
    scores[first:last, begins + 1] = 0.0
    scores[first : first + 1] = -np.inf
    scores[first : first + 1, begins] = 0.0
    return scores


def silent(scores: np.ndarray, text: str, bounds: Sequence[tuple[int, int]]) -> np.ndarray:
    """Let no quotation take in words of a dateline: all tags (words, tags) but O are -inf there."""
    found = _DATELINE.search(text, 0, _FIRST)
    if found is None:
        return scores
    first, last = (bisect_left([start for start, _ in bounds], place) for place in found.span())
    scores = scores.copy()
    scores[first:last, 1:] = -np.inf
    return scores
