"""A real ACME authority for tests: Let's Encrypt's pebble, with its own DNS that knows every name as this machine."""

import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgeworker.host.tls.authority import Authority
from edgeworker.strict_json import dumps
from tests.cli.running import SECONDS


@dataclass(frozen=True, slots=True)
class Pebble:
    """`directory` is its URL, `ca` what signs its own TLS, `roots` where it tells what signs its certificates."""

    directory: str
    ca: Path
    roots: str

    def root(self) -> str:
        """PEM."""
        context = ssl.create_default_context(cafile=self.ca)
        with urllib.request.urlopen(f"{self.roots}/roots/0", context=context, timeout=SECONDS) as answer:
            text: str = answer.read().decode()
        return text


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def pebble(
    folder: Path, *, http_port: int, seconds: int = 7 * 86_400, customers: dict[str, str] | None = None
) -> Iterator[Pebble]:
    """One that asks for challenges at `http_port`, and whose certificates live for `seconds`. With `customers`, ids of
    keys and the keys, it makes accounts for those only.
    """
    if shutil.which("pebble") is None:
        pytest.skip("pebble is not installed (Debian: apt install pebble)")
    (folder / "data").mkdir(parents=True)
    authority, _ = Authority.made(folder / "data", now=int(time.time()))
    issued = authority.issued(["localhost", "127.0.0.1"], now=int(time.time())).certificate
    listen, manage, dns = free_port(), free_port(), free_port()
    config = folder / "pebble.json"
    config.write_text(
        dumps(
            {
                "pebble": {
                    "listenAddress": f"127.0.0.1:{listen}",
                    "managementListenAddress": f"127.0.0.1:{manage}",
                    "certificate": str(issued.cert),
                    "privateKey": str(issued.key),
                    "httpPort": http_port,
                    "tlsPort": 1,
                    "ocspResponderURL": "",
                    "externalAccountBindingRequired": customers is not None,
                    "externalAccountMACKeys": customers or {},
                    "certificateValidityPeriod": seconds,
                }
            }
        )
    )
    names = [
        *("pebble-challtestsrv", "-dns01", f"127.0.0.1:{dns}", "-management", f"127.0.0.1:{free_port()}"),
        *("-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", ""),
    ]
    log = (folder / "pebble.log").open("w")
    servers = [
        subprocess.Popen(names, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
        subprocess.Popen(
            ["pebble", "-config", str(config), "-dnsserver", f"127.0.0.1:{dns}"],
            # Else it refuses one request in twenty on purpose, which the library tries again only once.
            env={"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PATH": "/usr/bin:/bin"},
            stdout=log,
            stderr=subprocess.STDOUT,
        ),
    ]
    try:
        started = Pebble(f"https://127.0.0.1:{listen}/dir", authority.folder / "ca.pem", f"https://127.0.0.1:{manage}")
        _wait_for(started, folder / "pebble.log")
        yield started
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait(SECONDS)
        log.close()


def _wait_for(started: Pebble, log: Path) -> None:
    context = ssl.create_default_context(cafile=started.ca)
    until = time.monotonic() + SECONDS
    while True:
        try:
            urllib.request.urlopen(started.directory, context=context, timeout=SECONDS).close()
            return
        except (urllib.error.URLError, OSError) as error:
            if time.monotonic() > until:
                raise AssertionError(f"pebble did not start: {error}\n{log.read_text()}") from error
            time.sleep(0.05)
