"""Indirect speech: a clause that a verb reports, or a sentence with an attribution beside it or inside it."""

from __future__ import annotations

from govorit.rules.document import Document
from govorit.rules.lexicon import (
    CONNECTIVES,
    DASHES,
    DOCUMENTS,
    GUESSING,
    ITALICS,
    POSSESSIVES,
    QUESTIONS,
    RELATIVES,
    SHORT,
    SOURCES,
    STOPS,
    THAT,
    THAT_WORDS,
)
from govorit.rules.phrases import agrees, find_phrase, hangs
from govorit.rules.speakers import find_speaker, find_subject, has_subject, say


def mark_headline(document: Document) -> None:
    """`Роскомнадзор: внесение в реестр не связано с законом`, a first line without a full stop."""
    last = document.paragraphs[1]
    words, starts, ends = document.words, document.starts, document.ends
    colon = next((t for t in range(1, min(last - 3, 8)) if words[t] == ":" and starts[t + 1] > ends[t]), None)
    if colon is None or len(document.paragraphs) < 3 or words[last - 1] in STOPS or document.marked[colon + 1]:
        return
    if words[0] == "сми" or (document.entities[0] in ("B-ORG", "B-PER") and "B-LOC" not in document.entities[:colon]):
        document.add([(starts[colon + 1], ends[last - 1])], None, (0, colon - 1))


def mark_that(document: Document) -> None:
    """`X сообщил, что …`, `X спросил, почему …`, `X возражает: …`."""
    for cue in range(len(document.words) - 3):
        if document.marked[cue] or (document.taken[cue] and cue not in document.cues) or not document.is_report(cue, THAT):
            continue  # a cue may have its quotation behind a colon already, `признал, что …: «…»`
        last = document.sentence(cue)[1]
        opening = find_clause(document, cue, last)
        if opening is None:
            continue
        stop = _end_of_report(document, cue, opening, last)
        content = _trimmed(document, opening, _clause_end(document, cue, opening, stop))
        if content:
            say(document, [content], cue)


def mark_fronted(document: Document) -> None:
    """`Куда они делись, в полиции не сказали`: a question before the verb that leaves it open."""
    words = document.words
    for cue in range(3, len(words)):
        if words[cue - 1] != "не" or document.taken[cue] or document.marked[cue] or not document.is_report(cue):
            continue
        begin = document.sentence(cue)[0]
        comma = next((token for token in range(cue - 2, begin + 1, -1) if words[token] == ","), None)
        if comma is not None and (words[begin] in QUESTIONS or "ли" in words[begin + 1 : min(begin + 4, comma)]):
            say(document, [(document.starts[begin], document.ends[comma - 1])], cue)


def find_clause(document: Document, cue: int, last: int) -> int | None:
    """Find the first token of the clause that a verb reports, `что` left out."""
    words = document.words
    for token in range(cue + 1, min(last - 2, cue + 25, len(words) - 3)):
        if words[token] == ":" and not document.marked[token + 1] and document.starts[token + 1] > document.ends[token]:
            plain = token - cue < 8 and "," not in words[cue:token] and document.is_report(cue) and not document.taken[cue]
            return token + 1 if plain and token + 1 < document.paragraph(cue)[1] else None
        if document.marked[token] and not document.marked[cue]:
            continue
        if words[token] == "что" and token == cue + 1:
            return token + 1
        if words[token] == "," and token - cue < 8 and "ли" in words[token + 2 : min(token + 5, last)]:
            return token + 1
        if words[token] == ",":
            infinitive = any("VerbForm=Inf" in form for form in document.forms[cue:token])
            purpose = words[token + 1] == "чтобы" and (infinitive or words[token - 1] in ("того", "тем"))
            if purpose or words[token - 2 : token] == ["за", "то"]:
                return None
            if words[token + 1] in THAT_WORDS:
                return token + 2 + (words[token + 2] == "," and token + 3 < last)
            if words[token + 1] in QUESTIONS:
                near = 2 if words[token + 1] in RELATIVES and not words[cue].startswith(("спр", "поинтерес", "интерес")) else 8
                return token + 1 if token - cue < near and not infinitive else None
        elif token - cue > 1 and (document.is_finite(token) or document.is_report(token)):
            return None
    return None


def _end_of_report(document: Document, cue: int, first: int, last: int) -> int:
    """The token behind a reported clause: its sentence's end, or where the reporting sentence goes on."""
    words, heads = document.words, document.heads
    for token in range(first + 1, last - 1):
        if document.marked[token] and document.marked[token - 1]:
            continue
        if document.taken[token] or words[token] == ";" or (words[token] == ":" and document.marked[token + 1]):
            return token
        if words[token] == "," and words[token + 1] not in THAT_WORDS:
            after = token + 1
            if words[after] == "имея":
                return token
            if document.is_report(after) and ("VerbForm=Conv" in document.forms[after] or has_subject(document, after)):
                return token
            if words[after] in ("но", "и", "а", "однако") and after + 1 < last:
                verb = next((t for t in range(after + 1, min(last, after + 9)) if document.is_finite(t) or words[t] == ","), None)
                if verb is not None and words[verb] != "," and goes_on(document, verb, cue):
                    return token
        if words[token] == "и" and any(
            heads[t] == cue and document.relations[t] == "conj" and document.is_verb(t) for t in range(token + 1, min(last, token + 4))
        ):
            return token
    return last


def _clause_end(document: Document, cue: int, first: int, last: int) -> int:
    """Where a report inside a clause of another verb ends, `X, уверявший, что …, промолчал`: at the last comma before that verb."""
    main = document.heads[cue]
    if document.relations[cue].startswith("acl"):
        main = document.heads[main] if 0 <= main < cue else -1
    elif document.relations[cue] != "advcl" or "VerbForm=Conv" not in document.forms[cue]:
        main = -1
    if not first < main < last:
        return _bare_end(document, cue, first, last)
    subject = find_subject(document, main, first, last)
    until = min(main, subject) if subject is not None else main
    return next((token for token in range(until, first, -1) if document.words[token] == ","), last)


def _bare_end(document: Document, cue: int, first: int, last: int) -> int:
    """The same of a participle, where the syntax does not say which verb that is: the last one, if it has no subject of its own."""
    if "VerbForm=Part" not in document.forms[cue] or "Variant=Short" in document.forms[cue]:
        return last
    comma = next((token for token in range(last - 1, first, -1) if document.words[token] == ","), last)
    rest = range(comma + 1, last)
    bare = any(document.is_finite(t) for t in rest) and not any(document.relations[t].startswith("nsubj") for t in rest)
    return comma if bare else last


def goes_on(document: Document, verb: int, cue: int) -> bool:
    """Whether a verb behind `, и` goes with the cue, not with what is reported."""
    if find_subject(document, verb, *document.sentence(verb)) is not None:
        return False
    before = next((t for t in range(verb - 1, cue, -1) if document.words[t] == ","), cue)
    if any(document.is_nominative(token) for token in range(before, verb)):
        return False
    if document.heads[verb] == cue and document.relations[verb] == "conj" and document.is_report(verb) and agrees(document, verb, cue):
        return True
    if _shape(document, verb) != _shape(document, cue) or document.words[verb] in ("значит", "нет"):
        return False
    if document.words[before + 1] == "и" or document.is_report(verb):  # no comma comes before `и` but where a clause ends
        return True
    return not any(document.is_finite(t) and _shape(document, t) == _shape(document, cue) for t in range(cue + 1, before))


def _shape(document: Document, verb: int) -> tuple[str, ...]:
    """Gender, number and tense of a verb: what verbs with one subject share."""
    return tuple(part for part in document.forms[verb].split("|") if part.startswith(("Gender=", "Number=", "Tense=")))


def mark_sources(document: Document) -> None:
    """`По словам X, …`, `…, по данным X, …`, `согласно опросу, …`."""
    words = document.words
    for token in range(len(words) - 3):
        if words[token] not in ("по", "согласно") or document.taken[token] or document.marked[token]:
            continue
        found = find_source(document, token) if words[token] == "по" else _according(document, token)
        if found is None:
            continue
        cue, speaker, behind = found
        if words[behind : behind + 1] == [","]:
            behind = _behind(document, behind, document.sentence(token)[1])
        document.add(_around(document, token, behind), cue[1] - 1, speaker, opening=cue[0])


def find_source(document: Document, token: int) -> tuple[tuple[int, int], tuple[int, int] | None, int] | None:
    """Find the cue (first, last + 1), the speaker (first, last) and the token behind both, of a phrase that `по` opens."""
    words, last = document.words, document.sentence(token)[1]
    for noun in range(token + 1, min(last - 1, token + 4)):
        if words[noun] in SOURCES:
            if words[noun - 1] in POSSESSIVES:
                return (noun, noun + 1), (noun - 1, noun - 1), noun + 1
            speaker = _genitive(document, noun, last)
            behind = (speaker[1] if speaker else noun) + 1
            if speaker and behind < last and document.forms[behind].startswith("ADP") and "," in words[behind + 1 : behind + 4]:
                behind = words.index(",", behind)
                speaker = speaker[0], behind - 1
            return (token, noun + 1), speaker, behind
    return None


def _genitive(document: Document, noun: int, last: int) -> tuple[int, int] | None:
    """The phrase in the genitive right behind a noun."""
    for token in range(noun + 1, min(last, noun + 7)):
        if document.heads[token] == noun and document.relations[token] in ("nmod", "appos", "obl"):
            left, right = find_phrase(document, token)
            return max(left, noun + 1), right
    if document.words[noun + 1] == ",":
        return None
    comma = next((t for t in range(noun + 2, min(last, noun + 9)) if document.words[t] == ","), None)
    if comma is None or any(document.is_finite(token) for token in range(noun + 1, comma)):
        return None
    return noun + 1, comma - 1


def _according(document: Document, token: int) -> tuple[tuple[int, int], tuple[int, int] | None, int] | None:
    """The same of a phrase that `согласно` opens."""
    noun = next((t for t in range(token + 1, token + 5) if t < len(document.words) and document.forms[t].startswith("NOUN")), None)
    if noun is None or not document.words[noun].startswith(DOCUMENTS):
        return None
    left, right = find_phrase(document, noun)
    left = max(left, token + 1)
    return (token, token + 1), (left, right), right + 1


def mark_as_reported(document: Document) -> None:
    """`Как сообщает X, …`, `…, как заявил X, …`."""
    words = document.words
    for token in range(len(words) - 3):
        if words[token] != "как" or document.taken[token] or document.marked[token]:
            continue
        begin, end = document.sentence(token)
        if not (token == begin or words[token - 1] in (",", "и", "но", "—")):
            continue
        cue = next((t for t in range(token + 1, min(end, token + 4)) if document.is_report(t)), None)
        if cue is None or not (document.is_finite(cue) or words[cue].endswith("но")):
            continue
        if words[token - 1] == "," and token > begin and not (has_subject(document, cue) or words[cue].endswith(("тся", "ли", "ют", "ят"))):
            continue  # a comparison
        speaker = find_speaker(document, cue, token, end)
        if speaker is None and words[cue].startswith(GUESSING):
            continue
        behind = _behind(document, max(cue, speaker[1] if speaker else cue) + 1, end)
        document.add(_around(document, token, behind), cue, speaker)


def mark_parenthetical(document: Document) -> None:
    """`…, сообщил X`, `…, считает X, …`, `…, уточнил X: «…»`: a verb between a comma and its subject."""
    words = document.words
    for cue in range(2, len(words) - 1):
        if words[cue - 1] != "," or document.marked[cue] or not document.is_report(cue):
            continue
        again = cue in document.cues  # its quotation behind a colon is marked
        if document.taken[cue] and not again:
            continue
        if not document.is_finite(cue) and not words[cue].endswith("но"):
            continue
        begin, end = document.sentence(cue)
        whole = _has_verb(document, (document.starts[begin], document.starts[cue]))  # what stands before has a subject of its own
        speaker = document.speaker(cue) if again else find_speaker(document, cue, cue if whole else begin, end)
        if speaker is None or speaker[1] < cue or cue - begin < 2:
            continue
        contents = _around(document, cue, _behind(document, speaker[1] + 1, end))
        document.add(contents[:1] if again else contents, cue, speaker)


def _around(document: Document, first: int, behind: int) -> list[tuple[int, int]]:
    """What a parenthetical attribution, tokens `first` to `behind` (excluded), attributes: the rest of its sentence, one span a side."""
    begin, end = document.sentence(first)
    words = document.words
    if behind < end and words[behind] not in (",", ".") and words[behind] not in DASHES and first > begin and words[first - 1] == ",":
        behind = next((t for t in range(behind, min(end, behind + 12)) if words[t] in (",", ".")), end)
    if first > begin and words[first - 1] == "(":
        return [side for side in [_content(document, begin, first - 1)] if side]
    if words[begin] in ("о", "об") and words[begin + 1] in ("этом", "том", "чем"):
        return []
    sides = []
    if (
        first - 1 > begin
        and words[first - 1] == ","
        and words[first - 2] not in ("что", "но", "а", "и", "однако")
        and not words[first - 2].startswith("котор")
    ):
        sides.append(_content(document, _clause_start(document, begin, first), first - 1))
    if behind < end:
        sides.append(_content(document, behind, _passed_on(document, behind, end)))
    if len(sides) == 2 and all(sides) and _has_verb(document, sides[0]) and not _is_said(document, sides[1]):
        sides.pop()
    return [side for side in sides if side]


def _clause_start(document: Document, begin: int, first: int) -> int:
    """Where the clause before an attribution starts: behind the last semicolon, else where its sentence does."""
    return next((token + 1 for token in range(first - 2, begin, -1) if document.words[token] == ";"), begin)


def _behind(document: Document, token: int, end: int) -> int:
    """The comma or the end behind an attribution's last word, clauses that hang on its speaker left aside."""
    while token < end:
        word = document.words[token]
        if word == "," and token + 1 < end and hangs(document, token + 1):
            token = next((t for t in range(token + 2, end) if document.words[t] == ","), end)
            continue
        if word in (",", ";") or (word in STOPS and token == end - 1):
            return token
        token += 1
    return end


def _has_verb(document: Document, content: tuple[int, int] | None) -> bool:
    first, last = (document.token(at) for at in content or (0, 0))
    return any(document.is_finite(token) or "Variant=Short" in document.forms[token] for token in range(first, last))


def _passed_on(document: Document, first: int, last: int) -> int:
    """The comma of the outlet that passes words on, `…, сообщает ТАСС`, at the end of what it passes on, or the end itself."""
    comma = next((token for token in range(last - 1, first, -1) if document.words[token] == ","), last)
    outlet = comma + 1 < last and document.is_report(comma + 1) and document.is_finite(comma + 1) and has_subject(document, comma + 1)
    return comma if outlet else last


def _is_said(document: Document, content: tuple[int, int] | None) -> bool:
    """Whether the second side of an attribution is said as well: it has a verb, and is no attribution itself, `, передаёт ТАСС`."""
    return content is not None and _has_verb(document, content) and not document.is_report(document.token(content[0]))


def _content(document: Document, first: int, last: int) -> tuple[int, int] | None:
    """Characters of the tokens `first` to `last` (excluded) without a connective before and the comma or full stop behind."""
    words = document.words
    while first < last and (words[first] in (",", ":", ".") or words[first] in DASHES):
        first += 1
    for phrase in CONNECTIVES:
        after = first + phrase.count(" ") + 1
        if " ".join(words[first:after]) != phrase or after > last:
            continue
        if after == last or words[after] == "," or phrase in ("но", "однако") or (" " in phrase and words[after] not in ("как", "что")):
            first = after + (after < last and words[after] == ",")
            break
    return _trimmed(document, first, last)


def _trimmed(document: Document, first: int, last: int) -> tuple[int, int] | None:
    """Characters of the tokens `first` to `last` (excluded) without the comma or full stop behind; None where no word is left."""
    behind = ITALICS | DASHES | {".", ",", ";", ":", "…"}
    while first < last and document.words[last - 1] in behind:
        last -= 1
    while first < last and document.words[first] in ITALICS and (document.marked[first + 1] or document.words[first + 1] in ITALICS):
        first += 1
    short = first < last < len(document.words) and document.words[last] == "." and document.words[last - 1] in SHORT
    last += short and document.ends[last - 1] == document.starts[last]
    return (document.starts[first], document.ends[last - 1]) if first < last else None
