"""Who may know whom: the imports as they stand in the code, and what importing does."""

import ast
import os
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

SOURCES = Path(__file__).parents[1] / "train"
PACKAGE = SOURCES / "govorit"
# The types and texts at the bottom: the standard library and each other. A format's own library is imported when that format is asked for.
PLAIN = {
    "article",
    "contract",
    "corpora.duplicates",
    "corpora.lint",
    "errors",
    "files",
    "formats",
    "highlight",
    "marks",
    "nearness",
    "paths",
    "words",
}
# The packages, each with those that it may know; all know the modules at the top, and `pipeline` and `cli` know all.
PACKAGES = {
    "formats": set(),
    "rules": set(),
    "names": set(),
    "corpora": {"formats", "rules"},
    "decoding": {"names", "rules"},
    "network": {"decoding"},
    "training": {"corpora", "decoding", "formats", "network"},
    "evaluation": {"formats"},
    "publishing": {"decoding", "evaluation", "formats", "network"},
    "serving": {"corpora", "formats"},
}


@dataclass
class Imports:
    """Names of the modules that a module imports: as it is loaded, and later, in its functions. What only type checkers see is left out."""

    loaded: set[str] = field(default_factory=set)
    later: set[str] = field(default_factory=set)

    @property
    def all(self) -> set[str]:
        return self.loaded | self.later


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(SOURCES).with_suffix("").parts).removesuffix(".__init__")


@cache
def modules() -> dict[str, Imports]:
    return {name_of(path): imports(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}


def imports(source: str) -> Imports:
    found = Imports()

    def visit(node: ast.AST, inside: bool) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.orelse:
                visit(child, inside)
            return
        into = found.later if inside else found.loaded
        if isinstance(node, ast.Import):
            into.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, "imports are absolute"
            parts = {f"{node.module}.{alias.name}" for alias in node.names}
            into.update(known if (known := parts & known_names()) else {node.module})
            if node.module not in ("govorit", *known_names()) or parts - known_names():
                into.add(node.module)
        for child in ast.iter_child_nodes(node):
            visit(child, inside or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)))

    visit(ast.parse(source), False)
    return found


@cache
def known_names() -> frozenset[str]:
    return frozenset(name_of(path) for path in PACKAGE.rglob("*.py"))


def reached(start: str, later: bool = True) -> set[str]:
    """Every module that is imported from `start` on; with `later`, also what functions import."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            if name in modules():
                waiting += modules()[name].all if later else modules()[name].loaded
    return seen


def roots(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


def own(name: str) -> str:
    """`govorit.formats.jsonl` -> `formats`."""
    return ".".join(name.split(".")[1:2])


def importers(*libraries: str) -> set[str]:
    return {own(name) for name, found in modules().items() if roots(found.all) & set(libraries)}


def test_the_reading_of_imports_itself():
    source = """
import torch.nn
from govorit import words, article
from govorit.formats import jsonl
from govorit.errors import UserError
if TYPE_CHECKING:
    import hydra
class A:
    import json
    def f(self):
        from datasets import Dataset
"""
    found = imports(source)
    assert found.loaded == {"torch.nn", "govorit.words", "govorit.article", "govorit.formats.jsonl", "govorit.errors", "json"}
    assert found.later == {"datasets"}
    assert {"govorit.formats.jsonl", "govorit.training.finetuning", "govorit.cli.train"} <= modules().keys()


def is_plain(name: str) -> bool:
    """Whether it is one of PLAIN, or an empty package above one."""
    inside = name.removeprefix("govorit").removeprefix(".")
    return not inside or any(f"{inside}.".startswith(f"{plain}.") or plain.startswith(f"{inside}.") for plain in PLAIN)


def test_what_is_plain_knows_the_standard_library_and_its_like_alone():
    for name, found in modules().items():
        if name != "govorit" and is_plain(name):
            for other in found.loaded:
                root = other.split(".")[0]
                assert is_plain(other) if root == "govorit" else root in sys.stdlib_module_names, (name, other)
            assert all(is_plain(other) for other in found.later if other.startswith("govorit.")), name


def test_packages_know_those_below_them():
    assert {own(name) for name in modules() if name.count(".") > 1} == {*PACKAGES, "pipeline", "cli"}
    for name, found in modules().items():
        if own(name) in PACKAGES:
            known = {own(other) for other in found.all if other.startswith("govorit.")} & {*PACKAGES, "pipeline", "cli"}
            assert known <= PACKAGES[own(name)] | {own(name)}, name


def test_scores_and_reports_come_without_torch():
    for name in ("govorit.evaluation.metrics", "govorit.evaluation.report", "govorit.decoding.decode", "govorit.windows"):
        assert not roots(reached(name)) & {"torch", "transformers", "accelerate", "datasets", "hydra", "omegaconf"}, name


def test_reading_knows_nothing_of_training_config_and_reports():
    found = reached("govorit.extractor")
    assert not roots(found) & {"hydra", "omegaconf", "datasets", "accelerate", "jinja2", "seqeval"}
    assert not {own(name) for name in found} & {"training", "pipeline", "config", "evaluation", "publishing", "cli"}
    assert not {name for name in found if name.startswith("govorit.corpora.")} - {"govorit.corpora.silver"}
    assert not roots(reached("govorit.extractor", later=False)) & {"torch", "transformers"}, "torch is imported when a checkpoint is loaded"


def test_a_wrong_command_line_is_told_before_torch_is_loaded():
    for name in ("publish", "train", "predict", "silver"):
        assert not roots(reached(f"govorit.cli.{name}", later=False)) & {"torch", "transformers"}, name


def test_only_the_command_line_and_the_schema_know_hydra():
    assert importers("hydra", "omegaconf") <= {"cli", "config"}


def test_only_the_pipeline_sees_the_config():
    assert {own(name) for name, found in modules().items() if "govorit.config" in found.all} <= {"cli", "pipeline"}
    assert {own(name) for name, found in modules().items() if "govorit.pipeline" in found.all} <= {"cli"}
    assert {own(name) for name, found in modules().items() if any(own(other) == "cli" for other in found.all)} <= {"cli"}


def test_nothing_else_in_the_source_root_can_be_imported():
    found = {path.name for path in SOURCES.iterdir() if path.name != "__pycache__"}
    assert found == {"run.py", "govorit"}


IMPORT_ALL = """
import importlib, logging, os, socket, sys

def refuse(*arguments, **more):
    raise AssertionError(f"network at import: {arguments}")

socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
before = list(logging.root.handlers), logging.root.level, logging.root.disabled
home, names = sys.argv[1], sys.argv[2:]
for name in names:
    importlib.import_module(name)
    assert (list(logging.root.handlers), logging.root.level, logging.root.disabled) == before, name
    assert not logging.getLogger("govorit").handlers, name
    assert os.listdir(".") == [] == os.listdir(home), (name, os.listdir("."), os.listdir(home))
print(len(names))
"""


def test_importing_configures_no_logging_makes_no_folder_and_asks_no_network(tmp_path):
    place, home = tmp_path / "cwd", tmp_path / "home"
    place.mkdir()
    home.mkdir()
    names = sorted(modules())
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "XDG_"))}
    environment |= {"HOME": str(home), "PYTHONPATH": str(SOURCES), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, str(home), *names], cwd=place, env=environment, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{len(names)}\n", "")


def test_reading_loads_little():
    """What a program that reads articles waits for before it starts."""
    code = "import sys, govorit.extractor; print(sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(SOURCES)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    loaded = set(ast.literal_eval(done.stdout))
    assert "govorit" in loaded and not loaded & {
        "torch",
        "transformers",
        "datasets",
        "hydra",
        "omegaconf",
        "accelerate",
        "jinja2",
        "pyarrow",
    }
