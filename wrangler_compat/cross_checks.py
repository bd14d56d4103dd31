"""What only shows when all workers of an edge are known. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from edgeworker.bindings import ServiceBinding
from edgeworker.config import Config, CustomDomain, Route, Worker
from edgeworker.errors import ConfigError
from edgeworker.routing import Resolver, origin_tls_of, parse_pattern
from edgeworker.schema.diagnostics import Diagnostics, SourceLocation
from edgeworker.suggestions import did_you_mean
from wrangler_compat.config import ParsedWorker
from wrangler_compat.zones import canonical_or_none


@dataclass(frozen=True, slots=True)
class LocatedRoute:
    """A route or a custom domain, and where it was written."""

    route: Route | CustomDomain
    location: SourceLocation


def check_names(parsed_workers: Iterable[ParsedWorker], diagnostics: Diagnostics) -> None:
    """Two workers of one account cannot have the same name."""
    locations: dict[str, list[SourceLocation]] = {}
    for parsed in parsed_workers:
        locations.setdefault(parsed.name, []).append(parsed.document.locate(("name",)))
    for name, found in locations.items():
        if len(found) > 1:
            diagnostics.error(
                f'{len(found)} workers have the name "{name}": give each of them a "name" of its own.', *found
            )


def check_services(workers: Sequence[Worker], diagnostics: Diagnostics) -> None:
    """A service may run elsewhere, so that a missing one is an error only when it is used."""
    names = {worker.name for worker in workers}
    add = " Add its configuration with -c or in edge.toml."
    for worker in workers:
        for binding in worker.bindings:
            if isinstance(binding, ServiceBinding) and binding.worker not in names:
                diagnostics.warning(
                    f'The worker "{worker.name}" has the service "{binding.worker}" as env.{binding.name}, but no such '
                    f"worker runs here: using it raises an error.{did_you_mean(binding.worker, names) or add}",
                    SourceLocation(worker.source),
                )


def check_routes(located: Iterable[LocatedRoute], diagnostics: Diagnostics) -> tuple[list[Route], list[CustomDomain]]:
    """Tells of routes and custom domains that exist twice, and gives the others."""
    routes: list[Route] = []
    domains: list[CustomDomain] = []
    seen: dict[object, LocatedRoute] = {}
    for item in located:
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
            twin.location,
            item.location,
        )
    return routes, domains


def _owner(located: LocatedRoute) -> str:
    return "none" if located.route.worker is None else f'"{located.route.worker}"'


def check_accounts(parsed_workers: Iterable[ParsedWorker], chosen: str, diagnostics: Diagnostics) -> None:
    """One edge is one account; another one in a worker's file has no effect."""
    for parsed in parsed_workers:
        account_id = parsed.settings.account_id
        if account_id is not None and account_id != chosen:
            diagnostics.warning(
                f'The account_id "{account_id}" of worker "{parsed.name}" has no effect: this edge is of '
                f'account "{chosen}".',
                parsed.document.locate(("account_id",)),
            )


def check_default_worker(
    name: str | None, workers: Sequence[Worker], locations: Mapping[str, SourceLocation], diagnostics: Diagnostics
) -> None:
    if name is not None and all(worker.name != name for worker in workers):
        listed = ", ".join(f'"{worker.name}"' for worker in workers) or "none"
        diagnostics.error(
            f'The default worker "{name}" does not exist. There are: {listed}.',
            locations.get("default_worker", SourceLocation("edge.toml")),
        )


def check_whole(config: Config, diagnostics: Diagnostics) -> None:
    """The edge's own rules about zones and routes, for what the checks above do not know."""
    if diagnostics.has_errors:
        return
    try:
        resolver = Resolver(config)
        origin_tls_of(config)
    except ConfigError as error:
        diagnostics.error(str(error))
        return
    _check_split_tokens(config, resolver, diagnostics)


def _check_split_tokens(config: Config, resolver: Resolver, diagnostics: Diagnostics) -> None:
    for zone in config.zones:
        if not zone.products:
            continue
        # What API Shield is made of is loaded only where a zone has it.
        from edgeworker.products.api_shield.tables import shield_of

        shield = shield_of(zone)
        if shield is None:
            continue
        from edgeworker.products.api_shield.linting import lint_split_tokens
        from edgeworker.products.api_shield.split_token_routes import find_split_token_routes

        for finding in lint_split_tokens(shield, find_split_token_routes(config, resolver, shield)):
            diagnostics.warning(f"{zone.name}: {finding.text}.")
