"""Quotations by rules: who says what in raw Russian news, read off its marks, its reporting words and its silver syntax.

They are silver labels to pre-train on, and what a model has to beat: what is certain from the form of a sentence is marked, what needs
understanding is left out. The boundaries and links are those of ANNOTATION.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from govorit.article import Quote, Span, quote_spans
from govorit.rules import direct, indirect
from govorit.rules.document import read
from govorit.rules.speakers import pass_back

RULES = (  # the first one that marks a place has it
    indirect.mark_headline,
    direct.mark_turns,
    direct.mark_dash_speech,
    direct.mark_blocks,
    direct.mark_stretches,
    indirect.mark_sources,
    indirect.mark_as_reported,
    indirect.mark_that,
    indirect.mark_fronted,
    indirect.mark_parenthetical,
    direct.mark_fragments,
)


def quotations(text: str, starts: np.ndarray, labels: Mapping[str, np.ndarray], names: Mapping[str, Sequence[str]]) -> tuple[Quote, ...]:
    """Find who says what in a document, by rules over its text and its silver syntax.

    `starts` and `labels` are those of :meth:`govorit.corpora.silver.Teacher.label`. The quotations are sorted by their contents,
    without names and scores. Spans do not overlap, but several quotations may share a cue and a speaker.
    """
    if not len(starts):
        return ()
    document = read(text, starts, labels, names)
    for rule in RULES:
        rule(document)
    return tuple(sorted(pass_back(document), key=lambda quote: quote.content[0].start))


def find(text: str, starts: np.ndarray, labels: Mapping[str, np.ndarray], names: Mapping[str, Sequence[str]]) -> list[Span]:
    """Find the spans of :func:`quotations`, sorted, none overlapping another."""
    return list(quote_spans(quotations(text, starts, labels, names)))
