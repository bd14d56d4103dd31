"""When a written entry expires, as the REST API's clients say it. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from edgeworker.config import JSON
from edgeworker.kv.rules import MIN_TTL_SECONDS
from edgeworker.rest.errors import ApiError, KVCode

_INTEGER: Final = re.compile(r"-?[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Expiration:
    """`moment` in epoch seconds, `ttl_seconds` a duration, which wins. Neither: never."""

    moment: int | None
    ttl_seconds: int | None


def read(moment: JSON, ttl_seconds: JSON, *, now: int, relaxed: bool) -> Expiration:
    """From a query's texts or from JSON; an empty text is like none.

    A token's publisher sends the token's own expiry, which may be less than KV's 60 seconds ahead. Cloudflare refuses
    that; `relaxed` moves it to 60 seconds ahead, so such an entry outlives its token, whose `exp` the worker checks.

    Raises ApiError (10033, 10034) for what is not an integer. Whether it is far enough ahead is for KV's own rule.
    """
    seconds = _integer(ttl_seconds, "expiration_ttl", KVCode.INVALID_EXPIRATION_TTL)
    at = _integer(moment, "expiration", KVCode.INVALID_EXPIRATION)
    if relaxed:
        at = max(at, now + MIN_TTL_SECONDS) if at is not None and at > now else at
        seconds = max(seconds, MIN_TTL_SECONDS) if seconds is not None and seconds > 0 else seconds
    return Expiration(at, seconds)


def _integer(given: JSON, name: str, code: KVCode) -> int | None:
    match given:
        case None | "":
            return None
        case int() if not isinstance(given, bool):
            return given
        case float() if given.is_integer():
            return int(given)
        case str() if _INTEGER.fullmatch(given):
            return int(given)
        case _:
            raise ApiError(400, code, f"put: 'Invalid {name} of {given}. Please specify an integer.'")
