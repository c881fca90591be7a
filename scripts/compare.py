"""Put runs side by side: python scripts/compare.py outputs/DATE_sweep --out compared/"""

from govorit.cli.compare import main

if __name__ == "__main__":
    main()
