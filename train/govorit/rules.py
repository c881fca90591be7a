"""Quotations by rules: who says what in raw Russian news, read off its marks, its reporting words and its silver syntax.

They are silver labels to pre-train on: what is certain from the form of a sentence is marked, what needs understanding is left out.
The boundaries are those of ANNOTATION.md.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from govorit.article import CUE, SPEAKER, Span


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


DASHES = frozenset("—–-−")
ITALICS = frozenset(("'", "''"))  # of a wiki
STOPS = frozenset([".", "!", "?", "…", "...", "?!", "!..", "?..", "!!!", "!!", "..", "??"])
ENDS = STOPS | {",", "»", "”", "“", '"'}
ROOT, LEFT, RIGHT = -1, -2, -3
LABEL = re.compile(r"([А-ЯЁA-Z][\w.-]*(?: [А-ЯЁA-Z][\w.-]*){0,2}|«[^»\n]{2,40}»)(?: \([^)\n]{2,20}\))?: (?=[А-ЯЁA-Z—])")
MARKS = re.compile('[«»„“”"\n]')
LONGEST = 300  # tokens of a sentence: tables and lists without a full stop are cut there
REACH = 3000  # characters that a pair of marks may hold: beyond it one of the two was forgotten

# Beginnings of verbs that report words, with е for ё. The part of speech keeps nouns and adjectives out.
REPORT = _listed(
    """
    сосла повтори уведоми уведомл зачита произноси обвини
    бормо вздохн вздыха взыва возлага возмути возмущ возража возрази ворчи воскли восхити восхища вскип вспомина вспомни выкрик выража
    выразив выразил высказ гласи говори говоря делится добави добавл докла доложи дополн допуска допусти жалова жалует завер заключа
    заключил заметил замеча засмея заяви заявля излага изложи интересовал интересует информир ирониз кивае кивну кипят клял клянет кляну
    комментир констатир крикн крича кричи мотивир намекн написа напомин напомн настаива негоду недоуме обеща обмолви обосн обрисов объяви
    объявл объясни объясня оговаривa оговоре оговори огрыз опасается опасал описал описыва оправдыва опроверг осуди осужда ответи отвеча
    отзыва откровенн отмахи отмети отмеча отозва отрапорт отреза отрица отшути отшучи оцени парир передае передал передаю перечислил
    перечисля писал пиш поведал поддел поделил подсчита подтверд подтвержд подчерк подытож пожалова поинтерес полага пообеща поправил
    поправля попрос посетова посовет постановил посчит потребова похвали пошути пояснил пояснит поясня предлага предложи предполаг
    предполо предсказ предупре прибавл приветств пригрози призва признав признае признал призыва пробурч прогнозир продолжае продолжи
    произнес прокоммент просил просит просят протестова процеди разъясн рапорт распоряди распоряжа рассказ рассмея рассужда резюмир
    рекоменд свидетельству сетова сетуе сказа скромнича смее совету согласил соглашае сокруша сомнева сообща сообщи сострил спраши спроси
    ссылаясь счита съехидн съязви тверди требу убежден уверен уверя удиви удивля указа указыв улыба упрекн усмеха успоко утвержда уточн
    формулиру хвали хмыка хохо цитиру шепну шепч шути юморит язвит
    """
)  # fmt: skip
ONLY_NEGATED = ("исключ", "скрыв", "верит")
NOT_REPORT = frozenset(
    _listed(
        "отметим напомним добавим скажем заметим уточним подчеркнем предположим сказался сказалось сказалась указанный указанных "
        "указанного сказанное просится"
    )
)
# Verbs that report a clause with `что`, but mean something else where they stand in parentheses or before a colon.
THAT = _listed("счел сочл обрати обраща выступи дал дает пришл")

SOURCES = re.compile(
    "слов|словам|данным|мнению|информации|сведениям|оценке|оценкам|версии|подсчетам|расчетам|сообщению|сообщениям|утверждению|"
    "утверждениям|прогнозу|прогнозам|убеждению|наблюдениям|прикидкам|заявлению|заявлениям|формулировке|свидетельству|свидетельствам|"
    "предположениям|предположению|заключению|признанию|выражению|замечанию"
)
DOCUMENTS = _listed(
    "опрос данным отчет исследовани прогноз документ деклараци сообщени заявлени материал обзор информаци пресс-релиз сведени доклад "
    "справк результат расследовани рейтинг статистик релиз заключени оценк мнени"
)
# What the syntax takes for a noun, being a rare word, is a verb by its end where `— съехидничал он` wants one.
VERBAL = re.compile(r"\w{2}(?:[аеиоуыя]л[аои]?(?:с[яь])?|[аеиуюя]т(?:ся)?)$")
POSSESSIVES = frozenset(_listed("его ее их моим нашим своим"))
ABBREVIATED = frozenset(_listed("ч им ул см св проф акад ст кв д пр рис т тыс гг"))
SHORT = frozenset(("г", "гг", "руб", "др", "пр"))  # their full stop stays
QUESTIONS = frozenset(_listed("как кто когда почему зачем где куда откуда сколько какой какая какие какое кого кому чей ли"))
RELATIVES = frozenset(_listed("где когда куда откуда какой какая какие какое кого кому чей"))
THAT_WORDS = frozenset(_listed("что чтобы будто"))
CONNECTIVES = (
    "однако", "но", "впрочем", "причем", "зато", "при этом", "между тем", "кроме того", "в частности", "тем временем", "в то же время",
    "вместе с тем", "помимо этого", "помимо прочего", "более того", "к тому же", "тем не менее", "напротив", "наконец", "например", "так",
    "также", "правда", "ранее", "таким образом",
)  # fmt: skip
NOMINAL = frozenset(  # relations that a noun's phrase holds together by
    _listed("amod nmod appos flat flat:name flat:foreign det nummod nummod:gov nummod:entity compound case conj cc advmod punct fixed obl")
)
OUTER = ("ADP", "CCONJ", "ADV", "PART", "SCONJ")
TIMES = frozenset(
    _listed(
        "году года месяце январе феврале марте апреле мае июне июле августе сентябре октябре ноябре декабре интервью эфире беседе ходе "
        "время начале конце частности целом разговоре среду субботу рамках итоге ответ очередь кулуарах связи свою комментарии социальных"
    )
)


@dataclass(slots=True)
class _Text:
    """A document, token by token, and what is found in it.

    `words` are small, with е for ё. `heads` are token numbers, ROOT, or LEFT and RIGHT where they are far. `paragraphs` and `sentences` are
    first tokens, then the number of tokens. `stretches` are outermost quotation marks in characters, `opens` their ends by their starts,
    `marked` the tokens in them. `taken` are the tokens of `found`, `cues` its cues' last tokens.
    """

    text: str
    starts: list[int]
    ends: list[int]
    words: list[str]
    forms: list[str]
    relations: list[str]
    heads: list[int]
    entities: list[str]
    paragraphs: list[int] = field(default_factory=list)
    sentences: list[int] = field(default_factory=list)
    stretches: list[tuple[int, int]] = field(default_factory=list)
    found: list[Span] = field(default_factory=list)
    taken: list[bool] = field(default_factory=list)
    cues: set[int] = field(default_factory=set)
    opens: dict[int, int] = field(default_factory=dict)
    marked: list[bool] = field(default_factory=list)

    def sentence(self, token: int) -> tuple[int, int]:
        """First token of the sentence of a token, and the one after its last."""
        number = bisect_right(self.sentences, token)
        return self.sentences[number - 1], self.sentences[number]

    def paragraph(self, token: int) -> tuple[int, int]:
        number = bisect_right(self.paragraphs, token)
        return self.paragraphs[number - 1], self.paragraphs[number]

    def token(self, at: int) -> int:
        """Number of the first token that starts at or after a character."""
        return bisect_left(self.starts, at)

    def is_verb(self, token: int) -> bool:
        form = self.forms[token]
        return form.startswith("VERB") and "VerbForm=Inf" not in form

    def is_finite(self, token: int) -> bool:
        return self.forms[token].startswith("VERB") and "VerbForm=Fin" in self.forms[token]

    def is_report(self, token: int, more: tuple[str, ...] = ()) -> bool:
        """Whether the token is a verb (or `уверен`) that reports words."""
        form = self.forms[token]
        word = self.words[token]
        if form.startswith(("NOUN", "PROPN", "ADV")):  # what the models take a rare verb for
            small = self.text[self.starts[token]].islower()
            return small and len(word) > 6 and word.startswith(REPORT) and word.endswith(("ла", "лся", "лась", "лись"))
        if form.startswith("ADJ"):
            return "Variant=Short" in form and word.startswith(("уверен", "убежден"))
        if not self.is_verb(token) or word in NOT_REPORT:
            return False
        if word in ("предполагается", "предполагалось"):
            return False
        if word == "следует":
            behind = self.words[token + 1 : token + 3]
            return behind[:1] == ["из"] or (behind == [",", "что"] and "из" in self.words[max(0, token - 6) : token])
        return word.startswith(REPORT + more) or (word.startswith(ONLY_NEGATED) and token > 0 and self.words[token - 1] == "не")

    def is_free(self, first: int, last: int) -> bool:
        return not any(self.taken[first:last])

    def add(
        self, contents: Sequence[tuple[int, int]], cue: int | None = None, speaker: tuple[int, int] | None = None, kind: str = ""
    ) -> bool:
        """Note a quotation: contents in characters, the cue a token, the speaker first and last token; False where its place is taken."""
        tokens = [(self.token(start), self.token(end)) for start, end in contents]
        if not contents or any(first >= last or not self.is_free(first, last) for first, last in tokens):
            return False
        for (start, end), (first, last) in zip(contents, tokens, strict=True):
            self._mark(start, end, first, last, kind or self.kind(contents))
        if cue is not None:
            self.add_cue(cue, cue + 1)
        if speaker:
            self.add_speaker(speaker)
        return True

    def add_cue(self, first: int, last: int) -> None:
        self.cues.add(last - 1)
        if first > 0 and self.words[first - 1] == "не":
            first -= 1
        self._mark(self.starts[first], self.ends[last - 1], first, last, CUE)

    def add_speaker(self, speaker: tuple[int, int]) -> None:
        first, last = speaker
        self._mark(self.starts[first], self.ends[last], first, last + 1, SPEAKER)

    def _mark(self, start: int, end: int, first: int, last: int, label: str) -> None:
        if self.is_free(first, last):
            self.found.append(Span(start, end, label))
            self.taken[first:last] = [True] * (last - first)

    def kind(self, contents: Sequence[tuple[int, int]]) -> str:
        """DIRECT where all is in marks, MIXED where three words in a row are, else INDIRECT."""
        if all(self.opens.get(start) == end for start, end in contents):
            return "DIRECT"
        for start, end in contents:
            for stretch in self.within(start, end):
                if self.size(stretch) >= 3 and self.is_fragment(stretch):
                    return "MIXED"
        return "INDIRECT"

    def within(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        at = bisect_left(self.stretches, (start, 0))
        while at < len(self.stretches) and self.stretches[at][1] <= end:
            yield self.stretches[at]
            at += 1

    def size(self, stretch: tuple[int, int]) -> int:
        """Words in a stretch."""
        first, last = self.token(stretch[0]), self.token(stretch[1])
        return sum(word[0].isalnum() for word in self.words[first:last])

    def is_fragment(self, stretch: tuple[int, int]) -> bool:
        """Whether marks hold words that were said, not a name: those start with a small letter or have a predicate."""
        first, last = self.token(stretch[0]) + 1, self.token(stretch[1]) - 1
        if first >= last:
            return False
        return self.text[self.starts[first]].islower() or any(self.is_finite(token) for token in range(first, last))


def find(text: str, starts: np.ndarray, labels: Mapping[str, np.ndarray], names: Mapping[str, Sequence[str]]) -> list[Span]:
    """Mark contents, cues and speakers in a document, by rules over its text and its silver syntax.

    `starts` and `labels` are those of :meth:`govorit.silver.Teacher.label`. The spans are sorted and do not overlap.
    """
    if not len(starts):
        return []
    document = _read(text, starts, labels, names)
    for rule in (_headline, _turns, _dash_speech, _blocks, _marked, _sources, _as_reported, _that, _fronted, _parenthetical, _fragments):
        rule(document)
    return sorted(document.found, key=lambda span: span.start)


def _read(text: str, starts: np.ndarray, labels: Mapping[str, np.ndarray], names: Mapping[str, Sequence[str]]) -> _Text:
    first = starts.tolist()
    pieces = [text[start:end].rstrip() for start, end in zip(first, [*first[1:], len(text)], strict=True)]
    relations = [names["relations"][i] for i in labels["relations"].tolist()]
    forms = [names["forms"][i] for i in labels["forms"].tolist()]
    far = {"root": ROOT, "left": LEFT, "right": RIGHT}
    offsets = [(0, far[name]) if name in far else (1, int(name)) for name in names["heads"]]
    heads = [offsets[i][0] * at + offsets[i][1] for at, i in enumerate(labels["heads"].tolist())]
    heads = [head if RIGHT <= head < len(first) else ROOT for head in heads]  # a text may be cut out of a longer one
    entities = [names["entities"][i] for i in labels["entities"].tolist()]
    words = [piece.lower().replace("ё", "е") or " " for piece in pieces]
    ends = [start + len(piece) for start, piece in zip(first, pieces, strict=True)]
    document = _Text(text, first, ends, words, forms, relations, heads, entities)
    document.taken = [False] * len(first)
    document.stretches = list(_stretches(text))
    document.marked, document.opens = [False] * len(first), dict(document.stretches)
    for start, end in document.stretches:
        a, b = document.token(start), document.token(end)
        document.marked[a:b] = [True] * (b - a)
    breaks = {document.token(found.end()) for found in re.finditer("\n", text)} | {0}
    document.paragraphs = [*sorted(breaks - {len(first)}), len(first)]
    document.sentences = list(_sentences(document))
    return document


def _stretches(text: str) -> Iterator[tuple[int, int]]:
    """Outermost pairs of quotation marks, both included.

    >>> [text[a:b] for text in ["Фонд «Новый «Свет»» и „дом“"] for a, b in _stretches(text)]
    ['«Новый «Свет»»', '„дом“']
    """
    marks = [(found.start(), found[0]) for found in MARKS.finditer(text)]
    at = 0
    while at < len(marks):
        place, mark = marks[at]
        last = _closing(text, marks, at) if mark in "«„“" or (mark == '"' and not _closes(text, place)) else None
        if last is None:
            at += 1
        else:
            yield place, marks[last][0] + 1
            at = last + 1


def _closing(text: str, marks: Sequence[tuple[int, str]], at: int) -> int | None:
    """Which mark closes the one at `at`; the last inner one where a pair shares its closing mark with the pair inside."""
    stack = [marks[at][1]]
    inner = None
    for number in range(at + 1, len(marks)):
        place, mark = marks[number]
        if place - marks[at][0] > REACH:
            return None
        if mark == "\n":
            if inner is not None:
                return inner
            if text[place + 1 : place + 2] in "«" and mark == stack[0] and text[place + 1 : place + 2]:
                return None
        elif mark in "»”" or (mark == "“" and "„" in stack) or (mark == '"' and '"' in stack and _closes(text, place)):
            if mark == '"' and stack[-1] != '"' and stack[0] == '"':
                stack = stack[:1]
            stack.pop()
            if not stack:
                return number
            inner = number
        else:
            stack.append(mark)
    return inner


def _closes(text: str, place: int) -> bool:
    """Whether a straight mark closes: there is a word or a stop before it."""
    return place > 0 and not text[place - 1].isspace() and text[place - 1] not in "(—–«„"


def _sentences(document: _Text) -> Iterator[int]:
    """First tokens of sentences, then the number of tokens. Marks hold no sentence end but at their own end."""
    words, starts, ends, marked = document.words, document.starts, document.ends, document.marked
    paragraphs, opens = set(document.paragraphs), document.opens
    begun = 0
    for token in range(len(words)):
        if token - begun < LONGEST:
            if token and marked[token] and marked[token - 1] and starts[token] not in opens:
                continue
            if token not in paragraphs and (starts[token] == ends[token - 1] or not _starts_sentence(document, token)):
                continue
        yield token
        begun = token
    yield len(words)


def _starts_sentence(document: _Text, token: int) -> bool:
    """Whether a sentence starts at a token: a stop lies before it, of no abbreviation or initial, or within marks that close there."""
    words, letter = document.words, document.text[document.starts[token]]
    stop, before = words[token - 1], words[token - 2] if token > 1 else ""
    if stop in '»”“"':
        return before in STOPS and letter.isupper()
    if stop not in STOPS or document.marked[token - 1] or not (letter.isupper() or letter.isdigit() or letter in '«„“"—–('):
        return False
    if stop != ".":
        return True
    if letter in DASHES and before in SHORT:
        return False
    initial = len(before) == 1 and before.isalpha() and document.text[document.starts[token - 2]].isupper()
    return not initial and before not in ABBREVIATED


def _content(document: _Text, first: int, last: int) -> tuple[int, int] | None:
    """Characters of the tokens `first` to `last` (excluded) without a connective before and the comma or full stop behind."""
    words = document.words
    while first < last and (words[first] in (",", ":", ".") or words[first] in DASHES):
        first += 1
    for phrase in CONNECTIVES:
        after = first + phrase.count(" ") + 1
        if " ".join(words[first:after]) != phrase or after > last:
            continue
        if after == last or words[after] == "," or phrase in CONNECTIVES[:2] or (" " in phrase and words[after] not in ("как", "что")):
            first = after + (after < last and words[after] == ",")
            break
    return _trimmed(document, first, last)


def _trimmed(document: _Text, first: int, last: int) -> tuple[int, int] | None:
    """Characters of the tokens `first` to `last` (excluded) without the comma or full stop behind; None where no word is left."""
    behind = ITALICS | DASHES | {".", ",", ";", ":", "…"}
    while first < last and document.words[last - 1] in behind:
        last -= 1
    while first < last and document.words[first] in ITALICS and (document.marked[first + 1] or document.words[first + 1] in ITALICS):
        first += 1
    short = first < last < len(document.words) and document.words[last] == "." and document.words[last - 1] in SHORT
    last += short and document.ends[last - 1] == document.starts[last]
    return (document.starts[first], document.ends[last - 1]) if first < last else None


# --- who speaks


def _speaker(document: _Text, cue: int, seen: frozenset[int] = frozenset()) -> tuple[int, int] | None:
    """The noun phrase of who speaks, first and last token: the subject of the cue, or of the verb that it is joined to.

    `seen` are the verbs that led here: silver syntax may go in circles.
    """
    first, last = document.sentence(cue)
    verb, heads, relations = cue, document.heads, document.relations
    if (source := _referred(document, cue, first, last) or _quoted(document, cue, last)) is not None:
        return source
    for _ in range(3):
        subject = _subject(document, verb, first, last)
        if subject is not None and not (document.marked[subject] and "Case=Nom" not in document.forms[subject]):
            if document.words[subject].startswith("котор"):
                subject = heads[verb] if relations[verb].startswith("acl") else -1
                return _phrase(document, subject) if subject >= 0 else None
            return _phrase(document, subject)
        if relations[verb] in ("acl", "amod") and "VerbForm=Part" in document.forms[verb] and heads[verb] >= 0:
            return _phrase(document, heads[verb])
        if relations[verb] not in ("conj", "advcl", "xcomp") or heads[verb] < 0:
            break
        verb = heads[verb]
        if document.is_report(verb):
            blocked = verb in seen or (relations[cue] == "conj" and document.taken[verb])
            return None if blocked else _speaker(document, verb, seen | {cue})
    return _place(document, cue, first, last) or _follower(document, cue, last)


def _referred(document: _Text, cue: int, first: int, last: int) -> tuple[int, int] | None:
    """Whom an outlet refers to: `со ссылкой на источник`, `ссылаясь на источники`, `следует из доклада`."""
    words = document.words
    for token in range(max(first, cue - 12), min(last - 2, cue + 12)):
        referring = words[token] in ("ссылкой", "ссылаясь") and words[token + 1] == "на"
        if referring or (words[cue] == "следует" and words[token + 1] == "из"):
            noun = document.heads[token + 1]
            if token + 1 < noun < last and not document.taken[noun] and document.words[noun] != "то":
                start, end = _phrase(document, noun)
                start = max(start, token + 2)
                if words[start].startswith(("данн", "слова", "сообщени", "информац")) and end > start and words[start + 1] != ",":
                    start = next(
                        (t for t in range(start + 1, end + 1) if document.heads[t] >= 0 and document.relations[t] != "amod"), start
                    )
                return start, end
    return None


def _quoted(document: _Text, cue: int, last: int) -> tuple[int, int] | None:
    """Whom an outlet quotes: `цитирует РИА Чайку`, `приводит газета слова Чайки`."""
    if not document.words[cue].startswith(("цитиру", "привод", "процитир")):
        return None
    for token in range(cue + 1, min(last, cue + 12)):
        if document.heads[token] == cue and document.relations[token] in ("obj", "iobj", "obl") and "Case=Nom" not in document.forms[token]:
            owned = document.words[token].startswith(("слова", "обращени", "заявлени", "ответ"))
            noun = next((t for t in range(token + 1, min(last, token + 7)) if document.heads[t] == token), token) if owned else token
            if document.relations[token - 1] == "case":
                continue
            start, end = _phrase(document, noun)
            return max(start, token + owned), end
    return None


def _subject(document: _Text, verb: int, first: int, last: int) -> int | None:
    for token in range(max(first, verb - 12), min(last, verb + 13)):
        if document.heads[token] == verb and document.relations[token].startswith("nsubj") and document.words[token] not in ("это", "то"):
            return token
    far = [t for t in range(first, verb - 12) if document.heads[t] == RIGHT and document.relations[t].startswith("nsubj")]
    return far[0] if len(far) == 1 and _agrees(document, far[0], verb) else None


def _agrees(document: _Text, noun: int, verb: int) -> bool:
    """Whether the number of a subject is that of its verb."""
    return ("Number=Plur" in document.forms[noun]) == ("Number=Plur" in document.forms[verb])


def _place(document: _Text, cue: int, first: int, last: int) -> tuple[int, int] | None:
    """The body or the document `в` which something is said: `в холдинге заявили`, `говорится в письме`."""
    form, words = document.forms[cue], document.words
    if not ("Number=Plur" in form or words[cue].endswith(("тся", "но", "лось"))):
        return None
    for token in [*range(cue + 1, min(last, cue + 6)), *range(cue - 1, first - 1, -1)]:
        if words[token] not in ("в", "во", "на") or token + 1 >= last:
            continue
        noun = document.heads[token] if document.relations[token] == "case" else -1
        if noun <= token or "Case=Loc" not in document.forms[noun] or any(word in TIMES for word in words[token + 1 : noun + 1]):
            continue
        if document.relations[noun] in ("obl", "nmod", "nsubj") and noun - token < 8:
            start, end = _phrase(document, noun)
            return max(start, token + 1), end
    return None


def _follower(document: _Text, cue: int, last: int) -> tuple[int, int] | None:
    """The nominative right behind the cue, where the syntax sees no subject."""
    if cue + 1 >= last or document.words[cue].endswith(("тся", "в", "вшись")):
        return None
    token = cue + 1
    while token < last and document.marked[token] and not document.marked[cue]:
        token += 1
    while token < last and document.forms[token].startswith(("ADJ", "DET")) and "Case=Nom" in document.forms[token]:
        token += 1
    form = document.forms[token] if token < last else ""
    return _phrase(document, token) if form.startswith(("NOUN", "PROPN", "PRON")) and "Case=Nom" in form else None


def _phrase(document: _Text, noun: int) -> tuple[int, int]:
    """First and last token of a noun's phrase: title, affiliation and name, no clause, bracket or preposition."""
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


def _same_case(document: _Text, token: int, noun: int) -> bool:
    """Whether a noun or adjective on the left edge can go with the noun: a genitive there hangs on something else."""
    form = document.forms[token]
    if not form.startswith(("NOUN", "PROPN")) or "Case=" not in form or "Case=" not in document.forms[noun]:
        return True
    return form.split("Case=")[1][:3] == document.forms[noun].split("Case=")[1][:3]


def _name_in_marks(document: _Text, before: int, noun: int) -> int | None:
    """The closing mark of a name in marks right behind a token of a phrase: `газета «Труд»`, ``газета ''Time''``."""
    token = before + 1
    word = document.words[token]
    if word in ("'", "''"):
        until = range(token + 1, min(len(document.words) - 1, token + 10))
        end = next((t for t in until if document.words[t] in ("'", "''") and document.words[t - 1] not in ("'", "''")), None)
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


def _belongs(document: _Text, token: int, noun: int) -> bool:
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
    if word in ",():;'" or word == "''" or word in DASHES or document.is_finite(token):
        return False
    for _ in range(8):
        if token == noun:
            return True
        if token < 0 or document.relations[token] not in NOMINAL:
            return False
        token = document.heads[token]
    return False


# --- speech by turns: labels, dashes


def _turns(document: _Text) -> None:
    """`Иванов: Да.`: paragraphs with the speaker before a colon, where there are three or more of them."""
    text = document.text
    found = [match for start in document.paragraphs[:-1] if (match := LABEL.match(text, document.starts[start]))]
    for match in found if len(found) > 2 else []:
        first = document.token(match.start())
        last = document.paragraph(first)[1]
        opening = document.token(match.end())
        if opening < last:
            document.add([(document.starts[opening], document.ends[last - 1])], None, (first, document.token(match.end(1)) - 1), "DIRECT")


def _headline(document: _Text) -> None:
    """`Роскомнадзор: внесение в реестр не связано с законом`, a first line without a full stop."""
    last = document.paragraphs[1]
    words, starts, ends = document.words, document.starts, document.ends
    colon = next((t for t in range(1, min(last - 3, 8)) if words[t] == ":" and starts[t + 1] > ends[t]), None)
    if colon is None or len(document.paragraphs) < 3 or document.words[last - 1] in STOPS or document.marked[colon + 1]:
        return
    if document.words[0] == "сми" or (document.entities[0] in ("B-ORG", "B-PER") and "B-LOC" not in document.entities[:colon]):
        document.add([(document.starts[colon + 1], document.ends[last - 1])], None, (0, colon - 1))


def _dash_speech(document: _Text) -> None:
    """Paragraphs that a dash opens, with the attribution that interrupts or closes them."""
    for first, last in zip(document.paragraphs, document.paragraphs[1:], strict=False):
        if document.words[first] not in DASHES or last - first < 2 or document.starts[first + 1] == document.ends[first]:
            continue
        if not document.text[document.starts[first + 1]].isupper() and document.words[first + 1] not in ("«", "„", "…", "“"):
            continue
        if document.words[last - 1] == ";":
            continue
        contents, cues = _pieces(document, first + 1, last)
        _say(document, contents, cues)


def _say(document: _Text, contents: list[tuple[int, int]], cues: list[int]) -> None:
    """Note a direct quotation, given in tokens (first, last + 1), and its cues with their speakers."""
    places = [(document.starts[first], document.ends[last - 1]) for first, last in contents if first < last]
    if not document.add(places, kind="DIRECT"):
        return
    for cue in cues:
        document.add_cue(cue, cue + 1)
        if speaker := _speaker(document, cue):
            document.add_speaker(speaker)


def _pieces(document: _Text, first: int, last: int) -> tuple[list[tuple[int, int]], list[int]]:
    """Cut an utterance at the attributions inside it: contents as tokens (first, last + 1), and cues."""
    contents: list[tuple[int, int]] = []
    cues: list[int] = []
    start = first
    token = first + 1
    while token < last - 1:
        dashed = document.words[token] in DASHES and document.words[token - 1] in ENDS
        if dashed and (cue := _attribution(document, token + 1, last)) is not None:
            stop = token - (document.words[token - 1] == ",")
            contents.append((start, stop))
            cues.append(cue)
            start = last
            for end in range(cue + 1, last - 1):
                if document.words[end] in DASHES and document.words[end - 1] in (".", ",", ":", "!", "?"):
                    start = end + 1
                    if document.words[end - 1] == ":" and (second := _last_report(document, cue + 1, end)) is not None:
                        cues.append(second)
                    break
            token = start
        token += 1
    if start < last:
        contents.append((start, last))
    return contents, cues


def _attribution(document: _Text, first: int, last: int) -> int | None:
    """The verb of `— сказал он`, that is the first one of a segment that starts small."""
    if first >= last or not document.text[document.starts[first]].islower() or document.words[first] in ("а", "но", "и", "да", "если"):
        return None
    if VERBAL.search(document.words[first]) and _nominative_behind(document, first, last):
        return first
    for token in range(first, min(last, first + 12)):
        word = document.words[token]
        if word in DASHES or word in STOPS or (word == "," and token - first < 3):
            return None
        if document.is_report(token) or (token - first < 3 and document.is_finite(token) and _has_subject(document, token)):
            return token
        if document.is_finite(token):
            return None
    return None


def _has_subject(document: _Text, verb: int) -> bool:
    """Whether a nominative comes behind a verb that is in the third person."""
    if "Person=1" in document.forms[verb] or "Person=2" in document.forms[verb]:
        return False
    first, last = document.sentence(verb)
    subject = _subject(document, verb, first, last)
    if subject is not None:
        return subject > verb
    return _nominative_behind(document, verb, last)


def _nominative_behind(document: _Text, verb: int, last: int) -> bool:
    """Whether a subject may stand within five words behind a verb, or `в`, as in `стояло в записке`."""
    if verb + 1 < last and document.words[verb].endswith(("ло", "лось", "тся")) and document.words[verb + 1] == "в":
        return True
    behind = [document.forms[token] for token in range(verb + 1, min(last, verb + 6))]
    if behind and behind[0].startswith("PROPN") and document.text[document.starts[verb + 1]].isupper():
        return True
    return any(form.startswith(("NOUN", "PROPN", "PRON")) and "Case=Nom" in form for form in behind)


def _last_report(document: _Text, first: int, last: int) -> int | None:
    for token in range(last - 1, first - 1, -1):
        if document.is_report(token) and not document.marked[token]:
            return token
    return None


def _introducing(document: _Text, first: int, last: int) -> int | None:
    """The reporting verb that a colon belongs to: the last one that does not stand in what another one reports."""
    found, opening = None, None
    for token in range(first, last):
        if not document.is_report(token) or document.marked[token]:
            continue
        if found is None or opening is None or token < opening or _goes_on(document, token, found) or _is_converb(document, token):
            found, opening = token, _complementiser(document, token, last)
    return found


def _is_converb(document: _Text, token: int) -> bool:
    return "VerbForm=Conv" in document.forms[token]


def _is_source(document: _Text, token: int) -> bool:
    """Whether `по словам …` starts at a token."""
    return document.words[token] == "по" and any(SOURCES.fullmatch(word) for word in document.words[token + 1 : token + 4])


# --- speech in marks


def _marked(document: _Text) -> None:
    """Quotation marks that hold an utterance: interrupted, with the attribution behind or before, or after another one."""
    previous = -1
    for start, end in document.stretches:
        first, last = document.token(start), document.token(end)
        if not document.is_free(first, last):
            continue
        if (
            _interrupted(document, first, last)
            or _attributed_behind(document, (start, end), first, last)
            or _attributed_before(document, (start, end), first, last)
            or (previous >= 0 and first - previous < 80 and _alone(document, (start, end), first, last))
        ):
            previous = last


def _interrupted(document: _Text, first: int, last: int) -> bool:
    contents, cues = _pieces(document, first, last)
    if not cues:
        return False
    _say(document, contents, cues)
    return True


def _attributed_behind(document: _Text, stretch: tuple[int, int], first: int, last: int) -> bool:
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
    return document.add([stretch], cue, _speaker(document, cue), "DIRECT")


def _attributed_before(document: _Text, stretch: tuple[int, int], first: int, last: int) -> bool:
    """`он сказал: «…»`, with the verb or without."""
    while first and document.words[first - 1] in ITALICS:
        first -= 1
    if not first or document.words[first - 1] != ":" or document.size(stretch) < 2:
        return False
    begin = document.sentence(first - 1)[0]
    if _is_source(document, begin):
        return False
    cue = _introducing(document, begin, first - 1)
    if cue is not None:
        return document.add([stretch], cue, _speaker(document, cue), "DIRECT")
    named = _is_label(document, begin, first - 1)
    if not named and (document.size(stretch) < 4 or not document.is_fragment(stretch)):
        return False
    return document.add([stretch], None, _voice(document, begin, first - 1), "DIRECT")


def _is_label(document: _Text, begin: int, colon: int) -> bool:
    """Whether a speaker's name and nothing else stands before a colon."""
    named = document.entities[begin] in ("B-PER", "B-ORG") or "B-PER" in document.entities[begin:colon]
    return colon - begin <= 8 and named and not any(document.is_finite(token) for token in range(begin, colon))


def _voice(document: _Text, begin: int, colon: int) -> tuple[int, int] | None:
    """Who speaks behind a colon that no reporting verb comes before: the label `Иванов:`, or the first subject."""
    if _is_label(document, begin, colon):
        noun = next((t for t in range(begin, colon) if "Case=Nom" in document.forms[t]), begin)
        return _phrase(document, noun)
    if _is_source(document, begin):
        return None
    subjects = (t for t in range(begin, colon) if document.relations[t] == "nsubj" and "Animacy=Anim" in document.forms[t])
    subject = next((t for t in subjects if "Case=Nom" in document.forms[t]), None)
    return _phrase(document, subject) if subject is not None else None


def _alone(document: _Text, stretch: tuple[int, int], first: int, last: int) -> bool:
    """A sentence of its own in marks, some way behind another quotation."""
    words = document.words
    if document.sentence(first)[0] != first or document.size(stretch) < 4 or not document.text[document.starts[first + 1]].isupper():
        return False
    end = document.sentence(last - 1)[1]
    if end - last > 1 or not (end > last or words[last - 2] in STOPS):
        return False
    return document.add([stretch], kind="DIRECT")


def _blocks(document: _Text) -> None:
    """A paragraph of its own behind `он сказал:`, with the lines that follow it without a blank one where the text has blank lines."""
    number = 1
    while number < len(document.paragraphs) - 1:
        first, last = document.paragraphs[number], document.paragraphs[number + 1]
        number += 1
        begin = document.sentence(first - 1)[0]
        if document.words[first - 1] != ":" or not document.text[document.starts[first]].isupper() or last - first < 4:
            continue
        cue = None if _is_source(document, begin) else _introducing(document, begin, first - 1)
        if cue is None and not any("Person=1" in form for form in document.forms[first:last]):
            continue
        while last < len(document.words) and "\n\n" in document.text and not _blank_before(document, last):
            end = document.paragraph(last)[1]
            if document.words[end - 1] == ":":
                break
            last = end
        speaker = _speaker(document, cue) if cue is not None else _voice(document, begin, first - 1)
        document.add([(document.starts[first], document.ends[last - 1])], cue, speaker, "DIRECT")


def _blank_before(document: _Text, token: int) -> bool:
    return document.text.count("\n", document.ends[token - 1], document.starts[token]) > 1


def _fragments(document: _Text) -> None:
    """`назвал его «…»`: three words or more in marks in the sentence of a reporting verb."""
    for stretch in document.stretches:
        first, last = document.token(stretch[0]), document.token(stretch[1])
        if not document.is_free(first, last) or document.size(stretch) < 3 or not document.text[document.starts[first + 1]].islower():
            continue
        stretch, last = _joined(document, stretch, last)
        begin = document.sentence(first)[0]
        cue = next(
            (
                token for token in range(first - 1, max(begin, first - 12) - 1, -1)
                if document.is_report(token) or document.words[token].startswith(("назва", "назыв", "охарактериз"))
            ),
            None,
        )  # fmt: skip
        if cue is not None and document.is_free(cue, first) and document.is_finite(cue) and not document.words[cue].startswith("предпол"):
            document.add([stretch], cue, _speaker(document, cue), "MIXED")


def _joined(document: _Text, stretch: tuple[int, int], last: int) -> tuple[tuple[int, int], int]:
    """A stretch with those that a comma or `и` joins to it, and the token behind."""
    while last + 2 < len(document.words) and document.words[last] in (",", "и") and document.starts[last + 1] in document.opens:
        stretch = stretch[0], document.opens[document.starts[last + 1]]
        last = document.token(stretch[1])
    return stretch, last


# --- reported speech


def _that(document: _Text) -> None:
    """`X сообщил, что …`, `X спросил, почему …`, `X возражает: …`."""
    for cue in range(len(document.words) - 3):
        again = cue in document.cues  # its quotation behind a colon is marked, `признал, что …: «…»`
        if (document.taken[cue] and not again) or document.marked[cue] or not document.is_report(cue, THAT):
            continue
        last = document.sentence(cue)[1]
        opening = _complementiser(document, cue, last)
        if opening is None:
            continue
        stop = _end_of_report(document, cue, opening, last)
        content = _trimmed(document, opening, _clause_end(document, cue, opening, stop))
        if content:
            speaker = _speaker(document, cue)
            document.add([content], cue, speaker)


def _complementiser(document: _Text, cue: int, last: int) -> int | None:
    """First token of the clause that a verb reports, `что` left out."""
    words = document.words
    for token in range(cue + 1, min(last - 2, cue + 25, len(words) - 3)):
        if document.marked[token] and document.taken[token]:
            return None
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
            if words[token - 2 : token] == ["за", "то"] or (
                words[token + 1] == "чтобы" and (infinitive or words[token - 1] in ("того", "тем"))
            ):
                return None
            if words[token + 1] in THAT_WORDS:
                return token + 2 + (words[token + 2] == "," and token + 3 < last)
            if words[token + 1] in QUESTIONS:
                near = 2 if words[token + 1] in RELATIVES and not words[cue].startswith(("спр", "поинтерес", "интерес")) else 8
                return token + 1 if token - cue < near and not infinitive else None
        elif token - cue > 1 and (document.is_finite(token) or document.is_report(token)):
            return None
    return None


def _end_of_report(document: _Text, cue: int, first: int, last: int) -> int:
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
            if document.is_report(after) and ("VerbForm=Conv" in document.forms[after] or _has_subject(document, after)):
                return token
            if document.is_report(after) and _shape(document, after) == _shape(document, cue) and words[after + 1 : after + 2] == [","]:
                return token
            if words[after] in ("но", "и", "а", "однако") and after + 1 < last:
                verb = next((t for t in range(after + 1, min(last, after + 9)) if document.is_finite(t) or words[t] == ","), None)
                if verb is not None and words[verb] != "," and _goes_on(document, verb, cue):
                    return token
        if words[token] == "и" and any(
            heads[t] == cue and document.relations[t] == "conj" and document.is_verb(t) for t in range(token + 1, min(last, token + 4))
        ):
            return token
    return last


def _clause_end(document: _Text, cue: int, first: int, last: int) -> int:
    """Where a report inside a clause on the speaker ends, `X, уверявший, что …, промолчал`: at the last comma before the main verb."""
    noun = document.heads[cue] if document.relations[cue].startswith("acl") else -1
    main = document.heads[noun] if 0 <= noun < cue else -1
    if not first < main < last:
        if "VerbForm=Part" not in document.forms[cue]:
            return last
        comma = next((token for token in range(last - 1, first, -1) if document.words[token] == ","), last)
        rest = range(comma + 1, last)
        bare = any(document.is_finite(t) for t in rest) and not any(document.relations[t].startswith("nsubj") for t in rest)
        return comma if bare else last
    return next((token for token in range(main, first, -1) if document.words[token] == ","), last)


def _goes_on(document: _Text, verb: int, cue: int) -> bool:
    """Whether a verb behind `, и` goes with the cue, not with what is reported."""
    if _subject(document, verb, *document.sentence(verb)) is not None:
        return False
    before = next((t for t in range(verb - 1, cue, -1) if document.words[t] == ","), cue)
    if any(document.forms[t].startswith(("NOUN", "PROPN", "PRON")) and "Case=Nom" in document.forms[t] for t in range(before, verb)):
        return False
    if document.heads[verb] == cue and _agrees(document, verb, cue):
        return True
    if _shape(document, verb) != _shape(document, cue) or document.words[verb] == "нет":
        return False
    if document.words[before + 1] == "и":  # no comma comes before `и` but where a clause ends
        return True
    head = document.heads[verb]
    return document.is_report(verb) or head == LEFT or (cue < head < verb and _shape(document, head) != _shape(document, cue))


def _shape(document: _Text, verb: int) -> tuple[str, ...]:
    """Gender, number and tense of a verb: what verbs with one subject share."""
    return tuple(part for part in document.forms[verb].split("|") if part.startswith(("Gender=", "Number=", "Tense=")))


def _sources(document: _Text) -> None:
    """`По словам X, …`, `…, по данным X, …`, `согласно опросу, …`."""
    words = document.words
    for token in range(len(words) - 3):
        if words[token] not in ("по", "согласно") or document.taken[token] or document.marked[token]:
            continue
        found = _source(document, token) if words[token] == "по" else _according(document, token)
        if found is None:
            continue
        cue, speaker, behind = found
        if words[behind : behind + 1] == [","]:
            behind = _behind(document, behind, document.sentence(token)[1])
        contents = _around(document, token, behind)
        if contents and document.add(contents):
            document.add_cue(*cue)
            if speaker:
                document.add_speaker(speaker)


def _source(document: _Text, token: int) -> tuple[tuple[int, int], tuple[int, int] | None, int] | None:
    """The cue (first, last + 1), the speaker (first, last) and the token behind both, of a phrase that `по` opens."""
    words, last = document.words, document.sentence(token)[1]
    for noun in range(token + 1, min(last - 1, token + 4)):
        if SOURCES.fullmatch(words[noun]):
            if words[noun - 1] in POSSESSIVES:
                return (noun, noun + 1), (noun - 1, noun - 1), noun + 1
            speaker = _genitive(document, noun, last)
            behind = (speaker[1] if speaker else noun) + 1
            if speaker and behind < last and document.forms[behind].startswith("ADP") and "," in words[behind + 1 : behind + 4]:
                behind = words.index(",", behind)
                speaker = speaker[0], behind - 1
            return (token, noun + 1), speaker, behind
        if not document.forms[noun].startswith(("ADJ", "DET", "PRON", "VERB")):
            return None
    return None


def _genitive(document: _Text, noun: int, last: int) -> tuple[int, int] | None:
    """The phrase in the genitive right behind a noun."""
    for token in range(noun + 1, min(last, noun + 7)):
        if document.words[token] == ",":
            break
        if document.heads[token] == noun and document.relations[token] in ("nmod", "appos", "obl"):
            left, right = _phrase(document, token)
            return (max(left, noun + 1), right)
    if document.words[noun + 1] == ",":
        return None
    comma = next((t for t in range(noun + 2, min(last, noun + 9)) if document.words[t] == ","), None)
    if comma is None or any(document.is_finite(token) for token in range(noun + 1, comma)):
        return None
    return noun + 1, comma - 1


def _according(document: _Text, token: int) -> tuple[tuple[int, int], tuple[int, int] | None, int] | None:
    noun = next((t for t in range(token + 1, token + 5) if t < len(document.words) and document.forms[t].startswith("NOUN")), None)
    if noun is None or not document.words[noun].startswith(DOCUMENTS):
        return None
    left, right = _phrase(document, noun)
    left = max(left, token + 1)
    return (token, token + 1), (left, right), right + 1


def _around(document: _Text, first: int, behind: int) -> list[tuple[int, int]]:
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
    if first - 1 > begin and words[first - 1] == "," and words[first - 2] not in ("что", "но", "а", "и", "однако", "который"):
        sides.append(_content(document, _clause(document, begin, first), first - 1))
    if behind < end:
        sides.append(_content(document, behind, end))
    if len(sides) == 2 and all(sides) and not _has_verb(document, sides[1]) and _has_verb(document, sides[0]):
        sides.pop()
    return [side for side in sides if side]


def _has_verb(document: _Text, content: tuple[int, int] | None) -> bool:
    first, last = (document.token(at) for at in content or (0, 0))
    return any(document.is_finite(token) or "Variant=Short" in document.forms[token] for token in range(first, last))


def _clause(document: _Text, begin: int, first: int) -> int:
    """Where the clause before an attribution starts: behind the last semicolon, else where its sentence does."""
    return next((token + 1 for token in range(first - 2, begin, -1) if document.words[token] == ";"), begin)


def _as_reported(document: _Text) -> None:
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
        if (
            words[token - 1] == ","
            and token > begin
            and not (_has_subject(document, cue) or words[cue].endswith(("тся", "ли", "ют", "ят")))
        ):
            continue  # a comparison
        speaker = _speaker(document, cue)
        if speaker is None and words[cue].startswith(("предпол", "полага", "счита")):
            continue
        behind = _behind(document, max(cue, speaker[1] if speaker else cue) + 1, end)
        contents = _around(document, token, behind)
        if contents and document.add(contents):
            document.add_cue(cue, cue + 1)
            if speaker:
                document.add_speaker(speaker)


def _behind(document: _Text, token: int, end: int) -> int:
    """The comma or the end behind an attribution's last word, clauses that hang on its speaker left aside."""
    while token < end:
        word = document.words[token]
        if word == "," and token + 1 < end and _hangs(document, token + 1):
            token = next((t for t in range(token + 2, end) if document.words[t] == ","), end)
            continue
        if word in (",", ";") or (word in STOPS and token == end - 1):
            return token
        token += 1
    return end


def _fronted(document: _Text) -> None:
    """`Куда они делись, в полиции не сказали`: a question before the verb that leaves it open."""
    words = document.words
    for cue in range(3, len(words)):
        if words[cue - 1] != "не" or document.taken[cue] or document.marked[cue] or not document.is_report(cue):
            continue
        begin = document.sentence(cue)[0]
        comma = next((token for token in range(cue - 2, begin + 1, -1) if words[token] == ","), None)
        if comma is not None and (words[begin] in QUESTIONS or "ли" in words[begin + 1 : min(begin + 4, comma)]):
            document.add([(document.starts[begin], document.ends[comma - 1])], cue, _speaker(document, cue))


def _hangs(document: _Text, token: int) -> bool:
    """Whether a clause on what comes before it starts at a token: relative, participial or with a converb."""
    return document.words[token].startswith("котор") or any(form in document.forms[token] for form in ("VerbForm=Part", "VerbForm=Conv"))


def _parenthetical(document: _Text) -> None:
    """`…, сообщил X`, `…, считает X, …`: a verb between a comma and its subject."""
    words = document.words
    for cue in range(2, len(words) - 1):
        if document.taken[cue] or document.marked[cue] or words[cue - 1] != "," or not document.is_report(cue):
            continue
        if not document.is_finite(cue) and not words[cue].endswith("но"):
            continue
        begin, end = document.sentence(cue)
        speaker = _speaker(document, cue)
        if speaker is None or speaker[1] < cue or cue - begin < 2:
            continue
        behind = _behind(document, speaker[1] + 1, end)
        contents = _around(document, cue, behind)
        if contents and document.add(contents):
            document.add_cue(cue, cue + 1)
            document.add_speaker(speaker)
