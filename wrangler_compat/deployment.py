"""What works here and fails, or does something else, once it is deployed. Pure."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Final

from edgeworker.bindings import DurableObjectBinding, UnsupportedBinding
from edgeworker.bindings.durable_object.wrangler import KIND_NAME as DURABLE_OBJECT
from edgeworker.config import Config, Route, Worker
from edgeworker.routing import parse_pattern
from edgeworker.schema.diagnostics import Diagnostics, SourceLocation

_PLACEHOLDER: Final = re.compile(r"/:[A-Za-z_]\w*|/\{\w+\}|/\[\w+\]")


def check_deployment(config: Config, today: date, diagnostics: Diagnostics) -> None:
    """Tells warnings. `today` is the date in UTC."""
    for worker in config.workers:
        _check_date(worker, today, diagnostics)
        _check_bindings(worker, diagnostics)
    for route in config.routes:
        _check_route(route, config.routes, diagnostics)


def _check_date(worker: Worker, today: date, diagnostics: Diagnostics) -> None:
    try:
        dated = date.fromisoformat(worker.compatibility_date or "")
    except ValueError:
        return
    if dated > today:
        diagnostics.warning(
            f'The compatibility_date "{dated}" of worker "{worker.name}" is in the future: deploying refuses it. Use '
            f'"{today}" or a day before.',
            SourceLocation(worker.source),
        )


def _check_bindings(worker: Worker, diagnostics: Diagnostics) -> None:
    for binding in worker.bindings:
        match binding:
            case UnsupportedBinding():
                kind = binding.kind
            case DurableObjectBinding() if not worker.is_javascript:
                kind = DURABLE_OBJECT
            case _:  # which engine runs a worker in JavaScript says more of its Durable Objects
                continue
        diagnostics.warning(
            f'env.{binding.name} of worker "{worker.name}" is a binding of a kind that is not emulated '
            f"({kind}): using it here raises an error.",
            SourceLocation(worker.source),
        )


def _check_route(route: Route, routes: Iterable[Route], diagnostics: Diagnostics) -> None:
    location = SourceLocation(route.source)
    if placeholder := _PLACEHOLDER.search(route.pattern):
        diagnostics.warning(
            f'The route "{route.pattern}" matches the text "{placeholder[0]}" only: routes have no placeholders. Use '
            f'"{route.pattern[: placeholder.start()]}/*".',
            location,
        )
        return
    pattern = parse_pattern(route.pattern)
    if pattern.any_path or pattern.path != "/":
        return
    base = route.pattern.removesuffix("/")
    whole = parse_pattern(f"{base}/*").identity
    if all(parse_pattern(other.pattern).identity != whole for other in routes):
        diagnostics.warning(
            f'The route "{route.pattern}" matches only the path "/", without a query: "{base}/orders" does not run its '
            f'worker. Use "{base}/*" for all paths.',
            location,
        )
