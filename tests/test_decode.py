import numpy as np

from govorit import words
from govorit.article import Article
from govorit.decoding import decode
from govorit.formats.inline import parse


def test_what_was_marked_before_is_replaced():
    article = parse("<PER>Путин</PER> сказал: <q>«Да»</q>")
    bounds = words.words(article.text)
    scores = {"entities": np.tile(np.log([[0.98, 0.01, 0.01]]), (len(bounds), 1))}
    assert decode.decode(article, bounds, scores, {"entities": ["PER"]}) == Article(article.id, article.text)
