"""Names that a tagger takes for one: of two persons, `В.Шеймана А.Кулешов`, and of a place and a person, `земли Гессен Фолькер Буфье`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from govorit.article import Span
from govorit.decoding.repeats import stem
from govorit.names.declension import is_patronymic
from govorit.names.lexicon import PERSON_LABELS
from govorit.names.morphology import NAMES, case_of, known_parses, lemma
from govorit.names.people import WORDS

_PLACES = frozenset(("город", "земля", "область", "провинция", "регион", "республика", "штат"))
_BEFORE = re.compile(r"([\w-]+)\s+\Z")
_REACH = 25  # characters before a name that say what stands before it
_RARE = 0.05  # of a word's readings
_SHORT = 4  # letters: of a shorter word, `Ира` in `Ким Чен Ира`, the dictionary says too little


def parted(text: str, spans: Iterable[Span], labels: Collection[str] = ("LOC",)) -> list[Span]:
    """Part a person's name before another one, and a place from the person behind it where LOC is one of the labels.

    It does so 10 times in what `mini-joint` finds in NEREL train, rightly each time, and in none of the 10,235 names of persons that are
    annotated in NEREL train, newsroom and quotes dev.
    """
    spans = list(spans)
    places = {stem(text[span.start : span.end]) for span in spans if span.label == "LOC"} if "LOC" in labels else None
    return [part for span in spans for part in (_parts(text, span, places) if span.label in PERSON_LABELS else (span,))]


def _parts(text: str, span: Span, places: Collection[str] | None) -> Sequence[Span]:
    found = list(WORDS.finditer(text, span.start, span.end))
    words = [match[0] for match in found]
    if len(words) < 2:
        return (span,)
    before = _BEFORE.search(text, max(span.start - _REACH, 0), span.start)
    placed = places is not None and _is_place(words[0], before[1] if before else "", places)
    at = 1 if placed else _second(words)
    if not at:
        return (span,)
    return replace(span, end=found[at - 1].end(), label="LOC" if placed else span.label), replace(span, start=found[at].start())


def _second(words: Sequence[str]) -> int:
    """At which of the words a second person's name begins, 0 where none does."""
    for i in range(2, len(words)):
        again = words[i] == words[i - 1] and len(words[i]) >= _SHORT
        initial = words[i].endswith(".") and i < len(words) - 1
        whole = words[0].endswith(".") and not words[i - 1].endswith(".")
        surname = any("Surn" in parse.tag for parse in known_parses(words[i - 1]))
        if again or (whole and (initial or (surname and _forms(words[i])))):  # not `Д. Ллойд Джордж`
            return i  # `Максим Дадашев Дадашев`
    first = _forms(words[0])
    for i in range(1, len(words) if first and len(words) > 2 else 0):
        other = _forms(words[i])
        if "nomn" in {case for case, _ in other} and not is_patronymic(words[i - 1]):
            one_case = {case for case, _ in first} & {case for case, _ in other}
            if not one_case or (i > 1 and not first & other):
                return i  # `Барака Обамы Малия`, `Майкла Джексона Кэтрин`
    return 0


def _is_place(word: str, before: str, places: Collection[str]) -> bool:
    """Whether a word is a place, by what stands before it (`земли Гессен`) or by the article's other places (`президент Непала`)."""
    readings = [parse for parse in known_parses(word) if "Geox" in parse.tag]
    if not readings or any(name in parse.tag and parse.score > _RARE for parse in known_parses(word) for name in NAMES):
        return False
    return lemma(before) in _PLACES or (stem(word) in places and all(case_of(parse) != "nomn" for parse in readings))


@lru_cache(maxsize=1 << 14)
def _forms(word: str) -> frozenset[tuple[str | None, str | None]]:
    """Case and gender of each reading of a given name; none of a word that may be another part of a name as well."""
    parses = [parse for parse in known_parses(word) if any(name in parse.tag for name in NAMES)]
    if len(word) < _SHORT or {name for parse in parses if parse.score > _RARE for name in NAMES if name in parse.tag} != {"Name"}:
        return frozenset()
    return frozenset((case_of(parse), parse.tag.gender) for parse in parses if "Name" in parse.tag and parse.tag.number != "plur")
