"""Orders at a real authority (pebble): the first certificate, its renewal, and what goes wrong."""

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from edgeworker.clock import SystemClock
from edgeworker.errors import ConfigError, StoreError
from edgeworker.host.acme.files import ACMEFiles
from edgeworker.host.acme.ordering import OrderFailed, order_certificate, read_eab_key
from edgeworker.host.acme.policy import Failures
from edgeworker.host.acme.renewal import renew_if_due
from edgeworker.server.certificates import read_certificates, read_facts, read_pair
from edgeworker.strict_json import dumps
from edgeworker.tls_settings import ACME
from tests.host.acme.pebble import Pebble, pebble
from tests.pki import PKI

CHALLENGES = "/.well-known/acme-challenge/"


class Later:
    """The machine's clock, some seconds ahead. It is not derived from it: that one may be compiled."""

    def __init__(self) -> None:
        self._machine = SystemClock()
        self.ahead = 0

    def now(self) -> int:
        return self._machine.now() + self.ahead

    def now_ms(self) -> int:
        return self._machine.now_ms() + self.ahead * 1000

    def monotonic(self) -> float:
        return self._machine.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._machine.sleep(seconds)


@contextmanager
def answering(files: ACMEFiles) -> Iterator[int]:
    """A server that answers challenges out of `files`; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = files.find_challenge(self.path.removeprefix(CHALLENGES))
            self.send_response(404 if answer is None else 200)
            self.end_headers()
            self.wfile.write(answer or b"")

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def settings(authority: Pebble, *hosts: str) -> ACME:
    return ACME(authority.directory, hosts or ("api.example.com",), True, email="ops@example.com", ca=authority.ca)


async def test_a_certificate_is_ordered_once_and_renewed_when_its_time_comes(tmp_path: Path) -> None:
    files, clock = ACMEFiles.of(tmp_path), Later()
    with answering(files) as port, pebble(tmp_path / "pebble", http_port=port, seconds=3 * 86_400) as authority:
        wanted = settings(authority, "api.example.com", "example.com")
        assert await renew_if_due(wanted, files, clock)
        place = files.certificate(wanted)
        facts = read_pair(place, place, now=clock.now(), where="test")
        assert set(facts.names) == {"api.example.com", "example.com"}
        first = place.read_bytes()
        account = files.account(wanted).read_bytes()
        assert not await renew_if_due(wanted, files, clock)

        clock.ahead = 86_400 * 2 + 60
        assert await renew_if_due(wanted, files, clock)

    assert place.read_bytes() != first
    assert files.account(wanted).read_bytes() == account, "the account stays the same"
    assert list((files.folder / "challenges").iterdir()) == []


async def test_an_authority_that_cannot_prove_a_host_is_asked_again_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files, clock = ACMEFiles.of(tmp_path), Later()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        with pebble(tmp_path / "pebble", http_port=silent.getsockname()[1]) as authority:
            wanted = settings(authority)
            caplog.set_level(logging.INFO)
            assert not await renew_if_due(wanted, files, clock)
            assert (
                "ACME: no certificate for api.example.com: the authority could not prove api.example.com:"
                in caplog.text
            )
            assert files.failures(wanted) is not None
            caplog.clear()
            assert not await renew_if_due(wanted, files, clock)
            assert caplog.text == "", "not before ten minutes are over"
    clock.ahead = 700
    assert not await renew_if_due(wanted, files, clock)

    assert f"api.example.com: {wanted.directory} cannot be reached: Connection refused" in caplog.text
    assert "Pool" not in caplog.text
    failures = files.failures(wanted)
    assert failures is not None
    assert failures.count == 2
    files.note_failure(wanted, Failures(1, 0))
    assert not files.certificate(wanted).exists()


def test_an_account_key_that_is_damaged_is_not_replaced(tmp_path: Path) -> None:
    files = ACMEFiles.of(tmp_path)
    wanted = ACME("https://127.0.0.1:1/dir", ("a.test",), True)
    files.write(files.account(wanted), b'{"kty": "oct"}')

    with pytest.raises(StoreError, match="the key of the ACME account cannot be read"):
        order_certificate(wanted, files)
    assert files.account(wanted).read_bytes() == b'{"kty": "oct"}'


async def test_a_certificate_that_is_damaged_is_ordered_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = ACMEFiles.of(tmp_path)
    with answering(files) as port, pebble(tmp_path / "pebble", http_port=port) as authority:
        wanted = settings(authority)
        files.write(files.certificate(wanted), b"no certificate")

        assert await renew_if_due(wanted, files, SystemClock())

    assert "holds no certificate in PEM form" in caplog.text
    assert read_facts(read_certificates(files.certificate(wanted), where="test")[0]).covers("api.example.com")


KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


async def test_an_authority_that_knows_its_customers_gives_them_certificates(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key, clock = tmp_path / "eab", Later()
    with (
        answering(ACMEFiles.of(tmp_path / "customer")) as port,
        pebble(tmp_path / "pebble", http_port=port, customers={"shop-1": KEY}) as authority,
    ):
        plain = settings(authority)
        bound = replace(plain, eab_key_id="shop-1", eab_key_file=key)

        assert not await renew_if_due(plain, ACMEFiles.of(tmp_path / "stranger"), clock)
        assert "give tls.acme.eab_key_id and tls.acme.eab_key_file" in caplog.text
        key.write_text(KEY[::-1])
        assert not await renew_if_due(bound, ACMEFiles.of(tmp_path / "wrong"), clock)
        key.write_text(KEY + "\n")
        assert await renew_if_due(bound, ACMEFiles.of(tmp_path / "customer"), clock)

    assert KEY[::-1] not in caplog.text


@pytest.mark.parametrize(
    ("content", "said"), [(None, "cannot be read: No such file"), ("not a key!", "is not a key in base64url")]
)
def test_the_key_of_a_customer_is_named_and_never_quoted(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "eab").write_text(content)

    with pytest.raises(ConfigError) as error:
        read_eab_key(tmp_path / "eab")

    assert str(error.value).startswith(f"tls.acme.eab_key_file: {tmp_path / 'eab'} {said}")
    assert "not a key!" not in str(error.value)


@contextmanager
def refusing_nonces(pki: PKI, count: int) -> Iterator[tuple[str, list[str]]]:
    """An authority that refuses the first `count` nonces and then the account. Its directory, and what was posted."""
    posted: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status: int, content: dict[str, object]) -> None:
            body = dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json" if status == 200 else "application/problem+json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Replay-Nonce", "bm9uY2U")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_GET(self) -> None:
            names = ("newNonce", "newAccount", "newOrder", "revokeCert", "keyChange")
            self.answer(200, {name: f"{place}/{name}" for name in names})

        do_HEAD = do_GET

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            posted.append(self.path)
            kind = "badNonce" if len(posted) <= count else "unauthorized"
            self.answer(400, {"type": f"urn:ietf:params:acme:error:{kind}", "detail": "as it is"})

        def log_message(self, format: str, *args: object) -> None:
            return

    certificate = pki.server("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert, certificate.key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    place = f"https://127.0.0.1:{server.server_address[1]}"
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"{place}/dir", posted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (4, "unauthorized"),
        (100, "badNonce"),
    ],  # a busy authority forgets nonces; one that takes none is not asked forever
)
def test_a_nonce_that_is_refused_is_not_the_end_of_an_order(tmp_path: Path, refused: int, said: str) -> None:
    pki = PKI(tmp_path)
    with refusing_nonces(pki, refused) as (directory, posted):
        wanted = ACME(directory, ("api.example.com",), True, ca=pki.ca)

        with pytest.raises(OrderFailed, match=said):
            order_certificate(wanted, ACMEFiles.of(tmp_path))

    assert len(posted) == min(refused + 1, 10)


def test_a_stop_does_not_wait_for_an_authority_that_is_silent(tmp_path: Path) -> None:
    files = ACMEFiles.of(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        wanted = ACME(f"https://127.0.0.1:{silent.getsockname()[1]}/dir", ("api.example.com",), True)

        async def stop_while_it_is_asked() -> socket.socket:
            ordering = asyncio.create_task(renew_if_due(wanted, files, Later()))
            asked, _ = await asyncio.to_thread(silent.accept)
            files.write(tmp_path / "acme" / "challenges" / "token", b"of this order")
            ordering.cancel()
            await asyncio.gather(ordering, return_exceptions=True)
            return asked

        with asyncio.run(stop_while_it_is_asked()):
            orders = [thread for thread in threading.enumerate() if thread.name == "ACME order"]
            assert [thread.daemon for thread in orders] == [True]
            assert files.find_challenge("token") is None
        orders[0].join()


def test_challenges_of_an_order_that_was_killed_are_answered_no_more(tmp_path: Path) -> None:
    files = ACMEFiles.of(tmp_path)
    files.write(tmp_path / "acme" / "challenges" / "token", b"of the order before")

    with pytest.raises(OrderFailed):
        order_certificate(ACME("https://127.0.0.1:1/dir", ("a.test",), True), files)

    assert files.find_challenge("token") is None


def test_authorities_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    wanted = ACME("https://127.0.0.1:1/dir", ("a.test",), True, ca=tmp_path / "missing.pem")

    with pytest.raises(OrderFailed, match=r"tls\.acme\.ca: .*missing\.pem cannot be read"):
        order_certificate(wanted, ACMEFiles.of(tmp_path))
