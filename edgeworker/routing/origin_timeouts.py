"""How long the origins of load balancers may take. Pure."""

from collections.abc import Mapping

from edgeworker.balancing.settings import LoadBalancer, OriginTimeouts
from edgeworker.config import Config, Outbound
from edgeworker.messages.url import URL, InvalidURL


def origin_timeouts_of(config: Config) -> Mapping[str, OriginTimeouts]:
    """By the origin's base URL in canonical form. Where two load balancers have one origin, the shorter time counts."""
    found: dict[str, OriginTimeouts] = {}
    for zone in config.zones:
        for balancer in zone.load_balancers:
            timeouts = _timeouts(balancer, config.outbound)
            for server in balancer.origins:
                try:
                    base = URL.parse(server.url).origin
                except InvalidURL:
                    continue  # connecting to it tells what is wrong
                other = found.get(base, timeouts)
                found[base] = OriginTimeouts(
                    min(timeouts.connect, other.connect),
                    min(timeouts.first_byte, other.first_byte),
                    min(timeouts.idle, other.idle),
                )
    return found


def _timeouts(balancer: LoadBalancer, outbound: Outbound) -> OriginTimeouts:
    return OriginTimeouts(
        balancer.connect_timeout_seconds or outbound.connect_timeout_seconds,
        balancer.first_byte_timeout_seconds or outbound.response_timeout_seconds,
        balancer.idle_timeout_seconds or outbound.response_timeout_seconds,
    )
