import json
import traceback

from js import Response, fetch
from pyodide.ffi import create_once_callable


async def on_fetch(request, _env, ctx):
    async def post_log(data):
        return await fetch("https://log.example.com/", method="POST", body=data)

    response = await fetch(request)
    try:
        if not response.ok and not response.redirected:
            body = await response.text()
            raise Exception(f"Bad response at origin. Status:{response.status} Body:{body.strip()[:10]}")
    except Exception as e:
        ctx.waitUntil(create_once_callable(post_log(e)))
        stack = json.dumps(traceback.format_exc()) or e
        response = Response.new(stack, response)
        response.headers["X-Debug-stack"] = stack
        response.headers["X-Debug-err"] = e
    return response
