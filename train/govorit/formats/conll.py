"""Columns: one word a line with its tags, an empty line between sentences, `-DOCSTART-` between articles (CoNLL-2003, IOB2).

    # columns: token quote ner
    -DOCSTART-<TAB>O<TAB>O
    # id = a-001
    # text = "Иванов сказал: «Да»."
    # names = {"1": "Пётр Иванов"}
    Иванов<TAB>B-SPEAKER#1<TAB>B-PER
    сказал<TAB>B-CUE#1<TAB>O
    …

**Reading.** Columns stand apart by tabs or spaces. Which is which `columns` says (`token`, `ner`, `quote`, `-` for one passed over),
then the header line `# columns:`, and failing both the first is the token and the last the entities. An article begins at `-DOCSTART-`
(an id may follow it) and at `# id = …`; a file with neither is one article. Tags are IOB2, IOB1 or BIOES (BILOU), told for each column
from the whole file; a sequence that is none of them is reported with its line. Other lines that begin `# key = ` or `# key: ` are
comments, and so are those that begin `#` and have neither the columns nor the tag of a word. Without a `# text = ` under a `# columns:`
header, which only we write, the text is the tokens joined by single spaces: how they stood is lost.

A quotation's tags (`B-DIRECT`, `B-CUE`, …) say after `#` which quotations they belong to. Those without a number are tied by nearness
(:func:`govorit.nearness.tie`); a cue or speaker that is in no quotation then is reported. An article without a column of quotations (or of
entities) has `meta["layers"]` say so.

**Writing** keeps text, id, `meta`, entities, quotations with their links and, in `# names`, their speakers' names: our own files read
back exactly. Scores are lost. A span that cuts a word or overlaps another of its layer is refused: tags cannot hold it. Entities come in
the last column, where other programs look for them; an empty line stands at a line's end in the text, unless a span goes on across it.
With `columns` only the columns named there are written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from govorit import nearness
from govorit.article import CUE, KINDS, SPEAKER, Article, Quote, Span, quote_spans
from govorit.errors import UserError
from govorit.formats import create, files, read_text
from govorit.formats.options import DEFAULTS, Options
from govorit.formats.strict_json import one_line, parse
from govorit.words import OUTSIDE, encode, words

COLUMNS = ("token", "quote", "ner")
SUFFIXES = (".conll", ".iob", ".bio")
_START = "-DOCSTART-"
_COMMENT = re.compile(r"# ?(?P<key>[\w.:-]*\w)(?P<sign> ?= ?|: )(?P<value>.*)")
_NOTHING = ("-X-", "O", "_", "-", "-DOCID-", "")
_LAYERS = {"ner": "entities", "quote": "quotes"}
_NUMBERS = re.compile(r"(?P<label>.+?)(?:#(?P<numbers>[0-9]{1,9}(?:,[0-9]{1,9})*))?")


def read(path: Path, options: Options = DEFAULTS) -> Iterator[Article]:
    for file in files(path, *SUFFIXES):
        try:
            documents = _File(file, options).documents()
        except UserError as error:
            options.report(error)
            continue
        schemes = {column: _scheme(_sentences(documents, column)) for column in _LAYERS}
        for number, document in enumerate(documents, 1):
            name = options.stem(file) if len(documents) == 1 else f"{options.stem(file)}-{number}"
            try:
                article = _article(document, name, schemes, options)
            except UserError as error:
                options.report(error)
            else:
                yield article


def write(articles: Iterable[Article], path: Path, options: Options = DEFAULTS) -> None:
    columns = _checked(options.columns or COLUMNS, f"{path}: columns")
    with create(path) as file:
        file.write(f"# columns: {' '.join(columns)}\n")
        for article in articles:
            file.write(dump(article, columns, options))


def dump(article: Article, columns: Sequence[str] = COLUMNS, options: Options = DEFAULTS) -> str:
    """Write one article as its lines, without the header of the file."""
    where = article.where or article.id
    bounds = words(article.text)
    tags = {"ner": _tags(article.layer("entities"), bounds, article, "entities")}
    tags["quote"] = _tags(_numbered(article, options), bounds, article, "quotes")
    for span in (*article.entities, *_numbered(article, options)):
        if not re.fullmatch(r"\S+", span.label) or _mixed(span.label.partition("#")[0]):
            raise UserError(f"{where}: label: found {span.label!r:.40}, expected letters of one script without spaces; rename it")
    lines = ["\t".join((_START, *(OUTSIDE for _ in columns[1:])))]
    lines += [f"# id = {_plain(article.id)}", f"# text = {one_line(article.text)}"]
    names = {str(number): quote.name for number, quote in enumerate(article.quotes, 1) if quote.name is not None}
    lines += [f"# names = {one_line(names)}"] if names and "quote" in columns else []
    lines += [f"# meta = {one_line(dict(article.meta))}"] if article.meta else []
    last = 0
    for i, (start, end) in enumerate(bounds):
        if "\n" in article.text[last:start] and i and all(column[i][:2] != "I-" for column in tags.values()):
            lines.append("")
        token = article.text[start:end]
        lines.append("\t".join(token if column == "token" else tags.get(column, {i: "_"})[i] for column in columns))
        last = end
    return "\n".join((*lines, "", ""))


def _numbered(article: Article, options: Options) -> list[Span]:
    """The spans of the quotations, each once, with the numbers of its quotations after the label."""
    numbers: dict[Span, list[int]] = {}
    for number, quote in enumerate(article.quotes, 1):
        for span in (*quote.content, quote.cue, quote.speaker):
            if span is not None:
                label = options.name(span.label.lower()) if span.label.lower() in (*KINDS, "cue", "speaker") else span.label
                numbers.setdefault(Span(span.start, span.end, label), []).append(number)
    return [Span(s.start, s.end, f"{s.label}#{','.join(map(str, n))}") for s, n in sorted(numbers.items(), key=lambda item: item[0].start)]


def _tags(spans: Iterable[Span], bounds: Sequence[tuple[int, int]], article: Article, layer: str) -> dict[int, str]:
    tags, refused = encode(spans, bounds)
    for span in refused:
        problem = (
            f"{span.label} [{span.start}, {span.end}) {article.text[span.start : span.end]!r:.60} cuts a word or overlaps another span"
        )
        raise UserError(f"{article.where or article.id}: {layer}: {problem}, which columns cannot hold; mend it, or use another format")
    return dict(enumerate(tags))


def _plain(id: str) -> str:
    """An id as it is, or as JSON where a line could not give it back."""
    return id if id.isprintable() and id == id.strip() and id and id[0] != '"' else one_line(id)


class _Row(NamedTuple):
    line: int
    sentence: int
    token: str
    ner: str
    quote: str


@dataclass
class _Document:
    where: str
    columns: tuple[str, ...] = ()
    id: str | None = None
    named: bool = False  # by `# id`
    text: str | None = None
    names: dict[str, str] = field(default_factory=dict)
    meta: dict[str, str] = field(default_factory=dict)
    rows: list[_Row] = field(default_factory=list)
    broken: bool = False

    def begun(self) -> bool:
        return self.id is not None or self.text is not None or bool(self.rows) or self.broken


class _File:
    """Cuts one file into documents of rows."""

    def __init__(self, file: Path, options: Options) -> None:
        self.file, self.options = file, options
        self.columns = _checked(options.columns, "columns") if options.columns else ()
        self.ours = False
        self.found = [_Document(f"{file}:1")]
        self.sentence = 0

    def documents(self) -> list[_Document]:
        for number, line in enumerate(read_text(self.file).removeprefix("\ufeff").split("\n"), 1):
            line = line.removesuffix("\r")
            where = f"{self.file}:{number}"
            comment = _COMMENT.fullmatch(line)
            try:
                if not line.strip(" \t"):
                    self.sentence += 1
                elif comment:
                    self._comment(comment, where)
                elif line.startswith(_START):
                    self._start(line, where)
                elif not self._is_remark(line):
                    self._row(line, number, where)
            except UserError as error:
                self.options.report(error)
                self.found[-1].broken = True
        documents = [document for document in self.found if document.begun()]
        if not documents:
            raise UserError(f"{self.file}: no words in it; expected a word and its tags a line")
        return [document for document in documents if not document.broken]

    def _new(self, where: str) -> _Document:
        if self.found[-1].begun():
            self.found.append(_Document(where))
        self.sentence += 1
        self.found[-1].where = where
        return self.found[-1]

    def _start(self, line: str, where: str) -> None:
        document = self._new(where)
        rest = [part.strip("()") for part in _fields(line)[1:]]
        ids = [part for part in rest if part not in _NOTHING]
        document.id = ids[0] if len(ids) == 1 else None

    def _comment(self, comment: re.Match[str], where: str) -> None:
        key, value = comment["key"], comment["value"]
        if key == "columns" and ":" in comment["sign"] and not self.options.columns:
            self.columns = _checked(value.split(), f"{where}: columns")
            self.ours = True
        elif key == "columns":
            self.ours = True
        elif key == "id" and "=" in comment["sign"]:
            document = self.found[-1]
            if document.named or document.text is not None or document.rows:
                document = self._new(where)
            document.named = True
            document.id = self._value(value, str, where, key) if value[:1] == '"' else value
        elif key in ("text", "names", "meta") and self.ours:
            setattr(self.found[-1], key, self._value(value, str if key == "text" else dict, where, key))

    def _is_remark(self, line: str) -> bool:
        """Whether a line begins with a hash sign that is no word: it has neither a row's columns nor a tag at its end."""
        fields = _fields(line)
        return line[0] == "#" and len(fields) != len(self.columns) and _no_tag(fields[-1]) is not None

    def _value(self, value: str, expected: type, where: str, key: str) -> Any:
        found = parse(value.encode("utf-8"), f"{where}: {key}", "JSON on one line")
        strings = found.values() if isinstance(found, dict) else [found]
        if not isinstance(found, expected) or not all(isinstance(item, str) for item in strings):
            raise UserError(f"{where}: {key}: found {value!r:.60}, expected {'a string' if expected is str else 'an object of strings'}")
        return found

    def _row(self, line: str, number: int, where: str) -> None:
        fields = _fields(line)
        if not self.columns:
            if len(fields) < 2:
                raise UserError(f"{where}: found {line!r:.60}, expected a word and its tag, a tab or a space between them; mend the line")
            self.columns = ("token", *("-" for _ in fields[2:]), "ner")
        if len(fields) != len(self.columns):
            problem = f"found {len(fields)} columns in {line!r:.60}, expected {len(self.columns)}: {' '.join(self.columns)}"
            raise UserError(f"{where}: {problem}; mend the line, or name the columns")
        found = dict(zip(self.columns, fields, strict=True))
        if not found["token"].strip():
            raise UserError(f"{where}: token: nothing stands there, expected a word; mend the line")
        document = self.found[-1]
        document.columns = self.columns
        document.rows.append(_Row(number, self.sentence, found["token"], found.get("ner", OUTSIDE), found.get("quote", OUTSIDE)))


def _checked(columns: Sequence[str], where: str) -> tuple[str, ...]:
    known = (*COLUMNS, "-")
    for name in columns:
        if name not in known:
            raise UserError(f"{where}: {name!r:.40} is no column; expected {', '.join(known)}")
    doubled = [name for name in COLUMNS if columns.count(name) > 1]
    if doubled or "token" not in columns:
        raise UserError(f"{where}: found {' '.join(columns):.60}, expected one column token, and ner and quote at most once")
    return tuple(columns)


def _fields(line: str) -> list[str]:
    # str.split() would split at the no-break spaces inside a token as well.
    return line.split("\t") if "\t" in line else re.split(" +", line.strip(" "))


# Tags


def _sentences(documents: Iterable[_Document], column: str) -> Iterator[list[str]]:
    for document in documents:
        tags: list[str] = []
        sentence = -1
        for row in document.rows:
            if row.sentence != sentence and tags:
                yield tags
                tags = []
            sentence = row.sentence
            tags.append(getattr(row, column))
        yield tags


def _scheme(sentences: Iterable[list[str]]) -> str:
    """Tell BIOES by its E- and S-, IOB1 by a B- that comes only where two spans of one label touch, and IOB2 otherwise."""
    orphan = early = False
    for tags in sentences:
        before = OUTSIDE
        for tag in tags:
            if re.match("[ESLU]-", tag):
                return "BIOES"
            touching = before != OUTSIDE and before[2:] == tag[2:]
            orphan |= tag[:2] == "I-" and not touching
            early |= tag[:2] == "B-" and not touching
            before = tag
    return "IOB1" if orphan and not early else "IOB2"


_BILOU = {"L": "E", "U": "S"}


def _spans(document: _Document, bounds: Sequence[tuple[int, int]], column: str, scheme: str, options: Options) -> list[Span]:
    """Read one column as spans; what is no tag, and a tag that cannot stand where it stands, is reported and counts as O."""
    file = document.where.rpartition(":")[0]
    found: list[Span] = []
    before, sentence, opened, line = OUTSIDE, -1, False, 0

    def refuse(at: int, problem: str) -> None:
        options.report(UserError(f"{file}:{at}: {column}: {problem:.500}"))

    def never_ended() -> None:
        if opened and scheme == "BIOES":
            refuse(line, f"found {before:.60} where its span breaks off, expected an E-{before[2:]:.60}; mend the tag")
            found.pop()

    for row, (start, end) in zip(document.rows, bounds, strict=True):
        tag = getattr(row, column)
        if row.sentence != sentence:
            never_ended()
            before, opened = OUTSIDE, False
        sentence = row.sentence
        if problem := _no_tag(tag):
            refuse(row.line, problem)
            tag = OUTSIDE
        prefix, label = _BILOU.get(tag[0], tag[0]), tag[2:]
        goes_on = opened and before[2:] == label
        if tag != OUTSIDE and prefix in "IE" and not goes_on and scheme != "IOB1":
            expected = f"S-{label}" if prefix == "E" else f"B-{label}"
            after = f"{before:.60}" if opened else "no span that goes on"
            refuse(row.line, f"found {tag:.60} after {after}, expected {expected:.60}; mend the tag ({scheme})")
            tag = OUTSIDE
        if tag != OUTSIDE and prefix in "IE" and goes_on:
            found[-1] = Span(found[-1].start, end, label)
            opened = prefix != "E"
        else:
            never_ended()
            opened = tag != OUTSIDE and prefix != "S"
            if tag != OUTSIDE:
                found.append(Span(start, end, label))
        before, line = tag, row.line
    never_ended()
    return found


def _no_tag(tag: str) -> str | None:
    """What is wrong with a tag by itself: an unknown prefix, or letters of another alphabet that look like the right ones."""
    if tag == OUTSIDE or (re.fullmatch(r"[BIESLU]-\S+", tag) and not _mixed(tag[2:].partition("#")[0])):
        return None
    for letter in tag if _mixed(tag) else tag[:1]:
        if "CYRILLIC" in unicodedata.name(letter, ""):
            return f"found {tag!r:.60}, whose {letter!r} is the {unicodedata.name(letter).title()}; write it with a Latin letter"
    return f"found {tag!r:.60}, expected O or a tag such as B-PER; mend the tag, or name the columns"


def _mixed(label: str) -> bool:
    return re.search("[A-Za-z]", label) is not None and re.search("[\u0400-\u052f]", label) is not None


# Articles


def _article(document: _Document, name: str, schemes: dict[str, str], options: Options) -> Article:
    where = document.where
    text, bounds = _aligned(document) if document.text is not None else _joined(document)
    entities = _spans(document, bounds, "ner", schemes["ner"], options)
    parts = _spans(document, bounds, "quote", schemes["quote"], options)
    quotes = _quotes(parts, document.names, text, f"{where}: quote", options)
    meta = dict(document.meta)
    absent = [layer for column, layer in _LAYERS.items() if document.columns and column not in document.columns]
    if absent and "layers" not in meta:
        meta["layers"] = " ".join(layer for layer in _LAYERS.values() if layer not in absent)
    return Article(name if document.id is None else document.id, text, tuple(entities), quotes, meta, where=where)


def _joined(document: _Document) -> tuple[str, list[tuple[int, int]]]:
    bounds, end = [], -1
    for row in document.rows:
        bounds.append((end + 1, end + 1 + len(row.token)))
        end = bounds[-1][1]
    return " ".join(row.token for row in document.rows), bounds


def _aligned(document: _Document) -> tuple[str, list[tuple[int, int]]]:
    """Find the tokens in the text one after the other; nothing but white space and what no word holds may stand between them."""
    text, bounds, position = document.text or "", [], 0
    for row in [*document.rows, None]:
        start = len(text) if row is None else text.find(row.token, position)
        gap = text[position:start] if start >= 0 else "?"
        if gap.strip() and words(gap):
            found = "the end" if row is None else repr(row.token[:60])
            line = document.where if row is None else f"{document.where.rpartition(':')[0]}:{row.line}"
            problem = f"found {found} where the text goes on with {text[position : position + 40]!r}"
            raise UserError(f"{line}: token: {problem}; the words or the text were changed: mend them, or remove '# text'")
        if row is not None:
            position = start + len(row.token)
            bounds.append((start, position))
    return text, bounds


@dataclass
class _Draft:
    content: list[Span]
    parts: dict[str, Span] = field(default_factory=dict)


def _quotes(found: Sequence[Span], names: dict[str, str], text: str, where: str, options: Options) -> tuple[Quote, ...]:
    drafts: dict[str, _Draft] = {}
    parts: list[tuple[Span, list[str]]] = []
    untied: list[Span] = []
    for span in found:
        split = _NUMBERS.fullmatch(span.label)
        label = options.label(split["label"]) if split else None
        if split is None or label is None:
            expected = ", ".join(map(options.name, (*KINDS, "cue", "speaker")))
            options.report(UserError(f"{where}: found the label {span.label!r:.40}, expected one of {expected}; mend it, or give `names`"))
            continue
        ours = Span(span.start, span.end, label)
        numbers = [str(int(n)) for n in split["numbers"].split(",")] if split["numbers"] else []
        if not numbers:
            untied.append(ours)
        elif label in (CUE, SPEAKER):
            parts.append((ours, numbers))
        else:
            draft = drafts.setdefault(numbers[0], _Draft([]))
            if len(numbers) > 1 or (draft.content and draft.content[0].label != label):
                problem = f"{span.label:.60} [{ours.start}, {ours.end}) is of several quotations or kinds, expected one; number them anew"
                options.report(UserError(f"{where}: {problem}"))
            else:
                draft.content.append(ours)
    drafts = {key: draft for key, draft in drafts.items() if draft.content}
    quotes = nearness.tie(untied, text)
    tied = quote_spans(quotes)

    def refuse(part: Span, problem: str) -> None:
        stands = f"{part.label} {text[part.start : part.end]!r:.60} at {part.start}"
        options.report(UserError(f"{where}: {stands} {problem}; tag the content, or remove it"))

    for part in untied:
        if part not in tied:
            refuse(part, "stands near no content that is free")
    for part, numbers in parts:
        for key in numbers:
            if key not in drafts or drafts[key].parts.setdefault(part.label, part) != part:
                refuse(part, f"belongs to the quotation {key}, which is not there or has one")
    for key in names.keys() - drafts.keys():
        options.report(UserError(f"{where}: names: there is no quotation {key!r:.40}; remove its name"))
    quotes += [
        Quote(draft.content[0].label.lower(), tuple(draft.content), draft.parts.get(CUE), draft.parts.get(SPEAKER), names.get(key))
        for key, draft in sorted(drafts.items(), key=lambda item: int(item[0]))
    ]
    return tuple(sorted(quotes, key=lambda quote: quote.content[0].start))
