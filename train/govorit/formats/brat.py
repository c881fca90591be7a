"""brat standoff: a folder of pairs, `ID.txt` with the text and `ID.ann` with what is marked on it (https://brat.nlplab.org/standoff.html).

    T1<TAB>PER 95 105<TAB>Н. Назарбаев            an entity: any label but those of quotations
    T2<TAB>DIRECT 10 40;60 93<TAB>«Да… Нет»       a content (DIRECT, INDIRECT, MIXED); several pieces if interrupted
    T3<TAB>CUE 88 94<TAB>сказал                   a cue; likewise SPEAKER
    R1<TAB>Cue Arg1:T2 Arg2:T3                    ties a content to its cue; likewise Speaker
    R2<TAB>Continuation Arg1:T2 Arg2:T9           the content T9 goes on with the quotation of T2
    #1<TAB>AnnotatorNotes T2<TAB>name: Нурсултан Назарбаев
    #2<TAB>AnnotationUnconfirmed T1<TAB>score: 0.93    what a model found: brat shows it pale, and the score beside it

A corpus that calls these otherwise says so in `names`: the labels, the relations, and the word before the colon in a note. A name may
as well be noted on a SPEAKER: it is that of the quotations tied to it. Offsets count characters unless `offsets` says otherwise; what
stands beside them must be what the text has there.

Pieces with nothing but white space between them are one span: brat cuts what it marks at line ends. Events, attributes,
normalisations, equivalences and other relations say nothing about spans and quotations and are passed over. What could
not be taken (an entity with words between its pieces, a line that is no annotation) is listed in `meta["left_out"]`,
one line each. Scores are written for whoever annotates, and not read: after a correction they no longer hold. `meta` has no place in the
files; beside them lies the `annotation.conf` that brat wants.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from govorit.article import KINDS, Article
from govorit.errors import UserError
from govorit.formats import beside, ending, files, make_folder, noted, read_text, target, write_text
from govorit.formats.assembly import Assembler, Mark, Pieces, dissolve, same, surface
from govorit.formats.options import DEFAULTS, Options
from govorit.formats.units import Ruler, indices, remedy, ruler, to_index


def read(path: Path, options: Options = DEFAULTS) -> Iterator[Article]:
    for ann in _annotations(path):
        try:
            article = _Reader(ann, _text(ann), options).article()
        except UserError as error:
            options.report(error)
        else:
            yield article


def write(articles: Iterable[Article], path: Path, options: Options = DEFAULTS, labels: Iterable[str] = ()) -> None:
    """Write a pair of files for each article into the folder `path`, and an `annotation.conf` with their labels and with `labels`."""
    make_folder(path)
    taken: set[str] = set()
    labels = set(labels)
    for article in articles:
        txt = target(article, path, ".txt", taken)
        body = dump(article, options)
        write_text(txt, article.text, article)
        write_text(txt.with_name(f"{article.id}.ann"), body, article)
        labels.update(span.label for span in article.entities)
    if taken:
        write_text(path / "annotation.conf", _configuration(sorted(labels), options), Article("annotation.conf", ""))


def dump(article: Article, options: Options = DEFAULTS) -> str:
    """Write the annotation of one article as the body of its `.ann` file."""
    marks, ties, names = dissolve(article, options)
    lines = [f"{mark.key}\t{_mark_line(mark, article)}" for mark in marks]
    lines += [f"R{number}\t{_plain(tie.name, article)} Arg1:{tie.first} Arg2:{tie.second}" for number, tie in enumerate(ties, 1)]
    notes = [f"AnnotatorNotes {key}\t{_prefix(options)}{_one_line(name, article)}" for key, name in names.items()]
    notes += [f"AnnotationUnconfirmed {mark.key}\tscore: {mark.score:.2f}" for mark in marks if mark.score is not None]
    lines += [f"#{number}\t{note}" for number, note in enumerate(notes, 1)]
    return "".join(line + "\n" for line in lines)


def _configuration(labels: list[str], options: Options) -> str:
    contents = [options.name(kind) for kind in KINDS]
    cue, speaker, content = options.name("cue"), options.name("speaker"), "|".join(contents)
    relations = (("to_cue", cue), ("to_speaker", speaker), ("continuation", content))
    return "\n".join(
        (
            "[entities]",
            *labels,
            *contents,
            cue,
            speaker,
            "[relations]",
            *(f"{options.name(relation)} Arg1:{content}, Arg2:{part}" for relation, part in relations),
            "<OVERLAP> Arg1:<ENTITY>, Arg2:<ENTITY>, <OVL-TYPE>:<ANY>",
            "[events]",
            "[attributes]",
            "",
        )
    )


def _prefix(options: Options) -> str:
    return f"{options.name('name')}: "


def _annotations(path: Path) -> list[Path]:
    if not path.is_dir():
        return [beside(path, ".ann")]
    found = files(path, ".ann")
    stems = {ann.stem for ann in found}
    lone = next((text for text in ending(path, ".txt") if text.stem not in stems), None)
    if lone:
        raise UserError(f"{lone}: has no {lone.stem}.ann beside it; add one (empty, if nothing is marked)")
    return found


def _text(ann: Path) -> str:
    text = beside(ann, ".txt")
    for file in (ann, text):
        if not file.is_file():
            other = text if file is ann else ann
            raise UserError(f"{file}: missing; expected it beside {other.name}")
    return read_text(text)


class _Reader:
    """What the lines of one `.ann` file say, T ids as keys."""

    def __init__(self, ann: Path, text: str, options: Options) -> None:
        self.ann, self.text, self.options = ann, text, options
        self.measure = ruler(text, options.offsets)
        self.assembler = Assembler(str(ann), options)
        self.left_out: list[str] = []

    def article(self) -> Article:
        for number, line in enumerate(read_text(self.ann).removeprefix("\ufeff").split("\n"), 1):
            try:
                self._line(f"{self.ann}:{number}", line.removesuffix("\r"))
            except UserError as error:
                self.assembler.skip(line.partition("\t")[0])
                self.options.report(error)
        entities, quotes = self.assembler.finish(self.text)
        meta = noted(self.left_out + self.assembler.left_out)
        return Article(self.options.stem(self.ann), self.text, entities, quotes, meta, where=str(self.ann))

    def _line(self, where: str, line: str) -> None:
        if not line.strip():
            return
        key, tab, rest = line.partition("\t")
        if not tab or not re.fullmatch(r"[TREAMN#]\S+|\*", key):
            if tab or re.match(r"[TREAMN#]\d|\*", line):
                expected = "an id such as T1, a tab, and what it marks"
                raise UserError(f"{where}: id: found {line!r:.60}, expected {expected}; mend the line or remove it")
            # A note or text that was broken into lines: NEREL has one.
            self.left_out.append(f"{Path(where).name}: no annotation: {line!r:.60}")
            return
        read_line = {"T": self._span, "R": self._relation, "#": self._note}.get(line[0])
        if read_line:
            read_line(f"{where}: {key:.40}", key, rest)

    def _span(self, where: str, key: str, rest: str) -> None:
        place, tab, said = rest.partition("\t")
        found = re.fullmatch(r"(\S+) ([0-9]+ [0-9]+(?:;[0-9]+ [0-9]+)*)", place)
        if not found or not tab:
            expected = "LABEL START END, a tab, and the text that stands there"
            raise UserError(f"{where}: found {rest!r:.60}, expected {expected}; mend the line")
        # More than ten digits are no offset, and int() refuses thousands of them.
        numbers = [int(number) if len(number) <= 10 else 10**10 for number in re.findall("[0-9]+", found[2])]
        places = list(zip(numbers[::2], numbers[1::2], strict=True))
        try:
            pieces = self._pieces(where, places)
        except UserError as error:
            raise self._with_remedy(error, places, said) from None
        if not same(said, pieces, self.text):
            problem = f"found {said!r:.60}, but the text has {surface(pieces, self.text)!r:.60} at {found[2]:.60}"
            changed = UserError(f"{where}: {problem}; the text or the offsets were changed: mark it anew")
            raise self._with_remedy(changed, places, said)
        self.assembler.span(key, found[1], tuple(sorted(pieces)), where)

    def _pieces(self, where: str, places: list[tuple[int, int]]) -> Pieces:
        pieces: list[tuple[int, int]] = []
        for start, end in places:
            if self.options.offsets != "characters":
                start, end = (to_index(self.measure, offset, self.text, self.options.offsets, where) for offset in (start, end))
            if start >= end or end > len(self.text):
                expected = f"START before END, within the {len(self.text)} characters of the text"
                raise UserError(f"{where}: found the offsets {start} {end}, expected {expected}; mend the offsets")
            pieces.append((start, end))
        if any(left[1] > right[0] for left, right in pairwise(sorted(pieces))):
            raise UserError(f"{where}: the pieces {pieces!s:.60} overlap; mend the offsets")
        return tuple(pieces)

    def _with_remedy(self, error: UserError, places: list[tuple[int, int]], said: str) -> UserError:
        """The same error, with the option that mends it where there is one."""

        def fits(measure: Ruler) -> bool:
            pieces = indices(places, measure)
            return all(0 <= start < end <= len(self.text) for start, end in pieces) and same(said, tuple(pieces), self.text)

        hint = remedy(self.text, self.options.offsets, fits)
        return UserError(f"{str(error).rpartition('; ')[0]}; {hint}") if hint else error

    def _relation(self, where: str, key: str, rest: str) -> None:
        found = re.fullmatch(r"(\S+) Arg1:(\S+) Arg2:(\S+)\s*", rest)
        if not found:
            raise UserError(f"{where}: found {rest!r:.60}, expected NAME Arg1:T1 Arg2:T2; mend the line")
        for argument in (found[2], found[3]):
            # An argument may be an event as well.
            if re.match(r"E\d", argument):
                self.assembler.skip(argument)
        self.assembler.relation(found[1], found[2], found[3], where)

    def _note(self, where: str, key: str, rest: str) -> None:
        about, tab, note = rest.partition("\t")
        found = re.fullmatch(r"(\S+) (\S+)", about)
        if not found or not tab:
            expected = "AnnotatorNotes T1, a tab, and the note"
            raise UserError(f"{where}: found {rest!r:.60}, expected {expected}; mend the line")
        if found[2][0] == "T":
            named = note.startswith(_prefix(self.options))
            self.assembler.name(found[2], note.removeprefix(_prefix(self.options)) if named else None, where)


def _mark_line(mark: Mark, article: Article) -> str:
    offsets = ";".join(f"{start} {end}" for start, end in mark.pieces)
    return f"{_plain(mark.label, article)} {offsets}\t{surface(mark.pieces, article.text)}"


def _plain(label: str, article: Article) -> str:
    if not label or any(char.isspace() for char in label):
        where = article.where or article.id
        raise UserError(f"{where}: label: found {label!r}, expected a name without spaces; rename it")
    return label


def _one_line(name: str, article: Article) -> str:
    if "\n" in name or "\r" in name:
        where = article.where or article.id
        raise UserError(f"{where}: name: {name!r:.60} has a line break, which a note cannot hold; remove it")
    return name
