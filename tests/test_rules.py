"""Quotations by rules: cases in inline markup, with as much of the syntax as a case needs."""

from __future__ import annotations

import random
import re
import time
from itertools import pairwise

import numpy as np
import pytest

from govorit import rules
from govorit.article import CUE, SPEAKER, Quote, Span, quote_spans
from govorit.corpora import silver
from govorit.rules import document
from govorit.rules.phrases import find_phrase

LABELS = {"d": "DIRECT", "i": "INDIRECT", "m": "MIXED", "c": "CUE", "s": "SPEAKER"}
FORMS = {
    "V": "VERB|Gender=Masc|Mood=Ind|Number=Sing|Tense=Past|VerbForm=Fin",
    "VP": "VERB|Mood=Ind|Number=Plur|Tense=Past|VerbForm=Fin",
    "VT": "VERB|Mood=Ind|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin|Voice=Mid",
    "CONV": "VERB|Tense=Past|VerbForm=Conv",
    "PART": "VERB|Case=Nom|Number=Sing|Tense=Past|VerbForm=Part",
    "N": "NOUN|Animacy=Anim|Case=Nom|Gender=Masc|Number=Sing",
    "G": "NOUN|Animacy=Anim|Case=Gen|Gender=Masc|Number=Sing",
    "L": "NOUN|Animacy=Inan|Case=Loc|Gender=Fem|Number=Sing",
    "P": "ADP",
    "PRON": "PRON|Case=Gen",
}
RELATIONS = {"CONV": "advcl", "N": "nsubj", "G": "nmod", "L": "obl", "P": "case"}

CASES = [
    # direct, in marks: before, behind, interrupted
    ("<d>«Да, это так»</d>, — <c>сказал</c> <s>Песков</s>.", "сказал:V Песков:N>сказал"),
    ("<s>Песков</s> <c>не сказал</c>: <d>«Мы согласны»</d>.", "сказал:V Песков:N>сказал"),
    ("<d>«Это признак слабости</d>, — <c>сказал</c> <s>он</s>. — <d>Мы хотим мира»</d>.", "сказал:V он:N>сказал"),
    ("<d>«Нет»</d>, — <c>съехидничал</c> <s>Енгоян</s>.", "Енгоян:N>съехидничал"),  # a verb that the models do not know
    # the marks of a following sentence, and of a name
    (
        "<d>«Мы победили»</d>, — <c>сказал</c> <s>тренер</s>.\n<d2>«Теперь мы поедем домой к семьям»</d2>.\nФильм «Дом на краю» снят.",
        "сказал:V тренер:N>сказал",
    ),
    # the second attribution makes a quotation of its own
    (
        "<d>«Нет</d>, — <c>отрезал</c> <s>Ли</s> и <c2>добавил</c2>: — <d2>Никогда»</d2>.",
        "отрезал:V Ли:N>отрезал добавил:V:conj>отрезал",
    ),
    # what direct speech in marks comes before
    (
        "<s>Ли</s> <c>заявил</c>, что <i>цех цел</i>, и <c2>добавил</c2>: <d2>«Мы его никому не отдадим»</d2>.",
        "заявил:V Ли:N>заявил добавил:V:conj>заявил",
    ),
    ("<i>Снег сойдёт</i>, <c12>обещает</c12> <s12>Ли</s12>: <d2>«Весна уже пришла»</d2>.", "сойдёт:V обещает:V Ли:N>обещает"),
    # dash speech
    ("— <d>Куда вы едете?</d> — <c>спросил</c> <s>он</s>. — <d>Там пусто.</d>", "спросил:V он:N>спросил"),
    # indirect, mixed, direct behind `что`
    ("<s>Песков</s> <c>заявил</c>, что <i>встречи не было</i>.", "заявил:V Песков:N>заявил было:V"),
    ("<s>Он</s> <c>заявил</c>, что <m>жертву «просто прозевал, как новичок»</m>.", "заявил:V Он:N>заявил прозевал:V"),
    ("<s>Он</s> <c>заявил</c>, что <d>«всегда был за искусство»</d>.", "заявил:V Он:N>заявил был:V"),
    (
        "<s>Он</s> <c>заявил</c>, что <i>войны нет</i>, и <c2>добавил</c2>, что <i2>её не будет</i2>.",
        "заявил:V Он:N>заявил добавил:V:conj>заявил",
    ),
    (
        "<s>Он</s> <c>заявил</c>, что <i>войны нет</i>, <c2>добавив</c2>, что <i2>она кончилась</i2>.",
        "заявил:V Он:N>заявил добавив:CONV:advcl>заявил",
    ),
    ("<s12>Он</s12> <c12>заявил</c12>, что <i>смета выросла</i>: <d2>«Всё теперь подорожало»</d2>.", "заявил:V Он:N>заявил выросла:V"),
    ("<s>Он</s> <c>спросил</c>, <i>почему суд закрыт</i>.", "спросил:V Он:N>спросил"),
    ("<s>Он</s> <c>ответил</c>: <d>«Найдём»</d>.", "ответил:V Он:N>ответил Найдём:VT"),
    ("Он ушёл, <c>посоветовав</c> <m>«чаще мыть руки»</m>.", "Он:N>ушёл ушёл:V посоветовав:CONV"),
    ("<c>Заявив</c>, что <i>цех цел</i>, <s>Ли</s> ушёл.", "Заявив:CONV>ушёл Ли:N>ушёл ушёл:V"),
    ("<s>Ли</s> <c>заявил</c>, что <i>цех цел</i>, но имён не назвал.", "заявил:V Ли:N>заявил назвал:V"),
    # the speaker: a title with a name, a body, an antecedent, a pronoun
    (
        "<s>Директор завода Иван Ли</s>, который вчера <c>заявил</c>, что <i>цех закрыт</i>.",
        "Директор:N завода:G>Директор Иван:N:appos>Директор Ли:N:flat:name>Иван который:N>заявил заявил:V:acl:relcl>Директор",
    ),
    ("В <s>мэрии</s> <c>заявили</c>, что <i>трубу не меняли</i>.", "В:P>мэрии мэрии:L>заявили заявили:VP"),
    ("В <s>письме</s> <c>говорится</c>, что <i>долга нет</i>.", "В:P>письме письме:L>говорится говорится:VT"),
    # in parentheses
    ("<i>Дом сгорел</i>, <c>сообщил</c> <s>Песков</s>.", "сгорел:V сообщил:V Песков:N>сообщил"),
    ("<i>Дом</i>, <c>сообщил</c> <s>Песков</s>, <i>сгорел дотла</i>.", "сгорел:V сообщил:V Песков:N>сообщил"),
    ("Как <c>сообщил</c> <s>Песков</s>, <i>дом сгорел</i>.", "сообщил:V Песков:N>сообщил сгорел:V"),
    ("<c>По словам</c> <s>Пескова</s>, <i>дом сгорел</i>.", "словам:G Пескова:G>словам сгорел:V"),
    ("Кроме того, по <s>его</s> <c>словам</c>, <i>дом сгорел</i>.", "его:PRON сгорел:V"),
    ("<c>По словам</c> <s>Пескова</s>, <i>пострадавший цел</i>.", "словам:G Пескова:G>словам пострадавший:PART"),
    ("<i>Дом сгорел</i>, <c>сообщил</c> <s>Песков</s>, передаёт ТАСС.", "сгорел:V сообщил:V Песков:N>сообщил передаёт:V ТАСС:N>передаёт"),
    ("<i>Дом сгорел</i>, <c>по данным</c> <s>МЧС</s>.", "сгорел:V МЧС:G>данным"),
    # nothing of the kind
    ("Песков отказался от комментариев.", "отказался:V Песков:N>отказался"),
    ("Отметим, что дом сгорел.", "Отметим:V сгорел:V"),
    ("Согласно закону, дом снесут.", "закону:G снесут:VP"),
    ("Об этом сообщил Песков.", "сообщил:V Песков:N>сообщил"),
]  # fmt: skip


PHRASES = [  # who speaks, where the syntax errs or says nothing
    ("— <d>Пора</d>, — <c>сказал</c>, не глядя, <s>Ким</s>.", "сказал:V глядя:CONV Ким:N"),
    ("<s>Ли</s>, не назвав имени, <c>сказал</c>: <d>«Пора домой»</d>.", "Ли:N назвав:CONV сказал:V"),
    ("<s>Ли</s>, 30 лет, <c>сказал</c>: <d>«Пора домой»</d>.", "Ли:N сказал:V"),
    ("<s>Директор Иван Ли</s> <c>сказал</c>: <d>«Пора домой»</d>.",
     "Директор:N Иван:N:appos>Директор:B-PER Ли:N:flat:name>Иван:I-PER сказал:V"),
    ("<d>«Пора»</d>, — <c>сказал</c> <s>механик Ли</s>.", "сказал:V механик:N>сказал Ли:N:nsubj>сказал:B-PER"),
    ("<d>«Пора»</d>, — <c>сказал</c> <s>автор книги, актёр Ли</s>.",
     "сказал:V автор:N>сказал книги:G>автор актёр:N:appos>автор Ли:N:appos>актёр:B-PER"),
    ("<d>«Пора»</d>, — <c>сказал</c> <s>Ли</s> по рации.", "сказал:V Ли:N>сказал:B-PER по:P>рации рации:L:nmod>Ли"),
    ("<d>«Пора»</d>, — <c>цитирует</c> портал <s>министра</s>.", "цитирует:V портал:N>цитирует министра:G>портал"),
    ("<d>«Пора»</d>, — <c>передал</c> <s>его</s> слова переводчик.", "передал:V его:PRON слова:N переводчик:N>передал"),
    ("Вышло <s>письмо</s>, в котором <c>говорится</c>, что <i>долга нет</i>.",
     "Вышло:V письмо:N>Вышло в:P>котором котором:L>говорится говорится:VT:acl:relcl>письмо"),
]  # fmt: skip


@pytest.mark.parametrize(("markup", "syntax"), [*CASES, *PHRASES])
def test_case(markup, syntax):
    text, gold = read(markup)
    assert show(text, rules.quotations(*annotated(text, syntax))) == show(text, gold)


BLOCKS = {
    "behind a colon": ("<s>Он</s> <c>заявил</c>:\n<d>Мы согласны на всё.</d>\n\nДом цел.", "заявил:V Он:N>заявил"),
    "behind a source": ("По <s>её</s> <c>словам</c>:\n<d>Мы согласны на всё.</d>\n\nДом цел.", "её:PRON"),
    "turns with labels": (
        "<s>Шульман</s>: <d>Это лёд?</d>\n<s2>Мурадян</s2>: <d2>Это певец.</d2>\n<s3>Шульман</s3>: <d3>И всё?</d3>",
        "",
    ),
    "two paragraphs in one pair of marks": (
        "<d>«Мы ждали. Мы верили.\nИ „дождались“»</d>, — <c>сказал</c> <s>он</s>.",
        "сказал:V он:N>сказал",
    ),
}


@pytest.mark.parametrize("case", BLOCKS)
def test_speech_of_whole_paragraphs(case):
    markup, syntax = BLOCKS[case]
    text, gold = read(markup)
    assert rules.quotations(*annotated(text, syntax)) == gold


def test_nothing_stands_where_a_block_was_left_out():
    assert rules.quotations(*annotated("Он заявил:\n\n\nВчера дом сгорел.", "заявил:V Он:N>заявил сгорел:V")) == ()


def test_a_long_row_of_appositions_is_looked_at_once():
    # Each second one hangs on the one before it, the others on the last but one: each phrase was found again from two before it.
    count = 80
    text = "Сказал " + ", ".join(["актёр"] * count) + "."
    actor, comma = ("актёр", FORMS["N"], "appos", "O"), (",", "PUNCT", "punct", "O")
    tokens = [("Сказал", FORMS["V"], "root", "O"), *([actor, comma] * count)]
    heads = [0, *(head for i in range(count) for head in (2 * i - (0 if i % 2 else 2), 0))]
    heads[1] = 1
    begun = time.process_time()
    assert find_phrase(document.read(*arrays(text, tokens, heads)), 1) == (1, 2 * count - 1)
    assert time.process_time() - begun < 5


def test_empty_text_has_nothing():
    assert rules.quotations(*annotated("", "")) == ()
    assert rules.find(*annotated("", "")) == []


def test_spans_lie_within_the_text_and_only_attributions_are_shared():
    words = [
        "«",
        "»",
        "„",
        "“",
        '"',
        "—",
        ",",
        ".",
        ":",
        "\n",
        "?",
        "(",
        "что",
        "как",
        "и",
        "по",
        "словам",
        "сказал",
        "заявив",
        "Он",
        "дом",
        "в",
    ]
    forms = [*FORMS.values(), "PUNCT", "ADJ|Case=Nom"]
    relations = ["nsubj", "nmod", "conj", "acl:relcl", "advcl", "case", "obl", "root", "appos", "obj"]
    chance = random.Random(0)
    for _ in range(1500):
        text = " ".join(chance.choices(words, k=chance.randrange(1, 30)))
        tokens = [(match[0], chance.choice(forms), chance.choice(relations), "O") for match in TOKEN.finditer(text)]
        heads = [chance.randrange(len(tokens) + 1) for _ in tokens]
        document = arrays(text, tokens, heads)
        quotes, spans = rules.quotations(*document), rules.find(*document)
        assert spans == list(quote_spans(quotes)), text
        assert list(quotes) == sorted(quotes, key=lambda quote: quote.content[0].start), text
        assert len({span for quote in quotes for span in quote.content}) == sum(len(quote.content) for quote in quotes), text
        assert all(0 <= span.start < span.end <= len(text) for span in spans), text
        assert all(one.end <= other.start for one, other in pairwise(spans)), text


TOKEN = re.compile(r"\w+|[^\w\s]")


def read(markup):
    """The text of inline markup and its quotations: `<c2>сказал</c2>` is the CUE of the second one, `<c12>` of both; no digit is 1."""
    text, spans = "", []
    for piece in re.findall(r"<(\w)(\d*)>(.*?)</\w+>|([^<]+)", markup, flags=re.DOTALL):
        label, numbers, marked, plain = piece
        if label:
            span = Span(len(text), len(text) + len(marked), LABELS[label])
            spans += [(number, span) for number in numbers or "1"]
        text += marked or plain
    return text, tuple(quotation([span for owner, span in spans if owner == number]) for number in sorted({number for number, _ in spans}))


def quotation(spans):
    parts = {label: next((span for span in spans if span.label == label), None) for label in (CUE, SPEAKER)}
    content = tuple(span for span in spans if span.label not in parts)
    return Quote(content[0].label.lower(), content, *parts.values())


def annotated(text, syntax):
    """The arguments of the rules: `syntax` lists `word:FORM:relation>head:entity`, other words are roots.

    A relation not given is the form's usual one.
    """
    told = {}
    for item in syntax.split():
        node, _, head = item.partition(">")
        word, form, *relation = node.split(":")
        head, _, entity = head.partition(":")
        told[word] = FORMS[form], ":".join(relation) or RELATIONS.get(form, "root"), head, entity or "O"
    words = [match[0] for match in TOKEN.finditer(text)]
    tokens = [(word, *told.get(word, ("PUNCT", "root", "", "O"))) for word in words]
    return arrays(text, tokens, [words.index(token[3]) + 1 if token[3] else 0 for token in tokens])


def arrays(text, tokens, heads):
    """`tokens` are (word, form, relation, …, entity); `heads` count from 1, 0 is the root."""
    columns = {layer: [token[i] for token in tokens] for layer, i in (("forms", 1), ("relations", 2), ("entities", -1))}
    names = {layer: sorted(set(values)) for layer, values in columns.items()} | {"heads": silver.HEADS}
    labels = {layer: np.array([names[layer].index(value) for value in values], np.int16) for layer, values in columns.items()}
    labels["heads"] = silver.heads(heads)
    return text, np.array([match.start() for match in TOKEN.finditer(text)], np.int32), labels, names


def show(text, quotes):
    return [
        (quote.kind, *[(span.label, text[span.start : span.end]) for span in (*quote.content, quote.cue, quote.speaker) if span])
        for quote in quotes
    ]
