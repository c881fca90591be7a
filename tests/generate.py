"""Random articles that every rule of `govorit.corpora.lint` allows, for properties and round trips.

Pure functions of a `random.Random`: the same seed gives the same article everywhere.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from govorit.article import CUE, KINDS, SPEAKER, Article, Quote, Span
from govorit.words import words

_NEWS = """Нурсултан Назарбаев Владимир Путин Алматы Астана Росстат ЕАЭС Н. В.Путин Санкт-Петербург президент сказал
заявил отметил что не и в по словам 25 3,5 2017 « » “ ” „ — – , . : … ! ? № % ( ) ''"""
PLAIN = tuple(_NEWS.split())
# What breaks tokenizers: marks and zero-width characters inside words, joined symbols, letters that only look Russian.
_ODDITIES = """и\u0306 е\u0308 а\u0301 \u0301 Пу\u00adтин \u00ad Н\u200bА \u200b \u200d \ufeff \u2060 Аст\u200dана 👍
👍🏽 🇰🇿 👨\u200d👩\u200d👧 \ufe0f \U00020000 Kазахстан Pоссия ﬁ ß ё Й \x00 \x1b \ue000 ٣ word 中文 don't a_b ½ ² ǅ"""
EXOTIC = tuple(_ODDITIES.split())
_RARE_SPACES = ("\n", "\n\n", "\r\n", "\t", "\u00a0", "\u202f", "\u3000", "\u0085", "\u2028", "\x1c", "\x0b")
SPACES = (*(" ",) * 12, "", "", *_RARE_SPACES)
LABELS = ("PER", "LOC", "ORG", "WORK_OF_ART")
NAMES = ("Нурсултан Назарбаев", "Росстат", "РИА «Новости»", 'ООО "Рога & Копыта"', "судья\tпо делу <1>", " &amp; ", "Я")


def random_text(rng: Random, exotic: bool = True, pieces: int = 40) -> str:
    """A text with at least one visible character, and no `<` or `>`, which inline markup cannot hold."""
    stock = PLAIN + EXOTIC * 2 if exotic else PLAIN
    spaces = SPACES if exotic else (" ", " ", " ", "\n", "")
    return "Да" + "".join(rng.choice(spaces) + rng.choice(stock) for _ in range(rng.randrange(pieces)))


def random_ranges(rng: Random, count: int) -> list[tuple[int, int]]:
    """Ranges over `count` words, in order, with at least one word between any two."""
    ranges, position = [], rng.randrange(3)
    while position < count:
        end = min(count, position + rng.choice((1, 1, 2, 3, 8)))
        ranges.append((position, end))
        position = end + rng.randrange(1, 6)
    return ranges


def random_spans(rng: Random, text: str) -> list[Span]:
    """Flat labelled spans that start and end with a word."""
    bounds = words(text)
    ranges = random_ranges(rng, len(bounds))
    return [Span(bounds[first][0], bounds[end - 1][1], rng.choice(LABELS)) for first, end in ranges]


def random_quotes(rng: Random, text: str) -> list[Quote]:
    """Quotations by the start of their content: some interrupted, some with the cue and speaker of the one before."""
    spans, quotes = random_spans(rng, text), []
    while spans:
        group = [spans.pop(0) for _ in range(min(len(spans), rng.choice((1, 2, 3, 3, 4, 5))))]
        quotes.append(_quote(rng, group))
        if len(quotes) > 1 and rng.random() < 0.2:
            quotes[-1] = replace(quotes[-1], cue=quotes[-2].cue, speaker=quotes[-2].speaker)
    return sorted(quotes, key=lambda quote: quote.content[0].start)


def random_article(rng: Random, id: str = "article", exotic: bool = True, crossing: bool = False) -> Article:
    """An article that lint allows; with `crossing` an entity may start inside a quotation and end outside it."""
    text = random_text(rng, exotic)
    quotes = random_quotes(rng, text)
    entities = random_spans(rng, text)
    if not crossing:
        entities = [entity for entity in entities if not any(_cross(entity, part) for part in _parts(quotes))]
    return Article(id, text, tuple(entities), tuple(quotes), {"title": f"Заголовок {rng.randrange(100)}"})


def _quote(rng: Random, spans: list[Span]) -> Quote:
    roles: list[str] = [role for role in (CUE, SPEAKER) if rng.random() < 0.8][: len(spans) - 1]
    parts = {role: _relabel(spans.pop(rng.randrange(len(spans))), role) for role in roles}
    kind = rng.choice(KINDS)
    content = tuple(_relabel(span, kind.upper()) for span in spans)
    return Quote(kind, content, parts.get(CUE), parts.get(SPEAKER), rng.choice((None, *NAMES)))


def _relabel(span: Span, label: str) -> Span:
    return Span(span.start, span.end, label)


def _parts(quotes: list[Quote]) -> list[Span]:
    return [part for quote in quotes for part in (*quote.content, quote.cue, quote.speaker) if part is not None]


def _cross(one: Span, other: Span) -> bool:
    inside = other.start <= one.start and one.end <= other.end
    around = one.start <= other.start and other.end <= one.end
    return one.overlaps(other) and not inside and not around
