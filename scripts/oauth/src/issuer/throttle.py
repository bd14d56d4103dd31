"""How long somebody who guesses passwords has to wait. Pure: `now` is in epoch seconds.

Failures count for an account as seen from one address, so that a stranger cannot lock a person out, and for an address
over all accounts, so that trying one password on many of them ends too.
"""

import ipaddress
import json
from dataclasses import asdict, dataclass, replace
from typing import Final

from issuer import hashes

FREE_FAILURES: Final = 5
FIRST_WAIT_SECONDS: Final = 15
LONGEST_WAIT_SECONDS: Final = 900
FORGOTTEN_SECONDS: Final = 3600  # after the last failure

# Many people may share an address, so there it is only a number for a time, and not more for each further failure.
FAILURES_OF_ADDRESS: Final = 50
WINDOW_SECONDS: Final = 600

# As many are remembered in one isolate; then the oldest are forgotten, which only makes the limit milder.
_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Failures:
    """`since` is when the first of them was, `last_at` the last."""

    count: int = 0
    since: int = 0
    last_at: int = 0

    def more(self, *, now: int) -> "Failures":
        return Failures(self.count + 1, self.since if self.count else now, now)


@dataclass(frozen=True, slots=True)
class Limit:
    """What is counted under a key of TOKENS, and whether the wait doubles."""

    key: str
    doubles: bool

    def still(self, failures: Failures, *, now: int) -> Failures:
        """What is not forgotten of them."""
        end = failures.last_at + FORGOTTEN_SECONDS if self.doubles else failures.since + WINDOW_SECONDS
        return failures if now < end else Failures()

    def wait_seconds(self, failures: Failures, *, now: int) -> int:
        """0 for who may try."""
        counted = self.still(failures, now=now)
        if not self.doubles:
            return counted.since + WINDOW_SECONDS - now if counted.count >= FAILURES_OF_ADDRESS else 0
        if counted.count < FREE_FAILURES:
            return 0
        backoff = min(FIRST_WAIT_SECONDS * 2 ** min(counted.count - FREE_FAILURES, 20), LONGEST_WAIT_SECONDS)
        return max(0, counted.last_at + backoff - now)


def dump(failures: Failures) -> str:
    return json.dumps({"t": "failures", **asdict(failures)})


def load(text: str | None) -> Failures:
    """None, and what is no such record, is no failure yet."""
    try:
        kept = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return Failures()
    match kept:
        case {"t": "failures", "count": int(count), "since": int(since), "last_at": int(last_at)}:
            return Failures(count, since, last_at)
    return Failures()


def limits(email: str, address: str | None) -> list[Limit]:
    """The account's first. `email` is what was typed, of a known account or not."""
    seen_from = network(address)
    found = [Limit("l:" + hashes.joined("account", email, seen_from), doubles=True)]
    if seen_from:
        found.append(Limit("l:" + hashes.joined("address", seen_from), doubles=False))
    return found


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

    def wait_seconds(self, limit: Limit, kept: Failures, *, now: int) -> int:
        """`kept` is what storage knows; whichever knows more decides."""
        known = self._failures.get(limit.key, Failures())
        return max(limit.wait_seconds(known, now=now), limit.wait_seconds(kept, now=now))

    def begin(self, limit: Limit, kept: Failures, *, now: int) -> Failures:
        """Counts one more failure, which `take_back` undoes."""
        known = self._failures.pop(limit.key, Failures())
        failures = limit.still(max(known, kept, key=lambda found: found.count), now=now).more(now=now)
        while len(self._failures) >= _REMEMBERED:
            del self._failures[next(iter(self._failures))]
        self._failures[limit.key] = failures
        return failures

    def take_back(self, limit: Limit) -> None:
        """One that was counted was none."""
        known = self._failures.get(limit.key, Failures())
        self._failures[limit.key] = replace(known, count=max(0, known.count - 1))

    def forget(self, limit: Limit) -> None:
        self._failures.pop(limit.key, None)
