"""Prints the routes, or why a URL goes where it goes.

Without URL: every route in the order in which they win, and what comes after routes. With URL: what answers it, each
route that was asked with the reason why it won or lost, and the steps behind the routes. Nothing is sent anywhere.

examples:
  edgeworker routes
  edgeworker routes https://api.example.com/orders?page=2
  edgeworker routes -c a/wrangler.toml -c b/wrangler.toml --json
"""

import argparse
import json
import sys

from edgeworker.cli.diagnostics import show_warnings
from edgeworker.cli.options import add_config_options, load_options
from edgeworker.cli.output import Output
from edgeworker.cli.startup import engine_lines, zone_rows
from edgeworker.config import JSON, Config, Route
from edgeworker.errors import ConfigError
from edgeworker.messages import URL, InvalidURL
from edgeworker.routing import (
    Explanation,
    LostTo,
    NoMatch,
    Resolution,
    Resolver,
    RunWorker,
    ToOrigin,
    Verdict,
    Won,
    parse_pattern,
)


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", nargs="?", metavar="URL", help="the URL to explain; http:// if it names no scheme")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_config_options(parser)


def run(options: argparse.Namespace) -> int:
    from wrangler_compat import load

    loaded = load(load_options(options))
    config = loaded.require()
    show_warnings(Output.for_stream(sys.stderr), loaded.diagnostics)
    resolver = Resolver(config)
    out = Output.for_stream()
    if options.url is None:
        if options.json:
            out.line(json.dumps(table_as_json(config, resolver), ensure_ascii=False))
        else:
            show_table(out, config, resolver)
            _show_engines(out, config)
        return 0
    explanation = resolver.explain(_url(options.url))
    if options.json:
        out.line(json.dumps(explanation_as_json(explanation), ensure_ascii=False))
    else:
        show_explanation(out, explanation)
        _show_engines(out, config)
    return 0


def _show_engines(out: Output, config: Config) -> None:
    lines = engine_lines(config)
    if lines:
        out.line()
    for line in lines:
        out.prose(line)


def show_table(out: Output, config: Config, resolver: Resolver) -> None:
    ranked = _rank_routes(resolver)
    has_zones = len({route.zone for route, _ in ranked}) > 1
    routes = [
        [
            route.pattern,
            route.worker or "(none: to the origin)",
            *([route.zone or "(any)"] if has_zones else []),
            route.source,
        ]
        for route, _ in ranked
    ]
    out.table(["route, the winner first", "worker", *(["zone"] if has_zones else []), "written in"], routes)
    if not routes:
        out.prose("There are no routes.")
    out.line()
    out.prose("What no route takes goes, in this order, to:")
    behind = [["custom domain", domain.hostname, f"worker {domain.worker}"] for domain in config.custom_domains]
    behind += [["workers.dev", host, f"worker {worker}"] for host, worker in resolver.workers_dev.items()]
    if config.default_worker is not None:
        hosts = "every host" if config.default_on_every_host else "localhost, *.localhost"
        behind.append(["default worker", hosts, f"worker {config.default_worker}"])
    behind += [["origin", name.strip(), origin] for name, _, origin in zone_rows(config)]
    if config.origin is None:
        behind.append(["origin", "(every other host)", "(none: an error page)"])
    out.table(["", "host", "answered by"], behind)


def show_explanation(out: Output, explanation: Explanation) -> None:
    out.heading(f"{explanation.url}  →  {_answer(explanation.resolution)}")
    out.line()
    rows = [
        [verdict.route.pattern, verdict.route.worker or "(none)", str(verdict.pattern.specificity), _outcome(verdict)]
        for verdict in explanation.verdicts
    ]
    won = next((n for n, verdict in enumerate(explanation.verdicts) if isinstance(verdict.outcome, Won)), None)
    out.table(["route", "worker", "specificity", "for this URL"], rows, marked=won)
    if not rows:
        out.line("No route was asked.")
    if explanation.elsewhere:
        others = ", ".join(f"{route.pattern} (zone {route.zone})" for route in explanation.elsewhere)
        out.note(f"not asked, of other zones: {others}")
    out.line()
    for number, step in enumerate(explanation.steps, start=1):
        last = number == len(explanation.steps)
        text = f"{number}. {step.place}: {step.found}"
        out.prose(f"  {out.style(text, 'green') if last else text}", hanging=3)


def table_as_json(config: Config, resolver: Resolver) -> dict[str, JSON]:
    return {
        "routes": [{**_route(route), "specificity": specificity} for route, specificity in _rank_routes(resolver)],
        "custom_domains": [
            {"hostname": domain.hostname, "worker": domain.worker, "zone": domain.zone, "source": domain.source}
            for domain in config.custom_domains
        ],
        "workers_dev": [{"hostname": host, "worker": worker} for host, worker in resolver.workers_dev.items()],
        "default_worker": config.default_worker,
        "default_on_every_host": config.default_on_every_host,
        "zones": [
            {
                "name": zone.name,
                "id": zone.id,
                "origin": zone.origin,
                "origins": dict(zone.origins),
                "load_balancers": {each.name: [server.url for server in each.origins] for each in zone.load_balancers},
            }
            for zone in resolver.zones
        ],
        "origin": config.origin,
        "javascript": list(engine_lines(config)),
    }


def explanation_as_json(explanation: Explanation) -> dict[str, JSON]:
    return {
        "url": explanation.url.href,
        "answer": _answer_as_json(explanation.resolution),
        "routes": [_verdict_as_json(verdict) for verdict in explanation.verdicts],
        "not_asked": [_route(route) for route in explanation.elsewhere],
        "steps": [{"place": step.place, "found": step.found} for step in explanation.steps],
    }


def _url(text: str) -> URL:
    try:
        return URL.parse(text if "://" in text else f"http://{text}")
    except InvalidURL as error:
        raise ConfigError(f'{error}; write one such as "https://api.example.com/orders"') from error


def _rank_routes(resolver: Resolver) -> list[tuple[Route, int]]:
    """(route, specificity) in ranking order. Routes of two zones never compete; here they stand in one list."""
    parsed = sorted(((parse_pattern(route.pattern), route) for route in resolver.routes), key=lambda pair: pair[0].rank)
    return [(route, pattern.specificity) for pattern, route in parsed]


def _answer(resolution: Resolution) -> str:
    match resolution:
        case RunWorker(worker, by):
            return f"worker {worker} (by {by})"
        case ToOrigin(_, None):
            return f"an error page: no origin is configured ({resolution.why})"
        case ToOrigin(_, origin):
            return f"origin {origin} ({resolution.why})"


def _answer_as_json(resolution: Resolution) -> dict[str, JSON]:
    zone = None if resolution.zone is None else resolution.zone.name
    route = None if resolution.route is None else resolution.route.pattern
    match resolution:
        case RunWorker(worker, by):
            return {"kind": "worker", "worker": worker, "by": by, "zone": zone, "route": route}
        case ToOrigin(_, origin):
            return {
                "kind": "origin",
                "origin": None if origin is None else str(origin),
                "why": resolution.why,
                "zone": zone,
                "route": route,
            }


def _outcome(verdict: Verdict) -> str:
    match verdict.outcome:
        case Won():
            return "wins"
        case LostTo(winner):
            return f"matches, but loses to {winner.pattern}"
        case NoMatch("query"):
            return "does not match: the query (a path without * at its end matches none)"
        case NoMatch(because):
            return f"does not match: the {because}"


def _verdict_as_json(verdict: Verdict) -> dict[str, JSON]:
    outcome: dict[str, JSON]
    match verdict.outcome:
        case Won():
            outcome = {"outcome": "won"}
        case LostTo(winner):
            outcome = {"outcome": "lost", "lost_to": winner.pattern}
        case NoMatch(because):
            outcome = {"outcome": "no match", "because": because}
    return {**_route(verdict.route), "specificity": verdict.pattern.specificity, **outcome}


def _route(route: Route) -> dict[str, JSON]:
    return {"pattern": route.pattern, "worker": route.worker, "zone": route.zone, "source": route.source}
