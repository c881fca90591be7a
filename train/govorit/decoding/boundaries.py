"""Where spans begin and end: what stands on both sides of a boundary between two words, counted on the training articles.

A token classifier decides word by word, and cuts a long quotation in two where it is unsure of one word in its middle. What stands around a
place says much about whether a quotation can begin or end there: after `, что`, before a full stop, at a closing mark, hardly ever between
two plain words. :func:`count` turns that into costs, and the decoder adds them to the scores of the tags.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from govorit.article import Article
from govorit.marks import DASHES, asks, stretches
from govorit.names.lexicon import PERSON_LABELS
from govorit.words import words

_SIGNS = (".!?…", ",", ";", ":", DASHES, "«„", "»”", "\"“'", "(", ")")  # a class each
_CONJUNCTIONS = (("что", "чтобы"), ("и", "а", "но", "однако", "который", "которая", "которые", "как"))
_CLASSES = {word: number for number, members in enumerate((*_SIGNS, *_CONJUNCTIONS)) for word in members}
_EDGE, _UPPER, _DIGIT, _LOWER = range(max(_CLASSES.values()) + 1, max(_CLASSES.values()) + 5)
_OUTSIDE, _INSIDE, _OPENS, _CLOSED = range(4)  # how a boundary lies to outermost quotation marks
_SHAPE = (4, _LOWER + 1, _LOWER + 1)
CONTEXTS = int(np.prod(_SHAPE))
_NUMERAL = re.compile("[IVXLC]+")
_BOTH = re.compile("[A-Za-z][а-яё]|[а-яё][A-Za-z]", re.I)
_SIGN = re.compile(rf"[(),;:|/…!?\[\]{{}}{DASHES}](?:(?<![{DASHES}])|(?<=\s.)|(?=\s))")  # in no person's name
_YOUNGER = re.compile(r"-(?<=\w-)(?=(?:млад|стар)ш)")  # `Буш-младший`
_PRIOR = 10.0  # what independence of the three parts of a context is worth, in observed boundaries
_FEW = 20  # spans of a label, below which nothing can be counted
_WEIGHTS = dict.fromkeys(("DIRECT", "INDIRECT", "MIXED"), 4.0) | {"CUE": 1.0, "SPEAKER": 1.0}
_WEIGHT = 0.5  # of other labels; all chosen on dev splits (scripts/bench/README.md)


def contexts(text: str, bounds: Sequence[tuple[int, int]]) -> np.ndarray:
    """What stands around each boundary of the words `bounds`, the first before them and the last after them: (words + 1,) numbers
    below `CONTEXTS`.
    """
    kinds = [_kind(text[start:end]) for start, end in bounds]
    before, after = np.array([_EDGE, *kinds], dtype=np.int64), np.array([*kinds, _EDGE], dtype=np.int64)
    after[1:][_line_ends(text, bounds)[1:] > 0] = _EDGE
    state = np.full(len(bounds) + 1, _OUTSIDE, dtype=np.int64)
    starts = [start for start, _ in bounds]
    for start, end in stretches(text):
        first, last = bisect_left(starts, start), bisect_left(starts, end)
        state[first + 1 : last], state[last] = _INSIDE, _CLOSED
        state[first] = _OPENS
    return np.ravel_multi_index((state, before, after), _SHAPE)


def within_lines(scores: np.ndarray, text: str, bounds: Sequence[tuple[int, int]]) -> np.ndarray:
    """Let no span go on into another line, where lines are paragraphs: the scores (words, tags) of I- are -inf at the first word of a line.

    Lines are no paragraphs in a text that was wrapped, where some begin with a small letter; there an empty line has to stand between.
    """
    wrapped = any(line[:1].islower() for line in text.split("\n"))
    first = np.flatnonzero(_line_ends(text, bounds)[1:-1] > wrapped) + 1
    return _cut(scores, first.tolist(), range(2, scores.shape[1], 2))


def within_names(scores: np.ndarray, text: str, bounds: Sequence[tuple[int, int]], labels: Sequence[str]) -> np.ndarray:
    """Keep persons to what a name is made of; of 9,300 in NEREL train, newsroom and factRuEval's devset three are not.

    None goes on over a comma, a bracket or a dash, nor from Cyrillic into Latin or back, `Regnum Минченко`, but for numerals,
    `Елизавета II`; and `-младший` belongs to it.
    """
    persons = [2 + 2 * i for i, label in enumerate(labels) if label in PERSON_LABELS]
    if not persons:
        return scores
    scripts = [_script(text[start:end]) for start, end in bounds]
    changes = [i for i, (one, other) in enumerate(pairwise(scripts), 1) if one and other and one != other]
    number = {start: i for i, (start, _) in enumerate(bounds)}
    signs, younger = ([number[found.start()] for found in kind.finditer(text) if found.start() in number] for kind in (_SIGN, _YOUNGER))
    scores = _cut(scores, changes + signs, persons)
    if younger:
        scores = scores.copy()
        scores[np.ix_([place for i in younger for place in (i, i + 1)[: len(bounds) - i]], persons)] = 0.0  # sure, once a name has begun
    return scores


def before_questions(scores: np.ndarray, text: str, bounds: Sequence[tuple[int, int]]) -> np.ndarray:
    """Let no answer go on into the plain question behind it: a paragraph that ends with a question mark, with a turn in dashes behind it.

    In marks a speech may hold one. Ten such paragraphs in the training articles and quotes dev, none of them in a content.
    """
    places = []
    for line, after in pairwise(line for line in re.finditer(r"[^\n]+", text) if not line[0].isspace()):
        place = line.start() + len(line[0]) - len(line[0].lstrip())
        if text[place] not in DASHES and after[0].lstrip()[0] in DASHES and asks(line[0]):
            places.append(place)
    if not places:
        return scores
    pairs = list(stretches(text))
    inside = [pairs[at - 1][1] > place if (at := bisect_left(pairs, (place,))) else False for place in places]
    starts = [start for start, _ in bounds]
    first = [bisect_left(starts, place) for place, marked in zip(places, inside, strict=True) if not marked]
    return _cut(scores, [i for i in first if i < len(bounds)], range(2, scores.shape[1], 2))


def _cut(scores: np.ndarray, places: Sequence[int], tags: Sequence[int]) -> np.ndarray:
    """Let no span go on with one of these I- tags at one of these words; the scores given are left as they are."""
    if not places or not tags:
        return scores
    scores = scores.copy()
    scores[np.ix_(places, tags)] = -np.inf
    return scores


def count(articles: Sequence[Article], layer: str, labels: Sequence[str]) -> np.ndarray:
    """Count, for each label, where its spans begin and end: costs (labels, 2, CONTEXTS), at most 0; starts first, then ends.

    The cost of a start is log p(context | a span starts here) - log p(context | no span is near), that of an end
    log p(context | a span ends here) - log p(context | it goes on), where that is below 0: a fitting place is no reason to begin or end,
    only an odd one is a reason not to; times the weight of the label. Probabilities are smoothed with what they would be if the parts of a
    context were independent.
    """
    seen = np.zeros((len(labels), 2, 2, CONTEXTS))  # start or end; here or not
    number = {label: i for i, label in enumerate(labels)}
    for article in articles:
        if not article.annotated(layer):
            continue
        bounds = words(article.text)
        found = contexts(article.text, bounds)
        starts, ends = [start for start, _ in bounds], [end for _, end in bounds]
        free = np.ones((len(labels), len(found)), dtype=bool)
        for span in article.layer(layer):
            if span.label in number:
                label, first, last = number[span.label], bisect_left(starts, span.start), bisect_left(ends, span.end) + 1
                seen[label, 0, 0, found[first]] += 1
                seen[label, 1, 0, found[min(last, len(bounds))]] += 1
                np.add.at(seen[label, 1, 1], found[first + 1 : last], 1)
                free[label, first : last + 1] = False
        for label, name in enumerate(labels):
            if layer != "entities" or article.covers(name):
                np.add.at(seen[label, 0, 1], found[free[label]], 1)
    enough = seen[:, :, 0].sum(-1) >= _FEW
    costs = np.log(_smoothed(seen[:, :, 0])) - np.log(_smoothed(seen[:, :, 1]))
    weights = np.array([_WEIGHTS.get(label, _WEIGHT) for label in labels])[:, None, None]
    return np.where(enough[..., None], weights * np.minimum(costs, 0), 0).astype(np.float32)


def _line_ends(text: str, bounds: Sequence[tuple[int, int]]) -> np.ndarray:
    """Count the line ends that stand right before each word, and behind the last one: (words + 1,)."""
    ends = [found.start() for found in re.finditer("\n", text)]
    return np.bincount(np.searchsorted([start for start, _ in bounds], ends), minlength=len(bounds) + 1)


def _kind(word: str) -> int:
    found = _CLASSES.get(word.lower())
    if found is not None:
        return found
    return _UPPER if word[0].isupper() else _DIGIT if word[0].isdigit() else _LOWER


def _script(word: str) -> str:
    """`latin` or `cyrillic`, by the first letter; neither of numerals, of what begins with no letter, and of both at once, `Cергей`."""
    first = word[0]
    if not first.isalpha() or _NUMERAL.fullmatch(word) or _BOTH.search(word):
        return ""
    return "cyrillic" if "\u0400" <= first <= "\u04ff" else "latin" if first <= "\u024f" else ""


def _smoothed(counts: np.ndarray) -> np.ndarray:
    """Probabilities of contexts, (…, CONTEXTS), with `_PRIOR` observations of what the product of the parts' probabilities says."""
    cube = counts.reshape(*counts.shape[:-1], *_SHAPE)
    independent = np.ones_like(cube)
    for axis in (-3, -2, -1):
        part = cube.sum(axis=tuple({-3, -2, -1} - {axis}), keepdims=True) + 1
        independent = independent * part / part.sum(axis=axis, keepdims=True)
    total = counts.sum(-1, keepdims=True)
    return (counts + _PRIOR * independent.reshape(counts.shape)) / (total + _PRIOR)
