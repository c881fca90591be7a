"""scripts/pictures.py as a user runs it."""

import io
import shutil
import sys

import pytest

from govorit import highlight
from govorit.article import Article
from govorit.cli import pictures

Image = pytest.importorskip("PIL.Image")
chromium = pytest.mark.skipif(not any(map(shutil.which, pictures.BROWSERS)), reason="needs chromium")


def run(monkeypatch, capsys, *arguments) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["pictures", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        pictures.main()
    told = capsys.readouterr()
    return int(stopped.value.code or 0), told.out + told.err


@chromium
def test_the_picture_of_a_page(tmp_path, monkeypatch, capsys):
    page, out = tmp_path / "страница #1.html", tmp_path / "new" / "page.png"
    page.write_text(highlight.page([Article("1", "«Да», — сказал Песков.")], "Кто что сказал"), encoding="utf-8")
    status, told = run(monkeypatch, capsys, page, "--out", out, "--width", 600, "--height", 300, "--top", 50)
    assert status == 0 and "kB" in told, told
    with Image.open(out) as image:
        assert image.size == (600, 300) and image.mode == "P" and len(image.getcolors()) > 5
    assert out.stat().st_size < 50_000 and [path.name for path in out.parent.iterdir()] == ["page.png"]


def test_what_cannot_be_shown_is_refused_in_one_line(tmp_path, monkeypatch, capsys):
    for page in (tmp_path / "none.html", "https://example.org/", "file:///etc/passwd", "http://example.org"):
        status, told = run(monkeypatch, capsys, page, "--out", tmp_path / "a.png")
        assert status == 2 and told.count("\n") == 1 and "expected a report.html" in told
    monkeypatch.setattr(shutil, "which", lambda name: None)
    (tmp_path / "a.html").write_text("<p>")
    status, told = run(monkeypatch, capsys, tmp_path / "a.html", "--out", tmp_path / "a.png")
    assert status == 2 and "install chromium" in told and not (tmp_path / "a.png").exists()


def test_the_page_of_the_server_can_be_shown():
    assert pictures.address("http://localhost:8000/") == "http://127.0.0.1:8000/"


def test_a_palette_keeps_the_size_and_takes_fewer_bytes():
    image = Image.effect_noise((200, 100), 5).convert("RGB")
    image.save(plain := io.BytesIO(), "PNG")
    small = pictures.shrunk(plain.getvalue(), 20)
    assert Image.open(io.BytesIO(small)).size == (200, 80) and len(small) < len(plain.getvalue())
