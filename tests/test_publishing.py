"""scripts/publish.py as a user runs it: what is given away loads in plain transformers, and what should not be given away is refused."""

import base64
import hashlib
import json
import shutil
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlparse

import pytest
import tiny
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file
from transformers import AutoModelForTokenClassification, AutoTokenizer

from govorit import contract as contracts
from govorit import words
from govorit.cli import publish
from govorit.extractor import Extractor
from govorit.publishing import fidelity, release

ROOT = Path(__file__).parents[1]
TEXTS = [article.text for article in tiny.articles(6, first=40)]


@pytest.fixture
def run(tiny_run) -> Path:
    return tiny_run


@pytest.fixture
def program(program):
    return partial(program, publish.main)


@pytest.fixture
def copied(run, tmp_path) -> Path:
    """A run that a test may spoil."""
    return Path(shutil.copytree(run, tmp_path / "run"))


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def read(folder: Path) -> list[tuple]:
    return [(article.entities, article.quotes) for article in Extractor.load(folder)(TEXTS)]


def test_what_is_written_loads_in_plain_transformers_and_reads_the_same(run, program, tmp_path):
    status, out, _ = program(run, "--to", tmp_path / "news-reader")
    folder = tmp_path / "news-reader"
    assert (status, out) == (0, f"written: {folder}\n")
    each = {"config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"}
    each |= {"tokenizer.json", "tokenizer_config.json"}
    layers = contracts.load(run / "model").layers
    assert files(folder) == {f"{layer}/{name}" for layer in layers for name in each} | {"README.md", "govorit.json", "aids.safetensors"}
    for layer, labels in layers.items():
        place = {"pretrained_model_name_or_path": str(folder), "subfolder": layer}  # as the card shows it
        model, tokenizer = AutoModelForTokenClassification.from_pretrained(**place), AutoTokenizer.from_pretrained(**place)
        assert model.config.id2label == dict(enumerate(words.tag_names(labels))) and tokenizer.model_max_length == 64
        assert model.dtype == torch.float32, "stored in half the size, run in fp32"
    weights = load_file(folder / "quotes" / "model-00001-of-00002.safetensors")
    assert {value.dtype for value in weights.values()} == {torch.float16}
    one, other = (folder / layer / "model-00001-of-00002.safetensors" for layer in layers)
    assert one.samefile(other), "one encoder"
    places = [[[(s.start, s.end, s.label) for s in entities] for entities, _ in read(path)] for path in (folder, run / "model")]
    assert places[0] == places[1]
    assert [p.name for p in tmp_path.iterdir()] == ["news-reader"], "nothing is left beside it"


def test_the_card_is_in_it_and_names_no_folder_of_this_machine(run, program, tmp_path):
    (tmp_path / "notes.md").write_text("Обучено на **своём** архиве.", encoding="utf-8")
    options = ["--notes", tmp_path / "notes.md", "--license", "cc-by-4.0", "--watts", "20"]
    assert program(run, "--to", tmp_path / "out", *options)[0] == 0
    text = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    data = ModelCard(text).data
    assert data.license == "cc-by-4.0" and data.base_model is None and data.datasets == ["own-articles-folder"]
    scores = json.loads((run / "metrics.json").read_text())["scores"]["test"]["quotes"]["strict"]["micro"]
    assert ("test", "quotes", scores["f1"]) in {(r.dataset_split, r.dataset_config, r.metric_value) for r in data.eval_results}
    assert "Обучено на **своём** архиве." in text and " kWh: an estimate" in text
    for path in (tmp_path / "out").rglob("*"):
        if path.suffix in (".md", ".json"):
            assert str(run.parent) not in path.read_text(encoding="utf-8"), path


def test_fp32_keeps_every_bit(run, program, tmp_path):
    assert program(run / "model", "--to", tmp_path / "out", "--dtype", "fp32")[0] == 0
    for path in (run / "model").rglob("*.safetensors"):
        before, after = load_file(path), load_file(tmp_path / "out" / path.relative_to(run / "model"))
        assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
    assert read(tmp_path / "out") == read(run / "model")


def test_check_compares_with_plain_transformers_in_a_fresh_process(run, program, tmp_path):
    status, out, err = program(run, "--to", tmp_path / "out", "--check")
    assert status == 0, err
    lines = out.splitlines()
    assert "longer ones left out): the same tokens, " in lines[0]
    for layer, line in zip(("entities", "quotes"), lines[1:], strict=False):
        assert line.startswith(f"{layer}: the same spans in ") and "; of all spans " in line
    assert lines[-2] == (
        "6 of 6 articles are read by govorit (torch) as they were when they were scored, entities and quotations with their cues and"
        " speakers; 6 with the names of the speakers as well."
    )
    assert all(line in (tmp_path / "out" / "README.md").read_text() for line in (lines[0], lines[1], lines[-2]))


@pytest.fixture
def altered(run, tmp_path, monkeypatch):
    """A published folder, and what a fresh process answers made otherwise."""
    network = release.write(release.open_run(run), tmp_path / "out", "fp32")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out" / "entities")

    def compare(change):
        def answer(folder, work, texts, layers):
            tensors, spans = {}, {layer: [] for layer in layers}
            for number, text in enumerate(texts):
                ids = tokenizer(text, return_tensors="pt").input_ids
                with torch.inference_mode():
                    found = network(ids, torch.ones_like(ids))
                for layer in layers:
                    tensors |= {f"{layer}.{number}.ids": ids[0], f"{layer}.{number}.logits": found[layer][0]}
                    spans[layer].append([])
            change(tensors)
            return spans, tensors

        monkeypatch.setattr(fidelity, "_read_fresh", answer)
        return fidelity.compare(tmp_path / "out", tiny.articles(3, first=40))

    return compare


def test_other_tokens_logits_or_spans_are_not_let_through(altered):
    def other_ids(tensors):
        tensors["entities.0.ids"] = tensors["entities.0.ids"].flip(0)

    def other_logits(tensors):
        tensors["entities.0.logits"] = tensors["entities.0.logits"] + 0.01

    def no_logits(tensors):
        tensors["entities.0.logits"] = tensors["entities.0.logits"] * float("nan")

    for change, what in ((other_ids, "other tokens"), (other_logits, "logits differ by 1.0e-02"), (no_logits, "logits differ by nan")):
        with pytest.raises(fidelity.Unfaithful, match=what):
            altered(change)
    with pytest.raises(fidelity.Unfaithful, match="other spans in the same tags"):
        altered(lambda tensors: None)  # the answer above finds no spans at all


def test_graphs_are_written_and_held_against_torch(run, program, tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    status, out, _ = program(run, "--to", tmp_path / "out", "--onnx", "--int8")
    assert status == 0 and out.startswith("onnx/model.onnx: answers differ from torch's by at most ")
    assert "model_int8.onnx" in out and (tmp_path / "out/onnx/model_int8.onnx").exists()
    assert (tmp_path / "out/onnx/model.onnx").exists() and "| `onnx/model.onnx` |" in (tmp_path / "out/README.md").read_text()
    monkeypatch.setattr("govorit.publishing.export.TOLERANCE", 0.0)
    status, _, err = program(run, "--to", tmp_path / "other", "--onnx")
    assert status == 2 and "expected at most 0.0" in err and not (tmp_path / "other").exists()


def spoil(path: Path, **values) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **values}), encoding="utf-8")


@pytest.mark.parametrize(
    "what", ("labels", "a label more", "pickle", "auto_map", "code of the tokenizer", "weights", "no scores", "encoder")
)
def test_what_must_not_be_given_away_is_refused_in_one_line(what, copied, program, tmp_path):
    model = copied / "model"
    tags = json.loads((model / "entities/config.json").read_text())["id2label"]
    match what:
        case "labels":
            spoil(model / "govorit.json", layers={"entities": ["LOC", "ORG"], "quotes": contracts.load(model).layers["quotes"]})
            expected = f"{model / 'entities/config.json'}: id2label: found O B-LOC I-LOC B-PER I-PER, expected O B-LOC I-LOC B-ORG I-ORG"
        case "a label more":
            spoil(model / "entities/config.json", id2label={**tags, str(len(tags)): "LABEL_5"})
            expected = "I-PER LABEL_5, expected"
        case "pickle":
            (model / "quotes/pytorch_model.bin").write_bytes(b"\x80\x04.")
            expected = f"{model / 'quotes/pytorch_model.bin'}: a pickle, expected safetensors"
        case "auto_map":
            spoil(model / "quotes/config.json", auto_map={"AutoModel": "code.Model"})
            expected = f"{model / 'quotes/config.json'}: auto_map: "
        case "code of the tokenizer":
            spoil(model / "entities/tokenizer_config.json", auto_map={"AutoTokenizer": ["code.Tokenizer", None]})
            expected = f"{model / 'entities/tokenizer_config.json'}: auto_map: "
        case "weights":
            (model / "entities/model-00001-of-00002.safetensors").write_bytes(b"torn")
            expected = "the checkpoint cannot be loaded"
        case "no scores":
            (copied / "metrics.json").unlink()
            expected = "no config.yaml and metrics.json beside the checkpoint"
        case "encoder":
            (model / "govorit.json").unlink()
            expected = "not a govorit checkpoint"
    status, out, err = program(copied, "--to", tmp_path / "new" / "out")
    assert status == 2 and out == "" and expected in err and err.count("\n") == 1
    assert not (tmp_path / "new" / "out").exists()
    assert not (tmp_path / "new").exists() or (what == "weights" and not any((tmp_path / "new").iterdir()))


def test_a_folder_with_something_in_it_is_left_alone(run, program, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("моё")
    status, _, err = program(run, "--to", tmp_path / "full")
    assert status == 2 and "is there already, and not an empty folder" in err and files(tmp_path / "full") == {"mine.txt"}
    (tmp_path / "empty").mkdir()
    assert program(run, "--to", tmp_path / "empty")[0] == 0 and "README.md" in files(tmp_path / "empty")


def test_a_weight_that_half_precision_does_not_hold_is_refused(copied, program, tmp_path):
    from safetensors.torch import save_file

    path = copied / "model/entities/model-00002-of-00002.safetensors"
    weights = load_file(path)
    weights["classifier.bias"][0] = 1e5
    save_file(weights, path, metadata={"format": "pt"})
    status, _, err = program(copied, "--to", tmp_path / "out")
    assert status == 2 and "heads.entities.classifier.bias: has numbers that fp16 does not hold; publish with --dtype fp32" in err
    assert program(copied, "--to", tmp_path / "out", "--dtype", "fp32")[0] == 0


class Hub(ThreadingHTTPServer):
    """The few calls of the Hub that an upload makes, and what has come of them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Call)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.private: dict[str, bool] = {}
        self.blobs: dict[str, bytes] = {}
        self.files: dict[str, bytes] = {}
        self.calls: list[str] = []


class Call(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, *arguments) -> None:
        pass

    def answer(self, value, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        name = urlparse(self.path).path.removeprefix("/api/models/")
        known = name in self.server.private
        about = {"id": name, "private": self.server.private.get(name), "sha": "0" * 40, "tags": [], "siblings": []}
        self.answer(about if known else {"error": "not found"}, 200 if known else 404)

    def do_PUT(self) -> None:
        self.server.blobs[self.path.rpartition("/")[2]] = self.body()
        self.answer({})

    def do_POST(self) -> None:
        hub, path, body = self.server, urlparse(self.path).path, self.body()
        hub.calls.append(path)
        if self.headers["Authorization"] != "Bearer hf_right":
            self.answer({"error": "Invalid credentials"}, 401)
        elif path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked['organization']}/{asked['name']}"
            known = name in hub.private
            hub.private.setdefault(name, asked.get("visibility") == "private" or bool(asked.get("private")))
            self.answer({"url": f"{hub.url}/{name}"}, 409 if known else 200)
        elif path.endswith("/preupload/main"):
            asked = json.loads(body)["files"]
            modes = ({"path": f["path"], "uploadMode": "lfs" if f["path"].endswith("safetensors") else "regular"} for f in asked)
            self.answer({"files": [{**mode, "shouldIgnore": False} for mode in modes]})
        elif path.endswith("/info/lfs/objects/batch"):
            wanted = json.loads(body)["objects"]
            given = [{**o, "actions": {"upload": {"href": f"{hub.url}/lfs/{o['oid']}"}}} for o in wanted]
            self.answer({"transfer": "basic", "objects": given})
        elif path.endswith("/commit/main"):
            for line in body.splitlines():
                self.take(**json.loads(line))
            self.answer({"commitUrl": f"{hub.url}/anna/news-reader/commit/1", "commitOid": "1" * 40, "success": True})
        else:
            self.answer({})  # api/validate-yaml

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"] or 0))

    def take(self, key: str, value: dict) -> None:
        if key == "file":
            self.server.files[value["path"]] = base64.b64decode(value["content"])
        elif key == "lfsFile":
            blob = self.server.blobs[value["oid"]]
            assert hashlib.sha256(blob).hexdigest() == value["oid"]
            self.server.files[value["path"]] = blob


@pytest.fixture
def hub(monkeypatch):
    server = Hub()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    yield server
    server.shutdown()
    server.server_close()


def test_what_comes_to_the_hub_is_what_a_folder_would_hold(run, program, hub, tmp_path):
    status, out, err = program(run, "--to", "hub:anna/news-reader")
    assert (status, out) == (0, f"published: {hub.url}/anna/news-reader/commit/1\n"), err
    assert hub.private == {"anna/news-reader": False} and len([call for call in hub.calls if call.endswith("/commit/main")]) == 1
    assert program(run, "--to", tmp_path / "news-reader")[0] == 0
    assert hub.files.keys() == files(tmp_path / "news-reader")
    for name, content in hub.files.items():
        assert name == "README.md" or content == (tmp_path / "news-reader" / name).read_bytes(), name
    card = hub.files["README.md"].decode()
    assert 'snapshot_download("anna/news-reader")' in card and ModelCard(card).data.model_name == "news-reader"


def test_a_private_repository_is_private_or_nothing_is_sent(run, program, hub):
    assert program(run, "--to", "hub:anna/secret", "--private")[0] == 0 and hub.private == {"anna/secret": True}
    hub.private["anna/open"] = False
    hub.files.clear()
    status, _, err = program(run, "--to", "hub:anna/open", "--private")
    assert status == 2 and "is there already and public" in err and not hub.files


def test_the_hub_refuses_in_one_line(run, program, hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    status, out, err = program(run, "--to", "hub:anna/news-reader")
    assert status == 2 and out == "" and err.startswith("--to: hub:anna/news-reader: nothing was published: ") and err.count("\n") == 1
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    status, _, err = program(run, "--to", "hub:anna/news-reader")
    assert status == 2 and "nothing was published" in err and err.count("\n") == 1
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    status, _, err = program(run, "--to", "hub:anna/news-reader")
    assert (status, err) == (2, "--to: hub:anna/news-reader: there is no token for the Hub; run `hf auth login`, or set HF_TOKEN\n")
    for name in ("hub:anna", "hub:anna/news/reader", "hub:"):
        status, _, err = program(run, "--to", name)
        assert (status, err) == (2, f"--to: found {name}, expected hub:OWNER/NAME\n")
