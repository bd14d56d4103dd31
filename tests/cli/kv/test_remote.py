import socket
from pathlib import Path

import pytest

from edgeworker.clock import SystemClock
from edgeworker.config import Config, Limits, Socket
from edgeworker.host.datadir import DataDir
from edgeworker.kv.store import KVStore
from edgeworker.messages import Request, Response
from edgeworker.server import listen
from tests.cli.kv.commands import Kv
from wrangler_compat.api import Authenticator, OneToken, V4Api


async def test_the_data_directorys_token_is_used_and_a_wrong_one_is_told(
    kv_here: Kv, store: KVStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EDGEWORKER_API_TOKEN", raising=False)
    token, clock = DataDir.open(tmp_path / "data").api_token(), SystemClock()
    api = V4Api(Config(account_id="mine"), store, Authenticator([OneToken(token)], clock=clock), clock=clock)
    listener = await listen(api, Socket(port=0), limits=Limits(), clock=clock)
    here = ("--api-url", f"{listener.url}/client/v4")

    assert '"tokens"' in (await kv_here("namespace", "list", *here)).out
    assert '"tokens"' in (await kv_here("namespace", "list", *here, "--account-id", "mine")).out
    wrong = (await kv_here("namespace", "list", *here, "--api-token", "wrong-secret", status=1)).err
    other = (await kv_here("namespace", "list", *here, "--account-id", "other", status=1)).err
    await listener.close(0)

    assert "the API answered 401: Authentication error; The API token is not known here" in wrong
    assert "wrong-secret" not in wrong
    assert 'There is no account "other" here' in other


async def test_a_server_that_is_not_an_api_is_told(kv_here: Kv) -> None:
    class Page:
        async def fetch(self, request: Request, /) -> Response:
            return Response(200, body=b"<html>")

    clock = SystemClock()
    listener = await listen(Page(), Socket(port=0), limits=Limits(), clock=clock)
    ran = await kv_here("namespace", "list", "--api-url", listener.url, "--api-token", "t", status=1)
    await listener.close(0)

    assert "the server at --api-url answered 200, but not as the API does" in ran.err


async def test_the_proxy_of_the_environment_is_asked(
    kv_here: Kv, store: KVStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    clock = SystemClock()
    authenticator = Authenticator([OneToken("t")], clock=clock, hosts=["api.example"])
    listener = await listen(
        V4Api(Config(), store, authenticator, clock=clock), Socket(port=0), limits=Limits(), clock=clock
    )
    monkeypatch.setenv("HTTP_PROXY", listener.url)
    ran = await kv_here("namespace", "list", "--api-url", "http://api.example", "--api-token", "t")
    await listener.close(0)

    assert '"tokens"' in ran.out


async def test_an_edge_that_does_not_run_is_told_with_what_to_do(kv_here: Kv) -> None:
    with socket.socket() as unused:  # bound and not listening: every connection is refused
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"

        told = (await kv_here("namespace", "list", "--api-url", url, "--api-token", "t", status=1)).err

    assert f"{url}: Connection refused; is an edge running there? Name the API of another one with --api-url" in told
