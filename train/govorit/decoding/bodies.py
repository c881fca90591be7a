"""Whether the place in the genitive behind a public body is part of its name: `МИД РФ` is one organisation here, one and a place there.

Corpora differ, and most keep to one way: of the bodies with a country or region behind them NEREL and newsroom hold the place inside,
factRuEval-2016 holds it apart.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from govorit.article import Article, Span
from govorit.contract import APART, EITHER, INSIDE
from govorit.names.entities import is_adjective, is_genitive, joined
from govorit.names.lexicon import PUBLIC_BODIES
from govorit.names.morphology import lemma
from govorit.names.phrases import WORD

_LABELS = ("LOC", "ORG")
_MINISTRY = re.compile("Мин(?!и|ск)")  # `Минсельхоз`
_ADJECTIVE = r"[А-ЯЁ][\w-]+(?:ого|его|ой|ей|ых|их)"
_PLACE = re.compile(rf"(?<! по)(?<! в)(?<! на)(?<! и) ({_ADJECTIVE} [а-яё]+|(?:{_ADJECTIVE} )?[А-ЯЁ][\w-]+)\Z")
_SEEN, _MOST = 10, 2 / 3  # bodies with a place, of which so many must keep to one way


def settled(text: str, spans: Iterable[Span], way: str, labels: Collection[str] = _LABELS) -> list[Span]:
    """Let all bodies hold the place behind them (`INSIDE`), or none (`APART`), or leave them as they are (`EITHER`).

    Inside, an organisation holds the one that it belongs to as well, `СБ ООН`: of 89 pairs side by side that `mini-joint` finds in NEREL
    train, 48 are one name and 3 are two.

    Where a model knows no ORG or LOC, they stay as they are.
    """
    found = sorted(spans, key=lambda span: (span.start, span.end))
    if not set(_LABELS).issubset(labels):
        return found
    if way == INSIDE:
        return joined(text, found)
    return [part for span in found for part in _parts(text, span)] if way == APART else found


def way_of(articles: Iterable[Article], labels: Collection[str] = _LABELS) -> str:
    """The way that annotated articles keep to, `EITHER` where they keep to none or hardly have a body with a place."""
    counts = {INSIDE: 0, APART: 0}
    if not set(_LABELS).issubset(labels):
        return EITHER
    for article in articles:
        if not (article.annotated("entities") and all(map(article.covers, _LABELS))):
            continue
        spans = sorted(article.entities, key=lambda span: (span.start, span.end))
        whole = set(joined(article.text, spans)).difference(spans)
        counts[APART] += sum(_is_body(WORD.findall(article.text, span.start, span.end)) for span in whole)
        counts[INSIDE] += sum(len(_parts(article.text, span)) > 1 for span in spans)
    way = max(counts, key=lambda way: counts[way])
    return way if counts[way] >= max(_SEEN, _MOST * sum(counts.values())) else EITHER


def _parts(text: str, span: Span) -> Sequence[Span]:
    """A body and the place behind it; the name alone where it is no public body, or has no place at its end."""
    name = text[span.start : span.end]
    place = _PLACE.search(name) if span.label == "ORG" else None
    if place is None or not is_genitive(place[1].split()[-1]):
        return (span,)
    before = WORD.findall(name[: place.start()])
    if before[-1:] == ["Республике"] or not _is_body(before):
        return (span,)
    end = span.start + place.start()
    return replace(span, end=end), replace(span, start=end + 1, label="LOC")


def _is_body(words: Iterable[str]) -> bool:
    return any(lemma(word) in PUBLIC_BODIES or (_MINISTRY.match(word) and not is_adjective(word)) for word in words)
