"""Ray ids: the name of one request, in its answer, in the access log and for `edgeworker explain`."""

import os
import re
import secrets
from typing import Final

# Stands where Cloudflare names the data centre.
COLO: Final = "LOC"
_RAY_DIGITS: Final = 16
_AT_ONCE: Final = 256
_RAY: Final = re.compile(r"([0-9a-f]{16})(?:-[A-Za-z]{3})?")


class _Digits:
    """Random digits, taken from the system for many rays at once: asking takes longer than the rest of it."""

    __slots__ = ("_at", "_digits")

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._digits = ""
        self._at = 0

    def take(self) -> str:
        begin = self._at
        if begin >= len(self._digits):
            self._digits = secrets.token_hex(_AT_ONCE * _RAY_DIGITS // 2)
            begin = 0
        self._at = begin + _RAY_DIGITS
        return self._digits[begin : self._at]


_digits: Final = _Digits()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_digits.forget)  # else two processes would have the same rays


def new_ray() -> str:
    return f"{_digits.take()}-{COLO}"


def parse_ray(text: str) -> str | None:
    """A ray id as a person writes it, with or without its end; None for what is none."""
    found = _RAY.fullmatch(text.strip().lower())
    return None if found is None else f"{found[1]}-{COLO}"
