"""Read articles in a browser and over HTTP: python scripts/serve.py --model outputs/RUN"""

from govorit.cli.serve import main

if __name__ == "__main__":
    main()
