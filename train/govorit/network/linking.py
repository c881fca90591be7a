"""How the link head learns: jointly with the tags, on gold spans and on those that the network finds itself, mistakes and all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from govorit import nearness, words
from govorit.article import CUE, KINDS, SPEAKER, Article, Span
from govorit.decoding import links, viterbi
from govorit.decoding.links import RELATIONS, SIZE, Pairs, Scene, Weights
from govorit.windows import IGNORED, Batch, Frame, Tokens

_SAME = 0.5  # the IoU above which a content that was found stands for a gold one: in a flat layer no other can


class LinkHead(nn.Module):
    """The weights of :mod:`govorit.decoding.links`, and the projection of hidden states to the vectors of words."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.project = nn.Linear(width, SIZE)
        self.matrices = nn.ParameterDict({relation: torch.zeros(2 * SIZE, 2 * SIZE) for relation in RELATIONS})
        self.tables = nn.ParameterDict({relation: torch.from_numpy(links.first_table(relation)) for relation in RELATIONS})

    def weights(self) -> Weights:
        """Copy the weights as they are now, for decoding."""
        matrices, tables = (
            {name: value.detach().cpu().numpy().copy() for name, value in group.items()} for group in (self.matrices, self.tables)
        )
        return Weights(matrices, tables)


@dataclass(frozen=True)
class Example:
    """Spans of one window and what their contents should choose.

    `rows` (spans, 2) say where the first and the last word of each lie in the batch, its windows end to end; `wanted` (spans,) is for each
    relation the number of a span, a content's own for none, -1 where nothing is asked.
    """

    text: str
    spans: Sequence[Span]
    rows: np.ndarray
    wanted: Mapping[str, np.ndarray]


_EMPTY = Example("", (), np.zeros((0, 2), np.int64), dict.fromkeys(RELATIONS, np.zeros(0, np.int64)))


class LinkLoss:
    """The loss of the links of annotated articles; `labels` are those of the quotes layer."""

    def __init__(self, articles: Sequence[Article], tokens: Sequence[Tokens], frame: Frame, labels: Sequence[str]) -> None:
        self.articles, self.tokens, self.frame, self.labels = articles, tokens, frame, labels
        self.begins = [words.tag_names(labels).index(f"B-{label}") for label in labels if label.lower() in KINDS]

    def count(self, batch: Batch) -> int:
        """How many gold contents a batch asks about: those that begin where tags are asked for."""
        return int(np.isin(batch.labels["quotes"], self.begins).sum())

    def __call__(self, head: LinkHead, batch: Batch, answers: Mapping[str, Tensor]) -> Tensor:
        """Sum the cross-entropy of the links of a batch over contents and relations, gold spans and found ones half each.

        `answers` are what the network says of the batch: tag scores of the quotes layer, and vectors.
        """
        vectors = answers[links.VECTORS].float().flatten(0, 1)
        weights = Weights(dict(head.matrices.items()), dict(head.tables.items()))
        examples = [_EMPTY, *self._examples(batch, answers["quotes"])]  # with none at all, every weight still has its part in the loss
        scenes = [Scene(one.spans, one.text, links.ties(nearness.tie(one.spans, one.text), one.spans)) for one in examples]
        total = vectors.new_zeros(())
        for relation in RELATIONS:
            pairs, targets = [], []
            for one, scene in zip(examples, scenes, strict=True):
                candidates = scene.candidates(relation)
                pairs.append(scene.pairs(relation, candidates, one.rows, _cues(one, scene)))
                targets.append(_targets(candidates, one.wanted[relation][scene.contents]))
            scores = links.score(weights, relation, vectors, _join(pairs, vectors.device))
            wanted = torch.from_numpy(np.concatenate(targets)).to(vectors.device)
            total = total + 0.5 * cross_entropy(scores, wanted, ignore_index=IGNORED, reduction="sum")
        return total

    def _examples(self, batch: Batch, logits: Tensor) -> Iterator[Example]:
        """Two examples of each window that asks about a content: its gold spans, and those that the network finds in it now."""
        asked = np.isin(batch.labels["quotes"], self.begins).any(axis=1)
        scores = logits.detach().float().log_softmax(-1).cpu().numpy()
        for row in np.flatnonzero(asked):
            window = batch.windows[row]
            item, article = self.tokens[window.article], self.articles[window.article]
            first, last = np.searchsorted(item.heads, (window.start, window.end))
            bounds, places = item.bounds[first:last], item.heads[first:last] - window.start + len(self.frame.before)
            marked = [span for span in article.layer("quotes") if span.label in self.labels]
            refused = words.encode(marked, bounds)[1]
            gold = [span for span in marked if span not in refused]
            rows = row * batch.ids.shape[1] + places
            aims = links.ties(article.quotes, gold)
            begun = links.edges(gold, bounds)[:, 0]
            nothing = batch.labels["quotes"][row][places[begun]] == IGNORED
            aims = {relation: np.where(nothing, -1, aim) for relation, aim in aims.items()}
            for spans in (gold, viterbi.spans(scores[row][places], bounds, self.labels)):
                yield Example(article.text, spans, rows[links.edges(spans, bounds)], _wanted(spans, gold, aims))


def _wanted(spans: Sequence[Span], gold: Sequence[Span], aims: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Say what each of `spans` should choose among them, given what each of `gold` is tied to.

    A content that stands for no gold one is asked nothing. One whose cue or speaker was not found should choose none.
    """
    twins = _twins(spans, gold)
    stand_ins = np.full(len(gold) + 1, -1)
    stand_ins[twins] = np.arange(len(spans))
    stand_ins[-1] = -1
    wanted = {}
    for relation, aim in aims.items():
        goal = np.append(aim, -1)[twins]
        chosen = stand_ins[goal]
        wanted[relation] = np.where(goal < 0, -1, np.where(chosen < 0, np.arange(len(spans)), chosen))
    return wanted


def _twins(spans: Sequence[Span], gold: Sequence[Span]) -> np.ndarray:
    """The number of the gold span that each of `spans` stands for, (spans,); `len(gold)` for none.

    A content has to be nearly the gold one; a cue or speaker has to share a word with it, since a part of it is better than nobody.
    """
    one, other = _places(spans)[:, None], _places(gold)[None]
    shared = np.minimum(one[..., 1], other[..., 1]) - np.maximum(one[..., 0], other[..., 0])
    whole = np.maximum(one[..., 1], other[..., 1]) - np.minimum(one[..., 0], other[..., 0])
    same = (shared > np.where(one[..., 2] == 0, _SAME * whole, 0)) & (one[..., 2] == other[..., 2])
    return np.concatenate([same, np.ones((len(spans), 1), bool)], axis=1).argmax(axis=1)


def _places(spans: Sequence[Span]) -> np.ndarray:
    """Start, end and role (0 a content, 1 a cue, 2 a speaker) of each span, (spans, 3)."""
    roles = {CUE: 1, SPEAKER: 2}
    return np.array([(span.start, span.end, roles.get(span.label, 0)) for span in spans], np.int64).reshape(-1, 3)


def _cues(example: Example, scene: Scene) -> np.ndarray:
    """The cue of each content that its speaker is sought by: the right one, or the nearest where nothing is asked."""
    wanted, near = (ties["cue"][scene.contents] for ties in (example.wanted, scene.near))
    return np.where(wanted < 0, near, wanted)


def _targets(candidates: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The slot of what each content should choose, IGNORED where nothing is asked or it is out of reach."""
    right = (candidates == wanted[:, None]) & (candidates >= 0)
    return np.where(right.any(axis=1), right.argmax(axis=1), IGNORED)


def _join(pairs: Sequence[Pairs], device: torch.device) -> Pairs:
    columns = zip(*((one.contents, one.candidates, one.features, one.absent) for one in pairs), strict=True)
    return Pairs(*(torch.from_numpy(np.concatenate(column)).to(device) for column in columns))
