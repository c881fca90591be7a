"""Whom a pronoun, or a verb without a subject, points back to: a linear ranking of who was mentioned before it."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp, log

from govorit.names.actors import ORGANISATION, PERSON, Actor, Place, Scene
from govorit.names.morphology import FEMININE, MASCULINE

LOOK_BACK = 16  # mentions
# Of a softmax over the candidates, fitted by maximum likelihood on 288 pronouns of newsroom train and dev and NEREL train, gold entities.
WEIGHTS = {
    "sentences": -0.41,
    "paragraphs": -0.48,
    "rank": -0.62,
    "inside": -0.29,
    "subject": 0.12,
    "recent_subject": 0.38,
    "opening": 0.28,
    "spoke": -0.29,
    "last": 0.15,
    "count": 0.12,
    "person": 0.46,
    "known": 0.39,
}


@dataclass(slots=True)
class Candidate:
    actor: Actor
    places: list[Place] = field(default_factory=list)  # the nearest first


def candidates(scene: Scene, position: int, gender: str | None, number: str | None) -> list[Candidate]:
    """The actors mentioned shortly before `position` that a word of this gender and number may mean, the nearest first."""
    found: dict[Actor, Candidate] = {}
    for place in scene.before(position, LOOK_BACK):
        if fits(place.actor, gender, number):
            found.setdefault(place.actor, Candidate(place.actor)).places.append(place)
    return list(found.values())


def ranked(scene: Scene, position: int, gender: str | None, number: str | None, last: Actor | None) -> list[tuple[float, Actor]]:
    """The candidates with their probabilities, the likeliest first."""
    found = candidates(scene, position, gender, number)
    weights = []
    for rank, candidate in enumerate(found):
        values = features(scene, candidate, position, rank, gender, last)
        weights.append(exp(sum(WEIGHTS[name] * value for name, value in values.items())))
    scores = [(weight / sum(weights), candidate.actor) for weight, candidate in zip(weights, found, strict=True)]
    return sorted(scores, key=lambda item: -item[0])


def features(scene: Scene, candidate: Candidate, position: int, rank: int, gender: str | None, last: Actor | None) -> dict[str, float]:
    outside = [place for place in candidate.places if not place.inside]
    nearest = (outside or candidate.places)[0]
    return {
        "sentences": min(scene.sentences(nearest.start, position), 6),
        "paragraphs": min(scene.paragraphs(nearest.start, position), 3),
        "rank": min(rank, 4),
        "inside": not outside,
        "subject": nearest.subject,
        "recent_subject": any(place.subject and scene.sentences(place.start, position) <= 2 for place in outside[:3]),
        "opening": nearest.start - scene.sentence_start(nearest.start) < 3,
        "spoke": any(place.spoke for place in candidate.places),
        "last": candidate.actor is last,
        "count": log(len(candidate.places)),
        "person": candidate.actor.kind == PERSON,
        "known": gender is None or candidate.actor.gender == gender,
    }


def fits(actor: Actor, gender: str | None, number: str | None) -> bool:
    """Whether a word of this gender and number may mean an actor; what is not known of either fits."""
    if number and actor.number and number != actor.number and not (number == "plur" and actor.kind == ORGANISATION):
        return False
    return actor.gender in (None, gender) if gender in (MASCULINE, FEMININE) else True
