"""python train/run.py: compose the config, run the pipeline, say where everything is."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from govorit import formats, paths
from govorit.cli import guarded
from govorit.config import Config, Data, Source, check, flatten, register, settled
from govorit.corpora import corpus
from govorit.errors import UserError

if TYPE_CHECKING:
    from omegaconf import DictConfig

OUTPUTS = Path("outputs")


def main() -> None:
    guarded(_program)


def _program() -> int:
    import hydra
    from hydra.errors import HydraException

    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors come up to us, who say them in one line
    register()
    sys.argv[1:] = gathered(sys.argv[1:])
    before = {*OUTPUTS.glob("*")}
    try:
        hydra.main(version_base="1.3", config_path=str(paths.shipped("conf")), config_name="config")(_job)()
    except (HydraException, OmegaConfBaseException) as error:
        for sweep in {*OUTPUTS.glob("*")} - before:
            _remove_if_nothing_ran(sweep)
        raise UserError(one_line(error)) from None
    return 0


def gathered(arguments: Sequence[str]) -> list[str]:
    """Put the overrides, and those that they bring, before the options: Hydra wants them together, and reads none behind an option."""
    overrides: list[str] = []
    options: list[str] = []
    for before, argument in zip(["", *arguments], arguments, strict=False):
        word = not before.startswith("-") or before in ("-m", "--multirun")  # no option's value, like the job of --cfg job
        is_override = not argument.startswith("-") and (word or "=" in argument or argument.startswith("~"))
        (overrides if is_override else options).append(quoted(argument))
    for option in options:
        name, _, value = option.lstrip("-").partition("=")
        if found := next((key for key in _names() if f".{key}".endswith(f".{name}")), None):
            raise UserError(f"{option}: a setting has no dashes; say {found}={value or '…'}")
    return [*implied(overrides), *overrides, *options]


def quoted(argument: str) -> str:
    """Put what is not in Latin letters into quotes, where Hydra's grammar wants it: `data.root=статьи`, `data.labels=[ЛИЦО,МЕСТО]`."""
    key, sign, value = argument.partition("=")
    if key.startswith("-"):
        return argument
    return key + sign + _PIECE.sub(lambda piece: piece[0] if piece[0].isascii() or piece[0][0] in "\"'" else f'"{piece[0]}"', value)


_PIECE = re.compile(r"""(["'])(?:\\.|(?!\1).)*\1|[^\s"',{}[\]](?:[^"',{}[\]]*[^\s"',{}[\]])?""")


def implied(arguments: Sequence[str]) -> list[str]:
    """The overrides that others bring with them."""
    pairs = (("model.path=", "model=", "model=own"), ("task=mlm", "trainer=", "trainer=mlm"))
    given = {said: any(argument.startswith(said) for argument in arguments) for pair in pairs for said in pair[:2]}
    return [brings for said, group, brings in pairs if given[said] and not given[group]]


def _job(composed: DictConfig) -> None:
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    sweep = Path(HydraConfig.get().sweep.dir) if HydraConfig.get().mode == RunMode.MULTIRUN else None
    try:
        config = settle(composed)
        name = _job_name(HydraConfig.get().overrides.task, HydraConfig.get().job.num) if sweep else ""
        _run(config, _folder(config, sweep, name))
    except (UserError, OmegaConfBaseException) as error:  # told here: Hydra would put a line of its own before it
        say(str(error) if isinstance(error, UserError) else one_line(error))
        sys.exit(getattr(error, "code", 2))
    finally:
        if sweep:
            _remove_if_nothing_ran(sweep)


def _job_name(overrides: Sequence[str], number: int) -> str:
    """The folder of one job of a sweep, by what differs between its jobs: what was not said in these words on the command line."""
    name = re.sub(r"[^\w.=,-]+", "_", ",".join(override for override in overrides if override not in sys.argv))
    return name if 0 < len(name.encode()) <= 100 else f"job-{number}"


def _remove_if_nothing_ran(sweep: Path) -> None:
    """Remove a sweep's folder that holds only Hydra's note of it, and the folder around it if that is empty then."""
    if {path.name for path in sweep.iterdir()} <= {"multirun.yaml"}:
        shutil.rmtree(sweep)
        with suppress(OSError):
            sweep.parent.rmdir()


def _run(config: Config, folder: Path) -> None:
    if config.resume and _is_of(folder, config) and (folder / "metrics.json").exists():
        say(f"{folder}: this run has come to its end, there is nothing to resume; {folder / 'report.md'} has its scores")
        return
    check(config)  # before libraries are loaded, which takes longer than reading the message
    if config.task.name != "mlm":
        corpus.places(config.data)
    quieten(config)
    from govorit import pipeline
    from govorit.training.loop import Stopped

    try:
        outcome = (pipeline.pretrain if config.task.name == "mlm" else pipeline.run)(config, folder, say)
    except Stopped as stopped:
        say(str(stopped))
        sys.exit(stopped.code)
    if int(os.environ.get("RANK", "0")) == 0:
        print(f"{outcome.table or 'no dev or test articles: nothing was scored'}\n")
        for what, place in (
            ("report", "report.html"), ("", "report.md"), ("figures", "metrics.json"), ("dataset", "dataset"), ("checkpoint", "model"),
        ):  # fmt: skip
            if (folder / place).exists():
                print(f"{what:<10} {folder / place}")


def quieten(config: Config) -> None:
    """Let no library wait for the hub where it does not answer, nor talk."""
    if config.model.path and not Path(config.model.path).exists() and not _hub_answers():
        os.environ["HF_HUB_OFFLINE"] = "1"  # take what is in the cache, and do not try for a minute
    import datasets
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    datasets.disable_progress_bars()


_UNREAD = ("say data=folder for articles of your own, or data.more=[…] for ours and yours at once", "raw text for task=mlm is data.text=…")
_ROOT = ": the folder of your articles, or of the public corpora (data/README.md says how to get them)"


def settle(composed: DictConfig) -> Config:
    """The composed config as dataclasses; what is missing is told by its key."""
    for key, hint in (("data.root", _ROOT), ("model.path", "")):
        group, name = key.split(".")
        if OmegaConf.is_missing(composed[group], name) or composed[group][name] == "":
            raise UserError(f"{key}: must be given, as {key}=…{hint}")
    use, sources = composed.data.use, composed.data.sources
    wanted = OmegaConf.to_yaml(OmegaConf.create({name: source for name, source in sources.items() if use is None or name in use}))
    if composed.data.root is None and "${data.root}" in wanted:  # a mix, of which one part needs no root
        raise UserError(f"data.root: must be given, as data.root=…{_ROOT}")
    if composed.data.root is not None and "${data.root}" not in OmegaConf.to_yaml(composed.data):
        raise UserError(f"data.root: data={composed.data.name} does not read it; {_UNREAD[composed.task.name == 'mlm']}")
    OmegaConf.resolve(composed)
    config: Any = OmegaConf.to_object(composed)
    _take_more(config.data)
    return config


def _take_more(data: Data) -> None:
    """Make sources of `data.more`, named after their files or folders."""
    for place in data.more:
        if not Path(place).exists() and not formats.is_hub(Path(place)):
            raise UserError(f"data.more: {place}: no such file or folder")
        stem = Path(place).stem or "more"
        name = next(name for i in count(1) if (name := f"{stem}_{i}" if i > 1 else stem) not in data.sources)
        data.sources[name] = Source(path=place)
        data.use = None if data.use is None else [*data.use, name]
    data.more = []


def _folder(config: Config, sweep: Path | None, name: str) -> Path:
    """The run folder: the one that is named, the one to resume, or a new one."""
    if config.out:
        return Path(config.out)
    if config.resume and (found := _unfinished(config)):
        return found
    if sweep:
        return sweep / name
    stem = f"{time.strftime('%Y-%m-%d_%H-%M-%S')}_{config.task.name}_{config.model.name}_{config.data.name}"
    return next(path for i in range(1000) if not (path := OUTPUTS / (stem + f"_{i}" * bool(i))).exists())


def _unfinished(config: Config) -> Path | None:
    """The newest run of this very config that has not come to its report."""
    runs = [path.parent for path in (*OUTPUTS.glob("*/config.yaml"), *OUTPUTS.glob("*/*/config.yaml"))]
    open_runs = [run for run in runs if _is_of(run, config) and not (run / "metrics.json").exists()]
    return max(open_runs, key=lambda run: (run / "config.yaml").stat().st_mtime, default=None)


def _is_of(run: Path, config: Config) -> bool:
    path = run / "config.yaml"
    return path.exists() and path.read_text(encoding="utf-8") == settled(config)


def one_line(error: BaseException) -> str:
    """What Hydra says of a bad override and why, without its advice on Hydra itself, and with the nearest key that there is."""
    lines: list[str] = [override] if (override := getattr(error, "override", None)) else []
    while error is not None and len(lines) < 4:
        lines += [line.strip() for line in str(error).split("\n")]
        error = error.__cause__  # type: ignore[assignment]
    said = dict.fromkeys(line for line in lines if line and not line.startswith(_ADVICE))
    text = "; ".join(said).replace(":; ", ": ") or "the config cannot be composed"
    key = re.search(r"Could not override '([^']+)'|Key '([^']+)' (?:is )?not in", text)
    if override and "missing EQUAL" in text:
        return f"{override}: found no value; settings are KEY=VALUE, without spaces, as in task=ner"
    if comma := re.match(r"Ambiguous value for argument '([^=]+)=(.*?)'; 1\. ", text):
        name, value = comma.groups()
        wanted = f"a point in a number, [{value}] for a list, '{name}=\"{value}\"' for text, or -m before a sweep"
        return f"{name}={value}: found a comma; expected {wanted}"
    if single := re.match(r"Error merging override ([^=;]+)=([^;]*);.* is not a ListConfig", text):
        name, value = single.groups()
        return f"{name}: found {value}, expected a list: {name}=[{value}]"
    if added := re.match(r"Error merging override (\+data\.sources\.[^;]*)", text):
        return f"{added[1]}: adds a source; expected data.more=[FILE_OR_FOLDER], or conf/data/NAME.yaml"
    near = get_close_matches(re.sub(r"(?<![a-z])lr$", "learning_rate", key[1] or key[2]), _names(), 1, 0.5) if key else []
    if near and _known().get(near[0]) == {} and key and (key[1] or "").startswith(f"{near[0]}."):
        return f"{text}; a key of your own is given with a plus: +{key[1]}=…"
    return f"{text}; did you mean {near[0]}=…?" if near else text


def _names() -> list[str]:
    """The keys that there are and the groups that they stand in, those above first."""
    names = {".".join(name.split(".")[:depth]) for name in (*_known(), "experiment") for depth in (1, 2, 3)}
    return sorted(names, key=lambda name: (name.count("."), name))


@cache
def _known() -> dict[str, Any]:
    return flatten(OmegaConf.to_container(OmegaConf.structured(Config)))


_ADVICE = (
    "To append",
    "See https",
    "full_key",
    "object_type",
    "reference_type",
    "Check that",
    "Config search",
    "provider=",
    "Set the env",
    "child_type",
    "\\t",
)


def _hub_answers(timeout: float = 5.0) -> bool:
    """Whether the model hub can be reached; with a proxy between, assume so."""
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")):
        return True
    try:
        host = urlsplit(os.environ.get("HF_ENDPOINT", "https://huggingface.co"))
        socket.create_connection((host.hostname, host.port or 443), timeout).close()
    except OSError:
        return False
    return True


def say(line: str) -> None:
    from tqdm import tqdm

    if int(os.environ.get("RANK", "0")) == 0:
        tqdm.write(line, file=sys.stderr)
