"""UIMA CAS XMI, as INCEpTION writes it."""

import re
import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from zipfile import ZipFile

import pytest
from generate import random_article
from mutants import mutants, survives

from govorit import formats
from govorit.article import CUE, SPEAKER, Article, Quote, Span
from govorit.errors import UserError
from govorit.formats.options import Options

TEXT = "😀 Иванов сказал: «Да».\r\n«Нет», — добавил он."
HAND = Article(
    "рука",
    TEXT,
    (Span(2, 8, "PER"),),
    (
        Quote(
            "direct",
            (Span(17, 21, "DIRECT"), Span(24, 29, "DIRECT")),
            Span(9, 15, CUE),
            Span(2, 8, SPEAKER),
            'Пётр <Иванов> & "Ко"',
        ),
    ),
)
TYPES = """<?xml version="1.0" encoding="UTF-8"?>
<typeSystemDescription xmlns="http://uima.apache.org/resourceSpecifier"><types>
<typeDescription><name>de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity</name><supertypeName>uima.tcas.Annotation</supertypeName>
 <features><featureDescription><name>value</name><rangeTypeName>uima.cas.String</rangeTypeName></featureDescription></features></typeDescription>
<typeDescription><name>de.tudarmstadt.ukp.dkpro.core.api.segmentation.type.Token</name><supertypeName>uima.tcas.Annotation</supertypeName></typeDescription>
<typeDescription><name>webanno.custom.Works</name><supertypeName>uima.tcas.Annotation</supertypeName></typeDescription>
<typeDescription><name>webanno.custom.Speech</name><supertypeName>uima.tcas.Annotation</supertypeName>
 <features><featureDescription><name>value</name><rangeTypeName>uima.cas.String</rangeTypeName></featureDescription>
 <featureDescription><name>name</name><rangeTypeName>uima.cas.String</rangeTypeName></featureDescription></features></typeDescription>
<typeDescription><name>webanno.custom.Quotation</name><supertypeName>uima.tcas.Annotation</supertypeName>
 <features><featureDescription><name>kind</name><rangeTypeName>uima.cas.String</rangeTypeName></featureDescription></features></typeDescription>
<typeDescription><name>webanno.custom.Link</name><supertypeName>uima.tcas.Annotation</supertypeName><features>
 <featureDescription><name>role</name><rangeTypeName>uima.cas.String</rangeTypeName></featureDescription>
 <featureDescription><name>Dependent</name><rangeTypeName>webanno.custom.Speech</rangeTypeName></featureDescription>
 <featureDescription><name>Governor</name><rangeTypeName>webanno.custom.Speech</rangeTypeName></featureDescription></features></typeDescription>
</types></typeSystemDescription>"""
HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<xmi:XMI xmlns:xmi="http://www.omg.org/XMI" xmlns:cas="http:///uima/cas.ecore" xmlns:custom="http:///webanno/custom.ecore"
 xmlns:ner="http:///de/tudarmstadt/ukp/dkpro/core/api/ner/type.ecore"
 xmlns:seg="http:///de/tudarmstadt/ukp/dkpro/core/api/segmentation/type.ecore" xmi:version="2.0">
<cas:NULL xmi:id="0"/>
"""
BODY = """<seg:Token xmi:id="9" sofa="1" begin="3" end="9"/>
<ner:NamedEntity xmi:id="10" sofa="1" begin="3" end="9" value="PER"/>
<custom:Works xmi:id="11" sofa="1" begin="18" end="22"/>
<custom:Speech xmi:id="12" sofa="1" begin="18" end="22" value="ПРЯМАЯ" name="Пётр Иванов"/>
<custom:Speech xmi:id="13" sofa="1" begin="10" end="16" value="CUE"/>
<custom:Link xmi:id="14" sofa="1" begin="18" end="22" role="глагол" Governor="13" Dependent="12"/>
<custom:Link xmi:id="15" sofa="1" begin="18" end="22" role="ещё" Governor="13" Dependent="12"/>
"""


def tail(members: str = "9 10 11 12 13 14 15") -> str:
    text = TEXT.replace("\r", "&#13;").replace("\n", "&#10;")
    sofa = f'<cas:Sofa xmi:id="1" sofaNum="1" sofaID="_InitialView" mimeType="text" sofaString="{text}"/>'
    return f'{sofa}\n<cas:View sofa="1" members="{members}"/>\n</xmi:XMI>\n'


def by_hand(folder: Path, body: str = BODY, members: str | None = None, types: str = TYPES, head: str = HEAD) -> Path:
    ids = " ".join(re.findall(r'xmi:id="(\d+)"', body)) if members is None else members
    (folder / "a.xmi").write_bytes((head + body + tail(ids)).encode())
    (folder / "TypeSystem.xml").write_bytes(types.encode())
    return folder


def refusal(path: Path, **options: object) -> str:
    with pytest.raises(UserError) as caught:
        list(formats.read(path, "xmi", Options(**options)))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def articles(count: int) -> list[Article]:
    """Articles of characters that XML has."""
    rng, found = Random(7), []
    while len(found) < count:
        article = random_article(rng, f"a-{len(found):04}", crossing=True)
        if not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", article.text):
            found.append(replace(article, meta={}))
    return found


@pytest.mark.parametrize(("name", "count"), [("folder", 500), ("a.zip", 200)])
def test_all_but_scores_and_meta_comes_back(tmp_path, name, count):
    pytest.importorskip("cassis")
    written = articles(count)
    formats.write(written, tmp_path / name, "xmi")
    assert list(formats.read(tmp_path / name)) == written
    scored = replace(HAND, id="scored", meta={"title": "Да"}, entities=(Span(2, 8, "PER", 0.5),))
    formats.write([scored], tmp_path / "b.zip")
    assert list(formats.read(tmp_path / "b.zip")) == [replace(HAND, id="scored")]


def test_offsets_are_utf16_units_as_java_counts_them(tmp_path):
    cassis = pytest.importorskip("cassis")
    formats.write([HAND], tmp_path, "xmi")
    source = (tmp_path / "рука.xmi").read_text(encoding="utf-8")
    assert re.search(r'<\w+:NamedEntity [^>]*begin="3" end="9" value="PER"', source)
    assert "&#13;&#10;" in source
    cas = cassis.load_cas_from_xmi(tmp_path / "рука.xmi", cassis.load_typesystem(tmp_path / "TypeSystem.xml"))
    found = {(mark.kind, mark.get_covered_text()) for mark in cas.select("webanno.custom.Quotation")}
    assert found == {("DIRECT", "«Да»"), ("DIRECT", "«Нет»"), ("CUE", "сказал"), ("SPEAKER", "Иванов")}
    links = {
        (link.role, link.Governor.get_covered_text(), link.Dependent.get_covered_text())
        for link in cas.select("webanno.custom.QuotationLink")
    }
    assert links == {("Cue", "«Да»", "сказал"), ("Speaker", "«Да»", "Иванов"), ("Continuation", "«Да»", "«Нет»")}


def test_layers_of_a_project_of_its_own_are_read(tmp_path):
    pytest.importorskip("cassis")
    names = {"direct": "ПРЯМАЯ", "to_cue": "глагол"}
    [article] = formats.read(by_hand(tmp_path), options=Options(names=names))
    assert (article.id, article.text) == ("a", TEXT)
    assert article.entities == (Span(2, 8, "PER"), Span(17, 21, "Works"))
    assert article.quotes == (Quote("direct", (Span(17, 21, "DIRECT"),), Span(9, 15, CUE), None, "Пётр Иванов"),)


def test_our_own_names_are_written_and_read(tmp_path):
    pytest.importorskip("cassis")
    options = Options(names={"direct": "ПРЯМАЯ", "cue": "ГЛАГОЛ", "to_cue": "глагол", "continuation": "дальше"})
    formats.write([HAND], tmp_path, "xmi", options)
    assert 'kind="ПРЯМАЯ"' in (tmp_path / "рука.xmi").read_text(encoding="utf-8")
    assert list(formats.read(tmp_path, options=options)) == [HAND]


@pytest.mark.parametrize("name", ["typesystem.xml", "a.xml", "TypeSystem.xml"])
def test_the_type_system_lies_beside_it(tmp_path, name):
    pytest.importorskip("cassis")
    by_hand(tmp_path)
    (tmp_path / "TypeSystem.xml").rename(tmp_path / name)
    assert len(list(formats.read(tmp_path / "a.xmi", options=Options(names={"direct": "ПРЯМАЯ", "to_cue": "глагол"})))) == 1
    (tmp_path / name).unlink()
    assert "no TypeSystem.xml beside it" in refusal(tmp_path / "a.xmi")


def test_an_export_of_xml_1_1_is_read(tmp_path):
    pytest.importorskip("cassis")
    by_hand(tmp_path, head=HEAD.replace('version="1.0"', 'version="1.1"', 1))
    assert len(list(formats.read(tmp_path, options=Options(names={"direct": "ПРЯМАЯ", "to_cue": "глагол"})))) == 1


ENTITY = '<ner:NamedEntity xmi:id="10" sofa="1" begin="{}" end="{}" value="PER"/>\n'
BROKEN = {
    "inside a character": (ENTITY.format(1, 9), "a.xmi:6: xmi:id 10: begin: the offset 1, counted in utf16, falls inside a character"),
    "beyond": (ENTITY.format(3, 999), "end: the offset 999, counted in utf16, lies outside the text"),
    "reversed": (ENTITY.format(9, 3), "xmi:id 10: PER from 8 to 2 marks nothing"),
    "empty": (ENTITY.format(3, 3), "marks nothing"),
    "negative": (ENTITY.format(-3, 9), "begin: found '-3', expected a whole number"),
    "many digits": (ENTITY.format("3" * 5000, 9), "a.xmi"),
    "no offsets": ('<ner:NamedEntity xmi:id="10" sofa="1" value="PER"/>\n', "a.xmi"),
    "id twice": (ENTITY.format(3, 9) * 2, "a.xmi:7: xmi:id '10' comes twice (line 6)"),
    "unknown type": ('<custom:Other xmi:id="10" sofa="1" begin="3" end="9"/>\n', "TypeSystem.xml"),
    "kind": ('<custom:Quotation xmi:id="10" sofa="1" begin="3" end="9" kind="SAID"/>\n', "kind: found 'SAID', expected one of DIRECT"),
    "no kind": ('<custom:Quotation xmi:id="10" sofa="1" begin="3" end="9"/>\n', "kind: found None, expected one of DIRECT"),
    "orphan": ('<custom:Quotation xmi:id="10" sofa="1" begin="3" end="9" kind="CUE"/>\n', "belongs to no quotation"),
    "not XML": ("<", "a.xmi:6: not valid XML"),
    "deep": ("<a>" * 300_000, "nested 20 deep"),
    "control character": ('<custom:Works xmi:id="1" a="&#11;"/>', "not valid XML"),
    "entity": ("&bomb;", "not valid XML"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_refused_with_its_line(tmp_path, name):
    pytest.importorskip("cassis")
    body, expected = BROKEN[name]
    message = refusal(by_hand(tmp_path, body))
    assert expected in message and message.startswith(str(tmp_path)) and len(message) < 1000


def test_a_problem_that_is_reported_leaves_out_what_it_concerns(tmp_path):
    pytest.importorskip("cassis")
    body = ENTITY.format(3, 9) + BODY.replace('xmi:id="10"', 'xmi:id="20"').replace('begin="10" end="16"', 'begin="16" end="10"')
    problems: list[UserError] = []
    [article] = formats.read(
        by_hand(tmp_path, body), options=Options(names={"direct": "ПРЯМАЯ", "to_cue": "глагол"}, report=problems.append)
    )
    assert len(article.entities) == 3 and article.quotes[0].cue is None
    assert len(problems) == 1 and "marks nothing" in str(problems[0])


BOMB = '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>\n'
OUTSIDE = '<!DOCTYPE b [<!ENTITY a SYSTEM "file:///etc/passwd">]>\n'


@pytest.mark.parametrize("doctype", [BOMB, OUTSIDE])
def test_entities_of_xml_are_refused(tmp_path, doctype):
    pytest.importorskip("cassis")
    by_hand(tmp_path, head=HEAD.replace("?>\n", f"?>\n{doctype}", 1))
    assert "a.xmi:2: a DOCTYPE" in refusal(tmp_path)
    by_hand(tmp_path, types=TYPES.replace("?>\n", f"?>\n{doctype}", 1))
    assert "TypeSystem.xml:2: a DOCTYPE" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["a b", "x=1", 'a=__import__("os").system("id")', "а", "a[]", "{a}", "a'", "1"])
def test_names_that_could_become_code_are_refused(tmp_path, name):
    pytest.importorskip("cassis")
    escaped = name.replace('"', "&quot;")
    by_hand(tmp_path, types=TYPES.replace("<name>kind</name>", f"<name>{escaped}</name>"))
    assert "expected a name of letters and digits" in refusal(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-16", "cp1251"])
def test_another_encoding_is_refused(tmp_path, encoding):
    pytest.importorskip("cassis")
    by_hand(tmp_path)
    (tmp_path / "a.xmi").write_bytes((HEAD + BODY + tail()).replace("UTF-8", encoding, 1).encode(encoding, "replace"))
    assert "expected UTF-8" in refusal(tmp_path)


@pytest.mark.parametrize("text", ["Да\x00", "Да\x0b", "Да\ufffe", "Да\ud83d"])
def test_what_xml_cannot_hold_is_refused(tmp_path, text):
    pytest.importorskip("cassis")
    for path in (tmp_path / "a.zip", tmp_path / "folder"):
        with pytest.raises(
            UserError, match=rf"^a: text: U\+{ord(text[2]):04X} at character 2, which XML cannot hold; remove it from the source"
        ):
            formats.write([Article("a", text)], path, "xmi")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["TypeSystem.xml"]


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "a\x00", "..", "a\\b"])
def test_an_id_never_leads_out(tmp_path, name):
    pytest.importorskip("cassis")
    for path in (tmp_path / "a.zip", tmp_path / "folder"):
        with pytest.raises(UserError, match="cannot name a file"):
            formats.write([Article(name, "Да")], path, "xmi")


@pytest.mark.parametrize("name", ["../a.xmi", "/tmp/a.xmi", "x/../../a.xmi", "C:\\a.xmi", "..\\a.xmi"])
def test_an_archive_that_leads_out_is_refused(tmp_path, name):
    pytest.importorskip("cassis")
    with ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("TypeSystem.xml", TYPES)
        archive.writestr(name, "")
    assert "leads out of the archive" in refusal(tmp_path / "a.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_archives_without_a_document_and_bombs_are_refused(tmp_path):
    pytest.importorskip("cassis")
    with ZipFile(tmp_path / "a.zip", "w", 8) as archive:
        archive.writestr("TypeSystem.xml", TYPES)
    assert "found 0 .xmi and 1 TypeSystem.xml" in refusal(tmp_path / "a.zip")
    with ZipFile(tmp_path / "a.zip", "a", 8) as archive:
        archive.writestr("a.xmi", b" " * (1 << 27))
    assert "larger than 64 MB once unpacked" in refusal(tmp_path / "a.zip")


def test_a_folder_or_an_archive_is_written(tmp_path):
    pytest.importorskip("cassis")
    with pytest.raises(UserError, match="name a folder"):
        formats.write([HAND], tmp_path / "a.xmi")
    for name in ("a.zip", "b.zip"):
        formats.write([HAND], tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


@pytest.mark.parametrize("action", [lambda path: list(formats.read(path, "xmi")), lambda path: formats.write([HAND], path, "xmi")])
def test_without_the_extra_it_says_how_to_get_it(tmp_path, monkeypatch, action):
    monkeypatch.setitem(sys.modules, "cassis", None)
    with pytest.raises(UserError, match=r"^format xmi: needs dkpro-cassis.*pip install 'govorit\[xmi\]'$"):
        action(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("file", "count"), [("a.xmi", 1500), ("TypeSystem.xml", 500), ("a.zip", 500)])
def test_a_damaged_export_is_read_or_refused(tmp_path, file, count):
    pytest.importorskip("cassis")
    by_hand(tmp_path)
    options, rng, taken = Options(names={"direct": "ПРЯМАЯ", "to_cue": "глагол"}), Random(8), 0
    source = tmp_path
    if file == "a.zip":
        source = tmp_path / "a.zip"
        with ZipFile(source, "w") as archive:
            for member in ("TypeSystem.xml", "a.xmi"):
                archive.write(tmp_path / member, member)
    data = (tmp_path / file).read_bytes()
    damaged = mutants(data, rng, count) if file != "a.zip" else (mangled(data, rng) for _ in range(count))
    for mutant in damaged:
        (tmp_path / file).write_bytes(mutant)
        taken += survives(lambda: formats.read(source, "xmi", options))
    assert 0 < taken < count


def mangled(data: bytes, rng: Random) -> bytes:
    at, length = rng.randrange(len(data)), rng.randrange(1, 40)
    flipped = data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
    return rng.choice((flipped, data[:at], data[:at] + data[at + length :], data[:at] + rng.randbytes(length) + data[at:]))
