"""A client whose handshake fails is told why, on both event loops."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest
import uvloop

from edgeworker.clock import SystemClock
from edgeworker.config import TLS, Limits
from edgeworker.server import Listener, listen
from edgeworker.server.tls import server_context
from tests.patience import PATIENCE_SECONDS
from tests.pki import NOW, PKI
from tests.server.wires import ANY_PORT, END, GET, Answering, hello

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def stranger(pki: PKI) -> list[str]:
    other = pki.folder / "other"
    other.mkdir()
    cert, key = PKI(other).client("stranger")
    return ["-cert", str(cert), "-key", str(key)]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(
    ("asked", "alert"),
    [
        (lambda _: ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], "alert protocol version"),
        (lambda _: ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"], "alert handshake failure"),
        (lambda _: ["-tls1_3"], "alert certificate required"),
        (lambda _: ["-tls1_2"], "alert handshake failure"),
        (stranger, "alert unknown ca"),
    ],
    ids=["old version", "no cipher", "no certificate", "no certificate, TLS 1.2", "unknown authority"],
)
def test_a_client_is_told_why_its_handshake_failed(
    tmp_path: Path, loop: str, asked: Callable[[PKI], list[str]], alert: str
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    pki = PKI(tmp_path)
    command = ["openssl", "s_client", "-CAfile", str(pki.ca), "-servername", "a.example", "-ign_eof", *asked(pki)]

    def ask(port: int) -> str:
        done = subprocess.run(
            [*command, "-connect", f"127.0.0.1:{port}"], input=GET + END, capture_output=True, timeout=PATIENCE_SECONDS
        )
        return done.stderr.decode()

    assert alert in _served(pki, loop, lambda listener: asyncio.to_thread(ask, listener.port))


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_has_what_is_asked_for_is_answered(tmp_path: Path, loop: str) -> None:
    pki = PKI(tmp_path)
    cert, key = pki.client("known")
    client = ssl.create_default_context(cafile=str(pki.ca))
    client.load_cert_chain(cert, key)

    async def ask(listener: Listener) -> str:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", listener.port, ssl=client, server_hostname="a.example"
        )
        writer.write(GET + END)
        answer = await reader.read()
        writer.close()
        return answer.decode()

    assert _served(pki, loop, ask).startswith("HTTP/1.1 200 ")


def _served(pki: PKI, loop: str, ask: Callable[[Listener], Coroutine[object, object, str]]) -> str:
    async def serve() -> str:
        tls = TLS((pki.server("a.example"),), client_auth="require", client_ca=pki.ca)
        context = server_context(tls, now=NOW)
        listener = await listen(Answering(hello), ANY_PORT, limits=Limits(), clock=SystemClock(), tls=context)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await ask(listener)
        finally:
            await listener.close(0)

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        return runner.run(serve())
