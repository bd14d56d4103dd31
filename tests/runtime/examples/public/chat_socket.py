import json

from js import Object, Response, WebSocketPair
from pyodide.ffi import create_proxy, to_js


async def on_fetch(request, env, ctx):
    if request.headers.get("Upgrade") != "websocket":
        return Response.new("Expected Upgrade: websocket", status=426)
    client, server = WebSocketPair.new().object_values()
    server.accept()

    def on_message(event):
        server.send(json.dumps({"echo": event.data}))

    server.addEventListener("message", create_proxy(on_message))
    server.addEventListener("close", create_proxy(lambda event: None))
    return Response.new(None, to_js({"status": 101, "webSocket": client}, dict_converter=Object.fromEntries))
