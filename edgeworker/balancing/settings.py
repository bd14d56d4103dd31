"""A load balancer as edge.toml has it: origins, how their health is found out, and how long they may take. Pure.

The words are Cloudflare's: https://developers.cloudflare.com/load-balancing/
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from edgeworker.schema import fields as schema
from edgeworker.schema.value_types import (
    BASE_URL,
    BOOLEAN,
    POSITIVE,
    SECONDS,
    SERVER_NAME,
    STATUSES,
    TARGET,
    WHOLE,
    WILDCARD_HOST,
    one_of,
)
from edgeworker.schema.wrangler_checks import FieldContext


@dataclass(frozen=True, slots=True)
class OriginTimeouts:
    """In seconds. `first_byte` runs from the end of what was sent, `idle` from one piece of the answer to the next."""

    connect: float
    first_byte: float
    idle: float


@dataclass(frozen=True, slots=True)
class OriginServer:
    """One of a load balancer's origins."""

    url: str = field(metadata=schema.key(BASE_URL, "the base URL of the server"))
    weight: int = schema.setting(1, POSITIVE, "its share of the requests, beside the weights of the others")
    backup: bool = schema.setting(False, BOOLEAN, "`true`: used only while no other one is healthy")
    enabled: bool = schema.setting(True, BOOLEAN, "`false`: it gets no requests and no checks")
    max_connections: int | None = schema.setting(
        None, POSITIVE, "requests under way at the same time, in all processes; default: no limit"
    )


@dataclass(frozen=True, slots=True)
class HealthMonitor:
    """Active checks: one process asks each origin again and again, and tells the others."""

    path: str = schema.setting("/", TARGET, "what is asked for")
    method: Literal["GET", "HEAD"] = schema.setting("GET", one_of("GET", "HEAD"), "")
    expected_status: str = schema.setting("2xx", STATUSES, "what a healthy origin answers")
    host: str | None = schema.setting(
        None, SERVER_NAME, "the Host of the check; default: the load balancer's, else the name of the zone"
    )
    interval_seconds: float = schema.setting(10.0, SECONDS, "from one check of an origin to its next, 1 at least")
    timeout_seconds: float = schema.setting(5.0, SECONDS, "for the whole check")
    consecutive_down: int = schema.setting(2, POSITIVE, "failed checks in a row until it is unhealthy")
    consecutive_up: int = schema.setting(2, POSITIVE, "good checks in a row until it is healthy again")


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """Several origins behind one host of a zone, or behind all of them.

    `name` is unique in an edge and made by `edgeworker.routing.Zones`. Of the timeouts, None is as `[outbound]` says.
    """

    origins: tuple[OriginServer, ...] = field(metadata=schema.tables(OriginServer, "the servers"))
    host: str = schema.setting(
        "", WILDCARD_HOST, "the host it is for, or `*.` and a domain; default: every host that has no other origin"
    )
    monitor: HealthMonitor | None = field(
        default=None,
        metadata=schema.table(HealthMonitor, "active checks; without the table only requests tell who is healthy"),
    )
    connect_timeout_seconds: float | None = schema.setting(None, SECONDS, "default: that of `[outbound]`")
    first_byte_timeout_seconds: float | None = schema.setting(
        None, SECONDS, "until the head of the answer; default: `outbound.response_timeout_seconds`"
    )
    idle_timeout_seconds: float | None = schema.setting(
        None, SECONDS, "between two pieces of an answer; default: `outbound.response_timeout_seconds`"
    )
    total_timeout_seconds: float | None = schema.setting(
        None, SECONDS, "for a request with its retries, up to the last byte; default: no limit"
    )
    retries: int = schema.setting(
        1, WHOLE, "other origins that are asked where one failed and nothing can have happened twice"
    )
    max_failures: int = schema.setting(
        3, WHOLE, "failed requests in a row until a process leaves an origin alone; 0: requests tell nothing"
    )
    fail_seconds: float = schema.setting(10.0, SECONDS, "for that long")
    name: str = ""
    zone: str = ""

    def __str__(self) -> str:
        return f"load balancer {self.name} ({', '.join(server.url for server in self.origins)})"

    def check_table(self, context: FieldContext, written: Mapping[str, object]) -> None:
        urls = [server.url for server in self.origins]
        where = context.key("origins")
        if not any(server.enabled for server in self.origins):
            where.error(
                f'"{context.label}.origins" has no origin that is enabled: write [[zones.load_balancers.origins]].'
            )
        for index, url in enumerate(urls):
            if url in urls[:index]:
                where.item(index).key("url").error(f'The origin "{url}" stands twice: remove one, or give it a weight.')
        monitor = self.monitor
        if monitor is not None and monitor.interval_seconds < MIN_INTERVAL_SECONDS:
            context.key("monitor").key("interval_seconds").error(
                f'"interval_seconds" must be {MIN_INTERVAL_SECONDS:g} at least, not {monitor.interval_seconds:g}.'
            )


MIN_INTERVAL_SECONDS: Final = 1.0


def is_expected(statuses: str, status: int) -> bool:
    """Whether a text such as "2xx" or "200, 204" means this status."""
    return any(part.strip().lower() in (str(status), f"{status // 100}xx") for part in statuses.split(","))
