import unicodedata
from random import Random

import pytest
from generate import random_article, random_spans, random_text

from govorit.article import LAYERS, Span
from govorit.words import decode, encode, tag_names, words

# The notation of a reader's eye: `|` between words, nothing else changed.
CASES = (
    "«|Да|»|,| |—| |сказал| |В|.|Путин|.",
    "Санкт|-|Петербург|:| |3|,|5| |%",
    "Н|.|\u00a0|Назарбаев",
    "и\u0306од| |е\u0308лка",
    "Пу\u00adтин| |рад\u200bость",
    "да|\u0085|нет|\x1c|да",
    "👨\u200d👩\u200d👧|👍",
    "Kазахстан| |и| |Pоссия",
    "да|\r\n|нет",
    "\u0301|\n|а\u0301",
)


@pytest.mark.parametrize("case", CASES)
def test_words_by_eye(case):
    text = case.replace("|", "")
    assert [text[start:end] for start, end in words(text)] == [word for word in case.split("|") if word.strip()]


@pytest.mark.parametrize("text", ["", " ", "\n\u00a0\u0085", "\u200b", "\u00ad\ufeff\u200d", "\x00"])
def test_a_text_without_visible_characters_has_no_words(text):
    assert words(text) == []


def test_words_are_in_order_and_cover_every_visible_character():
    rng = Random(2)
    for _ in range(3_000):
        text = random_text(rng)
        covered, position = set(), 0
        for start, end in words(text):
            assert position <= start < end <= len(text)
            assert not any(char.isspace() for char in text[start:end])
            assert not _hidden(text[start]) and not _hidden(text[end - 1])
            covered.update(range(start, end))
            position = end
        left = [text[i] for i in range(len(text)) if i not in covered]
        assert all(char.isspace() or _hidden(char) for char in left), repr(text)


def test_spans_on_words_survive_the_tags():
    rng = Random(3)
    for _ in range(3_000):
        article = random_article(rng, crossing=True)
        bounds = words(article.text)
        for layer in LAYERS:
            spans = list(article.layer(layer))
            tags, refused = encode(spans, bounds)
            assert refused == []
            assert decode(tags, bounds) == spans


def test_what_is_refused_cannot_be_held():
    rng = Random(4)
    for _ in range(3_000):
        text = random_text(rng, pieces=12)
        bounds = words(text)
        spans = [_arbitrary(rng, text) for _ in range(5)] + rng.sample(found := random_spans(rng, text), len(found))
        tags, refused = encode(spans, bounds)
        kept = decode(tags, bounds)
        assert len(kept) + len(refused) == len(spans)
        assert sorted([*kept, *refused], key=_key) == sorted(spans, key=_key)
        starts, ends = {start for start, _ in bounds}, {end for _, end in bounds}
        for span in refused:
            aligned = span.start in starts and span.end in ends and span.start < span.end
            assert not aligned or any(span.overlaps(other) for other in kept)


def test_spans_side_by_side_stay_two():
    bounds = words("Иванов Петров")
    spans = [Span(0, 6, "PER"), Span(7, 13, "PER")]
    assert encode(spans, bounds)[0] == ["B-PER", "B-PER"]
    assert decode(["B-PER", "B-PER"], bounds) == spans


@pytest.mark.parametrize("tags", [["I-PER", "O"], ["B-LOC", "I-PER"], ["O", "I-LOC"]])
def test_an_orphan_is_no_iob2(tags):
    with pytest.raises(ValueError, match="not IOB2"):
        decode(tags, words("Иванов Петров"))


def test_tag_names():
    assert tag_names(["PER", "LOC"]) == ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def _arbitrary(rng: Random, text: str) -> Span:
    return Span(rng.randrange(-2, len(text) + 2), rng.randrange(-2, len(text) + 4), "PER")


def _hidden(char: str) -> bool:
    return not char.isspace() and unicodedata.category(char) in ("Cf", "Cc", "Cs")


def _key(span: Span) -> tuple[int, int, str]:
    return span.start, span.end, span.label
