import random
from dataclasses import replace
from itertools import pairwise

import pytest
from generate import random_article

from govorit.article import Article, Quote, Span
from govorit.contract import Contract
from govorit.evaluation import attribution, metrics, slices
from govorit.evaluation.slices import CONTENTS, ENTITIES, Known

TEXT = "Павел Малков из Росстата прилетел. «Цены выросли», — сказал он."
GOLD = Article(
    "a",
    TEXT,
    (Span(0, 12, "PER"), Span(16, 24, "ORG")),
    (Quote("direct", (Span(35, 49, "DIRECT"),), Span(53, 59, "CUE"), Span(60, 62, "SPEAKER")),),
)


def counts(found: list[slices.Slicing], part: str, by: str) -> dict[str, tuple[int, int, float]]:
    (slicing,) = (s for s in found if (s.part, s.by) == (part, by))
    return {name: (figure.support, figure.predicted, figure.f1) for name, figure in slicing.figures.items()}


def test_spans_by_length_and_unseen_words():
    predicted = replace(GOLD, entities=(Span(0, 12, "PER"), Span(16, 33, "ORG")))
    known = Known(seen=slices.vocabulary([Article("b", "павел выросли")]))
    found = slices.cut([(GOLD, predicted)], ["entities", "quotes"], known, resamples=0)
    assert counts(found, ENTITIES, "length in words") == {"1": (1, 0, 0.0), "2": (1, 2, pytest.approx(2 / 3))}
    assert counts(found, ENTITIES, "words unseen in training") == {"some": (1, 1, 1.0), "all": (1, 1, 0.0)}
    assert counts(found, CONTENTS, "words unseen in training") == {"more": (1, 1, 1.0)}
    assert {slicing.by for slicing in found} == {"length in words", "words unseen in training", "words between content and speaker"}


def test_quotations_by_distance_to_their_speaker():
    (said,) = GOLD.quotes
    by = "words between content and speaker"
    for found, expected in (
        ((said,), {"0–3": (1, 1, 1.0)}),
        ((replace(said, speaker=Span(0, 12, "SPEAKER")),), {"0–3": (1, 1, 0.0)}),  # a match lies where its gold does
        ((), {"0–3": (1, 0, 0.0)}),
        ((said, Quote("indirect", (Span(0, 12, "INDIRECT"),))), {"0–3": (1, 1, 1.0), "no speaker": (0, 1, 0.0)}),
    ):
        cut = slices.cut([(GOLD, replace(GOLD, quotes=found))], ["quotes"], Known(), resamples=0)
        assert counts(cut, "quotations with the right speaker", by) == expected


@pytest.mark.parametrize("seed", range(20))
def test_slices_add_up_to_the_scores(seed):
    rng = random.Random(seed)
    gold = random_article(rng)
    kept = tuple(replace(span, label=rng.choice((span.label, "LOC"))) for span in gold.entities if rng.random() < 0.8)
    predicted = replace(gold, entities=kept, quotes=gold.quotes[::2])
    found = slices.cut([(gold, predicted)], ["entities", "quotes"], Known(seen=frozenset()), resamples=5)
    scored = metrics.score([gold], [predicted], ["entities"], resamples=0)["entities"].strict["micro"]
    said = attribution.score([gold], [predicted], resamples=0).with_speaker["all"]
    for part, by, whole in (
        (ENTITIES, "length in words", scored),
        ("quotations with the right speaker", "words between content and speaker", said),
    ):
        figures = [figure for s in found if (s.part, s.by) == (part, by) for figure in s.figures.values()]
        assert sum(figure.support for figure in figures) == whole.support
        assert sum(figure.predicted for figure in figures) == whole.predicted
        assert sum(figure.recall * figure.support for figure in figures) == pytest.approx(whole.recall * whole.support)


def test_a_word_is_placed_in_the_window_that_reads_it():
    from govorit.network import tokenization

    text = " ".join(f"слово{number}" for number in range(60))
    tokenizer = tokenization.wrap(tokenization.learn([text] * 3, 200)).backend_tokenizer
    contract = Contract({"entities": ["PER"]}, 32, 8, {})
    placed = slices.window_positions([Article("a", text), Article("b", "")], tokenizer, contract)
    assert placed["b"] == {} and [*placed["a"]] == [text.index(f"слово{number}") for number in range(60)]
    shares = [*placed["a"].values()]
    assert shares[0] == 0 and all(0 <= share < 1 for share in shares)
    assert sum(later < earlier for earlier, later in pairwise(shares)) >= 2, "each window begins anew"
    inner = shares[10:-10]
    assert min(inner) > 0.05 and max(inner) < 0.95, "a word at the edge of one window is read in the middle of the next"


def test_place_in_the_window_is_sliced_by_where_it_is_known():
    known = Known(positions={"a": {0: 0.05, 16: 0.5}})
    found = slices.cut([(GOLD, GOLD)], ["entities", "quotes"], known, resamples=0)
    assert counts(found, ENTITIES, "place in the window") == {"first fifth": (1, 1, 1.0), "middle": (1, 1, 1.0)}
    assert all(slicing.part == ENTITIES for slicing in found if slicing.by == "place in the window")
