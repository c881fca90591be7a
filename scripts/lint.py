"""List every problem of annotated articles: python scripts/lint.py data/newsroom"""

from govorit.cli.lint import main

if __name__ == "__main__":
    main()
