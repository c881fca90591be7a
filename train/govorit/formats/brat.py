"""brat standoff: a folder of pairs, `ID.txt` with the text and `ID.ann` with what is marked on it (https://brat.nlplab.org/standoff.html).

    T1<TAB>PER 95 105<TAB>Н. Назарбаев            an entity: any label but those of quotations
    T2<TAB>DIRECT 10 40;60 93<TAB>«Да… Нет»       a content (DIRECT, INDIRECT, MIXED); several pieces if interrupted
    T3<TAB>CUE 88 94<TAB>сказал                   a cue; likewise SPEAKER
    R1<TAB>Cue Arg1:T2 Arg2:T3                    ties a content to its cue; likewise Speaker
    R2<TAB>Continuation Arg1:T2 Arg2:T9           the content T9 goes on with the quotation of T2
    #1<TAB>AnnotatorNotes T2<TAB>name: Нурсултан Назарбаев

Pieces with nothing but white space between them are one span: brat cuts what it marks at line ends. Events, attributes,
normalisations, equivalences and other relations say nothing about spans and quotations and are passed over. What could
not be taken (an entity with words between its pieces, a line that is no annotation) is listed in `meta["left_out"]`,
one line each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from govorit.article import CUE, KINDS, QUOTE_LABELS, SPEAKER, Article, Quote, Span
from govorit.errors import UserError
from govorit.formats import LEFT_OUT, files, make_folder, read_text, target, write_text
from govorit.formats.options import DEFAULTS, Options

_CONTENTS = {kind.upper(): kind for kind in KINDS}
_PARTS = {"Cue": CUE, "Speaker": SPEAKER}
_NOTE = "name: "

Pieces = tuple[tuple[int, int], ...]


def read(path: Path, options: Options = DEFAULTS) -> Iterator[Article]:
    for ann in _annotations(path):
        text = _text(ann)
        yield _Reader(ann, text).article()


def write(articles: Iterable[Article], path: Path, options: Options = DEFAULTS) -> None:
    """Write a pair of files for each article into the folder `path`; scores and `meta` have no place in them."""
    make_folder(path)
    taken: set[str] = set()
    for article in articles:
        txt = target(article, path, ".txt", taken)
        write_text(txt, article.text, article)
        write_text(txt.with_name(f"{article.id}.ann"), dump(article), article)


def dump(article: Article) -> str:
    """Write the annotation of one article as the body of its `.ann` file."""
    contents = [_content(quote, number, article) for number, quote in enumerate(article.quotes)]
    parts = {_mark(part) for quote in article.quotes for part in (quote.cue, quote.speaker) if part is not None}
    marks = sorted({*_entities(article), *contents, *parts})
    ids = {mark: f"T{number}" for number, mark in enumerate(marks, 1)}
    relations, notes = [], []
    for quote, content in zip(article.quotes, contents, strict=True):
        for relation, part in (("Cue", quote.cue), ("Speaker", quote.speaker)):
            if part is not None:
                relations.append(f"{relation} Arg1:{ids[content]} Arg2:{ids[_mark(part)]}")
        if quote.name is not None:
            notes.append(f"AnnotatorNotes {ids[content]}\t{_NOTE}{_one_line(quote.name, article)}")
    lines = [f"{ids[mark]}\t{_mark_line(mark, article)}" for mark in marks]
    lines += [f"R{number}\t{relation}" for number, relation in enumerate(relations, 1)]
    lines += [f"#{number}\t{note}" for number, note in enumerate(notes, 1)]
    return "".join(line + "\n" for line in lines)


def _annotations(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path.with_suffix(".ann")]
    found = files(path, ".ann")
    if not found:
        raise UserError(f"{path}: no .ann file in this folder; expected pairs of .txt and .ann")
    lone = sorted({text.stem for text in path.glob("*.txt")} - {ann.stem for ann in found})
    if lone:
        raise UserError(f"{path / lone[0]}.txt: has no {lone[0]}.ann beside it; add one (empty, if nothing is marked)")
    return found


def _text(ann: Path) -> str:
    text = ann.with_suffix(".txt")
    for file in (ann, text):
        if not file.is_file():
            other = text if file is ann else ann
            raise UserError(f"{file}: missing; expected it beside {other.name}")
    return read_text(text)


@dataclass
class _Reader:
    """What the lines of one `.ann` file say, T ids as keys."""

    ann: Path
    text: str
    lines: dict[str, int] = field(default_factory=dict)
    entities: list[Span] = field(default_factory=list)
    contents: dict[str, tuple[str, Pieces]] = field(default_factory=dict)
    parts: dict[str, Span] = field(default_factory=dict)
    ties: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    continues: dict[str, tuple[int, str]] = field(default_factory=dict)
    names: dict[str, tuple[int, str]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def article(self) -> Article:
        body = read_text(self.ann).removeprefix("\ufeff").split("\n")
        rows = [(number, line.removesuffix("\r")) for number, line in enumerate(body, 1)]
        rows = [(number, line) for number, line in rows if self._says_something(number, line)]
        # A relation may stand before what it ties.
        for letter, read_line in (("T", self._span), ("R", self._relation), ("#", self._note)):
            for number, line in rows:
                if line[0] == letter:
                    read_line(number, line)
        quotes = self._quotes()
        meta = {LEFT_OUT: "\n".join(self.left_out)} if self.left_out else {}
        return Article(self.ann.stem, self.text, tuple(self.entities), quotes, meta, where=str(self.ann))

    def _says_something(self, number: int, line: str) -> bool:
        if not line.strip():
            return False
        if re.match(r"([TREAMN#]\S+|\*)\t", line):
            return True
        if "\t" in line or re.match(r"[TREAMN#]\d|\*", line):
            expected = "an id such as T1, a tab, and what it marks"
            raise self._error(number, "id", f"found {line!r:.60}, expected {expected}; mend the line or remove it")
        # A note or text that was broken into lines: NEREL has one.
        self.left_out.append(f"{self.ann.name}:{number}: no annotation: {line!r:.60}")
        return False

    def _span(self, number: int, line: str) -> None:
        key, _, rest = line.partition("\t")
        place, tab, surface = rest.partition("\t")
        found = re.fullmatch(r"(\S+) ([0-9]+ [0-9]+(?:;[0-9]+ [0-9]+)*)", place)
        if not found or not tab:
            expected = "LABEL START END, a tab, and the text that stands there"
            raise self._error(number, key, f"found {rest!r:.60}, expected {expected}; mend the line")
        if key in self.lines:
            raise self._error(number, key, f"this id was already taken in line {self.lines[key]}; number them anew")
        self.lines[key] = number
        label, pieces = found[1], self._pieces(number, key, found[2])
        marked = _surface(pieces, self.text)
        if _flat(surface) != marked:
            said = f"found {surface!r:.60}, but the text has {marked!r:.60} at {found[2]}"
            raise self._error(number, key, f"{said}; the text or the offsets were changed: mark it anew")
        self._keep(number, key, label, tuple(sorted(pieces)))

    def _pieces(self, number: int, key: str, offsets: str) -> Pieces:
        pieces: list[tuple[int, int]] = []
        for piece in offsets.split(";"):
            # More than ten digits are no offset, and int() refuses thousands of them.
            start, end = (int(offset) if len(offset) <= 10 else len(self.text) + 1 for offset in piece.split(" "))
            if start >= end or end > len(self.text):
                expected = f"START before END, within the {len(self.text)} characters of the text"
                raise self._error(number, key, f"found the offsets {piece:.40}, expected {expected}; mend the offsets")
            pieces.append((start, end))
        ordered = sorted(pieces)
        if any(left[1] > right[0] for left, right in pairwise(ordered)):
            raise self._error(number, key, f"the pieces {offsets:.60} overlap; mend the offsets")
        return tuple(pieces)

    def _keep(self, number: int, key: str, label: str, pieces: Pieces) -> None:
        pieces = _joined(pieces, self.text)
        if label in _CONTENTS:
            self.contents[key] = (_CONTENTS[label], pieces)
        elif len(pieces) > 1 and label in QUOTE_LABELS:
            raise self._error(number, key, f"{label} in {len(pieces)} pieces, expected one; mark the nearest one only")
        elif len(pieces) > 1:
            self.left_out.append(f"{self.ann.name}:{number}: {label} in pieces: {_surface(pieces, self.text)!r:.60}")
        elif label in QUOTE_LABELS:
            self.parts[key] = Span(*pieces[0], label)
        else:
            self.entities.append(Span(*pieces[0], label))

    def _relation(self, number: int, line: str) -> None:
        key, _, rest = line.partition("\t")
        found = re.fullmatch(r"(\S+) Arg1:(\S+) Arg2:(\S+)\s*", rest)
        if not found:
            expected = "NAME Arg1:T1 Arg2:T2"
            raise self._error(number, key, f"found {rest!r:.60}, expected {expected}; mend the line")
        relation, first, second = found[1], found[2], found[3]
        for target_id in (first, second):
            # An argument may be an event (E1) as well.
            if target_id not in self.lines and not re.match(r"E\d", target_id):
                raise self._error(number, key, f"{target_id} is not in this file; remove the line, or add {target_id}")
        if relation in _PARTS:
            self._tie(number, key, relation, first, second)
        elif relation == "Continuation":
            self._continue(number, key, first, second)

    def _tie(self, number: int, key: str, relation: str, content: str, part: str) -> None:
        label = _PARTS[relation]
        if content not in self.contents or part not in self.parts or self.parts[part].label != label:
            expected = f"Arg1 a content ({', '.join(_CONTENTS)}) and Arg2 a {label}"
            raise self._error(number, key, f"found {relation} from {content} to {part}, expected {expected}; mend it")
        self._once(self.ties, (content, relation), part, number, key, f"{content} already has a {label}")

    def _continue(self, number: int, key: str, first: str, second: str) -> None:
        if first not in self.contents or second not in self.contents:
            raise self._error(number, key, f"Continuation from {first} to {second}, expected two contents; mend it")
        if self.contents[first][0] != self.contents[second][0]:
            kinds = f"{self.contents[first][0].upper()} and {self.contents[second][0].upper()}"
            raise self._error(number, key, f"{first} and {second} are {kinds}, expected one kind; give both the same")
        self._once(self.continues, second, first, number, key, f"{second} already continues another content")

    def _note(self, number: int, line: str) -> None:
        key, _, rest = line.partition("\t")
        about, tab, note = rest.partition("\t")
        found = re.fullmatch(r"(\S+) (\S+)", about)
        if not found or not tab:
            expected = "AnnotatorNotes T1, a tab, and the note"
            raise self._error(number, key, f"found {rest!r:.60}, expected {expected}; mend the line")
        content = found[2]
        if content[0] == "T" and content not in self.lines:
            raise self._error(number, key, f"{content} is not in this file; remove the note, or add {content}")
        if content in self.contents and note.startswith(_NOTE):
            self._once(self.names, content, note.removeprefix(_NOTE), number, key, f"{content} already has a name")

    def _once(self, table: dict, at: object, value: str, number: int, key: str, problem: str) -> None:
        if table.setdefault(at, (number, value))[1] != value:
            raise self._error(number, key, f"{problem} (line {table[at][0]}), expected one; remove one of them")

    def _quotes(self) -> tuple[Quote, ...]:
        chains: dict[str, list[str]] = {}
        for key in self.contents:
            chains.setdefault(self._head(key), []).append(key)
        quotes = [self._quote(keys) for keys in chains.values()]
        tied = {part for _, part in self.ties.values()}
        for key, span in self.parts.items():
            if key not in tied:
                relation = span.label.title()
                remedy = f"add a relation {relation} to its content, or remove it"
                raise self._error(self.lines[key], key, f"{span.label} that belongs to no quotation; {remedy}")
        return tuple(sorted(quotes, key=lambda quote: quote.content[0].start))

    def _head(self, key: str) -> str:
        seen = {key}
        while key in self.continues:
            number, before = self.continues[key]
            if before in seen:
                raise self._error(number, key, "Continuation goes round in a circle; remove one of its relations")
            seen.add(before)
            key = before
        return key

    def _quote(self, keys: list[str]) -> Quote:
        kind = self.contents[keys[0]][0]
        pieces = sorted(piece for key in keys for piece in self.contents[key][1])
        return Quote(
            kind=kind,
            content=tuple(Span(start, end, kind.upper()) for start, end in pieces),
            cue=self._part(keys, "Cue"),
            speaker=self._part(keys, "Speaker"),
            name=self._only([self.names[key] for key in keys if key in self.names], "name"),
        )

    def _part(self, keys: list[str], relation: str) -> Span | None:
        part = self._only([self.ties[key, relation] for key in keys if (key, relation) in self.ties], relation)
        return self.parts[part] if part else None

    def _only(self, found: list[tuple[int, str]], what: str) -> str | None:
        if len({value for _, value in found}) > 1:
            number, value = found[1]
            raise self._error(number, what, f"{value!r} and {found[0][1]!r} for one quotation, expected one; remove one")
        return found[0][1] if found else None

    def _error(self, number: int, key: str, message: str) -> UserError:
        return UserError(f"{self.ann}:{number}: {key}: {message}")


@dataclass(frozen=True, order=True)
class _Mark:
    pieces: Pieces
    label: str
    # Two entities, or two quotations, at one place keep a line each; a shared cue or speaker has one line.
    number: int = 0


def _entities(article: Article) -> Iterator[_Mark]:
    for number, span in enumerate(article.entities):
        if span.label in QUOTE_LABELS:
            where = article.where or article.id
            raise UserError(f"{where}: entities: the label {span.label} stands for quotations here; rename it")
        yield _Mark(((span.start, span.end),), span.label, number)


def _content(quote: Quote, number: int, article: Article) -> _Mark:
    if quote.kind not in KINDS:
        where = article.where or article.id
        raise UserError(f"{where}: quotes: kind {quote.kind!r}, expected one of {', '.join(KINDS)}")
    return _Mark(tuple(sorted((span.start, span.end) for span in quote.content)), quote.kind.upper(), number)


def _mark(part: Span) -> _Mark:
    return _Mark(((part.start, part.end),), part.label)


def _mark_line(mark: _Mark, article: Article) -> str:
    where = article.where or article.id
    bounds = [offset for piece in mark.pieces for offset in piece]
    rising = all(start < end for start, end in mark.pieces) and bounds == sorted(bounds)
    if not bounds or not rising or bounds[0] < 0 or bounds[-1] > len(article.text):
        raise UserError(f"{where}: {mark.label}: the offsets {bounds} do not fit the text; mend them")
    if not mark.label or any(char.isspace() for char in mark.label):
        raise UserError(f"{where}: label: found {mark.label!r}, expected a name without spaces; rename it")
    offsets = ";".join(f"{start} {end}" for start, end in mark.pieces)
    return f"{mark.label} {offsets}\t{_surface(mark.pieces, article.text)}"


def _joined(pieces: Pieces, text: str) -> Pieces:
    joined = [pieces[0]]
    for start, end in pieces[1:]:
        if text[joined[-1][1] : start].strip():
            joined.append((start, end))
        else:
            joined[-1] = (joined[-1][0], end)
    return tuple(joined)


def _surface(pieces: Pieces, text: str) -> str:
    return _flat(" ".join(text[start:end] for start, end in pieces))


def _flat(surface: str) -> str:
    return surface.replace("\n", " ").replace("\r", " ")


def _one_line(name: str, article: Article) -> str:
    if "\n" in name or "\r" in name:
        where = article.where or article.id
        raise UserError(f"{where}: name: {name!r:.60} has a line break, which a note cannot hold; remove it")
    return name
