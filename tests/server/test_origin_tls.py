"""Https origins, with the standard library's TLS at the other end."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from edgeworker.clock import SystemClock
from edgeworker.config import Certificate, OriginTLS, Outbound
from edgeworker.errors import ConfigError, OriginError
from edgeworker.messages import Headers
from edgeworker.server import OriginClient
from tests.patience import PATIENCE_SECONDS
from tests.pki import PKI
from tests.server.wires import OK, call


@pytest.fixture
def pki(tmp_path: Path) -> PKI:
    return PKI(tmp_path)


@contextmanager
def tls_origin(certificate: Certificate, *, client_ca: Path | None = None) -> Iterator[int]:
    """Answers each connection once. Not asyncio's server: that one ends a failed handshake without saying why."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert, certificate.key)
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return  # the test is over
            connection.settimeout(PATIENCE_SECONDS)
            with connection.dup() as raw:
                with suppress(OSError), context.wrap_socket(connection, server_side=True) as tls:
                    if tls.recv(65536):
                        tls.sendall(OK)
                # To close with the request unread would reset the connection, and what was said would be lost.
                with suppress(OSError):
                    raw.shutdown(socket.SHUT_WR)
                    while raw.recv(65536):
                        pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


async def fetched(
    port: int, tls: OriginTLS | None, *, outbound: Outbound | None = None, host: str = "127.0.0.1"
) -> int | str:
    """The status of the origin's answer, or the error's with its text."""
    base = f"https://{host}:{port}"
    client = OriginClient(outbound or Outbound(), SystemClock(), origin_tls={} if tls is None else {base: tls})
    try:
        return (await client.at(base).fetch(call(headers=Headers()))).status
    except OriginError as error:
        return f"{error.status} {error}"
    finally:
        await client.close()


async def test_an_origins_certificate_is_verified_with_its_own_ca_file(pki: PKI, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    stranger = PKI(tmp_path / "b")
    with tls_origin(pki.server("127.0.0.1")) as port:
        assert await fetched(port, OriginTLS(ca_file=pki.ca)) == 200
        # An origin's own file counts more than outbound's.
        assert await fetched(port, OriginTLS(ca_file=pki.ca), outbound=Outbound(ca_file=stranger.ca)) == 200
        assert await fetched(port, None, outbound=Outbound(ca_file=pki.ca)) == 200
        for refused in (
            await fetched(port, None),
            await fetched(port, OriginTLS(ca_file=stranger.ca), outbound=Outbound(ca_file=pki.ca)),
        ):
            assert str(refused).startswith(f"526 https://127.0.0.1:{port}: its certificate is not valid: ")


async def test_an_origin_with_another_name_is_refused_unless_that_name_is_expected(pki: PKI) -> None:
    with tls_origin(pki.server("origin.internal")) as port:
        refused = await fetched(port, OriginTLS(ca_file=pki.ca))
        expected = await fetched(port, OriginTLS(ca_file=pki.ca, server_name="origin.internal"))

    assert str(refused).startswith("526 ")
    assert expected == 200


async def test_an_origins_certificate_is_not_verified_where_that_is_configured(pki: PKI) -> None:
    with tls_origin(pki.server("elsewhere.example")) as port:
        assert await fetched(port, OriginTLS(verify=False)) == 200


async def test_an_origin_can_refuse_everyone_else(pki: PKI, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    cert, key = pki.client("edge")
    other_cert, other_key = PKI(tmp_path / "b").client("stranger")
    trusted = OriginTLS(ca_file=pki.ca)
    with tls_origin(pki.server("127.0.0.1"), client_ca=pki.ca) as port:
        let_in = await fetched(port, replace(trusted, client_cert=cert, client_key=key))
        without = await fetched(port, trusted)
        with_another = await fetched(port, replace(trusted, client_cert=other_cert, client_key=other_key))

    assert let_in == 200
    assert str(without).startswith(f"525 https://127.0.0.1:{port}")
    assert str(with_another).startswith(f"525 https://127.0.0.1:{port}")


async def test_an_origin_that_hangs_up_after_the_handshake_may_want_a_certificate(pki: PKI) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    made = pki.server("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.cert, made.key)
    server = await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=context)
    failed = await fetched(server.sockets[0].getsockname()[1], OriginTLS(ca_file=pki.ca))
    server.close()
    await server.wait_closed()

    assert str(failed).startswith("520 ")
    assert "origin_client_cert" in str(failed)


async def test_a_client_certificate_is_shown_to_its_own_origin_only(pki: PKI) -> None:
    cert, key = pki.client("edge")
    outbound = Outbound(allow_private=("*",), ca_file=pki.ca)
    with tls_origin(pki.server("127.0.0.1", "localhost"), client_ca=pki.ca) as port:
        settings = OriginTLS(client_cert=cert, client_key=key)
        client = OriginClient(outbound, SystemClock(), origin_tls={f"https://127.0.0.1:{port}": settings})
        assert (await client.at(f"https://127.0.0.1:{port}").fetch(call())).status == 200
        with pytest.raises(OriginError):
            await client.at(f"https://localhost:{port}").fetch(call())
        url = call().url
        url = type(url)("https", "127.0.0.1", port, "/", "")
        with pytest.raises(OriginError):
            await client.internet.fetch(call().replace(url=url))
        await client.close()


async def test_a_connection_that_is_cut_in_the_handshake_is_a_525() -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.abort()

    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    failed = await fetched(server.sockets[0].getsockname()[1], OriginTLS(verify=False))
    server.close()
    await server.wait_closed()

    assert str(failed).startswith("525 ")


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (OriginTLS(ca_file=Path("/nowhere/ca.pem")), "origin_ca: /nowhere/ca.pem cannot be read"),
        (OriginTLS(client_cert=Path("/nowhere/c.pem")), "origin_client_cert and origin_client_key go together"),
        (
            OriginTLS(client_cert=Path("/nowhere/c.pem"), client_key=Path("/nowhere/c.key")),
            "/nowhere/c.pem cannot be read",
        ),
    ],
)
def test_an_origins_files_are_looked_at_before_it_is_asked(settings: OriginTLS, text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        OriginClient(Outbound(), SystemClock(), origin_tls={"https://o.example": settings})

    assert 'origin "https://o.example": ' in str(raised.value)
    assert text in str(raised.value)


def test_outbounds_ca_file_is_looked_at_too() -> None:
    with pytest.raises(ConfigError, match=r"outbound\.ca_file: /nowhere/ca\.pem cannot be read"):
        OriginClient(Outbound(ca_file=Path("/nowhere/ca.pem")), SystemClock())
