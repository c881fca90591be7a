import re
import unicodedata
from functools import cache
from random import Random

import numpy as np
import pytest
from generate import random_article, random_text
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from govorit import windows, words
from govorit.article import Article, Span
from govorit.network import tokenization
from govorit.windows import IGNORED, Frame, Tokens, batches, cut, cut_all, label, tokenize, tokenize_all

LAYERS = {"entities": ["PER", "LOC", "ORG", "WORK_OF_ART"], "quotes": ["DIRECT", "INDIRECT", "MIXED", "CUE", "SPEAKER"]}


@cache
def texts() -> list[str]:
    return [random_text(Random(i), exotic=False) for i in range(200)]


@cache
def word_piece() -> Tokenizer:
    return tokenization.learn(texts(), 400)


@cache
def byte_level() -> Tokenizer:
    """A RoBERTa-like tokenizer: byte-level BPE, a token of which counts the space before a word to itself."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts(), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenization.adapt(tokenizer)
    return tokenizer


@cache
def bert() -> Tokenizer:
    """What BERT's own cased tokenizer is: BertNormalizer drops control characters and those of private use."""
    tokenizer = Tokenizer(models.WordPiece(word_piece().get_vocab(), unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = word_piece().post_processor
    tokenization.adapt(tokenizer)
    return tokenizer


TOKENIZERS = {"WordPiece": word_piece, "byte-level BPE": byte_level, "BERT": bert}


def check_cut(length: int, size: int, overlap: int) -> None:
    found = cut(length, size, overlap, article=7)
    starts, ends, first, last = (np.array([getattr(w, name) for w in found]) for name in ("start", "end", "own_start", "own_end"))
    assert {w.article for w in found} == {7}
    assert first[0] == 0 and last[-1] == length and np.array_equal(first[1:], last[:-1]), "each token is owned once"
    assert (starts <= first).all() and (first <= last).all() and (last <= ends).all(), "what a window owns is in it"
    assert (ends - starts <= size).all() and starts[0] == 0 and ends[-1] == length
    assert (ends[:-1] - starts[1:] >= overlap).all()
    if len(found) == 1:
        return
    width, count = ends[0], len(found)
    assert (ends - starts == width).all(), "all are of one size"
    assert count * (width - 1) < length + (count - 1) * overlap, "no window is longer than it must be"
    assert (first < last).all(), "no window is read for nothing"
    tokens = np.arange(length)
    # Distance to the nearer edge, doubled to stay whole; of the windows that hold the token the owner has the best, up to one half token.
    depth = np.minimum(tokens - starts[:, None], ends[:, None] - 1 - tokens)
    owner = np.repeat(np.arange(len(found)), last - first)
    assert (depth[owner, tokens] == depth.max(axis=0)).all()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
def test_every_token_is_owned_once_where_it_is_most_central_in_small_windows(size):
    for overlap in range(size):
        for length in range(200):
            check_cut(length, size, overlap)


@pytest.mark.parametrize("size", [30, 64, 127, 510])
def test_every_token_is_owned_once_where_it_is_most_central(size):
    rng = Random(size)
    for overlap in (0, 1, size // 4, size // 2, size // 2 + 1, size * 3 // 4):
        for length in {*range(size - 2, size + 3), *rng.sample(range(2001), 60), 0, 1, 2000}:
            check_cut(length, size, overlap)


def test_cut_gives_no_more_windows_than_it_needs():
    assert [len(cut(length, 10, 4)) for length in (0, 10, 11, 16, 17, 22, 23)] == [1, 1, 2, 2, 3, 3, 4]


@pytest.mark.parametrize("overlap", [-1, 8, 9])
def test_an_overlap_that_never_ends_is_refused(overlap):
    with pytest.raises(ValueError, match="overlap"):
        cut(100, 8, overlap)


def test_articles_without_tokens_give_no_window():
    tokens = [Tokens(np.arange(n, dtype=np.int32), [], np.zeros(0, np.int64)) for n in (0, 5, 0, 12)]
    assert [(w.article, w.start, w.end) for w in cut_all(tokens, 8, 2)] == [(1, 0, 5), (3, 0, 7), (3, 5, 12)]


def cases(count: int) -> list[tuple[list[int], int]]:
    rng = Random(5)
    return [([rng.randrange(1, 300) for _ in range(rng.randrange(120))], rng.choice((1, 64, 300, 1000, 5000))) for _ in range(count)]


@pytest.mark.parametrize("seed", [None, 0])
def test_batches_are_a_partition_within_the_budget(seed):
    for lengths, budget in cases(200):
        plan = list(batches(lengths, budget, None if seed is None else np.random.default_rng(seed), pool=3))
        assert sorted(i for batch in plan for i in batch) == list(range(len(lengths)))
        for batch in plan:
            assert batch and (len(batch) == 1 or max(lengths[i] for i in batch) * len(batch) <= budget)
        if seed is None:
            in_order = [lengths[i] for batch in plan for i in batch]
            assert in_order == sorted(lengths, reverse=True)


def test_the_plan_is_a_function_of_the_seed():
    rng = Random(1)
    lengths = [rng.randrange(1, 200) for _ in range(300)]

    def plan(seed: int) -> list[list[int]]:
        return list(batches(lengths, 2000, np.random.default_rng(seed), pool=4))

    assert plan(1) == plan(1)
    assert plan(1) != plan(2)
    sets = [{frozenset(batch) for batch in plan(seed)} for seed in (1, 2)]
    assert len(sets[0] & sets[1]) < len(sets[0]) / 2, "other batches, not only another order of them"


def test_pools_waste_little_padding():
    rng = Random(3)
    lengths = [rng.randrange(10, 500) for _ in range(2000)]
    plan = list(batches(lengths, 4096, np.random.default_rng(0)))
    padded = sum(max(lengths[i] for i in batch) * len(batch) for batch in plan)
    assert padded < 1.1 * sum(lengths)


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_the_frame_is_what_the_tokenizer_puts_around_a_text(kind):
    tokenizer = TOKENIZERS[kind]()
    frame = Frame(tokenizer)
    text = "Путин заявил: «Да»."
    bare, whole = tokenizer.encode(text, add_special_tokens=False).ids, tokenizer.encode(text).ids
    assert [*frame.before, *bare, *frame.after] == whole and frame.size == len(whole) - len(bare) == 2
    assert frame.padding == tokenizer.token_to_id("<pad>" if kind == "byte-level BPE" else "[PAD]")


def test_pad_lays_windows_side_by_side():
    frame = Frame(byte_level())  # <s> is 0, <pad> 1, </s> 2: padding that is not zero
    tokens = [Tokens(np.arange(100, 120, dtype=np.int32), [], np.zeros(0, np.int64)), Tokens(np.arange(3) + 200, [], np.zeros(0, np.int64))]
    labels = {"entities": [np.arange(20) % 5, np.array([IGNORED, 3, IGNORED])]}
    pieces = cut_all(tokens, 8, 4)
    batch = frame.pad(pieces, tokens, labels)
    assert batch.windows == pieces and batch.ids.shape == batch.mask.shape == batch.labels["entities"].shape == (5, 10)
    asked = []
    for row, window in enumerate(pieces):
        count = window.end - window.start
        expected = [0, *tokens[window.article].ids[window.start : window.end], 2, *[1] * (8 - count)]
        assert batch.ids[row].tolist() == expected
        assert batch.mask[row].tolist() == [1] * (count + 2) + [0] * (8 - count)
        for column, value in enumerate(batch.labels["entities"][row]):
            token = column - 1 + window.start
            own = window.own_start <= token < window.own_end
            assert value == (labels["entities"][window.article][token] if own else IGNORED)
            asked += [(window.article, token)] * own
    assert sorted(asked) == [(0, i) for i in range(20)] + [(1, i) for i in range(3)], "each token is asked for once"
    assert frame.pad(pieces, tokens).labels == {}


def test_a_marks_letter_is_before_it_in_the_tokenizer_as_in_the_words():
    for tokenizer in (word_piece(), byte_level(), bert()):
        text = "да \u0301Путин…\u0301ЕАЭС 👍\ufe0fсказал"
        assert tokenize(text, tokenizer).bounds == words.words(text)


def test_a_word_after_hidden_characters_has_its_token():
    text = "Он \u200bсказал\u0085\u00ad\u200bда \ufeffи нет"
    for tokenizer in (word_piece(), byte_level(), bert()):
        assert tokenize(text, tokenizer).bounds == words.words(text)


def _lost(text: str) -> bool:
    """What no tokenizer can hold as words do: a mark after a zero-width character that is taken out lands on the letter before it."""
    return bool(re.search("[\u00ad\u200b-\u200f\u2060\ufeff][\u0301\u0306\u0308\ufe0f]", text))


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_the_head_of_each_word_lies_in_it(kind):
    tokenizer = TOKENIZERS[kind]()
    missing = total = 0
    batch = [text for i in range(2000) if not _lost(text := random_text(Random(i)))]
    for text, tokens in zip(batch, tokenize_all(batch, tokenizer), strict=True):
        offsets = tokenizer.encode(text, add_special_tokens=False).offsets
        every = words.words(text)
        total += len(every)
        missing += len(every) - len(tokens.bounds)
        assert len(tokens.bounds) == len(tokens.heads) and set(tokens.bounds) <= set(every)
        assert (np.diff(tokens.heads) > 0).all(), "no token is the head of two words"
        for (start, end), head in zip(tokens.bounds, tokens.heads, strict=True):
            first, last = offsets[head]
            while text[first].isspace() or (first < last - 1 and unicodedata.category(text[first]) in ("Cf", "Cc")):
                first += 1
            assert start <= first < end, (text, text[start:end])
            assert last <= end or "\ue000" in text, (text, text[start:end])
        # No word without a token may have one after all: the first character of each token belongs to a word with a head.
        covered = {i for start, end in tokens.bounds for i in range(start, end)}
        lost = [word for word in every if word not in set(tokens.bounds)]
        assert not any(start <= first < end and first not in covered for start, end in lost for first, last in offsets if first < last)
        assert kind == "BERT" or not lost
        assert all(text[start:end].startswith("\ue000") for start, end in lost)  # of private use: white space to BERT
    assert total > 30_000 and missing < 0.03 * total


def test_one_text_and_many_are_read_alike():
    batch = [random_text(Random(i)) for i in range(50)]
    for one, many in zip((tokenize(text, word_piece()) for text in batch), tokenize_all(batch, word_piece()), strict=True):
        assert np.array_equal(one.ids, many.ids) and one.bounds == many.bounds and np.array_equal(one.heads, many.heads)


@pytest.mark.parametrize("text", ["", " \n", "\u200b\u00ad\ufeff", "\u200b", "\u2060 \u200d"])
@pytest.mark.parametrize("kind", TOKENIZERS)
def test_a_text_without_visible_characters_has_no_words(kind, text):
    tokens = tokenize(text, TOKENIZERS[kind]())
    assert tokens.bounds == [] and tokens.heads.shape == (0,)
    labels, refused = label(Article("a", text), tokens, LAYERS)
    assert refused == {"entities": [], "quotes": []} and all(values.shape == tokens.ids.shape for values in labels.values())


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_no_gold_span_is_lost_between_articles_and_labels(kind):
    tokenizer, refused_at_all = TOKENIZERS[kind](), 0
    for i in range(400):
        article = random_article(Random(i), crossing=True)
        tokens = tokenize(article.text, tokenizer)
        labels, refused = label(article, tokens, LAYERS)
        for layer, names in LAYERS.items():
            tags = [words.tag_names(names)[labels[layer][head]] for head in tokens.heads]
            kept = words.decode(tags, tokens.bounds)
            assert len(kept) + len(refused[layer]) == len(article.layer(layer))
            assert sorted([*kept, *refused[layer]], key=_place) == sorted(article.layer(layer), key=_place)
            assert (np.delete(labels[layer], tokens.heads) == IGNORED).all()
            refused_at_all += len(refused[layer])
    assert kind == "BERT" or refused_at_all < 10


def test_a_layer_that_was_not_annotated_is_asked_nothing():
    article = Article("a", "Путин сказал", (Span(0, 5, "PER"),), meta={"layers": "entities"})
    tokens = windows.tokenize(article.text, word_piece())
    labels, refused = label(article, tokens, LAYERS)
    assert (labels["quotes"] == IGNORED).all() and "quotes" not in refused
    assert labels["entities"][tokens.heads].tolist() == [1, 0]


def _place(span: Span) -> tuple[int, int, str]:
    return span.start, span.end, span.label
