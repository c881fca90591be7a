"""factRuEval-2016: a folder of `book_N.txt`, `book_N.spans` and `book_N.objects`, read as PER, LOC and ORG.

    book_N.spans:    ID TYPE START LENGTH FIRST_TOKEN TOKENS  # token ids, then the tokens
    book_N.objects:  ID TYPE SPAN_ID…                         # the text

A Person is the whole extent of its spans, an Org its `org_name` spans, a LocOrg and a Location their `loc_name` spans;
of those that overlap the longest stands. This is the mapping of naeval (https://github.com/natasha/naeval), and with it
that of the figures published for natasha, slovnet, DeepPavlov and others. What it leaves out is listed in
`meta["left_out"]`, one line each.

The format can be read and not written: its first layer holds the parts that a name is made of (`surname`, `org_descr`)
and its texts are cut into numbered tokens, none of which an Article has. A checkout that made CRLF of the line ends reads with
`offsets=crlf`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from govorit.article import Article, Span
from govorit.errors import UserError
from govorit.formats import beside, noted, read_each, read_text
from govorit.formats.options import DEFAULTS, Options
from govorit.formats.units import Ruler, indices, remedy, ruler, to_index

_LABELS = {"Person": "PER", "Org": "ORG", "LocOrg": "LOC", "Location": "LOC"}
_NAMES = {"ORG": "org_name", "LOC": "loc_name"}


@dataclass(frozen=True, slots=True)
class _Part:
    """A line of `.spans`: one of the stretches that mentions are made of."""

    kind: str
    start: int
    end: int


def read(path: Path, options: Options = DEFAULTS) -> Iterator[Article]:
    yield from read_each(path, ".objects", lambda file: _article(beside(file, ".objects"), options), options)


def _article(objects: Path, options: Options) -> Article:
    for suffix in (".txt", ".spans", ".objects"):
        if not (file := beside(objects, suffix)).is_file():
            raise UserError(f"{file}: missing; expected it beside the other {objects.stem} files")
    text = read_text(beside(objects, ".txt"))
    mentions, left_out = _mentions(objects, _parts(beside(objects, ".spans"), text, options), options)
    entities = _longest(mentions, left_out)
    return Article(options.stem(objects), text, entities, meta={"layers": "entities"} | noted(left_out), where=str(objects))


def _parts(file: Path, text: str, options: Options) -> dict[str, _Part | None]:
    """Read the spans by their ids; None stands for one that was reported and left out."""
    parts: dict[str, _Part | None] = {}
    measure = ruler(text, options.offsets)
    for where, line, fields, comment in _rows(file):
        try:
            part = _part(where, line, fields, comment, text, measure, options.offsets)
            known = parts.get(fields[0], part)
            # Four spans of the devset have two types; naeval takes the second one.
            if known is not None and (known.start, known.end) != (part.start, part.end):
                raise UserError(f"{where}: span {fields[0]}: this id already stands for another place; number the spans anew")
            parts[fields[0]] = part
        except UserError as error:
            options.report(error)
            parts.setdefault(fields[0] if fields else "", None)
    return parts


def _part(where: str, line: str, fields: list[str], comment: list[str], text: str, measure: Ruler, unit: str) -> _Part:
    if len(fields) != 6 or not all(_is_number(fields[i]) for i in (2, 3, 4, 5)):
        raise UserError(f"{where}: span: found {line!r:.60}, expected ID TYPE START LENGTH FIRST_TOKEN TOKENS")
    key, kind, first, length, tokens = fields[0], fields[1], int(fields[2]), int(fields[3]), int(fields[5])
    said = comment[tokens:]

    def fits(measure: Ruler) -> bool:
        [(start, end)] = indices([(first, first + length)], measure)
        return end <= len(text) and _stands(said, text[start:end])

    try:
        start, end = (to_index(measure, offset, text, unit, f"{where}: span {key}") for offset in (first, first + length))
        if not length or end > len(text):
            expected = f"a stretch of the {len(text)} characters of the text"
            raise UserError(f"{where}: span {key}: found {length} characters from {first}, expected {expected}; mend the offsets")
        if not _stands(said, text[start:end]):
            problem = f"found {' '.join(said)!r:.60}, the text has {text[start:end]!r:.60}"
            raise UserError(f"{where}: span {key}: {problem}; the text or the offsets were changed: fetch the corpus anew")
    except UserError as error:
        hint = remedy(text, unit, fits) if said else None
        raise (UserError(f"{str(error).rpartition('; ')[0]}; {hint}") if hint else error) from None
    return _Part(kind, start, end)


def _stands(said: list[str], stretch: str) -> bool:
    # A token between the first and the last may be missing there: «Жан Ле Пен» for «Жан-Мари Ле Пен».
    return bool(said) and stretch.startswith(said[0]) and stretch.endswith(said[-1])


def _mentions(file: Path, parts: dict[str, _Part | None], options: Options) -> tuple[list[tuple[Span, str]], list[str]]:
    """Read the mentions with the place of each, and what has no label here."""
    mentions, left_out = [], []
    for where, line, fields, _ in _rows(file):
        unknown = [key for key in fields[2:] if key not in parts]
        if len(fields) < 3:
            options.report(UserError(f"{where}: object: found {line!r:.60}, expected ID TYPE SPAN_ID…"))
        elif unknown:
            problem = f"span {unknown[0]!r:.40} is not in {file.stem}.spans; mend the line, or fetch the corpus anew"
            options.report(UserError(f"{where}: object {fields[0]}: {problem}"))
        elif known := [part for key in fields[2:] if (part := parts[key]) is not None]:
            spans = _extents(fields[1], known)
            mentions += [(span, where) for span in spans]
            if not spans:
                left_out.append(f"{Path(where).name}: {fields[1]} without a name of its own")
    return mentions, left_out


def _extents(kind: str, parts: list[_Part]) -> list[Span]:
    label = _LABELS.get(kind)
    if label is None:
        return []
    if label == "PER":
        return [Span(min(part.start for part in parts), max(part.end for part in parts), label)]
    return [Span(part.start, part.end, label) for part in parts if part.kind == _NAMES[label]]


def _longest(mentions: list[tuple[Span, str]], left_out: list[str]) -> tuple[Span, ...]:
    """Keep the longest of overlapping mentions and each one once; list the others in `left_out`."""
    kept: list[Span] = []
    for span, where in sorted(mentions, key=lambda mention: (mention[0].start - mention[0].end, mention[0].start)):
        rival = next((other for other in kept if other.overlaps(span)), None)
        if rival is None:
            kept.append(span)
        elif rival != span:
            place = f"{span.label} [{span.start}, {span.end})"
            left_out.append(f"{Path(where).name}: {place} overlaps {rival.label} [{rival.start}, {rival.end})")
    return tuple(sorted(kept, key=lambda span: span.start))


def _rows(file: Path) -> Iterator[tuple[str, str, list[str], list[str]]]:
    """Go through a file's lines: where each stands, the line, its fields, and the words after the `#`."""
    for number, line in enumerate(read_text(file).removeprefix("\ufeff").split("\n"), 1):
        if line.strip():
            fields, _, comment = line.partition("#")
            yield f"{file}:{number}", line, fields.split(), comment.split()


def _is_number(field: str) -> bool:
    # More than ten digits are no offset, and int() refuses thousands of them.
    return re.fullmatch("[0-9]{1,10}", field) is not None
