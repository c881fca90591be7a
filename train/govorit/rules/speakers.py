"""Who speaks: subjects and other phrases that a reporting verb names its speaker by."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace

from govorit.article import Quote
from govorit.rules.document import RIGHT, Document
from govorit.rules.lexicon import (
    DASHES,
    IMPERSONAL,
    NOMINALS,
    NOWHERE,
    OUTLETS,
    OWNED,
    PASSING,
    POSSESSIVES,
    QUOTING,
    STOPS,
    TIMES,
)
from govorit.rules.phrases import agrees, case, find_phrase


def say(document: Document, contents: Sequence[tuple[int, int]], cue: int, kind: str = "") -> bool:
    """Note what a verb reports, contents in characters, with who speaks; False where its place is taken."""
    return document.add(contents, cue, find_speaker(document, cue, *_frame(document, cue, contents)), kind)


def pass_back(document: Document) -> list[Quote]:
    """Give each speaker to the first cue behind it, in the quotations of a document.

    Of `Ли заявил, что …, и добавил: «…»` the rules may come upon `добавил` first.
    """
    speakers = {quote.cue: quote.speaker for quote in document.said if quote.cue}
    cues = sorted(speakers, key=lambda cue: cue.start)
    for number, cue in enumerate(cues):
        speaker = speakers[cue]
        if speaker is None or document.sentence(document.token(speaker.start)) != document.sentence(document.token(cue.start)):
            continue
        between = cues[bisect_left(cues, speaker.end, key=lambda earlier: earlier.start) : number]
        if bare := next((earlier for earlier in between if speakers[earlier] is None), None):
            speakers[bare], speakers[cue] = speaker, None
    return [
        quote if quote.cue is None or speakers[quote.cue] == quote.speaker else replace(quote, speaker=speakers[quote.cue])
        for quote in document.said
    ]


def _frame(document: Document, cue: int, contents: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The first token of the sentence that reports, and the one after its last: what lies around the cue and outside of the contents."""
    first, last = document.sentence(cue)
    converb = "VerbForm=Conv" in document.forms[cue]  # `Заявив, что …, Ли ушёл`
    for start, end in contents:
        if end <= document.starts[cue]:
            first = max(first, document.token(end))
        elif not converb:
            last = min(last, document.token(start))
    return first, last


def find_speaker(document: Document, cue: int, first: int, last: int, seen: frozenset[int] = frozenset()) -> tuple[int, int] | None:
    """Find the noun phrase of who speaks, first and last token: the subject of the cue, or of the verb that it is joined to.

    It is looked for among the tokens `first` to `last` (excluded). `seen` are the verbs that led here: silver syntax may go in circles.
    """
    verb, heads, relations = cue, document.heads, document.relations
    if (source := _referred(document, cue, first, last) or _quoted(document, cue, last)) is not None:
        return source
    for _ in range(3):
        subject = find_subject(document, verb, first, last)
        if subject is not None and not (document.marked[subject] and "Case=Nom" not in document.forms[subject]):
            if document.words[subject].startswith("котор"):
                subject = heads[verb] if relations[verb].startswith("acl") else -1
                return find_phrase(document, subject) if subject >= 0 else None
            return find_phrase(document, subject)
        if relations[verb] in ("acl", "amod") and "VerbForm=Part" in document.forms[verb] and heads[verb] >= 0:
            return find_phrase(document, heads[verb])
        if relations[verb] not in ("conj", "advcl", "xcomp") or not first <= heads[verb] < last:
            break
        verb = heads[verb]
        if document.is_report(verb):
            blocked = verb in seen or (relations[cue] == "conj" and document.taken[verb])
            return None if blocked else find_speaker(document, verb, first, last, seen | {cue})
    return _place(document, cue, first, last) or _nearest(document, cue, first, last)


def _referred(document: Document, cue: int, first: int, last: int) -> tuple[int, int] | None:
    """Whom an outlet refers to: `со ссылкой на источник`, `ссылаясь на источники`, `следует из доклада`."""
    words = document.words
    for token in range(max(first - 1, cue - 12), min(last - 2, cue + 12)):
        referring = words[token] in ("ссылкой", "ссылаясь") and words[token + 1] == "на"
        if referring or (words[cue] == "следует" and words[token + 1] == "из"):
            noun = document.heads[token + 1]
            if token + 1 < noun < last and not document.taken[noun] and words[noun] != "то":
                start, end = find_phrase(document, noun)
                start = max(start, token + 2)
                if words[start].startswith(("данн", "слова", "сообщени", "информац")) and end > start and words[start + 1] != ",":
                    owner = (t for t in range(start + 1, end + 1) if document.heads[t] >= 0)
                    start = next(owner, start)
                return start, end
    return None


def _quoted(document: Document, cue: int, last: int) -> tuple[int, int] | None:
    """Whom an outlet quotes: `цитирует РИА Чайку`, `приводит газета слова Чайки`, `передал её слова переводчик`."""
    words, forms = document.words, document.forms
    if not words[cue].startswith(QUOTING):
        return None
    start = token = cue + 1
    while token < min(last, cue + 14) and words[token] not in (",", ".", ":") and not forms[token].startswith("ADP"):
        if words[token].startswith(OWNED):
            return (token - 1, token - 1) if words[token - 1] in POSSESSIVES else _phrase_at(document, token + 1, last)
        outlet = words[token].startswith(OUTLETS) or document.marked[token] or document.entities[token].endswith("ORG")
        named = "Case=Nom" in forms[token] and document.entities[token] != "O"
        if forms[token].startswith(NOMINALS) and not (outlet or named or words[cue].startswith(PASSING)):
            return start, find_phrase(document, token)[1]
        token += 1
        start = token if outlet or not forms[token - 1].startswith(("ADJ", "DET")) else start
    return None


def _phrase_at(document: Document, first: int, last: int) -> tuple[int, int] | None:
    """The phrase that starts at a token."""
    noun = next((t for t in range(first, min(last, first + 7)) if document.forms[t].startswith(NOMINALS)), None)
    return (first, find_phrase(document, noun)[1]) if noun is not None else None


def _place(document: Document, cue: int, first: int, last: int) -> tuple[int, int] | None:
    """The body or the document `в` which something is said: `в холдинге заявили`, `говорится в письме`."""
    form, words = document.forms[cue], document.words
    stated = words[cue].endswith(IMPERSONAL)
    if not ("Number=Plur" in form or stated) or (stated and words[cue].startswith(NOWHERE)):
        return None
    found = None
    for token in [*range(cue + 1, min(last, cue + 6)), *range(cue - 1, first - 1, -1)]:
        noun = document.heads[token] if document.relations[token] == "case" else -1
        if noun <= token or noun - token > 7 or not _is_place(document, token, noun, stated):
            continue
        if words[noun].startswith("котор"):
            antecedent = document.heads[cue] if document.relations[cue].startswith("acl") else -1
            return find_phrase(document, antecedent) if antecedent >= 0 else None
        start, end = find_phrase(document, noun)
        if document.heads[noun] == cue:
            return max(start, token + 1), end
        found = found or (max(start, token + 1), end)
    return found


def _is_place(document: Document, token: int, noun: int, stated: bool) -> bool:
    """Whether a preposition and its noun can name who speaks."""
    if document.relations[noun] not in ("obl", "nmod", "nsubj") or document.taken[noun] or document.words[noun] == "том":
        return False
    if document.words[token] not in ("в", "во", "на"):
        return (
            document.words[token - 1].startswith("сообщ") and document.words[token] == "из" and not document.entities[noun].endswith("LOC")
        )
    timely = not TIMES.isdisjoint(document.words[token + 1 : noun + 1]) and not (stated and document.words[noun] == "интервью")
    return "Case=Loc" in document.forms[noun] and not timely


def _nearest(document: Document, cue: int, first: int, last: int) -> tuple[int, int] | None:
    """The nearest nominative beside the cue, where the syntax sees no subject."""
    form, word, before = document.forms[cue], document.words[cue], document.words[cue - 1]
    if word.endswith(("в", "вшись", "но")) or any(part in form for part in ("Voice=Pass", "VerbForm=Conv", "Person=1", "Person=2")):
        return None
    noun = _nominative_behind(document, cue, last) if cue == first or before in DASHES or before in (",", "как") else None
    if noun is None:
        noun = _nominative_before(document, cue, first)
    if noun is None:
        noun = _nominative_behind(document, cue, last)
    return find_phrase(document, noun) if noun is not None else None


def _nominative_behind(document: Document, cue: int, last: int) -> int | None:
    """What may speak behind a cue; behind a dash, `— сказал, не поднимая глаз, Ли`, also a name of whatever case."""
    words, named, dashed = document.words, None, document.words[cue - 1] in DASHES
    for token in _outside(document, range(cue + 1, last), cue):
        if words[token] in STOPS or words[token] in DASHES or words[token] == ":" or document.is_finite(token):
            break
        if words[token] == "," and not dashed and not "".join(words[token + 1 : token + 2]).isdigit():
            break
        if _may_speak(document, token, cue):
            return token
        named = token if dashed and document.entities[token] == "B-PER" and agrees(document, token, cue) else named
    return named


def _nominative_before(document: Document, cue: int, first: int) -> int | None:
    """What may speak before a cue: the nearest one in its sentence, as in `Ли, не назвав имени, сказал`."""
    for token in _outside(document, range(cue - 1, first - 1, -1), cue):
        if token in document.cues or document.words[token] in STOPS or document.words[token] == ":":
            break
        if _may_speak(document, token, cue):
            return _topmost(document, token, first)
    return None


def _outside(document: Document, tokens: range, cue: int) -> Iterator[int]:
    """The tokens that no marks hold, unless they hold the cue as well."""
    return (token for token in tokens if not document.marked[token] or document.marked[cue])


def _may_speak(document: Document, noun: int, verb: int) -> bool:
    relative = document.words[noun].startswith(("кто", "что", "котор"))
    animate = "Animacy=Inan" not in document.forms[noun] or not document.words[verb].endswith("ся")
    animate = animate and not document.entities[noun].endswith("LOC")
    return animate and not document.taken[noun] and not relative and document.is_nominative(noun) and agrees(document, noun, verb)


def _topmost(document: Document, noun: int, first: int) -> int:
    """The noun that a name goes with: `директор` of `директор Иван Ли`."""
    while document.entities[noun] == "I-PER" and noun > first:
        noun -= 1
    while document.relations[noun] in ("appos", "flat:name", "flat:foreign") and first <= (head := document.heads[noun]) < noun:
        if not document.is_nominative(head):
            break
        noun = head
    return noun


def find_subject(document: Document, verb: int, first: int, last: int) -> int | None:
    """Find the subject of a verb in its sentence, also the only one whose verb is too far for the syntax to say which."""
    for token in range(max(first, verb - 12), min(last, verb + 13)):
        if document.heads[token] != verb or not document.relations[token].startswith("nsubj") or document.words[token] in ("это", "то"):
            continue
        if case(document, token) != "Gen" or "Animacy=Anim" not in document.forms[token] or agrees(document, token, verb):
            return token
    far = [t for t in range(first, verb - 12) if document.heads[t] == RIGHT and document.relations[t].startswith("nsubj")]
    return far[0] if len(far) == 1 and agrees(document, far[0], verb) else None


def has_subject(document: Document, verb: int) -> bool:
    """Whether a subject comes behind a verb."""
    first, last = document.sentence(verb)
    subject = find_subject(document, verb, first, last)
    if subject is not None:
        return subject > verb
    return has_nominative_behind(document, verb, last)


def has_nominative_behind(document: Document, verb: int, last: int) -> bool:
    """Whether a subject may stand within five words behind a verb, or `в`, as in `стояло в записке`."""
    if verb + 1 < last and document.words[verb].endswith(("ло", "лось", "тся")) and document.words[verb + 1] == "в":
        return True
    return any(document.is_nominative(token) for token in range(verb + 1, min(last, verb + 6)))
