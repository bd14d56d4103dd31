"""A Discord interactions endpoint: the signature is verified with WebCrypto."""

import json

from js import Object, Uint8Array, crypto
from pyodide.ffi import to_js
from workers import Response, WorkerEntrypoint


async def verify(public_key, signature, timestamp, body):
    algorithm = to_js({"name": "Ed25519"}, dict_converter=Object.fromEntries)
    key = await crypto.subtle.importKey(
        "raw", Uint8Array.new(bytes.fromhex(public_key)), algorithm, False, to_js(["verify"])
    )
    return await crypto.subtle.verify(
        algorithm, key, to_js(bytes.fromhex(signature)), to_js((timestamp + body).encode())
    )


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        signature = request.headers.get("X-Signature-Ed25519")
        timestamp = request.headers.get("X-Signature-Timestamp")
        if not signature or not timestamp:
            return Response("missing signature", status=401)
        body = await request.text()
        if not await verify(self.env.DISCORD_PUBLIC_KEY, signature, timestamp, body):
            return Response("invalid request signature", status=401)
        interaction = json.loads(body)
        match interaction["type"]:
            case 1:
                return Response.json({"type": 1})
            case 2:
                name = interaction["data"]["name"]
                return Response.json({"type": 4, "data": {"content": f"Hello from /{name}"}})
        return Response.json({"error": "unknown type"}, status=400)
