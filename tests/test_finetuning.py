import copy
import math
import os
import signal
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import raw
import tiny
import torch
from accelerate import Accelerator
from torch import nn

from govorit import pipeline, words
from govorit.article import LAYERS
from govorit.config import Trainer
from govorit.contract import Contract
from govorit.corpora import corpus
from govorit.decoding import hints
from govorit.decoding.hints import SYNTAX
from govorit.decoding.links import VECTORS
from govorit.errors import TrainingError, UserError
from govorit.network import tagger, tokenization
from govorit.network.linking import LinkLoss
from govorit.training import finetuning
from govorit.training.finetuning import choose_precision, parameter_groups
from govorit.training.loop import Stopped
from govorit.training.states import States
from govorit.windows import IGNORED

ARTICLES = tiny.articles(10)
LABELS = {"entities": ["LOC", "PER"], "quotes": list(corpus.QUOTE_LABELS)}
VOLATILE = ("seconds", "tokens_per_second")


@pytest.fixture(scope="module")
def tokenizer():
    return tokenization.wrap(tokenization.learn([article.text for article in ARTICLES], 400))


pytestmark = pytest.mark.usefixtures("one_thread")


def trainer(**changes) -> Trainer:
    given = {"epochs": 3, "batch_tokens": 192, "learning_rate": 2e-3, "head_learning_rate": 4e-3, "precision": "fp32", "device": "cpu"}
    return Trainer(**{**given, **changes})


def network(tokenizer, dropout: float = 0.1, layers: int = 1, seed: int = 0) -> tagger.Tagger:
    torch.manual_seed(seed)
    shape = replace(tiny.SHAPE, dropout=dropout, layers=layers)
    return tagger.build(replace(tiny.config(".").model, scratch=shape), LABELS, tokenizer)


def training_set(tokenizer, articles=ARTICLES) -> finetuning.TrainingSet:
    return pipeline.encode(articles, tokenizer, Contract(LABELS, 64, 16))[0]


def loop(net, data, config, folder) -> finetuning.Loop:
    return finetuning.Loop(net, data, config, 0, Accelerator(cpu=True), States(folder / "state"))


def score_of(net) -> dict[str, float]:
    """Figures of the dev set that change with the weights, as real ones do."""
    return {"score": float(sum(p.detach().double().abs().sum() for p in net.parameters() if p.requires_grad))}


def run(net, data, config, folder, resume=False, evaluate=None, seed=0):
    found = evaluate or (lambda callback: score_of(net))
    return finetuning.train(net, data, config, seed, Accelerator(cpu=True), States(folder / "state"), found, resume, lambda line: None)


def same(one, other) -> bool:
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def stable(history):
    return [{key: value for key, value in row.items() if key not in VOLATILE} for row in history]


# Learning rates


def test_the_rate_rises_to_its_value_and_falls_to_almost_nothing(tokenizer, tmp_path):
    config = trainer(epochs=10, warmup=0.2, learning_rate=1.0, head_learning_rate=3.0)
    made = loop(network(tokenizer), training_set(tokenizer), config, tmp_path)
    rates = []
    for step in range(made.total_steps):
        made.progress.total_steps = step
        rates.append(made.set_rates())
        assert sorted({group["lr"] for group in made.optimizer.param_groups}) == pytest.approx([rates[-1], 3 * rates[-1]])
    warm = round(len(rates) * 0.2)
    assert rates[:warm] == pytest.approx([(i + 1) / warm for i in range(warm)])
    assert rates[warm:] == pytest.approx([(len(rates) - i) / (len(rates) - warm) for i in range(warm, len(rates))])
    assert max(rates) == 1.0 and 0 < rates[-1] < 0.05


@pytest.mark.parametrize("warmup", [0.0, 1.0])
def test_the_rate_is_sane_with_no_warm_up_and_with_nothing_else(tokenizer, tmp_path, warmup):
    made = loop(network(tokenizer), training_set(tokenizer), trainer(warmup=warmup, learning_rate=1.0), tmp_path)
    for step in range(made.total_steps):
        made.progress.total_steps = step
        assert 0 < made.set_rates() <= 1.0


def test_total_steps_are_the_steps_that_are_made(tokenizer, tmp_path):
    for accumulate in (1, 3):
        net, data, config = network(tokenizer), training_set(tokenizer), trainer(accumulate=accumulate, epochs=2)
        expected = loop(copy.deepcopy(net), data, config, tmp_path).total_steps
        assert run(net, data, config, tmp_path / str(accumulate)).total_steps == expected


def test_each_epoch_reads_every_window_once_in_an_order_of_its_own(tokenizer, tmp_path):
    data = training_set(tokenizer)
    made = loop(network(tokenizer), data, trainer(accumulate=2, batch_tokens=96), tmp_path)
    plans = [made.plan(epoch) for epoch in range(3)]
    for plan in plans:
        assert sorted(i for step in plan for batch in step for i in batch) == list(range(len(data.windows)))
        assert all(1 <= len(step) <= 2 for step in plan)
        assert all(len(batch) == 1 or data.batch(batch).ids.size <= 96 for step in plan for batch in step)
    assert plans[0] != plans[1] != plans[2] and made.plan(1) == plans[1]


# Which weights learn how


def test_parameter_groups(tokenizer):
    net = network(tokenizer, layers=3)
    config = trainer(learning_rate=1.0, head_learning_rate=7.0, layer_decay=0.5, weight_decay=0.1)
    net.encoder.get_input_embeddings().weight.requires_grad_(False)
    names = {id(parameter): name for name, parameter in net.named_parameters()}
    found = {names[id(p)]: (g["lr"], g["weight_decay"]) for g in parameter_groups(net, config) for p in g["params"]}
    learning = {name for name, parameter in net.named_parameters() if parameter.requires_grad}
    assert found.keys() == learning and "encoder.embeddings.tok_embeddings.weight" not in found
    sizes = {name: parameter.ndim for name, parameter in net.named_parameters()}
    for name, (rate, decay) in found.items():
        assert decay == (0.1 if sizes[name] > 1 else 0.0), name
        expected = 7.0 if name.startswith(("heads.", "links.")) else 0.125 if "embeddings" in name else 1.0
        for layer, value in enumerate((0.25, 0.5, 1.0)):
            expected = value if f"layers.{layer}." in name else expected
        assert rate == pytest.approx(expected), name
    assert {rate for rate, _ in found.values()} == {7.0, 1.0, 0.5, 0.25, 0.125}


def test_frozen_embeddings_stay_as_they_are_and_the_rest_learns(tokenizer, tmp_path):
    net = network(tokenizer)
    before = copy.deepcopy(net.state_dict())
    run(net, training_set(tokenizer), trainer(freeze_embeddings=True, epochs=1), tmp_path)
    kept = {name for name, value in net.state_dict().items() if torch.equal(value, before[name])}
    assert kept == {"encoder.embeddings.tok_embeddings.weight", "costs.entities", "costs.quotes"}


# The loss


def by_hand(net, data, chosen, weights) -> torch.Tensor:
    """Cross-entropy over the labelled words of all `chosen` windows, one at a time, written out; the mean of each layer, layers added.

    So are the links of each window, and the mean over their contents.
    """
    linked = LinkLoss(data.articles, data.tokens, data.frame, LABELS["quotes"])
    sums, counts = dict.fromkeys((*LAYERS, VECTORS), 0.0), dict.fromkeys((*LAYERS, VECTORS), 0)
    for i in chosen:
        batch = data.batch([i])
        logits = net(torch.from_numpy(batch.ids), torch.from_numpy(batch.mask))
        for layer in LAYERS:
            for scores, label in zip(logits[layer][0], batch.labels[layer][0], strict=True):
                if label != IGNORED:
                    tag = words.tag_names(LABELS[layer])[label]
                    sums[layer] = sums[layer] - scores.log_softmax(-1)[label] * weights.get(tag[2:] or tag, 1.0)
                    counts[layer] += 1
        sums[VECTORS] = sums[VECTORS] + linked(net.links, batch, logits)
        counts[VECTORS] += linked.count(batch)
    return sum(sums[layer] / counts[layer] for layer in sums)


@pytest.mark.parametrize("weights", [{}, {"PER": 5.0, "O": 0.25, "CUE": 0.0}])
def test_the_loss_is_the_weighted_mean_over_words(tokenizer, tmp_path, weights):
    net, data = network(tokenizer, dropout=0.0), training_set(tokenizer)
    made = loop(net, data, trainer(class_weights=weights), tmp_path)
    batch = data.batch([0, 1, 2])
    assert made.loss(batch, made.count([batch])).item() == pytest.approx(by_hand(net, data, [0, 1, 2], weights).item(), rel=1e-5)


def test_class_weights_of_a_label_that_is_not_learnt_are_refused():
    finetuning.check_class_weights({"O": 0.5, "PER": 2.0, "CUE": 2.0}, LABELS)
    with pytest.raises(UserError, match=r"^trainer\.class_weights: 'PERS' .* LOC, PER, DIRECT"):
        finetuning.check_class_weights({"PERS": 2.0}, LABELS)


def test_a_layer_that_is_not_annotated_asks_for_nothing(tokenizer, tmp_path):
    half = [replace(a, quotes=(), meta={"layers": "entities"}) for a in ARTICLES]
    net, data = network(tokenizer, dropout=0.0), training_set(tokenizer, half)
    before, links = copy.deepcopy(net.heads["quotes"].state_dict()), copy.deepcopy(net.links.state_dict())
    progress = run(net, data, trainer(epochs=1, weight_decay=0.0), tmp_path)
    assert progress.history[0]["loss"] > 0
    assert all(torch.equal(value, before[name]) for name, value in net.heads["quotes"].state_dict().items())
    assert all(torch.equal(value, links[name]) for name, value in net.links.state_dict().items())


def test_what_an_article_does_not_cover_may_be_there(tokenizer, tmp_path):
    """A word without a label costs the probability of O and of the labels that are unknown there, together; a label costs what it did."""
    part = [replace(a, entities=tuple(s for s in a.entities if s.label == "PER"), meta={"covers": "PER"}) for a in ARTICLES]
    net, data = network(tokenizer, dropout=0.0), training_set(tokenizer, part)
    made = loop(net, data, trainer(), tmp_path)
    batch = data.batch([0, 1, 2])
    batch.labels["quotes"][:] = IGNORED
    logits = net(torch.from_numpy(batch.ids), torch.from_numpy(batch.mask))["entities"]
    tags, total, count = words.tag_names(LABELS["entities"]), 0.0, 0
    for row, label in zip(logits.flatten(0, 1).softmax(-1), batch.labels["entities"].flatten(), strict=True):
        if label != IGNORED:
            either = [i for i, tag in enumerate(tags) if tag == "O" or tag.endswith("LOC")] if tags[label] == "O" else [label]
            total, count = total - row[either].sum().log().item(), count + 1
    assert {"O", "B-PER"} <= {tags[label] for label in batch.labels["entities"].flatten() if label != IGNORED}
    assert made.loss(batch, {**made.count([batch]), VECTORS: 1}).item() == pytest.approx(total / count, rel=1e-5)


def test_articles_that_cover_one_label_do_not_unteach_another(tokenizer, tmp_path):
    """Most articles mark persons alone: where that is said, places are found all the same; where it is not, they are unlearnt."""
    part = [replace(a, id=f"{a.id}-{i}", entities=tuple(s for s in a.entities if s.label == "PER")) for i, a in enumerate(ARTICLES * 3)]
    places = []
    for covers in ({"covers": "PER"}, {}):
        net = network(tokenizer, dropout=0.0)
        run(net, training_set(tokenizer, [*ARTICLES, *(replace(a, meta=covers) for a in part)]), trainer(epochs=12), tmp_path)
        data = training_set(tokenizer)
        batch = data.batch(range(len(data.windows)))
        with torch.no_grad():
            found = net(torch.from_numpy(batch.ids), torch.from_numpy(batch.mask))["entities"].argmax(-1).numpy()
        place = batch.labels["entities"] == words.tag_names(LABELS["entities"]).index("B-LOC")
        places.append((found[place] == batch.labels["entities"][place]).mean())
    assert places[0] > 0.9 and places[1] < 0.5, places


def learning(net) -> list[tuple[str, torch.nn.Parameter]]:
    return [(name, parameter) for name, parameter in net.named_parameters() if parameter.requires_grad]


def test_accumulated_batches_make_the_step_of_one_batch(tokenizer, tmp_path):
    data, config = training_set(tokenizer), trainer(clip=0.05, weight_decay=0.01)
    start = network(tokenizer, dropout=0.0)
    results = []
    for plan in ([[0, 1, 2, 3, 4, 5]], [[0, 1, 2], [3, 4, 5]], [[0], [1, 2, 3, 4], [5]]):
        net = copy.deepcopy(start)
        made = loop(net, data, config, tmp_path)
        made.set_rates()
        seen = {}
        made.optimizer.register_step_pre_hook(lambda *_, net=net, seen=seen: seen.update({n: p.grad.clone() for n, p in learning(net)}))
        results.append((*made.step(plan), seen, net.state_dict()))
    net = copy.deepcopy(start)
    loss = by_hand(net, data, range(6), {})
    loss.backward()
    norm = math.sqrt(sum(float((p.grad.double() ** 2).sum()) for _, p in learning(net)))
    assert norm > 0.05, "the test means to clip"
    for total, tokens, gradients, _ in results:
        assert total == pytest.approx(loss.item(), rel=1e-5)
        assert tokens == sum(int(data.batch([i]).mask.sum()) for i in range(6))
        for name, parameter in learning(net):
            torch.testing.assert_close(gradients[name], parameter.grad * (0.05 / norm), rtol=1e-3, atol=1e-7)
    # Adam's first step is the sign of the gradient: compare where that is not noise.
    reference = torch.optim.AdamW(parameter_groups(net, config), lr=0.0)
    for group, rate in zip(reference.param_groups, made.optimizer.param_groups, strict=True):
        group["lr"] = rate["lr"]
    nn.utils.clip_grad_norm_(net.parameters(), 0.05)
    gradient = {name: parameter.grad.clone() for name, parameter in learning(net)}
    reference.step()
    for *_, weights in results:
        for name, parameter in learning(net):
            clear = gradient[name].abs() > 1e-6
            torch.testing.assert_close(weights[name][clear], parameter.detach()[clear], rtol=1e-3, atol=1e-5)


def listening(tokenizer):
    """A network that listens to rules, and articles with hints and syntax made up."""
    net, data, rng = network(tokenizer, dropout=0.0), training_set(tokenizer), np.random.default_rng(0)
    net.listen(raw.NAMES)
    syntax = {SYNTAX + layer: [rng.integers(len(names), size=len(item.ids)) for item in data.tokens] for layer, names in raw.NAMES.items()}
    said = [rng.integers(1, hints.COUNT, size=len(item.ids)) for item in data.tokens]
    return net, replace(data, labels={**data.labels, **syntax}, hints=said)


def test_hints_are_heard_and_syntax_is_not_forgotten(tokenizer, tmp_path):
    net, data = listening(tokenizer)
    before = copy.deepcopy(net.state_dict())
    run(net, data, trainer(epochs=2), tmp_path)
    now = net.state_dict()
    assert not now["hints.weight"][0].any(), "no hint says nothing"
    assert (now["hints.weight"][1:] != before["hints.weight"][1:]).any()
    assert all((now[name] != before[name]).any() for name in before if name.startswith("syntax.") and name.endswith("weight"))
    again, _ = listening(tokenizer)
    again.load_state_dict(before)
    run(again, data, trainer(epochs=2), tmp_path / "again")
    assert all(torch.equal(value, now[name]) for name, value in again.state_dict().items())


def test_some_windows_are_read_without_hints(tokenizer, tmp_path):
    net, data = listening(tokenizer)
    made = loop(net, data, trainer(), tmp_path)
    muted = 0
    for step in range(40):
        made.progress.total_steps = step
        batches = [data.batch([0, 1, 2]), data.batch([3])]
        made.mute(batches)
        again = [data.batch([0, 1, 2]), data.batch([3])]
        made.mute(again)
        assert all(np.array_equal(one.hints, other.hints) for one, other in zip(batches, again, strict=True))
        for batch, whole in zip(batches, ([0, 1, 2], [3]), strict=True):
            silent = ~batch.hints.any(axis=1)
            muted += silent.sum()
            assert np.array_equal(batch.hints[~silent], data.batch(whole).hints[~silent])
    assert 4 < muted < 40, "of 160 a tenth"


def test_two_processes_share_out_hints(tokenizer):
    _, data = listening(tokenizer)
    batch = data.batch([0, 1, 2])
    parts = [finetuning._share(batch, process, 2) for process in range(2)]
    assert np.array_equal(parts[0].hints, batch.hints[::2]) and np.array_equal(parts[1].hints, batch.hints[1::2])
    assert finetuning._share(data.batch([0]), 1, 2).hints.shape == data.batch([0]).hints.shape


def test_two_processes_share_out_every_row_once(tokenizer):
    data = training_set(tokenizer)
    for chosen in ([0], [0, 1], [0, 1, 2, 3, 4]):
        batch = data.batch(chosen)
        for processes in (1, 2, 3):
            parts = [finetuning._share(batch, process, processes) for process in range(processes)]
            for layer in LAYERS:
                asked = sum(int((part.labels[layer] != IGNORED).sum()) for part in parts)
                assert asked == int((batch.labels[layer] != IGNORED).sum())
            assert all(len(part.ids) == len(part.mask) == len(part.windows) > 0 for part in parts)


def test_two_processes_make_the_loss_of_one_where_some_articles_cover_less(tokenizer, tmp_path):
    some = [replace(a, meta={"covers": "PER"}, entities=tuple(s for s in a.entities if s.label == "PER")) for a in ARTICLES[::2]]
    net, data = network(tokenizer, dropout=0.0), training_set(tokenizer, [*some, *ARTICLES[1::2]])
    made = loop(net, data, trainer(), tmp_path)
    batch = data.batch(range(len(data.windows)))
    asked = made.count([batch])
    parts = [made.loss(finetuning._share(batch, process, 2), asked).item() for process in range(2)]
    assert sum(parts) == pytest.approx(made.loss(batch, asked).item(), rel=1e-5)


# What must not be saved


def finite(states: States) -> bool:
    state = states.newest()
    return state is None or all(bool(torch.isfinite(v).all()) for group in ("weights", "optimizer") for v in state.tensors[group].values())


def test_a_loss_that_is_not_finite_stops_and_is_never_saved(tokenizer, tmp_path, monkeypatch):
    net, data = network(tokenizer), training_set(tokenizer)
    original, calls = finetuning.Loop.loss, []

    def poisoned(self, batch, asked):
        calls.append(batch)
        return original(self, batch, asked) * (math.nan if len(calls) == first + 2 else 1.0)

    monkeypatch.setattr(finetuning.Loop, "loss", poisoned)
    first = len(loop(copy.deepcopy(net), data, trainer(), tmp_path).plan(0))
    with pytest.raises(TrainingError) as error:
        run(net, data, trainer(), tmp_path)
    assert error.value.code == 1
    assert str(error.value).startswith(f"step {first + 2}: loss nan, ")
    named = {article.id for article in ARTICLES if article.id in str(error.value)}
    assert named == {ARTICLES[window.article].id for window in calls[-1].windows}
    states = States(tmp_path / "state")
    assert states.newest().values["total_steps"] == first and finite(states)


@pytest.mark.parametrize("rate", [1e30, 1e39])
@pytest.mark.parametrize("batch_tokens", [192, 100_000])  # several steps an epoch, and one, after which the state is saved
def test_a_rate_that_is_far_too_high_leaves_no_state_that_is_not_finite(tokenizer, tmp_path, rate, batch_tokens):
    config = trainer(learning_rate=rate, head_learning_rate=rate, batch_tokens=batch_tokens)
    with pytest.raises(TrainingError, match=r"^step \d+: .*not finite.* articles n-0\d\d.*trainer\.learning_rate"):
        run(network(tokenizer), training_set(tokenizer), config, tmp_path, evaluate=lambda callback: {"score": 0.5})
    assert finite(States(tmp_path / "state"))
    best = States(tmp_path / "state").best()
    assert best is None or all(bool(torch.isfinite(v).all()) for v in best.tensors["weights"].values())


def test_a_step_too_large_for_the_memory_is_told_in_a_line(tokenizer, tmp_path, monkeypatch):
    def full(self, plan):
        raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate 20.00 MiB")

    monkeypatch.setattr(finetuning.Loop, "step", full)
    with pytest.raises(TrainingError, match=r"192 tokens do not fit .*: trainer\.batch_tokens=96 trainer\.accumulate=2$"):
        run(network(tokenizer), training_set(tokenizer), trainer(), tmp_path)


# When it stops, and with what


def scripted(scores):
    remaining = iter(scores)
    return lambda callback: {"score": next(remaining)}


def test_early_stopping_and_the_best_weights(tokenizer, tmp_path):
    net, weights = network(tokenizer), []
    scores = iter([0.1, 0.5, 0.3, 0.5, 0.2, 0.9])

    def evaluate(callback):
        weights.append(copy.deepcopy(net.state_dict()))
        return {"score": next(scores)}

    progress = run(net, training_set(tokenizer), trainer(epochs=6, patience=3), tmp_path, evaluate=evaluate)
    assert len(progress.history) == 5 and progress.best_epoch == 1 and progress.best == 0.5
    assert all(torch.equal(value, weights[1][name]) for name, value in net.state_dict().items())


def test_without_patience_every_epoch_is_made(tokenizer, tmp_path):
    progress = run(network(tokenizer), training_set(tokenizer), trainer(epochs=4), tmp_path, evaluate=scripted([0.5, 0.1, 0.1, 0.1]))
    assert [row["score"] for row in progress.history] == [0.5, 0.1, 0.1, 0.1]


def test_precision_and_why(monkeypatch):
    cpu = torch.device("cpu")
    assert choose_precision("fp32", cpu) == (None, "fp32: as trainer.precision says")
    assert choose_precision("bf16", cpu) == (torch.bfloat16, "bf16: as trainer.precision says")
    monkeypatch.setattr(finetuning, "_flag", lambda name: name == "amx_bf16")
    assert choose_precision("auto", cpu) == (torch.bfloat16, "bf16: this processor multiplies it faster")
    monkeypatch.setattr(finetuning, "_flag", lambda name: False)
    assert choose_precision("auto", cpu) == (None, "fp32: this processor has no fast bf16")
    for capability, expected in (((7, 5), None), ((8, 0), torch.bfloat16), ((9, 0), torch.bfloat16)):
        fake = SimpleNamespace(get_device_name=lambda device: "A card", get_device_capability=lambda device, c=capability: c)
        monkeypatch.setattr(torch, "cuda", fake)
        chosen, reason = choose_precision("auto", torch.device("cuda"))
        assert chosen == expected and "A card" in reason


# The same again, and going on


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_same_run_gives_the_same_bytes(tokenizer, tmp_path, precision):
    data, nets = training_set(tokenizer), [network(tokenizer, 0.3), network(tokenizer, 0.3), network(tokenizer, 0.3)]
    histories = [
        run(net, data, trainer(precision=precision), tmp_path / str(i), seed=seed).history
        for i, (net, seed) in enumerate(zip(nets, (0, 0, 1), strict=True))
    ]
    assert same(nets[0], nets[1]) and stable(histories[0]) == stable(histories[1])
    assert not same(nets[0], nets[2])


class Stopper:
    """Ask for a stop, by a real signal, after a number of steps or during an evaluation."""

    def __init__(self, monkeypatch, net) -> None:
        self.net, self.steps, self.evaluations, self.at = net, 0, 0, ("", 0)
        original = finetuning.Loop.set_rates

        def counted(made):
            self.steps += 1
            if self.at == ("step", self.steps):
                os.kill(os.getpid(), self.number)
            return original(made)

        monkeypatch.setattr(finetuning.Loop, "set_rates", counted)
        self.number = signal.SIGTERM

    def evaluate(self, callback):
        self.evaluations += 1
        callback(0, 2)
        if self.at == ("evaluation", self.evaluations):
            os.kill(os.getpid(), self.number)
        callback(1, 2)
        callback(2, 2)
        if self.at == ("after", self.evaluations):
            os.kill(os.getpid(), self.number)
        return score_of(self.net)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_run_that_was_stopped_anywhere_goes_on_to_the_same_weights(tokenizer, tmp_path, monkeypatch, precision):
    data, config = training_set(tokenizer), trainer(precision=precision, accumulate=2, batch_tokens=128)
    whole = network(tokenizer, 0.3)
    expected = run(whole, data, config, tmp_path / "whole")
    steps = len(loop(network(tokenizer), data, config, tmp_path).plan(0))
    rng = np.random.default_rng(0)
    places = [("step", 1), ("step", steps), ("step", steps + 1), ("step", expected.total_steps)]
    places += [("step", int(i)) for i in rng.integers(2, expected.total_steps, 4)]
    places += [("evaluation", 1), ("evaluation", 3), ("after", 2), ("after", 3)]
    for place in places:
        net = network(tokenizer, 0.3)
        with monkeypatch.context() as patch:
            stopper = Stopper(patch, net)
            stopper.at, stopper.number = place, (signal.SIGTERM, signal.SIGINT)[place[1] % 2]
            with pytest.raises(Stopped) as stopped:
                run(net, data, config, tmp_path / str(place), evaluate=stopper.evaluate)
            assert stopped.value.code == 128 + stopper.number
        torch.rand(5)
        again = network(tokenizer, 0.3, seed=99)  # whatever it starts from
        progress = run(again, data, config, tmp_path / str(place), resume=True)
        assert same(again, whole), place
        assert stable(progress.history) == stable(expected.history), place
        assert progress.total_steps == expected.total_steps


def test_a_run_that_is_stopped_at_every_step_comes_to_the_same_end(tokenizer, tmp_path, monkeypatch):
    data, config = training_set(tokenizer), trainer(epochs=2)
    whole = network(tokenizer, 0.3)
    expected = run(whole, data, config, tmp_path / "whole")
    for turn in range(100):
        net = network(tokenizer, 0.3, seed=turn)
        with monkeypatch.context() as patch:
            stopper = Stopper(patch, net)
            stopper.at = ("step", 1)
            try:
                progress = run(net, data, config, tmp_path / "halting", resume=True, evaluate=stopper.evaluate)
            except Stopped:
                continue
        break
    assert turn == expected.total_steps
    assert same(net, whole) and stable(progress.history) == stable(expected.history)


def test_a_run_in_slices_comes_to_the_same_end(tokenizer, tmp_path):
    data, config = training_set(tokenizer), trainer(epochs=2)
    whole = network(tokenizer, 0.3)
    expected = run(whole, data, config, tmp_path / "whole")
    for turn in range(200):
        net = network(tokenizer, 0.3, seed=turn)
        try:
            run(net, data, replace(config, minutes=1e-9), tmp_path / "slices", resume=True)
        except Stopped as stopped:
            assert stopped.code == 0 and "trainer.minutes" in str(stopped)
            continue
        break
    assert turn >= expected.total_steps
    assert same(net, whole)


def test_handlers_of_signals_are_given_back(tokenizer, tmp_path):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    run(network(tokenizer), training_set(tokenizer), trainer(epochs=1), tmp_path)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_run_that_starts_anew_does_not_go_on_with_what_another_left(tokenizer, tmp_path):
    data = training_set(tokenizer)
    run(network(tokenizer), data, trainer(epochs=3), tmp_path)
    progress = run(network(tokenizer), data, trainer(epochs=1), tmp_path)
    assert len(progress.history) == 1
    assert States(tmp_path / "state").newest().values["total_steps"] == progress.total_steps
