"""Natasha's entities, found as its README finds them, sentences and words first.

usage: python scripts/bench/natasha_entities.py ARTICLE

As a program it reads one article and prints nothing: peers.py times its start.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

import pymorphy3


def find(text: str) -> None:
    kind, segmenter, tagger = _natasha()
    doc = kind(text)
    doc.segment(segmenter)
    doc.tag_ner(tagger)


@cache
def _natasha() -> tuple[Any, Any, Any]:
    sys.modules.setdefault("pymorphy2", pymorphy3)  # which natasha imports, and today's setuptools breaks
    from natasha import Doc, NewsEmbedding, NewsNERTagger, Segmenter  # type: ignore[import-untyped]

    return Doc, Segmenter(), NewsNERTagger(NewsEmbedding())


if __name__ == "__main__":
    find(Path(sys.argv[1]).read_text(encoding="utf-8"))
