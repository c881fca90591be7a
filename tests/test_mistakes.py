import random
from dataclasses import replace

import pytest
from generate import random_article
from test_report import GOLD, PREDICTED

from govorit.article import Article, Quote, Span
from govorit.evaluation import mistakes


def test_mistakes_are_named_with_their_words():
    gold = replace(GOLD, entities=(*GOLD.entities, Span(1, 3, "ORG")))
    predicted = replace(PREDICTED, entities=(*PREDICTED.entities, Span(8, 14, "PER")))
    assert [(mistake.kind, mistake.gold, mistake.predicted) for mistake in mistakes.find(gold, predicted)] == [
        ("missed", "ORG Да", ""),
        ("spurious", "", "PER сказал"),
        ("wrong boundary", "PER Путин", "PER Путин в"),
        ("wrong label", "LOC Алматы", "ORG Алматы"),
    ]


def test_a_right_span_of_the_wrong_quotation_is_a_mistake():
    text = "«Да», — сказал Песков. «Нет», — сказал Чайка."
    parts = [
        [(0, 4, "DIRECT"), (8, 14, "CUE"), (15, 21, "SPEAKER")],
        [(23, 28, "DIRECT"), (32, 38, "CUE"), (39, 44, "SPEAKER")],
    ]
    (one, cue, who), (two, cue2, who2) = ([Span(*place) for place in places] for places in parts)
    gold = Article("a", text, (), (Quote("direct", (one,), cue, who), Quote("direct", (two,), cue2, who2)))
    crossed = replace(gold, quotes=(Quote("direct", (one,), cue, who2), Quote("direct", (two,), cue2, who)))
    assert [(mistake.kind, mistake.gold, mistake.predicted) for mistake in mistakes.find(gold, crossed)] == [
        ("wrong speaker", "Песков — сказал: «Да»", "Чайка — сказал: «Да»"),
        ("wrong speaker", "Чайка — сказал: «Нет»", "Песков — сказал: «Нет»"),
    ]
    assert mistakes.find(gold, gold) == []


def test_quotations_are_told_in_the_words_of_the_article():
    (said,) = GOLD.quotes
    for change, kind, told in (
        ({"content": (Span(0, 3, "DIRECT"),)}, "wrong boundary", ("«Да»", "«Да")),
        ({"kind": "mixed"}, "wrong kind", ("direct: «Да»", "mixed: «Да»")),
        ({"cue": None}, "wrong cue", ("Песков — сказал: «Да»", "Песков — no cue: «Да»")),
        ({"speaker": None}, "wrong speaker", ("Песков — сказал: «Да»", "no speaker — сказал: «Да»")),
        ({"name": None}, "wrong name", ("Дмитрий Песков (Песков) — сказал: «Да»", "(Песков) — сказал: «Да»")),
    ):
        (mistake,) = mistakes.find(GOLD, replace(GOLD, quotes=(replace(said, **change),)))
        assert (mistake.kind, (mistake.gold, mistake.predicted)) == (kind, told)
    (missed,) = mistakes.find(GOLD, replace(GOLD, quotes=()))
    assert (missed.kind, missed.gold, missed.predicted) == ("missed", "Дмитрий Песков (Песков) — сказал: «Да»", "")
    (spurious,) = mistakes.find(replace(GOLD, quotes=()), GOLD)
    assert (spurious.kind, spurious.gold, spurious.predicted) == ("spurious", "", "Дмитрий Песков (Песков) — сказал: «Да»")


def test_the_same_words_at_another_place_are_told_apart():
    text = "Он встал. «Да», — сказал он, и он сел."
    gold = Article("a", text, (), (Quote("direct", (Span(10, 14, "DIRECT"),), Span(18, 24, "CUE"), Span(25, 27, "SPEAKER")),))
    predicted = replace(gold, quotes=(replace(gold.quotes[0], speaker=Span(31, 33, "SPEAKER")),))
    (mistake,) = mistakes.find(gold, predicted)
    assert (mistake.gold, mistake.predicted) == ("он — сказал: «Да» [25–27]", "он — сказал: «Да» [31–33]")


@pytest.mark.parametrize("seed", range(30))
def test_an_article_has_no_mistakes_against_itself(seed):
    article = random_article(random.Random(seed))
    assert mistakes.find(article, article) == []
    found = mistakes.find(article, replace(article, entities=()), ["entities"])
    assert [mistake.kind for mistake in found] == ["missed"] * len(article.entities)


def test_layers_that_the_gold_does_not_annotate_have_no_mistakes():
    assert mistakes.find(replace(GOLD, entities=(), meta={"layers": "quotes"}), PREDICTED) == []


def test_a_mistake_knows_where_it_shows():
    (said,) = GOLD.quotes
    for change, ours, theirs in (
        ({"content": (Span(0, 3, "DIRECT"),)}, (0, 4, "DIRECT"), (0, 3, "DIRECT")),
        ({"speaker": Span(23, 28, "SPEAKER")}, (15, 21, "SPEAKER"), (23, 28, "SPEAKER")),
        ({"speaker": None}, (15, 21, "SPEAKER"), (0, 4, "DIRECT")),
        ({"name": "Путин"}, (15, 21, "SPEAKER"), (15, 21, "SPEAKER")),
    ):
        (mistake,) = mistakes.find(GOLD, replace(GOLD, quotes=(replace(said, **change),)))
        assert (mistake.gold_spans, mistake.predicted_spans) == ((ours,), (theirs,))


def test_a_place_keeps_its_name_while_the_mistake_changes():
    """Missed, then found with a wrong boundary, then taken for another label: one place, wrong for three epochs."""
    for found in ((), (Span(30, 37, "LOC"),), (Span(31, 37, "ORG"),)):
        predicted = replace(GOLD, entities=(*GOLD.entities[:2], *found))
        assert mistakes.wrong_places([(GOLD, predicted)], ["entities", "quotes"]) == ["a entities gold 31"]
    spurious = replace(GOLD, entities=(*GOLD.entities, Span(8, 14, "PER")))
    assert mistakes.wrong_places([(GOLD, spurious)], ["entities"]) == ["a entities spurious 8"]
    assert mistakes.wrong_places([(GOLD, spurious)], ["quotes"]) == []


def test_a_mistake_has_the_score_of_what_it_is_about():
    (said,) = GOLD.quotes
    found = replace(said, name="Путин", score=0.9, name_score=0.4)
    assert [m.score for m in mistakes.find(GOLD, replace(GOLD, quotes=(found,)))] == [0.4]
    assert [m.score for m in mistakes.find(GOLD, replace(GOLD, quotes=(replace(found, name=said.name, cue=None),)))] == [0.9]
    assert [m.score for m in mistakes.find(GOLD, replace(GOLD, quotes=()))] == [None]
