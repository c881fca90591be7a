"""Label raw text with natasha's models, to pre-train on: python scripts/silver.py TEXT --out LABELS"""

from govorit.cli.silver import main

if __name__ == "__main__":
    main()
