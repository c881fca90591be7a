"""A run -> what is given away: a folder that plain transformers load, graphs for other engines, and the Hub."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import yaml  # type: ignore[import-untyped]
from tokenizers import Tokenizer

from govorit import checkpoint, formats, paths, windows, words
from govorit import contract as contracts
from govorit.article import Article
from govorit.contract import Contract
from govorit.engines import INT8, ONNX
from govorit.errors import UserError
from govorit.formats import jsonl
from govorit.network import tokenization
from govorit.network.tagger import Tagger
from govorit.publishing import DTYPES, card, export
from govorit.windows import Batch

OPENVINO = "openvino/model.xml"
_PICKLES = {".bin", ".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth"}


@dataclass(frozen=True)
class Run:
    """A finished run that may be published: where its checkpoint lies, what that promises, the resolved config and `metrics.json`."""

    folder: Path
    model: Path
    contract: Contract
    config: dict[str, Any]
    metrics: dict[str, Any]


def open_run(named: Path) -> Run:
    """Look at the run, or at the checkpoint of a run, that is to be published.

    Raises:
        UserError: it is not finished, or its checkpoint is not what may be given away.
    """
    model = paths.checkpoint(named)
    contract = contracts.load(model)
    _refuse(model, contract)
    folder = model.resolve().parent
    try:
        config = yaml.safe_load(formats.read_text(folder / "config.yaml"))
        metrics = json.loads(formats.read_text(folder / "metrics.json"))
    except UserError:
        raise UserError(
            f"{named}: no config.yaml and metrics.json beside the checkpoint, from which the card is made; name a finished run"
        ) from None
    except (ValueError, yaml.YAMLError) as error:
        raise UserError(f"{folder}: config.yaml or metrics.json cannot be read ({error!r:.200}); name a finished run") from None
    return Run(folder, model, contract, config, metrics)


def _refuse(model: Path, contract: Contract) -> None:
    """Refuse a checkpoint with code or pickles in it, or with other labels than it promises."""
    for path in sorted(model.rglob("*")):
        if path.suffix.lower() in _PICKLES and not path.with_suffix(".xml").exists():  # OpenVINO calls its weights .bin as well
            raise UserError(f"{path}: a pickle, expected safetensors alone; train again, or convert it")
    for layer, labels in contract.layers.items():
        for name in ("config.json", "tokenizer_config.json"):
            path = model / layer / name
            try:
                value = json.loads(formats.read_text(path))
            except ValueError as error:
                raise UserError(f"{path}: not JSON ({error}); train again") from None
            if "auto_map" in value:
                raise UserError(f"{path}: auto_map: names code to be run, expected none; take it out if the model works without")
            if name == "config.json":
                tags = {str(i): tag for i, tag in enumerate(words.tag_names(labels))}
                if value.get("id2label") != tags:
                    raise UserError(
                        f"{path}: id2label: found {_listed(value.get('id2label'))}, expected {_listed(tags)} as {contracts.FILE} says; "
                        "train again, or mend the one that is wrong"
                    )


def _listed(labels: dict[str, str] | None) -> str:
    return " ".join(labels.values()) if labels else "none"


def write(run: Run, place: Path, dtype: str) -> Tagger:
    """Write layers, aids and contract to `place`, weights rounded to `dtype`; return the network as it is loaded from there.

    Raises:
        UserError: the checkpoint is damaged, or a weight is too large for `dtype`.
    """
    network = checkpoint.load_tagger(run.model, run.contract).to(getattr(torch, DTYPES[dtype]))
    for name, weight in network.named_parameters():
        if not weight.isfinite().all():
            raise UserError(f"{run.model}: {name}: has numbers that {dtype} does not hold; publish with --dtype fp32, or train again")
    tokenizer = tokenization.load(str(run.model / run.contract.first), ready=True)
    origin = {"encoder": card.encoder(run.config["model"]["path"])}  # and not a folder of somebody's machine
    contract = replace(run.contract, trained_on=run.contract.trained_on | origin)
    checkpoint.publish(network, tokenizer, contract, place)
    return checkpoint.load_tagger(place, contract)


def write_graphs(network: Tagger, place: Path, engines: Sequence[str], articles: Iterable[Article]) -> dict[str, float]:
    """Export a network to the `engines` (onnx, int8, openvino), and hold what they answer against torch.

    Returns the files, with the largest difference of their logits on `articles`, which in 8 bits may be what it is.

    Raises:
        UserError: a package is missing, or the logits differ too much.
    """
    batches = list(_batches(checkpoint.load_tokenizer(place), contracts.load(place), [article.text for article in articles]))
    graph = place / ONNX
    graph.parent.mkdir()
    export.onnx(network, graph)
    found = {}
    if "onnx" in engines:
        found[ONNX] = export.distance(network, export.run_onnx(graph), batches)
    if "int8" in engines:
        export.int8(graph, place / INT8)
        found[INT8] = export.distance(network, export.run_onnx(place / INT8), batches)
    if "openvino" in engines:
        (place / OPENVINO).parent.mkdir()
        export.openvino(graph, place / OPENVINO)
        found[OPENVINO] = export.distance(network, export.run_openvino(place / OPENVINO), batches)
    for path, distance in found.items():
        if path != INT8 and not distance <= export.TOLERANCE:
            raise UserError(f"{path}: its logits differ from torch's by {distance:.1e}, expected at most {export.TOLERANCE}; leave it out")
    if "onnx" not in engines:
        graph.unlink()
    if not any(graph.parent.iterdir()):
        graph.parent.rmdir()
    return found


def _batches(tokenizer: Tokenizer, contract: Contract, texts: Sequence[str]) -> Iterator[Batch]:
    """A text of one letter alone, then windows of all lengths, padded to each other."""
    frame = windows.Frame(tokenizer)
    tokens = windows.tokenize_all(["а", *texts], tokenizer)
    pieces = windows.cut_all(tokens, contract.reading - frame.size, contract.overlap)
    yield frame.pad(pieces[:1], tokens)
    for batch in windows.batches([piece.end - piece.start + frame.size for piece in pieces], 4 * contract.reading):
        yield frame.pad([pieces[i] for i in batch], tokens)


def scored(run: Run) -> list[Article]:
    """The articles that the run was scored on, as it has read them."""
    files = [path for split in ("test", "dev") if (path := run.folder / "predictions" / f"{split}.jsonl").exists()]
    return [article for path in files for article in jsonl.read(path)]


def articles(run: Run) -> list[Article]:
    """Articles to try it on: those that it was scored on, then the project's own."""
    own = [paths.shipped(f"data/newsroom/{split}.jsonl") for split in ("test", "dev", "train")]
    found = [*scored(run), *(article for path in own for article in jsonl.read(path))]
    return list({article.text: article for article in found}.values())


def upload(place: Path, repository: str, private: bool) -> str:
    """Send a folder to a repository of the Hub, which is made where there is none; return the address of the commit.

    Raises:
        UserError: there is no token, or the Hub refuses.
    """
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        api.create_repo(repository, private=private or None, exist_ok=True)
        if private and not api.model_info(repository).private:
            raise UserError(f"--private: hub:{repository}: is there already and public; make it private first, or name another")
        return api.upload_folder(repo_id=repository, folder_path=place, commit_message="Publish with govorit").commit_url
    except UserError:
        raise
    except Exception as error:  # those of the network have another parent from one version of the library to the next
        raise UserError(f"--to: hub:{repository}: nothing was published: {' '.join(str(error).split()):.300}") from None
