"""`python -m edgeworker`: the command line."""

from edgeworker.cli import main

if __name__ == "__main__":
    main()
