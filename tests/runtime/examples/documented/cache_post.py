import hashlib

from js import URL, Headers, Request, caches, fetch
from pyodide.ffi import create_proxy


async def on_fetch(request, _, ctx):
    if "POST" in request.method:
        body = await request.clone().text()
        body_hash = hashlib.sha256(body.encode("UTF-8")).hexdigest()
        cache_url = URL.new(request.url)
        cache_url.pathname = "/posts" + cache_url.pathname + body_hash
        headers = Headers.new(dict(request.headers).items())
        cache_key = Request.new(cache_url.toString(), method="GET", headers=headers)
        cache = caches.default
        response = await cache.match(cache_key)
        if response is None:
            response = await fetch(request)
            ctx.waitUntil(create_proxy(cache.put(cache_key, response.clone())))
        return response
    return await fetch(request)
