"""Who acts in an article: persons with what they are called by, and whoever else has spoken; where each was mentioned."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

from govorit.article import Quote
from govorit.names import lexicon
from govorit.names.morphology import case_of, fold, known_parses
from govorit.names.phrases import WORD

PERSON, ORGANISATION, OTHER = "person", "organisation", "other"


@dataclass(eq=False, slots=True)
class Actor:
    name: str
    kind: str
    gender: str | None = None
    number: str | None = "sing"
    titles: list[frozenset[str]] = field(default_factory=list)  # the words of each apposition
    places: list[tuple[int, int]] = field(default_factory=list)  # of mentions whose appositions nobody has looked at yet
    likely: str | None = None  # the gender that it rather has


@dataclass(order=True, slots=True)
class Place:
    """A mention of an actor, for looking back from a pronoun."""

    start: int
    end: int
    actor: Actor = field(compare=False)
    inside: bool = field(compare=False)  # within what somebody said
    subject: bool = field(compare=False)  # of no subordinate clause
    spoke: bool = field(compare=False)


_SUBORDINATE = re.compile(r", (?:\w{1,3} )?(?:что|котор\w+|где|чтобы|если|когда|как|будто|чем|куда) [^,.!?…\n]*$")
_SENTENCE = re.compile(r"[.!?…][»”“\")]*\s+(?=[«„“\"—–-]?\s?[А-ЯЁA-Z])|\n+")


class Scene:
    """The mentions of all actors in their order, and how far apart places are."""

    def __init__(self, text: str, quotes: Sequence[Quote]) -> None:
        self.text = text
        self.places: list[Place] = []
        self._contents = sorted((span.start, span.end) for quote in quotes for span in quote.content)
        self._starts = [start for start, _ in self._contents]
        self._sentences = [match.end() for match in _SENTENCE.finditer(text) if not self.inside(match.start())]
        self._paragraphs = [match.end() for match in re.finditer(r"\n+", text)]

    def inside(self, position: int) -> bool:
        at = bisect_right(self._starts, position) - 1
        return at >= 0 and position < self._contents[at][1]

    def add(self, start: int, end: int, actor: Actor, subject: bool, spoke: bool = False) -> None:
        subject = subject and (spoke or _SUBORDINATE.search(self.text, max(start - 250, 0), start) is None)
        insort(self.places, Place(start, end, actor, self.inside(start), subject, spoke))

    def before(self, position: int, count: int) -> list[Place]:
        """The last `count` mentions that end at or before a position, the nearest first."""
        at = bisect_left(self.places, position, key=lambda place: place.start)
        return [place for place in self.places[max(at - count, 0) : at] if place.end <= position][::-1]

    def within(self, start: int, end: int) -> list[Place]:
        """The mentions that begin in a stretch of the text."""
        first, last = (bisect_left(self.places, position, key=lambda place: place.start) for position in (start, end))
        return self.places[first:last]

    def sentences(self, start: int, end: int) -> int:
        return bisect_right(self._sentences, end) - bisect_right(self._sentences, start)

    def sentence(self, position: int, back: int) -> int:
        """Where the sentence begins that is so many before that of a position."""
        at = bisect_right(self._sentences, position) - 1 - back
        return self._sentences[at] if at >= 0 else 0

    def paragraphs(self, start: int, end: int) -> int:
        return bisect_right(self._paragraphs, end) - bisect_right(self._paragraphs, start)


# --- titles

_STOP = re.compile(r"[.;:!?](?=\s)|[()\n\t]| [—–-] |, ")
_APPOSED = re.compile(r",? \((?=[а-яё])|, (?=[а-яё])| — (?=[а-яё])")
_BEING = re.compile(r",? (?:\w+ )?(?:(?:была? )?(?:избран|назначен|признан)а?|была?|работала?|стала?|является|оста[её]тся) (?=[а-яё])")
_VERB = re.compile(r"(?:[аеиоуыя](?:л|ла|ло|ли)|[аеиюуя]т|ть)(?:с[ья])?$")
_FUNCTION = re.compile(r"(?:.|что|как|когда|если|это|этот|его|их|она|они|где|под|над|для|без|про|обо|со|ко|во|до|об|не|ни|но|же|за|кто)$")


def titles_of(text: str, start: int, end: int, begin: int = 0) -> Iterator[frozenset[str]]:
    """The words, small and as they stand, of what is in apposition to a name, before it, from `begin` on, and after it."""
    left = text[max(start - 140, begin) : start]
    cut = max((match.end() for match in _STOP.finditer(left)), default=0)
    yield frozenset(_noun_words(reversed(WORD.findall(left, cut))))
    right = text[end : end + 140]
    for opening in filter(None, (_APPOSED.match(right), _BEING.match(right))):
        stop = _STOP.search(right, opening.end())
        words = WORD.findall(right, opening.end(), stop.start() if stop else len(right))
        if _is_personal(words[:3]) and (opening.re is _APPOSED or _is_instrumental(words[0])):
            yield frozenset(_noun_words(words))


_SHARED = re.compile(r"([\w-]+)((?: [\w-]+){1,4}) и ((?:[\w-]+ ){1,4})$")


def shared_titles(text: str, start: int) -> list[frozenset[str]]:
    """The titles of two persons named together, in their order: `президенты Казахстана и России` before both names."""
    left = text[max(start - 140, 0) : start]
    found = _SHARED.search(left, max((match.end() for match in _STOP.finditer(left)), default=0))
    if not found or not any(parse.tag.number == "plur" and parse.tag.animacy == "anim" for parse in known_parses(found[1])):
        return []
    return [frozenset(map(fold, (found[1], *part.split()))) for part in (found[2], found[3])]


def _noun_words(words: Iterable[str]) -> Iterator[str]:
    """The words next to a name up to the first that is no part of a noun phrase."""
    prepositions = 0
    for word in islice(words, 12):
        small = fold(word)
        if small in lexicon.INNER:
            prepositions += 1
            if prepositions > 2:
                return
        elif _FUNCTION.match(small) or (_VERB.search(small) and any(parse.tag.POS in ("VERB", "INFN") for parse in known_parses(word)[:1])):
            return
        else:
            yield small


def _is_personal(words: Sequence[str]) -> bool:
    """Whether a noun that calls a person stands among the words, in the nominative or as an apposition."""
    return any(parse.tag.POS == "NOUN" and parse.tag.animacy == "anim" for word in words for parse in known_parses(word)[:1])


def _is_instrumental(word: str) -> bool:
    """Whether a word after `стал` or `был` may say what somebody is: `президентом`."""
    return any(case_of(parse) == "ablt" for parse in known_parses(word))


# --- designations


def title_score(head: str, rest: Sequence[str], titles: Iterable[frozenset[str]]) -> float:
    """How well a designation, by lemmas, fits one of the titles of somebody; 0 where the office is another one."""
    best = 0.0
    for title in titles:
        score = 3.0 if any(same_word(head, word) for word in title) else 2.0 if any(_same_office(head, word) for word in title) else 0.0
        if score:
            matched = sum(any(akin(word, other) for other in title) for word in rest)
            best = max(best, score + 1.5 * matched - 1.0 * (len(rest) - matched))
    return best


@lru_cache(maxsize=1 << 15)
def same_word(lemma: str, form: str) -> bool:
    """Whether a word in some form has this lemma, by its beginning unless the dictionary knows a noun: `посол` is not `пост`."""
    known = known_parses(form)
    if known and known[0].tag.POS == "NOUN":
        return any(lemma in (fold(parse.normal_form), fold(parse.word)) for parse in known)
    common = _common(lemma, form)
    return lemma == form or (common >= max(len(lemma) - 2, 3) and len(form) - common <= 3)


@lru_cache(maxsize=1 << 15)
def _same_office(head: str, form: str) -> bool:
    return any(head in group and any(same_word(other, form) for other in group) for group in lexicon.OFFICES)


def _common(one: str, other: str) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


@lru_cache(maxsize=1 << 15)
def akin(lemma: str, form: str) -> bool:
    """Whether a form is that of a word, its adjective, country or office: `казахстанский`, `казахстана`; `кремль`, `президента`."""
    words = (lemma, *lexicon.COUNTRIES.get(lemma, ()), *lexicon.ALIASES.get(lemma, ()))
    if any(same_word(word, form) for word in words) or _ministry(lemma, form) or _ministry(form, lemma):
        return True
    common = _common(lemma, form)
    return common >= 5 and common >= min(len(lemma), len(form)) - 3


def _ministry(short: str, word: str) -> bool:
    """Whether a ministry, shortened, is that of a word: `минфин`, `финансов`."""
    return len(short) > 5 and re.match("мин(?!ист)", short) is not None and word.startswith(short[3:6])
