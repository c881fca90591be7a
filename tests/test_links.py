from dataclasses import replace
from random import Random

import numpy as np
import pytest
from generate import random_article
from test_nearness import QUOTATIONS, shown

from govorit import nearness, words
from govorit.article import CUE, KINDS, SPEAKER, Article, Quote, Span
from govorit.decoding import decode, links
from govorit.decoding.aids import Aids
from govorit.decoding.links import RELATIONS, SIZE, Scene, Weights
from govorit.formats.inline import parse

WIDTH = 2 * SIZE


def first_weights() -> Weights:
    matrices = {relation: np.zeros((WIDTH, WIDTH), np.float32) for relation in RELATIONS}
    return Weights(matrices, {relation: links.first_table(relation) for relation in RELATIONS})


def random_weights(seed: int) -> Weights:
    rng = np.random.default_rng(seed)
    first = first_weights()
    matrices = {relation: rng.normal(size=(WIDTH, WIDTH)).astype(np.float32) / WIDTH for relation in RELATIONS}
    return Weights(matrices, {relation: table + rng.normal(size=len(table)).astype(np.float32) for relation, table in first.tables.items()})


def tied(article: Article, weights: Weights, vectors: np.ndarray | None = None) -> list[Quote]:
    """The quotations of an article's gold spans, tied anew."""
    bounds = words.words(article.text)
    spans = [span for span in article.layer("quotes") if not words.encode([span], bounds)[1]]
    given = np.zeros((len(bounds), SIZE), np.float32) if vectors is None else vectors
    return links.tie(spans, article.text, nearness.tie(spans, article.text), bounds, given, weights)


def vectors_of(article: Article, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(len(words.words(article.text)), SIZE)).astype(np.float32)


def without_scores(quotes) -> list[Quote]:
    return [replace(quote, score=None) for quote in quotes]


@pytest.mark.parametrize("case", QUOTATIONS)
def test_it_begins_with_what_nearness_ties(case):
    gold = parse(QUOTATIONS[case])
    assert shown(tied(gold, first_weights()), gold.text) == shown(gold.quotes, gold.text)


def test_it_begins_with_what_nearness_ties_anywhere():
    for i in range(100):
        article = random_article(Random(i))
        near = nearness.tie(article.layer("quotes"), article.text)
        assert without_scores(tied(article, first_weights(), vectors_of(article))) == without_scores(near)


def test_whatever_it_learns_each_content_is_in_one_quotation_with_one_cue_and_one_speaker_at_most():
    shared = interrupted = 0
    for i in range(100):
        article = random_article(Random(i))
        spans = article.layer("quotes")
        found = tied(article, random_weights(i), vectors_of(article, i))
        assert sorted((part.start, part.end) for quote in found for part in quote.content) == [
            (span.start, span.end) for span in spans if span.label.lower() in KINDS
        ]
        assert [quote.content[0].start for quote in found] == sorted(quote.content[0].start for quote in found)
        for quote in found:
            assert {part.label for part in quote.content} == {quote.kind.upper()}
            assert quote.cue is None or quote.cue.label == CUE
            assert quote.speaker is None or quote.speaker.label == SPEAKER
            assert list(quote.content) == sorted(quote.content, key=lambda part: part.start)
        cues = [quote.cue for quote in found if quote.cue]
        shared += len(cues) - len(set(cues))
        interrupted += sum(len(quote.content) > 1 for quote in found)
    assert shared > 10 and interrupted > 10, "both happen"


FAR = """<src 1>Мэр Ким</src> вышел к людям. <q 2 direct>«Ждём»</q>, — <cue 2>отвечали</cue> <src 2>продавцы</src>.

<q 1 direct>«Мост откроем в мае»</q>."""


def test_vectors_can_tie_a_speaker_from_another_paragraph():
    """The matrix asks a content's first word for the first word of its speaker; nearness would find none."""
    article = parse(FAR)
    near, far = article.quotes
    assert [quote.speaker for quote in tied(article, first_weights())] == [near.speaker, None]
    vectors, weights = np.zeros((len(words.words(article.text)), SIZE), np.float32), first_weights()
    starts = [start for start, _ in words.words(article.text)]
    vectors[starts.index(far.content[0].start), 0] = 3
    vectors[starts.index(article.text.index("Мэр")), 1] = 3
    weights.matrices["speaker"][0, 1] = 1
    assert without_scores(tied(article, weights, vectors)) == [near, far]


def test_a_score_is_that_of_the_contents_times_the_probabilities_of_the_links():
    text = "«Да», — сказал он."
    spans = [Span(0, 4, "DIRECT", 0.5), Span(8, 14, "CUE", 0.9), Span(15, 17, "SPEAKER", 0.9)]
    bounds = words.words(text)
    (quote,) = links.tie(spans, text, nearness.tie(spans, text), bounds, np.zeros((len(bounds), SIZE), np.float32), first_weights())
    odds = np.exp(4.0)  # of what nearness ties, to each of the others: none
    assert quote.score == pytest.approx(0.5 * (odds / (odds + 1)) ** 2, abs=1e-4)
    assert (quote.cue, quote.speaker) == (spans[1], spans[2])


def test_nothing_to_tie():
    assert links.tie([], "Да", [], [(0, 2)], np.zeros((1, SIZE), np.float32), first_weights()) == []
    cue = Span(0, 2, "CUE", 1.0)
    assert links.tie([cue], "Да", [], [(0, 2)], np.zeros((1, SIZE), np.float32), first_weights()) == []


def test_ties_say_who_belongs_to_whom():
    article = parse(
        "<q 1 direct>«Да</q>, — <cue 1>сказал</cue> <src 1>он</src>. — <q 1 direct>И нет»</q>. <q 2 direct>«Ура»</q>. <src 3>Ли</src>: "
        "<q 3 direct>«Ох»</q>."
    )
    spans = article.layer("quotes")  # «Да, сказал, он, И нет», «Ура», Ли, «Ох»
    found = links.ties(article.quotes, spans)
    assert {relation: ties[[0, 3, 4, 6]].tolist() for relation, ties in found.items()} == {
        "part": [0, 0, 4, 6], "cue": [1, 1, 4, 6], "speaker": [2, 2, 4, 5],
    }  # fmt: skip
    assert links.ties(article.quotes, spans[1:])["part"].tolist()[2] == -1, "the part before it is not among the spans"
    assert links.ties(article.quotes[:1], spans)["cue"].tolist() == [1, -1, -1, 1, -1, -1, -1]


def test_candidates_are_the_nearest_on_both_sides_in_the_order_of_the_text():
    text = "он " * 10 + "«Да» " + "он " * 10
    spans = [Span(match, match + 2, SPEAKER) for match in range(0, 30, 3)] + [Span(30, 34, "DIRECT")]
    spans += [Span(match, match + 2, SPEAKER) for match in range(35, 65, 3)]
    scene = Scene(spans, text, links.ties(nearness.tie(spans, text), spans))
    before, after = links.REACH["speaker"]
    assert scene.candidates("speaker").tolist() == [[10, *range(10 - before, 10), *range(11, 11 + after)]]
    assert scene.candidates("cue").tolist() == [[10, *[-1] * sum(links.REACH["cue"])]]


def test_a_part_goes_on_with_its_like_alone():
    article = parse("<q 1 direct>«Да»</q>, <q 2 indirect>дождь</q>, <q 3 direct>«Нет»</q>")
    spans = article.layer("quotes")
    scene = Scene(spans, article.text, links.ties(article.quotes, spans))
    assert scene.candidates("part").tolist() == [[0, -1, -1, -1], [1, -1, -1, -1], [2, -1, 0, -1]]


def seen(text: str) -> dict[str, int]:
    """What is seen of the only cue of the only content, beside the empty table: column -> bucket."""
    article = parse(text)
    spans = article.layer("quotes")
    scene = Scene(spans, article.text, links.ties(nearness.tie(spans, article.text), spans))
    candidates = scene.candidates("cue")
    rows = links.edges(spans, words.words(article.text))
    features = scene.pairs("cue", candidates, rows, scene.contents).features
    (slot,) = np.flatnonzero(candidates[0] == scene.members["cue"][0])
    names = ("near", "label", "slot", "gap", "paragraph", "sentence", "colon", "dash", "comma", "contents", "cues", "speakers")
    assert features.shape[-1] == len(names)
    return dict(zip(names, (features[0, slot] - 32 * np.arange(len(names))).tolist(), strict=True))


def test_what_stands_between_is_seen():
    after = seen("<q>«Да»</q>, — <cue>сказал</cue> он.")
    assert after["near"] == 1 and after["comma"] == after["dash"] == 1 + 2 * 1 + 1 and after["colon"] == after["sentence"] == 1 + 1
    before = seen("<cue>Сказал</cue> он: <q>«Да»</q>.")
    assert before["near"] == 1 and before["colon"] == 1 + 2 * 1 and before["comma"] == 1 and before["label"] != after["label"]
    far = seen("<cue>Сказал</cue>. <src>Ли</src> молчал. \n\n<q>«Да»</q>.")
    assert far["near"] == 0 and far["paragraph"] == 3 and far["sentence"] == 5 and far["speakers"] == 3 and far["gap"] > before["gap"]


def test_every_place_in_a_table_is_one_column_and_bucket():
    for i in range(100):
        article = random_article(Random(i))
        spans = article.layer("quotes")
        scene = Scene(spans, article.text, links.ties(nearness.tie(spans, article.text), spans))
        rows = np.zeros((len(spans), 2), np.int64)
        for relation in RELATIONS:
            features = scene.pairs(relation, scene.candidates(relation), rows, scene.contents).features
            size = len(links.first_table(relation)) // features.shape[-1]
            assert (features // size == np.arange(features.shape[-1])).all()


def test_an_article_is_decoded_with_the_link_head_where_there_is_one():
    gold = parse(QUOTATIONS["two in a paragraph"])
    bounds = words.words(gold.text)
    tags = words.tag_names(("DIRECT", CUE, SPEAKER))
    path = [tags.index(tag) for tag in words.encode(gold.layer("quotes"), bounds)[0]]
    scores = {"quotes": np.log(np.eye(len(tags))[path] + 1e-9), links.VECTORS: vectors_of(gold)}
    layers = {"quotes": ["DIRECT", CUE, SPEAKER]}
    plain, headed = (decode.decode(gold, bounds, scores, layers, aids) for aids in (Aids(), Aids(links=first_weights())))
    assert shown(plain.quotes, gold.text) == shown(headed.quotes, gold.text) == shown(gold.quotes, gold.text)
    against = first_weights()
    against.tables["cue"][:] *= -1
    assert shown(decode.decode(gold, bounds, scores, layers, Aids(links=against)).quotes, gold.text) != shown(gold.quotes, gold.text)
