from js import URL, Response, console
from pyodide.ffi import to_js as _to_js
from js import Object


def to_js(value):
    return _to_js(value, dict_converter=Object.fromEntries)


async def on_fetch(request, env):
    url = URL.new(request.url)
    console.log(f"asked for {url.pathname}")
    if url.pathname == "/search":
        return Response.json(to_js({"q": url.searchParams.get("q"), "page": url.searchParams.get("page")}))
    if url.pathname == "/old":
        return Response.redirect(f"{url.origin}/new", 301)
    return Response.new("Not found", to_js({"status": 404, "headers": {"x-path": url.pathname}}))
