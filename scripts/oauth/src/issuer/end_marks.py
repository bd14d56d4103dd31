"""Ends all sessions and grants of a user at once. Pure but for randomness.

A mark is a text in USERS (`oauth users` writes it) or in ATOMIC (the auth worker does). Its digest is a part of the
user's epoch. Each session, code, grant, access token and consent remembers the epoch in which it began, and is void
once there is a mark that it did not begin under. So nothing has to be found and deleted, which on an eventually
consistent KV could miss the newest entries, and no late writer can undo it. A comparison of times would need clocks
that agree, and would not order two events of one second.
"""

import json
import secrets
from typing import Final

from issuer import digests

MAX_LENGTH: Final = 1024


def key(user_id: str) -> str:
    """Of the mark, in USERS and in ATOMIC."""
    return "end:" + user_id


def new(*, now: int) -> str:
    """A mark that no session or grant began under. `now`, in epoch seconds, is for people who read it."""
    return json.dumps({"t": "end", "at": now, "id": secrets.token_urlsafe(16)}, separators=(",", ":"))


def epoch(*marks: str | None) -> str:
    """The epoch while these are the marks, the one of USERS first. None: there is no mark."""
    return ".".join("" if mark is None else digests.digest(mark) for mark in marks)


def for_client(began: str, registration: str) -> str:
    """The epoch of what a client was given, with the registration that it had: see `is_of`."""
    return ".".join((*_user_marks(began), registration)) if registration else began


def is_of(began: str, registration: str) -> bool:
    """Whether it was given to this registration of its client. One that was deleted and registered again is another."""
    return began.split(".")[2:] == ([registration] if registration else [])


def _user_marks(began: str) -> tuple[str, str]:
    first, _, rest = began.partition(".")
    return first, rest.partition(".")[0]


def is_void(began: str, current: str) -> bool:
    """Whether what began in the epoch `began` is over in the epoch `current`.

    A mark of ATOMIC that expired ends nothing: it lives as long as anything that began before it.
    """
    before, marks = began.split("."), current.split(".")
    before += [""] * (len(marks) - len(before))
    return any(mark and mark != other for mark, other in zip(marks, before, strict=False))
