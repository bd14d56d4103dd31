"""Shows how a serving edge does: requests, reloads, tokens, origins, certificates; of all its processes.

It asks the management socket of `serve` (see `sockets.management` in edge.toml); `/metrics` there is for Prometheus,
`/origins` has more about origins.

examples:
  edgeworker status
  edgeworker status --management http://127.0.0.1:9787
"""

import argparse
from typing import Final
from urllib.parse import urlsplit

from edgeworker.errors import ConfigError, StoreError

_DEFAULT: Final = "http://127.0.0.1:9787"
_SECONDS: Final = 10.0
_MOST_BYTES: Final = 4 * 1024 * 1024


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--management", default=_DEFAULT, metavar="URL", help="the management socket (default: %(default)s)"
    )


def run(options: argparse.Namespace) -> int:
    """1 if the edge is not ready. Raises ConfigError, and StoreError where no edge answers."""
    url = urlsplit(options.management)
    try:
        port = url.port
    except ValueError:
        port = None
    if url.scheme != "http" or not url.hostname or url.path not in ("", "/"):
        raise ConfigError(f'--management "{options.management}" is not a base URL such as "{_DEFAULT}"')
    ready, why = _ask(url.hostname, port or 80, "/readyz")
    status, text = _ask(url.hostname, port or 80, "/status")
    if status != 200:
        raise StoreError(f"{options.management} answered {status}, so it is not the management socket of an edge")
    print(why if ready != 200 else "", end="")
    print(text, end="")
    return 0 if ready == 200 else 1


def _ask(host: str, port: int, path: str) -> tuple[int, str]:
    import http.client

    connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read(_MOST_BYTES).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        raise StoreError(
            f"no edge answers at http://{host}:{port} ({error}); is `edgeworker serve` running, and is its management "
            "socket there? Name another one with --management"
        ) from error
    finally:
        connection.close()
