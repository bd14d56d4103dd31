import logging

import pytest

from edgeworker.messages import URL, Closed, Headers, Request, Response
from edgeworker.messages.websocket import WebSocketEnd
from edgeworker.runtime import ScriptFailure
from tests.runtime.stage import Stage

FASTAPI = """
import asgi
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from workers import Response, WorkerEntrypoint

app = FastAPI()
gone = []

@app.websocket("/ws/{room}")
async def talk(websocket: WebSocket, room: str, name: str = "nobody"):
    await websocket.accept(subprotocol="chat" if "chat" in websocket.scope["subprotocols"] else None)
    try:
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                gone.append(message["code"])
                return
            if message.get("text") == "bye":
                return await websocket.close(4001, "as you say")
            if message.get("text") == "fail":
                raise ValueError("no")
            if message.get("bytes"):
                await websocket.send_bytes(message["bytes"][::-1])
            else:
                await websocket.send_json({room: message["text"], "name": name, "v": websocket.scope["env"].V})
    except WebSocketDisconnect:
        gone.append("exception")

@app.websocket("/closed")
async def closed(websocket: WebSocket):
    await websocket.close()

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.headers.get("upgrade") == "websocket":
            return await asgi.websocket(app, request.js_object, self.env)
        return Response(str(gone))
"""


async def opened(stage: Stage, path: str = "/ws/r?name=Ann", protocols: str = "") -> Response:
    fields = {"Upgrade": "websocket", **({"Sec-WebSocket-Protocol": protocols} if protocols else {})}
    request = Request("GET", URL.parse(f"https://example.com{path}"), Headers(fields))
    return await stage.workers["w"].run(request, stage.origin)


def end(response: Response) -> WebSocketEnd:
    assert response.web_socket is not None
    return response.web_socket


@pytest.fixture
def talking(stage: Stage) -> Stage:
    from edgeworker.bindings import TextBinding

    stage.add(FASTAPI, TextBinding("V", "v"))
    return stage


async def test_a_websocket_of_fastapi_echoes(talking: Stage) -> None:
    response = await opened(talking)
    socket = end(response)
    socket.deliver("hello")
    socket.deliver(b"abc")

    assert response.status == 101
    assert await socket.receive() == '{"r":"hello","name":"Ann","v":"v"}'
    assert await socket.receive() == b"cba"
    socket.deliver("bye")
    assert await socket.receive() == Closed(4001, "as you say")


async def test_the_application_chooses_a_subprotocol(talking: Stage) -> None:
    response = await opened(talking, protocols="other, chat")

    assert response.headers.get("sec-websocket-protocol") == "chat"
    end(response).deliver("bye")


async def test_the_application_hears_that_the_client_is_gone(talking: Stage) -> None:
    socket = end(await opened(talking))
    socket.deliver(Closed(1001, "leaving"))
    await talking.background.drain()

    assert (await talking.get()).text == "[1001]"


async def test_an_application_that_does_not_accept_refuses(talking: Stage) -> None:
    response = await opened(talking, "/closed")

    assert (response.status, response.web_socket) == (403, None)


async def test_an_application_that_fails_closes_with_1011(talking: Stage, caplog: pytest.LogCaptureFixture) -> None:
    socket = end(await opened(talking))
    with caplog.at_level(logging.ERROR):
        socket.deliver("fail")
        assert await socket.receive() == Closed(1011, "")

    assert "ASGI application failed after it had accepted a WebSocket" in caplog.text


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("raise ValueError('at once')", "at once"),
        ("await send({'type': 'websocket.send', 'text': 'x'})", "Unexpected ASGI message 'websocket.send'"),
        ("pass", "neither accepted nor closed"),
    ],
)
async def test_a_failure_before_the_answer_is_the_scripts(stage: Stage, body: str, says: str) -> None:
    stage.add(
        f"""
        from workers import WorkerEntrypoint, asgi
        async def app(scope, receive, send):
            if scope["type"] == "websocket":
                assert scope["scheme"] == "wss" and "method" not in scope
                {body}
        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                return await asgi.websocket(app, request, self.env)
        """
    )

    with pytest.raises(ScriptFailure) as raised:
        await opened(stage)
    assert says in str(raised.value.original)


async def test_what_is_sent_after_the_end_is_an_os_error(stage: Stage) -> None:
    stage.add(
        """
        from workers import Response, WorkerEntrypoint, asgi
        told = []
        async def app(scope, receive, send):
            if scope["type"] != "websocket":
                return
            await send({"type": "websocket.accept"})
            while (await receive())["type"] != "websocket.disconnect":
                pass
            try:
                await send({"type": "websocket.send", "text": "x"})
            except OSError as error:
                told.append(str(error))
        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                if request.headers.get("upgrade"):
                    return await asgi.websocket(app, request, self.env)
                return Response(str(told))
        """
    )
    end(await opened(stage)).deliver(Closed(1000))
    await stage.background.drain()

    assert (await stage.get()).text == "['the WebSocket is closed']"
