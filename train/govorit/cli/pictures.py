"""python scripts/pictures.py: a page as PNG, by a headless Chromium, small enough for a repository."""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from govorit import files, formats
from govorit.cli import Parser, guarded, whole
from govorit.errors import UserError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_COLOURS = 128  # of the PNG
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--virtual-time-budget=60000", "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip


def main() -> None:
    guarded(_program)


def _program() -> int:
    options = _options()
    shot = photograph(address(options.page), options.width, options.top + options.height, options.dark)
    formats.make_folder(options.out.parent)
    with files.whole(options.out) as beside:
        beside.write_bytes(shrunk(shot, options.top))
    print(f"{options.out}: {options.out.stat().st_size / 1000:.0f} kB")
    return 0


def _options() -> argparse.Namespace:
    parser = Parser(prog="pictures", description="Take the picture of a page that this project has made.")
    parser.add_argument("page", help="report.html, another page in a file, or the address of serve.py, http://127.0.0.1:8000")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.png", help="file to write")
    parser.add_argument("--width", type=whole(100, 20_000), default=1100, help="pixels (default: 1100)")
    parser.add_argument("--height", type=whole(100, 20_000), default=1400, help="pixels (default: 1400)")
    parser.add_argument("--top", type=whole(), default=0, help="pixels to leave out above (default: 0)")
    parser.add_argument("--dark", action="store_true", help="as a reader who prefers dark pages sees it")
    return parser.parse_args()


def address(page: str) -> str:
    """The address of a file or of a page that serve.py shows.

    Raises:
        UserError: neither such a file, nor an address on this machine.
    """
    parts = urlsplit(page)
    if parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost"):
        return page.replace("localhost", "127.0.0.1", 1)
    if not Path(page).is_file():
        raise UserError(f"page: {page}: found no such file, expected a report.html or http://127.0.0.1:PORT")
    return Path(page).resolve().as_uri()


def photograph(page: str, width: int, height: int, dark: bool = False) -> bytes:
    """Show a page in a window of this size, and take its picture as PNG.

    Raises:
        UserError: no browser, or one that shows nothing within two minutes.
    """
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise UserError(f"pictures: needs a browser, found none of {', '.join(BROWSERS)}; install chromium")
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "page.png"
        about = f"--blink-settings=preferredColorScheme={0 if dark else 1}", f"--window-size={width},{height}", f"--screenshot={shot}"
        command = [browser, *_FLAGS, f"--user-data-dir={folder}/profile", *about, page]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        except subprocess.TimeoutExpired:
            raise UserError(f"pictures: {browser} has not shown {page} in two minutes") from None
        if not shot.exists():
            raise UserError(f"pictures: {browser} has taken no picture of {page}: {' '.join(done.stderr.split())[-200:]}")
        return shot.read_bytes()


def shrunk(png: bytes, top: int = 0) -> bytes:
    """The picture from `top` on, with a palette, which takes about a third of the bytes."""
    from PIL import Image

    out = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        cut = image.convert("RGB").crop((0, top, *image.size))
        few = cut.quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
        few.save(out, "PNG", optimize=True)
    return out.getvalue()
