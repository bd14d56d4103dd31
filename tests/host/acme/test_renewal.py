"""Orders at a real authority (pebble): the first certificate, its renewal, and what goes wrong."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from edgeworker.clock import SystemClock
from edgeworker.errors import StoreError
from edgeworker.host.acme.files import ACMEFiles
from edgeworker.host.acme.ordering import order_certificate
from edgeworker.host.acme.policy import Failures
from edgeworker.host.acme.renewal import renew_if_due
from edgeworker.server.certificates import read_certificates, read_facts, read_pair
from edgeworker.tls_settings import ACME
from tests.host.acme.pebble import Pebble, pebble

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
