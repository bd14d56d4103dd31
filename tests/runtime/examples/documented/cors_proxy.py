from js import URL, Object, Request, Response, fetch
from pyodide.ffi import to_js as _to_js


def to_js(x):
    return _to_js(x, dict_converter=Object.fromEntries)


async def on_fetch(request):
    cors_headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET,HEAD,POST,OPTIONS"}
    default_url = "https://api.example.com/demo"

    async def handle_request(request):
        url = URL.new(request.url)
        api_url = url.searchParams["apiurl"]
        if not api_url:
            api_url = default_url
        request = Request.new(api_url, request)
        request.headers["Origin"] = (URL.new(api_url)).origin
        response = await fetch(request)
        response = Response.new(response.body, response)
        response.headers["Access-Control-Allow-Origin"] = url.origin
        response.headers["Vary"] = "Origin"
        return response

    async def handle_options(request):
        if "Origin" in request.headers and "Access-Control-Request-Headers" in request.headers:
            allowed = request.headers["Access-Control-Request-Headers"]
            return Response.new(None, headers=to_js({**cors_headers, "Access-Control-Allow-Headers": allowed}))
        return Response.new(None, headers=to_js({"Allow": "GET, HEAD, POST, OPTIONS"}))

    url = URL.new(request.url)
    if url.pathname.startswith("/corsproxy/"):
        if request.method == "OPTIONS":
            return handle_options(request)
        if request.method in ("GET", "HEAD", "POST"):
            return handle_request(request)
        return Response.new(None, status=405, statusText="Method Not Allowed")
    return Response.new("<h1>demo</h1>", headers=to_js({"content-type": "text/html;charset=UTF-8"}))
