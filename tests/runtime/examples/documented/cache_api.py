from js import Request, Response, caches, fetch
from pyodide.ffi import create_proxy


async def on_fetch(request, _env, ctx):
    cache_key = Request.new(request.url, request)
    cache = caches.default
    response = await cache.match(cache_key)
    if response is None:
        print(f"not in the cache: {request.url}")
        response = await fetch(request)
        response = Response.new(response.body, response)
        response.headers.append("Cache-Control", "s-maxage=10")
        ctx.waitUntil(create_proxy(cache.put(cache_key, response.clone())))
    return response
