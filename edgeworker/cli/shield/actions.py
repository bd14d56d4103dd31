"""What the actions of `edgeworker shield` do."""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO
from uuid import uuid4

from edgeworker.cli.output import Output
from edgeworker.cli.shield.zones import ShieldZone, load_config, load_zones, one_zone, store_operations
from edgeworker.clock import SystemClock
from edgeworker.edge.cf import CfProperties
from edgeworker.errors import ConfigError
from edgeworker.messages import URL, Client, Headers, InvalidURL, Request
from edgeworker.products.api_shield.compiled import compile_shield
from edgeworker.products.api_shield.config import CustomRule, ValidationRule
from edgeworker.products.api_shield.explaining import explain_request, explanation_lines
from edgeworker.products.api_shield.linting import lint, lint_split_tokens
from edgeworker.products.api_shield.openapi import read_openapi
from edgeworker.products.api_shield.operations import Operation, OperationTable
from edgeworker.products.api_shield.split_token_routes import find_split_token_routes
from edgeworker.products.api_shield.traffic import AnsweredRequest, propose
from edgeworker.routing import Resolver

_MAX_DOCUMENT: Final = 10_000_000


def explain(options: argparse.Namespace) -> int:
    config = load_config(options, warn=False)
    request = _request(options)
    attached = CfProperties(config.cf).attach(request)
    request = attached if isinstance(attached, Request) else request
    zone = one_zone(load_zones(config, options), request.url.hostname)
    explanation = explain_request(zone.shield, request, now_ms=SystemClock().now_ms())
    out = Output.for_stream()
    for line in explanation_lines(explanation):
        out.line(line)
    return 0 if explanation.passes else 1


def lint_zones(options: argparse.Namespace) -> int:
    config = load_config(options, warn=False)
    out, found, resolver = Output.for_stream(), 0, Resolver(config)
    for zone in load_zones(config, options):
        routes_by_operation = find_split_token_routes(config, resolver, zone.shield)
        for finding in (*lint(zone.shield), *lint_split_tokens(zone.shield, routes_by_operation)):
            found += 1
            place = ".".join(str(part) for part in finding.place)
            out.line(f"{zone.zone.name}{f' {place}' if place else ''}: {finding.text}")
    if not found:
        out.ok("nothing is out of the ordinary")
    return 1 if found else 0


def show_rules(options: argparse.Namespace) -> int:
    out = Output.for_stream()
    for zone in load_zones(load_config(options, warn=True), options):
        compiled = compile_shield(zone.shield)
        out.heading(zone.zone.name)
        decided = [rule.rule.id for rule in compiled.rule_of.values()]
        rows = [
            [one.title, _action(one), str(decided.count(one.id)), _line(one.expression)] for one in zone.shield.rules
        ]
        out.table(["validation rule", "action", "operations", "acts where this is false"], rows)
        custom = [
            [one.description or "(no description)", _action(one), _line(one.expression)]
            for one in zone.shield.custom_rules
        ]
        if custom:
            out.table(["custom rule", "action", "acts where this is true"], custom)
    return 0


def _action(rule: ValidationRule | CustomRule) -> str:
    return rule.action if rule.enabled else "disabled"


def _line(expression: str) -> str:
    return " ".join(part.strip() for part in expression.splitlines())


def discover(options: argparse.Namespace) -> int:
    zone = one_zone(load_zones(load_config(options, warn=False), options))
    source = sys.stdin if options.log == "-" else _open(options.log)
    with source:
        requests = (one for one in _read_answered(source) if _belongs(one.host.partition(":")[0], zone))
        proposals = propose(requests, OperationTable(zone.shield.operations))
    chosen = [one for one in proposals if one.requests >= options.at_least]
    return _tell(zone, [(one.method, one.host, one.endpoint) for one in chosen], options)


def import_document(options: argparse.Namespace) -> int:
    import yaml

    zone = one_zone(load_zones(load_config(options, warn=False), options))
    with _open(options.document) as file:
        text = file.read(_MAX_DOCUMENT + 1)
    if len(text) > _MAX_DOCUMENT:
        raise ConfigError(f"{options.document} is larger than {_MAX_DOCUMENT} characters.")
    try:
        operations = read_openapi(yaml.safe_load(text), options.host)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise ConfigError(f"{options.document} cannot be read as OpenAPI: {error}") from None
    outside = [one for one in operations if not _belongs(one.host, zone)]
    if outside:
        name = zone.zone.name
        raise ConfigError(f"{outside[0].host} does not belong to the zone {name}; name hosts of it: --host api.{name}")
    known = {operation.key for operation in zone.shield.operations}
    keys = [(one.method, one.host, one.endpoint) for one in operations]
    return _tell(zone, [key for key in keys if key not in known], options)


def _tell(zone: ShieldZone, keys: list[tuple[str, str, str]], options: argparse.Namespace) -> int:
    """Prints them as edge.toml has them, or stores them."""
    out = Output.for_stream()
    if options.add:
        operations = [Operation(str(uuid4()), *key, last_updated=_timestamp()) for key in keys]
        asyncio.run(store_operations(zone.zone, operations, options))
        out.ok(f"{len(keys)} operations were added to {zone.zone.name}")
        return 0
    out.line("operations = [")
    for method, host, endpoint in keys:
        out.line(f"  {json.dumps(f'{method} {host}{endpoint}')},")
    out.line("]")
    return 0


def _timestamp() -> str:
    return datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _request(options: argparse.Namespace) -> Request:
    text = options.url if "://" in options.url else f"https://{options.url}"
    try:
        url = URL.parse(text).canonical()
        headers = Headers([_field(line) for text in options.header for line in _lines(text)])
    except (InvalidURL, TypeError) as error:
        raise ConfigError(f"{error}") from None
    return Request(options.request, url, headers, client=Client(options.ip))


def _lines(text: str) -> Iterator[str]:
    if not text.startswith("@"):
        yield text
        return
    with _open(text[1:]) as file:
        yield from (line for line in file.read().splitlines() if line.strip())


def _field(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise ConfigError(f'-H "{name[:40]}" is not a header field; write it as "Name: value".')
    return name.strip(), value.strip()


def _open(name: str) -> TextIO:
    try:
        return Path(name).open(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfigError(f"{name} cannot be read: {error.strerror}.") from None


def _read_answered(lines: Iterable[str]) -> Iterator[AnsweredRequest]:
    """The requests of a log of `dev --json`; other lines are passed over."""
    for line in lines:
        try:
            value: object = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and value.get("event") == "request":
            method, host, path, status = (value.get(name) for name in ("method", "host", "path", "status"))
            if isinstance(method, str) and isinstance(host, str) and isinstance(path, str) and isinstance(status, int):
                yield AnsweredRequest(method, host, path, status)


def _belongs(hostname: str, zone: ShieldZone) -> bool:
    return hostname == zone.zone.name or hostname.endswith(f".{zone.zone.name}")
