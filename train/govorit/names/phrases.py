"""What a speaker's phrase is about: in which case it stands, whose name is in it, and what it is in the nominative."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from govorit.article import Quote, Span
from govorit.marks import MARKS
from govorit.names import lexicon
from govorit.names.entities import Entities
from govorit.names.morphology import CASES, FEMININE, MASCULINE, NAMES, NOMINATIVE, Head, find_head, lemma, parses, to_nominative

WORD = re.compile(r"[^\W\d_]\.(?=\s?[А-ЯЁ])|[^\W\d_]+(?:[-’'][^\W_]+)*|\d[\d\w,.-]*\w|\d")
PREVIOUS = re.compile(r"([\w-]+) $")  # the word before a place
_BEFORE = re.compile(r"(\w+)[\s«„“\"']+$")
_UNCLOSED = re.compile(r" \([^)]*$")
_RELATIVE = re.compile(r",? (?:\w{1,3} )?котор(?:ый|ая|ое|ые)\b")  # what is spoken of stands in whatever case its own clause wants
_CITING = re.compile(r"(?:про)?цитиру|процитир|привод|привел|привёл|переда[её]т слова|сослал|ссыла")
_SENTENCE_END = re.compile(
    r"[.!?…:]['’»”“\")]*\s+[—–-]?\s*[«„“\"'’(]*$|\n\s*[—–-]?\s*[«„“\"'’(]*$|^\W*$|[.!?…»”\"],? [—–-] $|[:] ?[«„“\"]+$"
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a reporting verb says about its subject; None where it does not say."""

    gender: str | None = None
    number: str | None = None


def is_verbal(text: str, cue: Span) -> bool:
    """Whether a cue is a verb and not the noun of `по словам`."""
    verbs = ("VERB", "GRND", "PRTS", "PRTF", "INFN")
    return any(parse.tag.POS in verbs and parse.score > 0.05 for word in WORD.findall(text, cue.start, cue.end) for parse in parses(word))


def is_citing(text: str, cue: Span) -> bool:
    """Whether a cue hands on somebody's words: `цитирует`, `приводит слова`."""
    return _CITING.match(text[cue.start : cue.end].lower().removeprefix("не ")) is not None


def agreement(text: str, cue: Span | None) -> Agreement:
    """Read gender and number off a reporting verb."""
    if cue is None:
        return Agreement()
    for word in WORD.findall(text[cue.start : cue.end]):
        verbs = [parse for parse in parses(word) if parse.tag.POS in ("VERB", "PRTS") and parse.tag.mood != "impr"]  # `пришли`
        if verbs:
            tag = verbs[0].tag
            return Agreement(tag.gender, tag.number)
    return Agreement()


def cases_of(text: str, quote: Quote) -> frozenset[str]:
    """In which cases the speaker of a quotation can stand, by the word before it and by the cue."""
    assert quote.speaker is not None
    before = _BEFORE.search(text, max(quote.speaker.start - 24, 0), quote.speaker.start)
    if before and before[1].lower() in lexicon.GOVERNED:
        return lexicon.GOVERNED[before[1].lower()]
    if _RELATIVE.match(text, quote.speaker.end):
        return CASES
    if quote.cue is None:
        return NOMINATIVE
    cue = text[quote.cue.start : quote.cue.end].lower()
    if cue.startswith("согласно"):
        return frozenset(("datv", "gent"))
    if is_citing(text, quote.cue):
        return frozenset(("accs", "gent", "nomn"))
    if not is_verbal(text, quote.cue):
        return frozenset(("gent",)) if quote.cue.end < quote.speaker.start else frozenset(("gent", "nomn", "accs"))
    if any(parse.tag.POS in ("PRTF", "PRTS") for parse in parses(cue.split()[-1])[:1]):
        return frozenset(("nomn", "ablt"))
    return NOMINATIVE


def starts_sentence(text: str, start: int) -> bool:
    return _SENTENCE_END.search(text[max(start - 12, 0) : start]) is not None


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase as it stands, and its head."""

    start: int  # in the article
    text: str
    bounds: tuple[tuple[int, int], ...]  # of the words, in the article
    words: tuple[str, ...]
    head: Head | None

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def lemmas(self) -> frozenset[str]:
        return frozenset(lemma(word) for word in self.words if len(word) > 1)


def read(text: str, start: int, end: int, cases: frozenset[str]) -> Phrase:
    """Read a noun phrase that stands in one of `cases`, or in any where that cannot be."""
    bounds = tuple(match.span() for match in WORD.finditer(text, start, end))
    words = tuple(text[start:end] for start, end in bounds)
    head = find_head(words, cases)
    return Phrase(start, text[start:end], bounds, words, head)


def designation(text: str, phrase: Phrase, entities: Entities) -> str:
    """Write a phrase in the nominative, small where only its place at the head of a sentence made it large."""
    if not phrase.bounds:
        return phrase.text
    start = phrase.bounds[0][0]
    words = to_nominative(phrase.words, phrase.head) if phrase.head else list(phrase.words)
    if _is_small(text, start, phrase, entities):
        words[0] = words[0][:1].lower() + words[0][1:]
    return assemble(text, phrase, words)


def assemble(text: str, phrase: Phrase, words: Sequence[str]) -> str:
    pieces, position = [], phrase.start
    for (start, end), word in zip(phrase.bounds, words, strict=True):
        pieces += [text[position:start], word]
        position = end
    pieces.append(text[position : phrase.end])
    return _UNCLOSED.sub("", re.sub(r"\s+", " ", "".join(pieces).replace("''", "")).strip())


def _is_small(text: str, start: int, phrase: Phrase, entities: Entities) -> bool:
    word = phrase.words[0]
    if not starts_sentence(text, start) or (word.isupper() and len(word) > 1) or text[start - 1 : start] in tuple(MARKS):
        return False
    if phrase.head and phrase.head.lemma in lexicon.SMALL:
        return True
    around = entities.around(start)
    if around and start < around.end - len(word) and (len(phrase.words) > 1 or not _is_dictionary_noun(word)):
        return False
    return _is_dictionary_noun(word) and not (len(phrase.words) == 1 and entities.is_capital(word))


def _is_dictionary_noun(word: str) -> bool:
    best = parses(word.rpartition("-")[2])[0]
    place = "Geox" in best.tag and best.tag.POS != "ADJF"  # `Южнокорейские чиновники`
    return bool(best.is_known) and not place and not any(mark in best.tag for mark in (*NAMES, "Orgn", "Trad"))


def strict_gender(head: Head) -> str | None:
    """The gender of whom a noun can call: a woman's noun a woman's, a man's anybody's but for `отец` and the like."""
    return head.gender if head.gender == FEMININE or (head.gender == MASCULINE and head.lemma in lexicon.MEN) else None
