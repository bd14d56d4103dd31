from js import Headers, Object, Request, Response, fetch
from pyodide.ffi import to_js


async def on_fetch(request, env):
    headers = Headers.new(request.headers)
    headers.set("x-proxied", "yes")
    sent = Request.new(request, headers=headers)
    answer = await fetch(sent)
    page = await fetch(
        "https://other.example/", to_js({"method": "POST", "body": "x"}, dict_converter=Object.fromEntries)
    )
    changed = Response.new(answer.body, answer)
    changed.headers.append("x-other", await page.text())
    return changed
