"""Articles for people: marked text as HTML, and who said what as plain text for a terminal. Standard library only.

Whatever comes from an article is escaped; the HTML has no script and asks for nothing from anywhere.
"""

from __future__ import annotations

import html
import re
import textwrap
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from govorit.article import CUE, SPEAKER, Article, Quote, Span

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
CSS = """\
:root { color-scheme: light dark; --page: #fcfcfa; --ink: #1b1b1d; --dim: #62626a; --line: #dcdcd6; --card: #fff;
  --said: #fff3cf; --edge: #c79a1a; --cue: #8a4b08; --speaker: #b3261e; --bad: #b3261e; --accent: #23588f;
  --tint: 88%; }
@media (prefers-color-scheme: dark) { :root { --page: #17181a; --ink: #e8e8e6; --dim: #a2a3a8; --line: #37383c;
  --card: #1e1f22; --said: #3a3115; --edge: #d2a93a; --cue: #e6b273; --speaker: #ff9a8f; --bad: #ff9a8f;
  --accent: #8fbdf0; --tint: 26%; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1.25rem 4rem; max-width: 74rem; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .25rem; }
h1, h2, h3, p, td, th, li, summary { overflow-wrap: break-word; }
.dim { color: var(--dim); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--dim); font-weight: 600; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
@media (max-width: 36rem) { body { padding: 1rem .8rem 3rem; } table { font-size: .85rem; }
  th, td { padding-right: .5rem; } .quoted thead { display: none; }
  .quoted, .quoted tbody, .quoted tr, .quoted td:last-child { display: block; } .quoted td { border: none; padding: 0; }
  .quoted td:not(:last-child) { display: inline; margin-right: .5em; color: var(--dim); }
  .quoted tr { padding: .5rem 0; border-bottom: 1px solid var(--line); } }
.text { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; line-height: 1.9; margin: .5rem 0 1rem;
  padding: 1rem 1.1rem; background: var(--card); border: 1px solid var(--line); border-radius: 6px; }
.said { background: var(--said); box-decoration-break: clone; -webkit-box-decoration-break: clone; padding: .15em 0; }
.said.indirect { background: none; border-bottom: 2px solid var(--edge); }
.said.mixed { border-bottom: 2px dashed var(--edge); }
.cue { color: var(--cue); font-style: italic; text-decoration: underline; text-underline-offset: .2em; }
.speaker { color: var(--speaker); font-weight: 600; }
.first[data-quote]::before { content: attr(data-quote); display: inline-block; min-width: 1.45em; padding: 0 .35em;
  margin-right: .25em; border-radius: .75em; background: var(--edge); color: #1b1b1d;
  text-align: center; font: 700 .7em/1.5 system-ui, sans-serif; vertical-align: .2em; }
.speaker.first[data-quote]::before { background: var(--speaker); color: var(--page); }
.cue.first[data-quote]::before { content: none; }
.entity { --hue: 210; color: inherit; background: hsl(var(--hue) 60% var(--tint)); border-radius: 3px;
  padding: .1em .2em; }
.entity.last::after { content: attr(data-label); margin-left: .35em; opacity: .75;
  font: 600 .62em/1 system-ui, sans-serif; letter-spacing: .03em; vertical-align: .15em; }
.hue0 { --hue: 210; } .hue1 { --hue: 130; } .hue2 { --hue: 285; } .hue3 { --hue: 25; }
.hue4 { --hue: 175; } .hue5 { --hue: 330; } .hue6 { --hue: 75; } .hue7 { --hue: 250; }
"""

_WIDTH = 100
_HUES = {"PER": 0, "LOC": 1, "ORG": 2}
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


def to_html(article: Article) -> str:
    """Write the text as an HTML fragment in which entities, contents, cues and speakers are marked.

    The elements' text is the article's text, character for character (but for NUL and half surrogate pairs, which HTML
    does not have and U+FFFD stands for): numbers and labels are drawn by :data:`CSS` from attributes.
    """
    marks = [mark for mark in _marks(article) if mark.start < mark.end]
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


def page(articles: Iterable[Article], title: str) -> str:
    """Write a whole HTML page, in one file, in which each article stands with its table of who said what."""
    body = "".join(_section(article) for article in articles)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(title)}</title>
<style>
{CSS}</style>
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


def _marks(article: Article) -> Iterator[_Mark]:
    for span in article.layer("entities"):
        hue = _HUES.get(span.label, zlib.crc32(span.label.encode("utf-8", "replace")) % 8)
        label = escape(span.label)
        yield _mark(span, article.text, "mark", f"entity hue{hue}", f'data-label="{label}" title="{label}"')
    numbers = _numbers(article.quotes)
    for span in article.layer("quotes"):
        yield _quote_mark(span, article, numbers[span.start, span.end, span.label])


def _numbers(quotes: Sequence[Quote]) -> dict[tuple[int, int, str], list[int]]:
    """The numbers of the quotations that each place belongs to: several, where they share a cue or a speaker."""
    numbers: dict[tuple[int, int, str], list[int]] = {}
    for number, quote in enumerate(quotes, 1):
        for span in (*quote.content, quote.cue, quote.speaker):
            if span is not None:
                numbers.setdefault((span.start, span.end, span.label), []).append(number)
    return numbers


def _quote_mark(span: Span, article: Article, numbers: Sequence[int]) -> _Mark:
    part = {CUE: "cue", SPEAKER: "speaker"}.get(span.label)
    said = _said(numbers[0], article.quotes[numbers[0] - 1], article.text)
    badge = ",".join(map(str, dict.fromkeys(numbers)))
    title = escape(f"{badge}: {part or said.kind}, {said.speaker}")
    classes = part or f"said {said.kind}"
    return _mark(span, article.text, "span", escape(classes), f'data-quote="{badge}" title="{title}"')


def _mark(span: Span, text: str, tag: str, classes: str, attributes: str) -> _Mark:
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
