"""`python -m edgeworker`: the command line."""

from edgeworker.cli import main
from edgeworker.cli.one_file import supervise

if __name__ == "__main__":
    supervise()
    main()
