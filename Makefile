# make run · make test · make check · make bench · make pictures: each sets up what it needs in .venv
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test check bench pictures clean

run: .venv/.ready  ## train on data/newsroom, then read the seed article
	$(BIN)/python train/run.py out=outputs/first resume=true
	$(BIN)/python scripts/predict.py seeds/almaty-2017.txt --model outputs/first --to text

test: .venv/.ready
	$(BIN)/python -m pytest

check: .venv/.ready
	$(BIN)/ruff check train tests scripts
	$(BIN)/ruff format --check train tests scripts
	$(BIN)/mypy

bench: .venv/.ready  ## the scores and speeds of scripts/bench/README.md, from data.root=DATA
	$(BIN)/python scripts/bench/scores.py $(DATA)
	$(BIN)/python scripts/bench/entities.py $(DATA)
	$(BIN)/python scripts/bench/quotations.py $(DATA)
	$(BIN)/python scripts/bench/rules_baseline.py $(DATA)
	$(BIN)/python scripts/bench/names.py $(DATA)
	$(BIN)/python scripts/bench/peers.py $(DATA)
	$(BIN)/python scripts/bench/encoders.py $(DATA)
	$(BIN)/python scripts/bench/ensembles.py $(DATA)
	$(BIN)/python scripts/bench/selection.py $(DATA)
	$(BIN)/python scripts/bench/corpora.py $(DATA)
	$(BIN)/python scripts/bench/recipes.py $(DATA)
	$(BIN)/python scripts/bench/speed.py

pictures: .venv/.ready  ## those of README; needs Chromium
	$(BIN)/python scripts/evaluate.py data/newsroom/test.jsonl --model models/mini-joint --out outputs/pictures
	$(BIN)/python scripts/pictures.py outputs/pictures/report.html --top 3985 --height 1130 --out scripts/pictures/report.png
	$(BIN)/python scripts/serve.py --port 8790 & sleep 10; \
	$(BIN)/python scripts/pictures.py 'http://127.0.0.1:8790/#example' --height 1250 --out scripts/pictures/page.png; kill $$!

.venv/.ready: pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(None if (3, 11) <= sys.version_info[:2] <= (3, 13) else 'govorit needs Python 3.11 to 3.13: make PYTHON=python3.12')"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

clean:
	rm -rf .venv outputs dist
