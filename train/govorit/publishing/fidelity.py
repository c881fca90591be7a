"""Whether plain transformers, in a fresh process, read from a published folder what govorit reads from it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Encoding, Tokenizer
from tqdm import tqdm

from govorit import checkpoint, windows, words
from govorit import contract as contracts
from govorit.article import Article
from govorit.decoding import viterbi
from govorit.decoding.hints import log_softmax
from govorit.errors import UserError
from govorit.extractor import Extractor
from govorit.network.tagger import Tagger
from govorit.publishing import ARTICLES, fresh
from govorit.publishing.export import TOLERANCE

Place = tuple[int, int, str]


class Unfaithful(UserError):  # noqa: N818 (named as people say it)
    """What was written is not read as it should be."""

    code = 1


@dataclass
class Layer:
    """How the pipeline's spans of one layer compare with our decoder's, both from tags alone.

    Of the articles, `same` have the same spans; of the others, in `mended` the best tags of the words are not valid IOB2, in `cut` the
    pipeline takes other words. `shared` spans of `spans` (of both, counted twice) are the same.
    """

    same: int = 0
    mended: int = 0
    cut: int = 0
    shared: int = 0
    spans: int = 0

    def sentence(self, name: str) -> str:
        count = self.same + self.mended + self.cut
        share = f"; of all spans {self.shared / self.spans:.1%}" * bool(self.spans)
        others = [f"{self.mended} whose best tags are not valid IOB2"] * bool(self.mended)
        others += [f"{self.cut} where the pipeline takes other words"] * bool(self.cut)
        return f"{name}: the same spans in {self.same} of {count} articles{share}" + f" (all but {', '.join(others)})" * bool(others) + "."


@dataclass
class Fidelity:
    """What was compared: `articles` of one window, `longer` ones left out. `distance` is the largest difference of two logits."""

    articles: int
    longer: int
    layers: dict[str, Layer]
    distance: float = 0.0

    def sentences(self) -> Iterator[str]:
        longer = f" ({self.longer} longer ones left out)" * bool(self.longer)
        logits = f"logits that differ by at most {self.distance:.0e}" if self.distance else "the same logits"
        yield f"{self.articles} articles of one window{longer}: the same tokens, {logits}."
        for name, layer in self.layers.items():
            yield layer.sentence(name)
        yield (
            "Spans are those of the pipeline and of govorit's decoder from tags alone. They must agree unless the best tags are not valid"
            " IOB2 (an I- that continues nothing), which the decoder mends and the pipeline does not, or the pipeline takes other words."
        )


def compare(folder: Path, candidates: Iterable[Article], wanted: int = ARTICLES) -> Fidelity:
    """Read up to `wanted` of the candidates, those of one window, with what lies in `folder`.

    Raises:
        Unfaithful: plain transformers cannot load it, or find something else where they may not.
    """
    contract = contracts.load(folder)
    network, tokenizer = checkpoint.load_tagger(folder, contract), checkpoint.load_tokenizer(folder, contract)
    texts, longer = _short(candidates, tokenizer, contract.window, wanted)
    found = Fidelity(len(texts), longer, {layer: Layer() for layer in contract.layers})
    with TemporaryDirectory() as work:
        spans, tensors = _read_fresh(folder, Path(work), texts, list(contract.layers))
    for number, text in enumerate(tqdm(texts, desc="comparing", unit="article", disable=None, leave=False)):
        encoding = tokenizer.encode(text)
        logits = _logits(network, encoding)
        for layer, counts in found.layers.items():
            where = f"--check: {layer}: {text[:40]!r}…"
            if tensors[f"{layer}.{number}.ids"].tolist() != encoding.ids:
                raise Unfaithful(f"{where}: plain transformers cut it into other tokens; nothing was published")
            differences = np.abs(logits[layer] - tensors[f"{layer}.{number}.logits"].numpy())
            found.distance = float(np.maximum(found.distance, differences.max()))  # and not max(): NaN stays
            if not found.distance <= TOLERANCE:
                raise Unfaithful(f"{where}: logits differ by {found.distance:.1e}, expected at most {TOLERANCE}; nothing was published")
            theirs = [(start, end, label) for start, end, label in spans[layer][number]]
            if not _count(counts, text, tokenizer, encoding, logits[layer], contract.layers[layer], theirs):
                raise Unfaithful(f"{where}: the pipeline finds other spans in the same tags; nothing was published")
    return found


def compare_readings(folder: Path, scored: Sequence[Article], engine: str = "torch") -> str:
    """Say how many of the articles that a run has read and scored are read the same from `folder`, scores of spans aside."""
    pairs = list(zip(scored, Extractor.load(folder, engine)([article.text for article in scored]), strict=True))
    spans = [_places(one) == _places(other) for one, other in pairs]
    names = [[q.name for q in one.quotes] == [q.name for q in other.quotes] for one, other in pairs]
    return (
        f"{sum(spans)} of {len(pairs)} articles are read by govorit ({engine}) as they were when they were scored, entities and quotations"
        f" with their cues and speakers; {sum(map(all, zip(spans, names, strict=True)))} with the names of the speakers as well."
    )


def _places(article: Article) -> list[list[Place | None]]:
    quotes = ([*quote.content, quote.cue, quote.speaker] for quote in article.quotes)
    return [[(span.start, span.end, span.label) if span else None for span in spans] for spans in (article.entities, *quotes)]


def _short(candidates: Iterable[Article], tokenizer: Tokenizer, window: int, wanted: int) -> tuple[list[str], int]:
    """The first texts that fit into a window, and how many longer ones were passed over."""
    texts: list[str] = []
    longer = 0
    for article in candidates:
        if len(texts) == wanted:
            break
        if len(tokenizer.encode(article.text).ids) > window:
            longer += 1
        elif article.text.strip():
            texts.append(article.text)
    return texts, longer


def _read_fresh(
    folder: Path, work: Path, texts: Sequence[str], layers: Sequence[str]
) -> tuple[dict[str, list[list[Place]]], dict[str, torch.Tensor]]:
    for name, value in (("texts", texts), ("layers", layers)):
        (work / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    command = [sys.executable, "-P", fresh.__file__, str(folder), str(work)]
    done = subprocess.run(command, env={**os.environ, "HF_HUB_OFFLINE": "1"}, capture_output=True, text=True)
    if done.returncode:
        why = (done.stderr.strip().split("\n") or [""])[-1]
        raise Unfaithful(f"--check: plain transformers cannot read what was written ({why:.300}); nothing was published")
    return json.loads((work / "spans.json").read_text(encoding="utf-8")), load_file(work / "logits.safetensors")


def _logits(network: Tagger, encoding: Encoding) -> dict[str, np.ndarray]:
    ids = torch.tensor([encoding.ids])
    with torch.inference_mode():
        return {key: values[0].numpy() for key, values in network(ids, torch.ones_like(ids)).items()}


def _count(
    counts: Layer, text: str, tokenizer: Tokenizer, encoding: Encoding, logits: np.ndarray, labels: Sequence[str], theirs: Sequence[Place]
) -> bool:
    """Count one article; False where the spans differ and may not."""
    tokens = windows.tokenize(text, tokenizer)
    before = encoding.special_tokens_mask.index(0) if len(tokens.heads) else 0
    scores = logits[before + tokens.heads]
    ours = [(span.start, span.end, span.label) for span in viterbi.spans(log_softmax(scores), tokens.bounds, labels)]
    counts.spans += len(ours) + len(theirs)
    counts.shared += 2 * len({*ours} & {*theirs})
    if ours == theirs:
        counts.same += 1
    elif not _valid([words.tag_names(labels)[i] for i in scores.argmax(-1)], tokens.bounds):
        counts.mended += 1
    elif [i - before for i in _pipeline_words(text, tokenizer, encoding)] != tokens.heads.tolist():
        counts.cut += 1
    else:
        return False
    return True


def _valid(tags: Sequence[str], bounds: Sequence[tuple[int, int]]) -> bool:
    try:
        words.decode(tags, bounds)
    except ValueError:
        return False
    return True


def marks_word_pieces(tokenizer: Tokenizer) -> bool:
    """Whether a token itself says that it goes on with a word (as ## does in WordPiece): what the pipeline needs to know words by."""
    return bool(getattr(tokenizer.model, "continuing_subword_prefix", None))


def _pipeline_words(text: str, tokenizer: Tokenizer, encoding: Encoding) -> Iterator[int]:
    """The first token of each word as `TokenClassificationPipeline` tells words: by ## where a tokenizer has that, else by spaces."""
    pieces = marks_word_pieces(tokenizer)
    unknown = getattr(tokenizer.model, "unk_token", None)
    for i, (token, (start, end), special) in enumerate(zip(encoding.tokens, encoding.offsets, encoding.special_tokens_mask, strict=True)):
        joined = len(token) != end - start if pieces else start > 0 and " " not in text[start - 1 : start + 1]
        if not special and (token == unknown or not joined):
            yield i
