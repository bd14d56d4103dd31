from js import Headers, Response


async def on_fetch(request):
    headers = Headers.new({"content-type": "text/html;charset=UTF-8"}.items())
    headers.set("x-greeting", request.headers.get("x-name") or "nobody")
    return Response.new(f"<p>{request.method}</p>", headers=headers)
