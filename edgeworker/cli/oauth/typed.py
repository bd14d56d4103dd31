"""What a person types that must not be seen: a new password. It never comes from the command line's own words, which
other users of the machine can read, and which shells keep."""

import getpass
import sys

from edgeworker.errors import ConfigError


def new_password(whose: str) -> str:
    """Asked for twice on a terminal; else the first line of standard input.

    Raises:
        ConfigError: the two differ, or there is none.
    """
    if not sys.stdin.isatty():
        password = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
        if not password:
            raise ConfigError("no password came on standard input; write it as the first line")
        return password
    password = getpass.getpass(f"Password for {whose}: ")
    if not password:
        raise ConfigError("a password is needed")
    if getpass.getpass("The same again: ") != password:
        raise ConfigError("the two passwords differ; nothing was written")
    return password
