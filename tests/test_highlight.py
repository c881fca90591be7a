import base64
import hashlib
import random
import re
from html.parser import HTMLParser

import pytest
from generate import random_article
from payloads import PAYLOADS

from govorit import highlight
from govorit.article import Article, Quote, Span

CLASSES = {
    "text",
    "wide",
    "quoted",
    "number",
    "dim",
    "said",
    "direct",
    "indirect",
    "mixed",
    "cue",
    "speaker",
    "entity",
    "flaw",
    "first",
    "last",
}
UNSHOWN = dict.fromkeys([0, *range(0xD800, 0xE000)], "\ufffd")


class Reader(HTMLParser):
    """What a browser would see: every element with its attributes, the text (but for style), and whether the elements nest."""

    VOID = ("meta", "br", "img")

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(markup)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.text += data

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data!r}")

    def tags(self) -> set[str]:
        return {tag for tag, _ in self.elements}


def said(content=(0, 4), cue=(8, 14), speaker=(15, 21), name="Дмитрий Песков", kind="direct"):
    parts = [place and Span(*place, label) for place, label in ((cue, "CUE"), (speaker, "SPEAKER"))]
    return Quote(kind, (Span(*content, kind.upper()),), *parts, name)


def article(**changes) -> Article:
    fields = {"id": "1", "text": "«Да», — сказал Песков.", "entities": (Span(15, 21, "PER"),), "quotes": (said(),)}
    return Article(**{**fields, **changes})


def broken_article(seed: int) -> Article:
    """Spans of any place and label, which may overlap, cross, coincide, be empty or leave the text."""
    rng = random.Random(seed)
    text = "".join(rng.choices("аб <>&\"'\n\r\t—«»\u0301😀", k=rng.randint(0, 40)))

    def span(label: str) -> Span:
        return Span(rng.randint(-1, len(text) + 1), rng.randint(0, len(text) + 2), label)

    quotes = (
        Quote("direct", tuple(span("DIRECT") for _ in range(rng.randint(1, 2))), span("CUE"), span("SPEAKER"), "Имя")
        for _ in range(rng.randint(0, 3))
    )
    return Article("r", text, tuple(span(rng.choice(["PER", "X"])) for _ in range(rng.randint(0, 4))), tuple(quotes))


@pytest.mark.parametrize("seed", range(200))
def test_elements_nest_and_their_text_is_the_articles(seed):
    broken, valid = broken_article(seed), random_article(random.Random(seed), crossing=True)
    assert Reader(highlight.to_html(broken)).text == broken.text
    assert Reader(highlight.to_html(valid)).text == valid.text.replace("\0", "\ufffd")
    assert Reader(highlight.page([valid], "x")).text.count("№") >= bool(valid.quotes)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_from_an_article_becomes_markup(payload):
    length = len(payload)
    quote = Quote(
        payload,
        (Span(0, length, payload.upper()),),
        Span(length, 2 * length, "CUE"),
        Span(0, length, "SPEAKER"),
        payload,
    )
    hostile = Article(payload, payload * 2, (Span(0, length, payload), Span(1, length + 1, payload)), (quote,), {"title": payload})
    flaws = {(0, length, label): payload for label in (payload, payload.upper(), "SPEAKER")}
    fragment, page = Reader(highlight.to_html(hostile, flaws)), Reader(highlight.page([hostile], payload))
    assert Reader(highlight.to_list(hostile, flaws, highlight.colours(hostile))).tags() <= {"ol", "li", "span", "b", "em"}
    assert fragment.text == payload.translate(UNSHOWN) * 2
    assert fragment.tags() == {"div", "span", "mark"}
    assert page.tags() <= Reader(highlight.page([article()], "x")).tags()
    for tag, attributes in (*fragment.elements, *page.elements):
        allowed = {"class", "data-label", "data-quote", "data-flaw", "title", "lang", "charset", "name", "content", "http-equiv"}
        assert attributes.keys() <= allowed, tag
        assert set((attributes.get("class") or "").split()) <= CLASSES | {f"hue{i}" for i in range(8)}, tag


def test_a_crossing_entity_is_split_at_the_contents_edge():
    crossing = article(text="«Мы Россия» сказал он", entities=(Span(4, 18, "LOC"),), quotes=(said((0, 11), None, None),))
    pieces = re.findall(r'<mark class="([^"]*)"', highlight.to_html(crossing))
    assert pieces == ["entity hue1 first", "entity hue1 last"]


def test_entities_inside_quotations_and_speakers_are_marked():
    elements = Reader(highlight.to_html(article(entities=(Span(1, 3, "ORG"), Span(15, 21, "PER"))))).elements
    assert [attributes["data-label"] for tag, attributes in elements if tag == "mark"] == ["ORG", "PER"]


def test_a_quotation_is_tied_to_its_speaker_by_number_and_name():
    elements = Reader(highlight.to_html(article())).elements
    parts = {attributes["class"].split()[0]: attributes for tag, attributes in elements if tag == "span"}
    assert parts.keys() == {"said", "cue", "speaker"}
    assert {part["data-quote"] for part in parts.values()} == {"1"}
    assert all("Дмитрий Песков" in part["title"] for part in parts.values())


def test_a_shared_speaker_carries_both_numbers():
    two = article(quotes=(said(), said(content=(21, 22))))
    speakers = [a for _, a in Reader(highlight.to_html(two)).elements if a["class"].startswith("speaker")]
    assert [attributes["data-quote"] for attributes in speakers] == ["1,2"]


def test_what_html_cannot_hold_is_replaced_one_for_one():
    broken = article(text="а\0б\ud800в\r\n", entities=(), quotes=())
    assert Reader(highlight.to_html(broken)).text == "а\ufffdб\ufffdв\r\n"


@pytest.mark.parametrize(
    ("quote", "line"),
    [
        (said(), "1. Дмитрий Песков (Песков) — сказал (direct)"),
        (said(name="Песков"), "1. Песков — сказал (direct)"),
        (said(name=None), "1. (Песков) — сказал (direct)"),
        (said(speaker=None), "1. Дмитрий Песков — сказал (direct)"),
        (said(speaker=None, name=None), "1. ? — сказал (direct)"),
        (said(cue=None), "1. Дмитрий Песков (Песков) (direct)"),
    ],
)
def test_the_text_says_who_said_what(quote, line):
    assert f"\n{line}\n   «Да»\n" in highlight.to_text(article(quotes=(quote,)))


def test_the_text_counts_entities_by_label():
    text = "Путин, Путин и Песков в ООН"
    spans = (Span(0, 5, "PER"), Span(7, 12, "PER"), Span(15, 21, "PER"), Span(24, 27, "ORG"))
    shown = highlight.to_text(Article("7", text, spans, meta={"title": "Встреча"}))
    assert shown == "Встреча (7)\n\nNo quotations.\n\nORG (1): ООН\nPER (3): Путин ×2, Песков"


def test_an_interrupted_quotation_is_one_line():
    quote = Quote("direct", (Span(0, 3, "DIRECT"), Span(15, 22, "DIRECT")))
    assert "   «Да … Песков." in highlight.to_text(article(quotes=(quote,)))


def test_a_terminal_gets_no_control_characters():
    escape = "\x1b]0;x\x07\x9b31m\u202e"
    shown = highlight.to_text(article(id=escape, text="«" + escape + "Да», — сказал Песков", quotes=(said((0, 12)),)))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown)


def test_the_page_asks_for_nothing_and_runs_nothing():
    page = highlight.page([article(), article(id="2", quotes=())], "Кто что сказал")
    reader = Reader(page)
    (style,) = re.findall("<style>(.*?)</style>", page, re.S)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(a["content"] for _, a in reader.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:") and "unsafe" not in policy
    assert not {"script", "link", "img", "iframe", "object"} & reader.tags()
    assert not re.search(r"https?:|url\(|@import", page)
    assert reader.text.count("«Да», — сказал Песков.") == 2


def test_quotations_of_one_person_share_a_colour_on_both_sides():
    one, two = article(), article(quotes=(said(content=(21, 22), name="Иван Петров"), said()))
    cast = highlight.colours(one, two)
    shown = [re.findall(r'class="said direct (hue\d)', highlight.to_html(side, cast=cast)) for side in (one, two)]
    assert shown == [["hue0"], ["hue0", "hue1"]]


def test_what_is_wrong_is_marked_where_it_is():
    place = (15, 21, "SPEAKER")
    elements = Reader(highlight.to_html(article(), {place: "wrong name"})).elements
    flawed = [(a["class"].split()[0], a["data-flaw"]) for _, a in elements if "data-flaw" in a]
    assert flawed == [("speaker", "wrong name")]
    listed = highlight.to_list(article(), {place: "wrong name"}, highlight.colours(article()))
    assert "Дмитрий Песков" in listed and '<span class="chip">wrong name</span>' in listed


def test_a_page_of_no_articles():
    assert "No articles." in Reader(highlight.page([], "Пусто")).text
