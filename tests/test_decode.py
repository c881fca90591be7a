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


def test_an_organisation_is_more_than_its_kind():
    text = "СМИ и ОАО «Газпром»"
    bounds = words.words(text)
    begins = {"СМИ": 0.9, "ОАО": 0.9, "Газпром": 0.9}
    scores = np.log([[0.95 - p, p, 0.05] for p in (begins.get(text[start:end], 0.05) for start, end in bounds)])
    for label, names in (("ORG", ["Газпром"]), ("LOC", ["СМИ", "ОАО", "Газпром"])):
        found = decode.decode(Article("1", text), bounds, {"entities": scores}, {"entities": [label]})
        assert [text[span.start : span.end] for span in found.entities] == names
