"""Time an epoch and memory of the recipes for encoders from the Hub, on random weights of their shapes.

usage: python scripts/bench/recipes.py DATA_ROOT [--recipes rubert_joint …] [--steps 5] [--threads 0]

Each recipe in a process of its own, as `python train/run.py experiment=RECIPE` makes it: an encoder of that shape is written and loaded,
one step is made to warm up, then the first steps of the recipe's first epoch; the word pieces of an epoch are divided by their speed. Texts
are cut by the vocabulary of models/mini; the embedding matrix has the encoder's own size. Writes the table into scripts/bench/README.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tables import ROOT, markdown, replace_between

SHAPES = {
    "rubert_tiny2_joint": {
        "vocab_size": 83_828,
        "hidden_size": 312,
        "num_hidden_layers": 3,
        "num_attention_heads": 12,
        "intermediate_size": 600,
    },
    "rubert_joint": {
        "vocab_size": 119_547,
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
    },
    "rumodernbert_joint": {
        "vocab_size": 50_368,
        "hidden_size": 768,
        "num_hidden_layers": 22,
        "num_attention_heads": 12,
        "intermediate_size": 1152,
    },
}
HEAD = ["recipe", "weights", "device", "word pieces a second", "minutes an epoch", "epochs", "peak memory"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="folder of the public corpora, see data/README.md")
    parser.add_argument("--recipes", nargs="+", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="of the processor (default: one a core)")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)  # in a process of its own
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.recipes[0], options)))
        return
    rows = []
    for recipe in options.recipes:
        command = [sys.executable, __file__, str(options.root), "--one", "--recipes", recipe]
        command += ["--steps", str(options.steps), "--threads", str(options.threads)]
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        rows.append([f"`{recipe}`", *json.loads(told.splitlines()[-1])])
        print(rows[-1], flush=True)
    replace_between("recipes", markdown(HEAD, rows))


def measure(recipe: str, options: argparse.Namespace) -> list[str]:
    """The cells of a recipe's row."""
    import torch
    from accelerate import Accelerator
    from hydra import compose, initialize_config_dir

    from govorit import machine, pipeline
    from govorit.cli.train import settle
    from govorit.config import register
    from govorit.contract import Contract
    from govorit.corpora import corpus
    from govorit.network import tagger, tokenization
    from govorit.training import finetuning
    from govorit.training.states import States

    torch.set_num_threads(options.threads or torch.get_num_threads())
    register()
    with tempfile.TemporaryDirectory() as place:
        write(recipe, Path(place) / "encoder")
        with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
            given = [f"experiment={recipe}", f"data.root={options.root}", f"model.path={place}/encoder"]
            config = settle(compose("config", given))
        data = corpus.load(config.data, config.task.layers, config.seed)
        tokenizer = tokenization.load(f"{place}/encoder", ready=True)
        network = tagger.build(config.model, data.labels, tokenizer)
        contract = Contract(data.labels, min(config.model.window, tagger.positions(network.encoder)), config.model.overlap)
        examples, _ = pipeline.encode(data.splits["train"], tokenizer, contract)
        accelerator = Accelerator(cpu=not torch.cuda.is_available())
        loop = finetuning.Loop(network, examples, config.trainer, config.seed, accelerator, States(Path(place) / "state"))
        plan = loop.plan(0)
        whole = sum(window.end - window.start + examples.frame.size for window in examples.windows)
        tokens, seconds = 0, 0.0
        for number, step in enumerate(plan[: options.steps + 1]):
            loop.set_rates()
            start = time.perf_counter()
            read = loop.step(step)[1]
            if number:
                tokens, seconds = tokens + read, seconds + time.perf_counter() - start
    told = machine.describe()
    weights = sum(parameter.numel() for parameter in network.parameters())
    device = f"{told.get('accelerator') or told['threads'] + ' threads of ' + told['processor']}, {'bf16' if loop.dtype else 'fp32'}"
    memory = told.get("peak memory on it", told["peak memory of this process"])
    speed = tokens / seconds
    return [f"{weights / 1e6:.0f} M", device, f"{speed:,.0f}", f"{whole / speed / 60:.1f}", str(config.trainer.epochs), memory]


def write(recipe: str, folder: Path) -> None:
    """An encoder of a recipe's shape with random weights, and the tokenizer of models/mini, as `AutoModel` loads them."""
    import torch
    from transformers import AutoModel, BertConfig, ModernBertConfig

    from govorit.network import tokenization

    tokenizer = tokenization.load(str(ROOT / "models/mini"), ready=True)
    kind = ModernBertConfig if recipe == "rumodernbert_joint" else BertConfig
    torch.manual_seed(0)
    AutoModel.from_config(kind(**SHAPES[recipe], **tokenization.special_ids(tokenizer))).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    main()
