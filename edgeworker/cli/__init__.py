"""The command line. One module a command; this one only names them."""

import sys


def main() -> None:
    sys.exit("edgeworker: no command yet")
