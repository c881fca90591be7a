"""Put runs side by side: python scripts/compare.py outputs/SWEEP --out comparison/"""

from govorit.cli.compare import main

if __name__ == "__main__":
    main()
