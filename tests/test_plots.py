import base64
import math
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from payloads import PAYLOADS

from govorit.evaluation import calibration, plots
from govorit.evaluation.metrics import Figure
from govorit.evaluation.slices import Slicing

SOURCES = Path(__file__).parents[1] / "train"
PREFIX = "data:image/svg+xml;base64,"


def drawn(picture: plots.Picture) -> str:
    assert picture.address.startswith(PREFIX)
    return base64.b64decode(picture.address.removeprefix(PREFIX)).decode()


def test_curves_of_loss_and_f1_with_gaps():
    history = [{"epoch": 1.0, "loss": 2.0, "entities_f1": 0.5, "quotes_f1": 0.4}, {"epoch": 2.0, "loss": math.nan, "entities_f1": 0.7}]
    loss, f1 = plots.curves(history)
    assert loss.caption.startswith("Training loss") and "entities" in drawn(f1) and "quotes" in drawn(f1)
    assert plots.curves([]) == [] and plots.curves([{"loss": math.inf}]) == []


def test_the_same_figures_give_the_same_bytes_that_follow_light_and_dark():
    slicing = Slicing("entities", "length in words", {"1": Figure(1, 0.5, 0.7, 10, 5, (0.5, 0.8)), "2+": Figure(0, 0, 0.0, 1, 0)})
    one, other = plots.slices(slicing), plots.slices(slicing)
    assert one == other and len(one.address) < 25_000
    svg = drawn(one)
    assert "prefers-color-scheme:dark" in svg and "currentColor" in svg and plots._INK not in svg
    assert "1970" not in svg and "matplotlib" not in svg.replace("matplotlib.axis", "")


def test_a_reliability_diagram():
    result = calibration.summarise([(0.95, True), (0.55, False), (0.5, True)])
    assert "currentColor" in drawn(plots.reliability("names", result))


@pytest.mark.parametrize("payload", ["".join(PAYLOADS[:20]), *PAYLOADS[55:], "$x^2_{$", "\\frac"])
def test_a_label_is_text_and_nothing_else(payload):
    (picture,) = plots.curves([{"epoch": 1.0, f"f1 {payload}": 1.0, "f1 слово": 0.5}])
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(drawn(picture)).iter()}
    assert tags <= {"svg", "g", "defs", "style", "path", "use", "text", "clipPath", "rect"}


def test_nothing_is_imported_before_a_picture_is_drawn():
    code = "import sys, govorit.evaluation.report, govorit.cli.evaluate; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(SOURCES)}).returncode == 0
