import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import test_tagger
import tiny
import torch

from govorit import pipeline
from govorit.checkpoint import load_tagger
from govorit.config import Mlm, Trainer, check
from govorit.errors import UserError
from govorit.evaluation import metrics
from govorit.network import lora
from govorit.training.finetuning import parameter_groups
from govorit.training.loop import Stopped

pytestmark = pytest.mark.usefixtures("one_thread")


def disturbed(family: str):
    """A network with low-rank additions that say something, as after training."""
    network = test_tagger.network(family)
    adapters = lora.adapt(network, rank=4, alpha=8)
    for name, parameter in network.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    return network.eval(), adapters


@pytest.mark.parametrize("family", test_tagger.ENCODERS)
def test_the_encoder_learns_through_thin_matrices_alone_and_is_itself_again_when_merged(family):
    plain = test_tagger.network(family)
    network, adapters = disturbed(family)
    learning = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    assert {name for name in learning if not name.startswith("encoder.")} == {
        name for name, parameter in plain.named_parameters() if parameter.requires_grad and not name.startswith("encoder.")
    }
    thin = {name for name in learning if name.startswith("encoder.")}
    assert thin and all(".lora_A." in name or ".lora_B." in name for name in thin)
    ids = torch.randint(5, 100, (3, 20), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        before = network(ids, torch.ones_like(ids))
        adapters.merge_and_unload()
        after = network(ids, torch.ones_like(ids))
    assert all(torch.allclose(before[key], after[key], atol=1e-4) for key in before)
    assert not torch.allclose(after["entities"], plain(ids, torch.ones_like(ids))["entities"], atol=1e-3)
    assert network.state_dict().keys() == plain.state_dict().keys()
    assert set(map(type, network.encoder.modules())) == set(map(type, plain.encoder.modules()))


def test_layers_keep_their_rates():
    network, _ = disturbed("BERT")
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    config = Trainer(learning_rate=1.0, head_learning_rate=7.0, layer_decay=0.5)
    rates = {names[id(p)]: group["lr"] for group in parameter_groups(network, config) for p in group["params"]}
    assert {rate for name, rate in rates.items() if "layer.0." in name} == {0.5}
    assert {rate for name, rate in rates.items() if "layer.1." in name} == {1.0}
    assert {rate for name, rate in rates.items() if name.startswith("heads.")} == {7.0}


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_run_that_was_stopped_comes_to_the_same_merged_checkpoint(tmp_path, monkeypatch):
    config = tiny.config(tiny.corpus(tmp_path / "corpus"), epochs=2, batch_tokens=1024, lora=True, lora_rank=4, freeze_embeddings=True)
    said: list[str] = []
    whole = pipeline.run(config, tmp_path / "whole", said.append)
    (told,) = [line for line in said if "weights are trained" in line]
    trained, everything = (int(word.replace(",", "")) for word in told.split() if word[0].isdigit())
    assert 0 < trained < 0.6 * everything, told

    with pytest.raises(Stopped):
        pipeline.run(replace(config, trainer=replace(config.trainer, minutes=1e-9)), tmp_path / "slices", said.append)
    pipeline.run(replace(config, resume=True), tmp_path / "slices", said.append)
    assert files(tmp_path / "slices/model") == files(tmp_path / "whole/model")

    monkeypatch.setitem(sys.modules, "peft", None)  # what is published has no need of it
    assert not any("lora" in name for name in load_tagger(tmp_path / "whole/model").state_dict())
    dev = whole.scores["dev"].values()
    unmerged = max(row["score"] for row in json.loads((tmp_path / "whole/metrics.json").read_text(encoding="utf-8"))["history"])
    assert sum(layer.strict[metrics.MICRO].f1 for layer in dev) / len(dev) == pytest.approx(unmerged, abs=1e-6)


def test_what_it_cannot_do_is_told_in_a_line(tmp_path, monkeypatch):
    config = tiny.config(tiny.corpus(tmp_path / "corpus"), lora=True)
    with pytest.raises(UserError, match=r"^trainer\.lora: found True, expected false: pre-training"):
        check(replace(config, task=replace(config.task, name="mlm", layers=[]), data=replace(config.data, text="x"), mlm=Mlm(lengths=[64])))
    with pytest.raises(UserError, match=r"^trainer\.lora_rank: found 0, expected at least 1$"):
        check(replace(config, trainer=replace(config.trainer, lora_rank=0)))
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(UserError, match=r"^trainer\.lora: needs peft, which is not installed: pip install 'govorit\[lora\]'$"):
        pipeline.run(config, tmp_path / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]
