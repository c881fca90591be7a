import numpy as np
import pytest
import torch
from test_checkpoint import CONTRACT, tokenizer
from test_links import random_weights, vectors_of
from test_nearness import shown

from govorit import nearness, windows, words
from govorit.article import KINDS, QUOTE_LABELS, Article, Span
from govorit.decoding import links
from govorit.decoding.links import RELATIONS, SIZE, VECTORS, Scene, Weights
from govorit.formats.inline import parse
from govorit.network import linking
from govorit.network.linking import LinkHead, LinkLoss
from govorit.windows import Batch

pytestmark = pytest.mark.usefixtures("one_thread")

TAGS = words.tag_names(QUOTE_LABELS)
TEXTS = (
    "<q 1 direct>«Да</q>, — <cue 1>сказал</cue> <src 1>Путин</src>. — <q 1 direct>И нет»</q>. <q 2 direct>«Мы хотим мира»</q>.",
    "<src>Росстат</src> <cue>сообщил</cue>, что <q indirect>цены выросли</q>.\n\nДождь.",
    "<src 1,2>Он</src> <cue 1,2>отметил</cue>, что <q 1 indirect>дождь прошёл</q>: <q 2 direct>«Сразу»</q>.",
)
ARTICLES = tuple(parse(text, str(i)) for i, text in enumerate(TEXTS))


class Case:
    """Articles cut into windows, answers of a network that has the gold tags (or those of `found`), and vectors of its own."""

    def __init__(self, articles=ARTICLES, size: int = 200, overlap: int = 0, found=None, seed: int = 0) -> None:
        self.articles, self.frame = articles, windows.Frame(tokenizer())
        self.tokens = windows.tokenize_all([article.text for article in articles], tokenizer())
        layers = {"quotes": CONTRACT.layers["quotes"]}
        labels = [windows.label(article, item, layers)[0]["quotes"] for article, item in zip(articles, self.tokens, strict=True)]
        seen = [windows.label(article, item, layers)[0]["quotes"] for article, item in zip(found or articles, self.tokens, strict=True)]
        self.pieces = windows.cut_all(self.tokens, size, overlap)
        self.batch = self.frame.pad(self.pieces, self.tokens, {"quotes": labels})
        whole = [windows.Window(w.article, w.start, w.end, w.start, w.end) for w in self.pieces]
        tags = self.frame.pad(whole, self.tokens, {"quotes": seen}).labels["quotes"]
        logits = 20.0 * torch.nn.functional.one_hot(torch.from_numpy(tags).clamp(min=0), len(TAGS))
        vectors = torch.from_numpy(np.random.default_rng(seed).normal(size=(*tags.shape, SIZE)).astype(np.float32))
        self.answers = {"quotes": logits, VECTORS: vectors.requires_grad_()}
        self.loss = LinkLoss(articles, self.tokens, self.frame, layers["quotes"])


def head(seed: int | None = None) -> LinkHead:
    made = LinkHead(8)
    if seed is not None:
        with torch.no_grad():
            for name, value in random_weights(seed).matrices.items():
                made.matrices[name].copy_(torch.from_numpy(value))
            for name, value in random_weights(seed).tables.items():
                made.tables[name].copy_(torch.from_numpy(value))
    return made


def by_hand(article: Article, rows: np.ndarray, vectors: np.ndarray, weights: Weights) -> float:
    """The loss of an article's gold spans, a content and a candidate at a time."""
    spans = article.layer("quotes")
    numbers = {span: i for i, span in enumerate(spans)}
    scene = Scene(spans, article.text, links.ties(nearness.tie(spans, article.text), spans))
    gold = {numbers[part]: quote for quote in article.quotes for part in quote.content}
    cues = np.array([numbers[gold[i].cue] if gold[i].cue else i for i in scene.contents])
    places, total = rows[links.edges(spans, words.words(article.text))], 0.0

    def vector(i: int) -> np.ndarray:
        return np.concatenate([vectors[places[i, 0]], vectors[places[i, 1]]])

    for relation in RELATIONS:
        candidates = scene.candidates(relation)
        features = scene.pairs(relation, candidates, places, cues).features
        for row, own in enumerate(scene.contents):
            quote = gold[own]
            before = quote.content[: quote.content.index(spans[own])]
            wanted = {"part": before[-1] if before else None, "cue": quote.cue, "speaker": quote.speaker}[relation]
            scores = {
                i: vector(own) @ weights.matrices[relation] @ vector(i) + 8 * weights.tables[relation][features[row, slot]].sum()
                for slot, i in enumerate(candidates[row].tolist())
                if i >= 0
            }
            total += np.log(np.exp(list(scores.values())).sum()) - scores[own if wanted is None else numbers[wanted]]
    return total


@pytest.mark.parametrize("seed", range(3))
def test_the_loss_is_the_cross_entropy_of_every_content_and_relation(seed):
    case, expected = Case(seed=seed), 0.0
    width = case.batch.ids.shape[1]
    for row, (article, item) in enumerate(zip(ARTICLES, case.tokens, strict=True)):
        rows = row * width + len(case.frame.before) + item.heads
        expected += by_hand(article, rows, case.answers[VECTORS].detach().numpy().reshape(-1, SIZE), random_weights(seed))
    assert case.loss(head(seed), case.batch, case.answers).item() == pytest.approx(expected, rel=1e-4)


def test_arrays_and_tensors_score_alike():
    article, weights = ARTICLES[0], random_weights(1)
    vectors, spans = vectors_of(article), article.layer("quotes")
    scene = Scene(spans, article.text, links.ties(nearness.tie(spans, article.text), spans))
    for relation in RELATIONS:
        pairs = scene.pairs(relation, scene.candidates(relation), links.edges(spans, words.words(article.text)), scene.contents)
        ours = links.score(weights, relation, vectors, pairs)
        tensors = Weights(*({name: torch.from_numpy(v) for name, v in group.items()} for group in (weights.matrices, weights.tables)))
        theirs = links.score(tensors, relation, torch.from_numpy(vectors), linking._join([pairs], torch.device("cpu")))
        assert np.allclose(ours, theirs.numpy(), rtol=1e-4)


def test_a_batch_asks_what_its_rows_ask():
    case, weights = Case(size=14, overlap=6), head(2)
    assert len(case.pieces) > len(ARTICLES)
    parts, count = [], 0
    for row, piece in enumerate(case.pieces):
        one = slice(row, row + 1)
        batch = Batch([piece], case.batch.ids[one], case.batch.mask[one], {"quotes": case.batch.labels["quotes"][one]})
        parts.append(case.loss(weights, batch, {key: value[one] for key, value in case.answers.items()}))
        count += case.loss.count(batch)
    assert case.loss(weights, case.batch, case.answers).item() == pytest.approx(sum(parts).item(), rel=1e-5)
    assert count == case.loss.count(case.batch)


@pytest.mark.parametrize("size, overlap", [(10, 0), (12, 6), (40, 20), (200, 0)])
def test_each_content_is_counted_once(size, overlap):
    contents = sum(span.label.lower() in KINDS for article in ARTICLES for span in article.layer("quotes"))
    case = Case(size=size, overlap=overlap)
    assert case.loss.count(case.batch) == contents


def test_with_nothing_to_ask_every_weight_still_has_its_part():
    """Processes that share a step wait for the gradient of every weight from each of them."""
    unknown = [Article(article.id, article.text, meta={"layers": "entities"}) for article in ARTICLES]
    case, weights = Case(unknown), head(0)
    assert case.loss.count(case.batch) == 0
    loss = case.loss(weights, case.batch, case.answers)
    loss.backward()
    assert loss.item() == 0
    for value in (*weights.matrices.values(), *weights.tables.values(), case.answers[VECTORS]):
        assert value.grad is not None and not value.grad.any()


def wanted(gold: str, found: str) -> list[tuple[str, str | None, str | None]]:
    """What the contents that were found should choose: content, cue and speaker in words; `?` where nothing is asked."""
    one, other = parse(gold), parse(found)
    assert one.text == other.text
    ours, theirs = one.layer("quotes"), other.layer("quotes")
    aims = linking._wanted(theirs, ours, links.ties(one.quotes, ours))

    def text(span: Span) -> str:
        return one.text[span.start : span.end]

    def chosen(i: int, relation: str) -> str | None:
        aim = aims[relation][i]
        return "?" if aim < 0 else None if aim == i else text(theirs[aim])

    return [(text(s), chosen(i, "cue"), chosen(i, "speaker")) for i, s in enumerate(theirs) if s.label.lower() in KINDS]


GOLD = "<q direct>«Да и нет»</q>, — <cue>сказал</cue> журналисту <src>министр труда Ким</src>. Ох."
FOUND = {
    "as it is": (GOLD, [("«Да и нет»", "сказал", "министр труда Ким")]),
    "with other edges": (
        "«<q>Да и нет</q>», — <cue>сказал</cue> <src>журналисту министр</src> труда Ким. Ох.",
        [("Да и нет", "сказал", "журналисту министр")],
    ),
    "without a cue, and with somebody else": (
        "<q>«Да и нет»</q>, — сказал <src>журналисту</src> министр труда Ким. Ох.",
        [("«Да и нет»", None, None)],
    ),
    "half of a content": ("«<q>Да</q> и нет», — <cue>сказал</cue> журналисту <src>министр труда Ким</src>. Ох.", [("Да", "?", "?")]),
    "a content and a speaker too many": (
        "<q 1 direct>«Да и нет»</q>, — <cue 1>сказал</cue> <src 2>журналисту</src> <src 1>министр труда Ким</src>. <q 2 direct>Ох</q>.",
        [("«Да и нет»", "сказал", "министр труда Ким"), ("Ох", "?", "?")],
    ),
}


@pytest.mark.parametrize("case", FOUND)
def test_what_was_found_has_the_links_of_the_gold_that_it_stands_for(case):
    found, expected = FOUND[case]
    assert wanted(GOLD, found) == expected


def test_it_learns_what_nearness_does_not_know():
    """Who is spoken to stands nearer to the first quotation than who speaks, and goes on with the second, a sentence further."""
    names = ("Ким", "Ли", "Петров", "Ёлкин", "Назарбаев")
    text = "<src 1>{0}</src> <cue 1>сказал</cue>, что рад видеть <src 2>{1}</src>: <q 1 direct>«Да»</q>. Тот молчал. <q 2 direct>«И я»</q>."
    articles = [parse(text.format(one, other), one + other) for one in names for other in names if one != other]
    case, learner = Case(articles[:6]), head()
    case.answers[VECTORS] = torch.zeros_like(case.answers[VECTORS])
    optimizer = torch.optim.Adam(learner.parameters(), lr=2e-2)
    for _ in range(25):
        optimizer.zero_grad()
        loss = case.loss(learner, case.batch, case.answers)
        loss.backward()
        optimizer.step()
    for article in articles[6:]:
        spans, bounds = article.layer("quotes"), words.words(article.text)
        near = nearness.tie(spans, article.text)
        assert shown(near, article.text) != shown(article.quotes, article.text)
        found = links.tie(spans, article.text, near, bounds, np.zeros((len(bounds), SIZE), np.float32), learner.weights())
        assert shown(found, article.text) == shown(article.quotes, article.text)
