"""python scripts/silver.py: what natasha says of every token of raw text, for `task=mlm data.silver=`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from govorit import formats
from govorit.cli import Parser, guarded, whole
from govorit.corpora import archive, silver
from govorit.errors import UserError


def main() -> None:
    guarded(_program)


def _program() -> int:
    from tqdm import tqdm

    options = _options()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # a process a core; before numpy multiplies anything in the workers
    texts = archive.texts(options.text, options.out)
    silver.natasha()  # a missing one is told before anything is read
    formats.make_folder(options.out)
    for text in texts:
        path = options.out / silver.file_name(text.name)
        if path.exists() and _is_of(path, text.digest):
            print(f"{path}: of this very text, kept", file=sys.stderr)
            continue
        documents = list(text.documents())
        with tqdm(total=sum(map(len, documents)), desc=text.name, unit="char", unit_scale=True) as bar:
            found = silver.annotate(documents, options.processes, bar.update)
        found.save(path, text.digest)
        print(f"{path}: {len(documents):,} documents, {len(found.starts):,} tokens")
    return 0


def _is_of(path: Path, digest: str) -> bool:
    try:
        silver.load(path, digest)
    except UserError:
        return False
    return True


def _options() -> argparse.Namespace:
    parser = Parser(prog="silver", description="Label every token of raw text with natasha's models (pip install 'govorit[silver]').")
    parser.add_argument("text", nargs="+", metavar="TEXT", help="files or folders of .txt (.xz, .gz), a paragraph a line, or of .jsonl")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where the labels go, a file a text; whole ones are kept")
    parser.add_argument(
        "--processes", type=whole(1), default=os.cpu_count() or 1, metavar="N", help="that label at once (default: one a core, %(default)s)"
    )
    return parser.parse_args()
