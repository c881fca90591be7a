"""Corpora: sources -> splits of articles -> a Hugging Face `DatasetDict`, checked for broken annotation and for leaks."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from govorit import formats, words
from govorit.article import COVERS, LAYERS, QUOTE_LABELS, Article, Span
from govorit.corpora import lint
from govorit.corpora.splits import SPLITS, Splits, leaks, share_out, take
from govorit.errors import UserError
from govorit.formats import hf, jsonl
from govorit.formats.inline import lacks_header
from govorit.formats.options import Options

if TYPE_CHECKING:
    import datasets

    from govorit.config import Data, Source

Offsets = dict[str, tuple[dict[str, Any], str]]  # a line of offset annotation and where it stands, by the id of its article


@dataclass(frozen=True)
class Corpus:
    """Checked articles by split, the labels of each layer, and sentences on what was left out and why."""

    splits: Splits
    labels: dict[str, list[str]]
    notes: list[str]

    @property
    def fingerprint(self) -> str:
        """A digest of which article, with which annotation, is in which split."""
        digest = hashlib.sha256()
        for split, articles in self.splits.items():
            for article in sorted(articles, key=lambda a: a.id):
                digest.update(f"{split}\t{jsonl.dump(article)}\n".encode())
        return digest.hexdigest()


def load(config: Data, layers: Sequence[str], seed: int) -> Corpus:
    """Read, map, join, check and split the corpora that `config` names.

    Raises:
        UserError: whatever a user has to mend, in one line.
    """
    notes: list[str] = []
    splits: Splits = {split: [] for split in SPLITS}
    found = places(config)
    if config.split.folds and not any("all" in paths for paths in found.values()):
        raise UserError(
            f"data.split.folds: {', '.join(found)} comes with splits of its own; cross-validation needs a source with .path to share out"
        )
    if folds := config.split.folds:
        notes.append(f"fold {config.split.fold} of {folds} is held out for test; -m 'data.fold=range({folds})' tests each in turn")
    for name, paths in found.items():
        for split, articles in _read_source(name, paths, config, seed, notes.append).items():
            splits[split] += articles
    lint.check(article for articles in splits.values() for article in articles)
    if not splits["train"]:
        raise UserError(f"data={config.name}: no training articles; name them in data.sources.NAME.train or .path")
    if config.labels is not None and "entities" in layers:
        _check_labels(config.labels, splits["train"])
        splits, dropped = _keep(splits, config.labels)
        notes += [f"{dropped} entities have a label that data.labels does not name and are left out"] * bool(dropped)
    notes += leaks(splits, config.split.near)
    if config.fraction != 1:
        taken = take(splits["train"], config.fraction, seed)
        notes.append(f"data.fraction: {len(taken)} of {len(splits['train'])} training articles")
        splits["train"] = taken
    labels = {layer: _labels(layer, splits["train"], config.labels) for layer in layers}
    for layer in layers:
        if not labels[layer]:
            headless = next((f"; {a.where} looks like inline markup without its header" for a in splits["train"] if lacks_header(a)), "")
            raise UserError(f"data={config.name}: {layer}: no training article has any{headless}; choose another task= or annotate some")
        notes += _unknown_labels(layer, labels[layer], splits)
    return Corpus(splits, labels, notes)


def counts(articles: Sequence[Article], layers: Sequence[str]) -> dict[str, int]:
    """Figures of a split: articles, characters, words, and spans of each label."""
    spans = Counter(span.label for article in articles for layer in layers for span in article.layer(layer))
    return {
        "articles": len(articles),
        "characters": sum(len(article.text) for article in articles),
        "words": sum(len(words.words(article.text)) for article in articles),
        **dict(sorted(spans.items())),
    }


def places(config: Data) -> dict[str, dict[str, Path]]:
    """Find where the splits of each source lie; under `all` what data.split shares out.

    Raises:
        UserError: something is not there.
    """
    return {name: _split_paths(name, source) for name, source in _chosen(config).items()}


def _chosen(config: Data) -> Mapping[str, Source]:
    if config.use is None:
        return config.sources
    for name in config.use:
        if name not in config.sources:
            raise UserError(f"data.use: {name!r} is not in data={config.name}; it has {', '.join(config.sources)}")
    return {name: config.sources[name] for name in config.use}


def _read_source(name: str, paths: Mapping[str, Path], config: Data, seed: int, note: Callable[[str], None]) -> Splits:
    source = config.sources[name]
    options = Options(source.offsets, source.names, source.columns, formats.told_apart(paths.values()))
    listed = offsets(source.quotes)
    read = {key: list(convert(formats.read(path, source.format, options), name, source, note, listed)) for key, path in paths.items()}
    for told in formats.passed_over(paths.values()):
        note(f"{name}: {told}")
    for label in source.covers:
        if not any(span.label == label for articles in read.values() for a in articles for span in a.entities):
            raise UserError(
                f"data.sources.{name}.covers: found {label!r}, which no entity of it has; expected labels as .labels makes them"
            )
    if listed and (absent := len(listed.keys() - {a.id for articles in read.values() for a in articles})):
        note(f"{name}: {absent} of {len(listed)} articles that the offset annotation lists are not in the corpus")
    read = {key: [replace(a, meta={**a.meta, "corpus": name}) for a in articles] for key, articles in _annotated(read, source).items()}
    return share_out(read["all"], config.split, seed) if "all" in read else read


def _annotated(read: Splits, source: Source) -> Splits:
    """Mark in each article which layers are annotated in it: as the source says, else the article itself, else the layers that any has."""
    found = [layer for layer in LAYERS if any(a.layer(layer) for articles in read.values() for a in articles)]

    def layers(article: Article) -> Sequence[str]:
        own = article.meta.get("layers", " ".join(found)).split()
        return source.layers or [layer for layer in LAYERS if layer in own or (layer == "quotes" and source.quotes)]

    return {key: [replace(a, meta={**a.meta, "layers": " ".join(layers(a))}) for a in articles] for key, articles in read.items()}


def _split_paths(name: str, source: Source) -> dict[str, Path]:
    given = {key: Path(path) for key in ("path", *SPLITS) if (path := getattr(source, key))}
    for key, path in given.items():
        if not path.exists() and not formats.is_hub(path):
            raise UserError(f"data.sources.{name}.{key}: {path}: no such file or folder")
    root = given.pop("path", None)
    if root and given:
        raise UserError(f"data.sources.{name}: both path and {', '.join(given)}; give one or the other")
    return splits_in(root) or {"all": root} if root else given


def splits_in(root: Path) -> dict[str, Path]:
    """Find the splits that a corpus comes with: files or folders of their names, or of dev's other ones; none if there is no train."""
    found: dict[str, Path] = {}
    for split, names in (("train", ["train"]), ("dev", ["dev", "validation", "valid", "val"]), ("test", ["test"])):
        places = [place for name in names for place in sorted({*root.glob(name), *root.glob(f"{name}.*")})] if root.is_dir() else []
        if places:
            found[split] = places[0]
    return found if "train" in found else {}


def convert(
    articles: Iterable[Article], name: str, source: Source, note: Callable[[str], None], listed: Offsets | None = None
) -> Iterator[Article]:
    """Bring a source's own annotation into ours: labels mapped, nesting reduced, the offset annotation `listed` joined."""
    if source.nested not in ("refuse", "outermost"):
        raise UserError(f"data.sources.{name}.nested: found {source.nested!r}, expected refuse or outermost")
    for layer in source.layers:
        if layer not in LAYERS:
            raise UserError(f"data.sources.{name}.layers: found {layer!r}, expected {' or '.join(LAYERS)}")
    total = headless = unmapped = nested = unlisted = unread = uncovered = 0
    for article in articles:
        total += 1
        headless += lacks_header(article)
        meta = dict(article.meta)
        unread += len(meta.pop(formats.LEFT_OUT, "").split("\n")) if formats.LEFT_OUT in meta else 0
        article = replace(article, meta=meta)
        if listed is not None:
            if article.id not in listed:
                unlisted += 1
                continue
            article = _join(article, listed[article.id])
        entities = article.entities
        if source.labels:
            kept = tuple(replace(span, label=source.labels[span.label]) for span in entities if span.label in source.labels)
            unmapped, entities = unmapped + len(entities) - len(kept), kept
        if source.nested == "outermost":
            kept = outermost(entities)
            nested, entities = nested + len(entities) - len(kept), kept
        if source.covers:
            kept = tuple(span for span in entities if span.label in source.covers)
            uncovered, entities = uncovered + len(entities) - len(kept), kept
        if (covered := _covered(article, source)) is not None:
            meta[COVERS] = " ".join(covered)
        yield replace(article, entities=entities, meta=meta)
    for count, reason in (
        (unlisted, f"of {total} articles are not listed in the offset annotation and are left out"),
        (headless, "articles look like inline markup without its header ('# id: …', then an empty line), and are read as plain text"),
        (unread, "marks are not spans of an entity (several pieces, no name, inside another) and are left out"),
        (unmapped, "entities have a label that is not mapped and are left out"),
        (uncovered, "entities have a label that .covers does not name and are left out; words without a label may be such"),
        (nested, "entities lie inside (or across) a longer one and are left out: outermost only"),
    ):
        if count:
            note(f"{name}: {count} {reason}")


def _covered(article: Article, source: Source) -> list[str] | None:
    """Our labels that an article covers, None for all: those that it says itself, in the words of its source, and its source as well."""
    if COVERS not in article.meta:
        return source.covers or None
    said = article.meta[COVERS].split()
    own = [source.labels[label] for label in said if label in source.labels] if source.labels else said
    return sorted(label for label in set(own) if not source.covers or label in source.covers)


def outermost(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Reduce nested spans to a flat layer: the longest first, then the leftmost, whatever overlaps one already kept is left out."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start - s.end, s.start, s.label)):
        if not any(span.overlaps(other) for other in kept):
            kept.append(span)
    return tuple(sorted(kept, key=lambda s: s.start))


def offsets(paths: Sequence[str]) -> Offsets | None:
    """Read offset annotation, `{"id", "sha256", "chars", "quotes"}` a line, by article id; None where there are no files of it."""
    found: Offsets = {}
    for path in paths:
        for number, line in enumerate(formats.read_text(Path(path)).split("\n"), 1):
            if not line.strip():
                continue
            try:
                item = json.loads(line)
                found[item["id"]] = item, f"{path}:{number}"
                _ = item["sha256"], item["quotes"]
            except (ValueError, KeyError, TypeError):
                raise UserError(f"{path}:{number}: expected an object with id, sha256 and quotes") from None
    return found if paths else None


def _join(article: Article, annotation: tuple[dict[str, Any], str]) -> Article:
    item, where = annotation
    digest = hashlib.sha256(article.text.encode("utf-8", "surrogatepass")).hexdigest()
    if digest != item["sha256"]:
        raise UserError(
            f"{where}: sha256: article {article.id!r} at {article.where} is not the text that was annotated "
            f"({digest[:12]}…, expected {item['sha256'][:12]}…); get the corpus as data/README.md says"
        )
    return replace(article, quotes=jsonl.quotes(item["quotes"], where), where=where)


def _keep(splits: Splits, labels: Sequence[str]) -> tuple[Splits, int]:
    """Keep the entities with one of `labels`, and count the others."""
    kept = {
        split: [replace(article, entities=tuple(span for span in article.entities if span.label in labels)) for article in articles]
        for split, articles in splits.items()
    }
    before, after = (sum(len(article.entities) for articles in each.values() for article in articles) for each in (splits, kept))
    return kept, before - after


def _check_labels(wanted: Sequence[str], articles: Sequence[Article]) -> None:
    found = {span.label for article in articles for span in article.entities}
    for i, label in enumerate(wanted):
        if label not in found:
            raise UserError(
                f"data.labels: {label!r} is not in the training articles; they have {', '.join(sorted(found)) or 'no entities'}"
            )
        if label in wanted[:i]:
            raise UserError(f"data.labels: {label!r} comes twice; name it once")


def _labels(layer: str, articles: Sequence[Article], wanted: Sequence[str] | None) -> list[str]:
    found = {span.label for article in articles for span in article.layer(layer)}
    if layer == "quotes":
        return list(QUOTE_LABELS) if found else []
    return list(wanted) if wanted is not None else sorted(found)


def _unknown_labels(layer: str, labels: Sequence[str], splits: Splits) -> Iterator[str]:
    for split in ("dev", "test"):
        unknown = Counter(s.label for a in splits[split] for s in a.layer(layer) if s.label not in labels)
        for label, count in sorted(unknown.items()):
            yield f"{split}: {count} spans of {label} cannot be found, since no training article has that label; they count as missed"


def dataset(corpus: Corpus) -> datasets.DatasetDict:
    """Build the Hugging Face dataset: a row an article, with word tags as `run_ner.py` and its like expect and the offsets that they lack.

    `ner_tags` and `quote_tags` are strict IOB2 over `tokens`, and None in an article that is not annotated in that layer.
    """
    import datasets

    features = hf.features(corpus.labels)
    parts = {split: articles for split, articles in corpus.splits.items() if articles}
    return datasets.DatasetDict(
        {
            split: datasets.Dataset.from_list([hf.record(a, corpus.labels) for a in articles], features=features)
            for split, articles in parts.items()
        }
    )


def article(row: Mapping[str, Any]) -> Article:
    """Read a row of :func:`dataset` back: `article(row) == article` but for `where`."""
    return Article(
        id=row["id"],
        text=row["text"],
        entities=tuple(Span(s["start"], s["end"], s["label"]) for s in row["entities"]),
        quotes=jsonl.quotes(row["quotes"], row["id"]),
        meta={item["key"]: item["value"] for item in row["meta"]},
    )
