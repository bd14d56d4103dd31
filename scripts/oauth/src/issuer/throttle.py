"""How long somebody who guesses passwords has to wait. Pure: `now` is in epoch seconds.

Failures count for an account as seen from one address, so that a stranger cannot lock a person out, and for an address
over all accounts, so that trying one password on many of them ends too.
"""

import ipaddress
import json
import math
from dataclasses import dataclass
from typing import Final

from issuer import hashes

FREE_FAILURES: Final = 5
FREE_FAILURES_OF_ADDRESS: Final = 50
FIRST_WAIT_SECONDS: Final = 15
LONGEST_WAIT_SECONDS: Final = 900
FORGOTTEN_SECONDS: Final = 3600  # after the last failure

# As many are remembered in one isolate; then the oldest are forgotten, which only makes the limit milder.
_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Failures:
    count: int = 0
    last_at: int = 0

    def wait_seconds(self, *, free: int, now: int) -> int:
        """0 for who may try: after the free failures the wait doubles with each further one."""
        if self.count < free or now >= self.last_at + FORGOTTEN_SECONDS:
            return 0
        backoff = min(FIRST_WAIT_SECONDS * 2 ** min(self.count - free, 20), LONGEST_WAIT_SECONDS)
        return max(0, math.ceil(self.last_at + backoff - now))

    def more(self, *, now: int) -> "Failures":
        forgotten = now >= self.last_at + FORGOTTEN_SECONDS
        return Failures(1 if forgotten else self.count + 1, now)


def dump(failures: Failures) -> str:
    return json.dumps({"t": "failures", "count": failures.count, "last_at": failures.last_at})


def load(text: str | None) -> Failures:
    """None, and what is no such record, is no failure yet."""
    try:
        kept = json.loads(text or "{}")
        if kept.get("t") == "failures" and type(kept["count"]) is type(kept["last_at"]) is int:
            return Failures(kept["count"], kept["last_at"])
    except (ValueError, AttributeError, KeyError, RecursionError):
        pass
    return Failures()


def account_key(email: str, address: str | None) -> str:
    """In TOKENS. `email` is what was typed, of a known account or not."""
    return "l:" + hashes.joined("account", email, network(address))


def address_key(address: str | None) -> str:
    return "l:" + hashes.joined("address", network(address))


def network(address: str | None) -> str:
    """An IPv6 client has a whole /64 to choose its address from, so that counts as one."""
    if address is None or ":" not in address:
        return address or ""
    try:
        return ipaddress.IPv6Address(address.partition("%")[0]).exploded[:19]
    except ValueError:
        return address


class Attempts:
    """What this isolate has seen. It counts before a password is checked, so many at once are not all free."""

    def __init__(self) -> None:
        self._failures: dict[str, Failures] = {}

    def wait_seconds(self, key: str, *, free: int, now: int) -> int:
        return self._failures.get(key, Failures()).wait_seconds(free=free, now=now)

    def begin(self, key: str, kept: Failures, *, now: int) -> Failures:
        """Counts one more failure, which `succeed` takes back. `kept` is what storage knows of earlier ones."""
        known = self._failures.pop(key, Failures())
        failures = max(known, kept, key=lambda found: (found.last_at, found.count)).more(now=now)
        while len(self._failures) >= _REMEMBERED:
            del self._failures[next(iter(self._failures))]
        self._failures[key] = failures
        return failures

    def take_back(self, key: str) -> Failures:
        """One that was counted was none."""
        known = self._failures.get(key, Failures(1))
        self._failures[key] = Failures(max(0, known.count - 1), known.last_at)
        return self._failures[key]

    def succeed(self, key: str) -> None:
        self._failures.pop(key, None)
