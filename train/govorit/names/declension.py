"""Readings of names of persons: the dictionary for first names, patronymics and common surnames, a table of endings for the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from govorit.names import lexicon
from govorit.names.morphology import CASES, FEMININE, MASCULINE, NAMES, case_of, fold, known_parses, like

_PATRONYMIC = re.compile(r"(?:[оеё]вич|ьич|[оеё]вн|ичн|иничн)(?:а|у|ем|ом|е|ы|ой)?$")
_CASE_WEIGHT = {"nomn": 1.0, "gent": 0.6, "accs": 0.4, "datv": 0.35, "ablt": 0.35, "loct": 0.2}


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a name: in which cases it stands, whose it is, and what it is in the nominative, word by word."""

    nominative: tuple[str, ...]
    cases: frozenset[str]
    gender: str | None
    weight: float


@lru_cache(maxsize=1 << 14)
def is_patronymic(word: str) -> bool:
    return _PATRONYMIC.search(word.lower()) is not None


@lru_cache(maxsize=1 << 14)
def is_name(word: str) -> bool:
    """Whether a dictionary knows the word as a first name, patronymic or surname, and hardly as anything else."""
    return sum(parse.score for parse in known_parses(word) if any(name in parse.tag for name in NAMES)) >= 0.3


@lru_cache(maxsize=1 << 14)
def may_be_name(word: str) -> bool:
    """Whether a dictionary knows a name of this form, however rare, or the word is an initial."""
    return word.endswith(".") or any(name in parse.tag for parse in known_parses(word) for name in NAMES)


@lru_cache(maxsize=1 << 14)
def is_common(word: str) -> bool:
    """Whether a dictionary knows the word as something that is no name of a person."""
    return any(not any(name in parse.tag for name in NAMES) for parse in known_parses(word))


@lru_cache(maxsize=1 << 14)
def name_readings(words: tuple[str, ...]) -> tuple[Reading, ...]:
    """Read the words of one name together: all in one case and of one gender. The likeliest come first.

    >>> name_readings(("Анне", "Петровой"))[0].nominative
    ('Анна', 'Петрова')
    """
    found: dict[tuple[tuple[str, ...], str | None], Reading] = {}
    for forms in product(*(_forms(word)[:10] for word in words[:5])):
        cases, genders = CASES, {form.gender for form in forms} - {None}
        for form in forms:
            cases &= form.cases
        if not cases or len(genders) > 1:
            continue
        weight = max(_CASE_WEIGHT[case] for case in cases)
        for form in forms:
            weight *= form.weight
        nominative = tuple(form.nominative[0] for form in forms) + words[5:]
        gender = next(iter(genders), None)
        before = found.get((nominative, gender))
        if before is not None:
            cases, weight = cases | before.cases, max(weight, before.weight)
        found[nominative, gender] = Reading(nominative, cases, gender, weight)
    ranked = sorted(found.values(), key=lambda reading: -reading.weight)
    return tuple(ranked[:24]) or (Reading(words, CASES, None, 1.0),)


@lru_cache(maxsize=1 << 15)
def _forms(word: str) -> tuple[Reading, ...]:
    """Read one word of a name."""
    if len(word.rstrip(".")) == 1 or not re.search("[а-яё]$", word):
        return (Reading((word,), CASES, None, 1.0),)
    if "-" in word:
        return tuple(_hyphenated(word))
    known = [form for form in map(_known, known_parses(word)) if form]
    total = sum(form.weight for form in known)
    readings = [Reading((like(f.nominative[0], word),), f.cases, f.gender, f.weight / total) for f in known]
    doubt = 0.07 if known else 1.0
    readings += [
        Reading((like(nominative, word),), cases, gender, doubt * weight) for nominative, cases, gender, weight in _table(word.lower())
    ]
    verbatim = next((weight for pattern, weight in _VERBATIM if pattern.search(word.lower())), None)
    if verbatim:
        readings.append(Reading((word,), CASES, None, doubt * verbatim))
    return _merged(readings)


# Names that end like this may not decline: foreign ones, and those of women that end in a consonant.
_VERBATIM = tuple(
    (re.compile(rf"(?:{ending})$"), weight)
    for ending, weight in (
        ("[оеэё]", 0.25),
        ("[ую]", 0.1),
        ("[аеи]ни|дзе|вили|си|ти|ки|ри|ли", 0.5),
        ("и", 0.35),
        ("ы", 0.005),
        ("[ыи]х", 0.5),
        ("[бвгджзклмнпрстфхцчшщйь]", 0.25),
    )
)


def _merged(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    best: dict[tuple[str, frozenset[str], str | None], Reading] = {}
    for reading in readings:
        key = fold(reading.nominative[0]), reading.cases, reading.gender
        if key not in best or best[key].weight < reading.weight:
            best[key] = reading
    return tuple(sorted(best.values(), key=lambda reading: -reading.weight))


def _known(parse: Any) -> Reading | None:
    """Take a dictionary's reading of a name in the singular."""
    tag = parse.tag
    if not any(name in tag for name in NAMES) or tag.number == "plur":
        return None
    case = case_of(parse)
    if case not in CASES:
        return None
    nominative = parse.normal_form
    if "Name" not in tag:  # the normal form of `Петровой` and `Ильиничной` is a man's
        inflected = parse.inflect({"nomn", "sing"})
        nominative = inflected.word if inflected else parse.word
    gender = None if "ms-f" in tag else tag.gender
    cases = CASES if "Fixd" in tag else frozenset((case,))
    word = nominative.replace("ё", "е") if "Surn" in tag and "ё" not in parse.word else nominative
    rare = 0.15 if "Fixd" in tag else 1.0  # `Анне` is a name of its own as well
    return Reading((word,), cases, gender, max(parse.score, 0.01) * rare)


def _hyphenated(word: str) -> Iterator[Reading]:
    """`Михнова-Вайтенко`: either part may decline, the last in the first place; a first part may stay as it is."""
    head, _, tail = word.rpartition("-")
    firsts = () if fold(head) in lexicon.ARTICLES or head.islower() else _forms(head)[:8]
    for last in _forms(tail)[:8]:
        yield Reading((f"{head}-{last.nominative[0]}",), last.cases, last.gender, last.weight * 0.5)
        for first in firsts:
            cases = first.cases & last.cases
            genders = {first.gender, last.gender} - {None}
            if first.nominative[0] != head and cases and len(genders) < 2:
                gender = next(iter(genders), None)
                yield Reading((f"{first.nominative[0]}-{last.nominative[0]}",), cases, gender, first.weight * last.weight)


# Endings of names: what follows the stem in the nominative, whose name it is, and what follows it in which cases.
_PARADIGMS = (
    (r"[оеё]в|[иы]н", "", MASCULINE, {"": "nomn", "а": "gent accs", "у": "datv", "ым": "ablt", "е": "loct"}, 1.0),
    (r"[оеё]в|[иы]н", "а", FEMININE, {"а": "nomn", "ой": "gent datv ablt loct", "у": "accs"}, 1.0),
    (r"[сц]к", "ий", MASCULINE, {"ий": "nomn", "ого": "gent accs", "ому": "datv", "им": "ablt", "ом": "loct"}, 1.0),
    (r"[сц]к", "ая", FEMININE, {"ая": "nomn", "ой": "gent datv ablt loct", "ую": "accs"}, 1.0),
    (r"[гкхжчшщ]", "ий", MASCULINE, {"ий": "nomn", "ого": "gent accs", "его": "gent accs", "ому": "datv", "им": "ablt"}, 0.3),
    (r"[а-яё]{2}[вднлмрст]", "ый", MASCULINE, {"ый": "nomn", "ого": "gent accs", "ому": "datv", "ым": "ablt", "ом": "loct"}, 0.4),
    (r"[а-яё]{2}[вднлмрстгкхжшщ]", "ой", MASCULINE, {"ой": "nomn", "ого": "gent accs", "ому": "datv", "ым": "ablt", "ом": "loct"}, 0.3),
    (r"[а-яё]{2}[вднлмрстгкх]", "ая", FEMININE, {"ая": "nomn", "ой": "gent datv ablt loct", "ую": "accs"}, 0.5),
    (r"[бвгджзклмнпрстфхцчшщ]", "", MASCULINE, {"": "nomn", "а": "gent accs", "у": "datv", "ом": "ablt", "е": "loct"}, 0.7),
    (r"[жцчшщ]", "", MASCULINE, {"ем": "ablt"}, 0.7),
    (r"[аеиоуыэюя]", "й", MASCULINE, {"й": "nomn", "я": "gent accs", "ю": "datv", "ем": "ablt", "е": "loct", "и": "loct"}, 0.7),
    (r"[бвдзлмнпрст]", "ь", MASCULINE, {"ь": "nomn", "я": "gent accs", "ю": "datv", "ем": "ablt", "е": "loct"}, 0.5),
    (r"[а-яё][бвгджзклмнпрстфхцчшщ]", "а", None, {"а": "nomn", "ы": "gent", "и": "gent", "е": "datv loct", "у": "accs", "ой": "ablt"}, 0.3),
    (r"[бвгджзклмнпрстфхцчшщаеиоуэ]", "я", None, {"я": "nomn", "и": "gent datv loct", "е": "datv loct", "ю": "accs", "ей": "ablt"}, 0.3),
)  # fmt: skip
_STEMS = tuple(re.compile(rf"(?:{stem})$") for stem, *_ in _PARADIGMS)


def _table(word: str) -> Iterator[tuple[str, frozenset[str], str | None, float]]:
    """Read a small word by its endings: `назарбаевым` -> `назарбаев`, a man's, instrumental."""
    possessive = _STEMS[0].search(re.sub(r"(?:а|у|ым|е|ой)$", "", word)) is not None
    for stem, (_, nominative, gender, endings, weight) in zip(_STEMS, _PARADIGMS, strict=True):
        if possessive and weight < 1.0:
            weight *= 0.15
        for ending, cases in endings.items():
            base = word[: len(word) - len(ending)]
            if word.endswith(ending) and len(base) > 1 and stem.search(base):
                yield base + nominative, frozenset(cases.split()), gender, weight
