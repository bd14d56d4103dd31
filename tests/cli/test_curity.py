"""scripts/split_token/CURITY.md: its publisher's calls, byte for byte, to api.cloudflare.com, which is us."""

import base64
import hashlib
import http.client
import json
import secrets
import socket
import ssl
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgeworker.cli.kv.options import TOKEN_VARIABLE
from tests.cli.running import Edge, dev, environment, run
from tests.host.test_sockets import curl
from tests.patience import PATIENCE_SECONDS

HOST = "api.cloudflare.com"
NAMESPACE = "/client/v4/accounts/local/storage/kv/namespaces/tokens"
PAGE = Path(__file__).parents[2] / "scripts/split_token/CURITY.md"
ADMIN = "a" * 40  # reads what was written
VALUE = f"{base64.urlsafe_b64encode(b'{}').rstrip(b'=').decode()}.e30"


@dataclass(frozen=True, slots=True)
class Curity:
    """`token` may write into the namespace and do nothing else."""

    edge: Edge
    port: int
    token: str
    ca: str

    @contextmanager
    def connection(self, *, trusting: bool = True) -> Iterator[http.client.HTTPSConnection]:
        """A client that asks for port 443 of the name, on a machine whose hosts file leads it to us."""
        context = ssl.create_default_context(cafile=self.ca) if trusting else ssl.create_default_context()
        connection = http.client.HTTPSConnection(HOST, timeout=PATIENCE_SECONDS, context=context)

        def resolved(address: tuple[str, int], *rest: object) -> socket.socket:
            assert address == (HOST, 443)
            return socket.create_connection(("127.0.0.1", self.port), 20)

        connection._create_connection = resolved  # type: ignore[attr-defined]
        with closing(connection):
            yield connection

    def ask(self, method: str, path: str, token: str, body: str | None = None) -> tuple[int, str]:
        """(status, body)"""
        with self.connection() as connection:
            connection.request(method, path, body, {"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def list_keys(self) -> set[str]:
        _, text = self.ask("GET", f"{NAMESPACE}/keys?limit=1000", ADMIN)
        return {item["name"] for item in json.loads(text)["result"]}


@pytest.fixture(scope="module")
def curity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Curity]:
    folder = tmp_path_factory.mktemp("curity")
    (folder / "worker.py").write_text(
        "from workers import Response, WorkerEntrypoint\n\n\n"
        "class Default(WorkerEntrypoint):\n    async def fetch(self, request):\n        return Response('fine')\n"
    )
    (folder / "wrangler.toml").write_text(
        'name = "gateway"\nmain = "worker.py"\ncompatibility_date = "2026-04-01"\n'
        'compatibility_flags = ["python_workers"]\nkv_namespaces = [{ binding = "TOKENS", id = "tokens" }]\n'
    )
    assert run("tls", "init", "--san", HOST, cwd=folder).returncode == 0
    made = run("token", "create", "curity", "--allow", "kv:write:tokens", "--expires", "90d", cwd=folder)
    assert made.returncode == 0, made.stderr
    with dev("--api-https-port", "0", cwd=folder, env=environment(**{TOKEN_VARIABLE: ADMIN})) as edge:
        port = urllib.parse.urlsplit(edge.ready["api_https_url"]).port
        assert port is not None
        yield Curity(edge, port, made.stdout.split()[0], edge.ready["ca"])


def _key(signature: str) -> str:
    return base64.b64encode(hashlib.sha256(signature.encode()).digest()).decode()


def _random_keys(count: int) -> list[str]:
    """Half of them with a "/", as of all that a publisher writes."""
    found: dict[bool, list[str]] = {True: [], False: []}
    while min(map(len, found.values())) < count // 2:
        key = _key(secrets.token_urlsafe(64))
        found["/" in key].append(key)
    return [*found[True][: count // 2], *found[False][: count // 2]]


def test_200_random_tokens_are_published_as_the_plugin_does_it(curity: Curity) -> None:
    keys, expiration = _random_keys(200), int(time.time()) + 600

    with curity.connection() as connection:
        for key in keys:
            # Nothing is escaped, and there is no content type but the client's own.
            connection.putrequest("PUT", f"{NAMESPACE}/values/{key}?expiration={expiration}", skip_accept_encoding=True)
            connection.putheader("Authorization", f"Bearer {curity.token}")
            connection.putheader("Content-Length", str(len(VALUE)))
            connection.endheaders(VALUE.encode())
            answer = connection.getresponse()
            assert (answer.status, json.loads(answer.read())["success"]) == (200, True), key

    assert sum("/" in key for key in keys) == 100
    assert set(keys) <= curity.list_keys()


# Its key begins with two slashes: a client or server that tidies paths loses them.
@pytest.mark.parametrize("signature", ["sig4616", "sig1"])
def test_curl_publishes_and_the_value_is_read_as_it_was_sent(curity: Curity, signature: str) -> None:
    key = _key(signature)
    to = ("--cacert", curity.ca, "--connect-to", f"{HOST}:443:127.0.0.1:{curity.port}", "--path-as-is")
    url = f"https://{HOST}{NAMESPACE}/values/{key}"

    put = curl(
        *(*to, "-X", "PUT", "-H", f"Authorization: Bearer {curity.token}", "-H", "Content-Type: text/plain"),
        *("--data-binary", VALUE, f"{url}?expiration={int(time.time()) + 600}"),
    )
    read = curl(*to, "-H", f"Authorization: Bearer {ADMIN}", url)

    assert json.loads(put.stdout)["success"] is True, put.stderr
    assert read.stdout == VALUE


def test_the_publishers_token_reads_nothing_and_writes_nowhere_else(curity: Curity) -> None:
    for method, path in (
        ("GET", f"{NAMESPACE}/values/{_key('sig1')}"),
        ("GET", f"{NAMESPACE}/keys"),
        ("PUT", f"{NAMESPACE.replace('tokens', 'other')}/values/k?expiration={int(time.time()) + 600}"),
    ):
        status, text = curity.ask(method, path, curity.token, VALUE if method == "PUT" else None)
        assert status in (401, 403), (method, path)
        assert json.loads(text)["success"] is False


def test_a_token_of_less_than_a_minute_is_refused_with_the_words_of_the_page(curity: Curity) -> None:
    path = f"{NAMESPACE}/values/short?expiration={int(time.time()) + 30}"

    status, text = curity.ask("PUT", path, curity.token, VALUE)

    assert (status, "Invalid expiration" in text) == (400, True)
    assert "`400` with `Invalid expiration`" in PAGE.read_text()


def test_who_does_not_trust_the_authority_does_not_talk_to_us(curity: Curity) -> None:
    with curity.connection(trusting=False) as connection, pytest.raises(ssl.SSLCertVerificationError):
        connection.request("GET", f"{NAMESPACE}/keys")
