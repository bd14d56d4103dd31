"""`python -m edgeworker`: the command line."""

from edgeworker.cli import main
from edgeworker.cli.one_file import supervise
from edgeworker.cli.standard_streams import open_missing_streams

if __name__ == "__main__":
    open_missing_streams()
    supervise()
    main()
