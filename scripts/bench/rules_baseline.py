"""What the quotation rules and natasha find by themselves, where encoders are judged: a baseline with nothing learnt.

usage: python scripts/bench/rules_baseline.py DATA_ROOT

Quotations: quotes dev (NEREL dev and factRuEval devset), their spans and who said what. Entities: natasha's on factRuEval devset. Writes
the table into scripts/bench/README.md. The rules were written with the articles of newsroom train and dev and of NEREL train in view.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from encoders import contents
from scores import ROOT
from tables import markdown, replace_between

from govorit import formats, names, nearness, rules
from govorit.article import Article, Span
from govorit.config import Data, Source
from govorit.corpora import corpus, silver
from govorit.evaluation import attribution, metrics
from govorit.evaluation.metrics import LayerScores

LABELS = {"PERSON": "PER", "ORGANIZATION": "ORG"} | dict.fromkeys(("CITY", "COUNTRY", "DISTRICT", "STATE_OR_PROVINCE", "LOCATION"), "LOC")
QUOTES = {
    "quotes_nerel": ("brat", "nerel-v1.1/dev", "nerel-dev"),
    "quotes_factrueval": ("factrueval", "factrueval-2016/devset", "factrueval-devset"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="folder of the public corpora, see data/README.md")
    options = parser.parse_args()
    rows = [
        *quotations(quoted(options.root, QUOTES)),
        *entities(list(formats.read(options.root / "factrueval-2016/devset", "factrueval"))),
    ]
    table = markdown(["who, on what", "label", "strict F1", "IoU ≥ 0.8"], rows)
    print(table)
    replace_between("rules", table)


def quotations(gold: Sequence[Article]) -> Iterator[tuple[str, ...]]:
    """The rows of the rules: spans, then whole quotations, also with links by nearness in place of the rules' own."""
    found = [by_rules(article) for article in gold]
    layer = metrics.score(gold, found, ["quotes"], resamples=0)["quotes"]
    yield "rules, quotes dev", "contents", f"{contents(layer.strict):.3f}", f"{contents(layer.iou80):.3f}"
    yield from spans("rules, quotes dev", layer)
    for who, answer in (("rules", found), ("the rules' spans linked by nearness", [by_nearness(article) for article in found])):
        said = attribution.score(gold, answer, resamples=0)
        for what, exact, overlap in (
            ("quotation", said.exact, said.content),
            ("quotation with speaker", None, said.with_speaker),
            ("said by", None, said.said_by),
        ):
            strict = f"{exact[attribution.ALL].f1:.3f}" if exact else ""
            yield f"{who}, quotes dev", what, strict, f"{overlap[attribution.ALL].f1:.3f}"


def entities(gold: Sequence[Article]) -> Iterator[tuple[str, ...]]:
    found = [by_natasha(article) for article in gold]
    yield from spans("natasha, factRuEval devset", metrics.score(gold, found, ["entities"], resamples=0)["entities"])


def spans(who: str, layer: LayerScores) -> Iterator[tuple[str, ...]]:
    for label, figure in layer.strict.items():
        if label != metrics.MACRO:
            yield who, label, f"{figure.f1:.3f}", f"{layer.iou80[label].f1:.3f}"


def quoted(root: Path, places: Mapping[str, tuple[str, str, str]]) -> list[Article]:
    """The articles of public corpora with entities and quotations."""
    sources = {
        name: Source(
            format=kind, train=str(root / place), quotes=[str(ROOT / f"data/quotes/{file}.jsonl")], nested="outermost",
            labels=LABELS if kind == "brat" else {},
        )
        for name, (kind, place, file) in places.items()
    }  # fmt: skip
    return corpus.load(Data(name="quotes", root=None, sources=sources), ["entities", "quotes"], 0).splits["train"]


def by_rules(article: Article) -> Article:
    starts, labels = silver.teacher().label(article.text)
    said = rules.quotations(article.text, starts, labels, silver.teacher().names)
    return replace(article, quotes=names.resolve(article.text, by_natasha(article).entities, said))


def by_nearness(article: Article) -> Article:
    said = nearness.tie(article.layer("quotes"), article.text)
    return replace(article, quotes=names.resolve(article.text, by_natasha(article).entities, said))


def by_natasha(article: Article) -> Article:
    (markup,) = silver.teacher().ner.map([article.text])
    return replace(article, entities=tuple(Span(span.start, span.stop, span.type) for span in markup.spans))


if __name__ == "__main__":
    main()
