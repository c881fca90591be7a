"""Labelled spans, relations and names, as annotation tools keep them <-> entities and quotations.

In a tool a quotation is a content (DIRECT, INDIRECT, MIXED) that relations tie to its cue, to its speaker and to the next content of the
same quotation; its name is a note. A format parses its files, hands what it finds to an :class:`Assembler`, and asks it to `finish`;
:func:`dissolve` is the way back. What the corpus calls all this is in the options.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from govorit.article import CUE, KINDS, SPEAKER, Article, Quote, Span
from govorit.errors import UserError
from govorit.formats.options import DEFAULTS, Options

_CONTENTS = {kind.upper(): kind for kind in KINDS}
_PARTS = {"to_cue": CUE, "to_speaker": SPEAKER}
_RELATIONS = (*_PARTS, "continuation")

Pieces = tuple[tuple[int, int], ...]


class Mark(NamedTuple):
    """One labelled stretch, under a key that relations and names refer to: `T1`, `T2`, … in the order of the text."""

    key: str
    label: str
    pieces: Pieces
    score: float | None


class Tie(NamedTuple):
    """One relation, from a content to its cue, its speaker or the next content of its quotation."""

    name: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class _Found:
    label: str  # ours, or an entity's own
    part: bool  # of a quotation
    pieces: Pieces
    where: str
    score: float | None


class Assembler:
    """Gathers the marks of one article in any order, then ties them together.

    Every `where` is the beginning of a message, `file:line: field`. A problem goes to `options.report`; if that returns, what the problem
    concerns is left out. `left_out` lists what has no place in an article and is no mistake (an entity with words between its pieces).
    """

    def __init__(self, where: str, options: Options = DEFAULTS) -> None:
        self.where, self.options = where, options
        self.left_out: list[str] = []
        self._found: dict[str, _Found] = {}
        self._relations: list[tuple[str, str, str, str, bool]] = []
        self._notes: list[tuple[str, str | None, str]] = []
        self._skipped: set[str] = set()
        self._ties: dict[tuple[str, str], tuple[str, str]] = {}
        self._continues: dict[str, tuple[str, str]] = {}
        self._names: dict[str, tuple[str, str]] = {}

    def span(self, key: str, label: str, pieces: Sequence[tuple[int, int]], where: str, score: float | None = None) -> None:
        """Add a span by the corpus's own label; `pieces` are half-open indices into the text, in order, at least one."""
        if key in self._found:
            self._report(where, f"this id was already taken at {_short(self._found[key].where)}; number them anew")
            return
        ours = self.options.label(label)
        self._found[key] = _Found(ours or label, ours is not None, tuple(pieces), where, score)

    def relation(self, name: str, first: str, second: str, where: str, either: bool = False) -> None:
        """Add a relation by the corpus's own name; an empty name stands for whatever its ends make it, others are passed over.

        With `either` it may as well go from the cue or speaker to the content.
        """
        self._relations.append((name, first, second, where, either))

    def name(self, key: str, name: str | None, where: str) -> None:
        """Add the name of a quotation, to one of its contents, or of whoever a speaker's span mentions; None: a note that says none."""
        self._notes.append((key, name, where))

    def skip(self, key: str) -> None:
        """Say that `key` is no span here, or was refused already: what is tied to it is passed over without a word."""
        self._skipped.add(key)

    def finish(self, text: str) -> tuple[tuple[Span, ...], tuple[Quote, ...]]:
        """Tie everything together: the entities in the order they came, the quotations by the start of their content."""
        entities = []
        for key, found in list(self._found.items()):
            pieces = _joined(found.pieces, text)
            if len(pieces) > 1 and found.label not in _CONTENTS:
                self._in_pieces(key, found, pieces, text)
            elif not found.part:
                entities.append(Span(*pieces[0], found.label, found.score))
            else:
                self._found[key] = _Found(found.label, True, pieces, found.where, found.score)
        for name, first, second, where, either in self._relations:
            self._relate(name, first, second, where, either)
        for key, note, where in self._notes:
            self._note(key, note, where)
        return tuple(entities), self._quotes()

    def _in_pieces(self, key: str, found: _Found, pieces: Pieces, text: str) -> None:
        if found.part:
            self._report(found.where, f"{found.label} in {len(pieces)} pieces, expected one; mark the nearest one only")
            del self._found[key]
            self.skip(key)
        else:
            self.left_out.append(f"{_short(found.where)}: {found.label} in pieces: {surface(pieces, text)!r:.60}")

    def _relate(self, name: str, first: str, second: str, where: str, either: bool) -> None:
        candidates = [ours for ours in _RELATIONS if not name or self.options.name(ours) == name]
        if not self._known((first, second), where):
            # What was tied to something that was left out is no orphan.
            self._skipped.update((first, second) if candidates else ())
            return
        for one, other in ((first, second), (second, first)) if either else ((first, second),):
            for ours in candidates:
                if ours in _PARTS and self._is_content(one) and self._is(other, _PARTS[ours]):
                    problem = f"{one} already has a {_PARTS[ours]}"
                    self._once(self._ties, (one, ours), other, where, problem)
                    return
        if "continuation" in candidates and self._is_content(first) and self._is_content(second):
            self._continue(first, second, where)
        elif candidates == ["continuation"]:
            self._report(where, f"{name} from {first} to {second}, expected two contents; mend it")
        elif candidates and name:
            part = " or ".join(_PARTS[ours] for ours in candidates if ours in _PARTS)
            expected = f"Arg1 a content ({', '.join(map(self.options.name, KINDS))}) and Arg2 a {part}"
            self._report(where, f"found {name} from {first} to {second}, expected {expected}; mend it")

    def _known(self, keys: tuple[str, ...], where: str) -> bool:
        for key in keys:
            if key not in self._found and key not in self._skipped:
                self._report(where, f"{key} is not in this file; remove what refers to it, or add {key}")
                return False
        return all(key in self._found for key in keys)

    def _is(self, key: str, label: str) -> bool:
        return self._found[key].part and self._found[key].label == label

    def _is_content(self, key: str) -> bool:
        return self._found[key].part and self._found[key].label in _CONTENTS

    def _continue(self, first: str, second: str, where: str) -> None:
        labels = self._found[first].label, self._found[second].label
        if labels[0] != labels[1]:
            self._report(where, f"{first} and {second} are {labels[0]} and {labels[1]}, expected one kind; give both the same")
        elif self._head(first) == second:
            self._report(where, "Continuation goes round in a circle; remove one of its relations")
        else:
            self._once(self._continues, second, first, where, f"{second} already continues another content")

    def _note(self, key: str, name: str | None, where: str) -> None:
        if not self._known((key,), where) or name is None:
            return
        if self._is_content(key) or self._is(key, SPEAKER):
            self._once(self._names, key, name, where, f"{key} already has a name")
        else:
            self.left_out.append(f"{_short(where)}: a name that is no quotation's: {name!r:.60}")

    def _once(self, table: dict, at: object, value: str, where: str, problem: str) -> None:
        if table.setdefault(at, (where, value))[1] != value:
            self._report(where, f"{problem} ({_short(table[at][0])}), expected one; remove one of them")

    def _quotes(self) -> tuple[Quote, ...]:
        chains: dict[str, list[str]] = {}
        for key in self._found:
            if self._is_content(key):
                chains.setdefault(self._head(key), []).append(key)
        quotes = [self._quote(keys) for keys in chains.values()]
        tied = {part for _, part in self._ties.values()}
        for key, found in self._found.items():
            if found.part and found.label not in _CONTENTS and key not in tied and key not in self._skipped:
                relation = self.options.name("to_cue" if found.label == CUE else "to_speaker")
                remedy = f"add a relation {relation} to its content, or remove it"
                self._report(found.where, f"{self.options.name(found.label.lower())} that belongs to no quotation; {remedy}")
        return tuple(sorted(quotes, key=lambda quote: quote.content[0].start))

    def _head(self, key: str) -> str:
        while key in self._continues:
            key = self._continues[key][1]
        return key

    def _quote(self, keys: list[str]) -> Quote:
        label = self._found[keys[0]].label
        cue, speaker = (self._only([self._ties[key, ours] for key in keys if (key, ours) in self._ties], ours) for ours in _PARTS)
        name = self._only([self._names[key] for key in keys if key in self._names], "name")
        if name is None and speaker in self._names:
            name = self._names[speaker][1]
        scores = [score for key in keys if (score := self._found[key].score) is not None]
        return Quote(
            kind=_CONTENTS[label],
            content=tuple(Span(*piece, label) for piece in sorted(piece for key in keys for piece in self._found[key].pieces)),
            cue=self._part(cue),
            speaker=self._part(speaker),
            name=name,
            score=min(scores, default=None),
        )

    def _only(self, found: list[tuple[str, str]], what: str) -> str | None:
        values = list(dict.fromkeys(value for _, value in found))
        if len(values) > 1:
            where = next(where for where, value in found if value == values[1])
            self._report(where, f"{self.options.name(what)}: {values[1]!r} and {values[0]!r} for one quotation, expected one; remove one")
        return values[0] if values else None

    def _part(self, key: str | None) -> Span | None:
        return Span(*self._found[key].pieces[0], self._found[key].label, self._found[key].score) if key else None

    def _report(self, where: str, message: str) -> None:
        self.options.report(UserError(f"{where}: {message:.500}"))


def dissolve(article: Article, options: Options = DEFAULTS, pieces: bool = True) -> tuple[list[Mark], list[Tie], dict[str, str]]:
    """Take an article apart into marks, relations between them and names by key, all in the corpus's own words.

    A cue or speaker of several quotations comes once; two entities, or two quotations, at one place keep a mark each. Without `pieces` an
    interrupted content is several marks that Continuation ties together. A content's score is its quotation's.

    Raises:
        UserError: an entity has a quotation's label, a quotation is of no known kind, or offsets do not fit the text.
    """
    where = article.where or article.id
    for span in article.entities:
        if options.label(span.label) is not None:
            raise UserError(f"{where}: entities: the label {span.label} stands for quotations here; rename it")
    rows = [_Row(((s.start, s.end),), s.label, number, score=s.score) for number, s in enumerate(article.entities)]
    contents = [_contents(quote, number, where, options, pieces) for number, quote in enumerate(article.quotes)]
    parts: dict[tuple[int, int, str], _Row] = {}
    for quote in article.quotes:
        for part in (quote.cue, quote.speaker):
            if part is not None:
                parts.setdefault(_place(part), _Row(((part.start, part.end),), _own(part.label, where, options), score=part.score))
    rows = sorted([*rows, *(row for content in contents for row in content), *parts.values()], key=_Row.order)
    keys = {id(row): f"T{number}" for number, row in enumerate(rows, 1)}
    for row in rows:
        _check(row, article.text, where)
    ties, names = [], {}
    for quote, content in zip(article.quotes, contents, strict=True):
        first = keys[id(content[0])]
        for ours, tied in (("to_cue", quote.cue), ("to_speaker", quote.speaker)):
            if tied is not None:
                ties.append(Tie(options.name(ours), first, keys[id(parts[_place(tied)])]))
        ties += [Tie(options.name("continuation"), first, keys[id(row)]) for row in content[1:]]
        if quote.name is not None:
            names[first] = quote.name
    return [Mark(keys[id(row)], row.label, row.pieces, row.score) for row in rows], ties, names


@dataclass(frozen=True, slots=True)
class _Row:
    pieces: Pieces
    label: str
    number: int = 0
    score: float | None = None

    def order(self) -> tuple[Pieces, str, int]:
        return self.pieces, self.label, self.number


def _contents(quote: Quote, number: int, where: str, options: Options, pieces: bool) -> list[_Row]:
    if quote.kind not in KINDS:
        raise UserError(f"{where}: quotes: kind {quote.kind!r}, expected one of {', '.join(KINDS)}")
    if not quote.content:
        raise UserError(f"{where}: quotes: a {quote.kind} quotation of nothing; give it a content, or remove it")
    places = tuple(sorted((span.start, span.end) for span in quote.content))
    groups: list[Pieces] = [places] if pieces else [(place,) for place in places]
    return [_Row(group, options.name(quote.kind), number, quote.score) for group in groups]


def _own(label: str, where: str, options: Options) -> str:
    if label not in (CUE, SPEAKER):
        raise UserError(f"{where}: quotes: label {label!r} of a cue or speaker, expected {CUE} or {SPEAKER}")
    return options.name(label.lower())


def _place(span: Span) -> tuple[int, int, str]:
    return span.start, span.end, span.label


def _check(row: _Row, text: str, where: str) -> None:
    bounds = [offset for piece in row.pieces for offset in piece]
    rising = all(start < end for start, end in row.pieces) and bounds == sorted(bounds)
    if not rising or bounds[0] < 0 or bounds[-1] > len(text):
        raise UserError(f"{where}: {row.label}: the offsets {bounds} do not fit the text; mend them")


def surface(pieces: Sequence[tuple[int, int]], text: str) -> str:
    """What stands at `pieces`, in one line."""
    return flat(" ".join(text[start:end] for start, end in pieces))


def same(said: str, pieces: Sequence[tuple[int, int]], text: str) -> bool:
    """Whether `said` is what stands at `pieces`, line ends apart: a line end is a space there, be it of one character or two."""
    stands = " ".join(text[start:end] for start, end in pieces)
    return flat(said) in (flat(stands), flat(stands.replace("\r\n", "\n")))


def flat(text: str) -> str:
    return text.replace("\n", " ").replace("\r", " ")


def _joined(pieces: Pieces, text: str) -> Pieces:
    """Make one of pieces with nothing but white space between them."""
    joined = [pieces[0]]
    for start, end in pieces[1:]:
        if text[joined[-1][1] : start].strip():
            joined.append((start, end))
        else:
            joined[-1] = (joined[-1][0], end)
    return tuple(joined)


def _short(where: str) -> str:
    return Path(where).name
