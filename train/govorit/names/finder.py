"""Where the names of persons stand: at the entities that a model found, mended, and by capitals and dictionary where it found none."""

from __future__ import annotations

import re
from collections.abc import Sequence

from govorit.article import Quote, Span
from govorit.names import lexicon
from govorit.names.declension import is_common, is_name, is_patronymic, is_syllable, may_be_name, name_readings
from govorit.names.morphology import NAMES, fold, known_parses, lemma
from govorit.names.people import WORDS, noun_cases

_PART = rf"(?:(?:Дж|[А-ЯЁA-Z])\.|[А-ЯЁA-Z][\w’'`]*(?:-[\w’'`]+)*|(?:{lexicon.PARTICLES})-[А-ЯЁ]\w+)"
_RUN = re.compile(rf"(?<![\w«„“\"]){_PART}(?:(?: ?(?<=\.)|[ \u00a0](?:(?:{lexicon.PARTICLES})[ \u00a0])*){_PART})*")
# Where begins what models take into a name by mistake: the Latin form in brackets, the next line.
_TAIL = re.compile(r"[(\n]")
_AGE = re.compile(r"летн(?:ий|яя|его|ему|им|ем|ей|юю)$")
_CLERGY = re.compile(r"(?:патриарх|митрополит|епископ|владык|архимандрит)[^.,;\n]{0,40}$", re.I)
_SEE = re.compile(r"ск(?:ий|ого|ому|им|ом)$")  # `митрополит Ханты-Мансийский и Няганский Фотий`
_REPEATED = re.compile(r"\([^А-яЁё()]+$")  # `Бен Кон (Ben Kohn)`, `Ма Лин (马凌)`
_NOUN = re.compile(r"\b([\w-]+) $")
_BEFORE = re.compile(r"([А-ЯЁ][а-яё-]+) $")


def persons(text: str, entities: Sequence[Span], quotes: Sequence[Quote]) -> list[Span]:
    """The names of persons among `entities`, mended, and those that speakers bear where no entity stands; all in the text without any."""
    named = [_mended(text, span) for span in entities if span.label in lexicon.PERSON_LABELS and not _is_repeated(text, span)]
    named = [span for span in named if not _is_place(text, span, named)]
    surnames = {fold(form) for span in named for form in _last_forms(text[span.start : span.end])}
    named = [part for span in named for part in _parted(text, span, surnames)]
    taken = {place for span in entities for place in range(span.start, span.end)}
    if not named:
        return [name for name in find_names(text) if taken.isdisjoint(range(name.start, name.end))]
    borne = {place for span in named for place in range(span.start, span.end)}
    taken |= borne
    for speaker in {quote.speaker for quote in quotes if quote.speaker}:
        if borne.isdisjoint(range(speaker.start, speaker.end)):
            named += [name for name in _find(text, speaker.start, speaker.end, surnames) if taken.isdisjoint(range(name.start, name.end))]
    return sorted(named, key=lambda span: span.start)


def _is_place(text: str, span: Span, named: Sequence[Span]) -> bool:
    """Whether a name is one word that the dictionary knows only as a place, and nobody has that name among others: `Париж`."""
    word = text[span.start : span.end]
    tags = [parse.tag for parse in known_parses(word)]
    if " " in word or not any("Geox" in tag for tag in tags) or any(name in tag for tag in tags for name in NAMES):
        return False
    longer = (text[other.start : other.end] for other in named)
    return not any(" " in other and word[:4] in other for other in longer)


def _parted(text: str, span: Span, surnames: set[str]) -> list[Span]:
    """`дочь Пескова Елизавета`: two names that a model took for one."""
    words = list(WORDS.finditer(text, span.start, span.end))
    before = _NOUN.search(text, max(span.start - 30, 0), span.start)
    if len(words) != 2 or not before or lemma(before[1]) not in lexicon.RELATIONS:
        return [span]
    cases = {parse.tag.case for parse in known_parses(words[1][0]) if "Name" in parse.tag}
    if cases != {"nomn"} or surnames.isdisjoint(map(fold, _last_forms(words[0][0]))):
        return [span]
    return [Span(span.start, words[0].end(), span.label), Span(words[1].start(), span.end, span.label)]


def _is_repeated(text: str, span: Span) -> bool:
    return text[span.start - 1 : span.start] == "(" and _REPEATED.search(text, span.start - 1, span.end) is not None


def _mended(text: str, span: Span) -> Span:
    """Cut off what is no name, and take in the first name before a patronymic."""
    tail = _TAIL.search(text, span.start, span.end)
    end = span.start + len(text[span.start : tail.start()].rstrip()) if tail else span.end
    words = list(WORDS.finditer(text, span.start, end))
    korean = len(words) == 3 and all(is_syllable(word[0]) for word in words) and not is_name(words[1][0])  # `Пан Ги Мун`
    while len(words) > 1 and not korean and not may_be_name(words[0][0]) and _is_title(words[0][0]):
        del words[0]
    if _CLERGY.search(text, max(span.start - 60, 0), span.start):
        while len(words) > 1 and _SEE.search(words[0][0]):
            del words[0]
    if not words:
        return span
    start = words[0].start()
    before = _BEFORE.search(text, max(start - 30, 0), start)
    if before and len(words) > 1 and is_patronymic(words[0][0]):
        start = before.start()
    if len(words[0][0]) > 2 and len(words[-1][0]) == 1 and text[end : end + 1] == ".":  # `Лаурентий Д.`
        end += 1
    return Span(start, end, span.label)


def _is_title(word: str) -> bool:
    """Whether a word at the head of a name is the noun or adjective before it: `Премьер-министр Джон Говард`."""
    return bool(noun_cases(word)) or _AGE.search(word) is not None or any(parse.tag.POS == "ADJF" for parse in known_parses(word))


def find_names(text: str) -> list[Span]:
    """Find names of persons by capitals, initials and the dictionary: what stands in for entities where there are none."""
    return _find(text, 0, len(text), set())


def _find(text: str, start: int, end: int, surnames: set[str]) -> list[Span]:
    """Find names in a stretch of text; a word that is one of `surnames`, folded, is a name as well."""
    runs = [match.span() for match in _RUN.finditer(text, start, end)]
    found = {start: span for start, end in runs if (span := _name_in(text, start, end))}
    surnames = surnames | {fold(form) for span in found.values() for form in _last_forms(text[span.start : span.end])}
    for start, end in runs:
        if start not in found and not surnames.isdisjoint(map(fold, _last_forms(text[start:end]))):
            found[start] = Span(start, end, "PER")
    return sorted(found.values(), key=lambda span: span.start)


def _last_forms(name: str) -> set[str]:
    words = tuple(WORDS.findall(name))
    return {reading.nominative[-1] for reading in name_readings(words)[:4]} if words else set()


def _name_in(text: str, start: int, end: int) -> Span | None:
    """Cut a capitalised run down to the name in it: titles at its head and the place before a first name fall away."""
    parts = [(match[0], match.start(), match.end()) for match in WORDS.finditer(text, start, end)]
    named = (i for i, (word, *_) in enumerate(parts) if may_be_name(word) or not (is_common(word) or word.isupper()))
    parts = parts[next(named, len(parts)) :]
    first = next((i for i, (word, *_) in enumerate(parts) if is_name(word) and not is_patronymic(word)), 0)
    if first and not any(may_be_name(word) for word, *_ in parts[:first]):
        del parts[:first]
    words = [word for word, *_ in parts]
    whole = [word for word in words if not word.endswith(".")]
    unknown = len(whole) > 1 and not any(is_common(word) or not re.search("[а-яё]$", word) for word in whole)
    if whole and (len(whole) < len(words) or unknown or any(is_name(word) or is_patronymic(word) for word in whole)):
        return Span(parts[0][1], parts[-1][2], "PER")
    return None
