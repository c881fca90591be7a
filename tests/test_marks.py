import doctest
import time

import pytest

from govorit import marks


@pytest.mark.parametrize("text", ["", "«", "»", "Да", "«Да", "Да»", '"', "“„"])
def test_a_mark_alone_holds_nothing(text):
    assert list(marks.stretches(text)) == []


@pytest.mark.parametrize("line", ["«", "“", "„", ' "', "««»„“"])
def test_marks_that_nobody_closes_take_time_in_proportion(line):
    begun = time.process_time()
    list(marks.stretches(line * (60_000 // len(line))))
    assert time.process_time() - begun < 5


def test_examples():
    assert doctest.testmod(marks).failed == 0
