"""What `dev` says when it starts: links that a browser can open, and what the workers have; secrets are masked.

Three workers fit on a terminal of 24 lines; `--verbose` shows ids, zones and everything else.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from edgeworker.bindings import describe_binding
from edgeworker.cli.output import Output
from edgeworker.config import Config, Worker
from edgeworker.routing import parse_pattern
from edgeworker.routing.developer_hosts import below_localhost

_SECRET_FILES: Final = (".dev.vars", ".env")
_OTHER_SOCKETS: Final = {"https_url": "https", "redirect_url": "http to https", "api_https_url": "KV REST API, https"}
_MOST_BINDINGS: Final = 9  # as lines of their own; more of them are named by worker


def show(out: Output, config: Config, *, urls: Mapping[str, str], token_place: str, verbose: bool = False) -> None:
    """`urls` are those of the sockets by name. `token_place` says where the API token comes from; it is not printed."""
    out.line()
    if files := _secret_files(config):
        out.note(f"Using secrets of {', '.join(files)}")
    out.table(["link", "worker"], link_rows(config, urls))
    bindings = binding_rows(config) if verbose else compact_binding_rows(config)
    out.table(["worker", "binding", "kind", "value"], bindings)
    out.table(["fetch() of", "goes through", ""], proxy_rows(config))
    sockets = [[_OTHER_SOCKETS[name], url, ""] for name, url in urls.items() if name in _OTHER_SOCKETS]
    if "api_url" in urls:
        sockets.append(["KV REST API", f"{urls['api_url']}/client/v4", f"token: {token_place}"])
    out.table(["", "", ""], sockets)
    if verbose:
        out.table(["zone", "id", "origin"], zone_rows(config))
        out.table(["route", "worker", "zone"], route_rows(config))
        ids = [["account", config.account_id, ""]] if config.account_id else []
        ids += [["KV namespace", namespace.id, namespace.title] for namespace in config.namespaces]
        out.table(["", "id", "title"], ids)


def link_rows(config: Config, urls: Mapping[str, str]) -> list[list[str]]:
    """One for each host: (a link, or a pattern that no single link stands for; the workers that answer there)."""
    bases = [url for name in ("url", "https_url") if (url := urls.get(name)) is not None]
    hosts: dict[str, tuple[str, list[str]]] = {}
    for host, path, answers in _places(config):
        shortest, workers = hosts.get(host, (path, []))
        hosts[host] = (min(shortest, path, key=len), [*workers, *([] if answers in workers else [answers])])
    rows = []
    for host, (path, workers) in hosts.items():
        answered = ", ".join(workers)
        if host.startswith("*"):
            rows.append([host + path, answered])
        else:
            rows += [[f"{_with_host(base, below_localhost(host))}{path}", answered] for base in bases]
    if config.default_worker is not None:
        where = ", every host" if config.default_on_every_host else ""
        answered = f"{_worker_text(_named(config))} (default{where})"
        rows += [[_with_host(base, "localhost") + "/", answered] for base in bases]
    if config.origin is not None:
        rows.append(["(every other host)", f"origin {config.origin}"])
    return rows


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
    return list(dict.fromkeys(file.name for file in config.files if file.name.startswith(_SECRET_FILES)))


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


def binding_rows(config: Config) -> list[list[str]]:
    """One for each binding of each worker."""
    rows = []
    for worker in config.workers:
        name = _worker_text(worker)
        for binding in worker.bindings:
            kind, value = describe_binding(binding)
            rows.append([name, f"env.{binding.name}", kind, value])
            name = ""
        if not worker.bindings:
            rows.append([name, "(no bindings)", "", ""])
    return rows


def compact_binding_rows(config: Config) -> list[list[str]]:
    """One for each binding; for each worker, with how many it has of each kind, where there are many."""
    if sum(len(worker.bindings) for worker in config.workers) <= _MOST_BINDINGS:
        return [row for row in binding_rows(config) if row[2]]
    rows = []
    for worker in config.workers:
        kinds = Counter(describe_binding(binding)[0] for binding in worker.bindings)
        several = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        rows.append([worker.name, str(len(worker.bindings)), several, ""])
    return rows


def _named(config: Config) -> Worker:
    return next(worker for worker in config.workers if worker.name == config.default_worker)


def _worker_text(worker: Worker) -> str:
    return f"{worker.name} (the split-token script)" if worker.is_default_script else worker.name
