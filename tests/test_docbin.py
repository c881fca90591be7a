"""spaCy's DocBin."""

import doctest
import gc
import sys
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from generate import random_article
from mutants import KINDS, survives

from govorit import formats
from govorit.article import CUE, SPEAKER, Article, Quote, Span
from govorit.errors import UserError
from govorit.formats import docbin
from govorit.formats.options import Options

TEXT = "  😀 Иванов  сказал:\r\n«Да». «Нет»,\u00a0— думал он. "
HAND = Article(
    "рука",
    TEXT,
    (Span(4, 10, "PER"),),
    (Quote("direct", (Span(21, 25, "DIRECT"), Span(27, 32, "DIRECT")), Span(12, 18, CUE), Span(4, 10, SPEAKER), "Пётр Иванов"),),
    {"title": "Заголовок"},
)


def articles(count: int) -> list[Article]:
    """Articles with no empty names, which a DocBin does not tell from none."""
    rng = Random(7)
    found = [random_article(rng, f"a-{number:04}", crossing=True) for number in range(count)]
    return [replace(a, quotes=tuple(replace(quote, name=quote.name or None) for quote in a.quotes)) for a in found]


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        list(formats.read(path))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def save(path: Path, *docs: object, **options: object) -> Path:
    tokens = pytest.importorskip("spacy.tokens")
    tokens.DocBin(docs=docs, **options).to_disk(path)
    return path


def doc(*words: str, **options: object) -> object:
    return pytest.importorskip("spacy.tokens").Doc(pytest.importorskip("spacy.vocab").Vocab(), words=list(words), **options)


def test_all_but_scores_comes_back(tmp_path):
    pytest.importorskip("spacy")
    written = [HAND, *articles(2000)]
    formats.write(iter(written), tmp_path / "a.spacy")
    assert list(formats.read(tmp_path / "a.spacy")) == written


def test_the_empty_name_is_lost_and_scores_are(tmp_path):
    pytest.importorskip("spacy")
    scored = Article("a", "Да", (Span(0, 2, "PER", 0.5),), (Quote("direct", (Span(0, 2, "DIRECT", 0.5),), name="", score=0.5),))
    formats.write([scored], tmp_path / "a.spacy")
    [article] = formats.read(tmp_path / "a.spacy")
    assert article == Article("a", "Да", (Span(0, 2, "PER"),), (Quote("direct", (Span(0, 2, "DIRECT"),)),))


def test_spacy_reads_what_we_write(tmp_path):
    tokens = pytest.importorskip("spacy.tokens")
    cut = Article("b", "Путинский", (Span(0, 5, "PER"),))
    formats.write([HAND, cut], tmp_path / "a.spacy")
    first, second = tokens.DocBin().from_disk(tmp_path / "a.spacy").get_docs(pytest.importorskip("spacy").blank("ru").vocab)
    assert first.text == TEXT
    assert [(ent.text, ent.label_) for ent in first.ents] == [("Иванов", "PER")]
    found = [(span.text, span.label_, span.id_, span.kb_id_) for span in first.spans["quotes"]]
    assert found == [
        ("«Да»", "DIRECT", "Q1", "Пётр Иванов"),
        ("«Нет»", "DIRECT", "Q1", ""),
        ("сказал", "CUE", "Q1", ""),
        ("Иванов", "SPEAKER", "Q1", ""),
    ]
    assert [token.text for token in second] == ["Путин", "ский"] and second.ents[0].text == "Путин"


def test_what_spacy_writes_is_read(tmp_path):
    spacy = pytest.importorskip("spacy")
    made = spacy.blank("ru")("Иван Петров сказал «да» в Омске.")
    made.ents = [made.char_span(0, 11, label="PER"), made.char_span(26, 31, label="LOC")]
    made.spans["sc"] = [made[0:1]]
    made.spans["quotes"] = [
        made.char_span(19, 23, label="ПРЯМАЯ", span_id="1"),
        made.char_span(12, 18, label="CUE", span_id="1"),
    ]
    [article] = formats.read(save(tmp_path / "a.spacy", made), options=Options(names={"direct": "ПРЯМАЯ"}))
    assert (article.id, article.text) == ("a-1", made.text)
    assert article.entities == (Span(0, 11, "PER"), Span(26, 31, "LOC"))
    assert article.quotes == (Quote("direct", (Span(19, 23, "DIRECT"),), Span(12, 18, CUE)),)
    assert article.meta == {"left_out": "a.spacy:1: spans: 1 in the group 'sc'"}


def test_user_data_is_never_decoded(tmp_path, monkeypatch):
    pytest.importorskip("spacy")
    made = doc("Да")
    made.user_data["a"] = "b"
    path = save(tmp_path / "a.spacy", made, store_user_data=True)
    monkeypatch.setattr("spacy.tokens.DocBin.get_docs", lambda *_: pytest.fail("decodes user_data"))
    monkeypatch.setattr("pickle.loads", lambda *_: pytest.fail("unpickles"))
    [article] = formats.read(path)
    assert article.text == "Да "


def spans(*parts: tuple[int, int, str, str]) -> object:
    made = doc("Иванов", "сказал", "да", "и", "нет")
    tokens = pytest.importorskip("spacy.tokens")
    made.spans["quotes"] = [tokens.Span(made, start, end, label=label, span_id=key) for start, end, label, key in parts]
    return made


BROKEN = {
    "unknown label": (lambda: spans((0, 1, "SAID", "1")), "spans[0]: found 'SAID' over the tokens 0 to 1, expected one of DIRECT"),
    "empty": (lambda: spans((1, 1, "DIRECT", "1")), "over the tokens 1 to 1"),
    "orphan": (lambda: spans((2, 3, "DIRECT", "1"), (1, 2, "CUE", "2")), "spans[1]: CUE that belongs to no quotation"),
    "no id": (lambda: spans((2, 3, "DIRECT", ""), (1, 2, "CUE", "")), "belongs to no quotation"),
    "two cues": (lambda: spans((2, 3, "DIRECT", "1"), (1, 2, "CUE", "1"), (3, 4, "CUE", "1")), "already has a CUE"),
    "two kinds": (lambda: spans((2, 3, "DIRECT", "1"), (4, 5, "MIXED", "1")), "expected one kind"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_quotations_that_do_not_hold_together_are_refused(tmp_path, name):
    make, expected = BROKEN[name]
    message = refusal(save(tmp_path / "a.spacy", make()))
    assert message.startswith(f"{tmp_path / 'a.spacy'}:1: ") and expected in message


def test_a_stray_tag_is_reported_and_left_out(tmp_path):
    numpy = pytest.importorskip("numpy")
    attrs = pytest.importorskip("spacy.attrs")
    made = doc("Иванов", "сказал", "Петрову")
    label = made.vocab.strings.add("PER")
    made.from_array([attrs.ENT_IOB, attrs.ENT_TYPE], numpy.array([[1, label], [2, 0], [3, label]], dtype="uint64"))
    path, problems = save(tmp_path / "a.spacy", made), []
    assert "a.spacy:1: ents: token 0 'Иванов': found I-PER after no PER" in refusal(path)
    [article] = formats.read(path, options=Options(report=problems.append))
    assert article.entities == (Span(14, 21, "PER"),) and len(problems) == 1


UNWRITABLE = {
    "overlap": (Article("a", "аб вг", (Span(0, 5, "PER"), Span(0, 2, "LOC"))), r"PER \[0, 5\) and LOC \[0, 2\) overlap"),
    "out of range": (Article("a", "аб", (Span(0, 3, "PER"),)), "does not fit the text"),
    "reversed": (Article("a", "аб", (Span(2, 1, "PER"),)), "does not fit the text"),
    "no label": (Article("a", "аб", (Span(0, 2, ""),)), "is empty"),
    "kind": (Article("a", "аб", quotes=(Quote("spoken", (Span(0, 2, "SPOKEN"),)),)), "expected one of direct"),
    "nothing said": (Article("a", "аб", quotes=(Quote("direct", ()),)), "0 contents"),
    "surrogate": (Article("a", "а\ud800"), "half a surrogate pair"),
    "surrogate in meta": (Article("a", "а", meta={"a": "\ud800"}), "half a surrogate pair"),
}


@pytest.mark.parametrize("name", UNWRITABLE)
def test_what_it_cannot_hold_is_refused_and_nothing_is_written(tmp_path, name):
    pytest.importorskip("spacy")
    article, expected = UNWRITABLE[name]
    with pytest.raises(UserError, match=expected):
        formats.write([HAND, article], tmp_path / "a.spacy")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("action", [lambda path: list(formats.read(path, "docbin")), lambda path: formats.write([HAND], path / "a.spacy")])
def test_without_the_extra_it_says_how_to_get_it(tmp_path, monkeypatch, action):
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(UserError, match=r"^format docbin: needs spaCy.*pip install 'govorit\[spacy\]'$"):
        action(tmp_path)
    assert list(tmp_path.iterdir()) == []


def mangled(data: bytes, rng: Random, n: int) -> Iterator[bytes]:
    """Mutants of what is no text."""
    kinds = [kind for kind in KINDS if kind.__name__ not in ("_encoding", "_deep")]
    return (kinds[i % len(kinds)](data, rng) for i in range(n))


@pytest.mark.parametrize(("packed", "count"), [(True, 500), (False, 1500)])
def test_a_damaged_docbin_is_read_or_refused(tmp_path, packed, count):
    """Damage to the file, and to the MessagePack inside it."""
    pytest.importorskip("spacy")
    path, rng, taken = tmp_path / "a.spacy", Random(8), 0
    formats.write([HAND, *articles(2)], path)
    data = path.read_bytes() if packed else zlib.decompress(path.read_bytes())
    for mutant in mangled(data, rng, count):
        path.write_bytes(mutant if packed else zlib.compress(mutant, 1))
        taken += survives(lambda: formats.read(path))
        assert gc.isenabled()
    assert taken < count


def test_a_bomb_is_refused(tmp_path):
    pytest.importorskip("spacy")
    (tmp_path / "a.spacy").write_bytes(zlib.compress(b"\0" * (1 << 27), 9))
    assert "more than 64 MB once decompressed" in refusal(tmp_path / "a.spacy")


def test_the_examples_in_docstrings_hold():
    assert doctest.testmod(docbin).failed == 0
