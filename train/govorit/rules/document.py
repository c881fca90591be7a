"""A document as the rules see it: its text by tokens, marks, sentences and silver syntax; and what is found in it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from govorit.article import CUE, SPEAKER, Quote, Span
from govorit.marks import stretches
from govorit.rules.lexicon import ABBREVIATED, DASHES, NOMINALS, NOT_REPORT, ONLY_NEGATED, REPORT, SHORT, STOPS

ROOT, LEFT, RIGHT = -1, -2, -3
_BEFORE = STOPS | {*'»”“"'}  # a sentence
LONGEST = 300  # tokens of a sentence: tables and lists without a full stop are cut there


@dataclass(slots=True)
class Document:
    """A document, token by token, and what is found in it.

    `words` are small, with е for ё. `heads` are token numbers, ROOT, or LEFT and RIGHT where they are far. `paragraphs` and `sentences` are
    first tokens, then the number of tokens. `stretches` are outermost quotation marks in characters, `opens` their ends by their starts,
    `marked` the tokens in them. `said` are the quotations, `taken` the tokens of their spans, `cues` them by the last tokens of
    their cues.
    """

    text: str
    starts: list[int]
    ends: list[int]
    words: list[str]
    forms: list[str]
    relations: list[str]
    heads: list[int]
    entities: list[str]
    paragraphs: list[int] = field(init=False)
    sentences: list[int] = field(init=False)
    stretches: list[tuple[int, int]] = field(init=False)
    opens: dict[int, int] = field(init=False)
    marked: list[bool] = field(init=False)
    said: list[Quote] = field(init=False, default_factory=list)
    taken: list[bool] = field(init=False)
    cues: dict[int, Quote] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.taken, self.marked = [False] * len(self.words), [False] * len(self.words)
        self.stretches = list(stretches(self.text))
        self.opens = dict(self.stretches)
        for start, end in self.stretches:
            first, last = self.token(start), self.token(end)
            self.marked[first:last] = [True] * (last - first)
        breaks = {self.token(found.end()) for found in re.finditer("\n", self.text)} | {0}
        self.paragraphs = [*sorted(breaks - {len(self.words)}), len(self.words)]
        self.sentences = list(_sentences(self))

    def sentence(self, token: int) -> tuple[int, int]:
        """First token of the sentence of a token, and the one after its last."""
        number = bisect_right(self.sentences, token)
        return self.sentences[number - 1], self.sentences[number]

    def paragraph(self, token: int) -> tuple[int, int]:
        """First token of the paragraph of a token, and the one after its last."""
        number = bisect_right(self.paragraphs, token)
        return self.paragraphs[number - 1], self.paragraphs[number]

    def token(self, at: int) -> int:
        """Number of the first token that starts at or after a character."""
        return bisect_left(self.starts, at)

    def is_verb(self, token: int) -> bool:
        """Whether the token is a verb, not in the infinitive."""
        form = self.forms[token]
        return form.startswith("VERB") and "VerbForm=Inf" not in form

    def is_finite(self, token: int) -> bool:
        return self.forms[token].startswith("VERB") and "VerbForm=Fin" in self.forms[token]

    def is_nominative(self, token: int) -> bool:
        return self.forms[token].startswith(NOMINALS) and "Case=Nom" in self.forms[token]

    def is_report(self, token: int, more: tuple[str, ...] = ()) -> bool:
        """Whether the token is a verb (or `уверен`) that reports words; `more` are further beginnings of such verbs."""
        form, word = self.forms[token], self.words[token]
        if form.startswith(("NOUN", "PROPN", "ADV")):  # what the models take a rare verb for
            return word.endswith(("ла", "лся", "лась", "лись")) and word.startswith(REPORT)
        if form.startswith("ADJ"):
            return "Variant=Short" in form and word.startswith(("уверен", "убежден"))
        if not self.is_verb(token) or word in NOT_REPORT:
            return False
        if word == "следует":
            behind = self.words[token + 1 : token + 3]
            return behind[:1] == ["из"] or (behind == [",", "что"] and "из" in self.words[self.sentence(token)[0] : token])
        return (
            word.startswith(REPORT)
            or word.startswith(more)
            or (word.startswith(ONLY_NEGATED) and token > 0 and self.words[token - 1] == "не")
        )

    def is_free(self, first: int, last: int) -> bool:
        return not any(self.taken[first:last])

    def add(
        self,
        contents: Sequence[tuple[int, int]],
        cue: int | None = None,
        speaker: tuple[int, int] | None = None,
        kind: str = "",
        opening: int | None = None,
    ) -> bool:
        """Note a quotation, False where the place of its contents is taken.

        Contents are given in characters, the cue by its last token, and by the `opening` one where it has several, the speaker by its
        first and last token. A cue that has a quotation already gives its new one the same speaker.
        """
        tokens = [(self.token(start), self.token(end)) for start, end in contents]
        if not contents or any(first >= last or not self.is_free(first, last) for first, last in tokens):
            return False
        kind = kind or self.kind(contents)
        for first, last in tokens:
            self.taken[first:last] = [True] * (last - first)
        spans = tuple(Span(start, end, kind) for start, end in contents)
        if cue in self.cues:
            shared = self.cues[cue]
            self.said.append(Quote(kind.lower(), spans, shared.cue, shared.speaker))
        else:
            said = Quote(kind.lower(), spans, self._cue(cue, opening), speaker and self._take(*speaker, SPEAKER))
            self.said.append(said)
            if cue is not None:
                self.cues[cue] = said
        return True

    def speaker(self, cue: int) -> tuple[int, int] | None:
        """First and last token of the speaker that a cue has already."""
        span = self.cues[cue].speaker
        return (self.token(span.start), self.token(span.end) - 1) if span else None

    def _cue(self, last: int | None, first: int | None) -> Span | None:
        """Take a cue, with the `не` before it."""
        if last is None:
            return None
        first = last if first is None else first
        return self._take(first - (first > 0 and self.words[first - 1] == "не"), last, CUE)

    def _take(self, first: int, last: int, label: str) -> Span | None:
        """Take the tokens `first` to `last` for a span, None where one of them is taken."""
        if not self.is_free(first, last + 1):
            return None
        self.taken[first : last + 1] = [True] * (last + 1 - first)
        return Span(self.starts[first], self.ends[last], label)

    def kind(self, contents: Sequence[tuple[int, int]]) -> str:
        """DIRECT where all is in marks, MIXED where three words in a row are, else INDIRECT."""
        if all(self.opens.get(start) == end for start, end in contents):
            return "DIRECT"
        for start, end in contents:
            for stretch in self.within(start, end):
                if self.size(stretch) >= 3 and self.is_fragment(stretch):
                    return "MIXED"
        return "INDIRECT"

    def within(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Stretches that lie between two characters."""
        at = bisect_left(self.stretches, (start, 0))
        while at < len(self.stretches) and self.stretches[at][1] <= end:
            yield self.stretches[at]
            at += 1

    def size(self, stretch: tuple[int, int]) -> int:
        """Words in a stretch."""
        first, last = self.token(stretch[0]), self.token(stretch[1])
        return sum(word[0].isalnum() for word in self.words[first:last])

    def is_fragment(self, stretch: tuple[int, int]) -> bool:
        """Whether marks hold words that were said, not a name: those start with a small letter or have a predicate."""
        first, last = self.token(stretch[0]) + 1, self.token(stretch[1]) - 1
        if first >= last:
            return False
        return self.text[self.starts[first]].islower() or any("VerbForm=Fin" in form for form in self.forms[first:last])


def read(text: str, starts: np.ndarray, labels: Mapping[str, np.ndarray], names: Mapping[str, Sequence[str]]) -> Document:
    """Join a text and its silver labels, those of :meth:`govorit.corpora.silver.Teacher.label`."""
    first = starts.tolist()
    pieces = [text[start:end].rstrip() for start, end in zip(first, [*first[1:], len(text)], strict=True)]
    forms, relations, entities = (
        list(map(names[layer].__getitem__, labels[layer].tolist())) for layer in ("forms", "relations", "entities")
    )
    far = {"root": ROOT, "left": LEFT, "right": RIGHT}
    near, offsets = np.array([(0, far[name]) if name in far else (1, int(name)) for name in names["heads"]])[labels["heads"]].T
    found = near * np.arange(len(first)) + offsets
    heads = np.where((found >= RIGHT) & (found < len(first)), found, ROOT).tolist()  # a text may be cut out of a longer one
    words = [piece.lower().replace("ё", "е") or " " for piece in pieces]
    ends = [start + len(piece) for start, piece in zip(first, pieces, strict=True)]
    return Document(text, first, ends, words, forms, relations, heads, entities)


def _sentences(document: Document) -> Iterator[int]:
    """First tokens of sentences, then the number of tokens. Marks hold no sentence end but at their own end."""
    words, starts, marked = document.words, document.starts, document.marked
    paragraphs, opens = set(document.paragraphs), document.opens
    begun = 0
    for token in range(len(words)):
        if token - begun < LONGEST:
            if token not in paragraphs and (words[token - 1] not in _BEFORE or not _starts_sentence(document, token)):
                continue
            if token and marked[token] and marked[token - 1] and starts[token] not in opens:
                continue
        yield token
        begun = token
    yield len(words)


def _starts_sentence(document: Document, token: int) -> bool:
    """Whether a sentence starts at a token: a stop lies before it, of no abbreviation or initial, or within marks that close there."""
    words, letter = document.words, document.text[document.starts[token]]
    if document.starts[token] == document.ends[token - 1]:
        return False
    stop, before = words[token - 1], words[token - 2] if token > 1 else ""
    if stop in '»”“"':
        return before in STOPS and letter.isupper()
    if stop not in STOPS or not (letter.isupper() or letter.isdigit() or letter in '«„“"—–('):
        return False
    if letter in DASHES and before in SHORT:
        return False
    initial = len(before) == 1 and document.text[document.starts[token - 2]].isupper()
    return not initial and before not in ABBREVIATED
