"""What `dev` says when it starts: what is served where, with secrets masked."""

from collections.abc import Sequence

from edgeworker.bindings import describe_binding
from edgeworker.cli.output import Output
from edgeworker.config import Config, Worker


def show(
    out: Output,
    config: Config,
    *,
    edge_url: str,
    api_url: str | None,
    token_place: str,
    others: Sequence[Sequence[str]] = (),
) -> None:
    """`token_place` says where the API token comes from; the token itself is not printed. `others` are the rows of
    other sockets: what, URL, note."""
    out.line()
    sockets = [["edge", edge_url, _default_text(config)]]
    if api_url is not None:
        sockets.append(["KV REST API", f"{api_url}/client/v4", f"token: {token_place}"])
    out.table(["socket", "url", ""], [*sockets, *others])
    out.table(["fetch() of", "goes through", ""], proxy_rows(config))
    out.table(["zone", "id", "origin"], zone_rows(config))
    out.table(["route", "worker", "zone"], route_rows(config))
    out.table(["worker", "binding", "kind", "value"], binding_rows(config))
    ids = [["account", config.account_id, ""]] if config.account_id else []
    ids += [["KV namespace", namespace.id, namespace.title] for namespace in config.namespaces]
    out.table(["", "id", "title"], ids)


def _default_text(config: Config) -> str:
    if config.default_worker is None:
        return ""
    where = "every host" if config.default_on_every_host else "localhost"
    return f"{where}: worker {config.default_worker}"


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


def _worker_text(worker: Worker) -> str:
    return f"{worker.name} (the split-token script)" if worker.is_default_script else worker.name
