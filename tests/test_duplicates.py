import doctest
import os
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from random import Random

import pytest
from generate import EXOTIC, random_text

from govorit.corpora import duplicates
from govorit.corpora.duplicates import groups, normalise, similarity

ROOT = Path(__file__).parents[1]
WORDS = [
    f"{stem}{end}" for stem in ("слов", "речь", "год", "рынок", "суд", "мэр", "план", "цен") for end in ("", "а", "у", "ом", "е", "ы", "ов")
]


def article(rng: Random, length: int = 60) -> str:
    return " ".join(rng.choices(WORDS, k=length))


def changed(rng: Random, text: str, share: float) -> str:
    """The text with some of its words replaced."""
    return " ".join("иначе" if rng.random() < share else word for word in text.split())


def connected(texts: list[str], threshold: float) -> list[list[int]]:
    """The definition, by comparing every text with every other."""
    root = list(range(len(texts)))
    for i, j in combinations(range(len(texts)), 2):
        if normalise(texts[i]) == normalise(texts[j]) or similarity(texts[i], texts[j]) >= threshold:
            root = [root[i] if r == root[j] else r for r in root]
    found = [[i for i in range(len(texts)) if root[i] == r] for r in sorted(set(root))]
    return sorted(group for group in found if len(group) > 1)


def test_the_examples_in_docstrings_hold():
    assert doctest.testmod(duplicates).failed == 0


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8, 0.9, 1.0])
def test_what_is_found_is_what_comparing_all_pairs_finds(threshold):
    for seed in range(8):
        rng = Random(seed)
        texts = [article(rng, rng.choice((3, 8, 20, 60))) for _ in range(25)]
        texts += [changed(rng, rng.choice(texts), rng.choice((0, 0.01, 0.03, 0.1))) for _ in range(50)]
        texts += [random_text(rng) for _ in range(15)] + rng.choices(EXOTIC, k=10)
        rng.shuffle(texts)
        assert groups(texts, threshold) == connected(texts, threshold)


def test_the_threshold_itself_counts():
    letters = [f"слово{i}" for i in range(40)]
    # 36 shingles: four replaced at the end leave 32 of 36 + 4 = 40: exactly 0.8.
    one, other = " ".join(letters), " ".join([*letters[:36], "а", "б", "в", "г"])
    assert similarity(one, other) == 0.8
    assert groups([one, other]) == [[0, 1]]
    assert groups([one, other], 0.81) == []


@pytest.mark.parametrize(
    "copy",
    [
        "ЕЩЁ ПЁТР СКАЗАЛ: «ВСЁ».",
        "Еще Петр сказал: «Все».",
        "Ещё\nПётр \u00a0 сказал:\r\n«Всё».",
        "Еще\u0308 Пётр ска\u00adзал: «\ufeffВсё».",
    ],
)
def test_a_copy_written_differently_is_a_copy(copy):
    original = "Ещё Пётр сказал: «Всё»."
    assert normalise(copy) == normalise(original) and groups([original, "Другое.", copy]) == [[0, 2]]


def test_a_group_hangs_together_by_neighbours():
    words = [f"слово{i}" for i in range(100)]
    chain = [" ".join([*words[:i], *(f"новое{j}" for j in range(i, i + 8)), *words[i + 8 :]]) for i in (0, 4, 8)]
    chain = [" ".join(words[i : i + 90]) for i in (0, 5, 10)]
    assert similarity(chain[0], chain[2]) < 0.8 <= min(similarity(chain[0], chain[1]), similarity(chain[1], chain[2]))
    assert groups([chain[2], chain[0], chain[1]]) == [[0, 1, 2]]


def test_little_texts_and_none():
    assert groups([]) == [] and groups(["Да."]) == []
    assert groups(["", " \n", "Да", "да!", "Нет", "«»", "—"]) == [[0, 1], [2, 3]]


@pytest.mark.parametrize("threshold", [0, -1, 1.01])
def test_a_threshold_that_cannot_be(threshold):
    with pytest.raises(ValueError, match="expected a share"):
        groups(["а"], threshold)


def test_a_thousand_articles_of_one_template_are_compared_in_seconds():
    rng = Random(3)
    words = [f"слово{i}" for i in range(300)]
    texts = [" ".join(f"{word}{rng.randrange(10**6)}" if rng.random() < 0.02 else word for word in words) for _ in range(1000)]
    found = groups(texts)  # 5 seconds allow for a machine that is busy: it takes 1
    assert all(re.match("слово", text) for text in texts) and sum(map(len, found)) < 1000


def test_the_hashes_of_a_process_change_nothing():
    program = (
        "import random, sys; from govorit.corpora.duplicates import groups; rng = random.Random(1);"
        "texts = [' '.join(rng.choices('абвгд', k=9)) for _ in range(300)]; print(groups(texts, 0.4))"
    )
    outputs = set()
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT / "train")}
        outputs.add(subprocess.run([sys.executable, "-c", program], env=env, check=True, capture_output=True, text=True).stdout)
    assert len(outputs) == 1 and len(outputs.pop()) > 10
