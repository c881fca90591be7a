"""The turns of an interview: which paragraphs are one speaker's words, and which of them ask."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from govorit import marks
from govorit.article import Quote
from govorit.names import lexicon
from govorit.names.actors import Scene
from govorit.names.phrases import MARKS

BEFORE = f"{marks.DASHES} \t\u00a0"  # the words of a turn
_ASKED = re.compile(r"\b(?:спрашиваю|интересуюсь|(?:спросила?|спросили) (?:я|мы)|(?:я|мы) спросил)\b", re.I)
_SHORT = 200  # characters
_ENOUGH = 3  # questions that are answered by a turn that asks nothing, or labels, of an interview; two questions where they are all
_AFTER_LABEL = re.compile(r"[.:][.:\s—–-]*")
_ASKS = 2.0  # that a turn with a question mark asks
_ANSWERS = 0.7  # that one without answers
_SAME = 1.5  # against two turns of one side on end
_SAME_LATER = 0.5  # the same where something is told between them
_CERTAIN = 10.0


@dataclass(frozen=True, slots=True)
class Turn:
    """One speaker's words, by the number of their quotation; None for a question that nobody annotated.

    Attributes:
        dashed: set as a turn is, with a dash or a label.
        later: something is told before it.
    """

    quote: int | None
    start: int
    text: str
    dashed: bool = False
    label: str = ""
    later: bool = True

    @property
    def plain(self) -> bool:
        """Whether it is a question that is neither annotated nor set as a turn."""
        return self.quote is None and not self.dashed

    @property
    def asks(self) -> bool:
        return marks.asks(self.text)


def find_turns(text: str, quotes: Sequence[Quote], scene: Scene) -> tuple[list[Turn], list[list[Turn]]]:
    """The turns of an interview, in their order; where the article is none, the dialogues in it, one after the other."""
    found = list(_turns(text, quotes, scene))
    plain = [i for i, turn in enumerate(found) if turn.plain]
    marked = sum(found[i].asks for i in plain)
    if len(plain) > 1 and marked and marked >= sum(turn.asks and turn.quote is not None for turn in found):
        return found[plain[0] :], []
    runs: list[list[Turn]] = []
    for turn in found:
        if not turn.plain:
            if turn.later or not runs:
                runs.append([])
            if turn.dashed or not runs[-1] or not runs[-1][-1].label or runs[-1][-1].asks:  # else it is more of a labelled turn
                runs[-1].append(turn)
    dialogues = [run for run in runs if _is_dialogue(run)]
    answered = [sum(one.asks and not other.asks for one, other in pairwise(run)) for run in dialogues]
    alternate = any(count > 1 and len(run) == 2 * count for count, run in zip(answered, dialogues, strict=True))
    if not (sum(answered) >= _ENOUGH or alternate or _has_labels(found)):
        return [], dialogues
    return [turn for run in runs for turn in (run if _is_dialogue(run) else [turn for turn in run if turn.dashed])], []


def _is_dialogue(run: Sequence[Turn]) -> bool:
    """Whether somebody asks, and somebody answers."""
    return len({turn.asks for turn in run}) > 1


def _has_labels(turns: Sequence[Turn]) -> bool:
    """Whether labels say who asks, or stand before questions; those of a digest of opinions do not."""
    labelled = [turn for turn in turns if turn.label]
    told = sum(label_of(turn.label) in lexicon.SIDES for turn in labelled)
    return told > 1 or (len(labelled) >= _ENOUGH and sum(turn.asks for turn in labelled) > 1)


def _turns(text: str, quotes: Sequence[Quote], scene: Scene) -> Iterator[Turn]:
    """Whatever may be a turn; what is told before one is yielded with it if it may be its question."""
    opening = {begin(text, quote): number for number, quote in enumerate(quotes) if quote.kind == "direct"}
    told: re.Match[str] | None = None  # the paragraph before, if it is no turn
    for paragraph in re.finditer(r"\S[^\r\n]*", text):
        if scene.inside(paragraph.start()) and paragraph.start() not in opening:
            continue  # of the words of the turn before
        line = paragraph[0].rstrip()
        start = paragraph.start() + len(line) - len(line.lstrip(BEFORE))
        end = paragraph.start() + len(line)
        number = opening.get(start)
        words = [(span.start, span.end) for span in quotes[number].content] if number is not None else [(start, end)]
        label = text[start : words[0][0]] if number is not None else ""
        dashed = bool(label) or line[0] in marks.DASHES
        if not dashed and (number is None or words[-1][1] < end - 1):
            told = paragraph
            continue
        if told and _may_ask(told[0], bare=not dashed and line[0] not in MARKS):
            yield Turn(None, told.start(), told[0])
        yield Turn(number, words[0][0], text[words[0][0] : words[-1][1]], dashed, label, told is not None)
        told = None


def _may_ask(told: str, bare: bool) -> bool:
    """Whether a paragraph may be a plain question; before a bare answer, with neither dash nor marks, whatever is short may."""
    asks = marks.asks(told) or _ASKED.search(told) is not None
    return asks or (bare and len(told) < _SHORT and told.rstrip()[-1:] != ":")


def begin(text: str, quote: Quote) -> int:
    """Where a turn with these words begins: at its label, `Вопрос:`, `Т. Мазин. —`, if it has one."""
    start, speaker = quote.content[0].start, quote.speaker
    labelled = speaker is not None and speaker.end <= start and _AFTER_LABEL.fullmatch(text, speaker.end, start)
    return speaker.start if speaker is not None and labelled else start


def label_of(words: str) -> str:
    """What a label says, without marks and what follows it: `Корр.: — ` -> `корр`."""
    return words.strip(f"{MARKS}.:{BEFORE}").lower()


def roles(turns: Sequence[Turn], known: Mapping[int, bool], called: Collection[int]) -> list[bool]:
    """Which turns ask: sides alternate, questions have their mark, who is called by name is asked.

    Args:
        known: which quotations ask for certain, or do not, by their numbers.
        called: the turns that call somebody by name, by their places among the turns.
    """
    scores, back = (0.0, 0.0), list[tuple[bool, bool]]()  # of the best ways to answer and to ask in a turn, and what came before
    for number, turn in enumerate(turns):
        same = (_SAME_LATER if turn.later else _SAME) if number else 0.0
        weight = _ASKS if turn.asks or number in called else -_ANSWERS
        if turn.quote is None or turn.quote in known:
            weight = _CERTAIN if turn.quote is None or known[turn.quote] else -_CERTAIN
        back.append((scores[1] > scores[0] - same, scores[1] - same > scores[0]))
        scores = max(scores[0] - same, scores[1]) - weight / 2, max(scores[0], scores[1] - same) + weight / 2
    asks = scores[1] > scores[0]
    path = list[bool]()
    for before in reversed(back):
        path.append(asks)
        asks = before[asks]
    return path[::-1]
