from govorit.article import Span
from govorit.decoding.nameless import without


def names(text: str, label: str, *found: str) -> list[str]:
    spans = [Span(text.index(name), text.index(name) + len(name), label) for name in found]
    return [text[span.start : span.end] for span in without(text, spans)]


def test_an_organisation_is_more_than_its_kind():
    text = "СМИ и ОАО «Газпром»"
    assert names(text, "ORG", "СМИ", "ОАО", "Газпром") == ["Газпром"]
    assert names(text, "ORG", "СМИ и ОАО «Газпром»") == ["СМИ и ОАО «Газпром»"]
    assert names(text, "LOC", "СМИ", "ОАО") == ["СМИ", "ОАО"]


def test_a_common_word_that_opens_a_sentence_is_nobodys_name():
    for text in ("Киллер выстрелил.", "Суд.\n\nЖурнал закрыт", "Он бежал. Киллер выстрелил.", "— Монарх призвал", "«Вон!» Киллер ушёл."):
        word = next(word for word in ("Киллер", "Журнал", "Монарх") if word in text)
        assert names(text, "PER", word) == [], text
        assert names(text, "ORG", word) == [word]


def test_a_country_says_nothing_of_who_lives_there():
    assert names("Выборы в Индонезии прошли. Индонезиец рассказал.", "PER", "Индонезиец") == []


def test_what_may_be_a_name_stays():
    for text, name in (
        ("Вера пришла.", "Вера"),  # a name as well
        ("Пугачёва поёт.", "Пугачёва"),
        ("Бузыкин ушёл.", "Бузыкин"),  # in no dictionary
        ("Пришёл Киллер.", "Киллер"),  # not the first word
        ("Киллер ушёл, и Киллера нашли.", "Киллер"),  # has its capital elsewhere as well
        ("Киллер ушёл, и Анну Киллер нашли.", "Киллер"),
        ("Кот ушёл, и Кота нашли.", "Кот"),
        ("Киллер Иванов ушёл.", "Киллер Иванов"),
        ("Smith left.", "Smith"),
    ):
        assert names(text, "PER", name) == [name], text


def test_no_person_has_a_number():
    assert names("Летит Су-30, в Сочи-2014 был Петров", "PER", "Су", "Сочи", "Петров") == ["Петров"]
    assert names("На Евро-2016", "LOC", "Евро") == ["Евро"]
