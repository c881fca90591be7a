"""Interviews: who asks and who answers, by the turns that name them, by whom the questions call, and by what is told around them."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

from govorit.article import Quote, Span
from govorit.names import lexicon, turns
from govorit.names.actors import ORGANISATION, PERSON, Actor, Place, Scene
from govorit.names.antecedents import fits
from govorit.names.declension import is_patronymic
from govorit.names.entities import Entities
from govorit.names.morphology import CASES, known_parses
from govorit.names.phrases import MARKS, designation, lemma, read
from govorit.names.turns import Turn

_INITIALS = re.compile(r"(?:[А-ЯЁ]\.\s?){1,2}[А-ЯЁ]\.?")
_ABBREVIATION = re.compile(r"[А-ЯЁ]{2,4}")
_CALL = re.compile(r"[«„“\"]?([А-ЯЁ][а-яё]+(?: [А-ЯЁ][а-яё]+)?), ")


def _any_of(words: str) -> str:
    """Match one of some beginnings of words: `беседовал интервью_взял`."""
    return rf"\b(?:{words.replace(' ', '|').replace('_', ' ')})"


# What stands before the name of who asks: a verb, or an office that is called in no dative (`рассказала корреспонденту`).
_ASKING = re.compile(
    _any_of(
        "беседовал беседует беседу_в[её]л в[её]ла?_беседу в[её]ла?_разговор интервью_взял интервью_пров[её]л расспрашивал расспросил "
        "вопросы_задавал"
    )
    + r"а? $|(?:\A|\n)записала? $",
    re.I,
)
_REPORTER = re.compile(
    r"\b(?:ведущ(?:ий|ая|им|ей) |(?:корреспондент|журналист|обозревател)(?!у )[а-яё]{0,3} (?:(?![а-яё]+(?:л|ла|ли|[еи]т) )[а-яё-]+ ){0,3})"
    r"(?:[«„“\"][^»“”\"\n]*[»“”\"] )?$",
    re.I,
)
_FOR_REPORTER = re.compile(r"\b(?:вопрос[а-яё]*|интервью(?! с )|в (?:беседе|разговоре) с) ", re.I)
# What stands before and behind the name of who answers.
_ASKED = re.compile(
    rf"(?:\bсо? (?!ним |ней |ними )|{_any_of('ответил отвечает рассказ попросил расспросил гост')}[а-яё]* )"
    r"(?:(?:(?!\bоб? |, )[^.\n])* )?$",
    re.I,
)
_TELLS = re.compile(r"[^.,\n]{0,20}\b(?:рассказ|рассуждает|объясн|ответил|отвечает|поделил)")
# What somebody does who comes to speak.
_SPEAKS = re.compile(
    _any_of("подош подойд призна рассказ ответил поделил отмети заяви сообщ подчеркн добав считает говорит объясн поясн"), re.I
)
# What stands before and behind the name of an outlet that asks.
_FOR_OUTLET = re.compile(
    _any_of("рассказ ответил интервью вопрос беседе_с разговоре_с столом корреспондент журналист обозревател читател редакци")
    + r"[а-яё]* (?:[а-яё]+ )?[«„“\"]$",
    re.I,
)
_OUTLET_ASKS = re.compile(r"[»“”\"] (?:публикует|поговорил|побеседовал|расспросил|узнал|беседует|встретил|спросил)")


class Interview:
    """The sides of an interview, if the article is one, and of the dialogues in it, if it is none.

    Args:
        named: tells whom the speaker of a quotation names, if anybody.
    """

    def __init__(self, text: str, quotes: Sequence[Quote], scene: Scene, others: Entities, named: Callable[[Quote], Actor | None]) -> None:
        self.text, self.others = text, others
        self.people = list(scene.places)  # mentions of persons, before any speaker is added to them
        self.turns, dialogues = turns.find_turns(text, quotes, scene)
        self.host: Actor | None = None  # who is said to have asked
        self.main_guest: Actor | None = None
        self._whose: dict[int, Actor | None] = {}  # by quotation
        self._state: list[tuple[bool, Actor | None]] = []  # of each turn: whether it asks, and who is the guest after it
        if self.turns:
            self._cast([None if turn.quote is None else self._named(turn, named(quotes[turn.quote])) for turn in self.turns])
        self._sides = {
            turn.quote: (number, asks)
            for number, run in enumerate(dialogues)
            for turn, asks in zip(run, turns.roles(run, {}, ()), strict=True)
            if turn.quote is not None
        }
        self._heard: dict[tuple[int, bool], Actor] = {}  # by dialogue and side

    # --- who asks, who answers

    def _cast(self, named: Sequence[Actor | None]) -> None:
        """Say whose each turn is, of which some have speakers that are named."""
        at = {place.start: place.actor for place in self.people}
        called = {i: actor for i, turn in enumerate(self.turns) if (actor := self._called(turn, at)) is not None}
        self.host = self._signed() or self._outlet()
        asks = turns.roles(self.turns, dict(self._known(named)), called.keys())
        askers = {actor for actor, asking in zip(named, asks, strict=True) if asking and actor}
        asker = self.host or (askers.pop() if len(askers) == 1 else None)
        guests = self._guests(named, called, asks)
        self.main_guest = guest = guests[0] if guests else None
        answered = False  # by the turn before
        for number, (turn, actor, asking) in enumerate(zip(self.turns, named, asks, strict=True)):
            if asking:
                guest = called.get(number, guest)
            elif actor:
                guest = actor
            elif turn.later and (answered or not number) and (introduced := self._introduced(turn)):
                guest = introduced
            elif len(guests) == 2 and answered and not turn.later:
                guest = next((other for other in guests if other is not guest), guest)
            if turn.quote is not None:
                self._whose[turn.quote] = (actor or asker) if asking else guest
            self._state.append((asking, guest))
            answered = not asking

    def _named(self, turn: Turn, actor: Actor | None) -> Actor | None:
        """Whom the speaker of a turn names; a label that says a side names nobody, though a model take `Корр.` for a person."""
        return None if turns.label_of(turn.label) in lexicon.SIDES else self._initialled(turn.label) or actor

    def _known(self, named: Sequence[Actor | None]) -> Iterator[tuple[int, bool]]:
        """Which quotations ask for certain, or do not, by their numbers."""
        for turn, actor in zip(self.turns, named, strict=True):
            if turn.quote is None:
                continue
            label = turns.label_of(turn.label)
            if label in lexicon.SIDES:
                yield turn.quote, label in lexicon.ASKERS
            elif self._abbreviated(label) or (actor and actor is self.host):
                yield turn.quote, True
            elif actor and not turn.asks:
                yield turn.quote, False

    def _called(self, turn: Turn, at: Mapping[int, Actor]) -> Actor | None:
        """Whom a turn calls by first name, with the patronymic or without: `Вера Ильинична, …`; a surname is no call."""
        call = _CALL.match(turn.text)
        if not call:
            return None
        first, *rest = call[1].split()
        actor = at.get(turn.start + call.start(1)) or self._first_names.get(first)
        if actor is None or (rest and not is_patronymic(rest[0])):
            return None
        known = " " in actor.name or any("Name" in parse.tag for parse in known_parses(first))
        return actor if rest or (known and actor.name.split()[:1] == [first]) else None

    def _signed(self) -> Actor | None:
        """The person who is said to have asked."""
        start = self.turns[0].start
        told = [(place, self.text[max(place.start - 60, 0) : place.start]) for place in self.people if not place.inside]
        by_verb = (place.actor for place, before in told if place.subject and _ASKING.search(before))
        by_office = (place.actor for place, before in told if place.start < start and self._reports(place, before))
        return next(by_verb, None) or next(by_office, None)

    def _reports(self, place: Place, before: str) -> bool:
        """Whether a name behind a reporter's office is that of who asks, and of nobody whom `мы` have asked, or who is told of."""
        if not _REPORTER.search(before):
            return False
        if place.subject and not _FOR_REPORTER.search(before):
            return not self._is_asked(place)
        of_outlet = before.rstrip()[-1:] in MARKS and not re.search(r"\bмы\b", before, re.I)
        return of_outlet or _FOR_REPORTER.search(before) is not None

    def _outlet(self) -> Actor | None:
        """The medium that is said to have asked."""
        start = self.turns[0].start
        for entity in self.others.before(start, start):
            asked = _FOR_OUTLET.search(self.text, max(entity.start - 40, 0), entity.start) or _OUTLET_ASKS.match(self.text, entity.end)
            if asked and self._is_marked(entity):
                return self._organisation(entity)
        return None

    def _is_marked(self, span: Span) -> bool:
        return self.text[span.start - 1 : span.start] in tuple(MARKS)

    def _organisation(self, span: Span) -> Actor:
        name = designation(self.text, read(self.text, span.start, span.end, CASES - {"nomn"}), self.others)
        return Actor(f"{self.text[span.start - 1]}{name}{self.text[span.end : span.end + 1]}", ORGANISATION)

    def _guests(self, named: Sequence[Actor | None], called: Mapping[int, Actor], asks: Sequence[bool]) -> list[Actor]:
        """Those who answer, in the order of how much speaks for them.

        Where no turn names or calls anybody, it is whoever is said to be asked, or is told of twice or alone.
        """
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
                weights[place.actor] += 4 if place.start < self.turns[0].start and self._is_asked(place) else 1
        (first, most), (_, second) = [*weights.most_common(2), (None, 0), (None, 0)][:2]
        return [first] if first and most > second and (most > 1 or not second) else []

    def _introduced(self, turn: Turn) -> Actor | None:
        """The one person who comes to speak in the paragraph before a turn: `Следующим подошёл Игорь Смольников`."""
        told = self.text[max(turn.start - 1000, 0) : turn.start].rstrip(f"{turns.BEFORE}\r\n")
        end = max(turn.start - 1000, 0) + len(told)
        start = end - len(told[told.rfind("\n") + 1 :])
        first, last = (bisect_left(self.people, position, key=lambda place: place.start) for position in (start, end))
        found = {
            place.actor
            for place in self.people[first:last]
            if place.subject and not place.inside and _SPEAKS.search(self.text, max(place.start - 70, start), place.end + 25)
        } - {self.host}
        return found.pop() if len(found) == 1 else None

    def _is_asked(self, place: Place) -> bool:
        before = self.text[max(place.start - 120, 0) : place.start]
        return bool(_ASKED.search(before) or _TELLS.match(self.text, place.end))

    # --- what that says of a quotation

    def hear(self, quote: int, actor: Actor) -> None:
        """Take note of who spoke: the side of a dialogue that the quotation is of is this actor's from here on."""
        if quote in self._sides:
            self._heard[self._sides[quote]] = actor

    def whose(self, quote: int) -> tuple[Actor | None, str]:
        """Whose turn a quotation is, and the kind of evidence; no evidence where it is no turn, or nobody has been heard."""
        if quote in self._whose:
            return self._whose[quote], "turn"
        if quote not in self._sides:
            return None, ""
        number, asks = self._sides[quote]
        heard = (number, asks) in self._heard or (number, not asks) in self._heard
        return self._heard.get((number, asks)), "turn" if heard else ""

    def speaker(self, number: int, quote: Quote) -> tuple[Actor | None, str]:
        """Whom a speaker's words mean in an interview alone, `Корр.:`, `А. К.:`, `«РГ»:`, `я`, `мой собеседник`, and the evidence."""
        assert quote.speaker is not None
        words = self.text[quote.speaker.start : quote.speaker.end]
        is_label = turns.begin(self.text, quote) == quote.speaker.start
        label = turns.label_of(words) if is_label else ""
        if label in lexicon.SIDES:
            actor = self._whose.get(number) or (self.host if label in lexicon.ASKERS else self.main_guest)
            if actor or label in lexicon.NAMELESS:
                return actor, "turn"
        if not self.turns:
            return None, ""
        actor = (self._initialled(words) or self._abbreviated(label)) if is_label else self._meant(words.lower().split(), quote.speaker)
        return actor, "turn" if actor else ""

    def _meant(self, words: Sequence[str], speaker: Span) -> Actor | None:
        """Who `я` is where the host tells, or asks, and who `мой собеседник`."""
        at = bisect_right(self.turns, speaker.start, key=lambda turn: turn.start) - 1
        if words in (["я"], ["мы"]):
            turn = self.turns[at] if at >= 0 and "\n" not in self.text[self.turns[at].start : speaker.start] else None
            told = turn is None or (turn.quote is not None and self._state[at][0])
            return self.host if told and self.host and self.host.kind == PERSON else None
        is_partner = len(words) == 2 and words[0] in ("мой", "моя", "наш", "наша") and lemma(words[1]) in lexicon.PARTNERS
        return self._state[max(at, 0)][1] if is_partner else None

    def guest(self, speaker: Span, gender: str | None) -> Actor | None:
        """Who `он` or `она` is outside what is said: the guest of the turn before, if nobody has been told of since."""
        at = bisect_left(self.turns, speaker.start, key=lambda turn: turn.start + len(turn.text)) - 1
        within = self.turns[at + 1] if at + 1 < len(self.turns) else None
        if at < 0 or self.text[speaker.start : speaker.end].lower() not in lexicon.HE_OR_SHE:
            return None
        if within and within.quote is None and within.start <= speaker.start:
            return None  # what somebody says of whom
        guest, told = self._state[at][1], bisect_left(self._told, self.turns[at].start) < bisect_left(self._told, speaker.start)
        return guest if guest and guest.kind == PERSON and fits(guest, gender, "sing") and not told else None

    # --- labels

    def _initialled(self, label: str) -> Actor | None:
        """The person of whose first name and surname a label is the initials."""
        letters = _INITIALS.fullmatch(label.strip(" :—–-\n")) and re.findall("[А-ЯЁ]", label)
        return self._initials.get(letters[0] + letters[-1]) if letters else None

    def _abbreviated(self, label: str) -> Actor | None:
        """The organisation in marks of which a label is the first letters."""
        return self._outlets.get(label.upper()) if _ABBREVIATION.fullmatch(label.upper()) else None

    @cached_property
    def _told(self) -> list[int]:
        """Where persons are told of, outside what is said."""
        return [place.start for place in self.people if not place.inside]

    @cached_property
    def _first_names(self) -> dict[str, Actor]:
        """Persons by the first words of their names, the first first."""
        return {word: place.actor for place in reversed(self.people) for word in place.actor.name.split()[:1]}

    @cached_property
    def _initials(self) -> dict[str, Actor]:
        """Persons by the first letters of their first names and surnames; of several who is said to be asked, or else is named most."""
        found: dict[str, Counter[Actor]] = {}
        for place in self.people:
            words = place.actor.name.split()
            if words and len(words[-1].strip(".")) > 1 and not is_patronymic(words[-1]):
                found.setdefault(words[0][0] + words[-1][0], Counter())[place.actor] += 1 + len(self.people) * self._is_asked(place)
        best = {letters: [*known.most_common(2), (None, 0)] for letters, known in found.items()}
        return {letters: actor for letters, ((actor, weight), (_, second), *_) in best.items() if actor and weight > second}

    @cached_property
    def _outlets(self) -> dict[str, Actor]:
        """Organisations in marks by the first letters of their words, the first first."""
        found: dict[str, Actor] = {}
        for entity in self.others.spans:
            letters = "".join(word[0] for word in self.text[entity.start : entity.end].split()).upper()
            if letters not in found and self._is_marked(entity):
                found[letters] = self._organisation(entity)
        return found
