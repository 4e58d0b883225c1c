"""`python -m optiviz`."""

from optiviz.cli import main

if __name__ == "__main__":
    main()
