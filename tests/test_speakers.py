import pytest

from govorit.article import Quote, Span
from govorit.decoding.speakers import beside_cues, beside_names


def find(text: str, words: str, label: str) -> Span:
    return Span(text.index(words), text.index(words) + len(words), label)


@pytest.mark.parametrize(
    "text, cue, found, speaker, per, org",
    [
        ("«Да», — цитирует Юрия Чайку РИА Новости.", "цитирует", "Юрия Чайку РИА Новости", "Юрия Чайку", "Юрия Чайку", "РИА Новости"),
        ("«Да», — цитирует Чайку «Труд».", "цитирует", "Чайку «Труд»", "Чайку", "Чайку", "Труд"),
        ("«Да», — пояснил RT Торнтон.", "пояснил", "RT Торнтон", "Торнтон", "Торнтон", "RT"),
        ("глава Фонда (ФБК) Кира Ярмыш заявила", "заявила", "глава Фонда", "глава Фонда (ФБК) Кира Ярмыш", "Кира Ярмыш", "ФБК"),
        ("чемпион мира на 110 метров Шубин сказал", "сказал", "чемпион мира", "чемпион мира на 110 метров Шубин", "Шубин", ""),
    ],
)  # fmt: skip
def test_a_speaker_holds_the_name_and_not_the_outlet(text, cue, found, speaker, per, org):
    spans = sorted([find(text, cue, "CUE"), find(text, found, "SPEAKER")], key=lambda span: span.start)
    names = sorted([find(text, per, "PER"), *([find(text, org, "ORG")] if org else [])], key=lambda span: span.start)
    (mended,) = (span for span in beside_names(text, spans, names) if span.label == "SPEAKER")
    assert text[mended.start : mended.end] == speaker


@pytest.mark.parametrize(
    "text, cue, speaker, name",
    [
        ("По словам главы банка, Петров сказал", "По словам", "главы банка", "Петров"),  # of another sentence part
        ("глава банка (ЦБ) уверен, Петров сказал", "уверен", "глава банка", "Петров"),
        ("заявил представитель «Газпрома» Куприянов", "заявил", "представитель «Газпрома» Куприянов", "Куприянов"),
    ],
)
def test_other_speakers_stay(text, cue, speaker, name):
    spans = sorted([find(text, cue, "CUE"), find(text, speaker, "SPEAKER")], key=lambda span: span.start)
    assert beside_names(text, spans, [find(text, name, "PER")]) == spans


def speaker(text: str, cue: str, name: str, label: str, content: str = "Да", known: str = "") -> str | None:
    quote = Quote("direct", (find(text, content, "DIRECT"),), find(text, cue, "CUE"))
    others = [Quote("direct", (find(text, content, "DIRECT"),), None, find(text, known, "SPEAKER"))] if known else []
    mended = beside_cues(text, [quote, *others], [find(text, name, label)])[0].speaker
    return text[mended.start : mended.end] if mended else None


def test_a_name_beside_a_verb_without_a_speaker_speaks():
    assert speaker("«Да», — цитирует Чайку РИА.", "цитирует", "Чайку", "PER") == "Чайку"
    assert speaker("«Да», — заявил Трамп.", "заявил", "Трамп", "PER") == "Трамп"
    assert speaker("«Le Figaro» пишет: «Да».", "пишет", "Le Figaro", "ORG") == "Le Figaro"
    assert speaker("В TikTok заявили: «Да».", "заявили", "TikTok", "ORG") == "TikTok"
    assert speaker("«Да», — утверждают в Odebrecht.", "утверждают", "Odebrecht", "ORG") == "Odebrecht"
    assert (
        speaker("Глава Рослеса Лихачёв сказал: «Да».", "сказал", "Лихачёв", "PER", known="Глава Рослеса Лихачёв") == "Глава Рослеса Лихачёв"
    )


def test_other_names_beside_verbs_do_not():
    for text, cue, name, label in (
        ("Трампа обвиняют: «Да».", "обвиняют", "Трампа", "PER"),
        ("«Да», — сказал Трампу.", "сказал", "Трампу", "PER"),
        ("Об этом Apple. Отмечается: «Да».", "Отмечается", "Apple", "ORG"),
        ("«Да», — приводит ТАСС слова.", "приводит", "ТАСС", "ORG"),
        ("заявил Трамп, добавив: «Да».", "добавив", "Трамп", "PER"),
        ("Apple заявили: «Да».", "заявили", "Apple", "ORG"),
    ):
        assert speaker(text, cue, name, label) is None, text
    assert speaker("Он сказал Петров виновен", "сказал", "Петров", "PER", content="Петров виновен") is None
