import copy
import math
import os
import signal
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import raw
import tiny
import torch
from accelerate import Accelerator
from torch.nn import functional
from transformers import (
    AutoModelForMaskedLM,
    BertConfig,
    DistilBertConfig,
    ElectraConfig,
    ModernBertConfig,
    PreTrainedConfig,
    RobertaConfig,
)

from govorit.config import Mlm, Trainer
from govorit.corpora import archive
from govorit.corpora.archive import CONTINUED, HEAD, SPECIAL, Packed, Rows
from govorit.errors import TrainingError, UserError
from govorit.network import tagger, tokenization
from govorit.training import pretraining
from govorit.training.loop import Stopped
from govorit.training.pretraining import Hidden, Loop, Network, Plan, hide
from govorit.training.states import States
from govorit.windows import IGNORED, Frame

MASK = 4
ARTICLES = [raw.article(number) for number in range(40)]


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def tokenizer():
    return tokenization.wrap(tokenization.learn([article.text for article in ARTICLES], 300))


@pytest.fixture(scope="module")
def texts(tokenizer, tmp_path_factory) -> tuple[Packed, Packed]:
    """Two texts with silver labels, in tokens to train on and tokens held out."""
    folder = tmp_path_factory.mktemp("raw")
    raw.write_labelled(folder, "a", ARTICLES[:30])
    raw.write_labelled(folder, "b", ARTICLES[30:])
    return archive.pack(archive.texts([str(folder / "text")], folder / "labels"), tokenizer.backend_tokenizer, folder / "cache", 0.2)


def bare(packed: Packed) -> Packed:
    """The same text without silver labels."""
    return replace(packed, labels={}, names={})


def trainer(**changes) -> Trainer:
    given = {"epochs": 1, "batch_tokens": 192, "learning_rate": 2e-3, "head_learning_rate": 4e-3, "precision": "fp32", "device": "cpu"}
    return Trainer(**{**given, **changes})


def mlm(**changes) -> Mlm:
    return Mlm(**{"lengths": [32], "every": 1000, "look": 256, "mask": 0.2, **changes})


def network(tokenizer, layers, dropout: float = 0.1, seed: int = 0) -> Network:
    torch.manual_seed(seed)
    model = replace(tiny.config(".").model, scratch=replace(tiny.SHAPE, dropout=dropout))
    return Network(tagger.network(model, tokenizer, AutoModelForMaskedLM), layers)


def loop(net, texts, folder, config=None, train=None, passes=None, seed=0) -> Loop:
    states = States(folder / "state")
    return Loop(net, *texts, MASK, config or mlm(), train or trainer(), passes or {}, seed, Accelerator(cpu=True), states)


def run(net, texts, folder, config=None, train=None, resume=False, seed=0, said=None):
    return pretraining.pretrain(
        net, *texts, MASK, config or mlm(), train or trainer(), {}, seed, Accelerator(cpu=True), States(folder / "state"), resume,
        (said if said is not None else []).append,
    )  # fmt: skip


def same(one, other) -> bool:
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def stable(history):
    return [{key: value for key, value in row.items() if key != "seconds"} for row in history]


# Hiding words


def random_rows(seed: int, rows: int = 60, length: int = 100) -> Rows:
    """Ids are places, so that every change is seen; words of one to four tokens, separators between them."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice([CONTINUED, HEAD, SPECIAL], (rows, length), p=[0.4, 0.55, 0.05])
    kinds[:, 1:][(kinds[:, :-1] == SPECIAL) & (kinds[:, 1:] == CONTINUED)] = HEAD
    kinds[:, [0, -1]] = SPECIAL
    return Rows(1000 + np.arange(rows * length).reshape(rows, length), kinds, {})


def words_of(kinds: np.ndarray) -> list[list[int]]:
    """Places of the tokens of each word of one row; a word that began before the row is one as well."""
    found: list[list[int]] = []
    for at, kind in enumerate(kinds):
        if kind == HEAD or (kind == CONTINUED and kinds[at - 1] == SPECIAL):
            found.append([])
        if kind != SPECIAL:
            found[-1].append(at)
    return found


@pytest.mark.parametrize("share", [0.05, 0.15, 0.5, 0.95])
def test_words_are_hidden_whole_and_special_tokens_never(share):
    rows = random_rows(0)
    hidden = hide(rows, share, MASK, np.random.default_rng(1))
    assert not hidden.chosen[rows.kinds == SPECIAL].any()
    assert (hidden.ids == rows.ids)[~hidden.chosen].all()
    fates = []
    for row, kinds in enumerate(rows.kinds):
        for word in words_of(kinds):
            assert len(set(hidden.chosen[row, word])) == 1, "a part of a word"
            masks, kept = hidden.ids[row, word] == MASK, hidden.ids[row, word] == rows.ids[row, word]
            assert len(set(masks)) == 1, "a part of a word is masked"
            if hidden.chosen[row, word[0]]:
                fates.append("mask" if masks[0] else "kept" if kept.all() else "other")
    words = sum(len(words_of(kinds)) for kinds in rows.kinds)

    def near(count: int, total: int, expected: float) -> bool:
        return abs(count - total * expected) < 4.5 * math.sqrt(total * expected * (1 - expected)) + 1

    assert near(len(fates), words, share)
    assert all(near(fates.count(fate), len(fates), part) for fate, part in (("mask", 0.8), ("kept", 0.1), ("other", 0.1)))


def test_what_is_hidden_depends_on_the_generator_alone():
    rows = random_rows(0)
    one, again, other = (hide(rows, 0.15, MASK, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one.ids, again.ids) and np.array_equal(one.chosen, again.chosen)
    assert not np.array_equal(one.chosen, other.chosen)


def test_other_pieces_are_pieces_of_words():
    rows = random_rows(0)
    special = set(rows.ids[rows.kinds == SPECIAL].tolist())
    hidden = hide(rows, 0.9, MASK, np.random.default_rng(1))
    assert not special & set(hidden.ids[hidden.chosen].tolist())


# Plans


class TwoTokens:
    size = 2


def plain(**ranges: tuple[int, int]) -> Packed:
    size = max(end for _, end in ranges.values())
    return Packed(np.arange(size), np.ones(size), {}, {}, ranges, TwoTokens())


SOME = plain(a=(0, 1003), b=(1003, 1110), c=(1110, 1129), d=(1129, 1200))  # c is shorter than two rows of 10 tokens
PASSES = {"b": 3, "d": 0}


def one_pass(plan: Plan, number: int = 0) -> list[int]:
    steps = plan.pieces // plan.rows
    return [start for step in range(number * steps, (number + 1) * steps) for start in plan.starts(step).tolist()]


@pytest.mark.parametrize("rows", [1, 7, 10_000])
def test_a_pass_reads_no_piece_more_often_than_it_should(rows):
    plan = Plan(SOME, PASSES, 12, rows, 0)
    for number in range(3):
        times = np.zeros(1200, int)
        for start in one_pass(plan, number):
            times[start : start + 10] += 1
        assert times[:1003].max() == 1 and times[1003:1110].max() <= 3 and times[1110:].max() == 0
        lost = plan.rows - 1  # pieces that do not fill the last step
        assert times[:1003].sum() >= 10 * (1003 // 10 - 1 - lost) and times[1003:1110].sum() >= 10 * (3 * (107 // 10 - 1) - lost)
        if rows == 1:
            assert times[1003:1110].sum() == 10 * 3 * 9 and times[:1003].sum() == 10 * 99


def test_passes_differ_in_order_and_in_cuts():
    plan = Plan(SOME, {}, 12, 4, 0)
    first, second, third = (one_pass(plan, number) for number in range(3))
    assert len({tuple(sorted(starts)) for starts in (first, second, third)}) == 3
    assert first != sorted(first)


def test_a_plan_is_a_function_of_seed_and_step():
    steps = [0, 40, 3, 41, 2, 0, 100]
    one, other, another = Plan(SOME, PASSES, 12, 4, 0), Plan(SOME, PASSES, 12, 4, 0), Plan(SOME, PASSES, 12, 4, 1)
    backwards = {step: other.starts(step).tolist() for step in sorted(steps, reverse=True)}
    assert all(one.starts(step).tolist() == backwards[step] for step in steps)
    assert any(one.starts(step).tolist() != another.starts(step).tolist() for step in steps)


@pytest.mark.parametrize("size", [0, 5, 19])
def test_less_text_than_two_rows_is_told(size):
    with pytest.raises(UserError, match=rf"^data\.text: it has {size} tokens, fewer than two rows of 12; give more text, or shorter "):
        Plan(plain(a=(0, size)), {}, 12, 4, 0)
    Plan(plain(a=(0, 20)), {}, 12, 4, 0)


def test_every_token_is_read_in_some_pass():
    plan = Plan(plain(a=(0, 29)), {}, 12, 1, 0)
    read = {at for number in range(200) for start in one_pass(plan, number) for at in range(start, start + 10)}
    assert read == set(range(29))


def test_many_small_texts_are_read_as_well():
    plan = Plan(plain(**{f"t{i}": (i * 15, i * 15 + 15) for i in range(100)}), {}, 12, 4, 0)
    assert plan.pieces > 100


# The network

SHAPE = {"vocab_size": 100, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
IDS = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}
ENCODERS: dict[str, PreTrainedConfig] = {
    "ModernBERT": ModernBertConfig(**SHAPE, **IDS),
    "BERT": BertConfig(**SHAPE),
    "RoBERTa": RobertaConfig(**SHAPE, max_position_embeddings=514, pad_token_id=1),
    "DistilBERT": DistilBertConfig(vocab_size=100, dim=16, n_layers=2, n_heads=2, hidden_dim=32),
    "ELECTRA": ElectraConfig(**SHAPE, embedding_size=8),
}
LAYERS = {"entities": ["<pad>", "O", "B-PER"], "forms": ["a", "b", "c", "d"], "quotes": ["O", "B-CUE"]}


@pytest.mark.parametrize("family", ENCODERS)
def test_the_vocabulary_head_sees_the_hidden_places_alone_and_says_of_them_what_it_would(family):
    torch.manual_seed(0)
    model = AutoModelForMaskedLM.from_config(ENCODERS[family], attn_implementation="eager").eval()
    whole = copy.deepcopy(model)
    ours = Network(model, LAYERS).eval()
    ids = torch.randint(5, 100, (3, 20), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    hidden, asked = torch.tensor([1, 7, 22, 59]), torch.tensor([0, 22, 23, 24, 58])
    seen = []
    model.get_output_embeddings().register_forward_pre_hook(lambda _, given: seen.append(given[0].shape[:-1].numel()))
    with torch.inference_mode():
        scores, found = ours(ids, mask, hidden, asked)
        expected = whole(input_ids=ids, attention_mask=mask).logits.flatten(0, 1)
        states = whole.base_model(input_ids=ids, attention_mask=mask).last_hidden_state.flatten(0, 1)
        nothing, _ = ours(ids, mask, hidden[:0], asked[:0])
    assert seen == [len(hidden), 0] and nothing.shape == (0, 100)
    torch.testing.assert_close(scores, expected[hidden], rtol=1e-5, atol=1e-6)
    assert found.keys() == LAYERS.keys()
    for layer, names in LAYERS.items():
        assert found[layer].shape == (len(asked), len(names))
        with torch.inference_mode():
            torch.testing.assert_close(found[layer], ours.heads[layer](states[asked]), rtol=1e-5, atol=1e-6)
    fine = tagger.Tagger(copy.deepcopy(whole.base_model), {"entities": ["PER"]})
    assert list(fine.heads["entities"].state_dict()) == list(ours.heads["entities"].state_dict()), "what fine-tuning starts from"


# Rates, losses, gradients


def test_the_rate_rises_stays_and_falls_to_almost_nothing(tokenizer, texts, tmp_path):
    config = trainer(warmup=0.1, learning_rate=1.0, head_learning_rate=3.0, epochs=10)
    made = loop(network(tokenizer, texts[0].names), texts, tmp_path, mlm(cooldown=0.4), config)
    rates = []
    for step in range(made.total_steps):
        made.progress.step = step
        rates.append(made.set_rates())
        assert sorted({group["lr"] for group in made.optimizer.param_groups}) == pytest.approx([rates[-1], 3 * rates[-1]])
    total, warm, cool = len(rates), round(len(rates) * 0.1), round(len(rates) * 0.4)
    assert rates[:warm] == pytest.approx([(i + 1) / warm for i in range(warm)])
    assert set(rates[warm : total - cool]) == {1.0} and total - cool - warm > 5
    assert all(one > other for one, other in pairwise(rates[total - cool :])) and 0 < rates[-1] <= 1 / cool + 1e-9


@pytest.mark.parametrize("warmup, cooldown", [(0.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
def test_the_rate_is_sane_at_the_ends_of_its_shares(tokenizer, texts, tmp_path, warmup, cooldown):
    made = loop(network(tokenizer, {}), texts, tmp_path, mlm(cooldown=cooldown), trainer(warmup=warmup, learning_rate=1.0))
    for step in range(made.total_steps):
        made.progress.step = step
        assert 0 < made.set_rates() <= 1.0


def test_short_rows_come_first_and_long_ones_at_the_end(tokenizer, texts, tmp_path):
    made = loop(network(tokenizer, {}), texts, tmp_path, mlm(lengths=[16, 64], short=0.75), trainer(epochs=4))
    shapes = [(length, len(starts)) for starts, length in map(made.places, range(made.total_steps))]
    cut = round(0.75 * made.total_steps)
    assert set(shapes[:cut]) == {(16, 192 // 16)} and set(shapes[cut:]) == {(64, 192 // 64)}


def test_tokens_say_how_long_it_takes(tokenizer, texts, tmp_path):
    assert loop(network(tokenizer, {}), texts, tmp_path, mlm(tokens=1921)).total_steps == 11
    whole = sum(end - start for start, end in texts[0].ranges.values())
    assert loop(network(tokenizer, {}), texts, tmp_path, train=trainer(epochs=3)).total_steps == -(-3 * whole // 192)
    b = texts[0].ranges["b"]
    more = loop(network(tokenizer, {}), texts, tmp_path, passes={"b": 4})
    assert more.total_steps == -(-(whole + 3 * (b[1] - b[0])) // 192)


def by_hand(net, made, weights) -> torch.Tensor:
    """The loss of the first step, written out: the mean over hidden pieces, and that of each layer over its labels, added."""
    starts, length = made.places(0)
    rows = made.train.rows(starts, length)
    hidden = hide(rows, made.config.mask, MASK, np.random.default_rng((made.seed, 0, 1)))
    ids = torch.from_numpy(hidden.ids)
    every = torch.arange(ids.numel())
    scores, found = net(ids, torch.ones_like(ids), every, every)
    loss = weights.get("words", 1.0) * functional.cross_entropy(scores[hidden.chosen.flatten()], torch.from_numpy(rows.ids[hidden.chosen]))
    for layer, values in rows.labels.items():
        known = values.flatten() != IGNORED
        loss = loss + weights.get(layer, 1.0) * functional.cross_entropy(found[layer][known], torch.from_numpy(values.flatten()[known]))
    return loss


@pytest.mark.parametrize("weights", [{}, {"words": 0.5, "forms": 3.0, "quotes": 0.0}])
def test_batches_that_are_accumulated_make_the_step_of_one_batch(tokenizer, texts, tmp_path, weights):
    start = network(tokenizer, texts[0].names, dropout=0.0)
    config, results = mlm(weights=weights), []
    for batch_tokens, accumulate in ((384, 1), (192, 2), (128, 3), (96, 4)):
        net, seen = copy.deepcopy(start), {}
        made = loop(net, texts, tmp_path, config, trainer(batch_tokens=batch_tokens, accumulate=accumulate, clip=0.0))
        made.set_rates()
        made.optimizer.register_step_pre_hook(
            lambda *_, net=net, seen=seen: seen.update({n: p.grad.clone() for n, p in net.named_parameters() if p.grad is not None})
        )
        losses, tokens = made.step(0)
        assert tokens == 384
        results.append((losses, seen, net.state_dict()))
        total = by_hand(reference := copy.deepcopy(start), made, weights)
    total.backward()
    expected = {name: parameter.grad for name, parameter in reference.named_parameters() if parameter.grad is not None}
    for losses, gradients, state in results:
        assert losses == pytest.approx(results[0][0], rel=1e-5)
        assert sum(weights.get(name, 1.0) * value for name, value in losses.items()) == pytest.approx(total.item(), rel=1e-5)
        for name, gradient in gradients.items():
            torch.testing.assert_close(gradient, expected[name], rtol=1e-4, atol=1e-6)
            # Adam's first step is the sign of the gradient: compare where that is not noise.
            clear = gradient.abs() > 1e-5
            torch.testing.assert_close(state[name][clear], results[0][2][name][clear], rtol=0, atol=1e-5)


def test_words_of_no_weight_leave_the_vocabulary_head_alone(tokenizer, texts, tmp_path):
    net = network(tokenizer, texts[0].names)
    before = copy.deepcopy(net.state_dict())
    progress = run(net, texts, tmp_path, mlm(weights={"words": 0.0}))
    kept = {name for name, value in net.state_dict().items() if torch.equal(value, before[name])}
    inner = {name for name, _ in net.model.named_parameters() if not name.startswith("model.")}
    assert kept == {f"model.{name}" for name in inner} and inner
    assert "words_loss" not in progress.history[-1] and "entities_loss" in progress.history[-1]


def test_frozen_embeddings_stay_as_they_are(tokenizer, texts, tmp_path):
    net = network(tokenizer, {})
    before = net.model.get_input_embeddings().weight.detach().clone()
    run(net, [bare(packed) for packed in texts], tmp_path, mlm(tokens=600), trainer(freeze_embeddings=True))
    assert torch.equal(net.model.get_input_embeddings().weight, before)


def test_a_batch_in_which_no_word_is_hidden_is_no_trouble(tokenizer, texts, tmp_path):
    progress = run(network(tokenizer, {}), [bare(packed) for packed in texts], tmp_path, mlm(mask=1e-6, tokens=600))
    assert progress.tokens >= 600


# Learning, looking


@pytest.fixture(scope="module")
def trained(tokenizer, texts, tmp_path_factory):
    """A network that has read the texts until it knows something, its progress, and what was said of it."""
    torch.set_num_threads(1)
    folder, said = tmp_path_factory.mktemp("trained"), []
    net = network(tokenizer, texts[0].names)
    config = trainer(batch_tokens=512, learning_rate=1e-2, head_learning_rate=1e-2)
    return net, run(net, texts, folder, mlm(tokens=60_000, every=10_000, look=1024), config, said=said), said, folder


def test_it_learns_words_and_labels(trained, texts):
    _, progress, _, _ = trained
    first, last = progress.history[0], progress.history[-1]
    for name in ("words_loss", "heldout_loss", *(f"{layer}_loss" for layer in texts[0].names)):
        assert last[name] < 0.75 * first[name], name
    assert last["perplexity"] == pytest.approx(math.exp(last["heldout_loss"]), rel=1e-2)
    assert all(last[layer] > 0.8 for layer in texts[0].names), last


def test_a_look_every_so_many_tokens(trained):
    _, progress, said, folder = trained
    assert [row["tokens"] // 10_000 for row in progress.history] == [1, 2, 3, 4, 5, 6]
    assert progress.history[-1]["step"] == progress.step and progress.tokens == progress.history[-1]["tokens"]
    assert len(said) == len(progress.history) and said[0].startswith("step ") and "heldout_loss" in said[0]
    assert States(folder / "state").newest().values["step"] == progress.step


def test_held_out_figures_are_those_of_the_plain_model(trained, texts, tokenizer, tmp_path):
    net, progress, _, _ = trained
    made = loop(net, texts, tmp_path, mlm(look=1024))
    figures = made.evaluate()
    assert figures == made.evaluate() and net.training
    assert figures["heldout_loss"] == pytest.approx(progress.history[-1]["heldout_loss"], abs=1e-3)
    starts = np.arange(0, len(texts[1]) - 30 + 1, 30)[: 1024 // 32]
    rows = texts[1].rows(starts, 32)
    every = torch.arange(rows.ids.size)
    with torch.inference_mode():
        net.eval()
        _, found = net(torch.from_numpy(rows.ids), torch.ones(rows.ids.shape, dtype=torch.long), every[:0], every)
        net.train()
    for layer, values in rows.labels.items():
        known = values.flatten() != IGNORED
        share = (found[layer].argmax(-1).numpy() == values.flatten())[known].mean()
        assert figures[layer] == pytest.approx(share, abs=0.01), layer


def test_how_often_it_looks_changes_nothing(tokenizer, texts, tmp_path):
    nets = [network(tokenizer, texts[0].names) for _ in range(2)]
    for net, every in zip(nets, (192, 10**9), strict=True):
        progress = run(net, texts, tmp_path / str(every), mlm(tokens=1500, every=every))
        assert len(progress.history) == (progress.step if every == 192 else 1)
    assert same(*nets)


def test_nothing_held_out_and_no_labels(tokenizer, texts, tmp_path):
    empty = replace(texts[1], ids=texts[1].ids[:0], kinds=texts[1].kinds[:0], labels={}, names={}, ranges={})
    progress = run(network(tokenizer, {}), (bare(texts[0]), empty), tmp_path, mlm(tokens=600))
    assert progress.history[-1].keys() == {"step", "tokens", "seconds", "words_loss"}


@pytest.mark.parametrize("rate", [1e30, 1e39])
def test_weights_that_are_not_finite_are_never_saved(tokenizer, texts, tmp_path, rate):
    with pytest.raises(TrainingError, match=r"^step \d+: .*not finite, nothing saved; lower trainer\.learning_rate"):
        run(network(tokenizer, {}), [bare(packed) for packed in texts], tmp_path, mlm(every=192), trainer(learning_rate=rate))
    state = States(tmp_path / "state").newest()
    assert state is None or all(bool(torch.isfinite(value).all()) for value in state.tensors["weights"].values())


# The same again, and going on


def stop_at(monkeypatch, step: int) -> None:
    """Send a real signal in the middle of this step."""
    original = Loop.step

    def asked(self, number: int):
        if number == step:
            os.kill(os.getpid(), signal.SIGTERM)
        return original(self, number)

    monkeypatch.setattr(Loop, "step", asked)


def test_another_seed_is_another_run(tokenizer, texts, tmp_path):
    nets = [network(tokenizer, texts[0].names) for _ in range(3)]
    for i, (net, seed) in enumerate(zip(nets, (0, 0, 1), strict=True)):
        run(net, texts, tmp_path / str(i), mlm(tokens=800), seed=seed)
    assert same(nets[0], nets[1]) and not same(nets[0], nets[2])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_stopped_after_any_step_it_goes_on_to_the_same_weights(tokenizer, texts, tmp_path, monkeypatch, precision):
    config = mlm(tokens=2700, lengths=[16, 32], short=0.6, every=700)
    train = trainer(accumulate=2, batch_tokens=128, precision=precision)
    whole = network(tokenizer, texts[0].names, 0.3)
    expected = run(whole, texts, tmp_path / "whole", config, train)
    assert expected.step == 11 and len(expected.history) >= 3
    for step in (0, 2, 5, 6, 7, 10) if precision == "fp32" else (3, 6):
        folder = tmp_path / str(step)
        with monkeypatch.context() as patch:
            stop_at(patch, step)
            with pytest.raises(Stopped, match="stopped by SIGTERM; resume=true goes on") as stopped:
                run(network(tokenizer, texts[0].names, 0.3), texts, folder, config, train)
        assert stopped.value.code == 143
        torch.rand(5)
        again, said = network(tokenizer, texts[0].names, 0.3, seed=99), []  # whatever it starts from
        progress = run(again, texts, folder, config, train, resume=True, said=said)
        assert said[0].startswith(f"resumed: step {step + 1} of 11, ")
        assert same(again, whole), step
        assert stable(progress.history) == stable(expected.history), step


def test_a_run_in_slices_of_no_time_comes_to_the_same_end(tokenizer, texts, tmp_path):
    config = mlm(tokens=1500)
    whole = network(tokenizer, texts[0].names, 0.3)
    expected = run(whole, texts, tmp_path / "whole", config)
    for slices in range(100):
        net = network(tokenizer, texts[0].names, 0.3, seed=slices)
        try:
            progress = run(net, texts, tmp_path / "slices", config, trainer(minutes=1e-9), resume=True)
        except Stopped as stopped:
            assert (stopped.code, str(stopped)) == (0, "stopped since trainer.minutes are over; resume=true goes on")
            assert States(tmp_path / "slices" / "state").newest().values["step"] == slices + 1
            continue
        break
    assert slices == expected.step, "a step a slice"
    assert same(net, whole) and stable(progress.history) == stable(expected.history)


def test_counts_are_of_what_is_asked():
    rows = Rows(np.zeros((2, 3), int), np.ones((2, 3)), {"forms": np.array([[IGNORED, 1, 0], [IGNORED, IGNORED, 2]])})
    hidden = Hidden(rows.ids, np.array([[False, True, True], [False, False, False]]))
    assert pretraining.counted(rows, hidden) == {"words": 2, "forms": 3}


def test_frames_of_tokens_are_what_plans_take_off(tokenizer):
    assert Frame(tokenizer.backend_tokenizer).size == TwoTokens.size
