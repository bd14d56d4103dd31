"""The operations that an OpenAPI document describes. Pure.

Source: https://spec.openapis.org/oas/v3.1.0. Hosts are those of its servers (3.x), or of `host` and `basePath` (2.0).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from edgeworker.products.api_shield.operations import METHODS, normalize_endpoint, normalize_host

MAX_OPERATIONS: Final = 10_000


@dataclass(frozen=True, slots=True)
class DescribedOperation:
    method: str
    host: str
    endpoint: str


def read_openapi(document: object, hosts: Sequence[str] = ()) -> list[DescribedOperation]:
    """Each once, in the order of the document. `hosts` take the place of those that it names.

    Raises ValueError for what is not an OpenAPI document, or names no host.
    """
    paths = document.get("paths") if isinstance(document, Mapping) else None
    if not isinstance(document, Mapping) or not isinstance(paths, Mapping):
        raise ValueError('the document has no "paths"; it is not OpenAPI')
    servers = list(_servers(document))
    if hosts:
        base = servers[0][1] if servers else ""
        servers = [(host, base) for host in hosts]
    servers = [(host, base) for host, base in servers if host]
    if not servers:
        raise ValueError("the document names no server with a host; give one: --host api.example.com")
    found: dict[DescribedOperation, None] = {}
    for path, item in paths.items():
        if not isinstance(path, str) or not isinstance(item, Mapping):
            continue
        for name in item:
            method = str(name).upper()
            if method not in METHODS:
                continue
            for host, base in servers:
                endpoint = normalize_endpoint(f"{base.rstrip('/')}/{path.removeprefix('/')}")
                found[DescribedOperation(method, normalize_host(host), endpoint)] = None
                if len(found) > MAX_OPERATIONS:
                    raise ValueError(f"the document describes more than {MAX_OPERATIONS} operations")
    return list(found)


def _servers(document: Mapping[object, object]) -> Iterator[tuple[str, str]]:
    """(host, base path); no host where the server is the one that the document came from."""
    servers = document.get("servers")
    for server in servers if isinstance(servers, Sequence) and not isinstance(servers, str) else []:
        url = server.get("url") if isinstance(server, Mapping) else None
        if isinstance(url, str):
            parts = urlsplit(_with_defaults(url, server.get("variables")))
            yield parts.hostname or "", parts.path
    host, base = document.get("host"), document.get("basePath")
    if isinstance(host, str):
        yield host, base if isinstance(base, str) else ""


def _with_defaults(url: str, variables: object) -> str:
    for name, variable in variables.items() if isinstance(variables, Mapping) else ():
        default = variable.get("default") if isinstance(variable, Mapping) else None
        url = url.replace(f"{{{name}}}", str(default))
    return url
