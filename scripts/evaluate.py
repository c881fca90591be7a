"""Score a checkpoint against annotated articles: python scripts/evaluate.py data/newsroom/test.jsonl --model outputs/RUN"""

from govorit.cli.evaluate import main

if __name__ == "__main__":
    main()
