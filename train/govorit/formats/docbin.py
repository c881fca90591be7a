"""spaCy's DocBin, `.spacy`: what `spacy train` reads.

    doc.ents                          the entities
    doc.spans["quotes"]               the parts of quotations, labelled DIRECT, INDIRECT, MIXED, CUE, SPEAKER (or as `names` says)
        span.id_                      which quotation: parts of one id are one; a cue of two quotations stands there twice
        span.kb_id_                   on a content or a speaker: who speaks
    doc.spans["quotes"].attrs         {"id": the article's id, "meta": its meta}

An article without an id there is named after its file and place in it. Other groups of spans are listed in `meta["left_out"]`; other
annotation (tags, syntax, categories, `user_data`, which is not even decoded) is passed over.

What is written are our own words as tokens, cut further where a span cuts a word, white space kept, so that every span aligns and
`doc.text` is the article's text. Scores are lost, and so is the difference between no name and an empty one. Entities that overlap are
refused: `doc.ents` is flat. A DocBin is read and written whole: it has to fit into memory.
"""

from __future__ import annotations

import gc
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from govorit import words
from govorit.article import KINDS, Article, Quote, Span
from govorit.errors import MissingPackageError, UserError
from govorit.files import whole
from govorit.formats import files, noted
from govorit.formats.assembly import Assembler
from govorit.formats.options import DEFAULTS, Options

if TYPE_CHECKING:
    from spacy.tokens import Doc, DocBin
    from spacy.vocab import Vocab

GROUP = "quotes"
_LARGEST = 1 << 26  # bytes that any file may have once decompressed; a larger one at most _RATIO times those on disk
_RATIO = 200


def read(path: Path, options: Options = DEFAULTS) -> Iterator[Article]:
    _library()
    for file in files(path, ".spacy"):
        yield from _read_bin(file, options)


def write(articles: Iterable[Article], path: Path, options: Options = DEFAULTS) -> None:
    _library()
    from spacy.tokens import DocBin
    from spacy.vocab import Vocab

    vocab = Vocab()
    packed = DocBin(attrs=["ENT_IOB", "ENT_TYPE"], store_user_data=False, docs=(_doc(article, vocab, options) for article in articles))
    with whole(path) as beside:
        beside.write_bytes(packed.to_bytes())


def _library() -> None:
    try:
        import spacy  # noqa: F401
    except ImportError:
        raise MissingPackageError("format docbin", "spaCy", "spacy") from None


# Writing


def _doc(article: Article, vocab: Vocab, options: Options) -> Doc:
    from spacy.tokens import Doc, SpanGroup
    from spacy.tokens import Span as DocSpan

    where = article.where or article.id
    parts = [part for number, quote in enumerate(article.quotes, 1) for part in _parts(quote, f"Q{number}", where, options)]
    marks = [*article.entities, *(span for span, _, _ in parts)]
    _check(article, marks, where)
    bounds, spaces = _tokens(article.text, marks)
    starts, ends = {start: i for i, (start, _) in enumerate(bounds)}, {end: i for i, (_, end) in enumerate(bounds, 1)}
    try:
        "".join((article.id, *article.meta, *article.meta.values())).encode()
        doc = Doc(vocab, words=[article.text[start:end] for start, end in bounds], spaces=spaces)
        ents = [DocSpan(doc, starts[s.start], ends[s.end], label=s.label) for s in article.entities]
        doc.set_ents(ents, default="outside")
        spans = [DocSpan(doc, starts[s.start], ends[s.end], label=s.label, kb_id=name, span_id=key) for s, key, name in parts]
    except UnicodeEncodeError:
        raise UserError(f"{where}: half a surrogate pair, which a DocBin cannot hold; mend the source") from None
    doc.spans[GROUP] = SpanGroup(doc, name=GROUP, attrs={"id": article.id, "meta": dict(article.meta)}, spans=spans)
    return doc


def _parts(quote: Quote, key: str, where: str, options: Options) -> Iterator[tuple[Span, str, str]]:
    """The spans of a quotation by the corpus's own labels, each with the quotation's id, the first with its name."""
    if quote.kind not in KINDS or not quote.content:
        raise UserError(
            f"{where}: quotes: found kind {quote.kind!r} with {len(quote.content)} contents, expected one of {', '.join(KINDS)}"
        )
    named = [(quote.kind, span) for span in quote.content]
    named += [(name, span) for name, span in (("cue", quote.cue), ("speaker", quote.speaker)) if span is not None]
    for i, (name, span) in enumerate(named):
        yield Span(span.start, span.end, options.name(name)), key, "" if i else quote.name or ""


def _check(article: Article, marks: Iterable[Span], where: str) -> None:
    for span in marks:
        if not 0 <= span.start < span.end <= len(article.text):
            raise UserError(f"{where}: {span.label} [{span.start}, {span.end}) does not fit the text; mend the offsets")
        if not span.label:
            raise UserError(f"{where}: the label of [{span.start}, {span.end}) is empty; give it one")
    for left, right in pairwise(sorted(article.entities, key=lambda span: span.start)):
        if left.overlaps(right):
            both = " and ".join(f"{s.label} [{s.start}, {s.end})" for s in (left, right))
            raise UserError(f"{where}: entities: {both} overlap, and doc.ents is flat; keep one of them")


def _tokens(text: str, marks: Iterable[Span]) -> tuple[list[tuple[int, int]], list[bool]]:
    """Cut the whole text into tokens at words and at `marks`; a token's first following space is its own, as in spaCy.

    >>> _tokens("Да,  сказал", [])
    ([(0, 2), (2, 3), (4, 5), (5, 11)], [False, True, False, False])
    """
    marks = list(marks)
    starts, ends = {span.start for span in marks}, {span.end for span in marks}
    cuts = sorted({0, len(text), *starts, *ends, *(edge for bounds in words.words(text) for edge in bounds)})
    bounds: list[tuple[int, int]] = []
    spaces: list[bool] = []
    for start, end in pairwise(cuts):
        if bounds and not spaces[-1] and text[start] == " " and start not in starts and start + 1 not in ends:
            spaces[-1] = True
            start += 1
        if start < end:
            bounds.append((start, end))
            spaces.append(False)
    return bounds, spaces


# Reading


def _read_bin(file: Path, options: Options) -> Iterator[Article]:
    from spacy.tokens import DocBin
    from spacy.vocab import Vocab

    vocab = Vocab()
    with _guarded(str(file)):
        data = file.read_bytes()
        _refuse_bomb(data, file)
        packed = DocBin().from_bytes(data)  # MessagePack and numbers, in which nothing can be executed
        for string in packed.strings:
            vocab.strings.add(string)
    for number in range(len(packed.tokens)):
        where = f"{file}:{number + 1}"
        try:
            with _guarded(where):
                doc = _unpack(packed, number, vocab)
            yield _article(doc, f"{options.stem(file)}-{number + 1}", where, options)
        except UserError as problem:
            options.report(problem)


@contextmanager
def _guarded(where: str) -> Iterator[None]:
    """Say in one line what the library ran into: of broken data it lets out whatever its own code does."""
    collecting = gc.isenabled()
    try:
        yield
    except UserError:
        raise
    except OSError as error:
        raise UserError(f"{where}: cannot be read: {error.strerror}") from None
    except Exception as error:
        problem = str(error).split("\n")[0][:120] or type(error).__name__
        raise UserError(f"{where}: cannot be read as a DocBin of spaCy ({problem}); write it again with DocBin.to_disk") from None
    finally:
        if collecting:
            gc.enable()  # srsly leaves it off where it fails


def _refuse_bomb(data: bytes, file: Path) -> None:
    decoder, size = zlib.decompressobj(), 0
    limit = max(_LARGEST, _RATIO * len(data))
    rest = data
    while rest and not decoder.eof:
        size += len(decoder.decompress(rest, 1 << 20))
        rest = decoder.unconsumed_tail
        if size > limit:
            raise UserError(f"{file}: more than {limit >> 20} MB once decompressed; expected a DocBin: write it in several files")


def _unpack(packed: DocBin, number: int, vocab: Vocab) -> Doc:
    """Build one document of the text, the entities and the groups of spans alone."""
    from spacy.attrs import ENT_IOB, ENT_TYPE, ORTH
    from spacy.tokens import Doc

    tokens, attrs = packed.tokens[number], list(packed.attrs)
    strings = [vocab.strings[int(orth)] for orth in tokens[:, attrs.index(ORTH)]]
    doc = Doc(vocab, words=strings, spaces=[bool(space) for space in packed.spaces[number][:, 0]])
    if ENT_IOB in attrs and ENT_TYPE in attrs and len(doc):
        tags = tokens[:, [attrs.index(ENT_IOB), attrs.index(ENT_TYPE)]]
        doc.from_array([ENT_IOB, ENT_TYPE], tags)
    doc.spans.from_bytes(packed.span_groups[number])
    # spaCy looks at numbers that stand for no string or no token when it is asked for them: ask here, where an answer is waited for.
    _ = [token.ent_type_ for token in doc], [(s.label_, s.id_, s.kb_id_) for spans in doc.spans.values() for s in spans]
    return doc


def _article(doc: Doc, name: str, where: str, options: Options) -> Article:
    found = Assembler(where, options)
    group = doc.spans.get(GROUP)
    attrs: dict[str, Any] = dict(group.attrs) if group is not None else {}
    own, meta = attrs.get("id", name), attrs.get("meta", {})
    if not isinstance(own, str) or not isinstance(meta, dict) or not all(isinstance(text, str) for pair in meta.items() for text in pair):
        raise UserError(f"{where}: spans: found id {own!r:.40} and meta {meta!r:.40} in attrs, expected a string and an object of strings")
    _quotations(doc, found, where, options)
    _, quotes = found.finish(doc.text)
    others = [
        f"{Path(where).name}: spans: {len(spans)} in the group {key!r}" for key, spans in doc.spans.items() if key != GROUP and len(spans)
    ]
    return Article(own, doc.text, tuple(_entities(doc, where, options)), quotes, meta | noted(found.left_out + others), where)


def _entities(doc: Doc, where: str, options: Options) -> Iterator[Span]:
    """The entities by their tags, strictly: `doc.ents` would begin one at a stray I."""
    spans: list[Span] = []
    before = ""
    for token in doc:
        tag, label = token.ent_iob_, token.ent_type_
        end = token.idx + len(token.text)
        if tag == "B" and label:
            spans.append(Span(token.idx, end, label))
            before = label
        elif tag == "I" and label and label == before:
            spans[-1] = Span(spans[-1].start, end, label)
        else:
            before = ""
            if tag == "I":
                said = f"token {token.i} {token.text!r:.40}: found I-{label} after no {label}, expected B-{label}"
                options.report(UserError(f"{where}: ents: {said}; set doc.ents again"))
    yield from spans


def _quotations(doc: Doc, found: Assembler, where: str, options: Options) -> None:
    """Hand the spans of the group to `found`, tied together by their ids."""
    firsts: dict[str, str] = {}
    parts: list[tuple[str, str, str, str]] = []
    for i, span in enumerate(doc.spans.get(GROUP) or ()):
        at = f"{where}: spans[{i}]"
        theirs, quotation = span.label_, span.id_
        label = options.label(theirs)
        if span.start == span.end or label is None:
            expected = ", ".join(options.name(part) for part in (*KINDS, "cue", "speaker"))
            problem = f"found {theirs!r:.40} over the tokens {span.start} to {span.end}, expected one of {expected}"
            options.report(UserError(f"{at}: {problem}, over some; mark it anew"))
            continue
        key = f"spans[{i}]"
        last = doc[span.end - 1]
        found.span(key, theirs, [(doc[span.start].idx, last.idx + len(last.text))], at)
        if span.kb_id_:
            found.name(key, span.kb_id_, at)
        if quotation and label.lower() in KINDS:
            if (first := firsts.setdefault(quotation, key)) != key:
                found.relation(options.name("continuation"), first, key, at)
        elif quotation:
            parts.append((quotation, "to_cue" if label == "CUE" else "to_speaker", key, at))
    for quotation, relation, key, at in parts:
        if quotation in firsts:
            found.relation(options.name(relation), firsts[quotation], key, at)
