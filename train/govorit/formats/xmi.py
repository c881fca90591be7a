"""UIMA CAS XMI, as INCEpTION imports and exports it: `.xmi` with its TypeSystem.xml beside it, or the `.zip` that holds both.

| layer in INCEpTION | kind of layer | type | features |
|---|---|---|---|
| Named entity | built in | `de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity` | `value`: the label |
| Quotation | span | `webanno.custom.Quotation` | `kind`: DIRECT, INDIRECT, MIXED, CUE or SPEAKER; `name`: who speaks |
| QuotationLink | relation on Quotation | `webanno.custom.QuotationLink` | `role`: Cue, Speaker or Continuation |

To set a project up, make the two custom layers by these names, with string features, "character-level" granularity and overlap allowed,
and a tagset each for `kind` and `role`; other words for kinds and roles go into `names`. `name` stands on a content or on a speaker. A
relation goes from a content (`Governor`, its source) to its cue, to its speaker, or to the next content of an interrupted quotation
(`Dependent`, its target), since INCEpTION has no spans in pieces; it may as well be drawn the other way.

Other custom span layers (`webanno.custom.*`) are entities, and their label is the feature `value`, `label` or `kind`, else the layer's own
name; one that says the words of the table there is as good as Quotation. Every other layer (tokens, sentences, lemmas, syntax,
coreference) says nothing about spans and quotations and is passed over. The id of an article is its document title.

Offsets are UTF-16 units, unless `offsets` says bytes or crlf. Scores and `meta` have no place in XMI, nor have control characters.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

from govorit.article import KINDS, Article
from govorit.errors import MissingPackageError, UserError
from govorit.files import whole
from govorit.formats import files, make_folder, noted, target
from govorit.formats.assembly import Assembler, dissolve
from govorit.formats.options import DEFAULTS, Options
from govorit.formats.units import ruler, to_index

if TYPE_CHECKING:
    import cassis

ENTITY = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
QUOTATION = "webanno.custom.Quotation"
LINK = "webanno.custom.QuotationLink"
METADATA = "de.tudarmstadt.ukp.dkpro.core.api.metadata.type.DocumentMetaData"
_TYPESYSTEM = "TypeSystem.xml"
_LABELS = ("value", "label", "kind")
_ID = "http://www.omg.org/XMI id"
_DEPTH = 20  # of elements inside each other: XMI has 3, a type system 6
_LARGEST = 1 << 26  # bytes of a file, or of a member of an archive once unpacked


def read(path: Path, options: Options = DEFAULTS) -> Iterator[Article]:
    _library()
    for document in _documents(path, options):
        try:
            yield _article(document, options)
        except UserError as problem:
            options.report(problem)


def write(articles: Iterable[Article], path: Path, options: Options = DEFAULTS) -> None:
    """Write ID.xmi for each article, and the TypeSystem.xml that they share, into the folder or the `.zip` archive `path`."""
    _library()
    if path.suffix.lower() == ".xmi":
        raise UserError(f"{path}: XMI needs its {_TYPESYSTEM} beside it; name a folder, or a file that ends in .zip")
    types = _types()
    described = types.to_xml().encode()
    taken: set[str] = set()
    try:
        if path.suffix.lower() == ".zip":
            _write_archive(path, described, ((target(a, Path(), ".xmi", taken).name, _dump(a, types, options)) for a in articles))
            return
        make_folder(path)
        (path / _TYPESYSTEM).write_bytes(described)
        for article in articles:
            file = target(article, path, ".xmi", taken)
            file.write_bytes(_dump(article, types, options))
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None


def _library() -> None:
    try:
        import cassis  # noqa: F401
    except ImportError:
        raise MissingPackageError("format xmi", "dkpro-cassis", "xmi") from None


# Writing


def _types() -> cassis.TypeSystem:
    from cassis import TypeSystem

    types = TypeSystem()
    annotation, text = "uima.tcas.Annotation", "uima.cas.String"
    for name, supertype, features in (
        (METADATA, "uima.tcas.DocumentAnnotation", ("documentTitle", "documentId")),
        (ENTITY, annotation, ("value", "identifier")),
        (QUOTATION, annotation, ("kind", "name")),
        (LINK, annotation, ("role",)),
    ):
        created = types.create_type(name, supertypeName=supertype)
        for feature in features:
            types.create_feature(created, feature, text)
    for feature in ("Dependent", "Governor"):
        types.create_feature(types.get_type(LINK), feature, QUOTATION)
    return types


def _dump(article: Article, types: cassis.TypeSystem, options: Options) -> bytes:
    from cassis import Cas

    marks, relations, names = dissolve(article, options, pieces=False)
    metadata, entity, quotation, link = map(types.get_type, (METADATA, ENTITY, QUOTATION, LINK))
    try:
        cas = Cas(types)
        cas.sofa_string, cas.sofa_mime = article.text, "text"
        cas.add(metadata(begin=0, end=len(article.text), documentTitle=article.id, documentId=article.id))
        added = {}
        for mark in marks:
            [(start, end)] = mark.pieces
            if options.label(mark.label) is None:
                added[mark.key] = entity(begin=start, end=end, value=mark.label)
            else:
                added[mark.key] = quotation(begin=start, end=end, kind=mark.label, name=names.get(mark.key))
            cas.add(added[mark.key])
        for role, first, second in relations:
            governor, dependent = added[first], added[second]
            cas.add(link(begin=dependent.begin, end=dependent.end, role=role, Governor=governor, Dependent=dependent))
        return cas.to_xmi(pretty_print=True).encode()
    except ValueError:  # of lxml, where a string is none of XML 1.0
        raise UserError(f"{article.where or article.id}: {_unwritable(article)}") from None


def _unwritable(article: Article) -> str:
    """The first character that XML 1.0 cannot hold, its field and what is to be done with it."""
    labels = [("label", span.label) for span in article.entities]
    names = [("name", quote.name or "") for quote in article.quotes]
    for key, value in (("text", article.text), ("id", article.id), *labels, *names):
        if found := re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", value):
            what = f"U+{ord(found[0]):04X} at character {found.start()}, which XML cannot hold"
            return f"{key}: {what}; remove it from the source, or use another format"
    return "has a character that XML cannot hold; use another format"


def _write_archive(path: Path, described: bytes, members: Iterable[tuple[str, bytes]]) -> None:
    with whole(path) as beside, ZipFile(beside, "w") as archive:
        for name, data in chain([(_TYPESYSTEM, described)], members):
            archive.writestr(ZipInfo(name), data, ZIP_DEFLATED)  # a ZipInfo of no date: the same articles, the same bytes


# Files


@dataclass(frozen=True)
class _Document:
    where: str
    stem: str
    xmi: bytes
    described: bytes
    described_in: str


def _documents(path: Path, options: Options) -> Iterator[_Document]:
    if path.is_dir():
        for file in files(path, ".xmi", ".zip"):
            yield from _documents(file, options)
    elif path.suffix.lower() == ".zip":
        yield from _archive(path)
    else:
        described = next((file for file in _descriptions(path) if file.is_file()), None)
        if described is None:
            raise UserError(f"{path}: no {_TYPESYSTEM} beside it; export it with its type system")
        yield _Document(str(path), options.stem(path), _bytes(path), _bytes(described), str(described))


def _descriptions(path: Path) -> Iterator[Path]:
    yield path.with_name(f"{path.stem}.xml")
    yield from (path.with_name(name) for name in (_TYPESYSTEM, "typesystem.xml"))


def _archive(path: Path) -> Iterator[_Document]:
    """Read the members of an archive in memory; nothing is ever unpacked."""
    try:
        with ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            for member in members:
                if re.match(r"[/\\]|[A-Za-z]:", member.filename) or ".." in re.split(r"[/\\]", member.filename):
                    raise UserError(f"{path}: {member.filename!r:.80}: leads out of the archive; make the archive anew")
            described = [member for member in members if Path(member.filename).name.lower() == "typesystem.xml"]
            documents = sorted(
                (member for member in members if member.filename.lower().endswith(".xmi")), key=lambda member: member.filename
            )
            if not documents or len(described) != 1:
                found = f"{len(documents)} .xmi and {len(described)} {_TYPESYSTEM}"
                raise UserError(f"{path}: found {found}, expected some .xmi and one {_TYPESYSTEM}; export the document as UIMA CAS XMI")
            types = _member(archive, described[0], path)
            for member in documents:
                where = f"{path}/{member.filename}"
                yield _Document(where, Path(member.filename).stem, _member(archive, member, path), types, f"{path}/{described[0].filename}")
    except (BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, OverflowError) as error:
        raise UserError(f"{path}: cannot be read as a zip archive ({_short(error)}); export it again") from None


def _member(archive: ZipFile, member: ZipInfo, path: Path) -> bytes:
    import zlib

    try:
        with archive.open(member) as file:
            data = file.read(_LARGEST + 1)
    except (zlib.error, MemoryError) as error:
        raise UserError(f"{path}: {member.filename!r:.80}: cannot be unpacked ({_short(error)}); export it again") from None
    if len(data) > _LARGEST:
        raise UserError(f"{path}: {member.filename!r:.80}: larger than {_LARGEST >> 20} MB once unpacked; export fewer documents")
    return data


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None


# Reading


@dataclass
class _Raw:
    """The elements of an XML file as they stand: attributes and line by `xmi:id`, and the text of those called `name`."""

    attributes: dict[str, Mapping[str, str]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    names: list[tuple[int, str]] = field(default_factory=list)


def _scan(data: bytes, where: str) -> _Raw:
    """Go through the XML before a library does, and refuse what an export never has: a DOCTYPE (and so entities), deep nesting."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise UserError(f"{where}:1: encoding: found UTF-16, expected UTF-8; export it again")
    raw = _Raw()
    path: list[str] = []
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def start(name: str, attributes: dict[str, str]) -> None:
        path.append(name)
        if len(path) > _DEPTH:
            raise UserError(f"{where}:{parser.CurrentLineNumber}: elements nested {_DEPTH} deep; expected UIMA CAS XMI: export it again")
        key = attributes.get(_ID)
        if key is not None and raw.lines.setdefault(key, parser.CurrentLineNumber) and key in raw.attributes:
            raise UserError(f"{where}:{parser.CurrentLineNumber}: xmi:id {key!r:.20} comes twice (line {raw.lines[key]}); export it again")
        if key is not None:
            raw.attributes[key] = attributes

    def text(value: str) -> None:
        if path[-1].endswith("name") or path[-1].endswith("Name"):
            raw.names.append((parser.CurrentLineNumber, value))

    def doctype(*_: object) -> None:
        raise UserError(f"{where}:{parser.CurrentLineNumber}: a DOCTYPE, which could hide other files or a bomb; remove it")

    def declaration(version: str, encoding: str | None, standalone: int) -> None:
        # Another parser reads the file after this one: both must see the same characters.
        if (encoding or "UTF-8").upper() != "UTF-8":
            raise UserError(f"{where}:1: encoding: found {encoding!r:.20}, expected UTF-8; export it again")

    parser.StartElementHandler, parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = start, text, doctype
    parser.EndElementHandler, parser.XmlDeclHandler = lambda _: path.pop(), declaration
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise UserError(f"{where}:{parser.CurrentLineNumber}: not valid XML ({_short(error)}); export it again") from None
    return raw


@lru_cache(maxsize=4)
def _described(data: bytes, where: str) -> cassis.TypeSystem:
    from cassis import load_typesystem

    # The library builds classes by these names, as source code: nothing but plain names may come to it.
    for line, name in _scan(data, where).names:
        if name.strip() and not re.fullmatch(r"\s*[A-Za-z]\w*(\.[A-Za-z]\w*)*\s*", name, re.ASCII):
            raise UserError(f"{where}:{line}: name: found {name!r:.60}, expected a name of letters and digits; rename it and export again")
    try:
        return load_typesystem(BytesIO(data))
    except Exception as error:  # the library lets out whatever its own code runs into
        raise UserError(f"{where}: cannot be read as a type system ({_short(error)}); export it again") from None


def _load(document: _Document) -> cassis.Cas:
    from cassis import load_cas_from_xmi

    types = _described(document.described, document.described_in)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of offsets, which we check ourselves
            return load_cas_from_xmi(BytesIO(document.xmi), typesystem=types)
    except Exception as error:
        problem = f"cannot be read with {document.described_in} ({_short(error)})"
        raise UserError(f"{document.where}: {problem}; export both again, together") from None


def _article(document: _Document, options: Options) -> Article:
    return _Reader(document, _scan(document.xmi, document.where), options).article()


class _Reader:
    """One document: the CAS says what is marked, the elements as they stand say where."""

    def __init__(self, document: _Document, raw: _Raw, options: Options) -> None:
        self.document, self.raw, self.options = document, raw, options
        self.cas = _load(document)
        text = self.cas.sofa_string
        if not isinstance(text, str):
            raise UserError(f"{document.where}: sofaString: none; expected the text of the document: export it again")
        self.text = text
        self.unit = "utf16" if options.offsets == "characters" else options.offsets
        self.measure = ruler(text, self.unit)
        self.found = Assembler(document.where, options)

    def article(self) -> Article:
        marked = sorted(self.cas.select_all_fs(), key=lambda fs: fs.xmiID)
        layers = {ENTITY, *(name for fs in marked if (name := fs.type.name).startswith("webanno.custom."))}
        ours = [fs for fs in marked if fs.type.name in layers]
        for fs in ours:
            if not _is_relation(fs):
                self._span(fs)
        for fs in ours:
            if _is_relation(fs):
                self._relation(fs)
        entities, quotes = self.found.finish(self.text)
        return Article(self._id(marked), self.text, entities, quotes, noted(self.found.left_out), where=self.document.where)

    def _id(self, marked: Iterable[Any]) -> str:
        titles = (_feature(fs, "documentTitle") for fs in marked if fs.type.name == METADATA)
        return next(filter(None, titles), None) or self.document.stem

    def _span(self, fs: Any) -> None:
        key, where = self._place(fs)
        label = next(filter(None, (_feature(fs, name) for name in _LABELS)), None) or fs.type.name.rpartition(".")[2]
        if fs.type.name == QUOTATION and self.options.label(label) is None:
            expected = ", ".join(self.options.name(name) for name in (*KINDS, "cue", "speaker"))
            self.options.report(UserError(f"{where}: kind: found {_feature(fs, 'kind')!r:.40}, expected one of {expected}; choose one"))
            self.found.skip(key)
            return
        try:
            start, end = (self._offset(fs, name, where) for name in ("begin", "end"))
            if start >= end:
                raise UserError(f"{where}: {label} from {start} to {end} marks nothing; mark it anew")
        except UserError as problem:
            self.options.report(problem)
            self.found.skip(key)
            return
        self.found.span(key, label, [(start, end)], where)
        name = _feature(fs, "name")
        if name is not None and self.options.label(label) is not None:
            self.found.name(key, name, where)

    def _relation(self, fs: Any) -> None:
        _, where = self._place(fs)
        role = _feature(fs, "role") or ""
        first, second = fs.Governor, fs.Dependent
        ours = fs.type.name == LINK or role in {self.options.name(name) for name in ("to_cue", "to_speaker", "continuation")}
        if not ours:
            return
        if first is None or second is None:
            self.options.report(UserError(f"{where}: a relation with one end; draw it anew"))
            return
        self.found.relation(role, f"#{first.xmiID}", f"#{second.xmiID}", where, either=True)

    def _place(self, fs: Any) -> tuple[str, str]:
        line = self.raw.lines.get(str(fs.xmiID))
        return f"#{fs.xmiID}", f"{self.document.where}{f':{line}' if line else ''}: xmi:id {fs.xmiID}"

    def _offset(self, fs: Any, name: str, where: str) -> int:
        given = self.raw.attributes.get(str(fs.xmiID), {}).get(name, "")
        if not re.fullmatch("[0-9]{1,12}", given):
            raise UserError(f"{where}: {name}: found {given!r:.40}, expected a whole number; export it again")
        return to_index(self.measure, int(given), self.text, self.unit, f"{where}: {name}")


def _is_relation(fs: Any) -> bool:
    return hasattr(fs, "Governor") and hasattr(fs, "Dependent")


def _feature(fs: Any, name: str) -> str | None:
    value = getattr(fs, name, None)
    return value if isinstance(value, str) else None


def _short(error: BaseException) -> str:
    return str(error).split("\n")[0][:120] or type(error).__name__
