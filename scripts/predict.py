"""Read articles, who is named and who said what: python scripts/predict.py seeds/almaty-2017.txt --to text"""

from govorit.cli.predict import main

if __name__ == "__main__":
    main()
