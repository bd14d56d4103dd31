import random
import string

from js import JSON, URL, Headers, Object, Response
from pyodide.ffi import to_js


def options(**given):
    return to_js(given, dict_converter=Object.fromEntries)


async def on_fetch(request, env, ctx):
    url = URL.new(request.url)
    if request.method == "POST":
        data = (await request.json()).to_py()
        slug = data.get("slug") or "".join(random.choices(string.ascii_lowercase, k=6))
        await env.KV.put(slug, data["url"], options(expirationTtl=60, metadata={"hits": 0}))
        headers = Headers.new([["content-type", "application/json"], ["x-slug", slug]])
        return Response.new(
            JSON.stringify(options(short=f"{url.origin}/{slug}", long=data["url"])),
            options(status=201, headers=headers),
        )
    slug = url.pathname[1:]
    target = await env.KV.get(slug)
    if target is None:
        return Response.new(f"Unknown: {slug}", options(status=404))
    return Response.redirect(target, 301)
