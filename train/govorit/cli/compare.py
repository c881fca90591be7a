"""python scripts/compare.py: runs side by side, with seeds put together, and whether they differ by more than chance."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from tqdm import tqdm
from yaml import YAMLError  # type: ignore[import-untyped]

from govorit import files, formats
from govorit.cli import Parser, guarded, whole
from govorit.config import Config, flatten
from govorit.errors import UserError
from govorit.evaluation import comparison, side_by_side
from govorit.evaluation.groups import Group, gather, load


def main() -> None:
    guarded(_program)


def _program() -> int:
    options = _options()
    named = list({(name, folder.resolve()): (name, folder) for run in options.runs for name, folder in _found(run)}.values())
    configs = {folder: _config(folder) for _, folder in named}
    split = options.split or _split([folder for _, folder in named])
    reading = tqdm(named, desc="reading", unit="run", disable=None, leave=False)
    groups = gather([load(folder, configs[folder], split) for _, folder in reading], [name for name, _ in named])
    found = comparison.compare(groups, split, _baseline(groups, options.baseline), options.resamples)
    told = side_by_side.markdown(found, options.articles)
    if options.out:
        plain = json.dumps(side_by_side.to_json(found), ensure_ascii=False, indent=2) + "\n"
        write(options.out, {"compare.json": plain, "compare.md": told, "compare.html": side_by_side.page(found, options.articles)})
    show(told)
    return 0


def _options() -> argparse.Namespace:
    parser = Parser(
        prog="compare",
        description="Compare runs: those that differ in nothing but seed and fold are a group; each group is compared with the first.",
    )
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="run folders, or folders to search for them, as a sweep's; NAME=FOLDER makes a group by hand"
    )
    parser.add_argument("--baseline", metavar="NAME", help="the group to compare with: its name, or a part of it (default: the first)")
    parser.add_argument("--split", choices=("test", "dev"), help="which articles (default: test where all runs have it, else dev)")
    parser.add_argument(
        "--resamples", type=whole(), default=10_000, metavar="N", help="of bootstrap and randomisation; 0: none (default: 10000)"
    )
    parser.add_argument("--articles", type=whole(), default=10, metavar="N", help="show the N articles that changed most (default: 10)")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="for compare.md, compare.json and compare.html (default: print what compare.md says)"
    )
    return parser.parse_args()


def _found(given: str) -> Iterator[tuple[str | None, Path]]:
    """The finished runs at a path, each with the name that was given to its group, if any; unfinished ones are told of and left out."""
    name, sign, path = given.partition("=")
    by_hand = bool(sign and name) and not Path(given).exists() and Path(path).exists()
    root = Path(path if by_hand else given)
    if not root.is_dir():
        raise UserError(f"{root}: no such folder; name a run, or a folder with runs in it")
    finished = False
    for folder in _runs(root):
        if lacks := _lacks(folder):
            if folder == root:
                raise UserError(f"{folder}: {lacks}")
            print(f"{folder}: left out: {lacks}", file=sys.stderr)
        else:
            finished = True
            yield (name if by_hand else None), folder
    if not finished:
        raise UserError(f"{root}: no finished run in it; a run folder has config.yaml, metrics.json and predictions/")


def _runs(root: Path) -> Iterator[Path]:
    """The run folders at or below `root`, in order, seed=10 after seed=9."""
    if (root / "config.yaml").exists():
        yield root
        return
    for folder in sorted((path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")), key=_natural):
        yield from _runs(folder)


def _natural(path: Path) -> list[str | int]:
    return [int(part) if i % 2 else part for i, part in enumerate(re.split("([0-9]+)", path.name))]


def _lacks(folder: Path) -> str:
    """Why a run cannot be compared, or nothing."""
    if not (folder / "metrics.json").exists():
        return "has not come to its end (no metrics.json); resume=true goes on with it"
    if not (folder / "predictions").exists():
        return "has no predictions/; only runs that were tested on articles can be compared"
    return ""


def _config(folder: Path) -> dict[str, Any]:
    """A run's config by dotted keys; those that were not there yet when it ran have the values of the schema."""
    path = folder / "config.yaml"
    try:
        schema, given = (flatten(OmegaConf.to_container(made)) for made in (OmegaConf.structured(Config), OmegaConf.load(path)))
    except (YAMLError, OmegaConfBaseException, OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({' '.join(str(error).split()):.200})") from None
    if not isinstance(given.get("seed"), int) or not isinstance(given.get("task.layers"), list):
        raise UserError(f"{path}: seed or task.layers: missing; expected the config that training writes into a run folder")
    return {**schema, **given}


def _split(folders: Sequence[Path]) -> str:
    without = [folder for folder in folders if not (folder / "predictions" / "test.jsonl").exists()]
    if without and len(without) < len(folders):
        print(f"dev: compared on it, since {without[0]} has no predictions of test", file=sys.stderr)
    return "dev" if without else "test"


def _baseline(groups: Sequence[Group], name: str | None) -> int:
    names = [group.name for group in groups]
    chosen = [i for i, found in enumerate(names) if name in (None, found)] or [i for i, found in enumerate(names) if str(name) in found]
    if len(chosen) == 1 or (chosen and name is None):
        return chosen[0]
    raise UserError(f"--baseline: {name!r} is {'part of several' if chosen else 'none'} of the groups {'; '.join(names)}")


def write(folder: Path, texts: Mapping[str, str]) -> None:
    """Write files into a folder, each whole or not at all."""
    formats.make_folder(folder)
    for name, text in texts.items():
        files.write(folder / name, text)


def show(text: str) -> None:
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")  # type: ignore[union-attr]
    print(text, end="", flush=True)
