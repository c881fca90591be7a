"""Quotations by rules: cases in inline markup, with as much of the syntax as a case needs."""

from __future__ import annotations

import random
import re
from itertools import pairwise

import numpy as np
import pytest

from govorit import rules, silver
from govorit.article import Span

LABELS = {"d": "DIRECT", "i": "INDIRECT", "m": "MIXED", "c": "CUE", "s": "SPEAKER"}
FORMS = {
    "V": "VERB|Gender=Masc|Mood=Ind|Number=Sing|Tense=Past|VerbForm=Fin",
    "VP": "VERB|Mood=Ind|Number=Plur|Tense=Past|VerbForm=Fin",
    "VT": "VERB|Mood=Ind|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin|Voice=Mid",
    "CONV": "VERB|Tense=Past|VerbForm=Conv",
    "N": "NOUN|Animacy=Anim|Case=Nom|Gender=Masc|Number=Sing",
    "G": "NOUN|Animacy=Anim|Case=Gen|Gender=Masc|Number=Sing",
    "L": "NOUN|Animacy=Inan|Case=Loc|Gender=Fem|Number=Sing",
    "P": "ADP",
    "PRON": "PRON|Case=Gen",
}
RELATIONS = {"N": "nsubj", "G": "nmod", "L": "obl", "P": "case"}

CASES = [
    # direct, in marks: before, behind, interrupted
    ("<d>«Да, это так»</d>, — <c>сказал</c> <s>Песков</s>.", "сказал:V Песков:N>сказал"),
    ("<s>Песков</s> <c>не сказал</c>: <d>«Мы согласны»</d>.", "сказал:V Песков:N>сказал"),
    ("<d>«Это признак слабости</d>, — <c>сказал</c> <s>он</s>. — <d>Мы хотим мира»</d>.", "сказал:V он:N>сказал"),
    ("<d>«Нет»</d>, — <c>съехидничал</c> <s>Енгоян</s>.", "Енгоян:N>съехидничал"),  # a verb that the models do not know
    # the marks of a following sentence, and of a name
    (
        "<d>«Мы победили»</d>, — <c>сказал</c> <s>тренер</s>.\n<d>«Теперь мы поедем домой к семьям»</d>.\nФильм «Дом на краю» снят.",
        "сказал:V тренер:N>сказал",
    ),
    # dash speech
    ("— <d>Куда вы едете?</d> — <c>спросил</c> <s>он</s>. — <d>Там пусто.</d>", "спросил:V он:N>спросил"),
    # indirect, mixed, direct behind `что`
    ("<s>Песков</s> <c>заявил</c>, что <i>встречи не было</i>.", "заявил:V Песков:N>заявил было:V"),
    ("<s>Он</s> <c>заявил</c>, что <m>жертву «просто прозевал, как новичок»</m>.", "заявил:V Он:N>заявил прозевал:V"),
    ("<s>Он</s> <c>заявил</c>, что <d>«всегда был за искусство»</d>.", "заявил:V Он:N>заявил был:V"),
    (
        "<s>Он</s> <c>заявил</c>, что <i>войны нет</i>, и <c>добавил</c>, что <i>её не будет</i>.",
        "заявил:V Он:N>заявил добавил:V:conj>заявил",
    ),
    (
        "<s>Он</s> <c>заявил</c>, что <i>войны нет</i>, <c>добавив</c>, что <i>она кончилась</i>.",
        "заявил:V Он:N>заявил добавив:CONV:advcl>заявил",
    ),
    ("<s>Он</s> <c>заявил</c>, что <i>смета выросла</i>: <d>«Всё теперь подорожало»</d>.", "заявил:V Он:N>заявил выросла:V"),
    ("<s>Он</s> <c>спросил</c>, <i>почему суд закрыт</i>.", "спросил:V Он:N>спросил"),
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
    ("<i>Дом сгорел</i>, <c>по данным</c> <s>МЧС</s>.", "сгорел:V МЧС:G>данным"),
    # nothing of the kind
    ("Песков отказался от комментариев.", "отказался:V Песков:N>отказался"),
    ("Отметим, что дом сгорел.", "Отметим:V сгорел:V"),
    ("Согласно закону, дом снесут.", "закону:G снесут:VP"),
    ("Об этом сообщил Песков.", "сообщил:V Песков:N>сообщил"),
]  # fmt: skip


@pytest.mark.parametrize(("markup", "syntax"), CASES)
def test_case(markup, syntax):
    text, gold = read(markup)
    assert show(text, rules.find(*annotated(text, syntax))) == show(text, gold)


def test_block_behind_a_colon():
    text, gold = read("<s>Он</s> <c>заявил</c>:\n<d>Мы согласны на всё.</d>\n\nДом цел.")
    assert rules.find(*annotated(text, "заявил:V Он:N>заявил")) == gold


def test_turns_with_labels():
    text, gold = read("<s>Шульман</s>: <d>Это лёд?</d>\n<s>Мурадян</s>: <d>Это певец.</d>\n<s>Шульман</s>: <d>И всё?</d>")
    assert rules.find(*annotated(text, "")) == gold


def test_speech_of_two_paragraphs_in_one_pair_of_marks():
    text, gold = read("<d>«Мы ждали. Мы верили.\nИ дождались»</d>, — <c>сказал</c> <s>он</s>.")
    assert rules.find(*annotated(text, "сказал:V он:N>сказал")) == gold


def test_empty_text_has_nothing():
    assert rules.find(*annotated("", "")) == []


def test_spans_lie_within_the_text_and_never_overlap():
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
        tokens = [(match[0], chance.choice(forms), chance.choice(relations), None) for match in TOKEN.finditer(text)]
        heads = [chance.randrange(len(tokens) + 1) for _ in tokens]
        spans = rules.find(*arrays(text, tokens, heads))
        assert all(0 <= span.start < span.end <= len(text) for span in spans), text
        assert all(one.end <= other.start for one, other in pairwise(spans)), text


TOKEN = re.compile(r"\w+|[^\w\s]")


def read(markup):
    """The text of inline markup and its spans: `<c>сказал</c>` is a CUE."""
    text, spans = "", []
    for piece in re.findall(r"<(\w)>(.*?)</\w>|([^<]+)", markup, flags=re.DOTALL):
        label, marked, plain = piece
        if label:
            spans.append(Span(len(text), len(text) + len(marked), LABELS[label]))
        text += marked or plain
    return text, spans


def annotated(text, syntax):
    """The arguments of `find`: `syntax` lists `word:FORM:relation>head`, other words are roots.

    A relation not given is the form's usual one.
    """
    told = {}
    for item in syntax.split():
        node, _, head = item.partition(">")
        word, form, *relation = node.split(":")
        told[word] = FORMS[form], ":".join(relation) or RELATIONS.get(form, "root"), head
    words = [match[0] for match in TOKEN.finditer(text)]
    tokens = [(word, *told.get(word, ("PUNCT", "root", ""))) for word in words]
    return arrays(text, tokens, [words.index(head) + 1 if head else 0 for *_, head in tokens])


def arrays(text, tokens, heads):
    """`tokens` are (word, form, relation, …); `heads` count from 1, 0 is the root."""
    columns = {"forms": [token[1] for token in tokens], "relations": [token[2] for token in tokens], "entities": ["O"] * len(tokens)}
    names = {layer: sorted(set(values)) for layer, values in columns.items()} | {"heads": silver.HEADS}
    labels = {layer: np.array([names[layer].index(value) for value in values], np.int16) for layer, values in columns.items()}
    labels["heads"] = silver.heads(heads)
    return text, np.array([match.start() for match in TOKEN.finditer(text)], np.int32), labels, names


def show(text, spans):
    return [(span.label, text[span.start : span.end]) for span in spans]
