import json

from js import URL, Object, Request, Response, fetch
from pyodide.ffi import to_js as _to_js


def to_js(x):
    return _to_js(x, dict_converter=Object.fromEntries)


async def on_fetch(request):
    url = URL.new("https://foo.example.com/api.js?q=1")
    url.hostname = "bar.example.com"
    init = {"method": "POST", "redirect": "follow", "body": json.dumps({"bar": "foo"}), "headers": {"X-One": "1"}}
    new_request = Request.new(url, to_js(init))
    new_request.headers["X-Example"] = "bar"
    new_request.headers["Content-Type"] = "application/json"
    form = await Request.new(
        "https://x.example/",
        method="POST",
        body="a=1&a=2",
        headers=to_js({"content-type": "application/x-www-form-urlencoded"}),
    ).formData()
    new_request.headers["X-Form"] = form["a"]
    try:
        return await fetch(new_request)
    except Exception as e:
        return Response.new(json.dumps({"error": str(e)}), status=500)
