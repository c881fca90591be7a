"""Whom a designation means: a linear ranking of who was mentioned before it, and of somebody whom the article does not name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp

from govorit.names import antecedents, lexicon
from govorit.names.actors import PERSON, Actor, Place, Scene, title_score
from govorit.names.phrases import Phrase, lemma

LOOK_BACK = 60  # mentions
# Of a softmax, fitted by maximum likelihood (a penalty of the squared weights) on the designations of NEREL train and of newsroom train
# and dev that mean one person, 346 with gold entities and 343 with natasha's; 0.89 of them right in cross-validation over articles.
# Only `title` is more than its 1.8, which tells two presidents by their countries and is as often right.
WEIGHTS = {
    "titled": 1.7, "titled_role": 1.54, "title": 2.2, "office": 0.71, "untitled": -0.91, "share": 1.74, "sentences": -0.37,
    "paragraphs": -0.37, "inside": -0.65, "recent_subject": 0.69, "subject": 0.73, "person": 0.85, "designated": -1.38, "unlike": -2.1,
    "unnamed": -0.46, "more": 1.68, "adjective": 1.07, "role": 2.8, "role_more": 1.96, "relation": 2.44,
}  # fmt: skip
_OFFICES = frozenset().union(*lexicon.OFFICES)

Titles = Callable[[Actor], Sequence[frozenset[str]]]


def ranked(
    scene: Scene, position: int, phrase: Phrase, gender: str | None, others: set[int], titles: Titles
) -> list[tuple[float, Actor | None]]:
    """Those whom a designation at `position` may mean with their probabilities, None for somebody else; `others` are not meant."""
    found = candidates(scene, position, phrase, gender, others, titles)
    weights = [exp(sum(WEIGHTS[name] * value for name, value in described.items())) for _, described in found]
    total = sum(weights)
    return sorted(((weight / total, actor) for weight, (actor, _) in zip(weights, found, strict=True)), key=lambda item: -item[0])


def candidates(
    scene: Scene, position: int, phrase: Phrase, gender: str | None, others: set[int], titles: Titles
) -> list[tuple[Actor | None, dict[str, float]]]:
    """Describe whoever a designation may mean by the mentions before it, and by the designation itself that nobody of them is meant."""
    assert phrase.head is not None
    places: dict[Actor, list[Place]] = {}
    for place in scene.before(position, LOOK_BACK):
        if antecedents.fits(place.actor, gender, "sing") and id(place.actor) not in others:
            places.setdefault(place.actor, []).append(place)
    head = phrase.head.lemma
    rest = [word for word in phrase.lemmas if word != head]
    total = sum(map(len, places.values()))
    found: list[tuple[Actor | None, dict[str, float]]] = [(None, _unnamed(phrase))]
    for actor, mentions in places.items():
        described = antecedents.features(scene, mentions, position) | _called(head, title_score(head, rest, titles(actor)))
        described["share"] = len(mentions) / total
        described["untitled"] = len(phrase.words) > 1 and not described["title"]
        described["unlike"] = not antecedents.is_likely(actor, gender)
        described["subject"] = any(place.subject and not place.inside and scene.sentences(place.start, position) <= 1 for place in mentions)
        described["designated"] = actor.kind != PERSON or actor.name[:1].islower()
        found.append((actor, described))
    return found


def _called(head: str, score: float) -> dict[str, float]:
    """Describe how well a noun fits the titles of somebody."""
    return {
        "titled": score > 0.5,
        "title": max(min(score, 6.0), 0.0) / 3,
        "titled_role": score > 0.5 and head in lexicon.ROLES,
        "office": score < 0.5 and head in _OFFICES,
    }


def _unnamed(phrase: Phrase) -> dict[str, float]:
    assert phrase.head is not None
    head, index = phrase.head.lemma, phrase.head.index
    rest = phrase.words[index + 1 :]
    more = bool(rest) and not (head in lexicon.SOURCES and lemma(rest[0]) in lexicon.OUTLETS)  # `собеседник издания` is no one else's
    return {
        "unnamed": 1.0,
        "more": more,
        "adjective": index > 0,
        "role": head in lexicon.ROLES and not rest,
        "relation": head in lexicon.RELATIONS and more,
        "role_more": head in lexicon.ROLES and more,
    }
