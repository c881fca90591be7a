"""Organisations and documents: what a bare noun such as `ведомство`, `суд` or `документ` points back to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from govorit.article import Span
from govorit.names import lexicon
from govorit.names.declension import may_be_name
from govorit.names.entities import Entities
from govorit.names.morphology import CASES, FEMININE, Head, agreeing, case_of, fold, inflected, lemma, parses
from govorit.names.phrases import MARKS, PREVIOUS, WORD, designation, read

_LOOK_BACK = 4000  # characters
# What a bare noun may mean that the name does not contain.
_MEANT = {
    "ведомство": re.compile(
        r"(?:министерств|служб|агентств|управлени|департамент|комитет|инспекци)|\b(?:Мин|Рос)[а-я]+|\b(?:МИД|МВД|МЧС|Ф[А-Я]С)", re.I
    ),
    "министерство": re.compile(r"\bМин[а-я]+|\bМИД|\bМВД|\bМЧС"),
    "компания": re.compile(r"\b(?:ООО|ОАО|ЗАО|ПАО|АО|авиакомпани|корпораци)", re.I),
    "издание": re.compile(r"газет|журнал|портал|\b(?:Times|Post|Mirror|News|Daily)\b", re.I),
    "агентство": re.compile(r"\b(?:РИА|ИТАР|ТАСС|Reuters|AFP|AP|Интерфакс)"),
    "банк": re.compile(r"\w*банк", re.I),
}  # fmt: skip


def meaning(text: str, position: int, head: Head, entities: Entities) -> str | None:
    """What a bare noun at `position` points back to, in the nominative: the nearest fuller phrase of that noun, or a name that it means.

    A company is also the only organisation near. None where nothing before it fits, and for `документы`, which are no single one.
    """
    if head.lemma in lexicon.ANY_DOCUMENT:
        return last_document(text, position, None, "sing", entities) if head.number == "sing" else None
    outlet = last_outlet(text, position, entities) if head.lemma in lexicon.OUTLETS and head.number == "sing" else None
    for start, end in _earlier(text, position, head):
        first, last = _extent(text, start, end, entities)
        if (first, last) != (start, end):
            unnamed = outlet and outlet[0] > last and text[first + 1 : last].islower()  # `гонконгская газета`
            return outlet[1] if outlet and unnamed else _name(text, first, last, entities)
    pattern = _MEANT.get(head.lemma)
    if pattern:
        for entity in entities.before(position, _LOOK_BACK):
            other = next((before.end for before in entities.before(entity.start, 60)), 0)
            meant = entity.label in lexicon.ORGANISATION_LABELS and pattern.search(text, max(entity.start - 16, other), entity.end)
            if meant and text[entity.end : position].strip():  # not `News Corp издание назвало`
                return _full_name(text, entity, entities)
    if head.lemma in lexicon.FIRMS and head.number == "sing":
        near = [entity for entity in entities.before(position, 300) if entity.label in lexicon.ORGANISATION_LABELS]
        if len({text[entity.start : entity.end][:4] for entity in near}) == 1:  # in whatever case
            return _full_name(text, near[0], entities)
    return outlet[1] if outlet else None


_OF_A_PLACE = re.compile(r" (?:города|края|области|округа|района|республики|страны|штата)\b")


def _full_name(text: str, entity: Span, entities: Entities) -> str:
    start, end = _with_noun(text, entity, entities)
    place = _OF_A_PLACE.match(text, end)
    if place:
        return _name(text, start, place.end(), entities)
    return (start == entity.start and fuller(text, start, end, entities)) or _name(text, start, end, entities)


_PAPER = r"(«[^»\n]{2,40}»|\"[^\"\n]{2,40}\"|[A-Z](?:[\w.&’']*\w)?(?: [A-Z](?:[\w.&’']*\w)?)*)"
_REPORTS = (
    r"(?:пиш[еу]т|писал|сообщ|отмеча|цитиру|переда[её]т|рассказ|опублик|узнал|уточн|добавля|напомина|со ссылкой на"
    r"|по (?:данным|информации|версии))\w*"
)
_MEDIUM = r"(?:газет|журнал|издани|агентств|портал|телеканал)\w*"
_OUTLET = re.compile(rf"(?:{_REPORTS}|{_MEDIUM}) (?:\w+ ){{0,2}}?{_PAPER}|{_PAPER} {_REPORTS}", re.I)


def last_outlet(text: str, position: int, entities: Entities) -> tuple[int, str] | None:
    """The medium that was said to report something last before `position`, and where: `пишет "Коммерсант"`; None if there is none near."""
    for match in reversed(list(_OUTLET.finditer(text, max(position - 2000, 0), position))):
        start, end = match.span(1 if match[1] else 2)
        if text[start] in MARKS or text[start].isupper():
            return start, _name(text, start, end, entities)
    return None


_CALLED = lexicon.BODIES | lexicon.GENERIC | lexicon.OUTLETS


def last_body(text: str, position: int, gender: str, entities: Entities) -> str | None:
    """The organisation of that gender called by a noun in the nominative last before `position`, None if there is none near."""
    for match in reversed(list(WORD.finditer(text, max(position - 250, 0), position))):
        tags = (parse.tag for parse in parses(match[0]) if lemma(match[0]) in _CALLED)
        if any((tag.POS, tag.case, tag.number, tag.gender) == ("NOUN", "nomn", "sing", gender) for tag in tags):
            return _name(text, *_extent(text, *match.span(), entities), entities)
    return None


def last_source(text: str, position: int, entities: Entities) -> str | None:
    """The source that was told of last before `position`, if more than the noun was said: `источник в городской администрации`."""
    for match in reversed(list(_SOURCE.finditer(text, max(position - 1000, 0), position))):
        return designation(text, read(text, *match.span(), CASES), entities)
    return None


def counted(text: str, position: int, ordinal: str, case: str) -> str | None:
    """An ordinal alone with the noun that was counted before it: `первое письмо` ... `второе`."""
    if " " in ordinal or not _is_number(ordinal) or "Apro" in parses(ordinal)[0].tag:
        return None
    words = WORD.findall(text, max(position - 300, 0), position)
    for number, noun in zip(words[-2::-1], words[:0:-1], strict=True):
        for parse in parses(noun) if _is_number(number) else ():
            found = agreeing(ordinal, case, "sing", parse.tag.gender) if parse.tag.POS == "NOUN" else None
            if found:
                return f"{inflected(found, ordinal.lower(), {'nomn', 'sing', parse.tag.gender})} {parse.normal_form}"
    return None


def _is_number(word: str) -> bool:
    return any(parse.tag.POS == "NUMR" or "Anum" in parse.tag for parse in parses(word))


def close_to(text: str, end: int) -> str:
    """What a source that ends at `end` is said to be close to, in the nominative: `, близкий к ФСБ`."""
    found = _CLOSE.match(text, end)
    return f", близкий {found[1]}" if found else ""


_CLOSE = re.compile(r", близк(?:ий|ого|ому|им|ом) (к [^,.;:»\n]+)")
_SOURCE = re.compile(r"\bисточник(?:а|у|ом|е)? (?:[«\"][\w -]+[»\"] )?(?:в|из) (?:[а-яё]+(?:ой|ом|ых|их) )?[\w-]+(?: [А-ЯЁ]{2,})?")


def last_document(text: str, position: int, gender: str | None, number: str, entities: Entities) -> str | None:
    """The document named last before `position`, or documents, None if there is none near; of that gender, where one is given.

    Where it is a noun alone, that noun with more before it, if there is any.
    """
    bare = None
    for match in reversed(list(WORD.finditer(text, max(position - 700, 0), position))):
        titled = _TITLED.match(text, match.start(), position) if gender != FEMININE and number == "sing" else None
        if titled:
            return without_marks(titled[1])
        found = _document(match[0], number)
        fits = found and (gender is None or (gender == FEMININE) == (found == FEMININE))
        fits = fits and (bare is None or lemma(match[0]) == lemma(bare[0]))
        if fits and not _is_cited(text, match.start()) and not _DECIDED.search(text, max(match.start() - 12, 0), match.end()):
            first, last = _extent(text, *match.span(), entities)
            head = read(text, first, last, CASES).head
            if head and head.number != number:
                continue  # `публичные заявления`
            draft = _DRAFT.search(text, max(first - 12, 0), first)
            first, last = draft.start() if draft else first, _subject_end(text, last)
            if (first, last) != match.span():
                return _name(text, first, last, entities)
            bare = bare or match
    return _name(text, *bare.span(), entities) if bare else None


_TITLED = re.compile(r"документ\w{0,2} («[^»\n]{2,150}»|\"[^\"\n]{2,150}\")", re.I)
_DECIDED = re.compile(r"\bприн[яи]\w+ решени\w+$", re.I)
_DRAFT = re.compile(r"\bпроект(?:а|у|ом|е)? $", re.I)
_SUBJECT = re.compile(r" об? ([^,.:;()«»„“”\"\n—–]+)")


def _subject_end(text: str, end: int) -> int:
    """Where what a document is about ends, behind the document: `указ о назначении судьи`."""
    about = _SUBJECT.match(text, end)
    if about is None:
        return end
    last = end
    for word in WORD.finditer(text, about.start(1), about.end()):
        if parses(word[0])[0].tag.POS in ("VERB", "PRTS"):
            break
        last = word.end()
    return last


def _is_cited(text: str, position: int) -> bool:
    """Whether a place is in marks that open in its paragraph."""
    before = text[max(text.rfind("\n", 0, position), position - 400, 0) : position]
    return before.count("«") > before.count("»")


@lru_cache(maxsize=1 << 14)
def _document(word: str, number: str) -> str | None:
    """The gender of a word for a document, or for documents, None for other words."""
    if len(word) < 3 or lemma(word) not in lexicon.DOCUMENTS:
        return None
    return next((parse.tag.gender for parse in parses(word) if parse.tag.POS == "NOUN" and parse.tag.number == number), None)


def bare_name(text: str, start: int, end: int) -> str | None:
    """`агентство Reuters` -> `Reuters`: the name alone, where it needs no noun and no marks; None elsewhere."""
    before: list[str] = []
    for word in WORD.finditer(text, start, end):
        if text[word.start() - 1 : word.start()] in tuple(MARKS) and any(mark in text[word.end() : end] for mark in MARKS):
            return None  # `"Газета Daily"`
        if _is_generic(word[0]):
            found = _BARE.fullmatch(text, word.end(), end) if _agree(before, word[0]) else None
            return found[1].strip() if found and not any("Geox" in parse.tag for parse in parses(found[1])) else None
        before.append(word[0])
    return None


def _is_generic(word: str) -> bool:
    """Whether a noun says only what the name behind it is: `газета`, `интернет-издание`."""
    return lemma(word.rpartition("-")[2]) in lexicon.GENERIC


def _agree(words: Sequence[str], noun: str) -> bool:
    """Whether all words are adjectives of a noun in one of its readings: `немецкий концерн`, but not `данные сервиса`."""
    readings = [(case_of(parse), parse.tag.number, parse.tag.gender) for parse in parses(noun)]
    return any(all(agreeing(word, *reading) for word in words) for reading in readings)


_BARE = re.compile(r"\s+(?:'')?([A-Z][\w .&'’-]*?|[А-ЯЁ]{3,}(?:-[А-ЯЁ]{2,})*)(?:'')?")
_STRAIGHT = re.compile(r"(?:(.* )?([\w-]+) )?\"([^\"]+)\"")


def without_marks(name: str) -> str:
    """`газета "Ведомости"` -> `Ведомости`: straight marks fall away, and a noun before them that says only what it is.

    With a noun before that one the name stays: `источник газеты "Ведомости"`.
    """
    found = _STRAIGHT.fullmatch(name)
    if not found or (found[2] and (not (_is_generic(found[2]) or parses(found[2])[0].tag.POS == "ADJF") or _has_noun(found[1]))):
        return name
    return found[3]


def _has_noun(words: str | None) -> bool:
    return any(parses(word)[0].tag.POS == "NOUN" for word in WORD.findall(words or ""))


def fuller(text: str, start: int, end: int, entities: Entities) -> str | None:
    """The fuller name for an abbreviation, a kind of office or the beginning of a name: `Верховный суд` for `Верховный суд Израиля`."""
    name = text[start:end]
    short = entities.abbreviated.get(name) if name.isupper() else None
    entity = short or _longer(text, start, end, entities) or _office(text, start, end, entities)
    return _name(text, entity.start, entity.end, entities) if entity else None


def _longer(text: str, start: int, end: int, entities: Entities) -> Span | None:
    if entities.around(start) is None or text[start - 1 : start] in tuple(MARKS):
        return None
    words = [lemma(word) for word in WORD.findall(text, start, end)]
    for entity in entities.beginning.get(text[start : start + 3].lower(), ()):
        others = WORD.findall(text, entity.start, entity.end)
        if len(others) > len(words) and [lemma(word) for word in others[: len(words)]] == words:
            return entity
    return None


_DEFENCE, _FOREIGN = re.compile("оборон|Пентагон"), re.compile("МИД|иностранных дел|Госдеп")
_OFFICES = {
    "военный": _DEFENCE,
    "оборонный": _DEFENCE,
    "внешнеполитический": _FOREIGN,
    "дипломатический": _FOREIGN,
    "санитарный": re.compile("Роспотребнадзор|Россельхознадзор"),
    "надзорный": re.compile(r"Рос\w+надзор"),
    "финансовый": re.compile("Минфин|финансов"),
}


def _office(text: str, start: int, end: int, entities: Entities) -> Span | None:
    """Whom `военное ведомство` means: the nearest ministry or service of that kind before it."""
    words = [lemma(word) for word in WORD.findall(text, start, end)]
    if words[1:] != ["ведомство"] or words[0] not in _OFFICES:
        return None
    found = (entity for entity in entities.before(start, _LOOK_BACK) if entity.label in lexicon.ORGANISATION_LABELS)
    return next((entity for entity in found if _OFFICES[words[0]].search(text, entity.start, entity.end)), None)


def _with_noun(text: str, entity: Span, entities: Entities) -> tuple[int, int]:
    """Stretch a name in marks to its marks and the noun before them, any other to an adjective or an office: `управление МВД`."""
    marks = _OPENING.search(text, max(entity.start - 40, 0), entity.start)
    if marks is None:
        before = PREVIOUS.search(text, max(entity.start - 40, 0), entity.start)
        if before and lemma(before[1]) in ("управление", "департамент", "отделение"):
            return _extent(text, before.start(), before.end(1), entities)
        if before is None or parses(before[1])[0].tag.POS != "ADJF" or "Apro" in parses(before[1])[0].tag:
            return entity.start, entity.end
        return before.start(), entity.end
    noun = marks[1] and parses(marks[1])[0].tag.POS == "NOUN"
    return marks.start() if noun else entity.start - 1, entity.end + 1


_OPENING = re.compile(r"(?:([\w-]+) )?[«„“\"]$")


def _earlier(text: str, position: int, head: Head) -> Iterator[tuple[int, int]]:
    """Where the noun stands before `position`, the nearest first."""
    begin = max(position - _LOOK_BACK, 0)
    noun = head.lemma
    stem = noun[: max(len(noun) - 2, 3)].replace("е", "[её]")
    for match in reversed(list(re.finditer(rf"\b{stem}\w{{0,4}}\b(?!-)", text[begin:position], re.I))):
        if any(fold(parse.normal_form) == noun and parse.tag.number == head.number for parse in parses(match[0])):
            yield begin + match.start(), begin + match.end()


_QUOTED = re.compile(
    r" («[^»\n]{2,150}»|“[^”\n]{2,60}”|„[^“\n]{2,60}“|\"[^\"\n]{2,60}\"|''[^'\n]{2,60}''|№ ?[\d/-]+(?: от [\d.]+)?)|, близк\w+ к [^,.;»\n]+"
)
_NEXT = re.compile(r" ([\w.-]*\w)")


def _extent(text: str, start: int, end: int, entities: Entities) -> tuple[int, int]:
    """Stretch a noun to its phrase: adjectives before it, a name in marks or what stands in the genitive after it."""
    around = entities.around(start)
    if around is not None and end <= around.end and (around.start, around.end) != (start, end):
        return around.start, around.end
    noun = parses(text[start:end])
    first = start
    while (before := PREVIOUS.search(text, max(first - 40, 0), first)) and any(
        agreeing(before[1], case_of(parse), parse.tag.number, parse.tag.gender)
        and not any("Apro" in parse.tag for parse in parses(before[1]))
        and lemma(before[1]) not in lexicon.EMPTY
        for parse in noun
        if parse.tag.POS == "NOUN"
    ):
        first = before.start()
    quoted = _QUOTED.match(text, end)
    if quoted:
        return first, quoted.end()
    named = entities.at(end + 1) if text[end : end + 1] in (" ", "\u00a0") else None
    if named is not None:
        return first, named.end
    last, position = end, end
    for _ in range(6):
        after = _NEXT.match(text, position)
        if after is None:
            break
        kind = _dependent(after[1])
        if not kind:
            break
        position = after.end()
        if kind == "noun":
            last = position
    return first, last


@lru_cache(maxsize=1 << 14)
def _dependent(word: str) -> str:
    """Whether a word after a noun depends on it: `noun` in the genitive, `adjective` of one, or nothing."""
    found = parses(word)
    tag = found[0].tag
    if re.fullmatch(r"[А-ЯЁ]{2,}|[A-Z][\w.-]*", word):
        return "noun"
    if (word[:1].isupper() and may_be_name(word)) or any(parse.tag.POS == "VERB" and parse.score > 0.1 for parse in found):
        return ""
    if tag.POS not in ("NOUN", "ADJF", "PRTF") or "Apro" in tag:
        return ""
    genitive = [parse for parse in found if case_of(parse) == "gent" and parse.tag.POS == tag.POS and parse.score > 0.05]
    if not genitive:
        return ""
    return "noun" if tag.POS == "NOUN" else "adjective"


def _name(text: str, start: int, end: int, entities: Entities) -> str:
    phrase = read(text, start, end, CASES)
    return bare_name(text, start, end) or without_marks(designation(text, phrase, entities))
