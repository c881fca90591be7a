"""Interviews: whose turn it is where nobody is named beside the words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from govorit.article import Quote
from govorit.names.actors import ORGANISATION, Actor, Scene
from govorit.names.entities import Entities
from govorit.names.morphology import CASES
from govorit.names.phrases import designation, read

_DASH = "—–- \t\u00a0"


@dataclass(frozen=True, slots=True)
class Turn:
    """A paragraph that is one speaker's words, by the number of its quotation; None for a question that nobody annotated."""

    quote: int | None
    start: int
    text: str

    @property
    def asks(self) -> bool:
        return self.text.rstrip(' »”“"').endswith("?")


def find_turns(text: str, quotes: Sequence[Quote], scene: Scene) -> list[list[Turn]]:
    """The runs of turns, paragraph after paragraph, that hold a question."""
    opening = {quote.content[0].start: i for i, quote in enumerate(quotes) if quote.kind == "direct"}
    runs: list[list[Turn]] = [[]]
    for paragraph in re.finditer(r"[^\n]+", text):
        turn = _turn(paragraph, opening, quotes)
        if turn is not None:
            runs[-1].append(turn)
        elif runs[-1] and not scene.inside(paragraph.start()):
            runs.append([])
    return [run for run in runs if len(run) > 1 and any(turn.asks for turn in run)]


def _turn(paragraph: re.Match[str], opening: Mapping[int, int], quotes: Sequence[Quote]) -> Turn | None:
    line = paragraph[0]
    start = paragraph.start() + len(line) - len(line.lstrip(_DASH))
    number = opening.get(start)
    if number is not None:
        quote = quotes[number]
        whole = quote.content[0].end >= paragraph.end() - 1
        return Turn(number, start, line) if whole or line[0] in "—–-" else None
    if line[0] in "—–-":
        return Turn(None, start, line)
    return None


class Interview:
    """The two who talk: learnt from the turns that name them, from whom the questions address and from the lead."""

    def __init__(self, text: str, quotes: Sequence[Quote], scene: Scene, others: Entities) -> None:
        self.text, self.scene, self.others = text, scene, others
        self.role: dict[int, tuple[int, bool]] = {}  # quotation -> run, whether it asks
        self.heard: dict[tuple[int | None, bool], Actor] = {}
        runs = find_turns(text, quotes, scene)
        for number, run in enumerate(runs):
            for turn, asks in zip(run, _roles(run), strict=True):
                if turn.quote is not None:
                    self.role[turn.quote] = (number, asks)
        if runs:
            self._introduce(runs)

    def _introduce(self, runs: Sequence[Sequence[Turn]]) -> None:
        start = runs[0][0].start
        guest = self._addressed(runs) or self._last_named(start, None)
        if guest:
            self.heard[None, False] = guest
            host = self._last_named(len(self.text), guest, _SIGNED) or self._last_named(start, guest, _REPORTER) or self._outlet(start)
            if host:
                self.heard[None, True] = host

    def _addressed(self, runs: Sequence[Sequence[Turn]]) -> Actor | None:
        """Whom a question calls by name: `Вера Ильинична, …`."""
        known = [(set(actor.name.split()), actor) for actor in dict.fromkeys(place.actor for place in self.scene.places)]
        for turn in (turn for run in runs for turn in run):
            call = re.match(r"[—–\-\s«„“\"]*([А-ЯЁ][а-яё]+(?: [А-ЯЁ][а-яё]+)?), ", turn.text)
            if call:
                called = set(call[1].split())
                for name, actor in known:
                    if called <= name:
                        return actor
        return None

    def _last_named(self, position: int, other: Actor | None, behind: re.Pattern[str] | None = None) -> Actor | None:
        for place in self.scene.before(position, 40):
            if place.actor is not other and (behind is None or behind.search(self.text[max(place.start - 60, 0) : place.start])):
                return place.actor
        return None

    def _outlet(self, position: int) -> Actor | None:
        for entity in self.others.before(position, position):
            if self.text[entity.start - 1 : entity.start] in ("«", "„", "“"):
                phrase = read(self.text, entity.start, entity.end, CASES - {"nomn"})
                name = designation(self.text, phrase, self.others)
                return Actor(f"{self.text[entity.start - 1]}{name}{self.text[entity.end : entity.end + 1]}", ORGANISATION)
        return None

    def hear(self, quote: int, actor: Actor) -> None:
        if quote in self.role:
            run, asks = self.role[quote]
            self.heard[run, asks] = actor
            self.heard.setdefault((None, asks), actor)

    def whose(self, quote: int) -> tuple[Actor | None, str]:
        """Whose turn a quotation is, and the kind of evidence; no evidence where it is no turn."""
        if quote not in self.role:
            return None, ""
        run, asks = self.role[quote]
        actor = self.heard.get((run, asks)) or self.heard.get((None, asks))
        return actor, "turn" if actor else ""


_SIGNED = re.compile(r"(?:Беседовал|Интервью взял|Записал|Расспрашивал)а? $")
_REPORTER = re.compile(r"(?:корреспондент|журналист|обозревател)\w*[^.\n]*$")


def _roles(run: Sequence[Turn]) -> list[bool]:
    """Which turns of a run ask: those that nobody annotated, or every other one, as their question marks say."""
    if any(turn.quote is None for turn in run):
        return [turn.quote is None for turn in run]
    even = sum(turn.asks for turn in run[::2]) >= sum(turn.asks for turn in run[1::2])
    return [(i % 2 == 0) == even for i in range(len(run))]
