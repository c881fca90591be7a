import re
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from generate import random_article
from test_nearness import QUOTATIONS

from govorit import formats
from govorit.article import CUE, SPEAKER, Article, Quote, Span
from govorit.corpora import lint
from govorit.errors import UserError
from govorit.formats import conll
from govorit.formats.inline import parse
from govorit.formats.options import Options

SAID = Article(
    "a-001",
    "Иванов сказал: «Да».\nПетров, — добавил он, — «Нет».",
    (Span(0, 6, "PER"), Span(21, 27, "PER")),
    (
        Quote("direct", (Span(15, 19, "DIRECT"),), Span(7, 13, CUE), Span(0, 6, SPEAKER), "Пётр Иванов"),
        Quote("direct", (Span(45, 50, "DIRECT"),), Span(31, 38, CUE), Span(0, 6, SPEAKER)),
    ),
    {"title": "Ответ"},
)
WRITTEN = """# columns: token quote ner
-DOCSTART-	O	O
# id = a-001
# text = "Иванов сказал: «Да».\\nПетров, — добавил он, — «Нет»."
# names = {"1": "Пётр Иванов"}
# meta = {"title": "Ответ"}
Иванов	B-SPEAKER#1,2	B-PER
сказал	B-CUE#1	O
:	O	O
«	B-DIRECT#1	O
Да	I-DIRECT#1	O
»	I-DIRECT#1	O
.	O	O

Петров	O	B-PER
,	O	O
—	O	O
добавил	B-CUE#2	O
он	O	O
,	O	O
—	O	O
«	B-DIRECT#2	O
Нет	I-DIRECT#2	O
»	I-DIRECT#2	O
.	O	O

"""


def read(folder: Path, body: str, **options: object) -> list[Article]:
    path = folder / "a.conll"
    path.write_bytes(body.encode())
    return list(formats.read(path, options=Options(**options)))


def refusal(folder: Path, body: str, **options: object) -> str:
    with pytest.raises(UserError) as caught:
        read(folder, body, **options)
    return str(caught.value)


def test_2000_articles_come_back_as_they_were_but_for_scores(tmp_path):
    rng = Random(7)
    written = [random_article(rng, f"a-{number:04}", crossing=True) for number in range(2000)]
    formats.write(written, tmp_path / "a.conll")
    assert list(formats.read(tmp_path / "a.conll")) == written


def test_columns_are_what_a_reader_sees(tmp_path):
    conll.write([SAID], tmp_path / "a.conll")
    assert (tmp_path / "a.conll").read_text(encoding="utf-8") == WRITTEN
    assert read(tmp_path, WRITTEN) == [SAID]


@pytest.mark.parametrize("damage", [lambda data: "\ufeff" + data, lambda data: data.replace("\n", "\r\n"), str.rstrip])
def test_line_ends_and_a_byte_order_mark_change_nothing(tmp_path, damage):
    assert read(tmp_path, damage(WRITTEN)) == [SAID]


@pytest.mark.parametrize("id", ["", " a", "а\nб", '"a"', "a\u2028b", "../x", "\x00"])
def test_every_id_comes_back(tmp_path, id):
    conll.write([replace(SAID, id=id)], tmp_path / "a.conll")
    assert [article.id for article in conll.read(tmp_path / "a.conll")] == [id]


def test_articles_without_words_come_back(tmp_path):
    articles = [Article("a", ""), Article("b", " \n"), Article("c", "Да"), Article("d", "\u200b")]
    conll.write(articles, tmp_path / "a.conll")
    assert list(conll.read(tmp_path / "a.conll")) == articles


def test_the_columns_asked_for_are_written(tmp_path):
    conll.write([SAID], tmp_path / "a.conll", Options(columns=("ner", "token")))
    lines = (tmp_path / "a.conll").read_text(encoding="utf-8").split("\n")
    assert lines[0] == "# columns: ner token" and "B-PER\tИванов" in lines
    [article] = conll.read(tmp_path / "a.conll")
    assert article == replace(SAID, quotes=(), meta={"title": "Ответ", "layers": "entities"})


# What others write


def test_conll_2003_has_documents_and_its_entities_last(tmp_path):
    body = (
        "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\nPeter NNP B-NP B-PER\nBlackburn NNP I-NP I-PER\n\n"
        "-DOCSTART- (book_2) -X- O\n\nBRUSSELS NNP B-NP B-LOC\n"
    )
    first, second = read(tmp_path, body)
    assert (first.id, first.text) == ("a-1", "EU rejects Peter Blackburn")
    assert first.entities == (Span(0, 2, "ORG"), Span(11, 26, "PER"))
    assert (second.id, second.text, second.entities) == ("book_2", "BRUSSELS", (Span(0, 8, "LOC"),))
    assert first.annotated("entities") and not first.annotated("quotes")


def test_a_file_without_boundaries_is_one_article(tmp_path):
    [article] = read(tmp_path, "# sent_id = 1\n# text = Юрий Чайка\nЮрий\tB-PER\nЧайка\tI-PER\n\n\nсказал\tO\n")
    assert (article.id, article.text, article.entities) == ("a", "Юрий Чайка сказал", (Span(0, 10, "PER"),))


def test_remarks_are_no_words_and_hash_signs_are(tmp_path):
    rows = "# Разметила Анна\n# newdoc id = 7\nИван B-PER\n# newpar\n\n# ушёл совсем рано\n# O\n#метро B-ORG\n"
    problems: list[UserError] = []
    [article] = read(tmp_path, rows, report=problems.append)
    assert article.text == "Иван # # #метро" and article.entities == (Span(0, 4, "PER"), Span(9, 15, "ORG"))
    assert [str(problem).partition(": ")[0].rpartition(":")[2] for problem in problems] == ["4"]  # has the columns of a word: a broken tag


def test_the_order_of_columns_is_told(tmp_path):
    [article] = read(tmp_path, "1 B-PER Чайка NNP\n2 O сказал VBD\n", columns=("-", "ner", "token", "-"))
    assert article.entities == (Span(0, 5, "PER"),) and article.text == "Чайка сказал"


SCHEMES = {
    "IOB2": "B-PER I-PER B-PER O B-LOC",
    "IOB1": "I-PER I-PER B-PER O I-LOC",
    "BIOES": "B-PER E-PER S-PER O S-LOC",
    "BILOU": "B-PER L-PER U-PER O U-LOC",
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_gives_the_same_spans(tmp_path, scheme):
    tags = zip(["Юрий", "Чайка", "Песков", "в", "Омске"], SCHEMES[scheme].split(), strict=True)
    [article] = read(tmp_path, "".join(f"{word} {tag}\n" for word, tag in tags))
    assert article.entities == (Span(0, 10, "PER"), Span(11, 17, "PER"), Span(20, 25, "LOC"))


BROKEN = {
    "orphan": ("а B-PER\nб O\nв I-PER\n", 3, "ner: found I-PER after no span that goes on, expected B-PER"),
    "other label": ("а O\nб B-PER\nв I-LOC\n", 3, "found I-LOC after B-PER, expected B-LOC"),
    "across sentences": ("а O\nб B-PER\n\nв I-PER\n", 4, "found I-PER"),
    "never ended": ("а S-PER\nб B-PER\nв O\n", 2, "breaks off, expected an E-PER"),
    "end of nothing": ("а S-PER\nб E-PER\n", 2, "expected S-PER"),
    "homoglyph prefix": ("а O\nб В-PER\n", 2, "'В' is the Cyrillic Capital Letter Ve"),
    "homoglyph label": ("а O\nб B-РER\n", 2, "'Р' is the Cyrillic Capital Letter Er"),
    "homoglyph outside": ("а O\nб О\n", 2, "'О' is the Cyrillic Capital Letter O"),
    "no tag": ("а O\nб PER\n", 2, "found 'PER', expected O or a tag such as B-PER"),
    "one column": ("а\n", 1, "expected a word and its tag"),
    "too few": ("а X O\nб O\n", 2, "found 2 columns in 'б O', expected 3"),
    "no token": ("а\tO\n\tO\n", 2, "token: nothing stands there"),
    "columns": ("# columns: token pos\nа\tO\n", 1, "'pos' is no column"),
    "two tokens": ("# columns: token token\n", 1, "expected one column token"),
    "text": ('# columns: token ner\n# text = "а б"\nа\tO\nв\tO\n', 4, "token: found 'в' where the text goes on with ' б'"),
    "text left over": ('# columns: token ner\n# text = "а б"\nа\tO\n', 1, "found the end where the text goes on with ' б'"),
    "text no JSON": ("# columns: token ner\n# text = а б\nа\tO\n", 2, "text: not valid JSON"),
    "key twice": ('# columns: token ner\n# meta = {"a": "1", "a": "2"}\nа\tO\n', 2, "comes twice"),
    "names": ('# columns: token quote\n# names = {"1": 2}\nа\tO\n', 2, "expected an object of strings"),
    "quote label": ("# columns: token quote\nа\tB-PER#1\n", 1, "expected one of DIRECT, INDIRECT, MIXED, CUE, SPEAKER"),
    "no quotation": ("# columns: token quote\nа\tB-CUE#1\nб\tB-DIRECT#2\n", 1, "belongs to the quotation 1, which is not there"),
    "two cues": ("# columns: token quote\nа\tB-CUE#1\nб\tB-DIRECT#1\nв\tB-CUE#1\n", 1, "or has one"),
    "two kinds": ("# columns: token quote\nа\tB-MIXED#1\nб\tB-DIRECT#1\n", 1, "of several quotations or kinds"),
    "no content": ("# columns: token quote\nа\tB-CUE\n", 1, "near no content"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_said_with_its_line(tmp_path, name):
    body, line, expected = BROKEN[name]
    message = refusal(tmp_path, body)
    assert message.startswith(f"{tmp_path / 'a.conll'}:{line}: ") and expected in message


def test_a_broken_tag_is_reported_and_the_rest_is_read(tmp_path):
    problems: list[UserError] = []
    [article] = read(tmp_path, "а B-PER\nб I-LOC\nв В-PER\nг B-LOC\n", report=problems.append)
    assert article.entities == (Span(0, 1, "PER"), Span(6, 7, "LOC"))
    assert [str(problem).partition(": ")[0].rpartition(":")[2] for problem in problems] == ["2", "3"]


def test_a_broken_article_is_reported_and_the_others_are_read(tmp_path):
    problems: list[UserError] = []
    articles = read(tmp_path, "-DOCSTART- O\nа O\n\n-DOCSTART- O\nа б O\n\n-DOCSTART- O\nв B-PER\n", report=problems.append)
    assert [article.text for article in articles] == ["а", "в"] and len(problems) == 1


def test_tags_without_numbers_tie_to_the_nearest_content(tmp_path):
    words = "Иванов:SPEAKER сказал:CUE : да:DIRECT . нет:INDIRECT , считает:CUE Петров:SPEAKER"
    rows = "".join(
        f"{word.partition(':')[0] or ':'}\t{'B-' + word.partition(':')[2] if word[-1] > '@' else 'O'}\n" for word in words.split()
    )
    [article] = read(tmp_path, "# columns: token quote\n" + rows)
    found = [(q.kind, *(article.text[p.start : p.end] for p in (*q.content, q.cue, q.speaker))) for q in article.quotes]
    assert found == [("direct", "да", "сказал", "Иванов"), ("indirect", "нет", "считает", "Петров")]
    assert article.meta["layers"] == "quotes" and not list(lint.problems(article))


def test_tags_without_numbers_make_whole_quotations(tmp_path):
    gold = [replace(parse(case), id=name) for name, case in QUOTATIONS.items()]
    numbered = "".join(map(conll.dump, gold))
    body = re.sub(r"(\t[BI]-[A-Z]+)#[0-9,]+", r"\1", numbered)
    assert body != numbered
    articles = read(tmp_path, f"# columns: {' '.join(conll.COLUMNS)}\n{body}")
    assert {article.id: article.quotes for article in articles} == {article.id: article.quotes for article in gold}


def test_names_of_labels_are_the_corpus_s_own(tmp_path):
    options = Options(names={"direct": "Прямая_речь", "cue": "V"})
    conll.write([SAID], tmp_path / "a.conll", options)
    assert "B-Прямая_речь#1" in (tmp_path / "a.conll").read_text(encoding="utf-8")
    assert list(conll.read(tmp_path / "a.conll", options)) == [SAID]


UNWRITABLE = {
    "cuts a word": (Span(0, 3, "PER"),),
    "overlap": (Span(0, 13, "PER"), Span(7, 13, "LOC")),
    "spaced label": (Span(0, 6, "P R"),),
    "no label": (Span(0, 6, ""),),
    "homoglyph": (Span(0, 6, "РER"),),
    "out of range": (Span(0, 600, "PER"),),
}


@pytest.mark.parametrize("name", UNWRITABLE)
def test_what_columns_cannot_hold_is_refused(tmp_path, name):
    with pytest.raises(UserError, match=r"^a-001: "):
        conll.write([replace(SAID, entities=UNWRITABLE[name])], tmp_path / "a.conll")
