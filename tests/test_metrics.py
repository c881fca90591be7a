import json
import random
import re
import warnings
from dataclasses import replace

import pytest
from generate import random_article
from seqeval.metrics import classification_report
from seqeval.metrics.v1 import precision_recall_fscore_support
from seqeval.scheme import IOB2

from govorit.article import LAYERS, Article, Quote, Span
from govorit.errors import UserError
from govorit.evaluation import metrics
from govorit.evaluation.metrics import Figure, Scores, score, to_json
from govorit.words import encode, words


def marked(markup: str, article_id: str = "a", **meta: str) -> Article:
    """Read `<PER>В. Путин</PER> сказал` as an article; the tags are the entities."""
    text, spans, start, label = "", [], 0, ""
    for piece in re.split(r"(</?[^<>]+>)", markup):
        if piece.startswith("</"):
            spans.append(Span(start, len(text), label))
        elif piece.startswith("<"):
            start, label = len(text), piece[1:-1]
        else:
            text += piece
    return Article(article_id, text, tuple(spans), meta=meta)


def scored(gold: str, predicted: str, **options: int) -> Scores:
    return score([marked(gold)], [marked(predicted)], ["entities"], **{"resamples": 0, **options})


def counted(figure: Figure) -> tuple[float, int, int]:
    return figure.f1, figure.support, figure.predicted


def corpus(seed: int, articles: int = 12) -> tuple[list[Article], list[Article]]:
    """Random gold and predictions over the same texts; some spans end inside a word, and some predictions overlap."""
    rng, sides = random.Random(seed), ([], [])
    for number in range(articles):
        text = " ".join(rng.choices(["Путин", "сказал,", "в", "Москве", "В.", "ООН", "«мир»"], k=rng.randint(1, 60)))
        bounds = words(text)
        for side, noise in zip(sides, (0.05, 0.3), strict=True):
            draw, spans, first = random.Random(f"{seed} {number} {rng.random() < noise}"), [], 0
            while first < len(bounds):
                last = min(first + draw.randint(0, 3), len(bounds) - 1)
                start, end = bounds[first][0], bounds[last][1] - (draw.random() < 0.1)
                if start < end:
                    spans.append(Span(start, end, draw.choice(["PER", "LOC", "ORG-GOV", "-X"])))
                first = last + draw.randint(1, 5)
            if noise > 0.1 and spans:
                spans.append(Span(spans[0].start, bounds[-1][1], "PER"))
            side.append(Article(f"{seed}-{number}", text, tuple(spans)))
    return sides


def test_a_span_one_word_short_scores_nothing():
    # seqeval's default mode gives 1.0 for gold `B-PER I-PER` against `I-PER I-PER`, and forgives a lost beginning.
    figures = scored("<PER>Нурсултан Назарбаев</PER> сказал", "Нурсултан <PER>Назарбаев</PER> сказал")["entities"].strict
    assert counted(figures["PER"]) == counted(figures["micro"]) == (0.0, 1, 1)


def test_adjacent_spans_are_not_one_span():
    figures = scored("<PER>Путин</PER> <PER>Медведев</PER>", "<PER>Путин Медведев</PER>")["entities"].strict
    assert counted(figures["PER"]) == (0.0, 2, 1)


def test_label_counts():
    figures = scored("<PER>Путин</PER> в <LOC>Алматы</LOC>", "<PER>Путин</PER> в <ORG>Алматы</ORG>")["entities"].strict
    assert list(figures) == ["LOC", "ORG", "PER", "micro", "macro"]
    assert counted(figures["PER"]) == (1.0, 1, 1)
    assert counted(figures["LOC"]) == (0.0, 1, 0)
    assert counted(figures["ORG"]) == (0.0, 0, 1)
    assert counted(figures["micro"]) == (0.5, 2, 2)
    assert figures["macro"].f1 == pytest.approx(1 / 3)


@pytest.mark.parametrize("seed", range(8))
def test_counts_agree_with_seqeval_called_directly(seed):
    # A label of its own hyphen ("-X") is left out: seqeval called directly takes it for "X".
    gold, predicted = ([_without(article, "-X") for article in side] for side in corpus(seed))
    result = score(gold, predicted, ["entities"], resamples=10)["entities"]
    tags = _tags(gold, predicted)
    report = classification_report(*tags, mode="strict", scheme=IOB2, output_dict=True, zero_division=0)
    for name, figure in result.strict.items():
        row = report[f"{name} avg" if name in ("micro", "macro") else name]
        assert (figure.precision, figure.recall, figure.f1) == (row["precision"], row["recall"], row["f1-score"])
        assert figure.support == row["support"]
    micro = precision_recall_fscore_support(*tags, scheme=IOB2, average="micro", zero_division=0)
    assert (result.strict["micro"].precision, result.strict["micro"].recall) == (micro[0], micro[1])


@pytest.mark.parametrize("seed", range(8))
def test_counts_per_document_agree_with_seqeval(seed):
    """The intervals come from counts of ours, and must be the intervals of what seqeval says."""
    gold, predicted = corpus(seed)
    documents = [metrics._document(one, other, "entities") for one, other in zip(gold, predicted, strict=True)]
    labels = sorted({span.label for document in documents for span in (*document.gold, *document.predicted)})
    counts = metrics._tally((metrics._exact(document) for document in documents), documents, labels)
    ours = metrics._figures(counts, labels, 0, 0)
    for name, figure in metrics._official(ours, documents, labels).items():
        assert figure.precision == pytest.approx(ours[name].precision, abs=1e-12)
        assert figure.recall == pytest.approx(ours[name].recall, abs=1e-12)
        assert figure.f1 == pytest.approx(ours[name].f1, abs=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_no_span_is_dropped(seed):
    gold, predicted = corpus(seed)
    result = score(gold, predicted, ["entities"], resamples=0)["entities"]
    for figures in (result.strict, result.iou80, result.iou50):
        assert figures["micro"].support == sum(len(set(article.entities)) for article in gold)
        assert figures["micro"].predicted == sum(len(set(article.entities)) for article in predicted)
    assert result.strict["micro"].f1 <= result.iou80["micro"].f1 <= result.iou50["micro"].f1


def test_spans_that_words_cannot_hold_stay_in_the_denominator():
    result = scored("<PER>Пути</PER>н и <PER>Песков</PER>", "<PER>Пути</PER>н и <PER>Пес</PER>ков")["entities"]
    assert (result.unrepresented_gold, result.unrepresented_predicted) == (1, 2)
    assert counted(result.strict["PER"]) == (0.5, 2, 2)


def test_a_gold_span_that_an_overlapping_prediction_pushes_out_is_counted_once():
    gold = Article("a", "Президент Путин", (Span(10, 15, "PER"),))
    predicted = Article("a", "Президент Путин", (Span(0, 15, "PER"), Span(10, 15, "PER")))
    result = score([gold], [predicted], ["entities"], resamples=0)["entities"]
    assert (result.unrepresented_gold, result.unrepresented_predicted) == (0, 1)
    assert counted(result.strict["PER"]) == (pytest.approx(2 / 3), 1, 2)


def test_labels_with_hyphens_and_of_other_alphabets_are_kept_apart():
    figures = scored("<PER>Путин</PER> <-PER>Путин</-PER>", "<-PER>Путин</-PER> <PER>Путин</PER>")["entities"].strict
    assert counted(figures["-PER"]) == counted(figures["PER"]) == (0.0, 1, 1)
    assert scored("<Лицо>Путин</Лицо>", "<Лицо>Путин</Лицо>")["entities"].strict["Лицо"].f1 == 1.0


def test_a_label_named_like_an_average_is_refused():
    with pytest.raises(UserError, match="'micro'"):
        scored("<micro>Путин</micro>", "Путин")


@pytest.mark.parametrize(
    ("shift", "near", "half"),
    [(0, 1.0, 1.0), (2, 1.0, 1.0), (3, 0.0, 1.0), (5, 0.0, 1.0), (6, 0.0, 0.0)],
)
def test_overlap_thresholds_are_reached_from_above(shift, near, half):
    text = "а" * 30
    gold, predicted = Article("a", text, (Span(0, 10, "Q"),)), Article("a", text, (Span(0, 10 - shift, "Q"),))
    result = score([gold], [predicted], ["entities"], resamples=0)["entities"]
    assert (result.iou80["Q"].f1, result.iou50["Q"].f1) == (near, half)


def test_overlap_matches_one_to_one_and_within_a_label():
    text = "а" * 30
    halves = Article("a", text, (Span(0, 5, "Q"), Span(5, 10, "Q"), Span(20, 30, "P")))
    whole = Article("a", text, (Span(0, 10, "Q"), Span(20, 30, "R")))
    result = score([whole], [halves], ["entities"], resamples=0)["entities"]
    assert counted(result.iou50["Q"]) == (pytest.approx(2 / 3), 1, 2)
    assert counted(result.iou50["micro"]) == (pytest.approx(2 / 5), 2, 3)


@pytest.mark.parametrize("seed", range(30))
def test_greedy_matching_is_maximum_in_a_flat_layer(seed):
    sides = []
    for side in range(2):
        rng, spans, at = random.Random(f"{seed} {side}"), [], 0
        while at < 40:
            end = at + rng.randint(1, 8)
            spans.append(Span(at, end, "Q"))
            at = end + rng.randint(0, 2)
        sides.append(spans)
    for least in (0.5, 0.8):
        assert len(metrics._overlapping(*sides, least)) == _most_pairs(*sides, least)


def test_quotes_are_scored_by_kind_and_part():
    content, cue, speaker = Span(0, 4, "DIRECT"), Span(8, 14, "CUE"), Span(15, 21, "SPEAKER")
    gold = Article("a", "«Да», — сказал Песков.", quotes=(Quote("direct", (content,), cue, speaker),))
    predicted = replace(gold, quotes=(Quote("indirect", (replace(content, label="INDIRECT"),), cue, speaker),))
    figures = score([gold], [predicted], ["quotes"], resamples=0)["quotes"].strict
    assert (figures["CUE"].f1, figures["SPEAKER"].f1) == (1.0, 1.0)
    assert (counted(figures["DIRECT"]), counted(figures["INDIRECT"])) == ((0.0, 1, 0), (0.0, 0, 1))


@pytest.mark.parametrize("seed", range(20))
def test_gold_against_itself_is_perfect(seed):
    articles = [random_article(random.Random(f"{seed} {i}"), str(i)) for i in range(5)]
    for layer, result in score(articles, articles, LAYERS, resamples=10).items():
        assert result.unrepresented_gold == result.unrepresented_predicted == 0
        assert result.strict["micro"].support == sum(len(article.layer(layer)) for article in articles)
        for figure in (*result.strict.values(), *result.iou80.values(), *result.iou50.values()):
            assert figure.f1 == float(figure.support > 0)


def test_probabilities_do_not_matter():
    gold = marked("<PER>Путин</PER> сказал")
    predicted = replace(gold, entities=(replace(gold.entities[0], score=0.7),))
    assert score([gold], [predicted], ["entities"])["entities"].strict["PER"].f1 == 1.0


def test_a_layer_that_the_gold_does_not_annotate_is_left_out():
    gold = [marked("<PER>Путин</PER>", "a"), marked("Путин", "b", layers="quotes")]
    predicted = [marked("<PER>Путин</PER>", "a"), marked("<PER>Путин</PER>", "b")]
    scores = score(gold, predicted, ["entities", "quotes"], resamples=0)
    assert (scores["entities"].articles, scores["entities"].unannotated) == (1, 1)
    assert counted(scores["entities"].strict["PER"]) == (1.0, 1, 1)
    assert (scores["quotes"].articles, scores["quotes"].unannotated) == (2, 0)


def test_a_label_that_the_gold_does_not_cover_is_not_spurious():
    gold = [marked("<PER>Путин</PER> в Кремле", "a", covers="PER"), marked("<PER>Путин</PER> в Кремле", "b")]
    predicted = [marked("<PER>Путин</PER> в <LOC>Кремле</LOC>", "a"), marked("<PER>Путин</PER> в <LOC>Кремле</LOC>", "b")]
    assert counted(score(gold, predicted, ["entities"], resamples=0)["entities"].strict["LOC"]) == (0.0, 0, 1)


@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        (["a", "b"], ["a"], "'b' is not among the predicted"),
        (["a"], ["a", "b"], "'b' is not among the gold"),
        (["a", "a"], ["a"], "'a' comes twice in the gold articles"),
        (["a"], ["a", "a"], "'a' comes twice in the predicted articles"),
    ],
)
def test_articles_must_pair_up(gold, predicted, message):
    with pytest.raises(UserError, match=message):
        score(*([marked("Да", article_id) for article_id in side] for side in (gold, predicted)), ["entities"])


def test_texts_must_be_the_same():
    with pytest.raises(UserError, match="'a' differs"):
        scored("Да", "Нет")


def test_intervals_hold_the_point_and_can_be_repeated():
    gold, predicted = corpus(1, articles=40)
    one, again, other = (score(gold, predicted, ["entities"], resamples=200, seed=seed) for seed in (5, 5, 6))
    assert one == again != other
    for figures in (one["entities"].strict, one["entities"].iou50):
        for name, figure in figures.items():
            if name == "macro":
                assert figure.interval is None
                continue
            for value, bounds in (
                (figure.f1, figure.interval),
                (figure.precision, figure.precision_interval),
                (figure.recall, figure.recall_interval),
            ):
                assert 0 <= bounds[0] <= value <= bounds[1] <= 1
    micro = one["entities"].strict["micro"].interval
    assert micro[0] < micro[1]


def test_no_resamples_no_intervals():
    assert scored("<PER>Путин</PER>", "<PER>Путин</PER>")["entities"].strict["PER"].interval is None


@pytest.mark.parametrize(
    ("gold", "predicted"),
    [([], []), (["Да"], ["Да"]), (["<PER>Да</PER>"], ["Да"]), (["Да"], ["<PER>Да</PER>"]), (["\u200b"], ["\u200b"])],
)
def test_nothing_to_divide_by_is_zero_without_a_warning(gold, predicted):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = score(*([marked(text) for text in side] for side in (gold, predicted)), ["entities"], resamples=20)
    assert counted(scores["entities"].strict["micro"])[0] == 0.0
    json.dumps(to_json(scores), allow_nan=False)


def test_json_is_plain_and_rounded():
    gold, predicted = corpus(2)
    scores = score(gold, predicted, ["entities"], resamples=20)
    plain = to_json(scores)
    assert json.loads(json.dumps(plain)) == plain
    for name, figure in scores["entities"].strict.items():
        assert plain["entities"]["strict"][name]["f1"] == round(figure.f1, 4)
        assert type(figure.f1) is float and type(figure.support) is int
    assert plain["entities"]["strict"]["micro"]["interval"] == [round(value, 4) for value in scores["entities"].strict["micro"].interval]


def _without(article: Article, label: str) -> Article:
    return replace(article, entities=tuple(span for span in article.entities if span.label != label))


def _tags(gold: list[Article], predicted: list[Article]) -> tuple[list[list[str]], list[list[str]]]:
    sequences: tuple[list[list[str]], list[list[str]]] = ([], [])
    for pair in zip(gold, predicted, strict=True):
        bounds = words(pair[0].text)
        layers = [list(dict.fromkeys(article.layer("entities"))) for article in pair]
        refused = {span for layer in layers for span in encode(layer, bounds)[1]}
        for layer, side in zip(layers, sequences, strict=True):
            side.append(encode([span for span in layer if span not in refused], bounds)[0])
            side += ([f"B-{s.label}" if s in layer else "O"] for s in sorted(refused, key=lambda s: (s.start, s.end, s.label)))
    return sequences


def _most_pairs(gold: list[Span], predicted: list[Span], least: float) -> int:
    """The size of a maximum matching, by augmenting paths."""
    partner: dict[int, int] = {}

    def augment(one: int, seen: set[int]) -> bool:
        for other, span in enumerate(predicted):
            shared = min(span.end, gold[one].end) - max(span.start, gold[one].start)
            union = max(span.end, gold[one].end) - min(span.start, gold[one].start)
            if shared > 0 and shared / union >= least and other not in seen:
                seen.add(other)
                if other not in partner or augment(partner[other], seen):
                    partner[other] = one
                    return True
        return False

    return sum(augment(one, set()) for one in range(len(gold)))
