import math

from js import URL, Date, Object, Response, TextEncoder, atob, btoa, crypto, fetch, String, Uint8Array
from pyodide.ffi import to_js as _to_js

encoder = TextEncoder.new()
EXPIRY = 60


def to_js(x):
    return _to_js(x, dict_converter=Object.fromEntries)


async def on_fetch(request, env):
    secret = encoder.encode(env.SECRET if hasattr(env, "SECRET") else "my secret symmetric key")
    key = await crypto.subtle.importKey(
        "raw", secret, to_js({"name": "HMAC", "hash": "SHA-256"}), False, ["sign", "verify"]
    )
    url = URL.new(request.url)
    if url.pathname.startswith("/generate/"):
        url.pathname = url.pathname.replace("/generate/", "/", 1)
        timestamp = math.floor(Date.now() / 1000)
        mac = await crypto.subtle.sign("HMAC", key, encoder.encode(f"{url.pathname}{timestamp}"))
        encoded = btoa(String.fromCharCode(*Uint8Array.new(mac)))
        url.searchParams.set("verify", f"{timestamp}-{encoded}")
        return Response.new(f"{url.pathname}{url.search}")
    if "verify" not in url.searchParams:
        return Response.new("Missing query parameter", status=403)
    timestamp, hmac = url.searchParams.get("verify").split("-")
    received = Uint8Array.new([ord(character) for character in atob(hmac)])
    verified = await crypto.subtle.verify("HMAC", key, received, encoder.encode(f"{url.pathname}{int(timestamp)}"))
    if not verified:
        return Response.new("Invalid MAC", status=403)
    if Date.now() / 1000 > int(timestamp) + EXPIRY:
        return Response.new(f"URL expired at: {Date.new((int(timestamp) + EXPIRY) * 1000)}", status=403)
    return await fetch(URL.new(url.pathname, "https://example.com"), request)
