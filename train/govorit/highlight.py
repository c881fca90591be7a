"""Articles for people: marked text as HTML, and who said what as plain text for a terminal. Standard library only.

Whatever comes from an article is escaped; the HTML has no script and asks for nothing from anywhere.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
import textwrap
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from govorit import paths
from govorit.article import CUE, KINDS, SPEAKER, Article, Quote, Span

CSS = (paths.TEMPLATES / "page.css").read_text(encoding="utf-8")

Place = tuple[int, int, str]  # start, end and label of a span
Flaws = Mapping[Place, str]  # what is wrong with a span, in a word or two

_WIDTH = 100
_HUES = {"PER": 0, "LOC": 1, "ORG": 2}
_COLOURS = 8
_UNSHOWN = re.compile("[\x00\ud800-\udfff]")
# A terminal acts on control characters (colours, window titles); bidirectional ones reorder what is around them.
_UNPRINTED = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Said:
    """One quotation in words, numbered from 1; `surface` is the speaker as the article writes it here."""

    number: int
    kind: str
    name: str | None
    surface: str | None
    cue: str | None
    content: str

    @property
    def speaker(self) -> str:
        """The name, and in brackets the speaker as written where that differs: `Юрий Чайка (генпрокурор)`; or `?`."""
        if not self.surface or self.surface == self.name:
            return self.name or "?"
        return f"{self.name} ({self.surface})" if self.name else f"({self.surface})"


@dataclass(frozen=True, slots=True)
class _Mark:
    """One element to put around `text[start:end]`; broken into pieces where another one crosses its edge."""

    start: int
    end: int
    tag: str
    classes: str
    attributes: str


def who_said_what(article: Article) -> list[Said]:
    return [_said(number, quote, article.text) for number, quote in enumerate(article.quotes, 1)]


def to_html(article: Article, flaws: Flaws | None = None, cast: Mapping[str, int] | None = None) -> str:
    """Write the text as an HTML fragment in which entities, contents, cues and speakers are marked.

    The elements' text is the article's text, character for character (but for NUL and half surrogate pairs, which HTML
    does not have and U+FFFD stands for): numbers, labels and flaws are drawn by :data:`CSS` from attributes. Quotations bear the
    colour of their speaker, from `cast`.
    """
    marks = [mark for mark in _marks(article, flaws or {}, cast or colours(article)) if mark.start < mark.end]
    return f'<div class="text" lang="ru">{"".join(_pieces(article.text, marks))}</div>'


def to_text(article: Article) -> str:
    """Write who said what, and which entities are named, for a terminal.

    >>> said = Quote("direct", (Span(0, 4, "DIRECT"),), Span(8, 14, "CUE"), Span(15, 21, "SPEAKER"), "Дмитрий Песков")
    >>> print(to_text(Article("1", "«Да», — сказал Песков.", (Span(15, 21, "PER"),), (said,))))
    1
    <BLANKLINE>
    1. Дмитрий Песков (Песков) — сказал (direct)
       «Да»
    <BLANKLINE>
    PER (1): Песков
    """
    blocks = [_printed(heading(article))]
    blocks += [_block(said) for said in who_said_what(article)] or ["No quotations."]
    blocks.append("\n".join(_named(article)) or "No entities.")
    return "\n\n".join(blocks)


def colours(*articles: Article) -> dict[str, int]:
    """Give each speaker of the articles a colour, the same in all of them."""
    people = dict.fromkeys(_person(quote, article.text) for article in articles for quote in article.quotes)
    return {person: number % _COLOURS for number, person in enumerate(people)}


def policy(css: str) -> str:
    """The Content-Security-Policy of a page: this very style and images within the page, and nothing else from anywhere."""
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def page(articles: Iterable[Article], title: str) -> str:
    """Write a whole HTML page, in one file, in which each article stands with its table of who said what."""
    body = "".join(_section(article) for article in articles)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy(CSS)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(title)}</title>
<style>{CSS}</style>
</head>
<body>
<h1>{escape(title)}</h1>
{body or "<p>No articles.</p>"}
</body>
</html>
"""


def to_table(article: Article) -> str:
    """Write who said what as an HTML table."""
    rows = "".join(_row(said) for said in who_said_what(article))
    if not rows:
        return '<p class="dim">No quotations.</p>'
    head = '<tr><th class="number">№</th><th>Who</th><th>Cue</th><th>Kind</th><th>What</th></tr>'
    body = f"<thead>{head}</thead>\n<tbody>\n{rows}</tbody>"
    return f'<div class="wide"><table class="quoted" lang="ru">\n{body}</table></div>'


def to_list(article: Article, flaws: Flaws, cast: Mapping[str, int]) -> str:
    """Write who is quoted as an HTML list: each by the number and colour of the text, with what is wrong with the quotation."""
    rows = []
    for said, quote in zip(who_said_what(article), article.quotes, strict=True):
        spans = (span for span in (*quote.content, quote.cue, quote.speaker) if span)
        wrong = dict.fromkeys(flaw for span in spans if (flaw := flaws.get((span.start, span.end, span.label))))
        chips = "".join(f' <span class="chip">{escape(flaw)}</span>' for flaw in wrong)
        surface = f' <span class="dim">({escape(said.surface)})</span>' if said.surface and said.surface != said.name else ""
        cue = f" — <em>{escape(said.cue)}</em>" if said.cue else ""
        badge = f'<span class="badge hue{cast[_person(quote, article.text)]}">{said.number}</span>'
        rows.append(f"<li>{badge}<b>{escape(said.name or '?')}</b>{surface}{cue}{chips}</li>\n")
    return f'<ol class="who" lang="ru">\n{"".join(rows)}</ol>' if rows else ""


def heading(article: Article) -> str:
    """What to call the article: its title where it has one, and its id."""
    title = article.meta.get("title")
    return f"{title} ({article.id})" if title and title != article.id else article.id


def escape(text: str) -> str:
    """Escape `text` for an element or an attribute; a carriage return survives, which HTML would read as a line end."""
    return _UNSHOWN.sub("\ufffd", html.escape(text, quote=True)).replace("\r", "&#13;")


def _said(number: int, quote: Quote, text: str) -> Said:
    content = " … ".join(_surface(span, text) for span in quote.content)
    cue, speaker = (_surface(span, text) if span else None for span in (quote.cue, quote.speaker))
    return Said(number, quote.kind, quote.name and " ".join(quote.name.split()), speaker, cue, content)


def _surface(span: Span, text: str) -> str:
    return " ".join(text[span.start : span.end].split())


def _marks(article: Article, flaws: Flaws, cast: Mapping[str, int]) -> Iterator[_Mark]:
    for span in article.layer("entities"):
        hue = _HUES.get(span.label, zlib.crc32(span.label.encode("utf-8", "replace")) % _COLOURS)
        label = escape(span.label)
        yield _mark(span, article.text, "mark", f"entity hue{hue}", f'data-label="{label}" title="{label}"', flaws)
    numbers = _numbers(article.quotes)
    for span in article.layer("quotes"):
        yield _quote_mark(span, article, numbers[span.start, span.end, span.label], flaws, cast)


def _numbers(quotes: Sequence[Quote]) -> dict[tuple[int, int, str], list[int]]:
    """The numbers of the quotations that each place belongs to: several, where they share a cue or a speaker."""
    numbers: dict[tuple[int, int, str], list[int]] = {}
    for number, quote in enumerate(quotes, 1):
        for span in (*quote.content, quote.cue, quote.speaker):
            if span is not None:
                numbers.setdefault((span.start, span.end, span.label), []).append(number)
    return numbers


def _quote_mark(span: Span, article: Article, numbers: Sequence[int], flaws: Flaws, cast: Mapping[str, int]) -> _Mark:
    quote = article.quotes[numbers[0] - 1]
    said = _said(numbers[0], quote, article.text)
    part = {CUE: "cue", SPEAKER: "speaker"}.get(span.label)
    badge = ",".join(map(str, dict.fromkeys(numbers)))
    title = escape(f"{badge}: {part or said.kind}, {said.speaker}")
    classes = f"{part or f'said {said.kind if said.kind in KINDS else KINDS[0]}'} hue{cast[_person(quote, article.text)]}"
    return _mark(span, article.text, "span", classes, f'data-quote="{badge}" title="{title}"', flaws)


def _person(quote: Quote, text: str) -> str:
    """Who is quoted, as far as it is known: two quotations of one person are of one colour."""
    said = _said(0, quote, text)
    return said.name or said.surface or ""


def _mark(span: Span, text: str, tag: str, classes: str, attributes: str, flaws: Flaws) -> _Mark:
    if flaw := flaws.get((span.start, span.end, span.label)):
        classes, attributes = f"{classes} flaw", f'{attributes} data-flaw="{escape(flaw)}"'
    return _Mark(max(span.start, 0), min(span.end, len(text)), tag, classes, attributes)


def _pieces(text: str, marks: Sequence[_Mark]) -> Iterator[str]:
    """Write `text` with `marks` around it as elements that nest: what crosses another's edge is closed and reopened."""
    edges = sorted({0, len(text), *(mark.start for mark in marks), *(mark.end for mark in marks)})
    waiting = sorted(marks, key=lambda mark: (-mark.start, mark.end, mark.tag == "span"))  # outermost last, to be popped
    inside: list[_Mark] = []
    for start, end in pairwise(edges):
        kept = next((depth for depth, mark in enumerate(inside) if mark.end <= start), len(inside))
        yield from (f"</{mark.tag}>" for mark in reversed(inside[kept:]))
        opened = [mark for mark in inside[kept:] if mark.end > start]
        while waiting and waiting[-1].start == start:
            opened.append(waiting.pop())
        del inside[kept:]
        for mark in opened:
            yield _opening(mark, first=mark.start == start, last=all(outer.end >= mark.end for outer in inside))
            inside.append(mark)
        yield escape(text[start:end])
    yield from (f"</{mark.tag}>" for mark in reversed(inside))


def _opening(mark: _Mark, first: bool, last: bool) -> str:
    """Open a piece of `mark`: its first piece carries the number, its last one the label."""
    return f'<{mark.tag} class="{mark.classes}{" first" * first}{" last" * last}" {mark.attributes}>'


def _section(article: Article) -> str:
    return f"<section>\n<h2>{escape(heading(article))}</h2>\n{to_table(article)}\n{to_html(article)}\n</section>\n"


def _row(said: Said) -> str:
    cells = (said.speaker, said.cue or "", said.kind, said.content)
    return f'<tr><td class="number">{said.number}</td>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>\n'


def _block(said: Said) -> str:
    head = f"{said.number}. {said.speaker}{f' — {said.cue}' if said.cue else ''} ({said.kind})"
    words = textwrap.wrap(_printed(said.content), _WIDTH - 3, break_on_hyphens=False, break_long_words=False)
    return "\n   ".join((_printed(head), *words))


def _named(article: Article) -> Iterator[str]:
    """A line for each label: how many mentions, and the mentions as written, the most frequent first."""
    mentions: dict[str, Counter[str]] = {}
    for span in article.layer("entities"):
        mentions.setdefault(span.label, Counter())[_surface(span, article.text)] += 1
    for label, counts in sorted(mentions.items()):
        names = (f"{name} ×{count}" if count > 1 else name for name, count in counts.most_common())
        yield _printed(f"{label} ({counts.total()}): {', '.join(names)}")


def _printed(text: str) -> str:
    return _UNPRINTED.sub("\ufffd", text)
