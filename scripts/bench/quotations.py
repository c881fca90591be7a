"""What each idea brings to who said what, and the model beside the rules, on quotes dev (NEREL dev and factRuEval devset).

usage: python scripts/bench/quotations.py DATA_ROOT [--model mini]

The model is that of scores.py (data=mix). It reads every article once; its scores are then decoded without and with each aid, so that only
the decoder differs: a model that never had the hints could do a little better without them than this one does. Names are found, and speech
in marks is kept whole, in all rows of the model alike. The rules read natasha's syntax and its entities, or the syntax and entities that
the model reads. Figures by kind and form are those of the model with all aids. Writes both tables into scripts/bench/README.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from rules_baseline import by_rules
from scores import dataset_split, public, quoted
from tables import markdown, replace_between
from tqdm import tqdm

from govorit import names, rules, windows
from govorit.article import Article
from govorit.decoding import decode, hints
from govorit.decoding.aids import Aids
from govorit.evaluation import attribution, metrics, readable
from govorit.evaluation.attribution import ALL, Attribution
from govorit.extractor import Extractor
from govorit.windows import Tokens

HEAD = ["", "direct, exact", "contents, exact", "contents, IoU ≥ 0.8", "with speaker", "said by", "right speakers", "right names"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="folder of the public corpora, see data/README.md")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--out", type=Path, default=Path("outputs/scores"), help="where the runs go; finished ones are taken as they are")
    options = parser.parse_args()
    run = quoted(options)
    gold = public(dataset_split(run, "dev"))
    reader = Reader(Extractor.load(run / "model"), gold)
    aids = reader.extractor.aids
    natasha = [by_rules(article) for article in gold]
    hinted = reader.hinted(aids, natasha)
    answers = {
        "tags alone, nearness ties": reader.decode(Aids()),
        "and costs of boundaries": reader.decode(Aids(costs=aids.costs)),
        "and hints of the rules": reader.decode(replace(aids, links=None)),
        "and the link head: the model": reader.decode(aids),
        "rules, syntax as the model reads it": reader.by_rules(aids),
        "rules, natasha's syntax": natasha,
        "the model, its hints from natasha's syntax": hinted,
        "the same, names with natasha's entities": [renamed(*pair) for pair in zip(hinted, natasha, strict=True)],
    }
    table = markdown(HEAD, [row(name, gold, found) for name, found in answers.items()])
    said = attribution.score(gold, answers["and the link head: the model"])
    parts = markdown(["", "gold", "contents, exact", "contents, IoU ≥ 0.8", "with speaker", "said by"], by_part(said))
    print(table, parts, sep="\n\n")
    replace_between("quotations", f"{table}\n\n{parts}")


class Reader:
    """Articles as a network has scored them, to be decoded in several ways."""

    def __init__(self, extractor: Extractor, articles: Sequence[Article]) -> None:
        self.extractor, self.articles = extractor, articles
        self.tokens: list[Tokens] = windows.tokenize_all([article.text for article in articles], extractor.tokenizer)
        with tqdm(desc="reading", unit="token", leave=False) as bar:
            self.scores = extractor.score(self.tokens, 2048, lambda done, _: bar.update(done - bar.n))

    def decode(self, aids: Aids) -> list[Article]:
        return self.each(lambda article, item, scores: decode.decode(article, item.bounds, scores, self.extractor.contract.layers, aids))

    def by_rules(self, aids: Aids) -> list[Article]:
        """What the rules find over the syntax that the network reads."""
        known = aids.hints
        if known is None:
            return [replace(article, quotes=()) for article in self.articles]

        def find(article: Article, item: Tokens, scores: Mapping[str, np.ndarray]) -> Article:
            entities = decode.decode(article, item.bounds, scores, {"entities": self.extractor.contract.layers["entities"]}, aids).entities
            said = rules.quotations(article.text, *hints.tokens(article.text, item.bounds, scores, known.names), known.names)
            return replace(article, entities=entities, quotes=names.resolve(article.text, entities, said))

        return self.each(find)

    def hinted(self, aids: Aids, found: Sequence[Article]) -> list[Article]:
        """What the network reads with the quotations of `found` for hints in place of what it finds by its own syntax."""
        known, layers = aids.hints, self.extractor.contract.layers
        if known is None:
            return self.decode(aids)
        spans = {article.id: article.layer("quotes") for article in found}

        def answer(article: Article, item: Tokens, scores: Mapping[str, np.ndarray]) -> Article:
            quotes = known.shift(scores["quotes"], hints.numbers(spans[article.id], item.bounds))
            return decode.decode(article, item.bounds, {**scores, "quotes": quotes}, layers, replace(aids, hints=None))

        return self.each(answer)

    def each(self, answer: Callable[[Article, Tokens, Mapping[str, np.ndarray]], Article]) -> list[Article]:
        return [answer(*one) for one in zip(self.articles, self.tokens, self.scores, strict=True)]


def renamed(article: Article, other: Article) -> Article:
    """An article whose speakers are named by the entities of the other."""
    return replace(article, quotes=names.resolve(article.text, other.entities, article.quotes))


def row(name: str, gold: Sequence[Article], found: Sequence[Article]) -> list[str]:
    spans = metrics.score(gold, found, ["quotes"], resamples=0)["quotes"].strict
    said = attribution.score(gold, found, resamples=0)
    figures = [
        spans["DIRECT"].f1,
        *(figures[ALL].f1 for _, figures in readable.measures(said)),
        said.right["speaker"].value,
        said.right["name"].value,
    ]
    return [name, *(f"{figure:.3f}" for figure in figures)]


def by_part(said: Attribution) -> list[list[str]]:
    """A row for each kind and form: gold quotations, and F1 with its interval in each measure."""
    return [
        [part, str(said.exact[part].support), *(cell(figures.get(part)) for _, figures in readable.measures(said))] for part in said.exact
    ]


def cell(figure: metrics.Figure | None) -> str:
    if figure is None or figure.interval is None:
        return ""
    low, high = figure.interval
    return f"{figure.f1:.3f} ({low:.3f}–{high:.3f})"


if __name__ == "__main__":
    main()
