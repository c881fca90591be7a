import numpy as np
import pytest
import tiny
import torch
from transformers import AutoModelForMaskedLM

from govorit.network import tagger, tokenization, vectors

FAMILIES = [["дом", "домик", "изба"], ["река", "озеро", "море"], ["сказал", "заявил", "отметил"]]
WORDS = [word for family in FAMILIES for word in family]


@pytest.fixture(scope="module")
def tokenizer():
    texts = [form(word) for word in WORDS for form in (str.lower, str.capitalize, str.upper)] * 4
    return tokenization.learn([*texts, "§ §"], 1000)


@pytest.fixture(scope="module")
def made() -> np.ndarray:
    """Vectors of 30 numbers: a direction a family, and a little of each word's own."""
    rng = np.random.default_rng(0)
    families = rng.normal(size=(len(FAMILIES), 30)) * 3
    return np.stack([families[i] + 0.3 * rng.normal(size=30) for i, family in enumerate(FAMILIES) for _ in family])


def embeddings(tokenizer, made, width: int = 16, scale: float = 0.02, seed: int = 0) -> np.ndarray:
    return vectors.piece_embeddings(tokenizer, WORDS, made, width, scale, seed)


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


@pytest.mark.parametrize("width", [2, 16, 64])
@pytest.mark.parametrize("scale", [0.02, 1.0])
def test_embeddings_have_the_size_asked_for(tokenizer, made, width, scale):
    found = embeddings(tokenizer, made, width, scale)
    assert found.shape == (tokenizer.get_vocab_size(), width) and found.dtype == np.float32 and np.isfinite(found).all()
    assert np.sqrt(np.mean(found.astype(float) ** 2)) == pytest.approx(scale, rel=1e-4)


def test_pieces_with_vectors_and_without_are_of_one_size(tokenizer, made):
    found = embeddings(tokenizer, made)
    known = [tokenizer.token_to_id(word) for word in WORDS]
    unknown = [tokenizer.token_to_id(piece) for piece in (*tokenization.SPECIAL, "§")]
    sizes = [np.sqrt(np.mean(found[ids] ** 2)) for ids in (known, unknown)]
    assert 0.4 < sizes[0] / sizes[1] < 2.5


@pytest.mark.parametrize("width", [16, 64])
def test_a_word_is_nearest_to_its_kin(tokenizer, made, width):
    found = embeddings(tokenizer, made, width)
    place = {word: found[tokenizer.token_to_id(word)] for word in WORDS}
    for family in FAMILIES:
        for word in family:
            near = sorted(WORDS, key=lambda other, word=word: -cosine(place[word], place[other]))
            assert set(near[: len(family)]) == set(family), (word, near)


def test_case_and_place_in_a_word_are_told_apart(tokenizer, made):
    found = embeddings(tokenizer, made)
    forms = [[tokenizer.token_to_id(form(word)) for word in WORDS] for form in (str.lower, str.capitalize, str.upper)]
    lower, capital, upper = (found[ids] for ids in forms)
    assert np.ptp(capital - lower, axis=0).max() < 1e-4 < np.abs(capital - lower).max(), "one direction for all words"
    assert np.ptp(upper - lower, axis=0).max() < 1e-4 < np.abs(upper - lower).max()
    assert abs(cosine(capital[0] - lower[0], upper[0] - lower[0])) < 0.9
    assert all(None not in ids for ids in forms)


def test_the_guess_is_a_function_of_the_seed(tokenizer, made):
    assert np.array_equal(embeddings(tokenizer, made, seed=1), embeddings(tokenizer, made, seed=1))
    assert not np.array_equal(embeddings(tokenizer, made, seed=1), embeddings(tokenizer, made, seed=2))


class Navec:
    """As much of navec as is used: words with special ones at the end, and packed vectors in another order than they are asked for."""

    def __init__(self, made: np.ndarray) -> None:
        self.words = [*WORDS, "<unk>", "<pad>"]
        self.vocab = self.pq = self
        self.rows = np.concatenate((made, np.full((2, made.shape[1]), 1e6)))[::-1]

    def __getitem__(self, word: str) -> int:
        return len(self.words) - 1 - self.words.index(word)

    def unpack(self) -> np.ndarray:
        return self.rows


def test_a_model_starts_with_them(tokenizer, made):
    config = tiny.config(".").model
    model = tagger.network(config, tokenization.wrap(tokenizer), AutoModelForMaskedLM)
    assert vectors.start(model, tokenizer, Navec(made), 3) == len(WORDS)
    weight = model.get_input_embeddings().weight
    expected = vectors.piece_embeddings(tokenizer, WORDS, made, weight.shape[1], model.config.initializer_range, 3)
    assert torch.equal(weight.detach(), torch.from_numpy(expected)) and weight.requires_grad
    assert model.get_output_embeddings().weight is weight
