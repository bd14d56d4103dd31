"""How long a login has to wait after failures. Pure: `now` is in epoch seconds.

Failures count for an account as seen from one network, so that a stranger cannot lock a person out, and for a network
over all accounts, so that trying one password on many accounts ends too.
"""

import json
from dataclasses import asdict, dataclass, replace
from typing import Final

from client_network import network_of
from issuer import digests

FREE_FAILURES: Final = 5
FIRST_WAIT_SECONDS: Final = 15
LONGEST_WAIT_SECONDS: Final = 900
FORGOTTEN_SECONDS: Final = 3600  # after the last failure

# Many people may share a network, so its limit is a number per window, and the wait does not grow.
FAILURES_OF_ADDRESS: Final = 50
WINDOW_SECONDS: Final = 600

# More than this in one isolate push out the oldest, which only makes the limit milder.
_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class LoginFailures:
    """`since` is the time of the first one, `last_at` of the last."""

    count: int = 0
    since: int = 0
    last_at: int = 0

    def more(self, *, now: int) -> "LoginFailures":
        return LoginFailures(self.count + 1, self.since if self.count else now, now)


@dataclass(frozen=True, slots=True)
class FailureLimit:
    """A count under a key of TOKENS, and whether the wait doubles."""

    key: str
    doubles: bool

    def still(self, failures: LoginFailures, *, now: int) -> LoginFailures:
        """The failures that still count."""
        end = failures.last_at + FORGOTTEN_SECONDS if self.doubles else failures.since + WINDOW_SECONDS
        return failures if now < end else LoginFailures()

    def wait_seconds(self, failures: LoginFailures, *, now: int) -> int:
        """0 if the next attempt is allowed."""
        counted = self.still(failures, now=now)
        if not self.doubles:
            return counted.since + WINDOW_SECONDS - now if counted.count >= FAILURES_OF_ADDRESS else 0
        if counted.count < FREE_FAILURES:
            return 0
        backoff = min(FIRST_WAIT_SECONDS << min(counted.count - FREE_FAILURES, 20), LONGEST_WAIT_SECONDS)
        return max(0, counted.last_at + backoff - now)


def dump(failures: LoginFailures) -> str:
    return json.dumps({"t": "failures", **asdict(failures)})


def load(text: str | None) -> LoginFailures:
    """No failures for None, and for text that is not such a record."""
    try:
        stored: object = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return LoginFailures()
    match stored:
        case {"t": "failures", "count": int(count), "since": int(since), "last_at": int(last_at)}:
            return LoginFailures(count, since, last_at)
        case _:
            return LoginFailures()


def limits(account: str, address: str | None) -> list[FailureLimit]:
    """The account's limit is the first. `account` is what was typed, whether the account exists or not."""
    seen_from = network_of(address)
    found = [FailureLimit("l:" + digests.digest_of_parts("account", account, seen_from), doubles=True)]
    if seen_from:
        found.append(FailureLimit("l:" + digests.digest_of_parts("address", seen_from), doubles=False))
    return found


class LoginAttempts:
    """The failures in this isolate. It counts before a password is checked, so parallel attempts are not all free."""

    def __init__(self) -> None:
        self._failures: dict[str, LoginFailures] = {}

    def wait_seconds(self, limit: FailureLimit, stored: LoginFailures, *, now: int) -> int:
        """`stored` is what KV knows; the larger count decides."""
        known = self._failures.get(limit.key, LoginFailures())
        return max(limit.wait_seconds(known, now=now), limit.wait_seconds(stored, now=now))

    def begin(self, limit: FailureLimit, stored: LoginFailures, *, now: int) -> LoginFailures:
        """Counts one more failure, which `take_back` undoes."""
        known = self._failures.pop(limit.key, LoginFailures())
        failures = limit.still(max(known, stored, key=lambda found: found.count), now=now).more(now=now)
        while len(self._failures) >= _REMEMBERED:
            del self._failures[next(iter(self._failures))]
        self._failures[limit.key] = failures
        return failures

    def take_back(self, limit: FailureLimit) -> None:
        """Undoes `begin`."""
        known = self._failures.get(limit.key, LoginFailures())
        self._failures[limit.key] = replace(known, count=max(0, known.count - 1))

    def forget(self, limit: FailureLimit) -> None:
        self._failures.pop(limit.key, None)
