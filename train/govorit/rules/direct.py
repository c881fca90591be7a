"""Direct speech: by turns, behind a dash, in quotation marks, in a paragraph of its own."""

from __future__ import annotations

from itertools import pairwise

from govorit.rules.document import Document
from govorit.rules.indirect import find_clause, find_source, goes_on
from govorit.rules.lexicon import DASHES, ENDS, ITALICS, LABEL, NAMING, QUOTING, SOURCES, STOPS, VERBAL
from govorit.rules.phrases import find_phrase
from govorit.rules.speakers import has_nominative_behind, has_subject, say


def mark_turns(document: Document) -> None:
    """`Иванов: Да.`: paragraphs with the speaker before a colon, where there are three or more of them."""
    text = document.text
    found = [match for start in document.paragraphs[:-1] if (match := LABEL.match(text, document.starts[start]))]
    for match in found if len(found) > 2 else []:
        first = document.token(match.start())
        last = document.paragraph(first)[1]
        opening = document.token(match.end())
        if opening < last:
            document.add([(document.starts[opening], document.ends[last - 1])], None, (first, document.token(match.end(1)) - 1), "DIRECT")


def mark_dash_speech(document: Document) -> None:
    """Paragraphs that a dash opens, with the attribution that interrupts or closes them."""
    for first, last in pairwise(document.paragraphs):
        if document.words[first] not in DASHES or last - first < 2 or document.starts[first + 1] == document.ends[first]:
            continue
        if not document.text[document.starts[first + 1]].isupper() and document.words[first + 1] not in ("«", "„", "…", "“"):
            continue
        if document.words[last - 1] == ";":
            continue
        for contents, cue in _utterances(document, first + 1, last):
            _say(document, contents, cue)


def _say(document: Document, contents: list[tuple[int, int]], cue: int | None) -> None:
    """Note a direct quotation, given in tokens (first, last + 1), with its cue and the speaker of that."""
    places = [(document.starts[first], document.ends[last - 1]) for first, last in contents if first < last]
    if cue is None:
        document.add(places, kind="DIRECT")
    else:
        say(document, places, cue, "DIRECT")


def _utterances(document: Document, first: int, last: int) -> list[tuple[list[tuple[int, int]], int | None]]:
    """Cut speech at the attributions inside it: contents as tokens (first, last + 1), each with its cue.

    What an attribution interrupts is one utterance, `A, — сказал он. — B`; two where it ends in a colon, `— сказал он и добавил: — B`, and
    where B has an attribution of its own.
    """
    found: list[tuple[list[tuple[int, int]], int | None]] = [([], None)]
    start = token = first
    while (token := token + 1) < last - 1:
        dashed = document.words[token] in DASHES and document.words[token - 1] in ENDS
        if not dashed or (cue := _attribution(document, token + 1, last)) is None:
            continue
        if found[-1][1] is not None:
            found.append(([], None))
        found[-1] = [*found[-1][0], (start, token - (document.words[token - 1] == ","))], cue
        start = token = _resumption(document, cue, last)
        if start < last and document.words[start - 2] == ":" and (second := _last_report(document, cue + 1, start)) is not None:
            found.append(([], second))
    if start < last:
        found[-1][0].append((start, last))
    return found


def _resumption(document: Document, cue: int, last: int) -> int:
    """The first token behind an attribution: speech goes on behind a dash, `— сказал он. — …`."""
    words = document.words
    return next((t + 1 for t in range(cue + 1, last - 1) if words[t] in DASHES and words[t - 1] in (".", ",", ":", "!", "?")), last)


def _attribution(document: Document, first: int, last: int) -> int | None:
    """The verb of `— сказал он`, that is the first one of a segment that starts small."""
    if first >= last or not document.text[document.starts[first]].islower() or document.words[first] in ("а", "но", "и", "да", "если"):
        return None
    if VERBAL.search(document.words[first]) and has_nominative_behind(document, first, last):
        return first
    for token in range(first, min(last, first + 12)):
        word = document.words[token]
        if word in DASHES or word in STOPS or (word == "," and token - first < 3):
            return None
        if (
            document.is_report(token)
            or word.startswith(QUOTING)
            or (token - first < 3 and document.is_finite(token) and has_subject(document, token))
        ):
            return token
        if document.is_finite(token):
            return None
    return None


def mark_stretches(document: Document) -> None:
    """Quotation marks that hold an utterance: interrupted, with the attribution behind or before, or after another one."""
    previous = -1
    for start, end in document.stretches:
        first, last = document.token(start), document.token(end)
        if not document.is_free(first, last):
            continue
        if (
            _interrupted(document, first, last)
            or _attributed_behind(document, (start, end), first, last)
            or _attributed_before(document, (start, end), first)
            or (previous >= 0 and first - previous < 80 and _alone(document, (start, end), first, last))
        ):
            previous = last


def _interrupted(document: Document, first: int, last: int) -> bool:
    """`«…, — сказал он. — …»`: one pair of marks around all."""
    utterances = _utterances(document, first, last)
    if utterances[0][1] is None:
        return False
    for contents, cue in utterances:
        _say(document, contents, cue)
    return True


def _attributed_behind(document: Document, stretch: tuple[int, int], first: int, last: int) -> bool:
    """`«…», — сказал он`: the stretch opens its sentence."""
    words = document.words
    while last < len(words) and words[last] in ITALICS:
        last += 1
    while first and words[first - 1] in ITALICS:
        first -= 1
    opens = document.sentence(first)[0] == first or words[first - 1] in (".", "!", "?", "…") or words[first - 1] in DASHES
    if not opens or last >= len(words):
        return False
    end = document.sentence(last - 1)[1]
    at = last + (words[last] in (",", ".", "…"))
    dashed = at < end and words[at] in DASHES
    at += dashed
    if at >= end or at == last:
        return False
    cue = _attribution(document, at, end) if dashed else at if document.is_report(at) else None
    if cue is None:
        return False
    return say(document, [stretch], cue, "DIRECT")


def _attributed_before(document: Document, stretch: tuple[int, int], first: int) -> bool:
    """`он сказал: «…»`, with the verb or without."""
    while first and document.words[first - 1] in ITALICS:
        first -= 1
    if not first or document.words[first - 1] != ":" or (document.size(stretch) < 2 and not document.is_fragment(stretch)):
        return False
    begin = document.sentence(first - 1)[0]
    if _announced(document, stretch, begin, first - 1):
        return True
    if _is_source(document, begin):  # the marks are part of what the sentence reports: `По словам Ли, он крикнул: «Пожар!»`
        return False
    named = _is_label(document, begin, first - 1)
    if not named and (document.size(stretch) < 4 or not document.is_fragment(stretch)):
        return False
    return document.add([stretch], None, _voice(document, begin, first - 1), "DIRECT")


def _alone(document: Document, stretch: tuple[int, int], first: int, last: int) -> bool:
    """A sentence of its own in marks, some way behind another quotation."""
    words = document.words
    if document.sentence(first)[0] != first or document.size(stretch) < 3 or not document.text[document.starts[first + 1]].isupper():
        return False
    end = document.sentence(last - 1)[1]
    if end - last > 1 or not (end > last or words[last - 2] in STOPS):
        return False
    return document.add([stretch], kind="DIRECT")


def mark_fragments(document: Document) -> None:
    """`назвал его «…»`: three words or more in marks in the sentence of a reporting verb."""
    for stretch in document.stretches:
        first, last = document.token(stretch[0]), document.token(stretch[1])
        if not document.is_free(first, last) or document.size(stretch) < 3 or not document.text[document.starts[first + 1]].islower():
            continue
        stretch, last = _joined(document, stretch, last)
        begin = document.sentence(first)[0]
        before = range(first - 1, max(begin, first - 12) - 1, -1)
        cue = next((t for t in before if document.is_report(t) or document.words[t].startswith(NAMING)), None)
        if cue is None or not document.is_free(cue, first) or document.words[cue].startswith("предпол"):
            continue
        if document.is_finite(cue) or "VerbForm=Conv" in document.forms[cue]:
            say(document, [stretch], cue, "MIXED")


def _joined(document: Document, stretch: tuple[int, int], last: int) -> tuple[tuple[int, int], int]:
    """A stretch with those that a comma or `и` joins to it, and the token behind."""
    while last + 2 < len(document.words) and document.words[last] in (",", "и") and document.starts[last + 1] in document.opens:
        stretch = stretch[0], document.opens[document.starts[last + 1]]
        last = document.token(stretch[1])
    return stretch, last


def mark_blocks(document: Document) -> None:
    """A paragraph of its own behind `он сказал:`, with the lines that follow it without a blank one where the text has blank lines."""
    for first, last in pairwise(document.paragraphs[1:]):
        begin = document.sentence(first - 1)[0]
        if document.words[first - 1] != ":" or not document.text[document.starts[first]].isupper() or last - first < 4:
            continue
        if document.text.count("\n", document.ends[first - 1], document.starts[first]) > 2:
            continue  # what the colon announces has been left out
        while last < len(document.words) and "\n\n" in document.text and not _blank_before(document, last):
            end = document.paragraph(last)[1]
            if document.words[end - 1] == ":":
                break
            last = end
        content = document.starts[first], document.ends[last - 1]
        if not _announced(document, content, begin, first - 1) and any("Person=1" in form for form in document.forms[first:last]):
            document.add([content], None, _voice(document, begin, first - 1), "DIRECT")


def _announced(document: Document, content: tuple[int, int], begin: int, colon: int) -> bool:
    """Note what stands behind a colon, if the sentence before it reports: by a verb or `по словам Ли:`."""
    if not _is_source(document, begin):
        cue = _introducing(document, begin, colon)
        return cue is not None and say(document, [content], cue, "DIRECT")
    source = find_source(document, begin)
    if source is None or source[2] != colon:
        return False
    (opening, behind), speaker, _ = source
    return document.add([content], behind - 1, speaker, "DIRECT", opening)


def _blank_before(document: Document, token: int) -> bool:
    return document.text.count("\n", document.ends[token - 1], document.starts[token]) > 1


def _introducing(document: Document, first: int, last: int) -> int | None:
    """The reporting verb that a colon belongs to: the last one that does not stand in what another one reports."""
    found, opening = None, None
    for token in range(first, last):
        if not document.is_report(token) or document.marked[token]:
            continue
        converb = "VerbForm=Conv" in document.forms[token]
        if found is None or opening is None or token < opening or converb or goes_on(document, token, found):
            found, opening = token, find_clause(document, token, last)
    return found


def _last_report(document: Document, first: int, last: int) -> int | None:
    return next((t for t in range(last - 1, first - 1, -1) if document.is_report(t) and document.marked[t] == document.marked[first]), None)


def _is_source(document: Document, token: int) -> bool:
    """Whether `по словам …` starts at a token."""
    return document.words[token] == "по" and not SOURCES.isdisjoint(document.words[token + 1 : token + 4])


def _is_label(document: Document, begin: int, colon: int) -> bool:
    """Whether a speaker's name and nothing else stands before a colon."""
    surname = colon - begin == 1 and document.forms[begin].startswith("PROPN|Animacy=Anim")
    named = surname or document.entities[begin] in ("B-PER", "B-ORG") or "B-PER" in document.entities[begin:colon]
    return colon - begin <= 8 and named and not any(document.is_finite(token) for token in range(begin, colon))


def _voice(document: Document, begin: int, colon: int) -> tuple[int, int] | None:
    """Who speaks behind a colon that no reporting verb comes before: the label `Иванов:`, or the first subject."""
    if _is_label(document, begin, colon):
        noun = next((t for t in range(begin, colon) if document.is_nominative(t)), begin)
        return find_phrase(document, noun)
    if _is_source(document, begin):
        return None
    subjects = (t for t in range(begin, colon) if document.relations[t] == "nsubj" and "Animacy=Anim" in document.forms[t])
    subject = next((t for t in subjects if "Case=Nom" in document.forms[t]), None)
    return find_phrase(document, subject) if subject is not None else None
