from random import Random

import numpy as np
from generate import random_text

from govorit import words
from govorit.article import Article
from govorit.decoding import decode, repeats

LABELS = ["PER", "LOC"]
TEXT = "Вчера Мугабе прибыл. О Мугабе и о Мали пишут. Он встретил Мугабе, сообщает мугабе."
OUT, PER, LOC = [0.96, 0.01, 0.01, 0.01, 0.01], [0.02, 0.94, 0.01, 0.02, 0.01], [0.05, 0.3, 0.02, 0.6, 0.03]


def scored(text: str, *rows: tuple[str, list[list[float]]]) -> tuple[list[tuple[int, int]], np.ndarray]:
    """The words of a text, and their log-probabilities: those given for the occurrences of a word, O for others."""
    bounds, told = words.words(text), {word: list(values) for word, values in rows}
    return bounds, np.log([told[word].pop(0) if told.get(word) else OUT for word in (text[start:end] for start, end in bounds)])


def test_a_name_is_what_it_is_elsewhere_in_the_article():
    bounds, scores = scored(TEXT, ("Мугабе", [PER, LOC, PER]), ("Мали", [LOC]))
    found = decode.decode(Article("a", TEXT), bounds, {"entities": scores}, {"entities": LABELS}).entities
    assert [(TEXT[span.start : span.end], span.label) for span in found] == [
        ("Мугабе", "PER"), ("Мугабе", "PER"), ("Мали", "LOC"), ("Мугабе", "PER"),
    ]  # fmt: skip


def test_only_capitalised_words_that_come_again_change():
    bounds, scores = scored(TEXT, ("Мугабе", [PER, LOC, PER]), ("Мали", [LOC]), ("мугабе", [LOC]), ("О", [LOC]))
    pooled = repeats.pool(scores, TEXT, bounds)
    changed = [TEXT[start:end] for (start, end), moved in zip(bounds, (pooled != scores).any(axis=1), strict=True) if moved]
    assert changed == ["Мугабе"] * 3


def test_case_endings_do_not_hide_a_repeated_name():
    text = "К Мугабе пришли. Письмо Путину от Путина."
    bounds, scores = scored(text, ("Путину", [PER]), ("Путина", [LOC]))
    assert repeats.pool(scores, text, bounds)[-2].argmax() == 1


def test_a_span_begins_where_it_began():
    """`Петров` goes on with `Иван Петров` in one place and begins a span in another: both are persons, each in its own way."""
    text = "Иван Петров ушёл. Петров вернулся."
    goes_on = [0.02, 0.01, 0.94, 0.02, 0.01]
    bounds, scores = scored(text, ("Иван", [PER]), ("Петров", [goes_on, [0.5, 0.45, 0.02, 0.02, 0.01]]))
    assert repeats.pool(scores, text, bounds).argmax(axis=1).tolist() == [1, 2, 0, 0, 1, 0, 0]


def test_scores_stay_probabilities_in_any_text():
    for seed in range(200):
        text = random_text(Random(seed)) + " Иванов Иванова И"
        bounds = words.words(text)
        scores = np.log(np.random.default_rng(seed).dirichlet([0.2] * 5, len(bounds)).clip(1e-30)).astype(np.float32)
        given = scores.copy()
        pooled = repeats.pool(scores, text, bounds)
        assert np.array_equal(scores, given), "what was given stays as it is"
        assert pooled.shape == scores.shape and pooled.dtype == scores.dtype
        assert np.allclose(np.exp(pooled.astype(np.float64)).sum(axis=1), 1, atol=1e-4)
    assert repeats.pool(np.zeros((0, 5)), "", []).shape == (0, 5)
