"""Interviews: who asks and who answers, by the turns that name them, by whom the questions call, and by what is told around them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from govorit.article import Quote
from govorit.names import lexicon, turns
from govorit.names.actors import ORGANISATION, PERSON, Actor, Scene
from govorit.names.antecedents import fits
from govorit.names.entities import Entities
from govorit.names.morphology import CASES
from govorit.names.phrases import MARKS, designation, lemma, read
from govorit.names.turns import Turn

_INITIALS = re.compile(r"(?:[А-ЯЁ]\.\s?){1,2}[А-ЯЁ]\.")
_CALL = re.compile(r"[«„“\"]?([А-ЯЁ][а-яё]+(?: [А-ЯЁ][а-яё]+)?), ")


def _before(words: str, then: str = "$") -> re.Pattern[str]:
    """Match one of some beginnings of words and what goes on from there in the same sentence."""
    return re.compile(rf"\b(?:{words.replace(' ', '|').replace('_', ' ')}){then}", re.I)


# What stands before the name of who asks, of who answers and of an outlet that asks.
_ASKING = _before(
    "беседовал беседует беседу_в[её]л в[её]ла?_беседу в[её]ла?_разговор интервью_взял интервью_пров[её]л записал расспрашивал расспросил "
    "вопросы_задавал",
    "а? $",
)
_REPORTER = _before("корреспондент журналист обозревател ведущ редактор", r"[а-яё]*[^.\n]*$")
_ASKED = _before(
    "с со беседу бесед поговори разговарива встрети побесед пообща ответил отвечает рассказ попросил расспросил собеседни гост",
    r"[а-яё]* (?:[^.\n]* )?$",
)
_FOR_OUTLET = _before(
    "рассказ ответил интервью вопрос беседе_с разговоре_с столом корреспондент журналист обозревател читател редакци газет журнал портал",
    r"[а-яё]* (?:[а-яё]+ )?[«„“\"]$",
)
# What stands behind the name of who answers, and of an outlet that asks.
_TELLS = re.compile(r"[^.\n]{0,20}\b(?:рассказ|рассуждает|объясн|ответил|отвечает|поделил)")
_OUTLET_ASKS = re.compile(r"[»“”\"] (?:публикует|поговорил|побеседовал|расспросил|узнал|беседует|встретил|спросил)")


class Interview:
    """The sides of an interview, if the article is one.

    Args:
        named: the speakers of quotations that have a name, by the number of the quotation.
    """

    def __init__(self, text: str, quotes: Sequence[Quote], scene: Scene, others: Entities, named: Mapping[int, Actor]) -> None:
        self.text, self.quotes, self.scene, self.others = text, quotes, scene, others
        self.turns, dialogues = turns.find_turns(text, quotes, scene)
        self.people = list(scene.places)  # mentions of persons, before any speaker is added to them
        self.host: Actor | None = None
        self.guest: Actor | None = None  # the first of them
        self._whose: dict[int, Actor | None] = {}  # in an interview
        self._sides = {
            turn.quote: (number, asks)
            for number, run in enumerate(dialogues)
            for turn, asks in zip(run, turns.roles(run, {}, ()), strict=True)
            if turn.quote is not None
        }
        self._heard: dict[tuple[int, bool], Actor] = {}  # in dialogues, by their number and side
        if self.turns:
            self._cast(
                [None if turn.quote is None else self._initialled(quotes[turn.quote]) or named.get(turn.quote) for turn in self.turns]
            )

    def _cast(self, named: Sequence[Actor | None]) -> None:
        """Say whose each turn is, of which some have speakers that are named."""
        at = {place.start: place.actor for place in self.people}
        called = {i: actor for i, turn in enumerate(self.turns) if (actor := self._called(turn, at)) is not None}
        self.host = self._signed() or self._outlet()
        asks = turns.roles(self.turns, dict(self._known(named)), called.keys())
        sides = list(zip(self.turns, named, asks, strict=True))
        if self.host is None:
            self.host = next((actor for _, actor, asking in sides if asking and actor), None)
        guests = self._guests(named, called, asks)
        self.guest = current = guests[0] if guests else None
        answered = False  # by the turn before
        for number, (turn, actor, asking) in enumerate(sides):
            if asking:
                current = called.get(number, current)
            elif actor:
                current = actor
            elif len(guests) == 2 and answered and not turn.later:
                current = next((guest for guest in guests if guest is not current), current)
            if turn.quote is not None:
                self._whose[turn.quote] = self.host if asking else current
            answered = not asking

    def _known(self, named: Sequence[Actor | None]) -> Iterator[tuple[int, bool]]:
        """Which quotations ask for certain, or do not, by their numbers."""
        for turn, actor in zip(self.turns, named, strict=True):
            if turn.quote is not None:
                side = self._side(self.quotes[turn.quote])
                if side is not None:
                    yield turn.quote, side
                elif actor and (self.host or not turn.asks):
                    yield turn.quote, actor is self.host

    def _called(self, turn: Turn, at: Mapping[int, Actor]) -> Actor | None:
        """Whom a turn calls by name: `Вера Ильинична, …`."""
        call = _CALL.match(turn.text)
        if not call:
            return None
        if (actor := at.get(turn.start + call.start(1))) is not None:
            return actor
        called = set(call[1].split())
        return next((actor for words, actor in self._named if called <= words), None)

    def _side(self, quote: Quote) -> bool | None:
        """Whether the label of a turn is that of who asks, or answers; None where it says neither."""
        label = self._label(quote)
        word = label.lower().strip(".")
        return True if word in lexicon.ASKERS or self._abbreviated(label) else False if word in lexicon.ANSWERERS else None

    def _signed(self) -> Actor | None:
        """Who is said to have asked."""
        told = [(place, self.text[max(place.start - 60, 0) : place.start]) for place in self.people if not place.inside]
        by_verb = (place.actor for place, before in told if place.subject and _ASKING.search(before))
        return next(by_verb, None) or next((place.actor for place, before in told if _REPORTER.search(before)), None)

    def _outlet(self) -> Actor | None:
        """The medium that is said to have asked."""
        start = self.turns[0].start
        for entity in self.others.before(start, start):
            asked = _FOR_OUTLET.search(self.text, max(entity.start - 40, 0), entity.start) or _OUTLET_ASKS.match(self.text, entity.end)
            if asked and self.text[entity.start - 1 : entity.start] in tuple(MARKS):
                return self._organisation(entity.start, entity.end)
        return None

    def _organisation(self, start: int, end: int) -> Actor:
        name = designation(self.text, read(self.text, start, end, CASES - {"nomn"}), self.others)
        return Actor(f"{self.text[start - 1]}{name}{self.text[end : end + 1]}", ORGANISATION)

    def _guests(self, named: Sequence[Actor | None], called: Mapping[int, Actor], asks: Sequence[bool]) -> list[Actor]:
        """Those who answer, in the order of how much speaks for them; one who is only told of is a guest where no other is."""
        weights = Counter[Actor]()
        for number, (actor, asking) in enumerate(zip(named, asks, strict=True)):
            if actor and not asking:
                weights[actor] += 5
            if asking and number in called:
                weights[called[number]] += 4
        if self.host:
            weights.pop(self.host, None)
        if weights:
            return [actor for actor, _ in weights.most_common()]
        for place in self.people:
            if place.actor is not self.host and not place.inside:
                before = self.text[max(place.start - 120, 0) : place.start]
                told = place.start < self.turns[0].start and (_ASKED.search(before) or _TELLS.match(self.text, place.end))
                weights[place.actor] += 1 + 3 * bool(told)
        return [actor for actor, _ in weights.most_common(1)]

    def hear(self, quote: int, actor: Actor) -> None:
        """Take note of who spoke: the side of a dialogue that the quotation is of is this actor's from here on."""
        if quote in self._sides:
            self._heard[self._sides[quote]] = actor

    def whose(self, quote: int) -> tuple[Actor | None, str]:
        """Whose turn a quotation is, and the kind of evidence; no evidence where it is no turn."""
        if quote in self._whose:
            return self._whose[quote], "turn"
        actor = self._heard.get(self._sides[quote]) if quote in self._sides else None
        return actor, "turn" if actor else ""

    def speaker(self, quote: Quote) -> Actor | None:
        """Whom words mean that name somebody in an interview alone: `Корреспондент:`, `А. К.:`, `«РГ»:`, `я`, `мой собеседник`."""
        if not self.turns or quote.speaker is None:
            return None
        label = self._label(quote)
        word = label.lower().strip(".")
        if word in lexicon.ASKERS or word in lexicon.ANSWERERS:
            return self.host if word in lexicon.ASKERS else self.guest
        words = self.text[quote.speaker.start : quote.speaker.end].lower().split()
        if words in (["я"], ["мы"]):
            return self.host
        if words and lemma(words[-1]) in lexicon.PARTNERS and set(words[:-1]) <= {"мой", "моя", "наш", "наша"}:
            return self.guest
        return self._initialled(quote) or self._abbreviated(label)

    def _label(self, quote: Quote) -> str:
        """What stands before a turn to say whose it is, `«РГ»:`, without its marks; empty where nothing does."""
        speaker = quote.speaker
        is_label = speaker is not None and turns.begin(self.text, quote) == speaker.start
        return self.text[speaker.start : speaker.end].strip(f"{MARKS} ") if speaker and is_label else ""

    def _initialled(self, quote: Quote) -> Actor | None:
        """The person of whose first name and surname a label is the initials."""
        label = self._label(quote)
        return self._initials.get(label[0] + label[-2]) if _INITIALS.fullmatch(label) else None

    @cached_property
    def _named(self) -> list[tuple[set[str], Actor]]:
        """Each person once, with the words of the name."""
        return [(set(actor.name.split()), actor) for actor in dict.fromkeys(place.actor for place in self.people)]

    @cached_property
    def _initials(self) -> dict[str, Actor]:
        """Persons by the first letters of their first names and surnames, whoever comes first."""
        names = [(place.actor.name.split(), place.actor) for place in reversed(self.people)]
        return {words[0][0] + words[-1][0]: actor for words, actor in names if words and not words[-1].endswith(".")}

    def _abbreviated(self, label: str) -> Actor | None:
        """The organisation in marks of which a label is the first letters."""
        return self._outlets.get(label) if re.fullmatch(r"[А-ЯЁ]{2,4}", label) else None

    @cached_property
    def _outlets(self) -> dict[str, Actor]:
        """Organisations in marks by the first letters of their words, the first first."""
        found: dict[str, Actor] = {}
        for entity in self.others.spans:
            letters = "".join(word[0] for word in self.text[entity.start : entity.end].split()).upper()
            if self.text[entity.start - 1 : entity.start] in tuple(MARKS) and letters not in found:
                found[letters] = self._organisation(entity.start, entity.end)
        return found

    def meant(self, position: int, gender: str | None, number: str) -> Actor | None:
        """The guest, where a pronoun outside what is said may mean nobody else: nobody has been told of since the turn before."""
        at = bisect_left(self.turns, position, key=lambda turn: turn.start + len(turn.text)) - 1
        if at < 0 or any(self.turns[at].start < place.start and not place.inside for place in self.scene.before(position, 8)):
            return None
        return self.guest if self.guest and self.guest.kind == PERSON and fits(self.guest, gender, number) else None
