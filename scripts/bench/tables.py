"""Tables in Markdown files, each between marks of its own, so that a program can write them anew."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LABELS = ("PER", "LOC", "ORG", "micro")  # of the columns of entities
READMES = [ROOT / name for name in ("scripts/bench/README.md", "README.md", "README.ru.md")]


def markdown(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def replace_between(name: str, text: str, *more: Path) -> None:
    """Put `text` between the lines `<!-- name -->` and `<!-- /name -->` of each README that has them, and of `more` files."""
    for file in (*READMES, *more):
        before = file.read_text(encoding="utf-8")
        after, count = re.subn(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", lambda match: match[1] + text + "\n" + match[2], before, flags=re.S
        )
        if count:
            file.write_text(after, encoding="utf-8")
            print(f"{file}: {name} written")
