"""Faults between the edge and origins, and of certificates: what a client is answered, and how soon it is over.

Writes go on meanwhile: what an origin does must not touch them.
"""

import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from edgeworker.config import Certificate
from tests.cli.running import environment
from tests.cli.serve.serving import Served, serve
from tests.faults.edges import Client, logged, seconds_until, write_project
from tests.faults.shim import FAULTY_NAME, Shim
from tests.faults.storage import RECOVERS_WITHIN_SECONDS, Outcome
from tests.patience import PATIENCE_SECONDS
from tests.pki import DAY, NOW, PKI

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"
_SILENT = b""
_TIMEOUT_SECONDS = 2


class FaultyOrigin:
    """Answers each request with `answer`; `closes` after it, and says nothing at all for an empty answer.

    With `tls` each new connection shows the certificate that is there then.
    """

    def __init__(self) -> None:
        self.answer = GOOD
        self.closes = False
        self.tls: ssl.SSLContext | None = None
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        tls = self.tls
        with (
            suppress(OSError),
            plain,
            plain if tls is None else tls.wrap_socket(plain, server_side=True) as connection,
        ):
            self._answer_requests(connection)

    def _answer_requests(self, connection: socket.socket) -> None:
        while connection.recv(65536):
            if not self.answer and self.closes:
                connection.shutdown(socket.SHUT_WR)
            connection.sendall(self.answer)
            if self.answer and self.closes:
                return

    def close(self) -> None:
        self._listening.close()


def _answer(served: Served, promised: bytes = b"good") -> str:
    """The status, and whether what came was whole and is what the origin promised."""
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
    what = "cut" if not is_whole else "whole" if body == promised or status != "200" else "whole, but untrue"
    return f"{status} {what}{'' if b'cf-ray' in head.lower() else ' without a ray'}"


@dataclass(slots=True)
class Course:
    """One fault: what begins and ends it, and what is asked meanwhile. `promised` is what the origin's answer holds
    then, if the answer is good HTTP."""

    name: str
    place: Path
    edge: str
    begin: Callable[[], None]
    end: Callable[[], None]
    promised: bytes | None = None
    env: dict[str, str] = field(default_factory=environment)
    begins_good: bool = True

    def run(self, ask: Callable[[Served, bytes], str] = _answer, *, good: str = "200 whole") -> Outcome:
        """`ask` gives `good` before the fault and after it."""
        edge = write_project(self.place, self.edge)
        files = ("--edge", str(edge), "--persist-to", str(self.place / "data"))
        options = (*files, "--no-request-log", "--allow-private", "*")
        with serve(*options, cwd=self.place, env=self.env) as served:
            client = Client(served)
            while len(client.acknowledged) < 5:
                client.put()
            client.statuses.clear()
            assert not self.begins_good or ask(served, b"good") == good
            before = logged(served)
            self.begin()
            answers: Counter[str] = Counter()
            for _ in range(4):
                answers[ask(served, self.promised or b"good")] += 1
                client.put()
                client.get_any()
            answers.update(client.statuses)
            self.end()
            recovered = seconds_until(lambda: ask(served, b"good") == good, most=4 * RECOVERS_WITHIN_SECONDS)
            client.check_all()
            time.sleep(0.2)
            said = logged(served) - before
            served.stop()
        with serve(*options, cwd=self.place, env=self.env) as again:
            client.served = again
            client.check_all()
        untrue = good if self.promised is None else "200 whole, but untrue"
        wrong = client.wrong + [text for text in answers if text.startswith(untrue)]
        wrong += [f"{what} x{count}" for what, count in client.statuses.items() if not what.endswith(" 200")]
        without_ray = sum(count for text, count in answers.items() if "without" in text) + client.pages_without_ray
        return Outcome(self.name, answers, len(client.acknowledged), wrong, without_ray, recovered, said)


def _zone(url: str, more: str = "") -> str:
    return (
        f"[outbound]\nconnect_timeout_seconds = {_TIMEOUT_SECONDS}\nresponse_timeout_seconds = {_TIMEOUT_SECONDS}\n"
        f'[[zones]]\nname = "origin.test"\norigin = "{url}"\n{more}'
    )


@contextmanager
def _faulty_origin() -> Iterator[FaultyOrigin]:
    origin = FaultyOrigin()
    try:
        yield origin
    finally:
        origin.close()


def _answering(name: str, place: Path, answer: bytes, *, closes: bool, promised: bytes | None = None) -> Outcome:
    with _faulty_origin() as origin:

        def begin() -> None:
            origin.answer, origin.closes = answer, closes

        def end() -> None:
            origin.answer, origin.closes = GOOD, False

        return Course(name, place, _zone(f"http://127.0.0.1:{origin.port}"), begin, end, promised).run()


def silent_origin(place: Path) -> Outcome:
    return _answering("silent origin", place, _SILENT, closes=False)


def half_closed_origin(place: Path) -> Outcome:
    return _answering("half-closed origin", place, _SILENT, closes=True)


def length_too_long(place: Path) -> Outcome:
    return _answering("lying Content-Length (longer)", place, GOOD.replace(b": 4", b": 40"), closes=True)


def length_too_short(place: Path) -> Outcome:
    """The rest of the first answer must never be a part of the next one: the connection is not used again."""
    answer = GOOD.replace(b": 4", b": 2")
    return _answering("lying Content-Length (shorter)", place, answer, closes=False, promised=b"go")


def dns_gone(place: Path) -> Outcome:
    """The name server answers no more, then again."""
    data = place / "data"
    data.mkdir(mode=0o700)
    shim = Shim.build(place, data)
    with _faulty_origin() as origin:
        origin.closes = True  # each request needs a new connection
        zone = _zone(f"http://{FAULTY_NAME}:{origin.port}")
        begin, end = (lambda: shim.set("names", 1)), (lambda: shim.set("names", 0))
        return Course("DNS gone", place, zone, begin, end, env=shim.environment).run()


def origin_certificate_expired(place: Path) -> Outcome:
    pki = PKI(place, now=NOW - 500 * DAY)

    def context(issued: Certificate) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(issued.cert, issued.key)
        return made

    good, expired = (context(pki.server("localhost", now=now)) for now in (NOW, NOW - 500 * DAY))
    with _faulty_origin() as origin:
        origin.closes, origin.tls = True, good

        def begin() -> None:
            origin.tls = expired

        def end() -> None:
            origin.tls = good

        zone = _zone(f"https://localhost:{origin.port}", f'origin_ca = "{pki.ca}"\n')
        return Course("certificate of an origin expired", place, zone, begin, end).run()


def certificate_expired(place: Path) -> Outcome:
    """The edge's own: it goes on, clients that verify refuse, and the next one is taken by itself."""
    pki = PKI(place, now=NOW - 500 * DAY)
    ending = pki.server("example.com")
    trusting = ssl.create_default_context(cafile=str(pki.ca))

    def handshake(served: Served, _: bytes) -> str:
        url = urlsplit(served.urls["https"])
        address = str(url.hostname), url.port or 0
        try:
            with (
                socket.create_connection(address, timeout=PATIENCE_SECONDS) as plain,
                trusting.wrap_socket(plain, server_hostname="example.com"),
            ):
                return "trusted"
        except ssl.SSLCertVerificationError as error:
            return error.verify_message

    tls = f'[sockets]\nhttps = "127.0.0.1:0"\n[[tls.certificates]]\ncert = "{ending.cert}"\nkey = "{ending.key}"\n'
    course = Course("certificate expired", place, tls, lambda: None, lambda: _renew(pki), begins_good=False)
    return course.run(handshake, good="trusted")


def _renew(pki: PKI) -> None:
    pki.server("example.com", now=NOW)
