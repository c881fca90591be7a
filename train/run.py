"""Train: python train/run.py task=joint model=mini data=newsroom"""

from govorit.cli.train import main

if __name__ == "__main__":
    main()
