import json
import math
import re
import unicodedata
from collections import Counter
from dataclasses import replace
from functools import cache

import pytest
from payloads import PAYLOADS
from test_highlight import Reader

from govorit.article import Article, Quote, Span
from govorit.cli import evaluate
from govorit.evaluation import attribution, metrics, plots, readable, report, slices
from govorit.evaluation.metrics import score
from govorit.evaluation.report import Run
from govorit.formats import jsonl

TEXT = "«Да», — сказал Песков. Путин в Алматы."
GOLD = Article(
    "a",
    TEXT,
    (Span(15, 21, "PER"), Span(23, 28, "PER"), Span(31, 37, "LOC")),
    (Quote("direct", (Span(0, 4, "DIRECT"),), Span(8, 14, "CUE"), Span(15, 21, "SPEAKER"), "Дмитрий Песков"),),
)
PREDICTED = replace(GOLD, entities=(Span(15, 21, "PER"), Span(23, 30, "PER"), Span(31, 37, "ORG")))


@pytest.fixture(autouse=True)
def pictures(monkeypatch):
    """Draw no picture twice: what is in them is seen in test_plots."""
    monkeypatch.setattr(plots, "_draw", lambda caption, onto: plots.Picture("data:image/svg+xml;base64,AAAA", caption))


def addresses(reader: Reader) -> list[str]:
    """Whatever an element could fetch, run or lead to."""
    named = ("href", "src", "action", "formaction", "data", "xlink:href", "poster", "background", "cite", "ping")
    return [value or "" for _, attributes in reader.elements for name, value in attributes.items() if name in named]


def pairs(count: int = 3) -> list[tuple[Article, Article]]:
    return [(replace(GOLD, id=str(i)), replace(PREDICTED, id=str(i))) for i in range(count)]


@cache
def fields() -> dict:
    examples = pairs()
    scores = score(*zip(*examples, strict=True), ["entities", "quotes"], resamples=20)
    return {
        "title": "rubert on newsroom",
        "command": "python train/run.py task=joint",
        "scores": {"dev": scores, "test": scores},
        "attribution": {"test": attribution.score(*zip(*examples, strict=True), resamples=20)},
        "history": [{"epoch": 1, "loss": 2.0, "dev_f1": 0.5}, {"epoch": 2, "loss": math.nan, "dev_f1": 0.75}],
        "notes": ["3 of 812 gold spans lie outside every window."],
        "corpus": {"train": {"articles": 812}, "test": {"articles": 3}},
        "config": "seed: 1\n",
        "versions": {"torch": "2.12"},
        "hardware": {"device": "cpu"},
        "seconds": 731.0,
        "fingerprint": "9f8a1c22",
        "examples": examples,
        "resamples": 20,
    }


def run(**changes) -> Run:
    return Run(**{**fields(), **changes})


def written(folder, **changes) -> tuple[str, str, dict]:
    report.write(folder, run(**changes))
    markup, markdown, figures = ((folder / name).read_text() for name in ("report.html", "report.md", "metrics.json"))
    return markup, markdown, json.loads(figures)


def rows(markdown: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown.splitlines() if line[:1] == "|"]


def test_three_files_are_written_and_nothing_else(tmp_path):
    written(tmp_path / "new" / "folder")
    written(tmp_path / "new" / "folder")
    names = sorted(path.name for path in (tmp_path / "new" / "folder").iterdir())
    assert names == ["metrics.json", "report.html", "report.md"]


def test_the_markdown_shows_the_figures_of_the_json(tmp_path):
    _, markdown, figures = written(tmp_path)
    shown = iter(rows(markdown))
    for split in ("dev", "test"):
        for layer in ("entities", "quotes"):
            result = figures["scores"][split][layer]
            while next(shown)[0] != "label":
                pass
            next(shown)
            for name, figure in result["strict"].items():
                numbers = [figure["precision"], figure["recall"], figure["f1"]]
                interval = "–".join(f"{100 * value:.2f}" for value in figure["interval"] or ())
                overlap = [result["iou80"][name]["f1"], result["iou50"][name]["f1"]]
                assert next(shown) == [
                    name,
                    *(f"{100 * number:.2f}" for number in numbers),
                    interval,
                    *(f"{100 * number:.2f}" for number in overlap),
                    str(figure["support"]),
                    str(figure["predicted"]),
                ]


def test_who_said_what_is_the_same_in_all_places(tmp_path):
    gold = [replace(GOLD, id=str(i)) for i in range(4)]
    (said,) = GOLD.quotes
    found = [said, replace(said, speaker=None), replace(said, name="Путин"), replace(said, content=(Span(0, 3, "DIRECT"),))]
    predicted = [replace(article, quotes=(quote,)) for article, quote in zip(gold, found, strict=True)]
    result = attribution.score(gold, predicted, resamples=20)
    markup, markdown, figures = written(tmp_path, attribution={"test": result}, examples=list(zip(gold, predicted, strict=True)))
    told = figures["attribution"]["test"]
    terminal = readable.table(run().scores["test"], result)
    for text in (Reader(markup).text, markdown):
        assert "Who said what" in text and "dash" not in text.split("Who said what")[1].split("Mistakes")[0]
    shown = {row[0]: row[1:] for row in rows(markdown.split("Who said what")[1])}
    for key, name in readable.MEASURES.items():
        figure = told[key]["all"]
        numbers = [f"{100 * figure[part]:.2f}" for part in ("precision", "recall", "f1")]
        assert shown[name][:3] == numbers and shown[name][4:] == ["4", "4"]
        assert re.search(rf"^  {name} +{' +'.join(numbers)} ", terminal, re.M)
    assert [told[key]["all"]["f1"] for key in readable.MEASURES] == [0.75, 0.75, 0.5, 0.5]
    assert shown["speaker"][:3] == ["2", "3", "66.67"] and "right in 3 matched quotations: kind 100.00" in terminal
    assert shown["direct"][0] == shown["after"][0] == "75.00"


def test_every_table_of_the_markdown_is_even(tmp_path):
    _, markdown, _ = written(tmp_path)
    for block in re.findall(r"(?:^\|.*\n)+", markdown, re.M):
        assert len({len(row) for row in rows(block)}) == 1, block


def test_the_json_is_valid_where_a_figure_is_not_finite(tmp_path):
    _, _, figures = written(tmp_path)
    assert [row["loss"] for row in figures["history"]] == [2.0, None]


def test_the_page_says_how_it_was_scored_and_asks_for_nothing(tmp_path):
    markup, markdown, _ = written(tmp_path)
    reader = Reader(markup)
    for text in (reader.text, markdown):
        assert "seqeval, mode strict, scheme IOB2, over words; gold from the articles" in text
    policies = [a["content"] for tag, a in reader.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert len(policies) == 1 and policies[0].startswith("default-src 'none'; style-src 'sha256-") and "unsafe" not in policies[0]
    assert not {"script", "link", "iframe", "object"} & reader.tags()
    assert all(value.startswith(("#", "data:image/svg+xml;base64,")) for value in addresses(reader))
    assert not any(attributes.keys() & {"style", "srcset", "onload"} for _, attributes in reader.elements)
    assert not re.search(r"https?:|url\(|@import", markup)


def test_the_page_tells_everything_once_asked(tmp_path):
    markup, markdown, _ = written(tmp_path)
    for text in (Reader(markup).text, markdown):
        for words in ("9f8a1c22", "12 min 11 s", "task=joint", "seed: 1", "812 gold spans", "2.12", "wrong boundary"):
            assert words in text
    assert markup.count("<figure>") == 2
    assert TEXT in Reader(markup).text


def poisoned(payload: str) -> dict:
    """A run in which every field that comes from outside holds the payload."""
    length, label = len(payload), "".join(payload.split()) or "_"
    text = payload + " — " + payload
    again = Span(length + 3, len(text), label)
    parts = (Span(0, length, payload.upper()),), Span(length, length + 3, "CUE"), replace(again, label="SPEAKER")
    meta = {"title": payload, payload: payload, "layers": "entities quotes"}
    gold = Article(payload, text, (Span(0, length, label), again), (Quote("direct", *parts, payload),), meta, payload)
    quote = replace(gold.quotes[0], speaker=None, name=payload[::-1], score=0.9, name_score=0.8)
    predicted = replace(gold, entities=(Span(0, length, label, 0.7), Span(length, len(text), label, 0.6)), quotes=(quote,))
    examples = [(gold, predicted)]
    return {
        "title": payload,
        "command": payload,
        "scores": {payload: score([gold], [predicted], ["entities", "quotes"], resamples=5)},
        "attribution": {payload: attribution.score([gold], [predicted], resamples=5)},
        "history": [{"epoch": 1, f"loss {payload}": 1.0, payload: 2.0}],
        "notes": [payload],
        "corpus": {payload: {payload: 1}},
        "config": f"name: {payload}\n{payload}: 1\n",
        "versions": {payload: payload},
        "hardware": {payload: payload},
        "fingerprint": payload,
        "examples": examples,
        "split": payload,
        "known": slices.Known(slices.vocabulary([gold]), {payload: {0: 0.5}}),
        "lasting": report.Lasting(examples, {f"{payload} entities gold {length + 3}": 1}, 1),
        "resamples": 5,
    }


def shape(reader: Reader) -> list[tuple[str, tuple[str, ...]]]:
    """The elements in their order, with the names of their attributes, and their classes but for the colour, which the letters choose."""
    classes = [re.sub("hue[0-7]", "hue", attributes.get("class") or "").split() for _, attributes in reader.elements]
    return [(tag, (*attributes, *named)) for (tag, attributes), named in zip(reader.elements, classes, strict=True)]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_that_is_reported_becomes_markup(tmp_path, payload):
    """The page has the elements, attributes and addresses of a twin that has a full stop for every sign of the payload."""
    twin = "".join("." if unicodedata.category(sign)[0] in "PS" else sign for sign in payload)
    (markup, markdown, _), (harmless, _, _) = written(tmp_path / "a", **poisoned(payload)), written(tmp_path / "b", **poisoned(twin))
    reader, expected = Reader(markup), Reader(harmless)
    assert [tag for tag, _ in shape(reader)] == [tag for tag, _ in shape(expected)]
    assert Counter(shape(reader)) == Counter(shape(expected))
    assert addresses(reader) == addresses(expected)
    prose = re.sub(r"^(`{3,}).*?^\1$", "", markdown, flags=re.M | re.S)
    assert not re.search(r"<[a-z/!]|(?<!\\)[\[`]", prose), prose
    for block in re.findall(r"(?:^\|.*\n)+", prose.replace(r"\|", ""), re.M):
        assert len({len(row) for row in rows(block)}) == 1, block


def test_a_fence_in_the_config_does_not_end_the_code(tmp_path):
    _, markdown, _ = written(tmp_path, config="a: 1\n```\n# b\n")
    assert "````yaml\na: 1\n```\n# b\n````" in markdown


@pytest.mark.parametrize(
    "changes",
    [
        {"scores": {}, "history": [], "notes": [], "corpus": {}, "config": "", "versions": {}, "hardware": {}},
        {"examples": []},
        {"scores": {"test": {}}},
        {"scores": {"test": score([], [], ["entities", "quotes"])}},
        {"scores": {"test": score([GOLD], [replace(GOLD, entities=())], ["entities"])}, "examples": [(GOLD, GOLD)]},
        {"history": [{"epoch": 1, "loss": 1.0}]},
        {"history": [{"loss": math.inf}]},
    ],
)
def test_little_to_report_is_no_error(tmp_path, changes):
    markup, _, _ = written(tmp_path, **changes)
    assert Reader(markup).text


def test_the_terminal_table_is_aligned():
    table = readable.table(run().scores["test"]).splitlines()
    assert table[0].split() == ["P", "R", "F1", "95", "%", "IoU≥.8", "IoU≥.5", "support"]
    assert re.fullmatch(r"  PER +50\.00 +50\.00 +50\.00 +\d+\.\d\d–\d+\.\d\d +\d+\.\d\d +\d+\.\d\d +6", table[4])
    assert len({len(line) for line in table if line.startswith("  ")}) == 1


def test_predictions_without_any_name_are_not_asked_for_each(tmp_path):
    unnamed = replace(PREDICTED, quotes=(replace(GOLD.quotes[0], name=None),))
    markup, markdown, _ = written(tmp_path, examples=[(GOLD, unnamed)])
    for text in (Reader(markup).text, markdown):
        assert "0 of them without a mistake. The predictions name nobody" in text and "wrong name" not in text
    named = (replace(GOLD, id="b"), replace(GOLD, id="b"))
    markup, _, _ = written(tmp_path, examples=[(GOLD, unnamed), named])
    assert "wrong name" in Reader(markup).text and "name nobody" not in Reader(markup).text


def test_the_articles_with_the_most_mistakes_are_shown(tmp_path):
    right = [(replace(GOLD, id=f"right-{i}"), replace(GOLD, id=f"right-{i}")) for i in range(5)]
    markup, _, _ = written(tmp_path, examples=right + pairs(25))
    text = Reader(markup).text
    assert "30 articles, 5 of them without a mistake." in text
    assert "right-" not in text
    articles = markup.split("Articles with the most mistakes")[1].split('<h2 id="conditions">')[0]
    assert articles.count("<summary>") == report.EXAMPLES


@pytest.mark.parametrize(("count", "shown"), [(1, 1), (30, 30), (31, 16), (60, 30), (61, 21)])
def test_of_many_mistakes_of_a_kind_some_are_listed_and_all_are_counted(tmp_path, count, shown):
    markup, markdown, _ = written(tmp_path, examples=pairs(count))
    listed = markup.split('<span class="kind">wrong boundary')[1].split("</details>")[0]
    assert listed.count("<tr>") - 1 == shown
    assert f"· {count}{f', {shown} of them shown' * (shown < count)}" in listed
    assert f"| entities | wrong boundary | {count} |" in markdown


def test_the_longest_lived_mistakes_come_first_with_their_articles(tmp_path):
    examples = pairs(8)
    wrong = {f"{i} entities gold {start}": i for i in range(8) for start in (23, 31)}
    markup, markdown, figures = written(tmp_path, lasting=report.Lasting(examples, wrong, 7))
    told = Reader(markup).text.split("Errors that have lived longest")[1]
    assert "16 mistakes are left with the chosen weights, 2 of them" in told.replace("\n", " ")
    shown = [row for row in rows(markdown.split("lived longest")[1]) if row[0].endswith("of 7")]
    assert [row[:2] for row in shown[:4]] == [["7 of 7", "7"], ["7 of 7", "7"], ["6 of 7", "6"], ["6 of 7", "6"]]
    assert TEXT in told and list(figures["longest_lived"].values())[:3] == [7, 7, 6]


def test_without_epochs_the_surest_mistakes_come_first(tmp_path):
    def sure(found: Article) -> Article:
        return replace(found, entities=tuple(replace(span, score=0.5 + int(found.id) / 10) for span in found.entities))

    scored = [(gold, sure(found)) for gold, found in pairs()]
    _, markdown, _ = written(tmp_path, examples=scored)
    table = [row for row in rows(markdown.split("surest of all mistakes")[1])[2:] if len(row) == 5]
    assert [row[:2] for row in table] == [[f"{0.5 + number / 10:.3f}", str(number)] for number in (2, 2, 1, 1, 0, 0)]


def test_what_is_not_known_is_said(tmp_path):
    for text in written(tmp_path / "a")[:2]:
        assert "unseen in training: not known here" in text and "Place in the window: not known here" in text
    known = slices.Known(slices.vocabulary([]), {str(i): {0: 0.1, 15: 0.5} for i in range(3)})
    for text in written(tmp_path / "b", known=known)[:2]:
        assert "not known here" not in text and "place in the window" in text


def test_confusion_slices_and_calibration_are_in_all_three_files(tmp_path):
    scored = [(gold, replace(found, entities=tuple(replace(span, score=0.9) for span in found.entities))) for gold, found in pairs()]
    markup, markdown, figures = written(tmp_path, examples=scored, split="test")
    assert figures["confusion"]["entities"]["matrix"]["LOC"] == {"ORG": 3}
    assert figures["confusion"]["entities"]["errors"]["PER"]["boundary"] == 3
    assert figures["calibration"]["entities"]["count"] == 9 and figures["looked_into"] == "test"
    assert {slicing["by"] for slicing in figures["slices"]} == {"length in words", "words between content and speaker"}
    for words in ("SemEval-2013 Task 9", "type and boundary", "length in words", "How far the scores can be believed"):
        assert words in markdown and words in Reader(markup).text
    assert ["LOC", "·", "3", "·", "·"] in rows(markdown)


def test_a_report_of_long_articles_stays_readable(tmp_path):
    long = [(replace(gold, text=TEXT + " Текст." * 60_000), replace(found, text=TEXT + " Текст." * 60_000)) for gold, found in pairs(3)]
    markup, _, _ = written(tmp_path, examples=long, scores={"test": metrics.score(*zip(*long, strict=True), ["entities"], resamples=0)})
    assert len(markup.encode()) < 3_000_000
    assert re.search(r"\d long articles are not shown", Reader(markup).text)


@pytest.mark.parametrize("name", ["<img src=x onerror=hacked=1>.jsonl", '"><svg onload=hacked=1>.jsonl', "{{ 7*7 }} & <b>.jsonl"])
def test_names_of_files_are_text_to_the_program(tmp_path, monkeypatch, capsys, name):
    """As a user runs it: scripts/evaluate.py on files whose names are markup."""
    gold, found = tmp_path / name, tmp_path / f"found {name}"
    jsonl.write([GOLD], gold)
    jsonl.write([PREDICTED], found)
    monkeypatch.setattr(
        "sys.argv", ["evaluate", str(gold), "--predictions", str(found), "--out", str(tmp_path / "out"), "--resamples", "5"]
    )
    with pytest.raises(SystemExit) as stopped:
        evaluate.main()
    assert not stopped.value.code, capsys.readouterr()
    reader = Reader((tmp_path / "out/report.html").read_text())
    assert name in reader.text and "img" not in reader.tags()
    assert not any("onload" in attributes or "onerror" in attributes for _, attributes in reader.elements)
    assert all(value.startswith("#") for value in addresses(reader))
    assert name in json.loads((tmp_path / "out/metrics.json").read_text())["title"]
