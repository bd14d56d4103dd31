"""A rate limit's configuration. Pure."""

from dataclasses import dataclass

from edgeworker.config import Binding


@dataclass(frozen=True, slots=True)
class RateLimitBinding(Binding):
    """`env.<name>.limit({"key": ...})` succeeds `limit` times in each period of `period_seconds` for one key.

    Bindings with the same `namespace_id` count together, in all processes.
    """

    namespace_id: str
    limit: int
    period_seconds: int
