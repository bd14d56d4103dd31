"""Active health checks: sends requests to the origins of load balancers that have a monitor, at intervals."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

from edgeworker.balancing.health import CheckResult, after_check
from edgeworker.balancing.settings import HealthMonitor, LoadBalancer, is_expected
from edgeworker.clock import Clock
from edgeworker.errors import OriginError
from edgeworker.messages import URL, Headers, Request
from edgeworker.server.balanced_origin import EDGE_HAS_NO_ROOM, BalancedServer

_log = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS: Final = 0.5  # for origins that a reload has added
_USER_AGENT: Final = "edgeworker-health-check"


async def check_for_ever(
    current: Callable[[], Sequence[BalancedServer]], clock: Clock, tell: Callable[[], None]
) -> None:
    """`current` gives the origins that are served now; `tell` is called after each check."""
    due: dict[tuple[str, str], float] = {}
    under_way: set[tuple[str, str]] = set()

    async def check(one: BalancedServer, key: tuple[str, str]) -> None:
        try:
            await check_once(one, clock)
        finally:
            under_way.discard(key)
        tell()

    async with asyncio.TaskGroup() as group:
        while True:
            now = clock.monotonic()
            monitored = {(one.balancer.name, one.server.url): one for one in current() if is_monitored(one)}
            for key in due.keys() - monitored.keys():
                del due[key]
            for key, one in monitored.items():
                if key in under_way or now < due.get(key, now):
                    continue
                assert one.balancer.monitor is not None
                due[key] = now + one.balancer.monitor.interval_seconds
                under_way.add(key)
                group.create_task(check(one, key))
            await clock.sleep(_LOOK_EVERY_SECONDS)


def is_monitored(one: BalancedServer) -> bool:
    return one.balancer.monitor is not None and one.server.enabled


async def check_once(one: BalancedServer, clock: Clock) -> None:
    """Check the origin, and record the result."""
    monitor, record = one.balancer.monitor, one.record
    if monitor is None:
        return
    begun = clock.monotonic()
    try:
        error = await _send_check(one, monitor)
    except OriginError as failure:
        _log.warning("origin %s cannot be checked: %s", record.url, failure)
        return
    now = clock.monotonic()
    before = record.health.checked_healthy
    result = CheckResult(clock.now(), now - begun, error)
    record.health = after_check(record.health, result, monitor, now=now)
    after = record.health.checked_healthy
    if after is False and before is not False:
        _log.warning("origin %s is unhealthy: %s", record.url, error)
    elif after and before is False:
        _log.info("origin %s is healthy again", record.url)


async def _send_check(one: BalancedServer, monitor: HealthMonitor) -> str | None:
    """What is wrong with the origin, or None. Raises OriginError where it is the edge that cannot ask."""
    url = URL.parse(f"{URL.parse(one.server.url).scheme}://{_choose_host(one.balancer, monitor)}{monitor.path}")
    request = Request(monitor.method, url, Headers([("accept", "*/*"), ("user-agent", _USER_AGENT)]))
    try:
        async with asyncio.timeout(monitor.timeout_seconds):
            response = await one.handler.fetch(request)
            await response.close()
    except TimeoutError:
        return f"no answer within {monitor.timeout_seconds:g} seconds"
    except OriginError as error:
        if error.status == EDGE_HAS_NO_ROOM:
            raise
        return str(error)
    if is_expected(monitor.expected_status, response.status):
        return None
    return f"answered {response.status}, not {monitor.expected_status}"


def _choose_host(balancer: LoadBalancer, monitor: HealthMonitor) -> str:
    if monitor.host is not None:
        return monitor.host
    return balancer.zone if not balancer.host or balancer.host.startswith("*.") else balancer.host
