"""The model card of a published run: what the Hub reads at its head, what a person reads below; it fills itself from the run folder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from huggingface_hub import EvalResult, ModelCardData
from markupsafe import Markup

from govorit import __version__, formats, markdown
from govorit.article import LAYERS
from govorit.contract import Contract
from govorit.evaluation import readable, report
from govorit.evaluation.attribution import ALL
from govorit.evaluation.metrics import MACRO, MICRO

SEQEVAL = {"mode": "strict", "scheme": "IOB2"}
_TASK = "token-classification"
HUB = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")  # OWNER/NAME
_WEAKEST = 3  # labels of a layer that the card warns of


@dataclass(frozen=True)
class Rights:
    """A corpus that the project knows, told by `mark` in the paths of a source; `used` are the splits that it gave articles to."""

    mark: str
    name: str
    rights: str
    remark: str
    url: str = ""
    used: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return re.sub(r"[^\w.\-/]+", "-", self.name).strip("-").lower()


KNOWN = (
    Rights(
        "data/newsroom",
        "newsroom",
        "CC0 1.0",
        "original articles, written and annotated by language models for govorit; people and companies in them are invented;"
        " no human has checked the annotation",
    ),
    Rights(
        "data/quotes",
        "govorit quotes",
        "CC0 1.0",
        "quotations in articles of NEREL and factRuEval, as offsets, annotated by language models; no human has checked them",
    ),
    Rights(
        "nerel-v1.1",
        "NEREL 1.1",
        "annotation: no licence stated; texts: their publishers', Wikinews CC BY 2.5",
        "entities annotated by people",
        "https://github.com/nerel-ds/NEREL",
    ),
    Rights(
        "factrueval-2016",
        "factRuEval-2016",
        "MIT",
        "entities annotated by people",
        "https://github.com/dialogue-evaluation/factRuEval-2016",
    ),
)


@dataclass(frozen=True)
class Facts:
    """What a card is made of: the resolved config and `metrics.json` of a run, and how it is published.

    `name` is OWNER/NAME on the Hub, or that of a folder. `exports` are the files of other engines. `checked` says in sentences what was
    compared with plain transformers; `word_pieces` whether the tokenizer marks what goes on with a word. `watts` is what its publisher
    says that the machine drew in training, None where nobody knows.
    """

    name: str
    contract: Contract
    config: Mapping[str, Any]
    metrics: Mapping[str, Any]
    dtype: str = "fp16"
    exports: Sequence[str] = ()
    checked: Sequence[str] = ()
    word_pieces: bool = True
    notes: str = ""
    license: str | None = None
    watts: float | None = None
    on_hub: bool = False

    @property
    def corpora(self) -> list[Rights]:
        return corpora(self.config["data"])

    @property
    def base(self) -> str | None:
        return base_model(self.config["model"]["path"])

    @property
    def encoder(self) -> str:
        return encoder(self.config["model"]["path"])


def render(facts: Facts) -> str:
    """Write the card, metadata and text."""
    metrics = facts.metrics
    seconds = sum(row.get("seconds", 0.0) for row in metrics["history"])
    return report.render(
        "card.md.j2",
        {
            "facts": facts,
            "metadata": Markup(metadata(facts).to_yaml().strip()),
            "scores": list(_scores(facts)),
            "attribution": list(_attribution(metrics)),
            "weakest": list(_weakest(facts)),
            "raw": Markup,
            "quoted": Markup(json.dumps(facts.name, ensure_ascii=False)),
            "duration": readable.duration(seconds),
            "tokens": round(sum(row.get("tokens_per_second", 0.0) * row.get("seconds", 0.0) for row in metrics["history"]), -3),
            "energy": None if facts.watts is None else facts.watts * seconds / 3.6e6,
            "notes": Markup(facts.notes.strip()),
            "layers": {layer: ", ".join(labels) for layer, labels in facts.contract.layers.items()},
            "first": facts.contract.first,
            "title": facts.name.rpartition("/")[2],
            "trainer": facts.config["trainer"],
            "key": re.sub(r"\W+", "-", facts.name.rpartition("/")[2]).strip("-"),
            "year": date.today().year,
            "version": __version__,
        },
        finalize=markdown.escape,
    )


def metadata(facts: Facts) -> ModelCardData:
    return ModelCardData(
        language="ru",
        license=facts.license,
        library_name="transformers",
        pipeline_tag=_TASK,
        base_model=facts.base,
        datasets=[corpus.id for corpus in facts.corpora if "train" in corpus.used],
        metrics=["f1", "precision", "recall"],
        tags=["govorit", "news", "named-entity-recognition", "quotation"],
        model_name=facts.name.rpartition("/")[2],
        eval_results=list(_eval_results(facts)),
    )


def corpora(data: Mapping[str, Any]) -> list[Rights]:
    """The corpora that the articles of a run come from, with what is known of their rights."""
    found: dict[str, Rights] = {}
    chosen = data["use"] or data["sources"]
    for name in chosen:
        source = data["sources"][name]
        given = {split: source[split] for split in ("train", "dev", "test") if source[split]}
        given = given or dict.fromkeys(_shared_out(data["split"]), source["path"])
        for split, path in given.items():
            for corpus in (_corpus(name, place) for place in (path, *source["quotes"][:1])):
                before = found.get(corpus.name, corpus).used
                found[corpus.name] = replace(corpus, used=tuple(dict.fromkeys((*before, split))))
    return list(found.values())


def _shared_out(split: Mapping[str, Any]) -> list[str]:
    """The splits that articles are shared out into."""
    return ["train", *(name for name in ("dev", "test") if split[name] or (name == "test" and split["folds"]))]


def base_model(path: str | None) -> str | None:
    """The name of the encoder that a run began with: on the Hub, or `models/mini`; through runs of this project to where they began.

    None for random weights, and for a folder of which nothing is known.
    """
    if path is None:
        return None
    place = Path(path)
    if place.parts[-2:] == ("models", "mini"):
        return "models/mini"
    if not place.exists():
        return path if HUB.fullmatch(path) else None
    configs = [file for folder in (place, *place.parents[:2]) if (file := folder / "config.yaml").is_file()]
    before = yaml.safe_load(formats.read_text(configs[0])) if configs else {}
    return base_model(before.get("model", {}).get("path"))


def encoder(path: str | None) -> str:
    """What a run began with, in words that name no folder of somebody's machine."""
    return "random weights" if path is None else base_model(path) or Path(path).name


def _corpus(source: str, path: str) -> Rights:
    place = Path(path).as_posix().lower() + "/"
    for known in KNOWN:
        if f"{known.mark}/" in place:
            return known
    if formats.is_hub(Path(path)):
        name = path.removeprefix("hub:").partition(":")[0]
        return Rights("", name, "as its card says", "", f"https://huggingface.co/datasets/{name}")
    return Rights("", f"own articles: {source}", "not distributed; with whoever holds them", "known to whoever trained this model")


def _eval_results(facts: Facts) -> Iterator[EvalResult]:
    """The strict scores, micro average, of each split and layer; the interval stands in the metric's name and its arguments."""
    data = facts.config["data"]
    for split, layer, figures in _layers(facts.metrics):
        used = ", ".join(corpus.name for corpus in facts.corpora if split in corpus.used)
        for metric, key in (("f1", "interval"), ("precision", "precision_interval"), ("recall", "recall_interval")):
            interval = figures["strict"][MICRO].get(key)
            yield EvalResult(
                task_type=_TASK,
                task_name=f"{layer}, strict spans",
                dataset_type=re.sub(r"[^\w.-]+", "-", data["name"]),
                dataset_name=f"{data['name']}: {used} ({figures['articles']} articles)",
                dataset_config=layer,
                dataset_split=split,
                metric_type=metric,
                metric_name=f"strict {metric}, micro" + (f" (95 %: {_range(interval)})" if interval else ""),
                metric_value=figures["strict"][MICRO][metric],
                metric_args=SEQEVAL | ({"interval": interval} if interval else {}),
            )


def _layers(metrics: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Split, layer and figures, the split that nothing was chosen on first."""
    for split in sorted(metrics["scores"], key=lambda split: split != "test"):
        for layer in LAYERS:
            if layer in metrics["scores"][split]:
                yield split, layer, metrics["scores"][split][layer]


def _scores(facts: Facts) -> Iterator[list[str]]:
    for split, layer, figures in _layers(facts.metrics):
        for label, figure in figures["strict"].items():
            if label != MACRO:
                yield [f"{split}, {figures['articles']} articles", layer, label, *_figures(figure)]


def _attribution(metrics: Mapping[str, Any]) -> Iterator[list[str]]:
    for split in sorted(metrics["attribution"], key=lambda split: split != "test"):
        for key, name in readable.MEASURES.items():
            if measured := metrics["attribution"][split].get(key):
                yield [split, name, *_figures(measured[ALL])]


def _weakest(facts: Facts) -> Iterator[str]:
    """Of each split and layer the labels that score below its average, the weakest first; then what becomes of whole quotations."""
    for split, layer, figures in _layers(facts.metrics):
        strict = {label: figure for label, figure in figures["strict"].items() if label not in (MICRO, MACRO)}
        average = figures["strict"][MICRO]
        below = sorted((label for label in strict if strict[label]["f1"] < average["f1"]), key=lambda label: strict[label]["f1"])
        if below:
            told = "; ".join(f"{label} {_told(strict[label])}" for label in below[:_WEAKEST])
            yield f"Weakest {layer} of {split}: {told}. All together: {_told(average)}."
    for split, measured in facts.metrics["attribution"].items():
        if named := measured.get("said_by"):
            yield f"Whole quotations of {split} with the right speaker's name: {_told(named[ALL])}."


def _told(figure: Mapping[str, Any]) -> str:
    interval = f", 95 % {_range(figure['interval'])}" if figure.get("interval") else ""
    return f"F1 {figure['f1']:.3f} ({figure['support']} in gold{interval})"


def _figures(figure: Mapping[str, Any]) -> list[str]:
    values = [f"{figure[key]:.3f}" for key in ("precision", "recall", "f1")]
    return [*values, _range(figure["interval"]) if figure.get("interval") else "", str(figure["support"])]


def _range(interval: Sequence[float]) -> str:
    return "–".join(f"{value:.3f}" for value in interval)
