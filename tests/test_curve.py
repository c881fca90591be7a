import json

from govorit.training import curve

HISTORY = [
    {"step": 10, "tokens": 1_234_567, "words_loss": 6.25, "entities": 0.5},
    {"step": 20, "tokens": 2_469_134, "words_loss": 5.0, "entities": 0.96449, "heldout_loss": 1234.5},
]


def test_a_row_a_look_and_a_column_a_figure():
    assert curve.table(HISTORY).split("\n") == [
        "| step |    tokens | words_loss | entities | heldout_loss |",
        "| ---- | --------: | ---------: | -------: | -----------: |",
        "| 10   | 1,234,567 |      6.250 |    0.500 |              |",
        "| 20   | 2,469,134 |      5.000 |    0.964 |    1,234.500 |",
    ]


def test_report_and_figures(tmp_path):
    curve.write(tmp_path, HISTORY, {"title": "mlm · «ёж»", "tokens": 5}, ["device cpu", "fp32"])
    assert (tmp_path / "report.md").read_text() == f"# mlm · «ёж»\n\n* device cpu\n* fp32\n\n{curve.table(HISTORY)}\n"
    told = json.loads((tmp_path / "metrics.json").read_text())
    assert told == {"title": "mlm · «ёж»", "tokens": 5, "history": HISTORY, "notes": ["device cpu", "fp32"]}
    assert {path.name for path in tmp_path.iterdir()} == {"report.md", "metrics.json"}
