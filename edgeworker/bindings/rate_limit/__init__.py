"""Rate limits: how often a script may do something for one key."""

from typing import TYPE_CHECKING, Final

from edgeworker.bindings.kind import Resources, make_kind
from edgeworker.bindings.rate_limit import wrangler
from edgeworker.bindings.rate_limit.binding import RateLimitBinding

if TYPE_CHECKING:
    from edgeworker.bindings.rate_limit.service import RateLimiter
    from edgeworker.runtime.contract.javascript import EnvEntry


def _service(binding: RateLimitBinding, resources: Resources) -> "RateLimiter":
    from edgeworker.bindings.rate_limit.service import RateLimiter

    return RateLimiter(binding, resources.rates, resources.clock)


def _python_view(binding: RateLimitBinding, service: "RateLimiter") -> object:
    from edgeworker.bindings.rate_limit.python_view import RateLimitView

    return RateLimitView(service, name=binding.name)


def _javascript_view(_binding: RateLimitBinding, service: "RateLimiter") -> "EnvEntry":
    from edgeworker.bindings.rate_limit.javascript_view import env_entry

    return env_entry(service)


KIND: Final = make_kind(
    RateLimitBinding,
    fields=(wrangler.FIELD,),
    read=wrangler.read_bindings,
    describe=lambda binding: ("Rate Limit", f"{binding.limit} requests/{binding.period_seconds}s"),
    annotate=lambda _binding: "RateLimit",
    service=_service,
    python=_python_view,
    javascript=_javascript_view,
)
