"""python scripts/publish.py: a finished run as a folder, or a repository on the Hub, that others can use."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from govorit import formats
from govorit.cli import Parser, guarded
from govorit.errors import UserError
from govorit.publishing import ARTICLES, DTYPES

if TYPE_CHECKING:
    from govorit.publishing.release import Run

_TRIED = 8  # articles that a graph is held against torch on


def main() -> None:
    guarded(_program)


def _program() -> int:
    options = _options()
    repository = _repository(options.to)
    from govorit import checkpoint  # what is wrong with the command line is told before torch is loaded
    from govorit.publishing import card, export, fidelity, release

    engines = [engine for engine in export.PACKAGES if getattr(options, engine)]
    export.check(engines)
    notes = formats.read_text(options.notes) if options.notes else ""
    run = release.open_run(options.run)
    with _beside(options.to, repository) as place:
        network = release.write(run, place, options.dtype)
        graphs = release.write_graphs(network, place, engines, release.articles(run)[:_TRIED]) if engines else {}
        for path, distance in graphs.items():
            print(f"{path}: answers differ from torch's by at most {distance:.0e}")
        checked = _check(run, place) if options.check else []
        facts = card.Facts(
            name=repository or place.name,
            contract=run.contract,
            config=run.config,
            metrics=run.metrics,
            dtype=options.dtype,
            exports=list(graphs),
            checked=checked,
            word_pieces=fidelity.marks_word_pieces(checkpoint.load_tokenizer(place)),
            notes=notes,
            license=options.license,
            watts=options.watts,
            on_hub=repository is not None,
        )
        (place / "README.md").write_text(card.render(facts), encoding="utf-8")
        print(_deliver(place, options.to, repository, options.private))
    return 0


def _check(run: Run, place: Path) -> list[str]:
    from govorit.engines import find_graph
    from govorit.publishing import fidelity, release

    sentences = list(fidelity.compare(place, release.articles(run)).sentences())
    if scored := release.scored(run)[:ARTICLES]:
        readers = ["torch", *["onnx"] * (find_graph(place) is not None)]
        sentences += [fidelity.compare_readings(place, scored, engine) for engine in readers]
    for sentence in sentences:
        print(sentence)
    return sentences


def _options() -> argparse.Namespace:
    parser = Parser(
        prog="publish", description="Give a finished run away: layers that plain transformers load, a model card, graphs for other engines."
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a finished run")
    parser.add_argument("--to", required=True, metavar="FOLDER|hub:OWNER/NAME", help="a folder that is empty or not there, or the Hub")
    parser.add_argument("--dtype", choices=DTYPES, default="fp16", help="of the weights as they are stored (default: fp16, half the size)")
    parser.add_argument("--int8", action="store_true", help="an ONNX graph in 8 bits, to read without torch (needs govorit[onnx])")
    parser.add_argument("--onnx", action="store_true", help="an ONNX graph in 32 bits, with the answers of torch (needs govorit[onnx])")
    parser.add_argument("--openvino", action="store_true", help="a graph in OpenVINO's format (needs govorit[openvino])")
    parser.add_argument(
        "--check",
        action="store_true",
        help=f"read {ARTICLES} articles with what was written, in a fresh process with plain transformers, and compare",
    )
    parser.add_argument("--private", action="store_true", help="make the repository on the Hub a private one")
    parser.add_argument("--notes", type=Path, metavar="FILE.md", help="what you want to add to the card")
    parser.add_argument(
        "--license", metavar="NAME", help="of the weights, as the Hub calls it: apache-2.0, cc-by-4.0, … (default: none stated)"
    )
    parser.add_argument("--watts", type=float, metavar="W", help="what the machine drew in training, for the card's estimate of energy")
    return parser.parse_args()


def _repository(to: str) -> str | None:
    """The repository on the Hub that `--to` names, None for a folder; whether anything may be written there is looked at first."""
    if not to.startswith("hub:"):
        target = Path(to)
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise UserError(f"--to: {to}: is there already, and not an empty folder; name another, or remove it")
        return None
    from huggingface_hub import get_token

    from govorit.publishing import card

    repository = to.removeprefix("hub:")
    if not card.HUB.fullmatch(repository):
        raise UserError(f"--to: found {to}, expected hub:OWNER/NAME")
    if not get_token():
        raise UserError(f"--to: {to}: there is no token for the Hub; run `hf auth login`, or set HF_TOKEN")
    return repository


@contextmanager
def _beside(to: str, repository: str | None) -> Iterator[Path]:
    """Where to write until all is well: a hidden folder beside the one that is asked for, which vanishes with what is left in it."""
    target = Path(repository.rpartition("/")[2] if repository else to)
    if repository is None:
        formats.make_folder(target.absolute().parent)
    with TemporaryDirectory(dir=None if repository else target.absolute().parent, prefix=f".{target.name}.") as work:
        yield Path(work) / target.name


def _deliver(place: Path, to: str, repository: str | None, private: bool) -> str:
    if repository is not None:
        from govorit.publishing import release

        return f"published: {release.upload(place, repository, private)}"
    place.rename(target := Path(to))  # an empty folder there gives way
    return f"written: {target}"
