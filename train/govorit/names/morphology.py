"""What pymorphy3 knows about words, and noun phrases put into the nominative."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from govorit.names import lexicon

CASES = frozenset(("nomn", "gent", "datv", "accs", "ablt", "loct"))
NOMINATIVE = frozenset(("nomn",))
MASCULINE, FEMININE, NEUTER = "masc", "femn", "neut"
NAMES = ("Name", "Surn", "Patr")
_SAME_CASE = {"gen1": "gent", "gen2": "gent", "acc2": "accs", "loc1": "loct", "loc2": "loct"}
_ADJECTIVES = ("ADJF", "PRTF")
_COUNTED = frozenset(("два", "оба", "три", "четыре"))  # behind them nouns stand in the genitive singular


@lru_cache(maxsize=1)
def _analyser() -> Any:
    import pymorphy3  # a sixth of a second: only who resolves names waits for it

    return pymorphy3.MorphAnalyzer(lang="ru")


@lru_cache(maxsize=1 << 16)
def parses(word: str) -> tuple[Any, ...]:
    """Parse a word, the likeliest first; what a parse is, pymorphy3 says. A vocative counts only where it is nothing else: `отче`."""
    found = tuple(_analyser().parse(word.lower()))
    return tuple(parse for parse in found if "voct" not in parse.tag) or found


@lru_cache(maxsize=1 << 16)
def known_parses(word: str) -> tuple[Any, ...]:
    """What the dictionary itself says of a word: nothing for most foreign names, and in a tenth of the time."""
    return parses(word) if _analyser().word_is_known(word.lower()) else ()


@lru_cache(maxsize=1 << 16)
def lemma(word: str) -> str:
    return fold(parses(word)[0].normal_form)


def case_of(parse: Any) -> str | None:
    case = parse.tag.case
    return _SAME_CASE.get(case, case)


def fold(word: str) -> str:
    """Write a word as it is compared: small, with е for ё."""
    return word.lower().replace("ё", "е")


def like(word: str, model: str) -> str:
    """Give `word` the capitals of `model`: `МИДа` makes `мид` `МИД`, `О'Нила` `о'нил` `О'Нил`, `МакКейна` `маккейн` `МакКейн`."""
    for sign in "-'’":
        if sign in word and word.count(sign) == model.count(sign):
            return sign.join(like(part, other) for part, other in zip(word.split(sign), model.split(sign), strict=True))
    if len(model) > 1 and all(map(str.isupper, model)):
        return word.upper()
    return "".join(letter.upper() if model[i : i + 1].isupper() else letter for i, letter in enumerate(word))


@dataclass(frozen=True, slots=True)
class Head:
    """The noun that a phrase is about: which of its words it is, and how it is read."""

    index: int
    parse: Any
    case: str
    number: str
    gender: str | None
    animate: bool

    @property
    def lemma(self) -> str:
        return fold(self.parse.normal_form)


def find_head(words: Sequence[str], cases: frozenset[str] = CASES) -> Head | None:
    """Find the first noun of a phrase and read it in one of `cases`, in agreement with the adjectives before it, if that can be.

    Adjectives with no noun are their own head: `потерпевшая`, `оставшиеся в живых`.
    """
    return _find_head(tuple(words[:10]), cases)


@lru_cache(maxsize=1 << 14)
def _find_head(words: tuple[str, ...], cases: frozenset[str]) -> Head | None:
    oblique = cases - {"nomn", "accs"} if "nomn" not in cases else frozenset()
    for index, word in enumerate(words):
        known = [parse for parse in parses(word) if parse.tag.POS == "NOUN" and case_of(parse) in CASES]
        if any(parse.tag.animacy == "inan" for parse in known_parses(word.partition("-")[0])[:1]) and "-" in word:
            known = [parse for parse in known if parse.tag.animacy == "inan"] or known  # a `компания-перевозчик` is a company
        sure = parses(word)[0].tag.POS == "NOUN"  # then also a case in which it is hardly ever seen: `в сети`
        nouns = [parse for parse in known if parse.score > 0.02 or (sure and case_of(parse) in oblique)]
        if nouns and not (index + 1 < len(words) and _is_adjective_of(words[index + 1], word, cases)):
            ranks = [(*_rank(parse, words[:index], cases), -i) for i, parse in enumerate(nouns)]
            allowed, agreed, *_, best = max(ranks)
            noun = nouns[-best]
            if index and allowed and _is_of_a_woman(words[index - 1], noun):
                return replace(_head(index, noun), gender=FEMININE)
            standing = None if not index or (agreed and allowed) else _standing(words[:index], cases)
            return standing or _head(index, noun)
        if any(parse.tag.POS == "PREP" and parse.score > 0.5 for parse in parses(word)):
            break
    return _nounless(words, cases) or _nounless(words, CASES)


def _is_of_a_woman(adjective: str, noun: Any) -> bool:
    """Whether an adjective says that a man's noun calls a woman: `бывшая госсекретарь`."""
    called = noun.tag.gender == MASCULINE and noun.tag.number == "sing" and noun.tag.animacy == "anim"
    found = agreeing(adjective, case_of(noun), "sing", FEMININE) if called else None
    return found is not None and "Apro" not in found.tag


def _nounless(words: Sequence[str], cases: frozenset[str]) -> Head | None:
    """The first adjective or numeral, rather a person than a thing: `обвиняемый`, `один из советников`."""
    for index, word in enumerate(words):
        found = [p for p in parses(word) if p.tag.POS in (*_ADJECTIVES, "NUMR") and case_of(p) in cases and "Apro" not in p.tag]
        found = found or [p for p in parses(word) if "Anum" in p.tag and case_of(p) in cases]
        if found:
            case = case_of(found[0])
            return _head(index, min((p for p in found if case_of(p) == case), key=lambda p: bool(p.tag.gender == NEUTER)))
    return None


def _rank(noun: Any, before: Sequence[str], cases: frozenset[str]) -> tuple[float, int, bool, float]:
    """How well a reading of a noun fits its place; behind `в` the locative is likelier than the accusative."""
    case = case_of(noun)
    allowed = 0.0 if case not in cases else 0.5 if case == "accs" and "loct" in cases else 1.0
    many = noun.normal_form in lexicon.MANY and noun.tag.number == "plur"
    animate = 0.5 if noun.tag.animacy == "anim" else 0.0  # `детектив` and `агент` speak
    return allowed, _agreement(before, noun), many, noun.score + animate


def _standing(words: Sequence[str], cases: frozenset[str]) -> Head | None:
    """The adjective that stands for a noun before a complement: `знакомый банкира`."""
    found = (parse for parse in parses(words[-1]) if parse.tag.POS in _ADJECTIVES and "Apro" not in parse.tag)
    return next((_head(len(words) - 1, parse) for parse in found if case_of(parse) in cases), None)


def _is_adjective_of(noun: str, word: str, cases: frozenset[str]) -> bool:
    """Whether `word`, which may be a noun, is rather an adjective of the noun after it: `рабочий класс`."""
    adjective = sum(parse.score for parse in parses(word) if parse.tag.POS in _ADJECTIVES)
    return adjective >= parses(word)[0].score and any(
        agreeing(word, case_of(parse), parse.tag.number, parse.tag.gender)
        for parse in parses(noun)
        if parse.tag.POS == "NOUN" and case_of(parse) in cases
    )


def _head(index: int, parse: Any) -> Head:
    gender = parse.tag.gender if parse.tag.number != "plur" else None
    return Head(index, parse, case_of(parse) or "nomn", parse.tag.number or "plur", gender, parse.tag.animacy == "anim")


def _agreement(before: Sequence[str], noun: Any) -> int:
    """How many adjectives that stand right before a noun agree with it."""
    count = 0
    for word in reversed(before):
        if agreeing(word, case_of(noun), noun.tag.number, noun.tag.gender) is None:
            break
        count += 1
    return count


@lru_cache(maxsize=1 << 15)
def agreeing(word: str, case: str | None, number: str | None, gender: str | None) -> Any:
    """The reading of an adjective that agrees with a noun so read, None if there is none."""
    for parse in parses(word):
        tag = parse.tag
        fits = case_of(parse) == case and tag.number == number and (number == "plur" or gender in (None, tag.gender))
        if fits and tag.POS in _ADJECTIVES:
            return parse
    return None


def to_nominative(words: Sequence[str], head: Head) -> list[str]:
    """Put a phrase into the nominative: its head and what agrees with it; what depends on the head stays as it stands."""
    result = list(words)
    if head.case == "nomn":
        return result
    if head.case == "gent" and (words[0].lower() in lexicon.MORE_OR_LESS or any(word.isdigit() for word in words[: head.index])):
        return result
    counted = [parse for word in words[: head.index] for parse in parses(word)[:3] if parse.tag.POS == "NUMR"]
    if counted and head.case == "gent" and any(case_of(parse) == "nomn" for parse in parses(words[0])):
        return result
    if counted:
        return _counted(result, head, counted[0])
    for index, word in enumerate(words[: head.index]):
        parse = agreeing(word, head.case, head.number, head.parse.tag.gender)
        if parse is not None:
            number = {"plur"} if head.number == "plur" else {"sing", head.gender or parse.tag.gender}
            result[index] = inflected(parse, word, {"nomn", *number})
    rest = words[head.index + 2 :]
    if rest and words[head.index + 1] == "и":  # `очевидцев и друзей`
        other = find_head(rest, frozenset((head.case,)))
        if other and other.index == 0 and other.case == head.case and other.animate == head.animate:
            result[head.index + 2 :] = to_nominative(rest, other)
    if not _is_abbreviation(words[head.index]):
        number = {head.number, head.gender} if head.parse.tag.POS != "NOUN" and head.gender else {head.number}
        result[head.index] = inflected(head.parse, words[head.index], {"nomn", *number})
    return result


def _counted(words: list[str], head: Head, numeral: Any) -> list[str]:
    """`двух чиновников` -> `два чиновника`, `пятерых делегатов` -> `пять делегатов`."""
    few = numeral.normal_form in _COUNTED
    for index, word in enumerate(words[: head.index + 1]):
        parse = head.parse if index == head.index else parses(word)[0]
        if parse.tag.POS == "NUMR":
            words[index] = inflected(parse, word, {"nomn"})
        elif index == head.index:
            words[index] = inflected(parse, word, {"gent", "sing" if few else "plur"})
        elif parse.tag.POS in _ADJECTIVES:
            words[index] = inflected(parse, word, {"gent", "plur"})
    return words


def inflected(parse: Any, word: str, grammemes: set[str]) -> str:
    """Put a word into another form, with ё only where it was written so; both nouns of `компании-перевозчике`."""
    form = parse.inflect(grammemes)
    if form is None:
        return word
    if not parse.word.startswith(form.word[:-2]):  # `высшая` and `высочайшая`, `риэлтор` and `риелтор` are forms of one word
        forms = (other for other in parse.lexeme if other.tag == form.tag)
        form = next((other for other in forms if parse.word.startswith(other.word[:-2])), form)
    changed = form.word
    first, dash, _ = word.lower().partition("-")
    if dash and "nomn" in grammemes and changed.startswith(first):
        nouns = [p for p in known_parses(first) if p.tag.POS == "NOUN" and case_of(p) == case_of(parse)]
        noun = next((p for p in nouns if p.tag.number == parse.tag.number), None)
        changed = (noun.inflect({"nomn", noun.tag.number}).word if noun else first) + changed[len(first) :]
    return like(changed if "ё" in word.lower() else changed.replace("ё", "е"), word)


def _is_abbreviation(word: str) -> bool:
    return (word.isupper() and len(word) > 1) or (re.search("[а-яё][А-ЯЁ]", word) is not None and not re.search("-[А-ЯЁ]", word))
