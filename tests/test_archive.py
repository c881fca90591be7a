import gzip
import lzma
import shutil
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
import raw
from generate import random_text

from govorit import words
from govorit.article import QUOTE_LABELS, Article
from govorit.corpora import archive, silver
from govorit.corpora.archive import CONTINUED, HEAD, QUOTES, SPECIAL, Packed, Text, pack, texts
from govorit.errors import UserError
from govorit.formats import jsonl
from govorit.network import tokenization
from govorit.windows import IGNORED, Frame

DOCUMENTS = raw.documents(20)


def made(documents, size: int = 400):
    return tokenization.wrap(tokenization.learn(documents, size)).backend_tokenizer


@pytest.fixture(scope="module")
def tokenizer():
    return made(DOCUMENTS)


def as_ids(tokenizer, document: str) -> list[int]:
    return [*tokenizer.encode(document, add_special_tokens=False).ids, tokenizer.token_to_id("[SEP]")]


def inner(folder) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


# Documents


def test_every_kind_of_file_has_the_same_documents(tmp_path):
    plain = "\n\n".join(DOCUMENTS).encode()
    (tmp_path / "a.txt").write_bytes(plain)
    (tmp_path / "b.txt.xz").write_bytes(lzma.compress(plain))
    (tmp_path / "c.txt.gz").write_bytes(gzip.compress(plain))
    jsonl.write([Article(str(i), document) for i, document in enumerate(DOCUMENTS)], tmp_path / "d.jsonl")
    (tmp_path / "readme.md").write_text("no text of ours")
    found = texts([str(tmp_path)])
    assert [text.name for text in found] == ["a", "b", "c", "d"]
    assert all(list(text.documents()) == DOCUMENTS for text in found)
    assert len({text.digest for text in found}) == 1
    for file in sorted(tmp_path.iterdir()):
        file.rename(file.with_name(file.name.upper()))
    assert [text.name for text in texts([str(tmp_path)])] == ["A", "B", "C", "D"]
    assert all(list(text.documents()) == DOCUMENTS for text in texts([str(tmp_path)]))


@pytest.mark.parametrize(
    "written",
    ["Да.\nНет.\n\nСнег.", "Да.\nНет.\n\nСнег.\n", "Да.\r\nНет.\r\n\r\nСнег.\r\n", "\n\nДа.\nНет.\n \t\n\n\u00a0\nСнег.\n\n\n"],
    ids=["bare", "ended", "crlf", "wide"],
)
def test_an_empty_line_stands_between_documents(tmp_path, written):
    (tmp_path / "a.txt").write_bytes(written.encode())
    assert list(Text(tmp_path / "a.txt").documents()) == ["Да.\nНет.", "Снег."]


def test_a_text_without_empty_lines_is_many_documents(tmp_path):
    lines = [f"Новость номер {i}: {'очень ' * (i % 50)}важная." for i in range(3000)]
    (tmp_path / "a.txt").write_text("\n".join(lines), encoding="utf-8")
    found = list(Text(tmp_path / "a.txt").documents())
    assert len(found) > 3 and "\n".join(found).split("\n") == lines, "cut between paragraphs, and nothing lost"
    assert all(90_000 < len(document) < 110_000 for document in found[:-1])


def test_a_line_ends_where_its_editor_ended_it(tmp_path):
    line = "Пыль\u2028и \x0bдождь\x1c \u0085"
    (tmp_path / "a.txt").write_bytes(f"{line}\n\nСнег.".encode())
    assert list(Text(tmp_path / "a.txt").documents()) == [line, "Снег."]


PLAIN = "\n".join(f"{i} {random_text(Random(i), exotic=False)!r}" for i in range(300)).encode()


def corrupted(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes(255 - byte for byte in data[middle : middle + 200]) + data[middle + 200 :]


BROKEN = {
    "utf-8": ("a.txt", "Да.\n\nНет.\n".encode() + "Снег".encode("cp1251") + b"\n", 4),
    "utf-8 in xz": ("a.txt.xz", lzma.compress(b"ok\n\xff\n"), 2),
    "xz cut off": ("a.txt.xz", lzma.compress(PLAIN)[:-200], None),
    "xz corrupted": ("a.txt.xz", corrupted(lzma.compress(PLAIN)), None),
    "no xz": ("a.txt.xz", PLAIN, None),
    "gz cut off": ("a.txt.gz", gzip.compress(PLAIN)[:-200], None),
    "no gz": ("a.txt.gz", PLAIN, None),
    "gz corrupted": ("a.txt.gz", corrupted(gzip.compress(PLAIN)), None),
    "json": ("a.jsonl", b'{"id": "1", "text": "ok"}\n{"id": \n', 2),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_told_in_one_line_with_its_place(tmp_path, name):
    file, data, line = BROKEN[name]
    (tmp_path / file).write_bytes(data)
    with pytest.raises(UserError) as error:
        list(Text(tmp_path / file).documents())
    said = str(error.value)
    assert "\n" not in said and said.startswith(f"{tmp_path / file}:{'' if line is None else f'{line}: '}"), said


def test_what_is_not_there_is_told(tmp_path):
    with pytest.raises(UserError, match=r"^data\.text: .*none: no such file or folder$"):
        texts([str(tmp_path / "none")])
    (tmp_path / "a.pdf").write_text("")
    for place in (tmp_path, tmp_path / "a.pdf"):
        with pytest.raises(UserError, match=r"^data\.text: .*: no text in it; expected \.txt, "):
            texts([str(place)])


def test_two_texts_of_one_name_cannot_have_labels(tmp_path):
    for place in ("one/news.txt", "two/news.txt.xz"):
        (tmp_path / place).parent.mkdir()
        (tmp_path / place).write_bytes(b"")
    with pytest.raises(UserError, match=r"two/news\.txt\.xz: a second text of this name; .*rename"):
        texts([str(tmp_path)], tmp_path / "labels")
    assert len(texts([str(tmp_path)])) == 2


@pytest.mark.parametrize("given", ["a.txt,", ""])
def test_an_empty_place_is_not_the_working_folder(tmp_path, monkeypatch, given):
    raw.write(tmp_path / "a.txt", ["Да."])
    raw.write(tmp_path / "private/b.txt", ["Нет."])
    monkeypatch.chdir(tmp_path)
    try:
        assert [text.name for text in texts(given.split(","))] == ["a"]
    except UserError as error:
        assert str(error).startswith("data.text: ")


# Packing


@pytest.mark.parametrize("seed", range(8))
def test_packing_loses_nothing(tmp_path, seed):
    rng = Random(seed)
    documents = [random_text(rng) for _ in range(rng.randrange(1, 600 if seed == 0 else 40))]
    half = rng.randrange(len(documents) + 1)
    for name, part in (("a", documents[:half]), ("b", documents[half:])):
        jsonl.write([Article(str(i), document) for i, document in enumerate(part)], tmp_path / f"{name}.jsonl")
    tokenizer = made(documents, rng.choice((200, 1000)))
    done = []
    train, held = pack(texts([str(tmp_path)]), tokenizer, tmp_path / "cache", rng.choice((0.0, 0.3, 0.9)), done.append)
    assert sum(done) == sum(map(len, documents))
    read = dict.fromkeys((id(train), id(held)), 0)
    for document in documents:
        expected = as_ids(tokenizer, document)
        for packed in (train, held):
            at = read[id(packed)]
            if packed.ids[at : at + len(expected)].tolist() == expected:
                read[id(packed)] = at + len(expected)
                break
        else:
            pytest.fail(f"lost: {document!r}")
    for packed in (train, held):
        assert read[id(packed)] == len(packed) == len(packed.kinds)
        assert [name for name, _ in sorted(packed.ranges.items(), key=lambda item: item[1])] == ["a", "b"]
        assert packed.ranges["a"] == (0, packed.ranges["b"][0]) and packed.ranges["b"][1] == len(packed)


def test_the_kind_of_a_token(tmp_path, tokenizer):
    raw.write(tmp_path / "a.txt", DOCUMENTS)
    train, _ = pack(texts([str(tmp_path)]), tokenizer, tmp_path / "cache", 0.0)
    at = 0
    for document in DOCUMENTS:
        encoding = tokenizer.encode(document, add_special_tokens=False)
        begins = {start for start, _ in words.words(document)}
        expected = [HEAD if start in begins else CONTINUED for start, _ in encoding.offsets]
        assert train.kinds[at : at + len(expected) + 1].tolist() == [*expected, SPECIAL]
        at += len(expected) + 1
    assert {CONTINUED, HEAD, SPECIAL} == set(train.kinds.tolist())


def test_texts_of_one_name_without_labels_are_all_trained_on(tmp_path, tokenizer):
    raw.write(tmp_path / "one/news.txt", DOCUMENTS[:10])
    raw.write(tmp_path / "two/news.txt", DOCUMENTS[10:])
    train, _ = pack(texts([str(tmp_path)]), tokenizer, tmp_path / "cache", 0.0)
    assert sum(end - start for start, end in train.ranges.values()) == len(train)


def test_a_vocabulary_of_more_than_65535_pieces(tmp_path):
    names = [*tokenization.SPECIAL, *map(str, range(70_000))]
    large = tokenization.word_piece({name: i for i, name in enumerate(names)})
    (tmp_path / "a.txt").write_text("69999 1 65536")
    train, _ = pack(texts([str(tmp_path / "a.txt")]), large, tmp_path / "cache", 0.0)
    assert train.ids.tolist() == as_ids(large, "69999 1 65536") and max(train.ids) == 70_004


def held_out(folder, documents, tokenizer, share) -> set[tuple[int, ...]]:
    shutil.rmtree(folder, ignore_errors=True)
    raw.write(folder / "a.txt", documents)
    _, held = pack(texts([str(folder)]), tokenizer, folder / "cache", share)
    ends = np.flatnonzero(held.ids == tokenizer.token_to_id("[SEP]")) + 1
    return {tuple(part.tolist()) for part in np.split(held.ids, ends) if len(part)}


def test_whether_a_document_is_held_out_depends_on_it_alone(tmp_path, tokenizer):
    documents = raw.documents(200)
    found = held_out(tmp_path / "x", documents, tokenizer, 0.3)
    assert 30 <= len(found) <= 90
    assert held_out(tmp_path / "x", documents[::-1], tokenizer, 0.3) == found
    part = {tuple(as_ids(tokenizer, document)) for document in documents[:50]}
    assert held_out(tmp_path / "x", documents[:50], tokenizer, 0.3) == found & part
    assert held_out(tmp_path / "x", documents, tokenizer, 0.1) < found
    assert held_out(tmp_path / "x", documents, tokenizer, 0.0) == set()


# Silver labels


@pytest.fixture
def labelled(tmp_path):
    articles = [raw.article(number) for number in range(12)]
    raw.write_labelled(tmp_path, "a", articles)
    return articles, texts([str(tmp_path / "text")], tmp_path / "labels")


def test_labels_stand_on_the_first_token_of_their_words_and_nowhere_else(tmp_path, tokenizer, labelled):
    articles, chosen = labelled
    train, _ = pack(chosen, tokenizer, tmp_path / "cache", 0.0)
    assert train.names == {**raw.NAMES, QUOTES: words.tag_names(QUOTE_LABELS)}
    assert train.labels.keys() == train.names.keys()
    assert all((values[train.kinds != HEAD] == IGNORED).all() for values in train.labels.values())
    assert all((values[train.kinds == HEAD] != IGNORED).all() for values in train.labels.values())
    at = 0
    for article in articles:
        encoding = tokenizer.encode(article.text, add_special_tokens=False)
        here = slice(at, at + len(encoding.ids))
        heads = np.flatnonzero(train.labels["entities"][here] != IGNORED)
        begun = [encoding.offsets[i][0] for i in heads]
        bounds = [next(word for word in words.words(article.text) if word[0] == start) for start in begun]
        tags = [train.names["entities"][i] for i in train.labels["entities"][here][heads]]
        assert words.decode(tags, bounds) == list(article.entities)
        at += len(encoding.ids) + 1
    quoted = [train.names[QUOTES][i] for i in train.labels[QUOTES] if i != IGNORED]
    for label in ("B-DIRECT", "B-CUE", "B-SPEAKER"):
        assert quoted.count(label) == sum(len(article.quotes) for article in articles), "the rules find all of these"


def test_a_silver_token_that_starts_no_word_labels_nothing(tokenizer):
    text = "Кран № 4/5 продан"
    document = archive.windows.tokenize(text, tokenizer)
    starts = np.array([0, 6, 9, 11])  # the second in white space, and № and / are no tokens of their own
    values = {layer: np.ones(len(starts), np.int16) for layer in silver.LAYERS}
    found = archive.silver_labels(text, document, starts, values, raw.NAMES)
    asked = [text[document.bounds[list(document.heads).index(i)][0]] for i in np.flatnonzero(found["entities"] != IGNORED)]
    assert asked == ["К", "5", "п"]
    assert all(len(row) == len(document.ids) for row in found.values())


def test_a_text_without_silver_tokens_has_no_labels_but_no_quotation(tokenizer):
    document = archive.windows.tokenize("Снег выпал", tokenizer)
    nothing = {layer: np.zeros(0, np.int16) for layer in silver.LAYERS}
    found = archive.silver_labels("Снег выпал", document, np.zeros(0, np.int32), nothing, raw.NAMES)
    assert all((found[layer] == IGNORED).all() for layer in silver.LAYERS) and (found[QUOTES][document.heads] == 0).all()


def test_labels_of_another_text_missing_or_damaged_are_refused(tmp_path, tokenizer, labelled):
    path = tmp_path / "labels" / "a.silver.safetensors"

    def refused(expected: str) -> None:
        with pytest.raises(UserError, match=expected):
            pack(texts([str(tmp_path / "text")], tmp_path / "labels"), tokenizer, tmp_path / "cache", 0.0)
        assert not list((tmp_path / "cache").glob("*/index.json"))

    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    refused(rf"^{path}: cannot be read .*make it anew with scripts/silver\.py$")
    path.write_bytes(b"")
    refused(rf"^{path}: cannot be read .*make it anew with scripts/silver\.py$")
    path.unlink()
    refused(rf"^{path}: no silver labels there; make them with scripts/silver\.py$")
    path.write_bytes(whole)
    with (tmp_path / "text" / "a.txt").open("a") as file:
        file.write("Ещё.")
    refused(rf"^{path}: its labels are those of another text; make them anew with scripts/silver\.py$")


def test_texts_with_other_label_sets_do_not_go_together(tmp_path, tokenizer):
    raw.write_labelled(tmp_path, "a", [raw.article(1)])
    _, beside = raw.write_labelled(tmp_path, "b", [raw.article(2)])
    text = Text(tmp_path / "text" / "b.txt", beside)
    replace(text.silver(), names={**raw.NAMES, "relations": raw.NAMES["relations"][::-1]}).save(text.labels_path, text.digest)
    with pytest.raises(UserError, match=r"b\.silver\.safetensors: its labels are not those of the other texts"):
        pack(texts([str(tmp_path / "text")], beside), tokenizer, tmp_path / "cache", 0.0)


# What is kept


def test_the_same_text_is_packed_once(tmp_path, tokenizer):
    raw.write(tmp_path / "text" / "a.txt", DOCUMENTS)
    cache = tmp_path / "cache"
    first = pack(texts([str(tmp_path / "text")]), tokenizer, cache, 0.2)
    before = inner(cache)
    again = pack(texts([str(tmp_path / "text")]), tokenizer, cache, 0.2, lambda count: pytest.fail("packed again"))
    assert inner(cache) == before
    assert all(np.array_equal(one.ids, other.ids) and one.ranges == other.ranges for one, other in zip(first, again, strict=True))


def test_anything_that_it_depends_on_packs_anew(tmp_path, tokenizer, labelled, monkeypatch):
    cache = tmp_path / "cache"
    kept: list[set] = [set()]

    def packed_anew(what: str, *arguments) -> None:
        pack(texts([str(tmp_path / "text")], arguments[0]), arguments[1], cache, arguments[2])
        kept.append({path.name for path in cache.iterdir()})
        assert len(kept[-1]) == len(kept[-2]) + 1, what

    packed_anew("first", None, tokenizer, 0.2)
    packed_anew("held out", None, tokenizer, 0.3)
    packed_anew("tokenizer", None, made(DOCUMENTS[:3]), 0.2)
    packed_anew("labels", tmp_path / "labels", tokenizer, 0.2)
    changed = tmp_path / "marks.py"
    changed.write_bytes(Path(archive.marks.__file__).read_bytes() + b"#")
    monkeypatch.setattr(archive.marks, "__file__", str(changed))
    packed_anew("how the rules read marks", tmp_path / "labels", tokenizer, 0.2)
    raw.write(tmp_path / "text" / "a.txt", [*raw.documents(12), "Ещё."])
    packed_anew("text", None, tokenizer, 0.2)


def test_other_labels_of_the_same_text_are_not_overlooked(tmp_path, tokenizer, labelled):
    _, chosen = labelled
    pack(chosen, tokenizer, tmp_path / "cache", 0.0)
    (text,) = chosen
    made = text.silver()
    outside = {**made.labels, "entities": np.ones_like(made.labels["entities"])}
    replace(made, labels=outside).save(text.labels_path, text.digest)
    after, _ = pack(texts([str(tmp_path / "text")], tmp_path / "labels"), tokenizer, tmp_path / "cache", 0.0)
    assert set(after.labels["entities"][after.kinds == HEAD].tolist()) == {1}


def test_a_pack_that_was_cut_off_is_made_anew(tmp_path, tokenizer, monkeypatch):
    raw.write(tmp_path / "text" / "a.txt", DOCUMENTS)
    chosen, cache = texts([str(tmp_path / "text")]), tmp_path / "cache"

    def killed(count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack(chosen, tokenizer, cache, 0.0, killed)
    train, _ = pack(chosen, tokenizer, cache, 0.0)
    assert train.ids.tolist() == [i for document in DOCUMENTS for i in as_ids(tokenizer, document)]
    assert len(list(cache.iterdir())) == 1


# Rows


@pytest.mark.parametrize("length", [3, 8, 64])
def test_rows_are_pieces_of_the_text_in_the_frame_of_the_tokenizer(tmp_path, tokenizer, labelled, length):
    train, _ = pack(labelled[1], tokenizer, tmp_path / "cache", 0.0)
    inner = length - 2
    starts = [0, 5, len(train) - inner, 5]
    rows = train.rows(starts, length)
    start, end = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    for i, at in enumerate(starts):
        assert rows.ids[i].tolist() == [start, *train.ids[at : at + inner], end]
        assert rows.kinds[i].tolist() == [SPECIAL, *train.kinds[at : at + inner], SPECIAL]
        for layer, values in train.labels.items():
            assert rows.labels[layer][i].tolist() == [IGNORED, *values[at : at + inner], IGNORED]
    assert rows.ids.dtype == np.int64 and rows.labels.keys() == train.labels.keys()


def test_a_frame_without_special_tokens_leaves_rows_bare(tokenizer):
    bare = tokenization.word_piece(tokenizer.get_vocab())
    bare.post_processor = tokenization.processors.TemplateProcessing(single="$A", pair="$A $B", special_tokens=[])
    packed = Packed(np.arange(10), np.ones(10), {}, {}, {}, Frame(bare))
    assert packed.rows([2, 4], 4).ids.tolist() == [[2, 3, 4, 5], [4, 5, 6, 7]]
