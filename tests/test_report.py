import json
import math
import random
import re
from dataclasses import replace

import pytest
from generate import random_article
from test_highlight import PAYLOADS, Reader

from govorit import attribution, report
from govorit.article import Article, Quote, Span
from govorit.metrics import score
from govorit.report import Run

TEXT = "«Да», — сказал Песков. Путин в Алматы."
GOLD = Article(
    "a",
    TEXT,
    (Span(15, 21, "PER"), Span(23, 28, "PER"), Span(31, 37, "LOC")),
    (Quote("direct", (Span(0, 4, "DIRECT"),), Span(8, 14, "CUE"), Span(15, 21, "SPEAKER"), "Дмитрий Песков"),),
)
PREDICTED = replace(GOLD, entities=(Span(15, 21, "PER"), Span(23, 30, "PER"), Span(31, 37, "ORG")))


def pairs(count: int = 3) -> list[tuple[Article, Article]]:
    return [(replace(GOLD, id=str(i)), replace(PREDICTED, id=str(i))) for i in range(count)]


def run(**changes) -> Run:
    examples = pairs()
    scores = score(*zip(*examples, strict=True), ["entities", "quotes"], resamples=20)
    fields = {
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
    }
    return Run(**{**fields, **changes})


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
    terminal = report.table(run().scores["test"], result)
    for text in (Reader(markup).text, markdown):
        assert "Who said what" in text and "dash" not in text.split("Who said what")[1].split("Mistakes")[0]
    shown = {row[0]: row[1:] for row in rows(markdown.split("Who said what")[1])}
    for key, name in report.MEASURES.items():
        figure = told[key]["all"]
        numbers = [f"{100 * figure[part]:.2f}" for part in ("precision", "recall", "f1")]
        assert shown[name][:3] == numbers and shown[name][4:] == ["4", "4"]
        assert re.search(rf"^  {name} +{' +'.join(numbers)} ", terminal, re.M)
    assert [told[key]["all"]["f1"] for key in report.MEASURES] == [0.75, 0.75, 0.5, 0.5]
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
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert not {"script", "link", "img", "iframe", "object"} & reader.tags()
    assert not re.search(r"https?:|url\(|@import", markup)


def test_the_page_tells_everything_once_asked(tmp_path):
    markup, markdown, _ = written(tmp_path)
    for text in (Reader(markup).text, markdown):
        for words in ("9f8a1c22", "12 min 11 s", "task=joint", "seed: 1", "812 gold spans", "2.12", "wrong boundary"):
            assert words in text
    assert markup.count("<polyline") == 2
    assert TEXT in Reader(markup).text


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_that_is_reported_becomes_markup(tmp_path, payload):
    hostile = Article(payload, payload, (Span(0, len(payload), payload.replace(" ", "")),), meta={"title": payload})
    missed = replace(hostile, entities=())
    changes = {
        "title": payload,
        "command": payload,
        "scores": {payload: score([hostile], [missed], ["entities"], resamples=5)},
        "history": [{"epoch": 1, f"loss {payload}": 1.0}],
        "notes": [payload],
        "corpus": {payload: {payload: 1}},
        "config": payload,
        "versions": {payload: payload},
        "hardware": {payload: payload},
        "fingerprint": payload,
        "examples": [(hostile, missed)],
    }
    markup, markdown, _ = written(tmp_path, **changes)
    assert Reader(markup).tags() <= Reader(written(tmp_path)[0]).tags()
    prose = re.sub(r"^```.*?^```$", "", markdown, flags=re.M | re.S)
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
    table = report.table(run().scores["test"]).splitlines()
    assert table[0].split() == ["P", "R", "F1", "95", "%", "IoU≥.8", "IoU≥.5", "support"]
    assert re.fullmatch(r"  PER +50\.00 +50\.00 +50\.00 +\d+\.\d\d–\d+\.\d\d +\d+\.\d\d +\d+\.\d\d +6", table[4])
    assert len({len(line) for line in table if line.startswith("  ")}) == 1


def test_mistakes_are_named_with_their_words():
    gold = replace(GOLD, entities=(*GOLD.entities, Span(1, 3, "ORG")))
    predicted = replace(PREDICTED, entities=(*PREDICTED.entities, Span(8, 14, "PER")))
    assert [(mistake.kind, mistake.gold, mistake.predicted) for mistake in report.mistakes(gold, predicted)] == [
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
    assert [(mistake.kind, mistake.gold, mistake.predicted) for mistake in report.mistakes(gold, crossed)] == [
        ("wrong speaker", "Песков — сказал: «Да»", "Чайка — сказал: «Да»"),
        ("wrong speaker", "Чайка — сказал: «Нет»", "Песков — сказал: «Нет»"),
    ]
    assert report.mistakes(gold, gold) == []


def test_quotations_are_told_in_the_words_of_the_article():
    (said,) = GOLD.quotes
    for change, kind, told in (
        ({"content": (Span(0, 3, "DIRECT"),)}, "wrong boundary", ("«Да»", "«Да")),
        ({"kind": "mixed"}, "wrong kind", ("direct: «Да»", "mixed: «Да»")),
        ({"cue": None}, "wrong cue", ("Песков — сказал: «Да»", "Песков — no cue: «Да»")),
        ({"speaker": None}, "wrong speaker", ("Песков — сказал: «Да»", "no speaker — сказал: «Да»")),
        ({"name": None}, "wrong name", ("Дмитрий Песков (Песков) — сказал: «Да»", "(Песков) — сказал: «Да»")),
    ):
        (mistake,) = report.mistakes(GOLD, replace(GOLD, quotes=(replace(said, **change),)))
        assert (mistake.kind, (mistake.gold, mistake.predicted)) == (kind, told)
    (missed,) = report.mistakes(GOLD, replace(GOLD, quotes=()))
    assert (missed.kind, missed.gold, missed.predicted) == ("missed", "Дмитрий Песков (Песков) — сказал: «Да»", "")
    (spurious,) = report.mistakes(replace(GOLD, quotes=()), GOLD)
    assert (spurious.kind, spurious.gold, spurious.predicted) == ("spurious", "", "Дмитрий Песков (Песков) — сказал: «Да»")


def test_the_same_words_at_another_place_are_told_apart():
    text = "Он встал. «Да», — сказал он, и он сел."
    gold = Article("a", text, (), (Quote("direct", (Span(10, 14, "DIRECT"),), Span(18, 24, "CUE"), Span(25, 27, "SPEAKER")),))
    predicted = replace(gold, quotes=(replace(gold.quotes[0], speaker=Span(31, 33, "SPEAKER")),))
    (mistake,) = report.mistakes(gold, predicted)
    assert (mistake.gold, mistake.predicted) == ("он — сказал: «Да» [25–27]", "он — сказал: «Да» [31–33]")


def test_predictions_without_any_name_are_not_asked_for_each(tmp_path):
    unnamed = replace(PREDICTED, quotes=(replace(GOLD.quotes[0], name=None),))
    markup, markdown, _ = written(tmp_path, examples=[(GOLD, unnamed)])
    for text in (Reader(markup).text, markdown):
        assert "0 of them without a mistake. The predictions name nobody" in text and "wrong name" not in text
    named = (replace(GOLD, id="b"), replace(GOLD, id="b"))
    markup, _, _ = written(tmp_path, examples=[(GOLD, unnamed), named])
    assert "wrong name" in Reader(markup).text and "name nobody" not in Reader(markup).text


@pytest.mark.parametrize("seed", range(30))
def test_an_article_has_no_mistakes_against_itself(seed):
    article = random_article(random.Random(seed))
    assert report.mistakes(article, article) == []
    found = report.mistakes(article, replace(article, entities=()), ["entities"])
    assert [mistake.kind for mistake in found] == ["missed"] * len(article.entities)


def test_layers_that_the_gold_does_not_annotate_have_no_mistakes():
    assert report.mistakes(replace(GOLD, entities=(), meta={"layers": "quotes"}), PREDICTED) == []


def test_the_articles_with_the_most_mistakes_are_shown(tmp_path):
    right = [(replace(GOLD, id=f"right-{i}"), replace(GOLD, id=f"right-{i}")) for i in range(5)]
    markup, _, _ = written(tmp_path, examples=right + pairs(25))
    text = Reader(markup).text
    assert "30 articles, 5 of them without a mistake." in text
    assert "right-" not in text
    assert markup.count("<summary>") == 20 + 2 + 4 + 1  # articles, kinds of mistake, layers by overlap, quotations by kind and form


@pytest.mark.parametrize(("count", "shown"), [(1, 1), (30, 30), (31, 16), (60, 30), (61, 21)])
def test_of_many_mistakes_of_a_kind_some_are_listed_and_all_are_counted(tmp_path, count, shown):
    markup, markdown, _ = written(tmp_path, examples=pairs(count))
    listed = markup.split("wrong boundary")[1].split("</details>")[0]
    assert listed.count("<tr>") - 1 == shown
    assert f"· {count}{f', {shown} of them shown' * (shown < count)}" in listed
    assert f"| entities | wrong boundary | {count} |" in markdown
