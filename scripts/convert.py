"""Convert annotated articles from any format to any other: python scripts/convert.py seeds --to jsonl --out seeds.jsonl"""

from govorit.cli.convert import main

if __name__ == "__main__":
    main()
