"""How each https origin of a configuration is spoken with. Pure."""

from collections.abc import Iterator, Mapping

from edgeworker.config import Config, OriginTLS
from edgeworker.errors import ConfigError
from edgeworker.messages.url import URL, InvalidURL


def origin_tls_of(config: Config) -> Mapping[str, OriginTLS]:
    """By the origin's base URL in canonical form ("https://10.0.0.1:8443"); http origins are left out.

    Raises:
        ConfigError: one origin stands behind two zones that say different things about it. A connection to it may
            serve either of them, so it can only be made in one way.
    """
    found: dict[str, tuple[OriginTLS, str]] = {}
    for written, settings, place in _written(config):
        try:
            url = URL.parse(written)
        except InvalidURL:
            continue  # connecting to it tells what is wrong
        if url.scheme != "https":
            continue
        known, where = found.setdefault(url.origin, (settings, place))
        if known != settings:
            raise ConfigError(
                f"{place} and {where} have the origin {url.origin} with different TLS settings (origin_ca, "
                "origin_verify, origin_client_cert, origin_client_key, origin_server_name); make them the same"
            )
    return {base: settings for base, (settings, _) in found.items()}


def _written(config: Config) -> Iterator[tuple[str, OriginTLS, str]]:
    if config.origin is not None:
        yield config.origin, config.origin_tls, "the top of edge.toml"
    for zone in config.zones:
        place = f'zone "{zone.name}"'
        balanced = (server.url for balancer in zone.load_balancers for server in balancer.origins)
        for origin in (zone.origin, *zone.origins.values(), *balanced):
            if origin is not None:
                yield origin, zone.origin_tls, place
