"""Take the picture of a report, or of any page: python scripts/pictures.py outputs/RUN/report.html --out report.png"""

from govorit.cli.pictures import main

if __name__ == "__main__":
    main()
