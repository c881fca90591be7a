"""Scores of words -> spans, and spans -> quotations. The only decoder: evaluation and inference both call :func:`decode`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from govorit import words
from govorit.article import CUE, KINDS, SPEAKER, Article, Quote, Span

OPENING, CLOSING = "«“„", "»”“"


def decode(
    article: Article,
    bounds: Sequence[tuple[int, int]],
    scores: Mapping[str, np.ndarray],
    layers: Mapping[str, Sequence[str]],
) -> Article:
    """Read an article from the scores of its words.

    Args:
        article: the text; what is marked on it already is replaced.
        bounds: its words, half-open.
        scores: for each layer the log-probabilities of its tags, (words, tags), in the order of :func:`govorit.words.tag_names`.
        layers: the labels of each layer.
    """
    found = {layer: spans(scores[layer], bounds, labels) for layer, labels in layers.items()}
    return replace(article, entities=tuple(found.get("entities", ())), quotes=tuple(quotes(found.get("quotes", ()), article.text)))


def spans(scores: np.ndarray, bounds: Sequence[tuple[int, int]], labels: Sequence[str]) -> list[Span]:
    """Decode the best valid IOB2 sequence of (words, tags) log-probabilities; a span's score is the mean probability of its tags.

    >>> spans(np.log([[.1, .8, .1], [.2, .1, .7]]), [(0, 2), (3, 8)], ["PER"])
    [Span(start=0, end=8, label='PER', score=0.75)]
    """
    names = words.tag_names(labels)
    path = best_path(scores)
    chosen = np.exp(scores[np.arange(len(path)), path].astype(np.float64))
    found = []
    starts = {start: i for i, (start, _) in enumerate(bounds)}
    ends = {end: i for i, (_, end) in enumerate(bounds)}
    for span in words.decode([names[i] for i in path], bounds):
        score = chosen[starts[span.start] : ends[span.end] + 1].mean()
        found.append(replace(span, score=round(float(score), 4)))
    return found


def best_path(scores: np.ndarray) -> np.ndarray:
    """Find the best tag sequence in which every I- continues its B- or I- (Viterbi, first-order).

    Tags are numbered as by :func:`govorit.words.tag_names`: 0 is O, then B and I of each label in turn. Ties go to the lower number.
    """
    path = scores.argmax(axis=1) if len(scores) else np.zeros(0, dtype=np.int64)
    if _valid(path):
        return path  # the best of all sequences is the best of the valid ones
    inside = np.arange(2, scores.shape[1], 2)
    total = scores[0].astype(np.float64)
    total[inside] = -np.inf
    came = np.zeros(scores.shape, dtype=np.int64)
    for i in range(1, len(scores)):
        best = int(total.argmax())
        step = np.full(len(total), total[best])
        came[i] = best
        begun = total[inside - 1] >= total[inside]
        came[i, inside] = np.where(begun, inside - 1, inside)
        step[inside] = np.maximum(total[inside - 1], total[inside])
        total = step + scores[i]
    path = np.zeros(len(scores), dtype=np.int64)
    path[-1] = total.argmax()
    for i in range(len(scores) - 1, 0, -1):
        path[i - 1] = came[i, path[i]]
    return path


def _valid(path: np.ndarray) -> bool:
    inside = (path > 0) & (path % 2 == 0)
    before = np.concatenate(([0], path[:-1]))
    return bool(np.all(~inside | (before == path) | (before == path - 1)))


def quotes(found: Sequence[Span], text: str) -> list[Quote]:
    """Tie contents, cues and speakers that lie near each other into quotations.

    Rules, nothing learnt: contents on both sides of a cue or speaker are one quotation where the first opens a quotation mark and the last
    closes it; a content takes the nearest cue of its paragraph that no other content stands before, and the speaker nearest to that cue.
    """
    contents = [span for span in found if span.label.lower() in KINDS]
    cues = [span for span in found if span.label == CUE]
    speakers = [span for span in found if span.label == SPEAKER]
    result = []
    for parts in _interrupted(contents, text):
        cue = _nearest(parts, cues, contents, text)
        speaker = _nearest((cue,) if cue else parts, speakers, contents, text) or _nearest(parts, speakers, contents, text)
        score = float(np.mean([part.score for part in parts if part.score is not None] or [0.0]))
        result.append(Quote(parts[0].label.lower(), parts, cue, speaker, None, round(score, 4)))
    return result


def _interrupted(contents: Sequence[Span], text: str) -> list[tuple[Span, ...]]:
    groups: list[tuple[Span, ...]] = []
    for span in contents:
        before = groups[-1] if groups else ()
        open_mark = bool(before) and _depth(before, text) > 0
        if (
            open_mark
            and before[0].label == span.label
            and "\n" not in text[before[-1].end : span.start]
            and text[span.start] not in OPENING
        ):
            groups[-1] = (*before, span)
        else:
            groups.append((span,))
    return groups


def _depth(parts: Sequence[Span], text: str) -> int:
    """How many quotation marks the parts leave open; straight ones count as open when they are odd in number."""
    said = "".join(text[part.start : part.end] for part in parts)
    guillemets = said.count("«") - said.count("»")
    curly = max(said.count("“") - said.count("”"), said.count("„") - said.count("“")) if "”" in said or "„" in said or "“" in said else 0
    return max(guillemets, curly, said.count('"') % 2)


def _nearest(parts: Sequence[Span], candidates: Sequence[Span], contents: Sequence[Span], text: str) -> Span | None:
    """The candidate nearest to any of `parts` (characters between), in their paragraph and with no foreign content between."""
    best: tuple[int, int, Span] | None = None
    for candidate in candidates:
        for part in parts:
            start, end = min(part.end, candidate.end), max(part.start, candidate.start)
            between = text[start:end]
            blocked = any(start <= c.start and c.end <= end for c in contents if c not in parts)
            if "\n" not in between and not blocked:
                # At equal distance what follows wins: «…», — сказал он.
                rank = (end - start, int(candidate.start < part.start))
                if best is None or rank < best[:2]:
                    best = (*rank, candidate)
    return best[2] if best else None
