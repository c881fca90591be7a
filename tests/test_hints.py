import re
from random import Random

import numpy as np
import pytest
import razdel
from raw import NAMES

from govorit import words
from govorit.article import QUOTE_LABELS
from govorit.decoding import hints
from govorit.decoding.hints import SYNTAX, Hints

TEXT = "«Мост открыт», — сказал Петров."
TAGS = words.tag_names(QUOTE_LABELS)


def read(text: str, **of_word: tuple[str, str, str, str]) -> dict[str, np.ndarray]:
    """What a network reads in `text`: entity, form, relation and head of the words that are named, punctuation elsewhere."""
    plain = ("O", "PUNCT", "punct", "root")
    said = [of_word.get(text[start:end], plain) for start, end in words.words(text)]
    return {
        SYNTAX + layer: np.array([NAMES[layer].index(labels[i]) for labels in said])
        for i, layer in enumerate(("entities", "forms", "relations", "heads"))
    }


def found(text: str, **of_word: tuple[str, str, str, str]) -> list[str]:
    return [(None, *TAGS)[i] for i in hints.find(text, words.words(text), read(text, **of_word), NAMES)]


SAID = {
    "сказал": ("O", "VERB|Tense=Past|VerbForm=Fin", "root", "root"),
    "Петров": ("B-PER", "PROPN|Case=Nom", "nsubj", "-1"),
}


def test_rules_tag_the_words_of_a_text():
    assert found(TEXT, **SAID) == [
        "B-DIRECT", "I-DIRECT", "I-DIRECT", "I-DIRECT", "O", "O", "B-CUE", "B-SPEAKER", "O",
    ]  # fmt: skip


def test_every_word_gets_a_hint_whatever_the_text():
    for text in ("", " ", "пресс-секретарь т.д.", "\u00ad", "Да\n\n— Нет", "а" * 300):
        bounds = words.words(text)
        tags = hints.find(text, bounds, read(text), NAMES)
        assert tags.shape == (len(bounds),) and (tags > 0).all() and (tags < hints.COUNT).all()


def test_the_rules_get_the_tokens_of_razdel():
    rng = Random(0)
    texts = ["".join(rng.choices("абв yΔ12.,-–_/\\!?…:;)(«»'\"* \n\t\u00a0\u2028\u0301", k=rng.randrange(16))) for _ in range(3000)]
    for text in (*texts, "Вице -премьер, 2005, 6 мая: «Да!» :)", "yahoo! «т.д.»,"):
        starts = [at + token.start for at, line in lines(text) for token in razdel.tokenize(line)]
        assert hints.tokens(text, [(0, 1)], {}, {})[0].tolist() == starts


def lines(text: str) -> list[tuple[int, str]]:
    return [(match.start(), match[0]) for match in re.finditer("[^\n]+", text)]


def test_a_hint_speaks_for_its_own_tag_before_anything_is_learnt():
    weights = hints.first_weights(QUOTE_LABELS)
    assert weights.shape == (hints.COUNT, len(TAGS)) and not weights[0].any()
    assert (weights[1:].argmax(axis=1) == np.arange(len(TAGS))).all()
    assert hints.first_weights(["DIRECT", "CUE"])[2:4].argmax(axis=1).tolist() == [1, 2]


def test_hints_change_scores_and_leave_them_probabilities():
    bounds = words.words(TEXT)
    flat = np.full((len(bounds), len(TAGS)), -np.log(len(TAGS)))
    scores = Hints(hints.first_weights(QUOTE_LABELS), NAMES).add(flat, TEXT, bounds, read(TEXT, **SAID))
    assert np.exp(scores).sum(axis=1) == pytest.approx(1)
    assert [TAGS[i] for i in scores.argmax(axis=1)] == found(TEXT, **SAID)
