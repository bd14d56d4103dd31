"""What edge.toml says about TLS."""

from pathlib import Path

import pytest

from edgeworker.config import TLS, Certificate, OriginTLS, Socket
from edgeworker.schema.diagnostics import Diagnostics
from tests.wrangler_compat.project import document
from wrangler_compat.edge_toml import EdgeFile, read_edge

WHOLE = """\
origin = "https://10.0.0.1"
origin_verify = false

[[zones]]
name = "example.com"
origin = "https://10.0.0.2:8443"
origin_ca = "origin/ca.pem"
origin_client_cert = "/abs/edge.pem"
origin_client_key = "edge.key"
origin_server_name = "Origin.internal"

[sockets]
https = "0.0.0.0:443"
redirect = "0.0.0.0:80"
trusted_proxies = ["10.0.0.0/8"]

[api]
https = "[::1]:8443"

[tls]
min_version = "1.3"
client_auth = "require"
client_ca = "clients.pem"

[[tls.certificates]]
cert = "one.pem"
key = "one.key"

[[tls.certificates]]
hosts = ["API.example.com", "*.eu.example.com"]
cert = "two.pem"
key = "two.key"
"""


def read(text: str) -> tuple[EdgeFile, Diagnostics]:
    diagnostics = Diagnostics()
    return read_edge(document(text, "edge.toml"), diagnostics), diagnostics


def test_every_key_is_read_and_paths_start_at_the_file() -> None:
    edge, diagnostics = read(WHOLE)

    here = Path("/project")
    assert diagnostics.messages == []
    assert edge.origin_tls == OriginTLS(verify=False)
    assert edge.zones[0].origin_tls == OriginTLS(
        here / "origin/ca.pem", True, Path("/abs/edge.pem"), here / "edge.key", "origin.internal"
    )
    assert (edge.https_socket, edge.redirect_socket) == (Socket("0.0.0.0", 443), Socket("0.0.0.0", 80))
    assert edge.api_https_socket == Socket("::1", 8443)
    assert edge.tls == TLS(
        (
            Certificate(here / "one.pem", here / "one.key", (), "edge.toml:25 (tls.certificates[0])"),
            Certificate(
                here / "two.pem",
                here / "two.key",
                ("api.example.com", "*.eu.example.com"),
                "edge.toml:29 (tls.certificates[1])",
            ),
        ),
        "1.3",
        "require",
        here / "clients.pem",
    )


def test_a_file_that_says_nothing_about_tls_leaves_every_default() -> None:
    edge, _ = read('origin = "http://10.0.0.1"\n')

    assert (edge.tls, edge.origin_tls, edge.https_socket) == (TLS(), OriginTLS(), None)


@pytest.mark.parametrize(
    ("text", "error", "line"),
    [
        ('[tls]\nmin_version = "1.1"\n', '"tls.min_version" must be "1.2" or "1.3", not "1.1".', 2),
        ("[tls]\nmin_version = 1.2\n", '"tls.min_version" must be "1.2" or "1.3", not 1.2.', 2),
        (
            '[tls]\nclient_auth = "maybe"\n',
            '"tls.client_auth" must be "none" or "request" or "require", not "maybe".',
            2,
        ),
        (
            '[tls]\nclient_ca = "ca.pem"\nclient_crl = "list.pem"\n',
            '"tls.client_crl" needs "tls.client_auth": "request" or "require"; clients are asked for no certificate.',
            3,
        ),
        (
            '[tls]\nclient_auth = "request"\n',
            '"tls.client_auth" needs "tls.client_ca": the PEM certificates of the authorities that sign the clients\'.',
            2,
        ),
        (
            '[[tls.certificates]]\ncert = "a.pem"\n',
            '"tls.certificates[0]" has no "key": it must be a text.',
            1,
        ),
        (
            '[[tls.certificates]]\ncert = "a"\nkey = "b"\nhosts = ["*"]\n',
            '"tls.certificates[0].hosts" must be an array of hosts such as ["api.example.com", "*.example.com"], '
            'not ["*"].',
            4,
        ),
        (
            '[sockets]\nredirect = "127.0.0.1:80"\n',
            '"sockets.redirect" leads to "sockets.https", which is not there: add it.',
            2,
        ),
        (
            '[sockets]\nhttps = "127.0.0.1:443"\nproxy_protocol = true\n',
            '"sockets.https" cannot speak the PROXY protocol yet: leave one of them out.',
            2,
        ),
        (
            '[[zones]]\nname = "a.example"\norigin = "http://x"\norigin_ca = "c"\n',
            '"zones[0].origin_ca" is about TLS with an origin, but there is no https origin here: write '
            'origin = "https://...".',
            4,
        ),
        (
            '[[zones]]\nname = "a.example"\norigin = "https://x"\norigin_client_key = "c"\n',
            '"origin_client_cert" and "origin_client_key" go together: give both or none.',
            1,
        ),
        ('origin = "https://x"\norigin_verify = "no"\n', '"origin_verify" must be true or false, not "no".', 2),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_what_would_be_right(text: str, error: str, line: int) -> None:
    (message,) = read(text)[1].of("error")

    assert (message.text, message.locations[0].line) == (error, line)
