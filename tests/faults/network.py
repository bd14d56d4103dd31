"""Faults between the edge and origins, and of its certificate: what a client is answered, and how soon it is over."""

import signal
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from tests.cli.running import fetch
from tests.cli.serve.serving import Served, serve
from tests.faults.edges import logged, seconds_until, write_project
from tests.faults.storage import RECOVERS_WITHIN_SECONDS, Outcome
from tests.patience import PATIENCE_SECONDS
from tests.pki import DAY, NOW, PKI

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"
_SILENT = b""
_TIMEOUT_SECONDS = 2


class FaultyOrigin:
    """Answers each request with `answer`; `closes` after it, and says nothing at all for an empty answer."""

    def __init__(self) -> None:
        self.answer = GOOD
        self.closes = False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            while connection.recv(65536):
                if not self.answer and self.closes:
                    connection.shutdown(socket.SHUT_WR)
                connection.sendall(self.answer)
                if self.answer and self.closes:
                    return

    def close(self) -> None:
        self._listening.close()


@contextmanager
def served_origin(place: Path, url: str) -> Iterator[Served]:
    zone = (
        f"[outbound]\nconnect_timeout_seconds = {_TIMEOUT_SECONDS}\nresponse_timeout_seconds = {_TIMEOUT_SECONDS}\n"
        f'[[zones]]\nname = "origin.test"\norigin = "{url}"\n'
    )
    edge = write_project(place, zone)
    options = ("--edge", str(edge), "--persist-to", str(place / "data"), "--no-request-log", "--allow-private", "*")
    with serve(*options, cwd=place) as served:
        yield served


def _answer(served: Served) -> str:
    """The status, and whether what came was whole."""
    url = urlsplit(served.urls["edge"])
    with socket.create_connection((str(url.hostname), url.port or 0), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(b"GET /a HTTP/1.1\r\nHost: origin.test\r\nConnection: close\r\n\r\n")
        received = b""
        with suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    status = head.split(b" ")[1].decode() if head else "nothing"
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), None)
    is_whole = body.endswith(b"0\r\n\r\n") if length is None else len(body) == length
    return f"{status} {'whole' if is_whole else 'cut'}{'' if b'cf-ray' in head.lower() else ' without a ray'}"


def _under(name: str, place: Path, answer: bytes, *, closes: bool) -> Outcome:
    origin = FaultyOrigin()
    with served_origin(place, f"http://127.0.0.1:{origin.port}") as served:
        assert _answer(served) == "200 whole"
        before = logged(served)
        origin.answer, origin.closes = answer, closes
        answers = Counter(_answer(served) for _ in range(4))
        origin.answer, origin.closes = GOOD, False
        recovered = seconds_until(lambda: _answer(served) == "200 whole", most=4 * RECOVERS_WITHIN_SECONDS)
        said = logged(served) - before
    origin.close()
    wrong = [text for text in answers if text.startswith("200 whole")]
    without_ray = sum(count for text, count in answers.items() if "without" in text)
    return Outcome(name, answers, 0, wrong, without_ray, recovered, said)


def silent_origin(place: Path) -> Outcome:
    return _under("silent origin", place, _SILENT, closes=False)


def half_closed_origin(place: Path) -> Outcome:
    return _under("half-closed origin", place, _SILENT, closes=True)


def length_too_long(place: Path) -> Outcome:
    return _under("lying Content-Length (longer)", place, GOOD.replace(b": 4", b": 40"), closes=True)


def length_too_short(place: Path) -> Outcome:
    """The rest of the first answer must never be a part of the next one: the connection is not used again."""
    outcome = _under("lying Content-Length (shorter)", place, GOOD.replace(b": 4", b": 2"), closes=False)
    outcome.wrong.clear()  # "go" is all that was promised
    return outcome


def dns_gone(place: Path) -> Outcome:
    with served_origin(place, "http://nowhere.invalid") as served:
        before = logged(served)
        answers = Counter(_answer(served) for _ in range(4))
        origin = FaultyOrigin()
        edge = place / "edge.toml"
        edge.write_text(edge.read_text().replace("nowhere.invalid", f"127.0.0.1:{origin.port}"))
        served.send(signal.SIGHUP)
        recovered = seconds_until(lambda: _answer(served) == "200 whole", most=4 * RECOVERS_WITHIN_SECONDS)
        said = logged(served) - before
        origin.close()
    return Outcome("DNS gone", answers, 0, [], 0, recovered, said)


def certificate_expired(place: Path) -> Outcome:
    """It ends while it is served: the edge goes on, clients that verify refuse, and the next one is taken by itself."""
    pki = PKI(place, now=NOW - 500 * DAY)
    ending = pki.server("example.com")
    tls = f'[sockets]\nhttps = "127.0.0.1:0"\n[[tls.certificates]]\ncert = "{ending.cert}"\nkey = "{ending.key}"\n'
    edge = write_project(place, tls)
    with serve("--edge", str(edge), "--persist-to", str(place / "data"), "--no-request-log", cwd=place) as served:
        place_of = urlsplit(served.urls["https"])
        trusting = ssl.create_default_context(cafile=str(pki.ca))

        def handshake() -> str:
            try:
                with (
                    socket.create_connection(
                        (str(place_of.hostname), place_of.port or 0), timeout=PATIENCE_SECONDS
                    ) as plain,
                    trusting.wrap_socket(plain, server_hostname="example.com"),
                ):
                    return "trusted"
            except ssl.SSLCertVerificationError as error:
                return error.verify_message

        answers = Counter(handshake() for _ in range(3))
        answers[f"over http {fetch(served.urls['edge'], headers={'Host': 'example.com'}).status}"] += 1
        pki.server("example.com", now=NOW)
        recovered = seconds_until(lambda: handshake() == "trusted", most=4 * RECOVERS_WITHIN_SECONDS)
        time.sleep(0.2)
        return Outcome("certificate expired", answers, 0, [], 0, recovered, logged(served))
