"""Whose name a speaker's phrase holds: `пресс-секретарь президента Дмитрий Песков`, but `представитель Обамы`, `критики Алиева`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from govorit.article import Quote, Span
from govorit.names import lexicon
from govorit.names.morphology import FEMININE, MASCULINE, NEUTER, NOMINATIVE, Head, fold
from govorit.names.people import Context, Mention, Person, full_name, is_respelt
from govorit.names.phrases import agreement, cases_of, read, strict_gender

_TITLES = ("господин", "госпожа")  # of whose name is behind them, never of somebody else
_THIN = 0.05  # of the weight of all readings: less, and a name does not stand in that case


def context_of(text: str, quote: Quote) -> Context:
    """What cue and preposition say about the speaker of a quotation."""
    assert quote.speaker is not None
    cases = cases_of(text, quote)
    if cases == NOMINATIVE and " " in text[quote.speaker.start : quote.speaker.end]:
        head = read(text, quote.speaker.start, quote.speaker.end, cases).head
        if head and head.case != "nomn" and head.animate and head.parse.is_known:
            return Context(frozenset((head.case,)))
    gender = agreement(text, quote.cue).gender if cases == NOMINATIVE else None
    return Context(cases, None if gender == NEUTER else gender)


def named_in(text: str, quote: Quote, mentions: Sequence[Mention], owners: Mapping[Mention, Person]) -> tuple[Mention, Context] | None:
    """Find the name that is the speaker's own among `mentions`, those in the phrase, and what is certain of it; None if there is none."""
    assert quote.speaker is not None
    context = context_of(text, quote)
    for mention in reversed(mentions):
        before = text[quote.speaker.start : mention.start].strip()
        called = _called(text, quote.speaker.start, mention, context)
        fitting = context if share(mention, context, called) >= _THIN else Context(context.cases)
        thin = share(mention, fitting, called) < _THIN
        if not before:
            return mention, Context() if share(mention, fitting, called) < 0.25 else fitting
        if not thin and not _depends(text, quote.speaker.start, mention, owners[mention], context):
            return mention, replace(fitting, gender=fitting.gender or called)
    return None


def coordinated(text: str, speaker: Span, mentions: Sequence[Mention]) -> bool:
    """Whether a speaker's phrase is nothing but the names of several: `Кэмерон и Клегг`."""
    if len(mentions) < 2 or (mentions[0].start, mentions[-1].end) != (speaker.start, speaker.end):
        return False
    *commas, last = (text[one.end : other.start].strip() for one, other in pairwise(mentions))
    return last == "и" and all(comma == "," for comma in commas)


def _called(text: str, start: int, mention: Mention, context: Context) -> str | None:
    """The gender that the noun of a phrase gives the name after it: `журналистка Аделя Бикмуллина`."""
    head = read(text, start, mention.start, context.cases).head if start < mention.start else None
    return strict_gender(head) if head and head.animate and head.case in context.cases and head.number == "sing" else None


def share(mention: Mention, context: Context, called: str | None) -> float:
    """How much of the weight of its readings of that gender a mention keeps in a context."""
    readings = [reading for reading in mention.readings if called is None or reading.gender in (None, called)]
    total = sum(reading.weight for reading in readings)
    return sum(reading.weight for reading in readings if context.allows(reading)) / total if total else 0.0


def _depends(text: str, start: int, mention: Mention, person: Person, context: Context) -> bool:
    """Whether a name is a complement of the noun before it."""
    phrase = read(text, start, mention.start, context.cases)
    head = phrase.head
    if head is None or head.lemma in _TITLES:
        return False
    if head.lemma in lexicon.DOCUMENTS or head.lemma in lexicon.BODIES or _is_thing(phrase.words[head.index], head, context):
        return True
    if head.number == "plur" and head.case in context.cases:
        return True
    called = _called(text, start, mention, context)
    if called in (MASCULINE, FEMININE) and person.gender not in (None, called) and mention.fullness[0] == 1:
        return True
    alone = mention.fullness[0] == 1 and mention.fullness < person.fullest.fullness and context.cases == NOMINATIVE
    if alone and context.gender and person.gender not in (None, context.gender):
        return True
    return alone and not _is_in(mention.words[-1], full_name(text, person))


def _is_in(word: str, name: str) -> bool:
    """Whether a word is one of a name, as it stands or spelled in another way."""
    return any(word == other or is_respelt(fold(word), fold(other)) for other in name.split())


def _is_thing(word: str, head: Head, context: Context) -> bool:
    """Whether the noun of a phrase is a thing, whose owner the name is: `завещанию Альфреда Нобеля`."""
    return word[0].islower() and head.parse.is_known and head.parse.tag.animacy == "inan" and head.case in context.cases
