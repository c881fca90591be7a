"""Articles in inline markup, one a `.txt` file: what a person writes and checks by eye.

    # id: a-001
    # title: Министры одобрили программу

    <LOC>Душанбе</LOC>. <q 1 direct>«Да»</q>, — <cue 1>сказал</cue> <src 1 name="Фаррух Назаров">он</src>.

Header lines are `# key: value`, `id` among them; the others become `meta`. The text begins after the empty line.

* `<PER>…</PER>`: an entity; any label of capital letters and `_`, none inside another.
* `<q 1 direct>…</q>`: a content; `<q 1 direct>` again for the next part of an interrupted quotation.
* `<cue 1>…</cue>`, `<cue 1,2>…</cue>`: a cue, of several quotations at once; `<src 1 name="…">…</src>`: a speaker.
* `<name 3="…"/>`: the name of a quotation without a speaker; it leaves no text.

`q`, `cue` and `src` never stand inside one another. In names `"`, `&`, `<` and `>` are written as in HTML: `&quot;`.

For short cases numbers may be left out: `<q>` is a quotation of its own, direct unless it says otherwise
(`<q indirect>`); `<cue>`, `<src>` and `<name ="…"/>` belong to the last such quotation before them, or, if that has a
cue (speaker, name) already or there is none, to the next.

    >>> parse('<PER>Иванов</PER> сказал: <q>«Да»</q>').entities
    (Span(start=0, end=6, label='PER', score=None),)
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from govorit.article import CUE, KINDS, SPEAKER, Article, Quote, Span, quote_spans
from govorit.errors import UserError
from govorit.formats import make_folder, read_each, read_text, target, write_text
from govorit.formats.options import DEFAULTS, Options

_TAG = re.compile(r"<(?P<close>/?)(?P<name>[A-Z][A-Z_]*|q|cue|src|name)(?P<rest>(?:[\s=][^<>]*)?)>|[<>]")
_HEADER = re.compile(r"# ([a-z_]+): ([^\n]*?)\r?\n")
_OPENING = re.compile(r"<(?:q|cue|src|[A-Z][A-Z_]+)(?:\s[^<>]*)?>")
_KIND = re.compile(rf"\s*(?P<numbers>\d+)?\s*(?P<kind>{'|'.join(KINDS)})?\s*")
_TIE = re.compile(r'\s*(?P<numbers>\d+(?:,\d+)*)?\s*(?:name="(?P<value>[^"]*)")?\s*')
_NAME = re.compile(r'\s*(?P<numbers>\d+(?:,\d+)*)?="(?P<value>[^"]*)"\s*/')


def read(path: Path, options: Options = DEFAULTS) -> Iterator[Article]:
    yield from read_each(path, ".txt", _read, options)


def write(articles: Iterable[Article], path: Path, options: Options = DEFAULTS) -> None:
    """Write one `.txt` for each article into the folder `path`; scores and `meta` of several lines have no place."""
    make_folder(path)
    taken: set[str] = set()
    for article in articles:
        write_text(target(article, path, ".txt", taken), _header(article) + dump(article), article)


def lacks_header(article: Article) -> bool:
    """Whether what was read as plain text has our tags in it: without the header nothing tells that they are markup."""
    return article.where.lower().endswith(".txt") and _OPENING.search(article.text) is not None


def parse(text: str, id: str = "article", where: str = "inline") -> Article:
    """Read the markup of a text without a header; nothing else of the text changes.

    Raises:
        UserError: with the line counted from the beginning of `text`.
    """
    return _Parser(text, where).article(id, {})


def dump(article: Article) -> str:
    """Write the text of `article` with its markup, without a header."""
    where = article.where or article.id
    stray = re.search("[<>]", article.text)
    if stray:
        raise UserError(f"{where}: text: {stray[0]!r} at character {stray.start()} reads as markup; use another format")
    pieces, position = [], 0
    open_tags: list[_Element] = []
    for element in [*_elements(article, where), None]:
        while open_tags and (element is None or open_tags[-1].end <= element.start):
            last = open_tags.pop()
            pieces += [article.text[position : last.end], last.closing]
            position = last.end
        if element is not None:
            _check_nesting(element, open_tags, where)
            pieces += [article.text[position : element.start], element.opening]
            position = element.start
            open_tags.append(element)
    return "".join((*pieces, article.text[position:]))


def _read(file: Path) -> Article:
    raw = read_text(file).removeprefix("\ufeff")
    fields, position, line = {}, 0, 1
    while header := _HEADER.match(raw, position):
        if header[1] in fields:
            raise UserError(f"{file}:{line}: {header[1]}: this header comes twice; keep one of them")
        fields[header[1]] = header[2]
        position, line = header.end(), line + 1
    empty = re.compile(r"\r?\n").match(raw, position)
    if not fields.get("id") or not empty:
        found = raw[position:].split("\n", 1)[0]
        expected = "'# id: …', then '# title: …', then an empty line"
        raise UserError(f"{file}:{line}: header: found {found!r:.60}, expected {expected}")
    return _Parser(raw[empty.end() :], str(file), line + 1).article(fields.pop("id"), fields)


def _header(article: Article) -> str:
    pairs = [("id", article.id), *((key, value) for key, value in article.meta.items() if key != "id")]
    return "".join(f"# {key}: {value}\n" for key, value in pairs if _fits(key, value)) + "\n"


def _fits(key: str, value: str) -> bool:
    header = _HEADER.fullmatch(f"# {key}: {value}\n")
    return header is not None and header.groups() == (key, value)


@dataclass
class _Draft:
    """A quotation while its parts are being gathered."""

    numbered: bool
    kind: str | None = None
    content: list[tuple[int, int]] = field(default_factory=list)
    parts: dict[str, Span] = field(default_factory=dict)
    name: str | None = None

    def quote(self) -> Quote:
        kind = self.kind or KINDS[0]
        content = tuple(Span(start, end, kind.upper()) for start, end in self.content)
        return Quote(kind, content, self.parts.get(CUE), self.parts.get(SPEAKER), self.name)


@dataclass
class _Tie:
    """A cue, a speaker or a name, and the numbers of the quotations that it belongs to (none: a neighbour's)."""

    tag: str
    numbers: list[int]
    span: Span | None
    name: str | None
    place: int  # in the text
    position: int  # in the markup


class _Parser:
    def __init__(self, body: str, where: str, first_line: int = 1) -> None:
        self.body, self.where, self.first_line = body, where, first_line
        self.text = ""
        self.open: list[tuple[str, str, int, int]] = []
        self.entities: list[Span] = []
        self.drafts: dict[int, _Draft] = {}
        self.ties: list[_Tie] = []

    def article(self, id: str, meta: Mapping[str, str]) -> Article:
        position = 0
        for tag in _TAG.finditer(self.body):
            self.text += self.body[position : tag.start()]
            position = tag.end()
            self._tag(tag)
        self.text += self.body[position:]
        if self.open:
            name, _, _, at = self.open[-1]
            raise self._error(at, f"<{name}> is never closed; add </{name}>")
        for tie in self.ties:
            self._attach(tie)
        quotes = sorted((draft.quote() for draft in self.drafts.values()), key=lambda quote: quote.content[0].start)
        entities = tuple(sorted(self.entities, key=lambda span: span.start))
        return Article(id, self.text, entities, tuple(quotes), dict(meta), where=self.where)

    def _tag(self, tag: re.Match[str]) -> None:
        name, rest, at = tag["name"], tag["rest"], tag.start()
        if name is None:
            raise self._error(at, f"a stray {tag[0]!r} that belongs to no tag; remove it, or mend the tag")
        if tag["close"]:
            self._close(name, rest, at)
        elif name == "name":
            found = self._attributes(_NAME, rest, at, '<name 1="…"/>')
            self._tie(name, found, None, at)
        else:
            inside = next((other for other, *_ in self.open if _layer(other) == _layer(name)), None)
            if inside:
                raise self._error(at, f"<{name}> inside <{inside}>, expected it outside; close <{inside}> before it")
            self.open.append((name, rest, len(self.text), at))

    def _close(self, name: str, rest: str, at: int) -> None:
        if not self.open or self.open[-1][0] != name or rest:
            expected = f"</{self.open[-1][0]}>" if self.open else "no closing tag"
            raise self._error(at, f"found </{name}{rest:.40}>, expected {expected}; close the tags in order")
        _, rest, start, at = self.open.pop()
        stretch = self.text[start:]
        if not stretch or stretch[0].isspace() or stretch[-1].isspace():
            problem = f"starts or ends with a space: {stretch!r:.60}; leave the space outside" if stretch else "is empty"
            raise self._error(at, f"<{name}> {problem}")
        end = len(self.text)
        if name == "q":
            self._content(self._attributes(_KIND, rest, at, "<q 1 direct> (or indirect, mixed)"), start, end, at)
        elif name in _PARTS:
            expected = '<src 1 name="…">' if name == "src" else "<cue 1>"
            found = self._attributes(_TIE, rest, at, expected)
            if name == "cue" and found["value"] is not None:
                raise self._error(at, f"found a name in <cue{rest:.40}>, expected {expected}; name the speaker")
            self._tie(name, found, Span(start, end, _PARTS[name]), at)
        elif rest:
            raise self._error(at, f"found <{name}{rest:.40}>, expected <{name}>; an entity has a label only")
        else:
            self.entities.append(Span(start, end, name))

    def _attributes(self, pattern: re.Pattern[str], rest: str, at: int, expected: str) -> re.Match[str]:
        # int() refuses numbers of thousands of digits.
        found = pattern.fullmatch(rest) if len(rest) < 1000 else None
        if found is None:
            raise self._error(at, f"found {rest.strip()!r:.60} in the tag, expected {expected}; mend the tag")
        return found

    def _content(self, found: re.Match[str], start: int, end: int, at: int) -> None:
        # Quotations without a number take negative ones, which no tag can name.
        number = int(found["numbers"]) if found["numbers"] else -1 - len(self.drafts)
        draft = self.drafts.setdefault(number, _Draft(found["numbers"] is not None))
        if draft.kind and found["kind"] and draft.kind != found["kind"]:
            raise self._error(at, f"quotation {number} is {found['kind']} here and {draft.kind} before; keep one kind")
        draft.kind = draft.kind or found["kind"]
        draft.content.append((start, end))

    def _tie(self, tag: str, found: re.Match[str], span: Span | None, at: int) -> None:
        numbers = [int(number) for number in found["numbers"].split(",")] if found["numbers"] else []
        value = found["value"]
        name = None if value is None else html.unescape(value)
        self.ties.append(_Tie(tag, numbers, span, name, span.start if span else len(self.text), at))

    def _attach(self, tie: _Tie) -> None:
        drafts = [self._numbered(number, tie) for number in tie.numbers] or [self._neighbour(tie)]
        for draft in drafts:
            if tie.span is not None and draft.parts.setdefault(tie.span.label, tie.span) != tie.span:
                raise self._error(tie.position, f"a second <{tie.tag}> for one quotation, expected one; remove one")
            if tie.name is not None and draft.name not in (None, tie.name):
                raise self._error(tie.position, f"the name {tie.name!r:.40} where {draft.name!r:.40} stood; keep one")
            draft.name = draft.name if tie.name is None else tie.name

    def _numbered(self, number: int, tie: _Tie) -> _Draft:
        if number not in self.drafts:
            raise self._error(tie.position, f"<{tie.tag} {number}>, but no <q {number}>; add it, or mend the number")
        return self.drafts[number]

    def _neighbour(self, tie: _Tie) -> _Draft:
        loose = [draft for draft in self.drafts.values() if not draft.numbered]
        before = [draft for draft in loose if draft.content[0][0] < tie.place]
        after = [draft for draft in loose if draft.content[0][0] >= tie.place]
        if before and not self._has(before[-1], tie):
            return before[-1]
        if after:
            return after[0]
        raise self._error(tie.position, f"<{tie.tag}> without a number, and no <q> for it; add <q>, or number both")

    @staticmethod
    def _has(draft: _Draft, tie: _Tie) -> bool:
        return draft.name is not None if tie.span is None else tie.span.label in draft.parts

    def _error(self, position: int, message: str) -> UserError:
        line = self.first_line + self.body.count("\n", 0, position)
        return UserError(f"{self.where}:{line}: markup: {message}")


_PARTS = {"cue": CUE, "src": SPEAKER}


def _layer(tag: str) -> str:
    return "quotes" if tag == "q" or tag in _PARTS else "entities"


@dataclass(frozen=True)
class _Element:
    """A stretch of text with the tags around it."""

    layer: str
    start: int
    end: int
    opening: str
    closing: str


def _elements(article: Article, where: str) -> list[_Element]:
    """List what is to be written, outermost first; at one place quotations stand around entities."""
    spans = [*quote_spans(article.quotes), *article.entities]
    for span in spans:
        stretch = article.text[max(span.start, 0) : span.end]
        if not 0 <= span.start < span.end <= len(article.text) or stretch != stretch.strip():
            raise UserError(f"{where}: {span.label} [{span.start}, {span.end}) is empty, out of range or edged with space")
    elements = [*_quote_elements(article.quotes, where), *(_entity_element(span, where) for span in article.entities)]
    return sorted(elements, key=lambda element: (element.start, -element.end))


def _entity_element(span: Span, where: str) -> _Element:
    if not re.fullmatch("[A-Z][A-Z_]*", span.label):
        raise UserError(f"{where}: entities: label {span.label!r:.40}, expected capital letters and '_'; rename it")
    return _Element("entities", span.start, span.end, f"<{span.label}>", f"</{span.label}>")


def _quote_elements(quotes: Sequence[Quote], where: str) -> Iterator[_Element]:
    shared: dict[Span, list[int]] = {}
    for number, quote in enumerate(quotes, 1):
        if quote.kind not in KINDS or not quote.content:
            found = f"{quote.kind!r:.40} with {len(quote.content)} contents"
            raise UserError(f"{where}: quotes: found {found}, expected {', '.join(KINDS)} with at least one")
        for part in (quote.cue, quote.speaker):
            if part is not None:
                shared.setdefault(Span(part.start, part.end, part.label), []).append(number)
    named: set[int] = set()
    for part, numbers in shared.items():
        tag, name = ("cue", None) if part.label == CUE else ("src", _common_name([quotes[n - 1] for n in numbers]))
        attribute = "" if name is None else f' name="{html.escape(name)}"'
        named.update(numbers if name is not None else ())
        opening = f"<{tag} {','.join(map(str, numbers))}{attribute}>"
        yield _Element("quotes", part.start, part.end, opening, f"</{tag}>")
    for number, quote in enumerate(quotes, 1):
        name = None if number in named else quote.name
        for i, span in enumerate(quote.content):
            loose = f'<name {number}="{html.escape(name)}"/>' if i == 0 and name is not None else ""
            yield _Element("quotes", span.start, span.end, f"<q {number} {quote.kind}>", "</q>" + loose)


def _common_name(quotes: Sequence[Quote]) -> str | None:
    names = {quote.name for quote in quotes}
    return names.pop() if len(names) == 1 else None


def _check_nesting(element: _Element, open_tags: Sequence[_Element], where: str) -> None:
    for outer in open_tags:
        if element.end > outer.end:
            problem = f"{outer.opening} and {element.opening} at character {element.start} cross"
        elif outer.layer == element.layer:
            problem = f"{element.opening} at character {element.start} stands inside {outer.opening}"
        else:
            continue
        raise UserError(f"{where}: markup: {problem}, which markup cannot hold; use another format")
