from itertools import pairwise
from random import Random

import numpy as np
import pytest

from govorit import contract, words
from govorit.article import QUOTE_LABELS, Article
from govorit.decoding import decode
from govorit.formats.inline import parse


def test_what_was_marked_before_is_replaced():
    article = parse("<PER>Путин</PER> сказал: <q>«Да»</q>")
    bounds = words.words(article.text)
    scores = {"entities": np.tile(np.log([[0.98, 0.01, 0.01]]), (len(bounds), 1))}
    assert decode.decode(article, bounds, scores, {"entities": ["PER"]}) == Article(article.id, article.text)


PIECES = (
    "«", "»", "“", '"', "„", ",", ".", "—", "(", ")", "?", ":", "\n", "-", "он", "Она", "там", "Там", "сказал", "заявили", "пишет",
    "цитирует", "по словам", "в", "что", "МИД", "РФ", "России", "Иван", "Петров", "Ивана", "Петрова", "А.", "Б.", "Кэтрин", "СМИ",
    "Газпром", "ведомство", "Российской", "Федерации", "земли", "Гессен", "президент", "представитель", "Reuters", "RT", "2016",
    "которая", "документ", "министр", "ЕС", "издание", "Жан", "Марк",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_whatever_a_network_says_spans_are_sound(seed):
    rng = Random(seed)
    text = "".join(rng.choice(PIECES) + rng.choice((" ", " ", " ", "")) for _ in range(rng.randrange(1, 60))).strip()
    bounds = words.words(text)
    layers = {"entities": ["LOC", "ORG", "PER"], "quotes": list(QUOTE_LABELS)}
    noise = np.random.default_rng(seed)
    scores = {layer: np.log(noise.dirichlet(np.full(1 + 2 * len(labels), 0.2), len(bounds)) + 1e-9) for layer, labels in layers.items()}
    for places in contract.PLACES:
        found = decode.decode(Article("a", text), bounds, scores, layers, places=places)
        contents = [span for quote in found.quotes for span in quote.content]
        others = {span for quote in found.quotes for span in (quote.cue, quote.speaker) if span}
        assert all(one.end <= other.start for one, other in pairwise(found.entities))
        assert all(one.end <= other.start for one, other in pairwise(sorted(contents, key=lambda span: span.start)))
        assert not any(span.overlaps(content) for span in others for content in contents)
        for span in (*found.entities, *contents, *others):
            assert text[span.start : span.end].strip() == text[span.start : span.end] != ""
        assert all(quote.name is None or quote.name.strip() == quote.name for quote in found.quotes)
