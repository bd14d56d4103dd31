"""The options of a running edge, and what they make of a configuration."""

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgeworker.cli.kv.options import TOKEN_VARIABLE
from edgeworker.errors import EdgeworkerError, SocketError

if TYPE_CHECKING:
    from edgeworker.config import Config
    from edgeworker.host.datadir import DataDir

HTTPS_PORT: Final = 8443


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """What `dev` takes beyond the configuration, and `check --production` looks at."""
    sockets = parser.add_argument_group("where it listens")
    sockets.add_argument("--host", metavar="ADDRESS", help="address to listen on (default: 127.0.0.1)")
    sockets.add_argument(
        "--port", type=port_number, metavar="N", help="port of the edge (default: 8787; 0: any free one)"
    )
    sockets.add_argument(
        "--https", action="store_true", help="serve https too, with the local authority where no certificate is set"
    )
    sockets.add_argument(
        "--https-port", type=port_number, metavar="N", help=f"port of https (default: {HTTPS_PORT}); implies --https"
    )
    api = parser.add_argument_group("KV REST API")
    api.add_argument("--api-port", type=port_number, metavar="N", help="its port (default: 8788; 0: any free one)")
    api.add_argument("--api-https-port", type=port_number, metavar="N", help="its port over https")
    api.add_argument(
        "--api-token",
        metavar="T",
        help=f"its token (default: ${TOKEN_VARIABLE}, else one kept in the data directory)",
    )
    reach = parser.add_argument_group("data and network")
    reach.add_argument(
        "--persist-to",
        type=Path,
        default=Path(".edgeworker"),
        metavar="DIR",
        help="the data directory (default: %(default)s)",
    )
    reach.add_argument(
        "--allow-private",
        action="append",
        default=[],
        metavar="HOST",
        help='a private host, address or network that scripts may fetch ("*": all); may be repeated',
    )


def add_developer_options(parser: argparse.ArgumentParser, *, listed: bool = True) -> None:
    """What `dev` fires, shows and logs. With `listed=False` they are taken and `--help` does not show them."""
    group = parser.add_argument_group("cron and output") if listed else parser

    def add(name: str, text: str) -> None:
        group.add_argument(name, action="store_true", help=text if listed else argparse.SUPPRESS)

    add("--cron", "fire cron triggers at their times, which are in UTC")
    add("--no-error-details", "error pages show no traceback and no origin, as in production")
    add("--trace", "print each request's way through the edge")
    add("--no-request-log", "do not log requests")
    if listed:
        add("--verbose", "log more, and show zones, routes and ids at the start")
        add("--json", "log lines as JSON on stderr, a ready line as JSON on stdout")


def port_number(text: str) -> int:
    """For argparse."""
    if not (text.isascii() and text.isdecimal()) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f'"{text}" is not a port; give a number from 0 to 65535, such as 8787')
    return int(text)


def apply_options(config: "Config", options: argparse.Namespace) -> "Config":
    """The configuration with what the command line overrides, and with the proxies of the environment.

    Raises ConfigError for a proxy that cannot be used.
    """
    from edgeworker.config import Socket
    from edgeworker.server.outbound_proxy import with_environment_proxies

    edge, api, https, api_https = (
        config.edge_socket,
        config.api_socket,
        config.https_socket,
        config.api_https_socket,
    )
    named = options.host and options.host.removeprefix("[").removesuffix("]")  # an IPv6 address as URLs have it
    host = named or edge.host
    if https is None and (options.https or options.https_port is not None):
        https = Socket(host, HTTPS_PORT, trusted_proxies=edge.trusted_proxies)
    if https is not None:
        https = replace(https, host=named or https.host, port=_port(options.https_port, https.port))
    if options.api_https_port is not None:
        api_https = replace(api_https or Socket(api.host), port=options.api_https_port)
    outbound = with_environment_proxies(os.environ, config.outbound)
    return replace(
        config,
        edge_socket=replace(edge, host=host, port=_port(options.port, edge.port)),
        https_socket=https,
        api_socket=replace(api, port=_port(options.api_port, api.port)),
        api_https_socket=api_https,
        outbound=replace(outbound, allow_private=(*outbound.allow_private, *options.allow_private)),
    )


def serves_this_machine_only(config: "Config") -> bool:
    """Whether the edge listens on loopback addresses only, and for no proxy that might bring clients from elsewhere."""
    from edgeworker.routing import is_loopback

    sockets = [socket for socket in (config.edge_socket, config.https_socket) if socket is not None]
    return all(
        is_loopback(f"[{socket.host}]" if ":" in socket.host else socket.host)
        and not (socket.trusted_proxies or socket.proxy_protocol)
        for socket in sockets
    )


def api_token(options: argparse.Namespace, data: "DataDir") -> tuple[str, str]:
    """(token, where it comes from)."""
    if options.api_token:
        return options.api_token, "--api-token"
    if kept := os.environ.get(TOKEN_VARIABLE):
        return kept, f"${TOKEN_VARIABLE}"
    return data.api_token(), str(data.api_token_file)


# What to write for another port, by the socket's name in the ready line.
_PORT_OPTIONS: Final = {
    "url": "--port",
    "https_url": "--https-port",
    "api_url": "--api-port",
    "api_https_url": "--api-https-port",
    "control_url": "--control-port",
    "inspector_url": "--inspector-port",
    "redirect_url": "[sockets] redirect in edge.toml",
}


def explain_error(error: EdgeworkerError) -> str:
    """The error's text, with the option that mends it where there is one."""
    option = _PORT_OPTIONS.get(error.socket) if isinstance(error, SocketError) else None
    return str(error) if option is None else f"{error}: {option}"


def _port(given: int | None, configured: int) -> int:
    return configured if given is None else given
