from dataclasses import replace
from random import Random

from generate import random_article

from govorit.article import CUE, SPEAKER, Article, Quote, Span, quote_spans
from govorit.formats.inline import parse


def test_spans_are_half_open():
    assert not Span(0, 2, "PER").overlaps(Span(2, 4, "LOC"))
    assert Span(0, 3, "PER").overlaps(Span(2, 4, "LOC"))
    assert Span(0, 9, "PER").overlaps(Span(2, 4, "LOC")) and Span(2, 4, "LOC").overlaps(Span(0, 9, "PER"))


def test_a_shared_cue_comes_once_in_the_layer():
    article = parse("<src 1,2>Он</src> <cue 1,2>сказал</cue>, что <q 1 indirect>рад</q>: <q 2 direct>«Да»</q>")
    assert [(article.text[s.start : s.end], s.label) for s in article.layer("quotes")] == [
        ("Он", SPEAKER),
        ("сказал", CUE),
        ("рад", "INDIRECT"),
        ("«Да»", "DIRECT"),
    ]


def test_entities_inside_a_quotation_are_two_layers():
    article = parse("<q>«<PER>Иванов</PER> прав»</q>, — <cue>сказал</cue> <src><PER>Петров</PER></src>")
    assert [s.label for s in article.layer("entities")] == ["PER", "PER"]
    assert [s.label for s in article.layer("quotes")] == ["DIRECT", CUE, SPEAKER]


def test_layers_are_sorted_and_lose_nothing():
    rng = Random(1)
    for _ in range(300):
        article = random_article(rng)
        shuffled = replace(
            article,
            entities=tuple(rng.sample(article.entities, len(article.entities))),
            quotes=tuple(rng.sample(article.quotes, len(article.quotes))),
        )
        for layer in ("entities", "quotes"):
            spans = shuffled.layer(layer)
            assert spans == article.layer(layer)
            assert list(spans) == sorted(spans, key=lambda span: span.start)
        assert set(article.layer("quotes")) == set(quote_spans(article.quotes))


def test_meta_says_which_layers_were_annotated():
    assert Article("a", "Да").annotated("quotes")
    assert not Article("a", "Да", meta={"layers": "entities"}).annotated("quotes")
    assert Article("a", "Да", meta={"layers": "entities"}).annotated("entities")


def test_where_takes_no_part_in_comparisons():
    assert Article("a", "Да", where="x:1") == Article("a", "Да", where="y:2")


def test_a_quotation_needs_only_its_content():
    quote = Quote("direct", (Span(0, 2, "DIRECT"),))
    assert quote_spans([quote]) == quote.content
