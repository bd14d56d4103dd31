"""Asks before what cannot be undone."""

import sys


def confirm(question: str) -> bool:
    """What the person says; yes if there is no terminal, as wrangler does."""
    if not is_terminal():
        return True
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def is_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()
