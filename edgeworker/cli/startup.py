"""What `dev` says when it starts: links that a browser can open, and what the workers have; secrets are masked.

Three workers fit on a terminal of 24 lines; `--verbose` shows ids, zones and everything else.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from edgeworker.bindings import KVBinding, describe_binding
from edgeworker.cli.output import Output
from edgeworker.cli.wrapping import wrap
from edgeworker.config import Config, Worker
from edgeworker.routing import parse_pattern
from edgeworker.routing.developer_hosts import below_localhost

_SECRET_FILES: Final = (".dev.vars", ".env")
_OTHER_SOCKETS: Final = {"redirect_url": "http to https", "api_https_url": "KV REST API, https"}
_BESIDE_CELLS: Final = 4  # columns: in front of a row and between two cells
_LINES: Final = 23  # of a terminal, without the one that is written next


def show(
    out: Output,
    config: Config,
    *,
    urls: Mapping[str, str],
    token_place: str,
    verbose: bool = False,
    lines_after: int = 0,
) -> None:
    """`urls` are those of the sockets by name. `token_place` says where the API token comes from; it is not printed.
    `lines_after` of the terminal are for what is printed next."""
    files, proxies, sockets = _secret_files(config), proxy_rows(config), []
    headings, links = ["link", "https", "worker"], link_rows(config, urls)
    if not ("https_url" in urls and "url" in urls):
        headings.remove("https")
    elif out.width is not None and _width(links) > out.width:
        headings, links = ["link", "worker"], link_rows(config, {"https_url": urls["https_url"]})
        sockets.append(["http", urls["url"], "the same hosts without TLS"])
    sockets += [[_OTHER_SOCKETS[name], url, ""] for name, url in urls.items() if name in _OTHER_SOCKETS]
    if "api_url" in urls:
        sockets.append(["KV REST API", f"{urls['api_url']}/client/v4", f"token: {token_place}"])
    out.line()
    if files:
        out.note(f"Using secrets of {', '.join(files)}")
    out.table(headings, links)
    if verbose:
        bindings, cut = binding_rows(config), False
    else:
        taken = 1 + bool(files) + 1 + len(links) + (len(proxies) and len(proxies) + 1) + len(sockets) + lines_after
        lines = _LINES - taken - 1
        bindings = compact_binding_rows(config, lines=lines)
        cut = not _is_list_of_names(bindings) or _count_lines(bindings, out.width) > lines
    out.table(["worker", "binding", "kind", "value"], bindings, cut=cut)
    out.table(["fetch() of", "goes through", ""], proxies)
    out.table(["", "", ""], sockets)
    if verbose:
        out.table(["zone", "id", "origin"], zone_rows(config))
        out.table(["route", "worker", "zone"], route_rows(config))
        ids = [["account", config.account_id, ""]] if config.account_id else []
        ids += [["KV namespace", namespace.id, namespace.title] for namespace in config.namespaces]
        out.table(["", "id", "title"], ids)


def engine_lines(config: Config) -> list[str]:
    """Which engine runs each JavaScript worker, and why."""
    if not any(worker.is_javascript for worker in config.workers):
        return []
    from edgeworker.runtime.engines.javascript import describe_engines

    return [f'worker "{name}" runs in {engine}' for name, engine in describe_engines(config).items()]


def engine_note(config: Config) -> str:
    """For the line that says that the edge is ready: "JavaScript in QuickJS: ...; "."""
    if not any(worker.is_javascript for worker in config.workers):
        return ""
    from edgeworker.runtime.engines.javascript import describe_engines

    return f"JavaScript in {', '.join(dict.fromkeys(describe_engines(config).values()))}; "


def link_rows(config: Config, urls: Mapping[str, str]) -> list[list[str]]:
    """One for each host: (a link for http, one for https, as far as they are served; the workers that answer there).

    In place of links stands a pattern that no single link stands for.
    """
    bases = [url for name in ("url", "https_url") if (url := urls.get(name)) is not None]
    hosts: dict[str, tuple[str, list[str]]] = {}
    for host, path, answers in _places(config):
        shortest, workers = hosts.get(host, (path, []))
        hosts[host] = (min(shortest, path, key=len), [*workers, *([] if answers in workers else [answers])])
    no_more = [""] * (len(bases) - 1)
    rows = []
    for host, (path, workers) in hosts.items():
        links = [f"{_with_host(base, below_localhost(host))}{path}" for base in bases]
        rows.append([*([host + path, *no_more] if host.startswith("*") else links), ", ".join(workers)])
    if config.default_worker is not None:
        where = ", every host" if config.default_on_every_host else ""
        answered = f"{_worker_text(_find_worker(config))} (default{where})"
        rows.append([*(_with_host(base, "localhost") + "/" for base in bases), answered])
    if config.origin is not None:
        rows.append(["(every other host)", *no_more, f"origin {config.origin}"])
    return rows


def _width(rows: Sequence[Sequence[str]]) -> int:
    return sum(max(len(row[index]) for row in rows) + 2 for index in range(len(rows[0]))) if rows else 0


def _places(config: Config) -> Iterator[tuple[str, str, str]]:
    """(host, path, what answers) of each route and name; a host for which no link can stand begins with "*"."""
    for route in config.routes:
        pattern = parse_pattern(route.pattern)
        host = f"*{pattern.host}" if pattern.any_prefix else pattern.host
        path = route.pattern.partition("//")[2] or route.pattern
        yield host or "*", "/" + path.partition("/")[2].removesuffix("*"), route.worker or "(none: to the origin)"
    for domain in config.custom_domains:
        yield domain.hostname, "/", domain.worker
    for worker in config.workers:
        if worker.workers_dev:
            yield f"{worker.name}.{config.workers_dev_subdomain}.workers.dev", "/", worker.name


def _with_host(base: str, host: str) -> str:
    """`base` is a socket's URL. One that does not listen on this machine's own address is called by its address."""
    parts = urlsplit(base)
    is_here = parts.hostname in ("127.0.0.1", "::1", "localhost")
    return f"{parts.scheme}://{host}:{parts.port}" if is_here else base


def _secret_files(config: Config) -> list[str]:
    """Their paths from the current folder, as wrangler shows them."""
    here = Path.cwd()
    files = [file for file in config.files if file.name.startswith(_SECRET_FILES)]
    return list(dict.fromkeys(str(file.relative_to(here)) if here in file.parents else file.name for file in files))


def proxy_rows(config: Config) -> list[list[str]]:
    """The proxies for what scripts fetch, without their passwords."""
    from edgeworker.server.outbound_proxy import Proxies

    proxies = Proxies.from_config(config.outbound)
    chosen = (("http", proxies.http), ("https", proxies.https))
    note = f"but for {config.outbound.no_proxy}" if config.outbound.no_proxy else ""
    return [[scheme, str(proxy), note] for scheme, proxy in chosen if proxy is not None]


def zone_rows(config: Config) -> list[list[str]]:
    rows = []
    for zone in config.zones:
        rows.append([zone.name, zone.id, zone.origin or config.origin or "(none)"])
        rows += [[f"  {host}", "", origin] for host, origin in zone.origins.items()]
        for balancer in zone.load_balancers:
            servers = ", ".join(server.url for server in balancer.origins)
            rows.append([f"  {balancer.host or '(load balancer)'}", "", servers])
    if config.origin is not None:
        rows.append(["(every other host)", "", config.origin])
    return rows


def route_rows(config: Config) -> list[list[str]]:
    rows = [[route.pattern, route.worker or "(none: to the origin)", route.zone or "(any)"] for route in config.routes]
    rows += [
        [f"{domain.hostname} (custom domain)", domain.worker, domain.zone or ""] for domain in config.custom_domains
    ]
    rows += [
        [f"{worker.name}.{config.workers_dev_subdomain}.workers.dev", worker.name, ""]
        for worker in config.workers
        if worker.workers_dev
    ]
    return rows


def binding_rows(config: Config, *, ids: bool = True) -> list[list[str]]:
    """One for each binding of each worker."""
    rows = []
    for worker in config.workers:
        name = _worker_text(worker)
        for binding in worker.bindings:
            kind, value = describe_binding(binding)
            shown = "" if isinstance(binding, KVBinding) and not ids else value
            rows.append([name, f"env.{binding.name}", kind, shown])
            name = ""
        if not worker.bindings:
            rows.append([name, "(no bindings)", "", ""])
    return rows


def compact_binding_rows(config: Config, *, lines: int) -> list[list[str]]:
    """One for each binding if they fit in so many lines, else one for each worker; without ids."""
    rows = [row for row in binding_rows(config, ids=False) if row[2]]
    if len(rows) <= lines:
        return rows
    rows = []
    for worker in config.workers:
        kinds: dict[str, list[str]] = {}
        for binding in worker.bindings:
            kinds.setdefault(describe_binding(binding)[0], []).append(binding.name)
        named = "; ".join(f"{', '.join(names)} ({kind})" for kind, names in kinds.items())
        if named:
            rows.append([_worker_text(worker), f"env: {named}", "", ""])
    return rows


def _is_list_of_names(rows: Sequence[Sequence[str]]) -> bool:
    """Whether each row has all bindings of a worker, which are worth a second line where a value is not."""
    return all(not kind for _, _, kind, _ in rows)


def _count_lines(rows: Sequence[Sequence[str]], width: int | None) -> int:
    """Of rows that have two cells, where the second is wrapped."""
    if width is None or not rows:
        return len(rows)
    left = width - max(len(row[0]) for row in rows) - _BESIDE_CELLS
    return sum(len(wrap(row[1], left)) for row in rows)


def _find_worker(config: Config) -> Worker:
    return next(worker for worker in config.workers if worker.name == config.default_worker)


def _worker_text(worker: Worker) -> str:
    return f"{worker.name} (the split-token script)" if worker.is_default_script else worker.name
