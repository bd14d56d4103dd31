"""Signs and verifies tokens with WebCrypto, as scripts that were translated from JavaScript do."""

import base64
import json

import js
from js import Object, TextEncoder, Uint8Array, crypto
from pyodide.ffi import to_js
from workers import Response, WorkerEntrypoint

HMAC = to_js({"name": "HMAC", "hash": "SHA-256"}, dict_converter=Object.fromEntries)
RS256 = to_js({"name": "RSASSA-PKCS1-v1_5", "hash": {"name": "SHA-256"}}, dict_converter=Object.fromEntries)


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


async def hmac_key(secret):
    return await crypto.subtle.importKey("raw", TextEncoder.new().encode(secret), HMAC, False, ["sign", "verify"])


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.method == "POST":
            claims = await request.json()
            signing = f"{b64url(json.dumps({'alg': 'HS256'}).encode())}.{b64url(json.dumps(claims).encode())}"
            key = await hmac_key(self.env.SECRET)
            signature = await crypto.subtle.sign("HMAC", key, to_js(signing.encode()))
            return Response(f"{signing}.{b64url(Uint8Array.new(signature).to_bytes())}")
        token = (request.headers.get("Authorization") or "").removeprefix("Bearer ")
        header, payload, signature = token.split(".")
        signed, given = to_js(f"{header}.{payload}".encode()), to_js(unb64url(signature))
        if json.loads(unb64url(header))["alg"] == "HS256":
            valid = await crypto.subtle.verify("HMAC", await hmac_key(self.env.SECRET), given, signed)
        else:
            jwk = js.JSON.parse(self.env.JWK)
            key = await crypto.subtle.importKey("jwk", jwk, RS256, False, to_js(["verify"]))
            valid = await crypto.subtle.verify("RSASSA-PKCS1-v1_5", key, given, signed)
        if not valid:
            return Response("bad signature", status=401)
        return Response.json(json.loads(unb64url(payload)))
