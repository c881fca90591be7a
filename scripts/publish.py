"""Publish a finished run, with its card: python scripts/publish.py outputs/RUN --to FOLDER --check"""

from govorit.cli.publish import main

if __name__ == "__main__":
    main()
