"""Measure how far two annotators agree: python scripts/agreement.py anna.jsonl boris_brat/"""

from govorit.cli.agreement import main

if __name__ == "__main__":
    main()
