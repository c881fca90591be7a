"""Pick the articles that teach most: python scripts/select.py pile/ --model outputs/RUN --number 50 --out picked.jsonl"""

import sys
from pathlib import Path

# The standard library has a `select` as well, which every program of this folder needs and would look for here first.
sys.path[:] = [path for path in sys.path if Path(path) != Path(__file__).parent]

if __name__ == "__main__":
    from govorit.cli.select import main

    main()
else:
    del sys.modules[__name__]
    import select  # noqa: F401
