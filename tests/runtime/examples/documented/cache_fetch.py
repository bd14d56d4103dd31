from js import URL, Object, Response, fetch
from pyodide.ffi import to_js as _to_js


def to_js(x):
    return _to_js(x, dict_converter=Object.fromEntries)


async def on_fetch(request):
    url = URL.new(request.url)
    key = f"https://{url.hostname}{url.pathname}"
    response = await fetch(request, cf=to_js({"cacheTtl": 5, "cacheEverything": True, "cacheKey": key}))
    response = Response.new(response.body, response)
    response.headers["Cache-Control"] = "max-age=1500"
    return response
