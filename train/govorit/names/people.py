"""Persons of an article: the mentions of one person gathered, the fullest name in the nominative."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice

from govorit.names import lexicon
from govorit.names.declension import Reading, is_name, is_patronymic, name_readings, nominative_share
from govorit.names.morphology import CASES, FEMININE, MASCULINE, NEUTER, case_of, fold, known_parses, parses

_NAMESAKES = 64  # persons with a name in common among whom one is looked for: a list of thousands may have as many Ivans
_LETTERS = range(5, 64)  # of a name that may be spelled in two ways
_VOWELS = re.compile("[аеиоуыэюяйьъ]")
_THIN, _LIKELY = 0.1, 0.25  # of the weight of all readings of a name
_SURE = 0.9  # of the votes: with less, a person's gender is not known
WORDS = re.compile(r"(?:Дж|[^\W\d_])\.|\w+(?:[-’'`]\w+)*")
_DOUBLED = re.compile(r"(.)\1")
_LASTWORDS = re.compile(r"\b([\w-]+)\s+$")
_RELATIVE = re.compile(r", (?:\w{1,3} )?котор(?:(ая|ую|ой)|ый|ого|ому)\b")
_NEXTWORDS = re.compile(r"\s+(\w+)")


@dataclass(eq=False, slots=True)
class Mention:
    """A name where it stands; `readings` are those that its place allows."""

    start: int
    end: int
    words: tuple[str, ...]
    readings: tuple[Reading, ...]
    gender: str | None = None  # what a verb says
    titled: bool = False  # whether a noun before it says who that is

    # Whole words but for a patronymic, so that `Тимур Сайфутдинов` goes before `Тимур Рашидович`; whole words; initials.
    fullness: tuple[int, int, int] = field(init=False)

    def __post_init__(self) -> None:
        whole = [word for word in self.words if not word.endswith(".")]
        self.fullness = len(whole) - any(map(is_patronymic, whole[1:])), len(whole), len(self.words) - len(whole)


@dataclass(eq=False, slots=True)
class Person:
    fullest: Mention
    mentions: list[Mention] = field(default_factory=list)
    gender: str | None = None
    sure: bool = False  # of the gender

    def add(self, mention: Mention) -> None:
        self.mentions.append(mention)
        if mention.fullness > self.fullest.fullness:
            self.fullest = mention


@dataclass(frozen=True, slots=True)
class Context:
    """What the place of a name says about it, in so far as that is certain."""

    cases: frozenset[str] = CASES
    gender: str | None = None

    def allows(self, reading: Reading) -> bool:
        return bool(reading.cases & self.cases) and (self.gender is None or reading.gender in (None, self.gender))


def in_context(mention: Mention, context: Context) -> Mention:
    """Read a name again where it is certain in which cases it stands, and whose it is."""
    readings = name_readings(mention.words)
    certain = tuple(reading for reading in readings if context.allows(reading))
    return Mention(mention.start, mention.end, mention.words, certain or readings, context.gender, mention.titled)


def read_name(text: str, start: int, end: int) -> Mention:
    """Read a name by the words beside it."""
    words = tuple(match[0] for match in WORDS.finditer(text, start, end))
    governor = _LASTWORDS.search(text, max(start - 30, 0), start)
    before = governor[1] if governor else ""
    readings, gender = name_readings(words), None
    cases = lexicon.GOVERNED.get(before.lower())
    if cases:
        readings = tuple(reading for reading in readings if reading.cases & cases) or readings
    else:
        readings, gender = _weighed(text, end, before, readings)
    return Mention(start, end, words, readings, gender, before.islower() and bool(noun_cases(before)))


def _weighed(text: str, end: int, before: str, readings: tuple[Reading, ...]) -> tuple[tuple[Reading, ...], str | None]:
    """Weigh readings by the words beside the name: a verb in the past has its subject there, a noun its apposition."""
    total = sum(r.weight for r in readings)
    if relative := _RELATIVE.match(text, end):
        whose = FEMININE if relative[1] else MASCULINE
        share = sum(r.weight for r in readings if r.gender in (None, whose)) / total
        if share >= _THIN:  # else it is a noun before the name: `фирма Петрова, которая`
            return tuple(_times(r, 1.0 if r.gender in (None, whose) else 0.15) for r in readings), whose
    after = _NEXTWORDS.match(text, end)
    subject = nominative_share(readings)
    for word in (after[1] if after else "", before):
        gender = past_gender(word)
        known = sum(r.weight for r in readings if "nomn" in r.cases and r.gender in (None, gender)) / total
        told = known >= _LIKELY or any("PRTS" in parse.tag for parse in known_parses(word)[:1])  # neither `снял Николь Кидман`
        certain = told if word == before else not _is_owned(before, gender)
        if gender and certain and subject >= _THIN:  # nor `встретила Ивана Петрова`
            return tuple(_times(r, 1.0 if "nomn" in r.cases and r.gender in (None, gender) else 0.15) for r in readings), gender
    cases, gender = (noun_cases(before), noun_gender(before)) if before.islower() else (frozenset(), None)
    if not cases:
        cases, gender = adjective_before(before.rpartition("-")[2])
    fitting = {r for r in readings if r.cases & cases and (gender is None or r.gender in (None, gender))}
    if not fitting:
        return readings, None
    return tuple(_times(r, 1.0 if r in fitting else 0.4 if "gent" in r.cases else 0.1) for r in readings), gender


def _is_owned(before: str, gender: str | None) -> bool:
    """Whether a verb in the past may be that of the noun before a name: `представитель Кейт Миддлтон заявил`."""
    if not before[1:].islower():
        return False
    noun = parses(before)[0]
    is_noun = noun.tag.POS == "NOUN" or "Subx" in noun.tag
    return is_noun and (case_of(noun), noun.tag.number, noun.tag.gender) == ("nomn", "sing", gender)


def _times(reading: Reading, factor: float) -> Reading:
    return replace(reading, weight=reading.weight * factor) if factor != 1.0 else reading


@lru_cache(maxsize=1 << 14)
def past_gender(word: str) -> str | None:
    """The gender that a verb in the past, or a short participle, gives its subject: `сказала`, `освобождена`."""
    if not re.search("(?:л|ла|лся|лась|[нт]|[нт]а)$", word):
        return None
    return next((parse.tag.gender for parse in known_parses(word)[:1] if parse.tag.POS in ("VERB", "PRTS")), None)


@lru_cache(maxsize=1 << 14)
def noun_cases(word: str) -> frozenset[str]:
    """The cases in which a noun that calls one person may stand; none for other words."""
    nouns = [p for p in known_parses(word) if p.tag.POS == "NOUN" and p.tag.animacy == "anim" and p.tag.number == "sing"]
    return frozenset(filter(None, map(case_of, nouns)))


@lru_cache(maxsize=1 << 14)
def adjective_before(word: str) -> tuple[frozenset[str], str | None]:
    """The cases and the gender that an adjective gives the name after it, `летнюю`, `арестованный`, `сама`; none for other words."""
    tags = [parse.tag for parse in known_parses(word) if "Apro" not in parse.tag or parse.normal_form == "сам"]
    if any(tag.POS not in ("ADJF", "PRTF") or tag.number != "sing" or "Subx" in tag for tag in tags):  # not `знакомый Кейт`
        return frozenset(), None
    genders = {tag.gender for tag in tags} - {NEUTER}
    return frozenset(tag.case for tag in tags), genders.pop() if len(genders) == 1 else None


@lru_cache(maxsize=1 << 14)
def noun_gender(word: str) -> str | None:
    """The gender of whom a noun calls, where it says so: `правозащитница` a woman, but `жена Орлова` may have a man's name with her."""
    if any(parse.normal_form in lexicon.RELATIONS for parse in known_parses(word)):
        return None
    nouns = {parse.tag.gender for parse in known_parses(word) if parse.tag.POS == "NOUN" and parse.tag.animacy == "anim"}
    return FEMININE if nouns == {FEMININE} else None


# --- who is who


def gather(mentions: Iterable[Mention]) -> dict[Mention, Person]:
    """Put the mentions of one person together; each goes to the person mentioned last whom it may name."""
    people: dict[str, dict[int, Person]] = {}  # by the words of their names, then by identity
    owners: dict[Mention, Person] = {}
    for mention in mentions:
        keys = _keys(mention.words)
        known = {number: person for key in keys for number, person in islice(reversed(people.get(key, {}).items()), _NAMESAKES)}
        fitting = [(alike(mention, person.fullest), person.mentions[-1].start, person) for person in known.values()]
        likely = [(_agrees(mention, person), fit, at, person) for fit, at, person in fitting if fit]
        best = max(likely, key=lambda item: item[:3], default=None)
        person = best[3] if best else Person(mention)
        person.add(mention)
        owners[mention] = person
        for key in keys:
            people.setdefault(key, {})[id(person)] = person
    persons = list(dict.fromkeys(owners.values()))
    for person in persons:
        person.gender, person.sure = gender_of(person)
    joined = _joined(persons)
    return {mention: joined.get(person, person) for mention, person in owners.items()}


def _agrees(mention: Mention, person: Person) -> bool:
    """Whether what a verb says of a mention may be true of the person."""
    gender = person.fullest.gender or max(person.fullest.readings, key=lambda reading: reading.weight).gender
    return None in (mention.gender, gender) or mention.gender == gender


def _joined(people: Iterable[Person]) -> dict[Person, Person]:
    """Who is another person, as `Рекс` and `Тиллерсон` are, or with a name spelled in two ways: `Буффье` is `Фолькер Буфье`."""
    joined: dict[Person, Person] = {}
    places: dict[str, list[Person]] = {}  # by their names, and by their surnames, with a letter left out
    for person in sorted(people, key=_standing, reverse=True):
        forms = _spelled(person.fullest)
        cuts = {cut for form in forms for cut in _cuts(" ".join(form))}
        above = {joined.get(other, other) for cut in cuts for other in places.get(cut, [])[:_NAMESAKES]}
        bare = len(person.fullest.words) == 1
        near = [other for other in above if alike(person.fullest, other.fullest)] if bare else []
        if not near and not (bare and any(mention.titled for mention in person.mentions)):  # not `тренер Шольц` for `Карл Шульц`
            near = [other for other in above if _are_respelt(forms, _spelled(other.fullest), bare)]
        if len(near) == 1:
            joined[person] = near[0]
        if person.fullest.fullness[1] > 1:
            for cut in cuts | {cut for form in forms for word in form for cut in _cuts(word)}:
                places.setdefault(cut, []).append(person)
    return joined


def _standing(person: Person) -> tuple[bool, int, int]:
    """A person with a full name before one without, and who is mentioned more often, above all by it."""
    full = sum(mention.fullness == person.fullest.fullness for mention in person.mentions)
    return person.fullest.fullness[1] > 1, len(person.mentions), full


def _spelled(mention: Mention) -> set[tuple[str, ...]]:
    """The whole words of a name in the nominative, folded."""
    return {tuple(fold(word) for word in reading.nominative if not word.endswith(".")) for reading in mention.readings[:6]}


def _are_respelt(ones: Iterable[tuple[str, ...]], others: Iterable[tuple[str, ...]], bare: bool) -> bool:
    """Whether two names, or a bare one and a surname, are the same but for the spelling, each in one of its readings."""
    pairs = [(one, other[-len(one) :]) for one in ones for other in others if len(one) in (1, len(other))]
    pairs = [(one, other) for one, other in pairs if not bare or _consonants(one[0]) == _consonants(other[0])]
    return any(one != other and all(a == b or is_respelt(a, b) for a, b in zip(one, other, strict=True)) for one, other in pairs)


def _consonants(word: str) -> str:
    """What a name has in whatever way its vowels are written: `бонер` and `бенер` the same, `клинтон` and `клифтон` not."""
    return _DOUBLED.sub(r"\1", _VOWELS.sub("", word))


@lru_cache(maxsize=1 << 14)
def _cuts(word: str) -> frozenset[str]:
    """A word, folded, and what is left of it without one of the letters between its first and last, if it is long."""
    return frozenset((word, *(word[:i] + word[i + 1 :] for i in range(1, len(word) - 1) if len(word) in _LETTERS)))


def is_respelt(one: str, other: str) -> bool:
    """Whether two words may be one name, written with a letter more, less or else: two that a dictionary knows only if it is doubled."""
    doubled = _DOUBLED.sub(r"\1", one) == _DOUBLED.sub(r"\1", other)
    return not _cuts(one).isdisjoint(_cuts(other)) and (doubled or not (is_name(one) and is_name(other)))


@lru_cache(maxsize=1 << 14)
def _keys(words: tuple[str, ...]) -> frozenset[str]:
    """The words, in the nominative and folded, that another mention of the person has one of."""
    parts = {part for reading in name_readings(words) for part in reading.nominative if not part.endswith(".")}
    return frozenset(fold(word) for part in parts for word in (part, *part.split("-")))


def alike(one: Mention, other: Mention) -> float:
    """How well two names may be one person's: the weight of the best pair of readings that agree, 0 where none do."""
    if one.words == other.words:
        return float(len(one.words))
    short, long = (one, other) if len(one.words) <= len(other.words) else (other, one)
    best = 0.0
    for mine in short.readings[:6]:
        for theirs in long.readings[:6]:
            if None in (mine.gender, theirs.gender) or mine.gender == theirs.gender:
                words = _aligned(mine.nominative, theirs.nominative)
                if words:
                    best = max(best, words * (mine.weight * theirs.weight) ** 0.1)
    return best


@lru_cache(maxsize=1 << 16)
def _aligned(short: tuple[str, ...], long: tuple[str, ...]) -> float:
    """Match each word of the shorter name with one of the longer, whole or by its initial; patronymics may be missing."""
    left = [fold(word) for word in long]
    whole = 0
    for word in sorted(map(fold, short), key=lambda word: word.endswith(".")):
        if word in left and not word.endswith("."):
            left.remove(word)
            whole += 1
            continue
        partner = next((other for other in left if _initial(word, other) or word in other.split("-")), None)
        if partner is not None:
            left.remove(partner)
            whole += word in partner.split("-")
        elif not is_patronymic(word):
            return 0.0
    missing = all(is_patronymic(word) for word in left) or len(short) == 1
    return whole * (1.0 if missing else 0.9)


def _initial(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return short.endswith(".") and long.startswith(short.rstrip("."))


def gender_of(person: Person) -> tuple[str | None, bool]:
    """The gender, and whether it is all but certain, that the fullest mentions make likeliest, with what verbs say of all of them."""
    shape = person.fullest.fullness
    votes: dict[str, float] = {}
    for mention in person.mentions:
        if mention.gender:
            votes[mention.gender] = votes.get(mention.gender, 0.0) + 1.0
        if mention.fullness == shape:
            readings = [r for r in mention.readings if mention.gender is None or r.gender in (None, mention.gender)]
            total = sum(reading.weight for reading in readings)
            for reading in readings:
                if reading.gender:
                    votes[reading.gender] = votes.get(reading.gender, 0.0) + reading.weight / total
    best = max(votes, key=lambda gender: votes[gender], default=None)
    return best, best is not None and votes[best] >= _SURE * sum(votes.values())


def full_name(text: str, person: Person) -> str:
    """Write the fullest name of a person in the nominative: what most mentions agree on."""
    shape = person.fullest.fullness
    votes: dict[tuple[str, ...], float] = {}
    for mention in person.mentions:
        if mention.fullness == shape:
            for reading in mention.readings:
                votes[reading.nominative] = 0.0
    for nominative in votes:
        shares = [(mention.fullness == shape, _vote(nominative, mention, person.gender)) for mention in person.mentions]
        others = [share for full, share in shares if not full]
        votes[nominative] = sum(share for full, share in shares if full) + sum(others) / max(len(others), 1)
    best = max(votes, key=lambda nominative: votes[nominative])
    mention = next(m for m in person.mentions if m.fullness == shape and any(r.nominative == best for r in m.readings))
    return rendered(text, mention, best)


def _vote(nominative: tuple[str, ...], mention: Mention, gender: str | None) -> float:
    total = best = 0.0
    for reading in mention.readings:
        weight = reading.weight * (0.1 if gender and reading.gender not in (None, gender) else 1.0)
        total += weight
        if weight > best and set(map(fold, reading.nominative)) <= set(map(fold, nominative)):
            best = weight
    return best / total if total else 0.0


def rendered(text: str, mention: Mention, nominative: Sequence[str]) -> str:
    """Write a mention with its words put into the nominative; what stands between them stays."""
    pieces, position = [], mention.start
    for match, word in zip(WORDS.finditer(text, mention.start, mention.end), nominative, strict=True):
        pieces += [text[position : match.start()], word]
        position = match.end()
    return _ordered(re.sub(r"\s+", " ", "".join((*pieces, text[position : mention.end]))))


def _ordered(name: str) -> str:
    """`Сурков Владислав Юрьевич` -> `Владислав Юрьевич Сурков`."""
    words = name.split(" ")
    surname_first = len(words) == 3 and is_patronymic(words[2]) and is_name(words[1]) and not is_patronymic(words[1])
    return " ".join((*words[1:], words[0])) if surname_first else name
