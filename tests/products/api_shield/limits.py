"""Rate limits of tests."""

from edgeworker.products.api_shield.compiled import CompiledRateLimit, compile_shield
from edgeworker.products.api_shield.config import RateLimitRule, ShieldConfig


def compiled_limit(rule: RateLimitRule) -> CompiledRateLimit:
    (limit,) = compile_shield(ShieldConfig(rate_limits=(rule,))).rate_limits
    return limit
