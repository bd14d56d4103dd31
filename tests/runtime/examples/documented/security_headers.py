from js import Headers, Response, fetch

ADDED = {"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff"}
REMOVED = ["X-Powered-By", "Server"]


async def on_fetch(request):
    res = await fetch(request)
    new_headers = Headers.new(res.headers)
    if "text/html" not in (new_headers["Content-Type"] or ""):
        return Response.new(res.body, status=res.status, headers=new_headers)
    for name in ADDED:
        new_headers[name] = ADDED[name]
    for name in REMOVED:
        if name in new_headers:
            del new_headers[name]
    if request.cf.tlsVersion not in ("TLSv1.2", "TLSv1.3"):
        return Response.new("You need to use TLS version 1.2 or higher.", status=400)
    return Response.new(res.body, status=res.status, headers=new_headers)
