import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from string import ascii_letters

import pytest
import torch
from generate import random_text
from safetensors.torch import load_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import AutoTokenizer, BertConfig, BertForMaskedLM

from govorit import config, windows, words
from govorit.errors import UserError
from govorit.network import tagger, tokenization

NEWS = "й ё Й Ё — – « » “ ” „ … № ₽ €"
LETTERS = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
PIECES = [*tokenization.SPECIAL, *LETTERS, *LETTERS.upper(), *(f"##{c}" for c in LETTERS + LETTERS.upper()), *"0123456789,.:;!?-'\"()%#"]
LAYERS = {"entities": ["PER"]}


def texts() -> list[str]:
    return [*(random_text(Random(i), exotic=False) for i in range(150)), NEWS]


def bert(pieces: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def pieces_of(tokenizer: Tokenizer, text: str) -> list[tuple[str, str]]:
    """Each token with the text that it stands for."""
    encoding = tokenizer.encode(text, add_special_tokens=False)
    return [(token, text[start:end]) for token, (start, end) in zip(encoding.tokens, encoding.offsets, strict=True)]


def folder(path: Path, pieces: list[str], tokenizer_config: dict | None) -> Path:
    """A folder as DeepPavlov/rubert-base-cased has it: a masked-language model with its head, and a vocabulary, nothing else."""
    torch.manual_seed(0)
    shape = BertConfig(vocab_size=len(pieces), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16)
    BertForMaskedLM(shape).save_pretrained(path)
    (path / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    if tokenizer_config is not None:
        (path / "tokenizer_config.json").write_text(json.dumps(tokenizer_config))
    return path


def test_learning_gives_the_same_vocabulary_each_time():
    assert tokenization.learn(texts(), 400).to_str() == tokenization.learn(texts(), 400).to_str()


def test_learning_gives_the_same_vocabulary_in_each_process():
    code = (
        "import hashlib; from random import Random; from generate import random_text; from govorit.network import tokenization\n"
        "texts = [random_text(Random(i), exotic=False) for i in range(150)]\n"
        "print(hashlib.sha256(tokenization.learn(texts, 400).to_str().encode()).hexdigest())"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parent, stdout=subprocess.PIPE, text=True, env=environment)
        for environment in ({**os.environ, "PYTHONHASHSEED": seed} for seed in "12")
    ]
    outputs = [process.communicate()[0] for process in running]
    assert outputs[0] == outputs[1] and len(outputs[0]) == 65


def test_every_character_of_the_texts_is_known():
    tokenizer = tokenization.learn(texts(), 400)
    for char in NEWS.split():
        assert pieces_of(tokenizer, char) == [(char, char)]
    assert "[UNK]" not in tokenizer.encode(" ".join(texts())).tokens


def test_the_learnt_vocabulary_is_cased_and_of_the_size_asked():
    tokenizer = tokenization.learn(texts(), 220)
    assert tokenizer.get_vocab_size() == 220
    assert tokenizer.encode("Путин").ids != tokenizer.encode("путин").ids
    assert tokenization.learn(["аб"], 5).get_vocab_size() == 5 + 4, "all characters, even where fewer were asked for"


@pytest.mark.parametrize("ready", [False, True])
def test_a_letter_in_two_characters_is_read_as_one(ready):
    tokenizer = tokenization.learn(texts(), 400)
    if ready:
        tokenizer = bert(PIECES)
        tokenization.adapt(tokenizer)
    text = "и\u0306од, е\u0308лка"
    assert tokenizer.encode(text).ids == tokenizer.encode("йод, ёлка").ids
    tokens = windows.tokenize(text, tokenizer)
    assert [text[start:end] for start, end in tokens.bounds] == ["и\u0306од", ",", "е\u0308лка"]


@pytest.mark.parametrize(
    "space", ["\u0085", "\x1c", "\x1d", "\x1e", "\x1f", "\u00a0", "\u2028", "\u2029", "\x0b", "\x0c", "\u202f", "\u3000"]
)
def test_rare_white_space_separates_words(space):
    adapted = bert(PIECES)
    tokenization.adapt(adapted)
    for tokenizer in (tokenization.learn(texts(), 400), adapted):
        text = f"да{space}нет"
        assert tokenizer.encode(text).ids == tokenizer.encode("да нет").ids
        assert windows.tokenize(text, tokenizer).bounds == words.words(text) == [(0, 2), (3, 6)]


@pytest.mark.parametrize("hidden", ["\u00ad", "\u200b", "\u200d", "\u2060", "\ufeff"])
def test_hidden_characters_do_not_tear_a_word(hidden):
    tokenizer = tokenization.learn(texts(), 400)
    text = f"Пу{hidden}тин"
    assert tokenizer.encode(text).ids == tokenizer.encode("Путин").ids
    assert windows.tokenize(text, tokenizer).bounds == [(0, 6)]


MARKS = "«Да…» — “он” – „я“ №5, 5 €"


def test_marks_that_a_vocabulary_lacks_are_mapped_in_place():
    tokenizer = bert(PIECES)
    assert ("[UNK]", "—") in pieces_of(tokenizer, MARKS)
    replaced = tokenization.adapt(tokenizer)
    assert set("«»—–“”„…№") <= set(replaced) and all(len(char) == len(other) == 1 for char, other in replaced.items())
    expected = [
        *[
            ('"', "«"),
            ("Д", "Д"),
            ("##а", "а"),
            (".", "…"),
            ('"', "»"),
            ("-", "—"),
            ('"', "“"),
            ("о", "о"),
            ("##н", "н"),
            ('"', "”"),
            ("-", "–"),
        ],
        *[('"', "„"), ("я", "я"), ('"', "“"), ("#", "№"), ("5", "5"), (",", ","), ("5", "5"), ("[UNK]", "€")],
    ]
    assert pieces_of(tokenizer, MARKS) == expected  # there is no $ for the euro in this vocabulary, so it stays unknown


def test_an_adapted_tokenizer_reads_to_the_end():
    tokenizer = bert(PIECES)
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=20)
    tokenization.adapt(tokenizer)
    assert len(tokenizer.encode("да").ids) == 2 and len(tokenizer.encode("да " * 600).ids) == 1200


def test_what_stands_in_keeps_the_edges_of_words():
    tokenizer = bert([*PIECES, "$"])
    tokenization.adapt(tokenizer)
    text = "".join(f"да{char}5{char}" for char in "«»—–“”„…№€₽•")
    assert windows.tokenize(text, tokenizer).bounds == words.words(text)


def test_marks_that_a_vocabulary_has_are_left_alone():
    tokenizer = bert([*PIECES, *"«»—…"])
    replaced = tokenization.adapt(tokenizer)
    assert not set("«»—…ё") & set(replaced) and "–" in replaced
    assert [token for token, _ in pieces_of(tokenizer, "«ё» — … –")] == [*"«ё»—…-"]


def other_than_bert(kind: str) -> Tokenizer:
    """A tokenizer as RoBERTa (bytes) or XLM-R and DeBERTa (SentencePiece) have it."""
    if kind == "bytes":
        tokenizer, trainer = Tokenizer(models.BPE()), trainers.BpeTrainer(vocab_size=500, show_progress=False)
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    else:
        tokenizer = Tokenizer(models.Unigram())
        trainer = trainers.UnigramTrainer(vocab_size=300, show_progress=False, special_tokens=["<unk>"], unk_token="<unk>")
        space = pre_tokenizers.Metaspace(prepend_scheme="always")
        tokenizer.pre_tokenizer = space if kind == "SentencePiece" else pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), space])
    tokenizer.train_from_iterator([*texts(), *["Да — нет: он (из Минска), «Снег» и дождь."] * 50], trainer)
    return tokenizer


@pytest.mark.parametrize("kind", ["bytes", "SentencePiece", "SentencePiece, older"])
def test_words_of_another_tokenizer_are_cut_as_its_encoder_has_learnt_them(kind):
    tokenizer = other_than_bert(kind)
    text = "Нет — да: он (из Минска, «Снег и дождь 61 % за год"
    before = tokenizer.encode(text)
    assert {"bytes": "ĠâĢĶ", "SentencePiece": "▁—"}[kind.partition(",")[0]] in before.tokens
    tokenization.adapt(tokenizer)
    after = tokenizer.encode(text)
    assert (after.tokens, after.offsets) == (before.tokens, before.offsets)
    for other in (text, "«Да».— (№5), “Й”…\nОн", *(random_text(Random(i)) for i in range(50))):
        found = windows.tokenize(other, tokenizer)
        assert set(found.bounds) <= set(words.words(other)) and len(set(found.heads)) == len(found.heads), other
    assert windows.tokenize(text, tokenizer).bounds == words.words(text)


def test_the_adapted_tokenizer_survives_saving(tmp_path):
    tokenizer = bert(PIECES)
    tokenization.adapt(tokenizer)
    tokenization.wrap(tokenizer).save_pretrained(tmp_path)
    for again in (AutoTokenizer.from_pretrained(tmp_path).backend_tokenizer, tokenization.read(tmp_path)):
        for text in (MARKS, "и\u0306од\u0085да", *(random_text(Random(i)) for i in range(100))):
            one, other = tokenizer.encode(text), again.encode(text)
            assert one.ids == other.ids and one.offsets == other.offsets


@pytest.mark.parametrize("tokenizer_config", [{"do_lower_case": False}, {}, None], ids=["as DeepPavlov", "empty", "missing"])
def test_a_folder_as_deeppavlov_has_it(tmp_path, tokenizer_config):
    path = folder(tmp_path / "rubert", [*PIECES, *"«»—…–“”„"], tokenizer_config)
    tokenizer = tokenization.load(str(path))
    network = tagger.build(config.Model(name="x", path=str(path)), LAYERS, tokenizer)

    backend = tokenizer.backend_tokenizer
    assert [token for token, _ in pieces_of(backend, "й и ё е Й И Ё Е")] == [*"йиёеЙИЁЕ"]
    assert pieces_of(backend, "Йод") == [("Й", "Й"), ("##о", "о"), ("##д", "д")]
    assert [token for token, _ in pieces_of(backend, "«—»…")] == [*"«—»…"]
    assert tagger.positions(network.encoder) == 512
    assert backend.encode("да").tokens == ["[CLS]", "д", "##а", "[SEP]"]
    assert len(backend.encode("да " * 2000).ids) == 4002, "never cut: windows do that"
    assert windows.Frame(backend).padding == network.encoder.config.pad_token_id == 0

    saved = load_file(path / "model.safetensors")
    loaded = network.encoder.state_dict()
    expected = {name.removeprefix("bert."): value for name, value in saved.items() if name.startswith("bert.")}
    assert len(loaded) > 20 and loaded.keys() - expected.keys() <= {"embeddings.position_ids", "embeddings.token_type_ids"}
    assert all(torch.equal(loaded[name], value) for name, value in expected.items())
    long = torch.arange(512)[None] % 60 + 5
    assert network(long, torch.ones_like(long))["entities"].shape == (1, 512, 3)


def test_a_folder_as_rubert_tiny2_has_it(tmp_path):
    path = folder(tmp_path / "tiny", PIECES, {"do_lower_case": False, "model_max_length": 2048})
    backend = tokenization.load(str(path)).backend_tokenizer
    text = "«Да», — сказал он… “Й” ё"
    assert "[UNK]" not in backend.encode(text).tokens
    assert [text[start:end] for start, end in windows.tokenize(text, backend).bounds] == [
        text[start:end] for start, end in words.words(text)
    ]


def test_an_uncased_vocabulary_stays_uncased(tmp_path):
    lower = [piece for piece in PIECES if piece in tokenization.SPECIAL or piece == piece.lower()]
    path = folder(tmp_path / "uncased", lower, {"do_lower_case": True})
    backend = tokenization.load(str(path)).backend_tokenizer
    assert [token for token, _ in pieces_of(backend, "ЙОД ё")] == ["й", "##о", "##д", "ё"], "but й and ё that it has are not stripped"


def test_a_tokenizer_that_is_no_tokenizer_is_a_line(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "tokenizer.json").write_text("{")
    for call in (lambda: tokenization.load(str(tmp_path)), lambda: tokenization.read(tmp_path)):
        with pytest.raises(UserError) as caught:
            call()
        assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)


def test_the_name_of_a_special_token_in_an_article_is_text(tmp_path):
    text = "Да [SEP] нет"
    wrapped = tokenization.wrap(tokenization.learn([text, "[SEP] S E P"], 100))
    wrapped.save_pretrained(tmp_path)
    plain = AutoTokenizer.from_pretrained(tmp_path)(text, add_special_tokens=False)["input_ids"]
    for tokenizer in (wrapped.backend_tokenizer, tokenization.read(tmp_path)):
        tokens = windows.tokenize(text, tokenizer)
        assert [text[start:end] for start, end in tokens.bounds] == ["Да", "[", "SEP", "]", "нет"]
        assert tokens.ids.tolist() == plain


def test_rare_characters_are_left_out_where_asked_but_no_letter_and_no_mark():
    texts = ["Цена выросла, сказал он. Ѣ ё " * 30, "中文 ½ $", "x" + "~" * 19 + "|" * 20]
    vocabulary = tokenization.learn(texts, 500, rare=20).get_vocab()
    assert {*tokenization.SPECIAL, *tokenization.MARKS, *"Цсё,.|Ѣ", *(f"##{mark}" for mark in tokenization.MARKS)} <= vocabulary.keys()
    assert not {*"中文½$x~"} & vocabulary.keys()
    assert {*"中文½$x~"} <= tokenization.learn(texts, 500).get_vocab().keys()


def test_rare_characters_are_in_no_longer_piece_either():
    texts = ["мост~мост " * 19, "мост крана " * 200]
    assert not [piece for piece in tokenization.learn(texts, 500, rare=20).get_vocab() if "~" in piece]


def test_learning_without_rare_characters_gives_the_same_vocabulary_each_time():
    texts = ["Снег выпал в Алматы. " * 30, " ".join(ascii_letters)]
    learnt = [tokenization.learn(iter(texts), 300, rare=20).get_vocab() for _ in range(6)]
    assert all(vocabulary == learnt[0] for vocabulary in learnt), "of rare characters, it is chance which ones come in"
