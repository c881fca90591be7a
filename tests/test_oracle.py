"""An oracle in the model's place: what windows, merging and decoding do to a perfect model's answers is nothing.

Each word of all articles of a case is one of a kind, so that an engine can tell from a token's id alone which tag it has. The oracle knows
nothing beyond what a model could: its answers for the last tokens before a window's edge are wrong, unless the article ends there too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from generate import LABELS, random_ranges
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from govorit import words
from govorit.article import CUE, QUOTE_LABELS, SPEAKER, Article, Quote, Span
from govorit.contract import Contract
from govorit.evaluation import metrics
from govorit.extractor import Extractor

LAYERS = {"entities": list(LABELS), "quotes": list(QUOTE_LABELS)}
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "##а")
TAIL = len(SPECIAL) - 1


class Oracle:
    """An engine that gives the gold tags of `articles` as scores.

    `blind` is how many tokens at a window's edge, where the article goes on beyond it, get wrong answers.
    """

    def __init__(self, articles: Sequence[Article], blind: int) -> None:
        vocabulary = {piece: i for i, piece in enumerate(SPECIAL)}
        self.tags: dict[str, list[int]] = {layer: [0] * len(SPECIAL) for layer in LAYERS}
        self.first, self.last = set[int](), set[int]()
        for article in articles:
            bounds = words.words(article.text)
            self.first.add(len(vocabulary))
            for start, end in bounds:
                assert vocabulary.setdefault(_head(article.text[start:end]), len(vocabulary)) == len(vocabulary) - 1
            self.last.add(len(vocabulary) - 1)
            for layer, labels in LAYERS.items():
                tags, refused = words.encode(article.layer(layer), bounds)
                assert not refused
                self.tags[layer] += [words.tag_names(labels).index(tag) for tag in tags]
        self.tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=10_000))
        self.tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        self.tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
        # `Frame` asks how a text is wrapped with one that is no word of these articles.
        self.blind, self.rng, self.asked = blind, np.random.default_rng(0), 0

    def __call__(self, ids: np.ndarray, mask: np.ndarray) -> dict[str, np.ndarray]:
        shape = ids.shape
        right = np.zeros(shape, bool)
        for row, (line, length) in enumerate(zip(ids, mask.sum(axis=1), strict=True)):
            self.asked += int(length)
            assert line[0] == 2 and line[length - 1] == 3 and (line[length:] == 0).all()
            inner = line[1 : length - 1]
            heads = inner[inner != TAIL]
            begins = inner[0] != TAIL and int(inner[0]) in self.first
            ends = len(heads) > 0 and int(heads[-1]) in self.last
            right[row, 1 + (0 if begins else self.blind) : length - 1 - (0 if ends else self.blind)] = True
        right &= ids != TAIL
        answers = {}
        for layer, labels in LAYERS.items():
            count = 1 + 2 * len(labels)
            scores = self.rng.normal(size=(*shape, count)).astype(np.float32) * 50
            certain = np.where(np.arange(count) == np.array(self.tags[layer])[ids][..., None], 0, -np.inf)
            answers[layer] = np.where(right[..., None], certain, scores).astype(np.float32)
        return answers


def _head(word: str) -> str:
    return word.rstrip("а")


def article(rng: Random, count: int, id: str = "a", tails: bool = False) -> Article:
    """An article of `count` words of its own, with entities and quotations all over it; `tails` gives words of several tokens."""
    text = " ".join(f"{id}{i}" + "а" * (rng.choice((0, 0, 1, 3)) if tails else 0) for i in range(count))
    return _marked(rng, id, text)


def _marked(rng: Random, id: str, text: str) -> Article:
    bounds = words.words(text)

    def span(first: int, end: int, label: str) -> Span:
        return Span(bounds[first][0], bounds[end - 1][1], label)

    entities = tuple(span(*place, rng.choice(LABELS)) for place in random_ranges(rng, len(bounds)))
    places, quotes = random_ranges(rng, len(bounds)), []
    while places:
        group = [places.pop(0) for _ in range(min(len(places), rng.choice((1, 2, 3))))]
        roles = rng.sample((CUE, SPEAKER), len(group) - 1)
        content = group.pop(rng.randrange(len(group)))
        parts = {role: span(*place, role) for role, place in zip(roles, group, strict=True)}
        kind = rng.choice(("direct", "mixed"))  # INDIRECT on both sides of a cue can be one quotation, as rules go
        quotes.append(Quote(kind, (span(*content, kind.upper()),), parts.get(CUE), parts.get(SPEAKER)))
    return Article(id, text, entities, tuple(quotes))


def read(articles: Sequence[Article], window: int, overlap: int, batch_tokens: int = 2048) -> list[Article]:
    oracle = Oracle(articles, overlap // 2)
    extractor = Extractor(oracle, oracle.tokenizer, Contract(LAYERS, window, overlap))
    bare = [replace(article, entities=(), quotes=()) for article in articles]
    answers = list(extractor.read(bare, batch_tokens))
    assert oracle.asked > 0
    return answers


def check(gold: Sequence[Article], predicted: Sequence[Article]) -> None:
    for one, other in zip(gold, predicted, strict=True):
        for layer in LAYERS:
            assert [replace(span, score=None) for span in other.layer(layer)] == list(one.layer(layer))
            assert all(span.score == 1.0 for span in other.layer(layer))
    scores = metrics.score(gold, predicted, list(LAYERS), resamples=0)
    for layer in LAYERS:
        support = sum(len(article.layer(layer)) for article in gold)
        micro = scores[layer].strict["micro"]
        assert micro.support == micro.predicted == support
        assert micro.f1 == micro.precision == micro.recall == (1.0 if support else 0.0)
        assert scores[layer].unrepresented_gold == scores[layer].unrepresented_predicted == 0


@pytest.mark.parametrize("window, overlap", [(8, 0), (8, 5), (16, 4), (64, 16), (128, 64), (128, 100), (512, 128), (512, 0)])
def test_gold_comes_back_from_articles_of_every_length(window, overlap):
    rng = Random(window + overlap)
    lengths = [*range(1, 20), window - 3, window - 2, window - 1, window, 2 * window, 1000, 5000]
    gold = [article(rng, count, f"{chr(ord('б') + i % 25)}{i}x") for i, count in enumerate(lengths)]
    check(gold, read(gold, window, overlap))


def test_gold_comes_back_from_random_windows():
    rng = Random(9)
    for case in range(25):
        window = rng.choice((8, 9, 13, 24, 50, 111, 300, 512))
        overlap = rng.randrange(window - 2)
        gold = [article(rng, rng.randrange(1, 700), f"{name}{case}x", tails=True) for name in "бвг"]
        check(gold, read(gold, window, overlap, rng.choice((1, 500, 4000))))


@pytest.mark.parametrize("overlap", [0, 6])
def test_spans_on_every_boundary_are_recovered_once(overlap):
    """A span begins, ends or lies across at each place of the article in turn, so on every edge of every window."""
    count, window = 60, 18
    text = " ".join(f"б{i}" for i in range(count))
    bounds = words.words(text)
    for width in (1, 2, 5, 20):
        for first in range(count - width - 2):
            entity = Span(bounds[first][0], bounds[first + width - 1][1], "PER")
            neighbour = Span(bounds[first + width][0], bounds[first + width][1], "PER")
            content = replace(entity, label="DIRECT")
            cue, speaker = replace(neighbour, label=CUE), Span(*bounds[first + width + 1], SPEAKER)
            gold = [Article("a", text, (entity, neighbour), (Quote("direct", (content,), cue, speaker),))]
            answer = read(gold, window, overlap)
            check(gold, answer)
            assert len(answer[0].quotes) == 1 and len(answer[0].entities) == 2


@pytest.mark.parametrize("window, overlap", [(64, 16), (128, 32), (512, 128)])
def test_a_long_quotation_stays_one_span(window, overlap):
    rng = Random(1)
    text = " ".join(f"б{i}" for i in range(1500))
    bounds = words.words(text)
    content = Span(bounds[100][0], bounds[1349][1], "DIRECT")
    quote = Quote("direct", (content,), Span(*bounds[1350], CUE), Span(bounds[1351][0], bounds[1353][1], SPEAKER))
    entities = tuple(Span(bounds[i][0], bounds[i + 1][1], rng.choice(LABELS)) for i in range(0, 1490, 7))
    gold = [Article("a", text, entities, (quote,))]
    answer = read(gold, window, overlap)
    check(gold, answer)
    found = answer[0].quotes[0]
    assert len(answer[0].quotes) == 1 and len(found.content) == 1
    assert (found.content[0].start, found.content[0].end) == (content.start, content.end)
    assert found.cue is not None and found.speaker is not None


def test_an_oracle_that_errs_is_found_out():
    """The other tests can fail: with less context than the oracle needs, spans are lost."""
    gold = [article(Random(2), 600, "б")]
    oracle = Oracle(gold, blind=9)
    extractor = Extractor(oracle, oracle.tokenizer, Contract(LAYERS, 64, 16))
    scores = metrics.score(gold, list(extractor.read(gold)), list(LAYERS), resamples=0)
    assert all(scores[layer].strict["micro"].f1 < 1 for layer in LAYERS)
