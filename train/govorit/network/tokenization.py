"""Tokenizers: learn one, or make a ready one fit for news.

What a model needs changed in a text is changed by the tokenizer's own normalizer, which keeps the map back to the article's offsets and is
saved with it: plain `transformers` reads a published checkpoint as we do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from govorit.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")

# What stands in for a character that a vocabulary does not have; always one character for one.
STAND_INS = {
    **dict.fromkeys("—–―‒−‑‐", "-"),
    **dict.fromkeys("«»“”„‟", '"'),
    **dict.fromkeys("‘’‚‛ʼ`´", "'"),
    "…": ".",
    "№": "#",  # a letter would grow together with the number after it
    "•": "-",
    "₽": "$",
    "€": "$",
    "Ё": "Е",
    "ё": "е",
}


# Marks that news needs, whether the texts have them or not.
MARKS = "«»—–“”„…№₽€"


def learn(texts: Iterable[str], size: int, rare: int = 1) -> Tokenizer:
    """Learn a cased WordPiece vocabulary of `size` pieces from `texts`.

    Every character that comes `rare` times or more is a piece, and every Cyrillic letter that comes at all; where `rare` is above 1, so are
    the marks of news.
    """
    texts = list(texts)
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    kept = {char for char, count in counts.items() if count >= rare or "\u0400" <= char <= "\u052f"} | set(MARKS if rare > 1 else "")
    known = sorted(char for char in kept if not char.isspace())
    dropped = {ord(char): " " for char in counts if char not in kept}
    alphabet = [*known, *(f"##{char}" for char in known)]
    learner = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    learner.normalizer = _clean()
    learner.pre_tokenizer = _split()
    # Pieces learnt first are numbered first: with the alphabet given in order, the same texts give the same vocabulary.
    trainer = trainers.WordPieceTrainer(
        vocab_size=max(size, len(SPECIAL) + len(alphabet)),
        min_frequency=2,
        special_tokens=[*SPECIAL, *alphabet],
        show_progress=False,
    )
    learner.train_from_iterator((text.translate(dropped) for text in texts) if dropped else texts, trainer)
    return word_piece(learner.get_vocab())


def word_piece(vocabulary: dict[str, int]) -> Tokenizer:
    """Build a BERT tokenizer, cased, from a vocabulary with the special tokens of BERT."""
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = _clean()
    tokenizer.pre_tokenizer = _split()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")],
    )
    tokenizer.add_special_tokens(list(SPECIAL))
    return tokenizer


def adapt(tokenizer: Tokenizer) -> dict[str, str]:
    """Make a ready tokenizer fit: no token reaches over a word's edge, composed letters, and stand-ins for marks that it does not know.

    Returns the characters that are replaced, with what stands in for them.
    """
    tokenizer.no_truncation()
    tokenizer.no_padding()
    missing = {char: other for char, other in STAND_INS.items() if not _knows(tokenizer, char) and _knows(tokenizer, other)}
    before = [_clean(), *(normalizers.Replace(char, other) for char, other in missing.items())]
    tokenizer.normalizer = normalizers.Sequence([*before, *([tokenizer.normalizer] if tokenizer.normalizer is not None else [])])
    tokenizer.pre_tokenizer = _at_edges(tokenizer.pre_tokenizer)
    return missing


def load(path: str, ready: bool = False) -> PreTrainedTokenizerFast:
    """Load the tokenizer of an encoder on the Hub or in a local folder, adapted unless it is `ready`.

    Raises:
        UserError: there is no fast tokenizer to be had.
    """
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(path, use_fast=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, ImportError, AttributeError, TypeError, StrictDataclassError) as error:
        raise unloadable(path, "tokenizer", error) from None
    if not getattr(tokenizer, "is_fast", False):
        raise UserError(f"model.path: {path}: its tokenizer is not a fast one; convert it to tokenizer.json first")
    if not ready:
        _keep_letters(tokenizer.backend_tokenizer)
        adapt(tokenizer.backend_tokenizer)
    names = {key: value for key, value in tokenizer.special_tokens_map.items() if isinstance(value, str)}
    return wrap(tokenizer.backend_tokenizer, names)


def _keep_letters(tokenizer: Tokenizer) -> None:
    """Lower no case that the vocabulary has, and strip no й and ё that it has.

    Without tokenizer_config.json a `vocab.txt` is taken for an uncased one: й would be read as и, and Путин as путин.
    """
    normalizer = tokenizer.normalizer
    if isinstance(normalizer, normalizers.BertNormalizer):
        normalizer.lowercase = normalizer.lowercase and not any(_has(tokenizer, char) for char in "АВСПABC")
        strips = normalizer.lowercase if normalizer.strip_accents is None else normalizer.strip_accents
        normalizer.strip_accents = strips and not (_has(tokenizer, "й") and _has(tokenizer, "ё"))
        tokenizer.normalizer = normalizer


def unloadable(path: str, what: str, error: Exception) -> UserError:
    """What to tell a user whose encoder cannot be loaded, and the ways on."""
    folder = Path(path).exists()
    said = " ".join(str(error if folder else error.__cause__ or error).split())
    if not folder and (path.count("/") != 1 or path.startswith((".", "/", "~"))):
        return UserError(f"model.path: {path}: no such folder; name an existing one, or a Hub model as OWNER/NAME")
    if what == "encoder" and _is_pickled(path):
        kinds = "from transformers import AutoModelForMaskedLM as M, AutoTokenizer as T"
        return UserError(
            f"model.path: {path}: no weights in safetensors are to be had, and pickled ones are not loaded; where you trust them, convert: "
            f"python -c \"{kinds}; [kind.from_pretrained('{path}').save_pretrained('FOLDER') for kind in (M, T)]\", then model.path=FOLDER"
        )
    if not folder and _is_unreachable(error):
        return UserError(
            f"model.path: {path}: not in the cache, and the Hub cannot be reached or has no such model; "
            f"give a local folder (model.path=FOLDER), or use model=mini, which needs no network"
        )
    return UserError(f"model.path: {path}: no {what} can be loaded from {'it' if folder else 'the Hub'}: {said:.300}")


def _is_pickled(path: str) -> bool:
    """Whether a folder, or a model of the Hub as far as its cache remembers, has no weights in safetensors."""
    from huggingface_hub import _CACHED_NO_EXIST, try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    if Path(path).exists():
        return any(Path(path).glob("pytorch_model*.bin")) and not any(Path(path).glob("*.safetensors"))
    names = ("model.safetensors", "model.safetensors.index.json")
    try:
        return all(try_to_load_from_cache(path, name) is _CACHED_NO_EXIST for name in names)
    except HFValidationError:
        return False


def _is_unreachable(error: BaseException | None) -> bool:
    """Whether an error came about since something is not in the cache and the Hub does not answer."""
    from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

    return error is not None and (
        isinstance(error, LocalEntryNotFoundError | OfflineModeIsEnabled) or _is_unreachable(error.__cause__ or error.__context__)
    )


def wrap(tokenizer: Tokenizer, names: dict[str, str] | None = None) -> PreTrainedTokenizerFast:
    """Give a tokenizer the interface of `transformers`, in the class that reads `tokenizer.json` as it is."""
    from transformers import PreTrainedTokenizerFast

    names = names or dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), SPECIAL, strict=True))
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, split_special_tokens=True, **names)
    wrapped.backend_tokenizer.encode_special_tokens = True  # `[SEP]` in an article is text
    return wrapped


def special_ids(tokenizer: PreTrainedTokenizerFast) -> dict[str, int]:
    """The special tokens of :func:`wrap` under the keys that an encoder's config has for them."""
    ids = {f"{name}_token_id": tokenizer.convert_tokens_to_ids(f"[{name.upper()}]") for name in ("pad", "cls", "sep")}
    return ids | {"bos_token_id": ids["cls_token_id"], "eos_token_id": ids["sep_token_id"]}


def read(folder: Path) -> Tokenizer:
    """Read `tokenizer.json` as it is."""
    path = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare exceptions
        raise UserError(f"{path}: cannot be read ({error}); fetch the checkpoint again") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True  # not saved with it
    return tokenizer


def _clean() -> normalizers.Normalizer:
    """White space of every kind becomes a space (some tokenizers drop U+0085 or U+001C and so join two words); letters are composed."""
    space = normalizers.Replace(Regex(r"[\x{85}\x{1c}-\x{1f}\x{2028}\x{2029}\x{0b}\x{0c}\x{a0}]"), " ")
    return normalizers.Sequence([space, normalizers.NFC(), _hidden()])


def _hidden() -> normalizers.Normalizer:
    return normalizers.Replace(Regex(r"[\x{ad}\x{200b}-\x{200f}\x{2060}\x{feff}]"), "")


def _split() -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence([_edges(), pre_tokenizers.BertPreTokenizer()])


def _edges(space: str = "") -> pre_tokenizers.PreTokenizer:
    """Split at the edges of :func:`govorit.words.words`: a mark with no letter before it does not belong to the letter after it.

    A `space` before a mark, written as the tokenizer writes it, stays with it.
    """
    return pre_tokenizers.Split(Regex(rf"{space and space + '?'}[^\w\s{space}]\p{{M}}*|(?<!\w)\p{{M}}+"), "isolated")


def _at_edges(own: pre_tokenizers.PreTokenizer | None) -> pre_tokenizers.PreTokenizer:
    """Let a ready pre-tokenizer split at the edges of words as well, and otherwise give the pieces that its encoder has learnt with.

    Those of SentencePiece write ▁ before each piece that they are handed, and have to come first; those of bytes join a space to the mark
    after it.
    """
    if own is None:
        return _edges()
    if "Metaspace" in repr(own):
        return pre_tokenizers.Sequence([own, _edges("▁")])
    if isinstance(own, pre_tokenizers.ByteLevel):
        own.add_prefix_space = False  # it would be put before each piece, not before the text alone
    return pre_tokenizers.Sequence([_edges(" " if "ByteLevel" in repr(own) else ""), own])


def _has(tokenizer: Tokenizer, piece: str) -> bool:
    return tokenizer.token_to_id(piece) is not None


def _knows(tokenizer: Tokenizer, char: str) -> bool:
    unknown = getattr(tokenizer.model, "unk_token", None)
    tokens = tokenizer.encode(char, add_special_tokens=False).tokens
    return bool(tokens) and unknown not in tokens
