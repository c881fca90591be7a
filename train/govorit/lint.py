"""Problems of annotated articles: each one line, `where: field: what was found, what was expected, how to mend it`.

The reader of a format has already refused what is not that format; here stands what no format may say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from govorit.article import KINDS, Article, Span
from govorit.errors import UserError


def check(articles: Iterable[Article]) -> None:
    """Refuse a corpus that has problems.

    Raises:
        UserError: the first problem, and how many more there are.
    """
    found = list(corpus_problems(list(articles)))
    if found:
        more = f" (and {len(found) - 1} more problems)" if len(found) > 1 else ""
        raise UserError(found[0] + more)


def corpus_problems(articles: Sequence[Article]) -> Iterator[str]:
    """List what is wrong with each article, then what is wrong between them."""
    for article in articles:
        yield from problems(article)
    for article_id, count in Counter(article.id for article in articles).items():
        if count > 1:
            places = [article.where for article in articles if article.id == article_id]
            yield f"{places[1]}: id: {article_id!r} was already taken at {places[0]}; give every article an id of its own"


def problems(article: Article) -> Iterator[str]:
    """List what is wrong with one article.

    >>> list(problems(Article("a", "Да", (Span(0, 9, "PER"),), where="a.jsonl:1")))
    ['a.jsonl:1: entities: PER [0, 9) ends after the text, which has 2 characters; mend the offsets']
    """
    where = article.where or article.id
    if not article.text.strip():
        yield f"{where}: text: empty article; remove it"
    surrogate = next((i for i, char in enumerate(article.text) if "\ud800" <= char <= "\udfff"), None)
    if surrogate is not None:
        yield f"{where}: text: half a surrogate pair at character {surrogate}; mend the encoding of the source"
    for quote in article.quotes:
        if quote.kind not in KINDS:
            yield f"{where}: quotes: kind {quote.kind!r}, expected one of {', '.join(KINDS)}"
    for layer in ("entities", "quotes"):
        spans = article.layer(layer)
        if layer == "quotes":
            yield from (f"{where}: quotes: {problem}" for problem in _shared(article))
        broken = [problem for span in spans for problem in _offsets(span, article.text)]
        yield from (f"{where}: {layer}: {problem}" for problem in broken)
        if not broken:
            yield from (f"{where}: {layer}: {problem}" for problem in _overlaps(spans, article.text))


def _offsets(span: Span, text: str) -> Iterator[str]:
    name = f"{span.label} [{span.start}, {span.end})"
    if not span.label or any(char.isspace() for char in span.label):
        yield f"{name} has the label {span.label!r}; expected a name without spaces"
    if span.start < 0:
        yield f"{name} starts before the text; mend the offsets"
    elif span.end > len(text):
        yield f"{name} ends after the text, which has {len(text)} characters; mend the offsets"
    elif span.start == span.end:
        yield f"{name} is empty; remove it"
    elif span.start > span.end:
        yield f"{name} is reversed; mend the offsets"
    elif text[span.start].isspace() or text[span.end - 1].isspace():
        yield f"{name} starts or ends with a space: {text[span.start : span.end]!r:.60}; leave the space outside"


def _shared(article: Article) -> Iterator[str]:
    contents = [span for quote in article.quotes for span in quote.content]
    for (start, end), count in Counter((span.start, span.end) for span in contents).items():
        if count > 1:
            yield f"the content [{start}, {end}) {article.text[start:end]!r:.60} comes {count} times; keep one of them"


def _overlaps(spans: Sequence[Span], text: str) -> Iterator[str]:
    last: Span | None = None
    for span in spans:
        if last is not None and last.overlaps(span):
            both = " and ".join(f"{s.label} [{s.start}, {s.end}) {text[s.start : s.end]!r:.60}" for s in (last, span))
            yield f"{both} overlap; one layer is flat: keep one of them"
        if last is None or span.end > last.end:
            last = span
