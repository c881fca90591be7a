"""Search for the settings that do best on dev: python scripts/tune.py --study outputs/tune/NAME 'trainer.epochs=range(2,9)'"""

from govorit.cli.tune import main

if __name__ == "__main__":
    main()
