"""Quotations by rules: who says what in raw Russian news, read off its marks, its reporting words and its silver syntax.

They are silver labels to pre-train on: what is certain from the form of a sentence is marked, what needs understanding is left out.
The boundaries are those of ANNOTATION.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from govorit.article import Span
from govorit.rules import direct, indirect
from govorit.rules.document import read

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


def find(text: str, starts: np.ndarray, labels: Mapping[str, np.ndarray], names: Mapping[str, Sequence[str]]) -> list[Span]:
    """Mark contents, cues and speakers in a document, by rules over its text and its silver syntax.

    `starts` and `labels` are those of :meth:`govorit.silver.Teacher.label`. The spans are sorted and do not overlap.
    """
    if not len(starts):
        return []
    document = read(text, starts, labels, names)
    for rule in RULES:
        rule(document)
    return sorted(document.found, key=lambda span: span.start)
