"""Readings of names of persons, and their genitive: the dictionary for what it knows, a table of endings for the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from govorit.names import lexicon
from govorit.names.morphology import CASES, FEMININE, MASCULINE, NAMES, case_of, fold, inflected, known_parses, like

_PATRONYMIC = re.compile(r"(?:[оеё]вич|ьич|[оеё]вн|ичн)(?:а|у|ем|ом|е|ы|ой)?$")
_PARTS = 4  # of a name with hyphens that are read each by itself: `ха-ха-ха-ха-ха` is no name
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
    return _PATRONYMIC.search(word.lower()) is not None or any("Patr" in parse.tag for parse in known_parses(word))


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


def nominative_share(readings: Sequence[Reading]) -> float:
    """How much of the weight of all readings those in the nominative have."""
    return sum(reading.weight for reading in readings if "nomn" in reading.cases) / sum(reading.weight for reading in readings)


@lru_cache(maxsize=1 << 14)
def name_readings(words: tuple[str, ...]) -> tuple[Reading, ...]:
    """Read the words of one name together: all in one case and of one gender. The likeliest come first.

    >>> name_readings(("Анне", "Петровой"))[0].nominative
    ('Анна', 'Петрова')
    """
    read = [Reading((), CASES, None, 1.0)]
    syllables = len(words) == 3 and all(map(is_syllable, words[:2]))
    for index, word in enumerate(words[:5]):
        stays = syllables and index < 2  # `Ким Чен Ына`
        forms = (Reading((word,), CASES, None, 1.0),) if stays else _forms(word, _place(index, len(words)))[:10]
        if syllables and not stays:
            forms = tuple(replace(f, weight=f.weight * (1.0 if is_syllable(f.nominative[0]) else 0.1)) for f in forms)
        read = [whole for before in read for form in forms if (whole := _joined(before, form))]
    found: dict[tuple[tuple[str, ...], str | None], Reading] = {}
    for reading in read:
        nominative, cases = reading.nominative + words[5:], reading.cases
        weight = reading.weight * max(_CASE_WEIGHT[case] for case in cases)
        before = found.get((nominative, reading.gender))
        if before is not None:
            cases, weight = cases | before.cases, max(weight, before.weight)
        found[nominative, reading.gender] = Reading(nominative, cases, reading.gender, weight)
    ranked = sorted(found.values(), key=lambda reading: -reading.weight)
    return tuple(ranked[:24]) or (Reading(words, CASES, None, 1.0),)


def is_syllable(word: str) -> bool:
    """Whether a word has one vowel, as each of a Korean name has."""
    return len(re.findall("[аеёиоуыэюя]", word.lower())) == 1


def _joined(before: Reading, form: Reading) -> Reading | None:
    """Read the next word of a name in a case and of a gender that the words before it have."""
    cases = before.cases & form.cases
    if not cases or (before.gender and form.gender and before.gender != form.gender):
        return None
    return Reading(before.nominative + form.nominative, cases, before.gender or form.gender, before.weight * form.weight)


def _place(index: int, count: int) -> str:
    """Which part of a name of several words one of them is likely to be."""
    return "" if count == 1 else "surname" if index == count - 1 else "given"


@lru_cache(maxsize=1 << 15)
def _forms(word: str, place: str = "") -> tuple[Reading, ...]:
    """Read one word of a name; a given name in -а is a woman's, and so is a surname that ends in a consonant and does not decline."""
    if len(word.rstrip(".")) == 1 or not re.search("[а-яё]$", word) or word == "Абу" or word.count("-") >= _PARTS:
        return (Reading((word,), CASES, None, 1.0),)
    if "-" in word:
        return tuple(_hyphenated(word, place))
    known = [form for parse in known_parses(word) if (form := _known(parse, "ё" in word.lower()))]
    total = sum(form.weight for form in known)
    readings = [Reading((like(f.nominative[0], word),), f.cases, f.gender, f.weight / total) for f in known]
    doubt = 0.07 if known else 1.0
    readings += [
        Reading((like(nominative, word),), cases, sex, doubt * weight * share)
        for nominative, cases, gender, weight in _table(word.lower())
        for sex, share in _shares(nominative, gender, place)
    ]
    verbatim = next((weight for pattern, weight in _VERBATIM if pattern.search(word.lower())), None)
    if verbatim:
        declines = place == "surname" and re.search("[бвгджзклмнпрстфхцчшщйь]$", word)
        readings.append(Reading((word,), CASES, FEMININE if declines else None, doubt * verbatim))
    if place and not known and re.search("[бвгджзклмнпрстфхцчшщ]ом$|[жчшщ]ем$", word.lower()):  # `Чаком Перкинсом`
        readings = [replace(form, weight=form.weight * 0.05) if form.nominative[0] == word else form for form in readings]
    return _merged(readings)


def _shares(nominative: str, gender: str | None, place: str) -> tuple[tuple[str | None, float], ...]:
    """Whose name it may be: a given name in -а is rather a woman's, and hardly any given name is an adjective."""
    if place != "given":
        return ((gender, 1.0),)
    if gender is None:
        return (FEMININE, 0.85), (MASCULINE, 0.15)
    return ((gender, 0.02 if re.search("...ой$", nominative) else 0.1 if re.search("(?:[иыо]й|ая)$", nominative) else 1.0),)


# Names that end like this may not decline: foreign ones, and those of women that end in a consonant.
_VERBATIM = tuple(
    (re.compile(rf"(?:{ending})$"), weight)
    for ending, weight in (
        ("дзе", 0.6),
        ("[оеэё]", 0.25),
        ("[ую]", 0.03),
        ("[бвджйтфчшь]ки|хи", 0.1),  # `Соботки`, `Пьехи`
        ("[аеи]ни|вили|си|ти|ки|ри|ли", 0.5),
        ("(?<!и)и", 0.35),
        ("ы", 0.005),
        ("[ыи]х", 0.5),
        ("[бвгджзклмнпрстфхцчшщь]|(?<![оеы])й|^[^аеёиоуыэюя]*[ое]й", 0.25),
        ("[аеиоуэ]а", 0.5),
    )
)


def _merged(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    best: dict[tuple[str, frozenset[str], str | None], Reading] = {}
    for reading in readings:
        key = fold(reading.nominative[0]), reading.cases, reading.gender
        if key not in best or best[key].weight < reading.weight:
            best[key] = reading
    return tuple(sorted(best.values(), key=lambda reading: -reading.weight))


def _known(parse: Any, dotted: bool) -> Reading | None:
    """Take a dictionary's reading of a name in the singular; a surname gets its ё only where the text writes one."""
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
    word = nominative if dotted else nominative.replace("ё", "е")
    rare = 0.15 if "Fixd" in tag else 1.0  # `Анне` is a name of its own as well
    return Reading((word,), cases, gender, max(parse.score, 0.01) * rare)


def _hyphenated(word: str, place: str) -> Iterator[Reading]:
    """`Михнова-Вайтенко`: either part may decline, the last in the first place; a first part in the nominative may stay as it is."""
    head, _, tail = word.rpartition("-")
    if head.lower() in lexicon.PARTICLES.split("|") and re.search("[иыуэ]$", tail):  # `Аль-Али`
        yield Reading((word,), CASES, None, 1.0)
        return
    firsts = () if head.islower() else _forms(head, place)[:8]
    stays = 0.5 if not firsts or any("nomn" in first.cases for first in firsts[:3]) else 0.05
    for last in _forms(tail, place)[:8]:
        yield Reading((f"{head}-{last.nominative[0]}",), last.cases, last.gender, last.weight * stays)
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
    (r"[сц]к", "а", FEMININE, {"а": "nomn", "ой": "gent datv ablt loct", "ую": "accs"}, 0.05),
    (r"[гкхжчшщ]", "ий", MASCULINE, {"ий": "nomn", "ого": "gent accs", "его": "gent accs", "ому": "datv", "им": "ablt"}, 0.3),
    (r"[а-яё]{2}[вднлмрст]", "ый", MASCULINE, {"ый": "nomn", "ого": "gent accs", "ому": "datv", "ым": "ablt", "ом": "loct"}, 0.4),
    (r"[а-яё]{2}[вднлмрстгкхжшщ]", "ой", MASCULINE, {"ой": "nomn", "ого": "gent accs", "ому": "datv", "ым": "ablt", "ом": "loct"}, 0.3),
    (r"[а-яё]{2}[вднлмрстгкх]", "ая", FEMININE, {"ая": "nomn", "ой": "gent datv ablt loct", "ую": "accs"}, 0.5),
    (r"[бвгджзклмнпрстфхцчшщ]", "", MASCULINE, {"": "nomn", "а": "gent accs", "у": "datv", "ом": "ablt", "е": "loct"}, 0.7),
    (r"[жцчшщ]", "", MASCULINE, {"ем": "ablt"}, 0.7),
    (r"[а-яё][бвдклмнпрст]", "ец", MASCULINE, {"ец": "nomn", "ца": "gent accs", "цу": "datv", "цем": "ablt", "це": "loct"}, 0.2),
    (r"[а-яё][бвгдзклмнпрст]", "ок", MASCULINE, {"ок": "nomn", "ка": "gent accs", "ку": "datv", "ком": "ablt", "ке": "loct"}, 0.05),
    (r"[аиоуыэюя]", "й", MASCULINE, {"й": "nomn", "я": "gent accs", "ю": "datv", "ем": "ablt", "е": "loct", "и": "loct"}, 0.7),
    (r"е", "й", MASCULINE, {"й": "nomn", "я": "gent accs", "ю": "datv", "ем": "ablt", "е": "loct"}, 0.2),
    (r"[бвдзлмнпрст]", "ь", MASCULINE, {"ь": "nomn", "я": "gent accs", "ю": "datv", "ем": "ablt", "е": "loct"}, 0.5),
    (r"[а-яё][бвгджзклмнпрстфхцчшщ]", "а", None, {"а": "nomn", "ы": "gent", "и": "gent", "е": "datv loct", "у": "accs", "ой": "ablt"}, 0.3),
    (r"[бвгджзйклмнпрстфхцчшщаеиоуэ]", "я", None, {"я": "nomn", "и": "gent datv loct", "е": "datv loct", "ю": "accs", "ей": "ablt"}, 0.3),
)  # fmt: skip
_ENDINGS: dict[str, list[tuple[re.Pattern[str], str, str | None, frozenset[str], float]]] = {}
for _stem, _nominative, _gender, _cases_of, _weight in _PARADIGMS:
    for _ending, _cases in _cases_of.items():
        row = re.compile(rf".(?:{_stem})$"), _nominative, _gender, frozenset(_cases.split()), _weight
        _ENDINGS.setdefault(_ending, []).append(row)


def _table(word: str) -> Iterator[tuple[str, frozenset[str], str | None, float]]:
    """Read a small word by its endings: `назарбаевым` -> `назарбаев`, a man's, instrumental."""
    for length in range(min(len(word) - 1, 4)):
        base = word[: len(word) - length]
        for stem, nominative, gender, cases, weight in _ENDINGS.get(word[len(word) - length :], ()):
            if stem.search(base):
                yield base + nominative, cases, gender, weight


def genitive(name: str, gender: str | None) -> str:
    """A person's name in the genitive, a word as it is where nothing says how it declines."""
    return " ".join(_genitive(word, gender) for word in name.split(" "))


def _genitive(word: str, gender: str | None) -> str:
    """A first name as the dictionary has it, any other by its ending: `Марины` Орловой, `Юрия` Горького."""
    for parse in known_parses(word):
        if "Name" in parse.tag and case_of(parse) == "nomn" and gender in (None, parse.tag.gender):
            return inflected(parse, word, {"gent"})
    for whose, ending, other in _GENITIVE:
        if whose in (None, gender) and re.search(ending, word):
            return re.sub(ending, other, word)
    return word


_GENITIVE = (
    (FEMININE, "(?<=[оеё]в)а$|(?<=[иы]н)а$", "ой"),
    (FEMININE, "ая$", "ой"),
    (MASCULINE, "[иы]й$|(?<=[нтвл])ой$", "ого"),
    (MASCULINE, "(?<=[а-яё])[йь]$", "я"),
    (MASCULINE, "(?<=[бвгджзклмнпрстфцчшщ])$|(?<![ыи]х)(?<=х)$", "а"),
    (None, "(?<=[гкхжчшщ])а$|(?<=[а-яё])я$", "и"),
    (None, "(?<=[а-яё])а$", "ы"),
)
