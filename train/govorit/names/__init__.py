"""Who the speakers of quotations are: each mention resolved to the name or designation that the article gives, in the nominative.

Rules over the text and spans on it; pymorphy3 for the forms of words. What is written in the nominative, and what is no name,
says `data/ANNOTATION.md`, section Name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from govorit.article import Quote, Span
from govorit.names import lexicon
from govorit.names.actors import Actor
from govorit.names.finder import persons
from govorit.names.resolver import Resolver

_UNSEEN = dict.fromkeys(map(ord, "\u0301\u00ad\u200b\u200c\u200d\u2060\ufeff"))  # stress, soft hyphens and joiners: no part of a name


def resolve(text: str, entities: Sequence[Span], quotes: Sequence[Quote]) -> tuple[Quote, ...]:
    """Name the speakers of an article: the same quotations in the same order, each with `name` and `name_score`.

    Names that were there are replaced. Labels of entities that are neither persons, organisations nor places are of no use; without
    a person among them the names of persons are looked for in the text. A score is between 0 and 1, also where the name is None: how sure
    the resolution is, times how sure the quotation is, where that has a score.

    >>> text = "Анна Петрова пришла. «Да», — сказала она."
    >>> said = Quote("direct", (Span(21, 25, "DIRECT"),), Span(29, 36, "CUE"), Span(37, 40, "SPEAKER"))
    >>> resolve(text, [Span(0, 12, "PER")], [said])[0].name
    'Анна Петрова'
    """
    if not quotes:
        return ()  # and the persons of an article need not be gathered
    others = [span for span in entities if span.label in lexicon.OTHER_LABELS]
    answers = Resolver(text, persons(text, entities, quotes), others, quotes).resolve()
    return tuple(
        replace(quote, name=_written(answer.actor), name_score=round(answer.score * _score(quote), 4))
        for quote, answer in zip(quotes, answers, strict=True)
    )


def _written(actor: Actor | None) -> str | None:
    name = actor.name.translate(_UNSEEN).strip() if actor else ""
    return name if any(map(str.isalnum, name)) else None


def _score(quote: Quote) -> float:
    return 1.0 if quote.score is None else quote.score
