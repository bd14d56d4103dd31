"""What only shows when all workers of an edge are known. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from edgeworker.bindings import ServiceBinding
from edgeworker.config import Config, CustomDomain, Route, Worker
from edgeworker.errors import ConfigError
from edgeworker.routing import Resolver, origin_tls_of, parse_pattern
from wrangler_compat.config import Plan
from wrangler_compat.diagnostics import Diagnostics, Place
from wrangler_compat.zones import canonical_or_none


@dataclass(frozen=True, slots=True)
class Placed:
    """A route or a custom domain, and where it was written."""

    route: Route | CustomDomain
    place: Place


def check_names(plans: Iterable[Plan], diagnostics: Diagnostics) -> None:
    """Two workers of one account cannot have the same name."""
    places: dict[str, list[Place]] = {}
    for plan in plans:
        places.setdefault(plan.name, []).append(plan.document.place(("name",)))
    for name, found in places.items():
        if len(found) > 1:
            diagnostics.error(
                f'{len(found)} workers have the name "{name}": give each of them a "name" of its own.', *found
            )


def check_services(workers: Sequence[Worker], diagnostics: Diagnostics) -> None:
    """A service may run elsewhere, so that a missing one is an error only when it is used."""
    names = {worker.name for worker in workers}
    for worker in workers:
        for binding in worker.bindings:
            if isinstance(binding, ServiceBinding) and binding.worker not in names:
                diagnostics.warning(
                    f'The worker "{worker.name}" has the service "{binding.worker}" as env.{binding.name}, but no such '
                    "worker runs here: using it raises an error. Add its configuration with -c or in edge.toml.",
                    Place(worker.source),
                )


def check_routes(placed: Iterable[Placed], diagnostics: Diagnostics) -> tuple[list[Route], list[CustomDomain]]:
    """Tells of routes and custom domains that exist twice, and gives the others."""
    routes: list[Route] = []
    domains: list[CustomDomain] = []
    seen: dict[object, Placed] = {}
    for item in placed:
        match item.route:
            case Route() as route:
                twin = seen.setdefault((route.zone, parse_pattern(route.pattern).identity), item)
                if twin is item:
                    routes.append(route)
                    continue
                what = f'The route "{route.pattern}"'
            case CustomDomain() as domain:
                twin = seen.setdefault(canonical_or_none(domain.hostname) or domain.hostname, item)
                if twin is item:
                    domains.append(domain)
                    continue
                what = f'The custom domain "{domain.hostname}"'
        diagnostics.error(
            f"{what} exists twice, for the workers {_owner(twin)} and {_owner(item)}: one URL cannot run both, so "
            "remove one of them.",
            twin.place,
            item.place,
        )
    return routes, domains


def _owner(placed: Placed) -> str:
    return "none" if placed.route.worker is None else f'"{placed.route.worker}"'


def check_accounts(plans: Iterable[Plan], chosen: str, diagnostics: Diagnostics) -> None:
    """One edge is one account; another one in a worker's file has no effect."""
    for plan in plans:
        if plan.account_id is not None and plan.account_id != chosen:
            diagnostics.warning(
                f'The account_id "{plan.account_id}" of worker "{plan.name}" has no effect: this edge is of account '
                f'"{chosen}".',
                plan.document.place(("account_id",)),
            )


def check_default_worker(
    name: str | None, workers: Sequence[Worker], places: Mapping[str, Place], diagnostics: Diagnostics
) -> None:
    if name is not None and all(worker.name != name for worker in workers):
        listed = ", ".join(f'"{worker.name}"' for worker in workers) or "none"
        diagnostics.error(
            f'The default worker "{name}" does not exist. There are: {listed}.',
            places.get("default_worker", Place("edge.toml")),
        )


def check_whole(config: Config, diagnostics: Diagnostics) -> None:
    """The edge's own rules about zones and routes, for what the checks above do not know."""
    if diagnostics.has_errors:
        return
    try:
        Resolver(config)
        origin_tls_of(config)
    except ConfigError as error:
        diagnostics.error(str(error))
