"""Who speaks: subjects and other phrases that a reporting verb names its speaker by."""

from __future__ import annotations

from govorit.rules.document import RIGHT, Document
from govorit.rules.lexicon import DASHES, ITALICS, NOMINAL, OUTER, POSSESSIVES, QUOTING, TIMES


def find_speaker(document: Document, cue: int, seen: frozenset[int] = frozenset()) -> tuple[int, int] | None:
    """Find the noun phrase of who speaks, first and last token: the subject of the cue, or of the verb that it is joined to.

    `seen` are the verbs that led here: silver syntax may go in circles.
    """
    first, last = document.sentence(cue)
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
        if relations[verb] not in ("conj", "advcl", "xcomp") or heads[verb] < 0:
            break
        verb = heads[verb]
        if document.is_report(verb):
            blocked = verb in seen or (relations[cue] == "conj" and document.taken[verb])
            return None if blocked else find_speaker(document, verb, seen | {cue})
    return _place(document, cue, first, last) or _follower(document, cue, last)


def _referred(document: Document, cue: int, first: int, last: int) -> tuple[int, int] | None:
    """Whom an outlet refers to: `со ссылкой на источник`, `ссылаясь на источники`, `следует из доклада`."""
    words = document.words
    for token in range(max(first, cue - 12), min(last - 2, cue + 12)):
        referring = words[token] in ("ссылкой", "ссылаясь") and words[token + 1] == "на"
        if referring or (words[cue] == "следует" and words[token + 1] == "из"):
            noun = document.heads[token + 1]
            if token + 1 < noun < last and not document.taken[noun] and words[noun] != "то":
                start, end = find_phrase(document, noun)
                start = max(start, token + 2)
                if words[start].startswith(("данн", "слова", "сообщени", "информац")) and end > start and words[start + 1] != ",":
                    owner = (t for t in range(start + 1, end + 1) if document.heads[t] >= 0 and document.relations[t] != "amod")
                    start = next(owner, start)
                return start, end
    return None


def _quoted(document: Document, cue: int, last: int) -> tuple[int, int] | None:
    """Whom an outlet quotes: `цитирует РИА Чайку`, `приводит газета слова Чайки`."""
    if not document.words[cue].startswith(QUOTING):
        return None
    for token in range(cue + 1, min(last, cue + 12)):
        if document.heads[token] == cue and document.relations[token] in ("obj", "iobj", "obl") and "Case=Nom" not in document.forms[token]:
            owned = document.words[token].startswith(("слова", "обращени", "заявлени", "ответ"))
            noun = next((t for t in range(token + 1, min(last, token + 7)) if document.heads[t] == token), token) if owned else token
            if document.relations[token - 1] == "case":
                continue
            start, end = find_phrase(document, noun)
            return max(start, token + owned), end
    return None


def _place(document: Document, cue: int, first: int, last: int) -> tuple[int, int] | None:
    """The body or the document `в` which something is said: `в холдинге заявили`, `говорится в письме`."""
    form, words = document.forms[cue], document.words
    if not ("Number=Plur" in form or words[cue].endswith(("тся", "но", "лось"))):
        return None
    for token in [*range(cue + 1, min(last, cue + 6)), *range(cue - 1, first - 1, -1)]:
        if words[token] not in ("в", "во", "на") or token + 1 >= last:
            continue
        noun = document.heads[token] if document.relations[token] == "case" else -1
        if noun <= token or "Case=Loc" not in document.forms[noun] or not TIMES.isdisjoint(words[token + 1 : noun + 1]):
            continue
        if document.relations[noun] in ("obl", "nmod", "nsubj") and noun - token < 8:
            start, end = find_phrase(document, noun)
            return max(start, token + 1), end
    return None


def _follower(document: Document, cue: int, last: int) -> tuple[int, int] | None:
    """The nominative right behind the cue, where the syntax sees no subject."""
    if cue + 1 >= last or document.words[cue].endswith(("тся", "в", "вшись")):
        return None
    token = cue + 1
    while token < last and document.marked[token] and not document.marked[cue]:
        token += 1
    while token < last and document.forms[token].startswith(("ADJ", "DET")) and "Case=Nom" in document.forms[token]:
        token += 1
    return find_phrase(document, token) if token < last and document.is_nominative(token) else None


def find_subject(document: Document, verb: int, first: int, last: int) -> int | None:
    """Find the subject of a verb in its sentence, also the only one whose verb is too far for the syntax to say which."""
    for token in range(max(first, verb - 12), min(last, verb + 13)):
        if document.heads[token] == verb and document.relations[token].startswith("nsubj") and document.words[token] not in ("это", "то"):
            return token
    far = [t for t in range(first, verb - 12) if document.heads[t] == RIGHT and document.relations[t].startswith("nsubj")]
    return far[0] if len(far) == 1 and agrees(document, far[0], verb) else None


def has_subject(document: Document, verb: int) -> bool:
    """Whether a subject comes behind a verb that is in the third person."""
    if "Person=1" in document.forms[verb] or "Person=2" in document.forms[verb]:
        return False
    first, last = document.sentence(verb)
    subject = find_subject(document, verb, first, last)
    if subject is not None:
        return subject > verb
    return has_nominative_behind(document, verb, last)


def has_nominative_behind(document: Document, verb: int, last: int) -> bool:
    """Whether a subject may stand within five words behind a verb, or `в`, as in `стояло в записке`."""
    if verb + 1 < last and document.words[verb].endswith(("ло", "лось", "тся")) and document.words[verb + 1] == "в":
        return True
    if verb + 1 < last and document.forms[verb + 1].startswith("PROPN") and document.text[document.starts[verb + 1]].isupper():
        return True
    return any(document.is_nominative(token) for token in range(verb + 1, min(last, verb + 6)))


def agrees(document: Document, noun: int, verb: int) -> bool:
    """Whether the number of a subject is that of its verb."""
    return ("Number=Plur" in document.forms[noun]) == ("Number=Plur" in document.forms[verb])


def find_phrase(document: Document, noun: int) -> tuple[int, int]:
    """Find the first and last token of a noun's phrase: title, affiliation and name, no clause, bracket or preposition."""
    first, last = document.sentence(noun)
    left = right = noun
    while left > first and _belongs(document, left - 1, noun):
        left -= 1
    while right + 1 < last:
        end = _name_in_marks(document, right, noun)
        if end is None and not _belongs(document, right + 1, noun):
            break
        right = end if end is not None else right + 1
    while left < noun and (document.forms[left].startswith(OUTER) or document.words[left] == "." or not _same_case(document, left, noun)):
        left += 1
    while right > noun and (document.forms[right].startswith(OUTER) or document.words[right] in (",", ".", "и")):
        right -= 1
    left -= left > first and document.words[left - 1] in POSSESSIVES and not document.taken[left - 1]
    return left, right


def _same_case(document: Document, token: int, noun: int) -> bool:
    """Whether a noun or adjective on the left edge can go with the noun: a genitive there hangs on something else."""
    form = document.forms[token]
    if not form.startswith(("NOUN", "PROPN")) or "Case=" not in form or "Case=" not in document.forms[noun]:
        return True
    return form.split("Case=")[1][:3] == document.forms[noun].split("Case=")[1][:3]


def _name_in_marks(document: Document, before: int, noun: int) -> int | None:
    """The closing mark of a name in marks right behind a token of a phrase: `газета «Труд»`, ``газета ''Time''``."""
    token = before + 1
    word = document.words[token]
    if word in ITALICS:
        until = range(token + 1, min(len(document.words) - 1, token + 10))
        end = next((t for t in until if document.words[t] in ITALICS and document.words[t - 1] not in ITALICS), None)
        return end + (document.words[end + 1] == "'") if end is not None else None
    if not document.marked[token] or document.marked[before] or document.taken[token]:
        return None
    end = next((t for t in range(token + 1, min(len(document.words), token + 12)) if not document.marked[t]), None)
    if end is None or not document.text[document.starts[token + 1]].isupper():
        return None
    inner = next((t for t in range(token + 1, end) if not token < document.heads[t] < end and document.heads[t] >= 0), None)
    form = document.forms[inner] if inner is not None else ""
    addressee = "Case=Dat" in form and "Case=Dat" not in document.forms[before]
    common = document.forms[before].startswith("NOUN") and document.entities[before] == "O"
    return end - 1 if not addressee and (common or (inner is not None and _belongs(document, inner, noun))) else None


def _belongs(document: Document, token: int, noun: int) -> bool:
    """Whether a token hangs on the noun by nominal relations only."""
    word = document.words[token]
    if document.taken[token] or (document.marked[token] and not document.marked[noun]):
        return False
    touching = document.ends[token - 1] == document.starts[token] if token else False
    if word == ".":
        after = document.ends[token] == document.starts[token + 1] if token + 1 < len(document.words) else False
        return touching and (len(document.words[token - 1]) <= 2 or after)
    if token and document.words[token - 1] == "." and token > noun and (touching or document.forms[token].startswith("PROPN")):
        return True
    if word in TIMES or (document.forms[token].startswith("ADP") and TIMES.intersection(document.words[token + 1 : token + 2])):
        return False
    if word in ",():;" or word in ITALICS or word in DASHES or document.is_finite(token):
        return False
    for _ in range(8):
        if token == noun:
            return True
        if token < 0 or document.relations[token] not in NOMINAL:
            return False
        token = document.heads[token]
    return False
