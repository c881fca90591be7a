import errno
import json
import random
from copy import deepcopy
from dataclasses import replace
from functools import cache

import pytest
import raw
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import AutoModelForTokenClassification, AutoTokenizer, BertConfig, BertModel, ModernBertConfig, ModernBertModel, pipeline

from govorit import checkpoint, contract, nearness, windows, words
from govorit.article import LAYERS, QUOTE_LABELS, Article, Span
from govorit.checkpoint import ENCODER, HEAD, load_tagger, load_tokenizer, publish
from govorit.contract import Contract
from govorit.decoding.links import VECTORS
from govorit.engines import TorchEngine
from govorit.errors import UserError
from govorit.extractor import Extractor
from govorit.formats.inline import parse
from govorit.network import tokenization
from govorit.network.tagger import Tagger

torch.set_num_threads(1)

CONTRACT = Contract(
    {"entities": ["PER", "LOC", "ORG"], "quotes": list(QUOTE_LABELS)}, window=48, overlap=12, trained_on={"newsroom": "9f8a"}
)
PEOPLE, PLACES, BODIES = "Владимир Путин|Н. Назарбаев|Песков|Ольга Штерн", "Алматы|Астане|Санкт-Петербурге", "Росстат|ЕАЭС|РИА «Новости»"
SAID, WORDS = "сказал|отметил|заявил|пообещал", "цены|выросли|дождь|прошёл|мы|хотим|мира|не|сразу|в|срок"


@cache
def articles(count: int = 20) -> tuple[Article, ...]:
    """Short texts with entities and quotations, each a paragraph or two."""
    rng = random.Random(4)

    def one(stock: str) -> str:
        return rng.choice(stock.split("|"))

    def clause() -> str:
        return " ".join(rng.sample(WORDS.split("|"), rng.randrange(2, 6)))

    def sentence() -> str:
        return rng.choice(
            (
                f"<q direct>«{clause()}»</q>, — <cue>{one(SAID)}</cue> <src><PER>{one(PEOPLE)}</PER></src> в <LOC>{one(PLACES)}</LOC>.",
                f"<src><ORG>{one(BODIES)}</ORG></src> <cue>{one(SAID)}</cue>, что <q indirect>{clause()}</q>.",
                f"<PER>{one(PEOPLE)}</PER>, <PER>{one(PEOPLE)}</PER> и <ORG>{one(BODIES)}</ORG>: {clause()}.",
            )
        )

    return tuple(parse("\n".join(sentence() for _ in range(rng.randrange(1, 3))), str(i)) for i in range(count))


@cache
def tokenizer() -> Tokenizer:
    return tokenization.learn([article.text for article in articles()], 220)


def untrained(seed: int = 0) -> Tagger:
    torch.manual_seed(seed)
    shape = BertConfig(
        vocab_size=tokenizer().get_vocab_size(), hidden_size=48, num_hidden_layers=1, num_attention_heads=4, intermediate_size=96
    )
    shape.hidden_dropout_prob = shape.attention_probs_dropout_prob = 0.0
    return Tagger(BertModel(shape, add_pooling_layer=False), CONTRACT.layers).eval()


@cache
def trained() -> Tagger:
    """A tagger that knows `articles` by heart, so that the best tag of each word alone is valid IOB2."""
    tagger, frame = untrained(), windows.Frame(tokenizer())
    tokens = windows.tokenize_all([article.text for article in articles()], tokenizer())
    gold = [windows.label(article, item, CONTRACT.layers)[0] for article, item in zip(articles(), tokens, strict=True)]
    pieces = windows.cut_all(tokens, 500, 0)
    batch = frame.pad(pieces, tokens, {layer: [labels[layer] for labels in gold] for layer in LAYERS})
    ids, mask = torch.from_numpy(batch.ids), torch.from_numpy(batch.mask)
    targets = {layer: torch.from_numpy(batch.labels[layer]) for layer in LAYERS}
    optimizer = torch.optim.AdamW(tagger.parameters(), lr=5e-3)
    for _ in range(200):
        logits = tagger(ids, mask)
        wrong = sum(int(((logits[layer].argmax(-1) != targets[layer]) & (targets[layer] >= 0)).sum()) for layer in LAYERS)
        loss = sum(torch.nn.functional.cross_entropy(logits[layer].flatten(0, 1), targets[layer].flatten()) for layer in LAYERS)
        if not wrong and loss < 0.02:
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert wrong == 0
    return tagger


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "model"
    publish(trained(), tokenization.wrap(tokenizer()), CONTRACT, folder)
    return folder


@pytest.fixture
def copy(tmp_path):
    """A published folder of its own, to be damaged."""
    publish(untrained(), tokenization.wrap(tokenizer()), CONTRACT, tmp_path / "model")
    return tmp_path / "model"


def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.randint(5, 100, (3, 30), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    mask[2, 20:] = 0
    return ids, mask


def test_what_is_published_is_what_is_loaded(published):
    again = load_tagger(published)
    assert not again.training and again.layers == CONTRACT.layers
    with torch.inference_mode():
        before, after = trained()(*inputs()), again(*inputs())
    assert all(torch.equal(before[key], after[key]) for key in (*LAYERS, VECTORS))
    assert same_links(again, trained())
    assert contract.load(published) == CONTRACT
    assert load_tokenizer(published).to_str() == Tokenizer.from_file(str(published / "quotes" / "tokenizer.json")).to_str()


@pytest.mark.parametrize("layer", LAYERS)
def test_each_layer_is_a_folder_for_plain_transformers(published, layer):
    model, info = AutoModelForTokenClassification.from_pretrained(published / layer, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"]
    names = words.tag_names(CONTRACT.layers[layer])
    assert model.config.id2label == dict(enumerate(names)) and model.config.label2id == {name: i for i, name in enumerate(names)}
    with torch.inference_mode():
        ours, theirs = trained()(*inputs())[layer], model.eval()(*inputs()).logits
    assert torch.allclose(ours, theirs, atol=1e-5)

    plain = AutoTokenizer.from_pretrained(published / layer)
    assert plain.is_fast and plain.model_max_length == CONTRACT.window
    assert (plain.cls_token, plain.sep_token, plain.pad_token, plain.unk_token) == ("[CLS]", "[SEP]", "[PAD]", "[UNK]")
    for article in articles():
        assert plain(article.text, truncation=False)["input_ids"] == tokenizer().encode(article.text).ids


def test_a_published_folder_holds_weights_once_and_nothing_to_unpickle(published):
    assert {path.name for path in published.iterdir()} == {"entities", "quotes", "govorit.json", "aids.safetensors"}
    files = [path for path in published.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".json", ".safetensors"}
    assert (published / "entities" / ENCODER).stat().st_ino == (published / "quotes" / ENCODER).stat().st_ino
    assert (published / "entities" / HEAD).stat().st_ino != (published / "quotes" / HEAD).stat().st_ino
    assert list(published.parent.iterdir()) == [published], "nothing is left beside it"


def test_publishing_again_replaces_the_folder(copy):
    (copy / "stale").touch()
    publish(untrained(1), tokenization.wrap(tokenizer()), CONTRACT, copy)
    assert not (copy / "stale").exists()
    with torch.inference_mode():
        assert torch.equal(load_tagger(copy)(*inputs())["quotes"], untrained(1)(*inputs())["quotes"])


def test_a_disk_without_hard_links_gets_copies(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(checkpoint.os, "link", refuse)
    publish(untrained(), tokenization.wrap(tokenizer()), CONTRACT, tmp_path / "model")
    AutoModelForTokenClassification.from_pretrained(tmp_path / "model" / "quotes")


def test_another_architecture_is_published_too(tmp_path):
    torch.manual_seed(0)
    ids = {"pad_token_id": 0, "cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2, "eos_token_id": 3}
    shape = ModernBertConfig(
        vocab_size=tokenizer().get_vocab_size(), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16, **ids
    )
    tagger = Tagger(ModernBertModel(shape), CONTRACT.layers).eval()
    publish(tagger, tokenization.wrap(tokenizer()), CONTRACT, tmp_path / "model")
    with torch.inference_mode():
        before, after = tagger(*inputs()), load_tagger(tmp_path / "model")(*inputs())
    for layer in LAYERS:
        _, info = AutoModelForTokenClassification.from_pretrained(tmp_path / "model" / layer, output_loading_info=True)
        assert not info["missing_keys"] and not info["unexpected_keys"]
        assert torch.allclose(before[layer], after[layer], atol=1e-5)


@pytest.mark.parametrize("layer", LAYERS)
def test_the_pipeline_of_transformers_agrees_with_ours(published, layer):
    """Its aggregation takes the best tag of each word alone, ours the best valid sequence: equal where the former is valid.

    So the tagger is one that knows these texts by heart. Each fits into one window: the pipeline cuts off the rest.
    """
    read = Extractor.load(published)
    theirs = pipeline("token-classification", model=str(published / layer), aggregation_strategy="first", device="cpu")
    found = 0
    for article, ours in zip(articles(), read([article.text for article in articles()]), strict=True):
        spans = [Span(span["start"], span["end"], span["entity_group"]) for span in theirs(article.text)]
        assert spans == [Span(span.start, span.end, span.label) for span in ours.layer(layer)] == list(article.layer(layer))
        found += len(spans)
    assert found > 40


def refusal(call) -> str:
    with pytest.raises(UserError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "name", [f"entities/{ENCODER}", f"quotes/{HEAD}", "entities/config.json", "entities/tokenizer.json", "govorit.json"]
)
@pytest.mark.parametrize("damage", ["missing", "truncated", "empty"])
def test_a_damaged_folder_is_told_in_a_line(copy, name, damage):
    path = copy / name
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(content[: len(content) // 2 if damage == "truncated" else 0])
    assert str(copy) in refusal(lambda: Extractor.load(copy))


def same_links(one: Tagger, other: Tagger) -> bool:
    (ours, theirs) = (tagger.links.state_dict() for tagger in (one, other) if tagger.links)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_without_links_nearness_ties_quotations(copy):
    assert Extractor.load(copy).aids.links is not None
    (copy / "aids.safetensors").unlink()
    tagger, extractor = load_tagger(copy), Extractor.load(copy)
    assert tagger.links is None and extractor.aids.links is None
    for article in extractor([article.text for article in articles()]):
        assert [replace(quote, name=None, name_score=None) for quote in article.quotes] == nearness.tie(
            article.layer("quotes"), article.text
        )
    publish(tagger, tokenization.wrap(tokenizer()), CONTRACT, copy)
    assert load_tagger(copy).links is None


def test_what_listens_to_rules_goes_on_listening(tmp_path):
    tagger = deepcopy(trained())
    tagger.listen(raw.NAMES)
    tagger.hints.weight.data += torch.rand(tagger.hints.weight.shape)
    tagger.costs["quotes"].data -= torch.rand(tagger.costs["quotes"].shape)
    publish(tagger, tokenization.wrap(tokenizer()), CONTRACT, tmp_path / "model")
    loaded = load_tagger(tmp_path / "model")
    assert loaded.names == raw.NAMES and same_weights(loaded, tagger)
    texts = [article.text for article in articles()]
    here = Extractor(TorchEngine(tagger.eval()), tokenizer(), CONTRACT, tagger.aids())
    assert here(texts) == Extractor.load(tmp_path / "model")(texts)
    deaf = Extractor(TorchEngine(tagger), tokenizer(), CONTRACT, replace(tagger.aids(), hints=None))
    assert here(texts) != deaf(texts), "the rules have a say"


def same_weights(one: Tagger, other: Tagger) -> bool:
    ours, theirs = one.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("damage", ["truncated", "empty", "of another size", "of something else"])
def test_damaged_aids_are_told_in_a_line(copy, damage):
    path = copy / "aids.safetensors"
    content = path.read_bytes()
    if damage.startswith("of"):
        found = load_file(path) if damage == "of another size" else {}
        save_file({name: value[:1].clone() for name, value in found.items()} or {"a": torch.zeros(1)}, path)
    else:
        path.write_bytes(content[: len(content) // 2 if damage == "truncated" else 0])
    assert str(copy) in refusal(lambda: Extractor.load(copy))


def test_a_contract_of_another_time(copy):
    described = json.loads((copy / "govorit.json").read_text())
    wrong = ({"format": 2}, "version"), ({"surprise": 1}, "surprise"), ({"places": "here"}, "'here'"), ({"reads": "all"}, "'all'")
    for changed, reason in wrong:
        (copy / "govorit.json").write_text(json.dumps({**described, **changed}))
        assert reason in refusal(lambda: Extractor.load(copy))
    for text in ("[]", "{", "{}", "null"):
        (copy / "govorit.json").write_text(text)
        assert "govorit.json" in refusal(lambda: Extractor.load(copy))


def test_no_checkpoint_at_all(tmp_path):
    assert "not a govorit checkpoint" in refusal(lambda: Extractor.load(tmp_path / "none"))
    assert "not a govorit checkpoint" in refusal(lambda: Extractor.load(tmp_path))


def test_heads_of_other_labels_are_refused(copy):
    other = replace(CONTRACT, layers={"entities": ["PER"], "quotes": CONTRACT.layers["quotes"]})
    other.save(copy)
    assert "cannot be loaded" in refusal(lambda: Extractor.load(copy))
