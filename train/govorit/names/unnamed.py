"""Whom an article tells of by a noun alone: `33-летний мужчина вышел во двор`. A pronoun behind it may mean him."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from govorit.names import lexicon
from govorit.names.actors import Scene
from govorit.names.morphology import NAMES, NOMINATIVE, agreeing, case_of, known_parses, parses
from govorit.names.phrases import PREVIOUS, WORD, Phrase, read

_LOOK_BACK = 600  # characters
_GAP = re.compile(r" [«„“\"]?|[»”\"] ")
_AS = re.compile(r"\b(?:как|не|это|—|–|-|сам[аи]?(?: же)?) $", re.I)
_APPOSED = re.compile(r"(?:,| [—–-])? (?:[\w«»“”\"-]+ )*[«„“\"]?")
_APPOSITION = re.compile(r"(?:,|\)| [—–-])? ")
_CAPITAL = re.compile(r"[А-ЯЁ]{2,}|[A-Z][\w.-]*|[А-ЯЁ][\w-]+")


def told(scene: Scene, position: int, number: str) -> Iterator[Phrase]:
    """The phrases for persons in the nominative shortly before a position, outside what is said and with no name beside them."""
    end = begin = max(scene.sentence(position, 2), position - _LOOK_BACK)
    for match in WORD.finditer(scene.text, begin, position):
        if match.start() < end or scene.inside(match.start()):
            continue
        noun = _noun(match[0], number)
        if not noun and not (number == "plur" and _counts(match[0])):
            continue
        start, end = _extent(scene, *match.span(), noun, position)
        phrase = read(scene.text, start, end, NOMINATIVE)
        if phrase.head and (noun or _is_personal(phrase)) and not _is_named(scene, start, match.end(), end):
            yield phrase


@lru_cache(maxsize=1 << 14)
def _noun(word: str, number: str) -> Any:
    """The reading of a word that is rather a noun for persons in the nominative, or `один`, than anything else; of `СМИ` as well."""
    for parse in known_parses(word)[:1]:
        tag = parse.tag
        personal = tag.POS == "NOUN" and tag.animacy == "anim" and not word.isupper() and not any(name in tag for name in NAMES)
        if tag.number == number and case_of(parse) == "nomn" and (personal or word == "СМИ" or parse.normal_form == "один"):
            return parse
    return None


@lru_cache(maxsize=1 << 12)
def _counts(word: str) -> bool:
    return any(parse.tag.POS == "NUMR" and case_of(parse) == "nomn" for parse in known_parses(word)[:1])


def _is_personal(phrase: Phrase) -> bool:
    """Whether several persons are counted."""
    head = phrase.head
    return head is not None and head.index > 0 and head.number == "plur" and (head.animate or phrase.words[head.index] == "СМИ")


def _extent(scene: Scene, start: int, end: int, noun: Any, limit: int) -> tuple[int, int]:
    """Stretch a noun or numeral to its adjectives before it and to what depends on it behind."""
    text = scene.text
    while noun and (before := PREVIOUS.search(text, max(start - 40, 0), start)) and _describes(before[1], noun):
        start = before.start()
    last = position = end
    names = {place.start: place for place in scene.within(end, min(end + 150, limit))}
    while gap := _GAP.match(text, position):
        place = names.get(gap.end())
        if place:
            if text[place.start : place.end].split()[-1] in place.actor.name.split():
                break  # in the nominative
            last = position = place.end
            continue
        word = WORD.match(text, gap.end())
        if not word or word.end() > limit or not (kind := _dependent(word[0]) or _is_beside(word[0], noun)):
            break
        position = word.end()
        if kind == "noun":
            last = position
    closed = text[last : last + 1] in ("»", "”") or (text[last : last + 1] == '"' and text.count('"', start, last) % 2)
    return start, last + closed


def _describes(word: str, noun: Any) -> bool:
    adjective = agreeing(word, "nomn", noun.tag.number, noun.tag.gender)
    pronoun = adjective is not None and "Apro" in adjective.tag and adjective.normal_form not in ("некоторый", "другой")
    return word.lower() in lexicon.POSSESSIVES or (adjective is not None and not pronoun)


def _is_beside(word: str, noun: Any) -> str:
    """Whether a word is another noun for persons behind `и`: `родственники и близкие`."""
    return "noun" if noun and noun.tag.number == "plur" and any(_is_another(parse) for parse in parses(word)) else ""


def _is_another(parse: Any) -> bool:
    tag = parse.tag
    return (tag.POS, tag.animacy, tag.number, case_of(parse)) == ("NOUN", "anim", "plur", "nomn")


@lru_cache(maxsize=1 << 14)
def _dependent(word: str) -> str:
    """Whether a word behind a noun depends on it: `noun`, what may stand before one, or nothing."""
    if word in lexicon.INNER:
        return "before"
    if _CAPITAL.fullmatch(word):
        return "noun"
    tags = [parse.tag for parse in known_parses(word) if case_of(parse) == "gent" and parse.score > 0.05]
    if not tags or word == "лет" or any(parse.tag.POS == "VERB" and parse.score > 0.3 for parse in known_parses(word)):
        return ""
    if any(tag.POS == "NOUN" for tag in tags):
        return "noun"
    return "before" if any(tag.POS in ("ADJF", "PRTF", "NUMR") for tag in tags) else ""


def _is_named(scene: Scene, start: int, noun_end: int, end: int) -> bool:
    """Whether a phrase overlaps a mention, or is said of somebody named before or behind it."""
    text = scene.text
    for place in scene.within(max(start - 100, 0), end + 80):
        if place.start < noun_end and start < place.end:
            return True
        if place.end <= start and _APPOSITION.fullmatch(text, place.end, start):
            return True
        between = _APPOSED.fullmatch(text, end, place.start) if end <= place.start else None
        if between and not any(map(_is_verb, between[0].split())):
            return True
    return _AS.search(text, max(start - 9, 0), start) is not None


@lru_cache(maxsize=1 << 14)
def _is_verb(word: str) -> bool:
    return any(parse.tag.POS in ("VERB", "PRTS", "GRND") for parse in parses(word)[:1])
