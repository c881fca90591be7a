"""Words that an encoder takes for a name because of their capitals, and that name nobody: `СМИ`, `ОАО`, the first word of a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from govorit.article import Span
from govorit.marks import DASHES
from govorit.names.lexicon import NO_ORGANISATIONS, ORGANISATION_LABELS, PERSON_LABELS
from govorit.names.morphology import NAMES, known_parses

_WORD = re.compile("[А-ЯЁ][а-яё]+")
_BEFORE_A_SENTENCE = re.compile(rf"(?:^|\n\s*|[.!?…][\"»”)]*\s+|[{DASHES}]\s*)\Z")
_INSIDE = re.compile(r"(?<=[а-яё,])\s([А-ЯЁ]\w{2,})")
_NUMBER = re.compile(r"-\d")
_REACH = 8  # characters before a word that say whether it opens a sentence
_NAMES = (*NAMES, "Geox", "Orgn", "Trad", "Abbr", "Init")  # what pymorphy3 calls a word that may name somebody


def without(text: str, spans: Iterable[Span]) -> list[Span]:
    """Leave out what names nobody.

    Organisations of which only the kind is said: none of 6,266 in NEREL train, newsroom and factRuEval's devset is. And persons of one word
    that opens a sentence, is no name to the dictionary, and has capitals nowhere else: 19 of them in what `mini-joint` finds in NEREL
    train, all wrong. And persons that have a number.
    """
    kept = [span for span in spans if not (_kind(text, span) or _numbered(text, span))]
    doubted = {span for span in kept if _may_be_common(text, span)}
    inside: dict[str, list[str]] = {}  # words with capitals that open no sentence, by their first letters
    for word in _INSIDE.findall(text) if doubted else ():
        inside.setdefault(word[:3], []).append(word)
    return [span for span in kept if span not in doubted or _has_capitals(text[span.start : span.end], inside)]


def _kind(text: str, span: Span) -> bool:
    return span.label in ORGANISATION_LABELS and text[span.start : span.end] in NO_ORGANISATIONS


def _numbered(text: str, span: Span) -> bool:
    """Whether a number is tied to a person's name: `Су-30`, `Сочи-2014`."""
    return span.label in PERSON_LABELS and _NUMBER.match(text, span.end) is not None


def _may_be_common(text: str, span: Span) -> bool:
    """Whether a person is one word that opens a sentence and is no name to the dictionary."""
    word = text[span.start : span.end]
    if span.label not in PERSON_LABELS or not _WORD.fullmatch(word):
        return False
    if not _BEFORE_A_SENTENCE.search(text, max(span.start - _REACH, 0), span.start):
        return False
    found = known_parses(word)
    return bool(found) and not any(name in parse.tag for parse in found for name in _NAMES)


def _has_capitals(word: str, inside: Mapping[str, Sequence[str]]) -> bool:
    """Whether a word has a capital where no sentence begins as well; `Индонезия` says nothing of `Индонезиец`."""
    stem = word[: max(4, len(word) - 2)]
    others = (other for other in inside.get(stem[:3], ()) if other.startswith(stem))
    return not all(any("Geox" in parse.tag for parse in known_parses(other)) for other in others)
