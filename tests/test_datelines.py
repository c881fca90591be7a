import numpy as np
import pytest

from govorit.decoding import datelines, viterbi
from govorit.words import words

LABELS = ["PER", "LOC", "ORG"]


def read(text: str) -> tuple[list[str], list[str]]:
    """What is a LOC and which words stay open to quotations, where the network takes the first word of the line for an ORG."""
    bounds = words(text)
    scores = np.tile(np.log([0.91, *[0.01] * 6]), (len(bounds), 1))
    scores[0, [0, 5]] = np.log([0.01, 0.9])
    found = viterbi.spans(datelines.place(scores, text, bounds, LABELS), bounds, LABELS)
    silent = datelines.silent(scores, text, bounds)
    free = [text[start:end] for (start, end), row in zip(bounds, silent, strict=True) if np.isfinite(row).all()]
    return [text[span.start : span.end] for span in found if span.label == "LOC"], free


@pytest.mark.parametrize(
    "line, place",
    [
        ("МОСКВА, 5 мар — РИА Новости. ", "МОСКВА"),
        ("САНКТ-ПЕТЕРБУРГ, 1 июля. /ТАСС/. ", "САНКТ-ПЕТЕРБУРГ"),
        ("ЕКАТЕРИНБУРГ. 14 ноября. ИНТЕРФАКС-УРАЛ – ", "ЕКАТЕРИНБУРГ"),
        ("НИЖНИЙ НОВГОРОД, 7 мая 2010 г. — ", "НИЖНИЙ НОВГОРОД"),
        ("КИЕВ, 5 марта - УНИАН. ", "КИЕВ"),
    ],
)
def test_the_place_of_a_dateline_is_one_and_nobody_speaks_in_it(line, place):
    places, free = read(f"{line}Мэр ушёл")
    assert places == [place]
    assert [word for word in free if word.isalpha()][-2:] == ["Мэр", "ушёл"]
    assert not {"МОСКВА", "мар", "ТАСС", "УНИАН", "мая", place} & set(free)


@pytest.mark.parametrize("text", ["Москва, 5 мая — РИА", "США объявили, 5 мая", "Сегодня, 5 мая, МОСКВА", ""])
def test_other_lines_stay_as_they_are(text):
    bounds = words(text)
    scores = np.zeros((len(bounds), 7))
    assert datelines.place(scores, text, bounds, LABELS) is scores
    assert datelines.silent(scores, text, bounds) is scores
