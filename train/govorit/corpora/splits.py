"""Splits: articles shared out into train, dev and test by document, near-duplicates kept together, every label's share kept; and leaks.

The order is that of a digest of seed and text, so that the same articles with the same seed fall into the same splits whatever order or
files they come in.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from govorit.article import LAYERS, Article
from govorit.corpora.duplicates import groups, normalise, similarity
from govorit.errors import UserError

if TYPE_CHECKING:
    from govorit.config import Split

SPLITS = ("train", "dev", "test")
Splits = dict[str, list[Article]]
Label = tuple[str, str]  # layer, name


def share_out(articles: Iterable[Article], split: Split, seed: int) -> Splits:
    """Share articles out into splits, or into the folds of cross-validation.

    Articles that are one (:func:`govorit.corpora.duplicates.groups`, from the similarity `split.near`) stay on one side. In
    cross-validation fold `split.fold` is the test set, and `split.dev` of the rest is the dev set.
    """
    _check(split)
    units = _units(list(articles), split.near, seed)
    if split.folds:
        if not 0 <= split.fold < split.folds <= len(units):
            raise UserError(f"data.split: fold {split.fold} of {split.folds} with {len(units)} articles; fold counts from 0")
        folds = stratify(units, [1 / split.folds] * split.folds)
        test = folds[split.fold]
        held = set(map(id, test))
        train, dev = stratify([unit for unit in units if id(unit) not in held], [1 - split.dev, split.dev])
    else:
        train, dev, test = stratify(units, [1 - split.dev - split.test, split.dev, split.test])
    parts = zip(SPLITS, (train, dev, test), strict=True)
    return {name: sorted((a for unit in part for a in unit.articles), key=_by_id) for name, part in parts}


def take(articles: Sequence[Article], fraction: float, seed: int) -> list[Article]:
    """Take a share of the articles for a learning curve, every label's share kept; a smaller one's are part of a larger one's."""
    if fraction == 1:
        return list(articles)
    ranked = _rank([_Unit([article]) for article in sorted(articles, key=lambda a: _digest(seed, a))])
    chosen = [article for unit in ranked[: max(1, round(fraction * len(ranked)))] for article in unit.articles]
    return sorted(chosen, key=_by_id)


def leaks(splits: Mapping[str, Sequence[Article]], near: float) -> Iterator[str]:
    """Name each article of which an earlier split has the same or nearly the same text, and that one."""
    placed = [(split, article) for split in SPLITS for article in splits.get(split, ())]
    for group in groups([article.text for _, article in placed], near):
        for position, index in enumerate(group):
            split, article = placed[index]
            earlier = [placed[i] for i in group[:position] if placed[i][0] != split]
            if earlier:
                # A group hangs together by neighbours: take one that is near itself, where there is one.
                alike = ((similarity(article.text, other.text), where, other) for where, other in earlier)
                share, where, other = next((found for found in alike if found[0] >= near), (0.0, *earlier[0]))
                same = "the same text as" if normalise(article.text) == normalise(other.text) else f"nearly the text ({share:.0%}) of"
                yield f"leak: article {article.id!r} of {split} has {same} {other.id!r} of {where}; scores on {split} are too good"


class _Unit:
    """Articles that stay together, and how many spans of each label they have."""

    def __init__(self, articles: list[Article]) -> None:
        self.articles = articles
        self.labels = Counter((layer, span.label) for article in articles for layer in LAYERS for span in article.layer(layer))


def stratify(units: Sequence[_Unit], shares: Sequence[float]) -> list[list[_Unit]]:
    """Divide units by `shares`, of the articles exactly (as far as groups let it) and of each label's spans as nearly as greed gets.

    Iterative stratification after Sechidis, Tsoumakas, Vlahavas (2011), "On the Stratification of Multi-Label Data": the rarest label's
    units first, each to the part that has room and that lacks, for its size, most of all the labels of the unit. Ties go by the order of
    `units`. The paper looks at the rarest label alone, which leaves NEREL's 29 labels shares of 8 to 20 % where 10 % were asked for; this
    way they have 6 to 14 %.
    """
    total = sum(len(unit.articles) for unit in units)
    room = _whole(total, shares)
    spans = _sum(units)
    lacks = [{label: share * count for label, count in spans.items()} for share in shares]
    parts: list[list[_Unit]] = [[] for _ in shares]
    left = dict.fromkeys(range(len(units)))
    where: dict[Label, list[int]] = {}
    for number, unit in enumerate(units):
        for label in unit.labels:
            where.setdefault(label, []).append(number)
    while left:
        waiting = {label: found for label, numbers in where.items() if (found := [n for n in numbers if n in left])}
        where = waiting
        rarest = min(waiting, key=lambda label: (len(waiting[label]), label)) if waiting else None
        for number in waiting[rarest] if rarest else list(left):
            unit = units[number]
            fits = [p for p in range(len(shares)) if room[p] >= len(unit.articles)] or [max(range(len(shares)), key=lambda p: room[p])]
            part = max(fits, key=lambda p: (_need(unit, lacks[p], spans) / (shares[p] or 1), room[p]))
            parts[part].append(unit)
            room[part] -= len(unit.articles)
            for label, count in unit.labels.items():
                lacks[part][label] -= count
            del left[number]
    return parts


def _need(unit: _Unit, lacks: Mapping[Label, float], spans: Mapping[Label, int]) -> float:
    return sum(count * lacks[label] / spans[label] for label, count in unit.labels.items())


def _rank(units: Sequence[_Unit]) -> list[_Unit]:
    """Order units so that each half, quarter, eighth … of them from the start has its share of every label."""
    if len(units) < 2:
        return list(units)
    first, second = stratify(units, [0.5, 0.5])
    return [*_rank(first), *_rank(second)]


def _units(articles: Sequence[Article], near: float, seed: int) -> list[_Unit]:
    articles = sorted(articles, key=lambda article: (_digest(seed, article), article.id))
    together = groups([article.text for article in articles], near)
    inside = {index for group in together for index in group}
    alone = [[index] for index in range(len(articles)) if index not in inside]
    return [_Unit([articles[i] for i in group]) for group in sorted([*together, *alone])]


def _check(split: Split) -> None:
    if split.dev < 0 or split.test < 0 or (split.dev if split.folds else split.dev + split.test) >= 1:
        raise UserError(
            f"data.split: dev {split.dev} and test {split.test} leave nothing to train on; expected shares that add up to less than 1"
        )
    if not 0 < split.near <= 1:
        raise UserError(f"data.split.near: found {split.near}, expected a share above 0, at most 1")


def _whole(total: int, shares: Sequence[float]) -> list[int]:
    """`total` divided by `shares` in whole numbers, the largest remainders rounded up."""
    exact = [total * share for share in shares]
    whole = [int(amount) for amount in exact]
    for part in sorted(range(len(shares)), key=lambda p: whole[p] - exact[p])[: total - sum(whole)]:
        whole[part] += 1
    return whole


def _sum(units: Iterable[_Unit]) -> Counter[Label]:
    total: Counter[Label] = Counter()
    for unit in units:
        total.update(unit.labels)
    return total


def _digest(seed: int, article: Article) -> bytes:
    return hashlib.sha256(f"{seed}\0{normalise(article.text)}".encode("utf-8", "surrogatepass")).digest()


def _by_id(article: Article) -> str:
    return article.id
