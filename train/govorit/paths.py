"""Where things lie, in a checkout and in an installed wheel alike."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parents[1]
TEMPLATES = _PACKAGE / "templates"


def shipped(path: str) -> Path:
    """Locate what travels with the project (`conf`, `data/newsroom`, …): in the checkout, else inside the package."""
    in_checkout = (_CHECKOUT / "train" / "run.py").exists()
    return (_CHECKOUT if in_checkout else _PACKAGE / "shipped") / path


def checkpoint(named: Path) -> Path:
    """The checkpoint at `named`: the folder itself, or what a run folder holds as `model`."""
    return named / "model" if (named / "model" / "govorit.json").exists() else named


def newest_model(outputs: Path = Path("outputs")) -> Path | None:
    """The model to read with when none is named: the project's newest release, else the newest finished run."""
    for root in (shipped("models"), outputs):
        contracts = [
            *root.glob("*/govorit.json"),
            *root.glob("*/model/govorit.json"),
            *root.glob("*/*/model/govorit.json"),
        ]
        if contracts:
            return max(contracts, key=lambda path: path.stat().st_mtime).parent
    return None
