from dataclasses import replace
from random import Random

import numpy as np
import pytest
import torch
from generate import random_article, random_text
from test_checkpoint import CONTRACT, articles, tokenizer, trained

from govorit import windows, words
from govorit.article import LAYERS, Article
from govorit.decoding import decode
from govorit.decoding.links import SIZE, VECTORS
from govorit.engines import TorchEngine
from govorit.errors import UserError
from govorit.extractor import Extractor

torch.set_num_threads(1)

# What changes with the company that a text is in (the order of sums over a padded batch) is less than this.
NOISE = 1e-4


@pytest.fixture(scope="module")
def extractor() -> Extractor:
    return Extractor(TorchEngine(trained()), tokenizer(), CONTRACT, trained().aids())


def long_articles(count: int = 12) -> list[Article]:
    """Of one to some thirty windows: the texts that the tagger knows, strung together, and others that it does not."""
    rng = Random(6)
    known = [article.text for article in articles()]
    texts = ["\n".join(rng.choice(known) for _ in range(rng.choice((1, 2, 5, 30)))) for _ in range(count)]
    return [Article(f"a{i}", text) for i, text in enumerate([*texts, *(random_text(Random(i), exotic=False) for i in range(count))])]


def same(one: Article, other: Article) -> bool:
    """Whether two readings agree: the same spans in each layer, scores and links as well."""

    def places(article: Article) -> list:
        quotes = [[(span.start, span.end, span.label) for span in (*q.content, q.cue, q.speaker) if span] for q in article.quotes]
        return [article.id, article.text, quotes, *([(s.start, s.end, s.label) for s in article.layer(layer)] for layer in LAYERS)]

    if places(one) != places(other):
        return False
    pairs = [pair for layer in LAYERS for pair in zip(one.layer(layer), other.layer(layer), strict=True)]
    # Scores of spans are rounded to four digits, so noise can also move one by a unit of the last.
    return all(abs(a.score - b.score) <= NOISE * 1.01 for a, b in pairs)


def test_it_reads_what_the_tagger_learnt(extractor):
    found = extractor([article.text for article in articles()])
    for gold, answer in zip(articles(), found, strict=True):
        for layer in LAYERS:
            assert [replace(span, score=None) for span in answer.layer(layer)] == list(gold.layer(layer))
    assert sum(len(answer.quotes) for answer in found) > 10


@pytest.mark.parametrize("batch_tokens", [1, 100, 700, 100_000])
@pytest.mark.parametrize("pool", [1, 5, 256])
def test_company_does_not_change_an_answer(extractor, batch_tokens, pool):
    asked = long_articles()
    alone = [next(extractor.read([article])) for article in asked]
    together = list(extractor.read(asked, batch_tokens, pool))
    assert [answer.id for answer in together] == [article.id for article in asked], "the order of the articles is kept"
    assert all(same(*pair) for pair in zip(alone, together, strict=True))
    assert sum(len(answer.entities) for answer in alone) > 100
    backwards = list(extractor.read(asked[::-1], batch_tokens, pool))[::-1]
    assert all(same(*pair) for pair in zip(alone, backwards, strict=True))


def test_evaluation_scores_what_inference_gives(extractor):
    """Evaluation reads gold articles through the same door; what is marked on them must not show in the answer."""
    gold = [random_article(Random(i), str(i)) for i in range(30)]
    bare = [Article(article.id, article.text) for article in gold]
    marked = list(extractor.read(gold))
    assert all(same(*pair) for pair in zip(marked, extractor.read(bare), strict=True))
    assert all(same(*pair) for pair in zip(marked, extractor([article.text for article in gold]), strict=True))


@pytest.mark.parametrize("reads", [0, CONTRACT.window + 10])
def test_scores_are_the_networks_own(extractor, reads):
    """The windows of a long article, put together by hand: each word's scores from the window where it stands most central."""
    extractor = Extractor(extractor.engine, extractor.tokenizer, replace(CONTRACT, reads=reads), extractor.aids)
    article = max(long_articles(), key=lambda item: len(item.text))
    tokens = windows.tokenize(article.text, tokenizer())
    frame, size = extractor.frame, (reads or CONTRACT.window) - 2
    pieces = windows.cut(len(tokens.ids), size, CONTRACT.overlap)
    assert len(pieces) > 10
    widths = {layer: 1 + 2 * len(CONTRACT.layers[layer]) for layer in LAYERS} | {VECTORS: SIZE}
    expected = {key: np.zeros((len(tokens.heads), width), np.float32) for key, width in widths.items()}
    for piece in pieces:
        batch = frame.pad([piece], [tokens])
        with torch.inference_mode():
            answers = trained()(torch.from_numpy(batch.ids), torch.from_numpy(batch.mask))
        for word, head in enumerate(tokens.heads):
            if piece.own_start <= head < piece.own_end:
                for layer in LAYERS:
                    expected[layer][word] = answers[layer][0, 1 + head - piece.start].log_softmax(-1).numpy()
                expected[VECTORS][word] = answers[VECTORS][0, 1 + head - piece.start].numpy()
    scores = extractor.score([tokens], 500)[0]
    assert all(np.allclose(scores[key], expected[key], atol=NOISE) for key in widths)
    assert same(next(extractor.read([article])), decode.decode(article, tokens.bounds, expected, CONTRACT.layers, extractor.aids))


def test_progress_counts_the_tokens_of_a_pool(extractor):
    told: list[tuple[int, int]] = []
    asked = long_articles()
    list(extractor.read(asked, 300, pool=5, progress=lambda done, total: told.append((done, total))))
    finished = [total for done, total in told if done == total]
    assert len(finished) == -(-len(asked) // 5), "each pool comes to its end once"
    position = 0
    for total in finished:
        pool = [done for done, of in told[position : position + told[position:].index((total, total)) + 1] if of == total]
        assert pool == sorted(set(pool)) and pool[-1] == total
        position += len(pool)
    assert position == len(told)
    tokens = windows.tokenize_all([article.text for article in asked], tokenizer())
    pieces = windows.cut_all(tokens, CONTRACT.window - 2, CONTRACT.overlap)
    assert sum(finished) == sum(piece.end - piece.start + 2 for piece in pieces)


EMPTY = ["", " ", "\n\n", "\u200b\u00ad", "\ufeff", "\x00"]


def test_a_text_without_words_gives_an_empty_article(extractor):
    told: list[tuple[int, int]] = []
    asked = [Article(str(i), text) for i, text in enumerate(EMPTY)]
    assert list(extractor.read(asked, progress=lambda *counts: told.append(counts))) == asked
    known = articles()[0].text
    mixed = extractor([EMPTY[0], known, EMPTY[3], known])
    assert mixed[0].entities == mixed[2].entities == () and same(mixed[1], replace(mixed[3], id="1")) and mixed[1].entities


def test_what_is_no_list_of_texts_is_told(extractor):
    with pytest.raises(TypeError, match=r"^texts: found one str, expected a list of texts: extractor\(\[text\]\)$"):
        extractor("строка")
    with pytest.raises(TypeError, match=r"^texts\[1\]: found NoneType, expected str$"):
        extractor(["строка", None])


def test_nothing_to_read(extractor):
    assert extractor([]) == [] and list(extractor.read(iter([]))) == [] and extractor.score([], 100) == []


def test_articles_are_read_as_they_are_asked_for(extractor):
    """A stream of any length is read a pool at a time."""
    drawn = 0

    def endless():
        nonlocal drawn
        while True:
            drawn += 1
            yield Article(str(drawn), articles()[0].text)

    stream = extractor.read(endless(), pool=3)
    assert [next(stream).id for _ in range(4)] == ["1", "2", "3", "4"] and drawn == 6


def test_what_was_said_of_the_gold_is_not_said_of_the_answer(extractor):
    article = Article("a", articles()[0].text, meta={"layers": "entities", "title": "Да", "url": "x"})
    answer = next(extractor.read([article]))
    assert answer.meta == {"title": "Да", "url": "x"} and answer.annotated("quotes")


def test_any_text_is_read(extractor):
    texts = [random_text(Random(i), pieces=120) for i in range(200)]
    for text, answer in zip(texts, extractor(texts), strict=True):
        bounds = words.words(text)
        assert answer.text == text
        for layer in LAYERS:
            assert words.encode(answer.layer(layer), bounds)[1] == []
            assert all(0 <= span.score <= 1 for span in answer.layer(layer))


def test_a_text_of_special_tokens_is_only_text(extractor):
    known = articles()[0].text
    for text in ("[CLS] [SEP] [PAD]", f"[SEP] {known} [MASK]", "[UNK]"):
        answer = extractor([text])[0]
        assert answer.text == text


def test_reading_leaves_a_tagger_in_training_as_it_was(extractor):
    tagger = trained()
    for training in (True, False):
        tagger.train(training)
        extractor([articles()[0].text])
        assert tagger.training is training
    tagger.eval()


def test_a_contract_without_layers_is_refused_in_one_line(tmp_path):
    replace(CONTRACT, layers={}).save(tmp_path)
    with pytest.raises(UserError, match=r"govorit\.json: cannot be read \(layers: there is none\)"):
        Extractor.load(tmp_path)
