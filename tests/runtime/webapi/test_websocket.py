import asyncio

import pytest

from edgeworker.messages import Closed
from edgeworker.runtime.webapi.data import Object
from edgeworker.runtime.webapi.ffi import JsDict, JsException
from edgeworker.runtime.webapi.websocket import WebSocket, WebSocketPair, take_for_response


def _pair() -> tuple[WebSocket, WebSocket, list[JsDict]]:
    """The client's end as a response has it, the script's end, and what the script hears."""
    client, server = WebSocket.pair()
    heard: list[JsDict] = []
    server.addEventListener("message", heard.append)
    server.addEventListener("close", heard.append)
    return take_for_response(client, 101), server, heard


def test_a_pair_is_taken_apart_in_every_way() -> None:
    pair = WebSocketPair.new()

    client, server = pair.object_values()
    assert [pair[0], pair[1], pair["0"]] == [client, server, client]
    assert list(Object.values(pair)) == [client, server]
    assert isinstance(client, WebSocket)
    assert client.readyState == WebSocket.OPEN == 1


async def test_what_was_sent_before_accept_waits_in_order() -> None:
    client, server, heard = _pair()
    client.deliver("one")
    client.deliver(b"two")
    await asyncio.sleep(0)
    assert heard == []

    server.accept()
    server.accept()
    await asyncio.sleep(0)

    assert [event["data"] for event in heard] == ["one", b"two"]
    assert heard[1].data.byteLength == 3  # type: ignore[attr-defined]  # an ArrayBuffer


async def test_what_the_script_says_is_received_to_the_end() -> None:
    client, server, _ = _pair()
    server.accept()
    server.send("text")
    server.send(bytearray(b"bytes"))
    server.close(4000, "done")
    server.close()

    assert [await client.receive() for _ in range(3)] == ["text", b"bytes", Closed(4000, "done")]
    assert server.readyState == WebSocket.CLOSING


async def test_after_the_clients_close_nothing_can_be_sent() -> None:
    client, server, heard = _pair()
    server.accept()
    client.deliver(Closed(1001, "bye"))
    client.deliver("too late")
    await asyncio.sleep(0)

    assert [(event["type"], event["code"], event["reason"], event["wasClean"]) for event in heard] == [
        ("close", 1001, "bye", True)
    ]
    assert server.readyState == WebSocket.CLOSED
    with pytest.raises(JsException, match="after close"):
        server.send("x")


async def test_listeners_that_are_attributes_hear_too() -> None:
    client, server = WebSocket.pair()
    heard: list[JsDict] = []
    server.onmessage, server.onclose = heard.append, heard.append
    end = take_for_response(client, 101)
    server.accept()
    end.deliver("one")
    end.deliver(Closed(1000, "bye"))
    await asyncio.sleep(0)

    assert [(event["type"], event.get("data"), event.get("code")) for event in heard] == [
        ("message", "one", None),
        ("close", None, 1000),
    ]


async def test_a_removed_listener_hears_nothing() -> None:
    client, server, heard = _pair()
    server.removeEventListener("message", heard.append)
    server.removeEventListener("message", print)
    server.accept()
    client.deliver("x")
    await asyncio.sleep(0)

    assert heard == []


@pytest.mark.parametrize(
    ("code", "reason", "name"),
    [
        (999, None, "InvalidAccessError"),
        (1005, None, "InvalidAccessError"),
        (1006, None, "InvalidAccessError"),
        (5000, None, "InvalidAccessError"),
        ("x", None, "InvalidAccessError"),
        (None, "why", "TypeError"),
        (1000, "ü" * 62, "SyntaxError"),
    ],
)
def test_a_close_that_cannot_be_sent_is_refused(code: object, reason: str | None, name: str) -> None:
    _, server, _ = _pair()

    with pytest.raises(JsException) as before:
        server.close()
    assert "accept()" in before.value.message

    async def accepted() -> None:
        server.accept()
        server.close(code, reason)

    with pytest.raises(JsException) as raised:
        asyncio.run(accepted())
    assert raised.value.name == name


def test_an_end_has_one_use() -> None:
    client, server, _ = _pair()
    server.accept()

    with pytest.raises(JsException, match="already used"):
        take_for_response(client, 101)
    with pytest.raises(JsException, match="when it was already used in a response"):
        client.accept()
    with pytest.raises(JsException, match="after calling accept"):
        take_for_response(server, 101)
    with pytest.raises(JsException, match="before sending"):
        WebSocket.pair()[0].send("x")
    with pytest.raises(JsException, match="status code 101"):
        take_for_response(WebSocket.pair()[0], 200)
    with pytest.raises(JsException, match="an end of a WebSocketPair, not str"):
        take_for_response("x", 101)
    with pytest.raises(JsException, match="fetch"):
        WebSocket.new("wss://a.test")
