"""One article's quotations in their order: each speaker resolved with what came before in mind."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from govorit.article import Quote, Span
from govorit.names import actors, antecedents, designees, lexicon, people, phrases, things, unnamed
from govorit.names.actors import ORGANISATION, PERSON, Actor, Place, Scene
from govorit.names.declension import genitive
from govorit.names.entities import Entities
from govorit.names.interview import Interview
from govorit.names.morphology import CASES, FEMININE, MASCULINE, NEUTER, NOMINATIVE, Head, find_head, known_parses
from govorit.names.phrases import Phrase
from govorit.names.speakers import context_of, coordinated, named_in

_STATED = re.compile(r"говорит|сказано|отмеча|указ|подч[её]рк|утвержд|сообща|пояс|констат|написано")
_ASKS, _ANSWERS = re.compile(r"спр[оа][сш]|интерес|поинтерес"), re.compile(r"отве[тч]|парир|возра[зж]|согла[сш]")
_IMPERSONAL = re.compile(r"(?:[аяею]тся|лось|лись|\bкак говорится)\Z", re.I)
_INTRODUCED = re.compile(r"([^.!?…\n]*):\s$")
_SUBJECTS = re.compile(r"\b[Оо]на?\b(?! же\b)")
_THERE = re.compile(r"(?:[.!?…]\s+|\n|, )(?:(?:При этом|Впрочем|Однако|Но|А) )?там (?:(?:же|пока|также|тоже|не) )*$", re.I)
_ELSEWHERE = re.compile(r"\b(?:в|во|на|до|к|из) \w")  # another place that `там` may mean
_SIGNATURE = re.compile(r"[^.!?…:—\n]{,100}\s*")
_CLOSED = re.compile('[»”“"] ')
_CLAUSE = re.compile(r"(?:^|[.!?…:»]\s*|\n[^\w\n]*|, (?:что |как )?|\b[Кк]ак |\bи )[«„“\"]$")
# How often each kind of evidence was right on newsroom train and dev and NEREL train with gold spans, once with gold entities and once with
# natasha's; that of a noun, a pronoun and a dropped subject is what their probability is multiplied with.
PRECISION = {
    "name": 0.98,
    "noun": 1.00,
    "pronoun": 0.99,
    "subject": 0.75,
    "document": 0.64,
    "thing": 0.87,
    "designation": 0.83,
    "earlier": 0.82,
    "turn": 0.95,
    "floating": 0.87,
    "dropped": 0.92,
    "impersonal": 0.96,
    "nobody": 0.97,
    "unknown": 0.14,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """Who speaks, None where nobody can be told, and by which kind of evidence; `share` of the probability of all who were considered."""

    actor: Actor | None
    evidence: str
    share: float = 1.0

    @property
    def score(self) -> float:
        return PRECISION[self.evidence] * self.share


class Resolver:
    def __init__(self, text: str, names: Sequence[Span], others: Sequence[Span], quotes: Sequence[Quote]) -> None:
        self.text, self.quotes, self.others = text, quotes, Entities(text, others)
        self.scene = Scene(text, quotes)
        self.last: Actor | None = None
        self.asked: Actor | None = None  # who spoke last, if that was a question
        self.last_at = 0  # where the speaker, or the cue, of the quotation before this one ends
        self.names: dict[int, Actor] = {}  # by the start of the mention
        self.designated: dict[tuple[str, str], list[Actor]] = {}  # by noun and number
        self.heads: dict[int, list[int]] = {}  # start of a speaker -> start of the speaker's own name in it, or of all who speak together
        self.referred = 0  # up to where pronouns have been resolved
        self.told: dict[int, Actor | None] = {}  # by the start of the noun
        self.together: dict[str, Actor] = {}  # by their names
        self._meet(names)

    def _meet(self, names: Sequence[Span]) -> None:
        """Gather the persons; then again, with what the speakers' phrases say about the names in them."""
        mentions = [people.read_name(self.text, span.start, span.end) for span in names]
        owners = people.gather(mentions)
        starts = [mention.start for mention in mentions]
        known: dict[int, people.Context] = {}
        for quote in self.quotes:
            if quote.speaker:
                inside = mentions[bisect_left(starts, quote.speaker.start) : bisect_left(starts, quote.speaker.end)]
                if coordinated(self.text, quote.speaker, inside):
                    heads = self.heads[quote.speaker.start] = [mention.start for mention in inside]
                    known.update(dict.fromkeys(heads, people.Context(context_of(self.text, quote).cases)))
                    continue
                found = named_in(self.text, quote, inside, owners) if inside else None
                if found:
                    self.heads[quote.speaker.start] = [found[0].start]
                    known[found[0].start] = found[1]
        mentions = [people.in_context(m, known[m.start]) if m.start in known else m for m in mentions]
        self._cast(mentions, people.gather(mentions))

    def _cast(self, mentions: Sequence[people.Mention], owners: Mapping[people.Mention, people.Person]) -> None:
        made: dict[people.Person, Actor] = {}
        for mention in mentions:
            person = owners[mention]
            if person not in made:
                gender = person.gender if person.sure else None
                made[person] = Actor(people.full_name(self.text, person), PERSON, gender, likely=person.gender)
            actor = self.names[mention.start] = made[person]
            actor.places.append((mention.start, mention.end))
            reading = next((reading for reading in mention.readings if reading.gender in (None, person.gender)), mention.readings[0])
            self.scene.add(mention.start, mention.end, actor, "nomn" in reading.cases)
        for one, other in pairwise(mentions):
            if self.text[one.end : other.start] == " и ":
                self._share_titles(self.names[one.start], self.names[other.start], one, other)

    def _share_titles(self, first: Actor, second: Actor, one: people.Mention, other: people.Mention) -> None:
        titles = actors.shared_titles(self.text, one.start)
        for actor, mention, title in zip((first, second), (one, other), titles, strict=False):
            if (mention.start, mention.end) in actor.places:
                actor.titles.append(title)
                actor.places.remove((mention.start, mention.end))

    def resolve(self) -> list[Answer]:
        answers: list[Answer] = [Answer(None, "unknown")] * len(self.quotes)
        interview = Interview(self.text, self.quotes, self.scene, self.others, self._named)
        for i in sorted(range(len(self.quotes)), key=lambda i: self.quotes[i].content[0].start):
            quote = self.quotes[i]
            answer = answers[i] = self._answer(i, quote, interview)
            self.last = answer.actor
            self.asked = answer.actor if self._cue_is(quote, _ASKS) else None
            self.last_at = (quote.speaker or quote.cue or quote.content[0]).end
            if answer.actor is not None:
                interview.hear(i, answer.actor)
                if quote.speaker:
                    self.scene.add(quote.speaker.start, quote.speaker.end, answer.actor, True, True)
        return answers

    def _answer(self, number: int, quote: Quote, interview: Interview) -> Answer:
        if quote.speaker is None:
            return self._silent(number, quote, interview)
        actor, evidence = interview.speaker(number, quote)
        if evidence:
            return Answer(actor, evidence)
        if named := self._named(quote):
            return Answer(named, "name")
        words = self.text[quote.speaker.start : quote.speaker.end].lower()
        if words in lexicon.NOBODY or words.startswith("кто-"):
            author = self._author() if words == "я" and not self.scene.inside(quote.speaker.start) else None
            return Answer(author, "earlier" if author else "nobody")
        if words in lexicon.PRONOUNS:
            return self._pronoun(quote, *lexicon.PRONOUNS[words], interview)
        return self._designated(quote)

    def _author(self) -> Actor | None:
        """Who has signed the article, in its last line: `Кирсан Илюмжинов Президент ФИДЕ`."""
        start = self.text.rstrip().rfind("\n") + 1
        actor = self.names.get(start) if start and _SIGNATURE.fullmatch(self.text, start) and not self.scene.inside(start) else None
        if actor is None or " " not in actor.name:
            return None
        behind = phrases.WORD.findall(self.text, start)[len(actor.name.split()) :]
        told = any(parse.tag.POS in ("VERB", "PRTS", "PREP") for word in behind for parse in known_parses(word)[:1])
        return None if told else actor

    def _named(self, quote: Quote) -> Actor | None:
        """Whom the speaker's words name."""
        heads = self.heads.get(quote.speaker.start) if quote.speaker else None
        return self._together(heads) if heads else None

    def _together(self, starts: Sequence[int]) -> Actor:
        """Those whose names start there, as one actor, the same each time; one alone where all are names of one."""
        *others, last = {id(self.names[start]): self.names[start] for start in starts}.values()
        if not others:
            return last
        name = f"{', '.join(other.name for other in others)} и {last.name}"
        return self.together.setdefault(name, Actor(name, PERSON, None, "plur"))

    # --- pronouns and silence

    def _pronoun(self, quote: Quote, gender: str | None, number: str, interview: Interview) -> Answer:
        assert quote.speaker is not None
        start = quote.speaker.start
        if self._is_document(quote):
            name = things.last_document(self.text, start, gender, number, self.others)
            return Answer(Actor(name, actors.OTHER, gender), "document") if name else Answer(None, "document")
        if guest := interview.guest(quote.speaker, gender):
            return Answer(guest, "turn")
        if self.text[start : quote.speaker.end].lower() in ("тот", "та"):
            for place in self.scene.before(start, antecedents.LOOK_BACK):
                near = self.scene.sentences(place.start, start) <= 2 and place.actor.kind == PERSON
                if near and antecedents.fits(place.actor, gender, number):
                    return Answer(place.actor, "pronoun")
        return self._nearest(quote, start, gender, number, "pronoun")

    def _nearest(self, quote: Quote, start: int, gender: str | None, number: str, evidence: str) -> Answer:
        self._refer(start)
        found = antecedents.ranked(self.scene, start, gender, number, self._others(quote), self._told(start, number))
        found = found or antecedents.ranked(self.scene, start, gender, number)
        if found:
            return Answer(found[0][1], evidence, found[0][0])
        body = things.last_body(self.text, start, gender, self.others) if gender and number == "sing" and evidence == "pronoun" else None
        return Answer(Actor(body, ORGANISATION, gender), "thing") if body else Answer(None, "unknown")

    def _refer(self, position: int) -> None:
        """Take `он` and `она` in the two sentences before a position for mentions of whom they mean."""
        for match in _SUBJECTS.finditer(self.text, max(self.scene.sentence(position, 2), position - 600, self.referred), position):
            taken = self.scene.inside(match.start()) or self.scene.within(*match.span())
            found = None if taken else antecedents.ranked(self.scene, match.start(), *lexicon.PRONOUNS[match[0].lower()])
            if found and found[0][1].kind == PERSON:
                self.scene.add(*match.span(), found[0][1], True)
        self.referred = max(position, self.referred)

    def _told(self, position: int, number: str) -> Iterator[Place]:
        """Those of whom the sentences before a position tell by nouns that mean nobody named."""
        for phrase in unnamed.told(self.scene, position, number):
            assert phrase.head is not None
            if phrase.start not in self.told:
                self.told[phrase.start] = self._somebody(phrase, phrase.head)
            actor = self.told[phrase.start]
            if actor:
                yield Place(phrase.start, phrase.end, actor, False, True, False)

    def _somebody(self, phrase: Phrase, head: Head) -> Actor | None:
        """Whom a noun means that is no speaker; None where that is somebody named."""
        owner = self._owner(phrase)
        if head.number == "sing" and not owner:
            inside = {id(place.actor) for place in self.scene.within(phrase.start, phrase.end)}
            titled = designees.ranked(self.scene, phrase.start, phrase, phrases.strict_gender(head), inside, self._titles)
            if titled[0][1]:
                return None
        return (None if owner else self._earlier(phrase)) or self._new(phrase, head, owner)

    def _others(self, quote: Quote) -> set[int]:
        """Whom a pronoun or designation for the speaker does not mean, by their `id`.

        It is who is mentioned only in these words, if they are literal, or is named in them behind the speaker, if they are not: `Он
        сказал, что Иванов прав`; who stands right behind the cue: `Он сказал Иванову`; and of an answer, who has asked.
        """
        start = (quote.speaker or quote.cue or quote.content[0]).start
        said = [place for span in quote.content for place in self.scene.within(span.start, span.end)]
        found = {id(place.actor) for place in said}
        if quote.kind == "direct":
            places = {place.start for place in said}
            found -= {id(place.actor) for place in self.scene.before(start, designees.LOOK_BACK) if place.start not in places}
        elif quote.speaker and quote.speaker.end <= quote.content[0].start:
            found = {id(self.names[place.start]) for place in said if place.start in self.names and not self._is_cited(quote, place.start)}
        else:
            found = set()
        if quote.cue and quote.speaker and quote.speaker.end <= quote.cue.start and quote.cue.end + 1 in self.names:
            found.add(id(self.names[quote.cue.end + 1]))
        if self.asked and self._cue_is(quote, _ANSWERS):
            found.add(id(self.asked))
        return found

    def _cue_is(self, quote: Quote, kind: re.Pattern[str]) -> bool:
        return quote.cue is not None and kind.match(self.text[quote.cue.start : quote.cue.end].lower()) is not None

    def _is_cited(self, quote: Quote, position: int) -> bool:
        """Whether a place in what is said is within marks."""
        before = "".join(self.text[span.start : min(span.end, position)] for span in quote.content if span.start < position)
        return before.count("«") > before.count("»") or before.count('"') % 2 == 1

    def _is_document(self, quote: Quote) -> bool:
        """Whether the speaker stands behind `в` with a cue that says what a document says."""
        assert quote.speaker is not None
        before = re.search(r"\bв\s+$", self.text[max(quote.speaker.start - 4, 0) : quote.speaker.start], re.I)
        return bool(before and quote.cue and _STATED.match(self.text[quote.cue.start : quote.cue.end].lower()))

    def _silent(self, number: int, quote: Quote, interview: Interview) -> Answer:
        if quote.cue is None:
            actor, evidence = interview.whose(number)
            if evidence:
                return Answer(actor, evidence)
            start = quote.content[0].start
            if self._is_introduced(start):
                return Answer(None, "unknown")
            return Answer(self._presented(start) or self.last, "floating")
        cue = self.text[quote.cue.start : quote.cue.end]
        own = next((word for word in cue.lower().split() if word in lexicon.POSSESSIVES), None)
        if own:  # `по его собственным словам`
            return self._nearest(quote, quote.cue.start, *lexicon.PRONOUNS[own], "pronoun")
        if body := self._beside(quote.cue):
            return Answer(Actor(body, ORGANISATION), "thing")
        if _THERE.search(self.text, max(quote.cue.start - 40, 0), quote.cue.start) and (house := self._house(quote.cue.start)):
            return Answer(house, "thing")
        subject = self._subject(quote.cue) if _is_converb(cue) else None
        if subject:
            return Answer(subject, "subject")
        noun = cue.lower().startswith("по ") or not phrases.is_verbal(self.text, quote.cue)  # `по имеющейся информации`
        if noun or _IMPERSONAL.search(self.text, max(quote.cue.start - 4, 0), quote.cue.end):
            return Answer(None, "impersonal")
        agreed = phrases.agreement(self.text, quote.cue)
        if agreed.gender == NEUTER or (agreed.number == "plur" and not self._goes_on(quote.cue.start)):
            return Answer(None, "impersonal")
        told = self._told_since(quote.cue.start, agreed)
        if told:
            return Answer(told, "subject")
        if self.last and (agreed.number == "plur" or antecedents.fits(self.last, agreed.gender, agreed.number)):
            return Answer(self.last, "dropped")
        return self._nearest(quote, quote.cue.start, agreed.gender, "sing", "subject")

    def _is_introduced(self, start: int) -> bool:
        """Whether a colon in a sentence of its own, without `он`, introduces what is said in marks: `В записке были слова: «…»`."""
        before = _INTRODUCED.search(self.text, max(start - 200, 0), start)
        if before is None or self.text[start] not in phrases.MARKS or not self.scene.sentences(self.last_at, start - 2):
            return False
        return re.search(r"\b(?:она?|они)\b", before[1], re.I) is None

    def _presented(self, start: int) -> Actor | None:
        """The one person whom all the paragraph before a quotation tells of, where nobody has spoken since it began."""
        head = self.text.rfind("\n", max(start - 5, 0), start) + 1
        base = max(head - 2000, 0)
        before = self.text[base:head].rstrip()
        begin = base + before.rfind("\n") + 1
        if not head or self.text[head:start].strip("—–- ") or begin <= self.last_at or before.endswith(":"):
            return None
        told = self.scene.within(begin, head)
        person, *others = {place.actor for place in told} or (None,)
        return person if person and not others and person.kind == PERSON and any(place.subject for place in told) else None

    def _beside(self, cue: Span) -> str | None:
        """The organisation in marks at the head of a clause that a verb right behind it speaks of: `«Die Welt» пишет`."""
        entity = next(self.others.before(cue.start, 60), None)
        if entity is None or entity.label not in lexicon.ORGANISATION_LABELS or not _CLOSED.fullmatch(self.text, entity.end, cue.start):
            return None
        speaks = phrases.is_verbal(self.text, cue) and phrases.agreement(self.text, cue).number != "plur"
        if not speaks or not _CLAUSE.search(self.text, max(entity.start - 25, 0), entity.start):
            return None
        return self._name(entity, NOMINATIVE)

    def _house(self, position: int) -> Actor | None:
        """Where `там` is: the organisation or paper that has just spoken, or that was named since."""
        entity = next((entity for entity in self.others.before(position, 250) if entity.label in lexicon.ORGANISATION_LABELS), None)
        spoke = self.last if self.last and self.last.kind != PERSON else None
        if entity is None or (spoke and entity.end <= self.last_at):
            return spoke if self.scene.sentences(self.last_at, position) <= 2 else None
        if self.scene.sentences(entity.start, position) > 1 or _ELSEWHERE.search(self.text, entity.end, position):
            return None
        return Actor(self._name(entity, CASES), ORGANISATION)

    def _name(self, entity: Span, cases: frozenset[str]) -> str:
        """The name of an organisation, the longest that the article has."""
        phrase = phrases.read(self.text, entity.start, entity.end, cases)
        return things.fuller(self.text, entity.start, entity.end, self.others) or phrases.designation(self.text, phrase, self.others)

    def _subject(self, cue: Span) -> Actor | None:
        """The subject nearest before a converb in its sentence, where whoever spoke last did so in another one."""
        if self.last and self.scene.sentences(self.last_at, cue.start) == 0:
            return None
        places = (place for place in self.scene.before(cue.start, antecedents.LOOK_BACK) if place.subject and not place.inside)
        return next((place.actor for place in places if self.scene.sentences(place.start, cue.start) == 0), None)

    def _told_since(self, position: int, agreed: phrases.Agreement) -> Actor | None:
        """The subject of the sentence before, or of this one, where that is somebody else than who spoke last."""
        for place in self.scene.before(position, antecedents.LOOK_BACK):
            if place.start < self.last_at or self.scene.sentences(place.start, position) > 1:
                return None
            if place.subject and not place.inside and place.actor.kind == PERSON:
                return place.actor if antecedents.fits(place.actor, agreed.gender, agreed.number) and place.actor is not self.last else None
        return None

    def _goes_on(self, position: int) -> bool:
        """Whether many who spoke last, or an office, may be the subject of a plural verb: it stands in the same sentence."""
        many = self.last is not None and (self.last.kind != PERSON or self.last.number == "plur")
        return many and self.scene.sentences(self.last_at, position) == 0

    # --- designations

    def _designated(self, quote: Quote) -> Answer:
        assert quote.speaker is not None
        self._refer(quote.speaker.start)
        context = context_of(self.text, quote)
        whole = phrases.read(self.text, quote.speaker.start, quote.speaker.end, context.cases)
        phrase = self._stripped(whole, context)
        head = phrase.head
        if head is None:
            return Answer(Actor(self._thing(phrase), actors.OTHER, None, None), "thing")
        owner = self._owner(whole) if head.animate or head.lemma in lexicon.STAFFS else None
        source = self._source(phrase, quote.speaker) if head.number == "sing" else None
        if source:
            return source
        entity = self.others.at(quote.speaker.start)
        named = entity is not None and entity.end >= quote.speaker.end
        somebody = phrase.lemmas & lexicon.SOMEBODY or self.text[quote.speaker.start] in phrases.MARKS or named
        if head.animate and head.number == "sing" and not somebody:
            gender = phrases.strict_gender(head) or context.gender
            answer = self._meant(quote, phrase, gender, owner is not None)
            if answer:
                return answer
        counted = things.counted(self.text, phrase.start, phrase.text, head.case)
        if counted:
            return Answer(Actor(counted, actors.OTHER, head.gender), "thing")
        earlier = None if owner else self._earlier(phrase) or self._described(phrase, head)
        if earlier:
            return Answer(earlier, "earlier")
        actor = self._new(phrase, head, owner)
        self.designated.setdefault((head.lemma, head.number), []).append(actor)
        return Answer(actor, "designation" if head.animate else "thing")

    def _new(self, phrase: Phrase, head: Head, owner: Actor | None) -> Actor:
        name = self._thing(phrase)
        if owner:
            name = f"{name.partition(' ')[2] or name} {genitive(owner.name, owner.gender)}"
        kind = PERSON if head.animate or head.lemma == "источник" else ORGANISATION
        return Actor(name, kind, head.gender, head.number, [phrase.lemmas])

    def _earlier(self, phrase: Phrase) -> Actor | None:
        """Whoever was designated before with the same words and more; never for bare `СМИ`, which may be others each time."""
        assert phrase.head is not None
        if phrase.words == ("СМИ",):
            return None
        for actor in reversed(self.designated.get((phrase.head.lemma, phrase.head.number), ())):
            if phrase.lemmas <= actor.titles[0] and ("и" in phrase.words or not _are_two(actor.name)):
                return actor
        return None

    def _described(self, phrase: Phrase, head: Head) -> Actor | None:
        """Whom `женщина` means, if the sentences before it tell of her by more words: `71-летняя жительница района`."""
        if head.lemma not in lexicon.ANYBODY or head.number != "sing" or len(phrase.words) > 1:
            return None
        told = [place.actor for place in self._told(phrase.start, "sing")]
        return next((actor for actor in reversed(told) if actor.gender == head.gender and " " in actor.name), None)

    def _owner(self, phrase: Phrase) -> Actor | None:
        """Whose somebody is: `его отец`."""
        first = phrase.words[0]
        if first.lower() not in lexicon.POSSESSIVES or len(phrase.words) != 2:
            return None
        ranked = antecedents.ranked(self.scene, phrase.start, *lexicon.PRONOUNS[first.lower()])
        owner = next((actor for _, actor in ranked if actor.kind == PERSON), None)
        nameless = owner is not None and owner.name[:1].islower() and (owner.number == "plur" or " " in owner.name)
        return None if nameless else owner  # not `родственники родственники погибших`

    def _stripped(self, phrase: Phrase, context: people.Context) -> Phrase:
        """Leave out `сам`, `этот`, `свой` and, before things, `его`."""
        count = 0
        while count < len(phrase.words) - 1 and (
            phrases.lemma(phrase.words[count]) in lexicon.EMPTY
            or (phrase.words[count].lower() in lexicon.POSSESSIVES and phrase.head and not phrase.head.animate)
        ):
            count += 1
        if not count:
            return phrase
        start = phrase.bounds[count][0]
        return phrases.read(self.text, start - (self.text[start - 1] in phrases.MARKS), phrase.end, context.cases)

    def _thing(self, phrase: Phrase) -> str:
        if not phrase.bounds:
            return phrase.text
        start, end = phrase.bounds[0][0], phrase.bounds[-1][1]
        head = phrase.head
        full = things.fuller(self.text, start, end, self.others)
        if full:
            return full
        theirs = not lexicon.POSSESSIVES.isdisjoint(self.text[max(start - 5, 0) : start].lower().split()[-1:])  # `его партия`
        bodies = frozenset() if theirs else lexicon.BODIES
        if head and len(phrase.words) == 1 and head.lemma in bodies | lexicon.ANY_DOCUMENT | lexicon.DOCUMENTS:
            found = things.meaning(self.text, start, head, self.others)
            if found:
                return found
        bare = things.bare_name(self.text, start, phrase.end)
        if bare:  # `компания Opera` may be `Opera Software`
            at = self.text.index(bare, start)
            return things.fuller(self.text, at, at + len(bare), self.others) or bare
        name = things.without_marks(phrases.designation(self.text, phrase, self.others))
        return name + things.close_to(self.text, end) if head and head.lemma == "источник" else name

    def _meant(self, quote: Quote, phrase: Phrase, gender: str | None, owned: bool) -> Answer | None:
        """Who was given this title before, or else whom the noun means: the woman, the actor; None for somebody whom nobody has named."""
        assert quote.speaker is not None
        inside = {id(self.names[start]) for start in range(quote.speaker.start, quote.speaker.end) if start in self.names}
        found = designees.ranked(self.scene, quote.speaker.start, phrase, gender, inside | self._others(quote), self._titles)
        share, actor = found[0]
        return Answer(actor, "noun", share) if actor and not owned else None

    def _titles(self, actor: Actor) -> list[frozenset[str]]:
        """What an actor is called by; looked for when somebody asks, for most articles never do.

        No title runs back over words behind another person's name: `считает Оливер Стоун, а президент Путин`.
        """
        while actor.places:
            start, end = actor.places.pop()
            other = next((place.end for place in self.scene.before(start, 8) if place.start in self.names), 0)
            parted = self.text[other:start].strip(" ,-") not in ("", "и")
            actor.titles.extend(actors.titles_of(self.text, start, end, other if parted else 0))
        return actor.titles

    def _source(self, phrase: Phrase, speaker: Span) -> Answer | None:
        """Whom `источник`, `собеседник издания` means again: who has spoken without a name, or was told of so."""
        assert phrase.head is not None
        rest = phrase.words[phrase.head.index + 1 :]
        if phrase.head.lemma not in lexicon.SOURCES:
            return None
        allowed = phrase.head.lemma == "собеседник" and all(phrases.lemma(word) in lexicon.OUTLETS or word[0].isupper() for word in rest)
        if phrase.head.index or (rest and not allowed) or things.close_to(self.text, speaker.end):
            return None
        last = self.last if rest and rest[0][0].isupper() and self.scene.paragraphs(self.last_at, speaker.start) == 0 else None
        if last and last.kind == PERSON and last.name[:1].isupper() and last.gender != FEMININE and last.number == "sing":
            return Answer(last, "noun")  # `собеседник RT`, who has just spoken
        for place in self.scene.before(speaker.start, antecedents.LOOK_BACK):
            if place.spoke and place.actor.kind == PERSON and place.actor.number == "sing" and place.actor.name[:1].islower():
                return Answer(place.actor, "noun")
        told = things.last_source(self.text, speaker.start, self.others)
        return Answer(Actor(told, PERSON, MASCULINE), "noun") if told else None


def _are_two(name: str) -> bool:
    """Whether a name is that of two things together: `Минобороны РФ и агентство «Заря»`."""
    _, _, other = name.partition(" и ")
    head = find_head(tuple(phrases.WORD.findall(other)))
    return head is not None and head.case == "nomn"


def _is_converb(cue: str) -> bool:
    return any(parse.tag.POS == "GRND" for parse in known_parses(cue.split()[-1])[:1])
