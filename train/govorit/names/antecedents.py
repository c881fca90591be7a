"""Whom a pronoun, or a verb without a subject, points back to: a linear ranking of who was mentioned before it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from math import exp

from govorit.names.actors import ORGANISATION, PERSON, Actor, Place, Scene
from govorit.names.morphology import FEMININE, MASCULINE

LOOK_BACK = 16  # mentions
# Of a softmax over the candidates, fitted by maximum likelihood (a penalty of the squared weights) on the 378 pronouns of NEREL train and
# newsroom train and dev whose holder was among them, gold entities; 359 of 401 right in cross-validation over articles. More features
# (counts, titles, the subject of the last sentence, who spoke last) did no better there.
WEIGHTS = {
    "sentences": -0.39, "paragraphs": -1.18, "inside": -1.19, "recent_subject": 0.79, "person": 1.03, "unnamed": -1.57, "unlike": -1.42
}  # fmt: skip


def ranked(
    scene: Scene, position: int, gender: str | None, number: str | None, others: Container[int] = (), told: Iterable[Place] = ()
) -> list[tuple[float, Actor]]:
    """The actors mentioned shortly before `position` that a word of this gender and number may mean, with their probabilities.

    `others`, by their `id`, are not meant; those `told` of without a name may be.
    """
    found: dict[Actor, list[Place]] = {}
    for place in scene.before(position, LOOK_BACK):
        if fits(place.actor, gender, number) and id(place.actor) not in others:
            found.setdefault(place.actor, []).append(place)
    unnamed = {place.actor: [place] for place in told if place.actor not in found and fits(place.actor, gender, number)}
    scored = [(actor, _score(scene, places, position)) for actor, places in found.items()]
    scored += [(actor, _score(scene, places, position) + WEIGHTS["unnamed"]) for actor, places in unnamed.items()]
    weights = {actor: exp(score + WEIGHTS["unlike"] * (not is_likely(actor, gender))) for actor, score in scored}
    total = sum(weights.values())
    return sorted(((weight / total, actor) for actor, weight in weights.items()), key=lambda item: -item[0])


def _score(scene: Scene, places: Sequence[Place], position: int) -> float:
    return sum(WEIGHTS[name] * value for name, value in features(scene, places, position).items())


def features(scene: Scene, places: Sequence[Place], position: int) -> dict[str, float]:
    """Describe a candidate by its mentions before `position`, the nearest first."""
    outside = [place for place in places if not place.inside]
    nearest = (outside or places)[0]
    return {
        "sentences": min(scene.sentences(nearest.start, position), 6),
        "paragraphs": min(scene.paragraphs(nearest.start, position), 3),
        "inside": not outside,
        "recent_subject": any(place.subject and scene.sentences(place.start, position) <= 2 for place in outside[:3]),
        "person": nearest.actor.kind == PERSON,
    }


def fits(actor: Actor, gender: str | None, number: str | None) -> bool:
    """Whether a word of this gender and number may mean an actor; what is not known of either fits."""
    if number and actor.number and number != actor.number and not (number == "plur" and actor.kind == ORGANISATION):
        return False
    return actor.gender in (None, gender) if gender in (MASCULINE, FEMININE) else True


def is_likely(actor: Actor, gender: str | None) -> bool:
    """Whether a word of this gender rather fits an actor whose gender is not certain."""
    return gender not in (MASCULINE, FEMININE) or actor.gender is not None or actor.likely in (None, gender)
