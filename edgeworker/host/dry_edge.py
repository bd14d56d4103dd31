"""Finds what an edge would not start with besides its scripts: TLS files, origins, networks, sockets, products.

Nothing listens and nothing is connected to.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from edgeworker.clock import Clock
from edgeworker.config import USUAL_ORIGIN_TLS, Config, Outbound, Socket
from edgeworker.edge import build
from edgeworker.errors import EdgeworkerError
from edgeworker.handler import Background, Services
from edgeworker.kv.memory import MemoryStore
from edgeworker.routing import Resolver, origin_tls_of
from edgeworker.server.origin import OriginClient
from edgeworker.server.outbound import OutboundPolicy
from edgeworker.server.outbound_proxy import Proxies, with_environment_proxies
from edgeworker.server.proxies import parse_networks

_SOCKETS: Final = {
    "edge_socket": "sockets.edge",
    "https_socket": "sockets.https",
    "redirect_socket": "sockets.redirect",
    "api_socket": "sockets.api",
    "api_https_socket": "api.https",
    "management_socket": "sockets.management",
}


async def find_edge_errors(config: Config, clock: Clock, environ: Mapping[str, str]) -> list[str]:
    """All that is wrong, not the first of it; each text says where. `environ` has the proxies."""
    from edgeworker.server.certificates import read_certificates, read_pair
    from edgeworker.server.tls import origin_context, server_context

    now, found = clock.now(), list(_socket_errors(config))

    def attempt(work: Callable[[], object]) -> bool:
        try:
            work()
        except EdgeworkerError as error:
            found.append(str(error))
            return False
        return True

    routes = attempt(lambda: Resolver(config))
    attempt(lambda: OutboundPolicy.parse(config.outbound.allow_private))
    attempt(lambda: Proxies.from_config(with_environment_proxies(environ, config.outbound)))
    if config.outbound.ca_file is not None:
        attempt(lambda: origin_context(USUAL_ORIGIN_TLS, config.outbound.ca_file, now=now, where="outbound"))
    if attempt(lambda: origin_tls_of(config)):
        for base, settings in origin_tls_of(config).items():
            if settings != USUAL_ORIGIN_TLS:
                attempt(partial(origin_context, settings, None, now=now, where=f'origin "{base}"'))
    tls = config.tls
    pairs = [partial(read_pair, one.cert, one.key, now=now, where=one.source) for one in tls.certificates]
    files_are_right = all([attempt(pair) for pair in pairs])
    if tls.client_ca is not None:
        files_are_right &= attempt(partial(read_certificates, tls.client_ca, where="tls.client_ca"))
    if pairs and files_are_right:
        attempt(lambda: server_context(tls, now=now))
    if routes:
        found += await _product_errors(config, clock)
    return list(dict.fromkeys(found))


def _socket_errors(config: Config) -> Iterator[str]:
    sockets = {key: socket for name, key in _SOCKETS.items() if isinstance(socket := getattr(config, name), Socket)}
    addresses = Counter((socket.host, socket.port) for socket in sockets.values() if socket.port != 0)
    for (host, port), count in addresses.items():
        if count > 1:
            same = [key for key, socket in sockets.items() if (socket.host, socket.port) == (host, port)]
            yield f"{' and '.join(same)} have the same address {host}:{port}; give each a port of its own"
    for key, socket in sockets.items():
        try:
            parse_networks(socket.trusted_proxies, source=f"trusted_proxies of {key}")
        except EdgeworkerError as error:
            yield str(error)
        if socket.proxy_protocol and key == "sockets.https":
            yield f"{key} {socket.host}:{socket.port}: a https socket cannot speak the PROXY protocol; leave one out"


async def _product_errors(config: Config, clock: Clock) -> list[str]:
    """An edge of products alone, in memory."""
    alone = replace(
        config,
        workers=(),
        routes=(),
        custom_domains=(),
        default_worker=None,
        default_on_every_host=False,
        outbound=Outbound(),
    )
    client = OriginClient(Outbound(), clock)
    services = Services(clock=clock, background=Background(), internet=client.internet, origin_at=client.at)
    store = MemoryStore()
    try:
        edge = await build(alone, services, store)
        await edge.close()
    except EdgeworkerError as error:
        return [str(error)]
    finally:
        await store.close()
        await client.close()
    return []
