"""Scores of words -> an article: spans, quotations, names. The only decoder: evaluation and inference both call :func:`decode`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from govorit import names, nearness
from govorit.article import Article, Span
from govorit.contract import EITHER
from govorit.decoding import bodies, boundaries, datelines, edges, links, nameless, persons, repeats, speakers, speeches, viterbi
from govorit.decoding.aids import NO_AIDS, Aids


def decode(
    article: Article,
    bounds: Sequence[tuple[int, int]],
    scores: Mapping[str, np.ndarray],
    layers: Mapping[str, Sequence[str]],
    aids: Aids = NO_AIDS,
    places: str = EITHER,
) -> Article:
    """Read an article from the scores of its words.

    Args:
        article: the text; what is marked on it already is replaced.
        bounds: its words, half-open.
        scores: for each layer the log-probabilities of its tags, (words, tags), in the order of :func:`govorit.words.tag_names`.
        layers: the labels of each layer.
        aids: with a link head, `scores` has the vectors of the words as well, (words, size); with hints, what was read for the rules.
        places: one of :data:`govorit.contract.PLACES`.
    """
    around = boundaries.contexts(article.text, bounds) if aids.costs else None
    found: dict[str, list[Span]] = {}
    for layer, labels in layers.items():
        values = scores[layer]
        if layer == "entities":
            values = boundaries.within_lines(values, article.text, bounds)
            values = repeats.pool(boundaries.within_names(values, article.text, bounds, labels), article.text, bounds)
            values = datelines.place(values, article.text, bounds, labels)
        if layer == "quotes":
            hinted = values if aids.hints is None else aids.hints.add(values, article.text, bounds, scores)
            values = datelines.silent(boundaries.before_questions(hinted, article.text, bounds), article.text, bounds)
        costs = None if around is None else aids.costs[layer][:, :, around]
        found[layer] = edges.trimmed(article.text, viterbi.spans(values, bounds, labels, costs))
    labels = layers.get("entities", ())
    whole = edges.closed(article.text, edges.hyphenated(article.text, found.get("entities", [])))
    named = persons.parted(article.text, whole, labels)
    entities = bodies.settled(article.text, nameless.without(article.text, named), places, labels)
    quoted = speakers.beside_names(article.text, speeches.whole(article.text, found.get("quotes", [])), entities)
    tied = nearness.tie(quoted, article.text)
    if tied and aids.links is not None:
        tied = links.tie(quoted, article.text, tied, bounds, scores[links.VECTORS], aids.links)
    said = speakers.beside_cues(article.text, speeches.without_links(article.text, tied), entities)
    return replace(article, entities=tuple(entities), quotes=names.resolve(article.text, entities, said))
