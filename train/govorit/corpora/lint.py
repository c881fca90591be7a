"""Problems of annotated articles: each one line, `where: field: what was found, what was expected, how to mend it`.

The reader of a format has already refused what is not that format; here stands what no format may say (an error: nothing is trained on
it), and what is allowed and yet seldom meant (a warning, one of WARNINGS).
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from itertools import chain

from govorit.article import KINDS, LAYERS, Article, Quote, Span
from govorit.errors import UserError
from govorit.formats import LEFT_OUT, inline
from govorit.words import words

ERROR, WARNING = "error", "warning"
WARNINGS = frozenset(
    (
        *("bom", "control", "invisible", "replacement", "markup", "decomposed", "mixed-scripts"),  # the text
        *("no-header", "split-word", "kind-marks", "unbalanced", "far", "left-out"),  # what is marked on it
        *("rare-label", "duplicate", "near-duplicate"),  # the corpus
    )
)
FEW = 10  # spans of a label: with fewer it is not learned
FAR = 1000  # characters from a cue or speaker to the nearest content: with more it was tied to the wrong one
LABELS = frozenset(("PER", "LOC", "ORG", "MISC", "PERSON", "LOCATION", "ORGANIZATION"))  # meant by labels in look-alike letters
_AVERAGES = ("micro", "macro")


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of a corpus. `where` is `file` or `file:line`, `field` a part of the article, `code` the kind of problem in a word."""

    where: str
    field: str
    message: str
    severity: str = ERROR
    code: str = "format"

    def __str__(self) -> str:
        return " ".join(": ".join(part for part in (self.where, self.field, self.message) if part).split("\n"))


Finding = tuple[str, str, str]  # code, field, message


def check(articles: Iterable[Article]) -> None:
    """Refuse a corpus that has errors; warnings stop nothing.

    Raises:
        UserError: the first error, and how many more there are.
    """
    articles = list(articles)
    known = _known(articles)
    found = [_problem(article, finding) for article in articles for finding in _errors(article, None, known)] + list(_ids(articles))
    if found:
        more = f" (and {len(found) - 1} more problems)" if len(found) > 1 else ""
        raise UserError(f"{found[0]}{more}")


def bare(article: Article) -> Article:
    """The article with nothing marked on it, to be read.

    Raises:
        UserError: its text is broken. An empty one has nothing in it, which is no mistake here.
    """
    article = replace(article, entities=(), quotes=())
    if article.text.strip():
        check([article])
    return article


def corpus_problems(articles: Sequence[Article], labels: Collection[str] | None = None, splits: Sequence[str] = ()) -> Iterator[Problem]:
    """List what is wrong with each article, then what is wrong between them.

    `labels` are the entity labels that may occur; `splits` names the split that each article is given in, nothing where none is given.
    """
    known = _known(articles)
    for article in articles:
        yield from problems(article, labels, known)
    yield from _ids(articles)
    yield from _rare(articles)
    yield from _copies(articles, splits or [""] * len(articles))


def problems(article: Article, labels: Collection[str] | None = None, known: Collection[str] = LABELS) -> Iterator[Problem]:
    """List what is wrong with one article, errors first.

    >>> for problem in problems(Article("a", "Да", (Span(0, 9, "PER"),), where="a.jsonl:1")): print(problem)
    a.jsonl:1: entities: PER [0, 9) ends after the text, which has 2 characters; mend the offsets
    """
    yield from (_problem(article, finding) for finding in chain(_errors(article, labels, known), _warnings(article)))
    yield from _left_out(article)


def _problem(article: Article, finding: Finding) -> Problem:
    code, field, message = finding
    return Problem(article.where or article.id, field, message, WARNING if code in WARNINGS else ERROR, code)


def _errors(article: Article, labels: Collection[str] | None, known: Collection[str]) -> Iterator[Finding]:
    text = article.text
    if not article.id.strip():
        yield "id", "id", f"found {article.id!r:.40}, expected a name; give every article an id of its own"
    if not text.strip():
        yield "empty-text", "text", "empty article; remove it"
    if half := _HALVES.search(text):
        yield "surrogate", "text", f"half a surrogate pair at character {half.start()}; mend the encoding of the source"
    for quote in article.quotes:
        if quote.kind not in KINDS:
            yield "kind", "quotes", f"kind {quote.kind!r}, expected one of {', '.join(KINDS)}"
        if quote.name is not None and (not quote.name.strip() or len(re.split(r"[\r\n]", quote.name)) > 1):
            yield "name", "quotes", f"name {quote.name!r:.60}, expected a name on one line, or none; mend it, or make it null"
    for label, spans in _by_label(article.entities).items():
        first = f"{_cite(spans[0], text)}{f' (and {len(spans) - 1} more)' if len(spans) > 1 else ''}"
        for code, message in _label(label, labels, known):
            yield code, "entities", f"{first}: the label {label!r} {message}"
        if not article.covers(label):
            yield "uncovered", "entities", f"{first}: the label {label!r} is not in meta.covers; name it there, or remove the span"
    yield from _shared(article)
    for layer in LAYERS:
        sound = []
        for span in article.layer(layer):
            found = next(_place(span, text), None)
            if found:
                yield found[0], layer, f"{_name(span)} {found[1]}"
            if not found or found[0] not in ("offsets", "reversed", "empty-span"):
                sound.append(span)
        outermost = ", or read with --nested outermost (in training data.sources.NAME.nested=outermost)"
        remedy = f"keep one of them{outermost if layer == 'entities' else ''}"
        yield from (("overlap", layer, f"{both} overlap; one layer is flat: {remedy}") for both in _overlaps(sound, text))


def _warnings(article: Article) -> Iterator[Finding]:
    headless = inline.lacks_header(article)
    yield from ((code, "text", message) for code, message in _text(article.text) if not (headless and code == "markup"))
    if headless:
        yield "no-header", "text", "looks like inline markup, and is read as plain text; begin the file with '# id: …' and an empty line"
    for layer in LAYERS:
        for span in article.layer(layer):
            if (message := _split(span, article.text)) and next(_place(span, article.text), None) is None:
                yield "split-word", layer, f"{_name(span)} {message}"
    quotes = [quote for quote in article.quotes if quote.content and all(_inside(span, article.text) for span in quote.content)]
    for code, message in (*_marks(quotes, article.text), *_contradictions(quotes, article.text), *_far(quotes)):
        yield code, "quotes", message


def _left_out(article: Article) -> Iterator[Problem]:
    """What the reader of a format could not take and did not refuse, `FILE:LINE: what` a line, FILE beside that of the article."""
    for line in filter(None, article.meta.get(LEFT_OUT, "").split("\n")):
        place = re.match(r"([^/:]+:[0-9]+): (?:([\w.*#-]+): )?", line)
        folder = "".join(article.where.rpartition("/")[:2])
        where = f"{folder}{place[1]}" if place else article.where or article.id
        field, what = (place[2] or "", line[place.end() :]) if place else ("", line)
        yield Problem(where, field, f"left out on reading: {what}; it is not learned: mark it anew, or let it go", WARNING, "left-out")


# Text

_HALVES = re.compile("[\ud800-\udfff]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_LATIN, _CYRILLIC, _GREEK = "A-Za-z\u00c0-\u024f", "\u0400-\u052f", "\u0370-\u03ff"
_SEAM = re.compile(f"[{_LATIN}][{_CYRILLIC}]|[{_CYRILLIC}][{_LATIN}]")
_SCRIPTS = {"Latin": re.compile(f"[{_LATIN}]"), "Cyrillic": re.compile(f"[{_CYRILLIC}]"), "Greek": re.compile(f"[{_GREEK}]")}
_INVISIBLE = re.compile(r"[\u00ad\u200b\u200c\u200e\u200f\u2060]|\u200d(?=\w)")  # U+200D also joins the parts of an emoji
_MARKUP = re.compile(r"&(?:[A-Za-z]{2,8}|#[0-9]{2,6}|#[xX][0-9A-Fa-f]{2,5});|</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>")
_LONGEST = 60  # characters of a word, or of a quotation, in a message
# Cyrillic and Greek letters, and the Latin ones that nobody can tell from them.
_LOOKALIKES = str.maketrans(
    "АВЕЅІЈКМНОРСТУХӀԚԜаеѕіјорсухһԁ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο",
    "ABESIJKMHOPCTYXIQWaesijopcyxhd" + "ABEZHIKMNOPTYXo",
)


def _text(text: str) -> Iterator[tuple[str, str]]:
    if "\ufeff" in text:
        yield (
            "bom",
            f"{_first(text, chr(0xFEFF), 'byte order mark')}; offsets of other programs may not count it: remove it from the source",
        )
    if controls := _CONTROLS.findall(text):
        yield "control", f"{_first(text, controls[0], 'control character', len(controls))}; remove it from the source"
    if invisible := _INVISIBLE.findall(text):
        found = _first(text, invisible[0], "invisible character", len(invisible))
        yield "invisible", f"{found}; words with it are others to the model: remove it from the source"
    if markup := _MARKUP.findall(text):
        more = f", the first of {len(markup)}," if len(markup) > 1 else ""
        found = f"{markup[0]!r:.60} at character {text.index(markup[0])}{more} is markup of the web"
        yield "markup", f"{found}, expected plain text; decode it in the source and mark it anew"
    if "\ufffd" in text:
        yield "replacement", f"{_first(text, chr(0xFFFD), 'replacement character')}: letters were lost; read the source in its own encoding"
    if not unicodedata.is_normalized("NFC", text):
        yield "decomposed", _decomposed(text)
    yield from (("mixed-scripts", message) for message in _mixed(text))


def _first(text: str, char: str, name: str, count: int = 0) -> str:
    count = count or text.count(char)
    more = f", the first of {count}" if count > 1 else ""
    return f"{name} U+{ord(char):04X} at character {text.index(char)}{more}"


def _decomposed(text: str) -> str:
    bare = [i for i, char in enumerate(text) if not char.isascii() and not unicodedata.is_normalized("NFC", text[max(0, i - 1) : i + 1])]
    at = max(0, bare[0] - 1) if bare else 0
    letter = text[at : at + 2]
    codes = " + ".join(f"U+{ord(char):04X}" for char in letter)
    found = f"{unicodedata.normalize('NFC', letter)!r} at character {at} is written as {codes} ({max(1, len(bare))} such)"
    return f"{found}, expected composed letters; bring the source to NFC and mark it anew, since offsets move"


def _mixed(text: str) -> Iterator[str]:
    places: dict[str, list[int]] = {}
    end = 0
    for seam in _SEAM.finditer(text):
        start = seam.start()
        if start < end:
            continue
        while start > max(end, seam.start() - _LONGEST) and text[start - 1].isalpha():
            start -= 1
        end = seam.end()
        while end < min(len(text), seam.end() + _LONGEST) and text[end].isalpha():
            end += 1
        places.setdefault(text[start:end], []).append(start)
    for word, starts in places.items():
        count = f" and {len(starts) - 1} more times" if len(starts) > 1 else ""
        yield f"the word {word!r} at character {starts[0]}{count} has {_foreign(word)} in it; write it in one script"


def _foreign(word: str) -> str:
    """Name the letters of the script that has fewest in `word`."""
    letters = {script: pattern.findall(word) for script, pattern in _SCRIPTS.items()}
    script = min((script for script in letters if letters[script]), key=lambda script: len(letters[script]))
    distinct = dict.fromkeys(letters[script])
    return f"the {script} letter{'s' if len(distinct) > 1 else ''} {', '.join(f'{c} (U+{ord(c):04X})' for c in distinct)}"


# Labels


def _by_label(spans: Iterable[Span]) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = {}
    for span in spans:
        found.setdefault(span.label, []).append(span)
    return found


def _known(articles: Iterable[Article]) -> frozenset[str]:
    """The labels that one in look-alike letters may have been meant to be: the usual ones, and those of the corpus in plain letters."""
    return LABELS.union(span.label for article in articles for span in article.entities if span.label.isascii())


def _label(label: str, labels: Collection[str] | None, known: Collection[str]) -> Iterator[tuple[str, str]]:
    if not label or any(char.isspace() for char in label):
        yield "label", "is no name, expected one without spaces; rename it"
    elif label in _AVERAGES:
        yield "reserved-label", "is what reports call an average, expected another name; rename it"
    elif message := _homoglyphs(label, known if labels is None else labels):
        yield "homoglyph-label", message
    elif labels is not None and label not in labels:
        near = get_close_matches(label.upper(), labels, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(labels)};"
        yield "unknown-label", f"is not known; {hint} rename it, or add it to the labels"


def _homoglyphs(label: str, known: Collection[str]) -> str:
    plain = label.translate(_LOOKALIKES)
    if label.isascii() or label in known:
        return ""
    if plain.isascii() and (plain in known or _SCRIPTS["Latin"].search(label)):
        strange = dict.fromkeys(char for char, other in zip(label, plain, strict=True) if char != other)
        script = {char: next(name for name, pattern in _SCRIPTS.items() if pattern.match(char)) for char in strange}
        letters = ", ".join(f"the {script[char]} {char} (U+{ord(char):04X})" for char in strange)
        return f"has {letters}, expected {plain!r} in Latin letters; rename it"
    if any(sum(map(bool, (pattern.search(run) for pattern in _SCRIPTS.values()))) > 1 for run in re.findall(r"[^\W\d_]+", label)):
        return f"has {_foreign(label)} in it, expected letters of one script; rename it"
    return ""


# Spans


_FIRST_MARK = "\u0300"  # of all combining marks


def _name(span: Span) -> str:
    return f"{span.label} [{span.start}, {span.end})"


def _cite(span: Span, text: str) -> str:
    return f"{_name(span)} {text[span.start : span.end]!r:.60}"


def _inside(span: Span, text: str) -> bool:
    return 0 <= span.start < span.end <= len(text)


def _place(span: Span, text: str) -> Iterator[tuple[str, str]]:
    start, end = span.start, span.end
    if start < 0:
        yield "offsets", "starts before the text; mend the offsets"
    elif end > len(text):
        yield "offsets", f"ends after the text, which has {len(text)} characters; mend the offsets"
    elif start == end:
        yield "empty-span", "is empty; remove it"
    elif start > end:
        yield "reversed", "is reversed; mend the offsets"
    elif text[start].isspace() or text[end - 1].isspace():
        yield "space", f"starts or ends with a space: {text[start:end]!r:.60}; leave the space outside"
    else:
        for edge in (start, end):
            if what := _splits(edge, text):
                yield "splits-character", f"splits {what} at character {edge}; move its edge"


def _splits(edge: int, text: str) -> str:
    """What of one character `text[:edge]` and `text[edge:]` tear apart, or nothing."""
    if not 0 < edge < len(text) or text[edge] < _FIRST_MARK:
        return ""
    if "\ud800" <= text[edge - 1] < "\udc00" <= text[edge] <= "\udfff":
        return "a surrogate pair"
    if unicodedata.category(text[edge])[0] == "M" and _word_at(edge, text):
        return f"{text[edge - 1]!r} from its combining mark U+{ord(text[edge]):04X}"
    return ""


@lru_cache(maxsize=1)
def _bounds(text: str) -> tuple[list[int], frozenset[int], frozenset[int], list[tuple[int, int]]]:
    bounds = words(text)
    starts = [start for start, _ in bounds]
    return starts, frozenset(starts), frozenset(end for _, end in bounds), bounds


def _word_at(edge: int, text: str) -> str:
    """The word that `edge` lies inside, or nothing."""
    starts, _, _, bounds = _bounds(text)
    start, end = bounds[max(0, bisect_right(starts, edge) - 1)] if bounds else (0, 0)
    return text[start:end] if start < edge < end else ""


def _split(span: Span, text: str) -> str:
    """Say how the edges of a span miss those of words: such a span cannot be tagged."""
    _, starts, ends, _ = _bounds(text)
    if span.start in starts and span.end in ends:
        return ""
    said = []
    for verb, edge, right in (("starts", span.start, span.start in starts), ("ends", span.end, span.end in ends)):
        if not right:
            word = _word_at(edge, text)
            said.append(f"{verb} inside the word {word!r:.60}" if word else f"{verb} with an invisible character")
    return (
        f"{text[span.start : span.end]!r:.60} {' and '.join(said)}; it is lost in training: move it to the edges of words, or mend the text"
    )


def _overlaps(spans: Sequence[Span], text: str) -> Iterator[str]:
    last: Span | None = None
    for span in spans:
        if last is not None and last.overlaps(span):
            yield f"{_cite(last, text)} and {_cite(span, text)}"
        if last is None or span.end > last.end:
            last = span


# Quotations

_CLOSING = {"«": "»", "„": "“”", "“": "”", '"': '"'}
_OPENING = "«„“\"'‘‹”"  # what may open a quotation: ” does in some hands
_DASHES = "-–—―−:"
_QUOTED = re.compile('[«„“"]([^«»„“”"]+)[»”“"]')


def _shared(article: Article) -> Iterator[Finding]:
    contents = Counter(span for quote in article.quotes for span in quote.content)
    for span, count in contents.items():
        if count > 1:
            yield "same-content", "quotes", f"the content {_cite(span, article.text)} comes {count} times; keep one of them"


def _marks(quotes: Iterable[Quote], text: str) -> Iterator[tuple[str, str]]:
    """Quotations whose marks do not pair. Two quotations that share one pair (`«Да, — сказал он и добавил: — нет»`) are sound."""
    ordered = sorted(quotes, key=lambda quote: quote.content[0].start)
    bodies = ["".join(text[span.start : span.end] for span in quote.content) for quote in ordered]
    odd = [_unpaired(body) for body in bodies]
    pairs = [(i, i + 1) for i in range(len(odd) - 1) if odd[i] and odd[i + 1] and not _unpaired(bodies[i] + bodies[i + 1])]
    shared = set(chain.from_iterable(pairs))
    for i, (quote, mark) in enumerate(zip(ordered, odd, strict=True)):
        if mark and i not in shared:
            expected = "expected both marks of a pair; take in the other one, or mend the text"
            yield "unbalanced", f"{_cite(quote.content[0], text)} has the quotation mark {mark} without its other half, {expected}"


def _unpaired(body: str) -> str:
    """The first quotation mark that has no partner, or nothing. One closing mark may close two, as in `«Доклад «Росстата»`."""
    opened: list[str] = []
    for char in body:
        if opened and char in _CLOSING[opened[-1]]:
            opened.pop()
        elif char in _CLOSING:
            opened.append(char)
        elif char in "»”":
            return char
    doubled = len(opened) == 1 and len(body) > 1 and body[0] == opened[0] and body[-1] in _CLOSING[opened[0]]
    return opened[0] if opened and not doubled else ""


def _contradictions(quotes: Iterable[Quote], text: str) -> Iterator[tuple[str, str]]:
    """Kinds that the marks speak against; of the quotations of data/newsroom and data/quotes not one."""
    for quote in quotes:
        first = quote.content[0]
        body = " ".join(text[span.start : span.end] for span in quote.content)
        if quote.kind == "direct" and body[0] not in _OPENING and not _introduced(first, text):
            message = "is direct, but stands in no quotation marks and after no dash, colon or line break; mark it as indirect or mixed"
        elif quote.kind == "indirect" and _wrapped(body):
            message = "is indirect, but stands wholly in quotation marks; mark it as direct"
        elif quote.kind == "indirect" and (fragment := _fragment(body)):
            message = f"is indirect, but has {fragment!r:.60} in quotation marks; mark it as mixed"
        elif quote.kind == "mixed" and not any(mark in body for mark in _CLOSING):
            message = "is mixed, but has no quotation marks in it; mark it as indirect, or take the marks in"
        else:
            continue
        yield "kind-marks", f"{_cite(first, text)} {message}"


def _fragment(body: str) -> str:
    """The first stretch of three words or more in quotation marks that has no capital, as the titles of laws and films have."""
    return next((part for part in _QUOTED.findall(body) if part.islower() and len(part.split()) > 2), "")


def _introduced(span: Span, text: str) -> bool:
    """Whether a mark, a dash, a colon or a line break, or nothing at all, stands before a span."""
    before = text[max(0, span.start - 100) : span.start].rstrip(" \t\u00a0\u202f'")[-1:]
    return not before or before in _OPENING + _DASHES or before.isspace()


def _wrapped(body: str) -> bool:
    """Whether the mark that opens `body` is closed at its very end and not before."""
    opened: list[str] = []
    for i, char in enumerate(body):
        if opened and char in _CLOSING[opened[-1]]:
            opened.pop()
        elif char in _CLOSING:
            opened.append(char)
        if not opened:
            return i == len(body) - 1 > 0
    return False


def _far(quotes: Iterable[Quote]) -> Iterator[tuple[str, str]]:
    for quote in quotes:
        for part in (quote.cue, quote.speaker):
            away = min(max(part.start - span.end, span.start - part.end) for span in quote.content) if part else 0
            if part and away > FAR:
                content = f"the content [{quote.content[0].start}, {quote.content[0].end})"
                yield "far", f"{_name(part)} lies {away} characters from {content}, expected at most {FAR}; tie the nearest one, or none"


# Between articles


def _ids(articles: Iterable[Article]) -> Iterator[Problem]:
    seen: dict[str, Article] = {}
    for article in articles:
        first = seen.setdefault(article.id, article)
        if first is not article:
            message = f"{article.id!r} was already taken at {first.where or first.id}; give every article an id of its own"
            yield Problem(article.where or article.id, "id", message, ERROR, "duplicate-id")


def _rare(articles: Iterable[Article]) -> Iterator[Problem]:
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], Article] = {}
    for article in articles:
        for layer in LAYERS:
            for span in article.layer(layer):
                counts[layer, span.label] += 1
                first.setdefault((layer, span.label), article)
    for (layer, label), count in counts.items():
        if count < FEW:
            message = f"the label {label!r} has {count} spans in the whole corpus, expected {FEW} or more to learn it"
            yield _problem(first[layer, label], ("rare-label", layer, f"{message}; mark more, or give them another label"))


def _copies(articles: Sequence[Article], splits: Sequence[str]) -> Iterator[Problem]:
    from govorit.corpora.duplicates import NEAR, groups, normalise

    filled = [(article, split) for article, split in zip(articles, splits, strict=True) if article.text.strip()]
    for group in groups([article.text for article, _ in filled]):
        seen: dict[str, tuple[Article, str]] = {}
        for article, split in (filled[index] for index in group):
            text = normalise(article.text)
            other, place = seen.get(text) or next(iter(seen.values()), (None, ""))
            if other:
                name = f"{other.id!r} at {other.where or other.id}"
                near = f"shares most of its wording (5-gram Jaccard {NEAR} or more) with {name}"
                code, message = ("duplicate", f"the same as that of {name}") if text in seen else ("near-duplicate", near)
                yield _problem(article, (code, "text", f"{message}; {_remedy(place, split)}"))
            seen.setdefault(text, (article, split))


def _remedy(split: str, other: str) -> str:
    """What is to be done with two copies by the splits that they are given in."""
    if split and other and split != other:
        return f"remove one: it leaks from {split} into {other}, and scores on {other} are too good"
    return "remove one" if split and other else "remove one, or splits keep them together"
