import asyncio
import json

from js import JSON, Headers, Object, Response, fetch
from pyodide.ffi import to_js as _to_js


def to_js(x):
    return _to_js(x, dict_converter=Object.fromEntries)


async def gather_response(response):
    content_type = response.headers["content-type"] or ""
    if "application/json" in content_type:
        return (content_type, JSON.stringify(await response.json()))
    return (content_type, await response.text())


async def on_fetch(_request):
    options = {"body": json.dumps({"n": None}), "method": "POST", "headers": {"content-type": "application/json"}}
    responses = await asyncio.gather(
        fetch("https://api.example.com/1", to_js(options)), fetch("https://api.example.com/2")
    )
    gathered = await asyncio.gather(*(gather_response(response) for response in responses))
    content_type, _ = gathered[0]
    headers = Headers.new({"content-type": content_type}.items())
    return Response.new("|".join(text for _, text in gathered), headers=headers)
