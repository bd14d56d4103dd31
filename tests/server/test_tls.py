"""Https sockets, with the standard library's TLS at the other end."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from edgeworker.clock import SystemClock
from edgeworker.config import TLS, Limits, Socket
from edgeworker.errors import ConfigError
from edgeworker.host.tls.x509 import new_authority
from edgeworker.server import Listener, listen
from edgeworker.server.tls import server_context
from tests.patience import PATIENCE_SECONDS
from tests.pki import CLIENT_SERIAL, NOW, PKI, revocation_list
from tests.server.wires import ANY_PORT, END, GET, Answering, hello


@pytest.fixture
def pki(tmp_path: Path) -> PKI:
    return PKI(tmp_path)


@asynccontextmanager
async def serving(
    tls: TLS, handler: Answering | None = None, *, limits: Limits | None = None, at: Socket = ANY_PORT
) -> AsyncIterator[Listener]:
    context = server_context(tls, now=NOW)
    made = await listen(handler or Answering(hello), at, limits=limits or Limits(), clock=SystemClock(), tls=context)
    try:
        yield made
    finally:
        await made.close(0)


def trusting(pki: PKI, *, client: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(pki.ca))
    if client is not None:
        context.load_cert_chain(*client)
    return context


async def ask(
    port: int, context: ssl.SSLContext, *, name: str | None, data: bytes = GET + END
) -> tuple[bytes, ssl.SSLObject]:
    """The whole answer, and the connection's TLS. `name` is what is asked for in SNI; None asks for nothing."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name or "")
        tls = writer.get_extra_info("ssl_object")
        assert isinstance(tls, ssl.SSLObject)
        writer.write(data)
        answer = await reader.read()
        writer.close()
        return answer, tls


def names_of(tls: ssl.SSLObject) -> list[str]:
    certificate = tls.getpeercert()
    assert certificate is not None
    alternatives = certificate["subjectAltName"]
    return [str(pair[1]) for pair in alternatives]


async def test_a_request_over_tls_is_https_and_knows_its_version_and_cipher(pki: PKI) -> None:
    handler = Answering(hello)
    async with serving(TLS((pki.server("a.example"),)), handler) as listener:
        answer, tls = await ask(listener.port, trusting(pki), name="a.example")

    (request,) = handler.requests
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert listener.url == f"https://127.0.0.1:{listener.port}"
    assert request.url.href == "https://a.example/"
    assert (request.client.tls_version, tls.version()) == ("TLSv1.3", "TLSv1.3")
    assert request.client.tls_cipher == "AEAD-AES256-GCM-SHA384"
    assert tls.selected_alpn_protocol() is None
    assert request.cf is not None
    assert request.cf["tlsVersion"] == "TLSv1.3"


async def test_http_1_1_is_what_alpn_agrees_on(pki: PKI) -> None:
    context = trusting(pki)
    context.set_alpn_protocols(["h2", "http/1.1"])
    async with serving(TLS((pki.server("a.example"),))) as listener:
        _, tls = await ask(listener.port, context, name="a.example")

    assert tls.selected_alpn_protocol() == "http/1.1"


async def test_a_socket_without_tls_has_the_same_cf_fields_with_nothing_in_them() -> None:
    handler = Answering(hello)
    listener = await listen(handler, ANY_PORT, limits=Limits(), clock=SystemClock())
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(GET + END)
    await reader.read()
    writer.close()
    await listener.close(0)

    cf = handler.requests[0].cf
    assert cf is not None
    assert (cf["tlsVersion"], cf["tlsCipher"], handler.requests[0].client.tls_version) == ("", "", None)


@pytest.mark.parametrize(
    ("asked", "first_name"),
    [
        ("one.example", "one.example"),
        ("ONE.example", "one.example"),
        ("two.example", "two.example"),
        ("x.wild.example", "*.wild.example"),
        ("special.wild.example", "special.wild.example"),
        ("x.y.wild.example", "one.example"),
        ("unknown.example", "one.example"),
        (None, "one.example"),
    ],
)
async def test_the_certificate_is_that_of_the_host_asked_for_else_the_first(
    pki: PKI, asked: str | None, first_name: str
) -> None:
    certificates = (
        pki.server("one.example"),
        pki.server("two.example"),
        pki.server("*.wild.example"),
        pki.server("special.wild.example"),
    )
    context = trusting(pki)
    context.check_hostname = False
    async with serving(TLS(certificates)) as listener:
        _, tls = await ask(listener.port, context, name=asked)

    assert names_of(tls) == [first_name]


async def test_hosts_narrow_what_a_certificate_is_served_for(pki: PKI) -> None:
    both = pki.server("a.example", "b.example", hosts=["b.example"], file="both")
    context = trusting(pki)
    context.check_hostname = False
    async with serving(TLS((pki.server("other.example"), both))) as listener:
        _, narrowed = await ask(listener.port, context, name="a.example")
        _, named = await ask(listener.port, context, name="b.example")

    assert (names_of(narrowed), names_of(named)) == (["other.example"], ["a.example", "b.example"])


def test_a_host_that_the_certificate_does_not_hold_is_refused(pki: PKI) -> None:
    certificate = replace(pki.server("a.example", hosts=["b.example"]), source="edge.toml:7 (tls.certificates[0])")

    with pytest.raises(ConfigError) as raised:
        server_context(TLS((certificate,)), now=NOW)

    assert str(raised.value).startswith(
        f'edge.toml:7 (tls.certificates[0]): {certificate.cert} does not hold "b.example" (it holds a.example)'
    )


def test_without_a_certificate_there_is_no_https() -> None:
    with pytest.raises(ConfigError, match=r"add \[\[tls.certificates\]\]"):
        server_context(TLS(), now=NOW)


@pytest.mark.parametrize(
    ("min_version", "offered", "ciphers", "accepted"),
    [
        ("1.2", ssl.TLSVersion.TLSv1_2, None, "TLSv1.2"),
        ("1.2", ssl.TLSVersion.TLSv1_3, None, "TLSv1.3"),
        ("1.3", ssl.TLSVersion.TLSv1_3, None, "TLSv1.3"),
        ("1.3", ssl.TLSVersion.TLSv1_2, None, None),
        # https://www.rfc-editor.org/rfc/rfc8996: TLS 1.0 and 1.1 are not to be used
        ("1.2", ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0", None),
        ("1.2", ssl.TLSVersion.TLSv1, "ALL:@SECLEVEL=0", None),
        # CBC is not authenticated encryption
        ("1.2", ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA", None),
        ("1.2", ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-CHACHA20-POLY1305", "TLSv1.2"),
    ],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
async def test_old_versions_and_ciphers_are_refused(
    pki: PKI, min_version: Literal["1.2", "1.3"], offered: ssl.TLSVersion, ciphers: str | None, accepted: str | None
) -> None:
    context = trusting(pki)
    if ciphers is not None:
        context.set_ciphers(ciphers)
    context.minimum_version = context.maximum_version = offered
    async with serving(TLS((pki.server("a.example"),), min_version=min_version)) as listener:
        try:
            _, tls = await ask(listener.port, context, name="a.example")
            agreed = tls.version()
        except (ssl.SSLError, ConnectionError):
            agreed = None

    assert agreed == accepted


async def test_who_never_finishes_the_handshake_is_cut(pki: PKI) -> None:
    limits = Limits(tls_handshake_timeout_seconds=0.05)
    async with serving(TLS((pki.server("a.example"),)), limits=limits) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"\x16\x03\x01")
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await reader.read() == b""
        writer.close()


async def test_new_connections_get_a_new_certificate_and_old_ones_live_on(pki: PKI) -> None:
    old, new = pki.server("a.example", "old.example", file="old"), pki.server("a.example", "new.example", file="new")
    context = trusting(pki)
    request = GET + b"\r\n"
    async with serving(TLS((old,))) as listener, asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", listener.port, ssl=context, server_hostname="a.example"
        )
        writer.write(request)
        await reader.readuntil(b"hello")

        await listener.replace_tls(server_context(TLS((new,)), now=NOW))

        _, tls = await ask(listener.port, context, name="a.example")
        writer.write(request)
        again = await reader.readuntil(b"hello")
        writer.close()

    assert names_of(tls) == ["a.example", "new.example"]
    assert again.startswith(b"HTTP/1.1 200")


async def test_a_replaced_socket_is_closed_whole(pki: PKI) -> None:
    async with serving(TLS((pki.server("a.example"),))) as listener:
        await listener.replace_tls(server_context(TLS((pki.server("a.example"),)), now=NOW))
        port = listener.port

    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_tls_and_the_proxy_protocol_do_not_go_together(pki: PKI) -> None:
    with pytest.raises(ConfigError, match="PROXY protocol"):
        async with serving(TLS((pki.server("a.example"),)), at=Socket(port=0, proxy_protocol=True)):
            pass


@pytest.mark.parametrize("client_auth", ["request", "require"])
async def test_a_clients_certificate_is_on_request_cf(pki: PKI, client_auth: Literal["request", "require"]) -> None:
    handler = Answering(hello)
    tls = TLS((pki.server("a.example"),), client_auth=client_auth, client_ca=pki.ca)
    async with serving(tls, handler) as listener:
        await ask(listener.port, trusting(pki, client=pki.client("till 7")), name="a.example")

    cf = handler.requests[0].cf
    assert cf is not None
    facts = cf["tlsClientAuth"]
    assert isinstance(facts, dict)
    assert (facts["certPresented"], facts["certVerified"]) == ("1", "SUCCESS")
    assert facts["certSubjectDN"] == "CN=till 7,O=Shop\\, Inc.,C=AT"


async def test_a_client_without_a_certificate_is_let_in_where_it_is_only_requested(pki: PKI) -> None:
    handler = Answering(hello)
    tls = TLS((pki.server("a.example"),), client_auth="request", client_ca=pki.ca)
    async with serving(tls, handler) as listener:
        await ask(listener.port, trusting(pki), name="a.example")

    cf = handler.requests[0].cf
    assert cf is not None
    facts = cf["tlsClientAuth"]
    assert isinstance(facts, dict)
    assert (facts["certPresented"], facts["certVerified"], facts["certSubjectDN"]) == ("0", "NONE", "")


@pytest.mark.parametrize("asked", ["a.example", "b.example"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("shown", ["nothing", "another authority's"])
async def test_a_required_certificate_is_required_of_every_host(
    pki: PKI, tmp_path: Path, asked: str, version: ssl.TLSVersion, shown: str
) -> None:
    handler = Answering(hello)
    other = tmp_path / "other"
    other.mkdir()
    client = None if shown == "nothing" else PKI(other).client("stranger")
    context = trusting(pki, client=client)
    context.maximum_version = version
    tls = TLS((pki.server("a.example"), pki.server("b.example")), client_auth="require", client_ca=pki.ca)
    async with serving(tls, handler) as listener:
        try:
            answer, _ = await ask(listener.port, context, name=asked)
        except (ssl.SSLError, ConnectionError):
            answer = b""

    # In TLS 1.3 a client is done before the server has looked at its certificate, and then finds the connection closed.
    assert (answer, handler.requests) == (b"", [])


@pytest.mark.parametrize(
    ("revoked", "days", "status"),
    [
        ((), 30, 200),
        ((CLIENT_SERIAL + 1,), 30, 200),
        ((CLIENT_SERIAL,), 30, 0),
        ((), 1, 0),  # a list that has ended tells nothing of today
    ],
)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_client_whose_certificate_is_on_a_revocation_list_is_refused(
    pki: PKI, version: ssl.TLSVersion, revoked: tuple[int, ...], days: int, status: int
) -> None:
    assert await _status_with_list(pki, version, revocation_list(pki, *revoked, days=days)) == status


async def test_revocation_lists_of_other_authorities_alone_let_no_one_in(pki: PKI, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    another = PKI(tmp_path / "other")
    another.authority = new_authority("another authority", now=NOW)
    other = revocation_list(another, days=30)

    assert await _status_with_list(pki, ssl.TLSVersion.TLSv1_3, other) == 0
    assert await _status_with_list(pki, ssl.TLSVersion.TLSv1_3, other + revocation_list(pki, days=30)) == 200


async def _status_with_list(pki: PKI, version: ssl.TLSVersion, content: bytes) -> int:
    lists = pki.folder / "clients.crl"
    lists.write_bytes(content)
    context = trusting(pki, client=pki.client("till"))
    context.maximum_version = version
    tls = TLS((pki.server("a.example"),), client_auth="request", client_ca=pki.ca, client_crl=lists)
    async with serving(tls, Answering(hello)) as listener:
        try:
            answer, _ = await ask(listener.port, context, name="a.example")
        except (ssl.SSLError, ConnectionError):
            answer = b""
    return int(answer.split(b" ")[1]) if answer else 0


@pytest.mark.parametrize("content", [b"", b"broken", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"])
def test_what_is_not_a_revocation_list_is_named(pki: PKI, content: bytes) -> None:
    lists = pki.folder / "clients.crl"
    lists.write_bytes(content)
    tls = TLS((pki.server("a.example"),), client_auth="request", client_ca=pki.ca, client_crl=lists)

    with pytest.raises(ConfigError, match=r"tls\.client_crl: .*clients\.crl holds no revocation list"):
        server_context(tls, now=NOW)
    lists.write_bytes(revocation_list(pki) + b"-----BEGIN X509 CRL-----\nhalf")
    with pytest.raises(ConfigError, match="holds no revocation list"):
        server_context(tls, now=NOW)


async def test_a_trusted_proxys_own_certificate_is_not_taken_for_its_clients(pki: PKI) -> None:
    handler = Answering(hello)
    tls = TLS((pki.server("a.example"),), client_auth="request", client_ca=pki.ca)
    at = Socket(port=0, trusted_proxies=("127.0.0.1",))
    data = GET + b"X-Forwarded-For: 203.0.113.7\r\n" + END
    async with serving(tls, handler, at=at) as listener:
        await ask(listener.port, trusting(pki, client=pki.client("proxy")), name="a.example", data=data)

    (request,) = handler.requests
    assert request.cf is not None
    facts = request.cf["tlsClientAuth"]
    assert isinstance(facts, dict)
    assert (request.client.ip, facts["certPresented"], request.cf["tlsVersion"]) == ("203.0.113.7", "0", "")


def test_client_certificates_need_an_authority(pki: PKI) -> None:
    with pytest.raises(ConfigError, match="client_ca"):
        server_context(TLS((pki.server("a.example"),), client_auth="require"), now=NOW)


# Origins
