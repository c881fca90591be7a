"""Noun phrases as the silver syntax gives them, mended by marks and names: where a speaker starts and ends."""

from __future__ import annotations

from govorit.rules.document import LEFT, Document
from govorit.rules.lexicon import DASHES, ITALICS, NOMINAL, NOMINALS, OUTER, POSSESSIVES, TIMES

Ends = dict[int, int]  # the last tokens of phrases that have been found, by their nouns


def find_phrase(document: Document, noun: int, ends: Ends | None = None) -> tuple[int, int]:
    """Find the first and last token of a noun's phrase: title, affiliation and name, no clause, bracket or preposition.

    `ends` are those of the phrases within this one: appositions are looked at from every phrase before them, and found once.
    """
    first, last = document.sentence(noun)
    left = right = noun
    while left > first and _belongs(document, left - 1, noun):
        left -= 1
    while right + 1 < last and not _is_adjunct(document, right + 1, noun):
        end = _name_in_marks(document, right, noun)
        if end is None and not _belongs(document, right + 1, noun):
            break
        right = end if end is not None else right + 1
    while left < noun and (document.forms[left].startswith(OUTER) or document.words[left] == "." or not _same_case(document, left, noun)):
        left += 1
    while right > noun and (document.forms[right].startswith(OUTER) or document.words[right] in (",", ".", "и")):
        right -= 1
    left -= left > first and document.words[left - 1] in POSSESSIVES and not document.taken[left - 1]
    named = _with_name(document, left, right, noun, last)
    return left, _with_apposition(document, left, named, noun, last, {} if ends is None else ends)


def _with_apposition(document: Document, left: int, right: int, noun: int, last: int, ends: Ends) -> int:
    """The last token of a phrase with the appositions behind a comma: `автор закона, депутат Ли`, `Ли, автор закона,`."""
    if right + 3 > last or document.words[right + 1] not in (",", "и"):
        return right
    head = next((t for t in range(right + 2, last) if not document.forms[t].startswith(("ADJ", "DET", "NUM", "ADV"))), last)
    if head == last or not document.forms[head].startswith(("NOUN", "PROPN")) or case(document, head) != case(document, noun):
        return right
    if head not in ends:
        ends[head] = find_phrase(document, head, ends)[1]
    end, hung = ends[head], document.heads[head]
    inside = left <= hung <= right and (document.relations[head] == "appos" or _is_title(document, left, head))
    named = "B-PER" in document.entities[right + 1 : end + 1] and "B-PER" not in document.entities[left : right + 1]
    if document.taken[head] or not (inside or (named and (hung in (document.heads[noun], LEFT) or 0 <= hung < left))):
        return right
    return _with_apposition(document, left, end, noun, last, ends)


def _is_title(document: Document, left: int, head: int) -> bool:
    """Whether a noun goes on with a title, `актёр, продюсер и режиссёр Ли`: no name stands before it."""
    return document.relations[head] == "conj" and "Animacy=Anim" in document.forms[head] and "B-PER" not in document.entities[left:head]


def _is_adjunct(document: Document, token: int, noun: int) -> bool:
    """Whether a preposition opens what goes with the verb: `Ли по рации`, `она у ворот`, `письме от 12 марта`, `в августе`."""
    words = document.words
    if not document.forms[token].startswith("ADP") or token + 1 >= len(words):
        return False
    named = document.entities[token - 1].endswith("PER") or "Person=" in document.forms[noun]
    dated = words[token + 1] in TIMES or words[token + 1].isdigit()
    return dated or words[token] in ("без", "у") or (named and words[token] not in ("из", "от"))


def _with_name(document: Document, left: int, right: int, noun: int, last: int) -> int:
    """The last token of a phrase with the name that it ends amid, or that stands right behind a title, whatever the syntax says."""
    entities, marked, bracketed = document.entities, document.marked, False
    titled = "Animacy=Anim" in document.forms[noun] and "B-PER" not in entities[left : right + 1]
    for token in range(right + 1, last):
        initial = len(document.words[token]) == 1
        name = titled and entities[token] == "B-PER" and (initial or case(document, token) == case(document, noun))
        if not (name or entities[token].startswith("I-")) or document.taken[token] or (marked[token] and not marked[token - 1]):
            break
        bracketed = document.words[token] == "(" or (bracketed and document.words[token - 1] != ")")
        right, titled = right if bracketed else token, titled and not name
    return right


def _same_case(document: Document, token: int, noun: int) -> bool:
    """Whether a noun or adjective on the left edge can go with the noun: a genitive there hangs on something else."""
    one, other = case(document, token), case(document, noun)
    return not document.forms[token].startswith(("NOUN", "PROPN")) or one == other


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
    closing = document.opens.get(document.starts[token])
    end = document.token(closing) if closing is not None else token
    if not token + 1 < end < token + 12 or document.text[document.starts[token + 1]].islower():
        return None
    inner = next((t for t in range(token + 1, end) if not token < document.heads[t] < end and document.heads[t] >= 0), None)
    form = document.forms[inner] if inner is not None else ""
    addressee = "Case=Dat" in form and "Case=Dat" not in document.forms[before]
    common = document.forms[before].startswith(("NOUN", "ADP")) and document.entities[before] == "O"
    common = common or document.text[document.starts[before] : document.ends[before]].isupper()  # `ООО «Север»`
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
    if word in TIMES and "Case=Gen" not in document.forms[token]:
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


def case(document: Document, token: int) -> str:
    """Name the case of a token, empty where it has none; of animate nouns the accusative counts as the genitive that it mostly is."""
    found = document.forms[token].partition("Case=")[2][:3]
    return "Gen" if found == "Acc" and "Animacy=Anim" in document.forms[token] else found


def agrees(document: Document, noun: int, verb: int) -> bool:
    """Whether the number of a subject is that of its verb."""
    return ("Number=Plur" in document.forms[noun]) == ("Number=Plur" in document.forms[verb])


def hangs(document: Document, token: int) -> bool:
    """Whether a clause on what comes before its comma starts at a token: relative, participial or with a converb."""
    words, forms = document.words[token : token + 2], document.forms
    verb = token + (words[:1] == ["не"] and len(words) > 1)
    if any(word.startswith("котор") for word in words) or "VerbForm=Conv" in forms[verb]:
        return True
    nouns = (t for t in range(document.sentence(token)[0], token) if forms[t].startswith(NOMINALS))
    return "VerbForm=Part" in forms[verb] and any(case(document, verb) == case(document, t) and agrees(document, verb, t) for t in nouns)
