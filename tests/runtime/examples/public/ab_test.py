from js import Response, fetch, URL, Headers

NAME = "experiment-0"


async def on_fetch(request):
    url = URL.new(request.url)
    if url.pathname.startswith("/control") or url.pathname.startswith("/test"):
        return await fetch(request)
    cookie = request.headers.get("cookie")
    if cookie and f"{NAME}=test" in cookie:
        url.pathname = "/test" + url.pathname
    else:
        url.pathname = "/control" + url.pathname
    response = await fetch(url.href)
    response = Response.new(response.body, response)
    response.headers.append("Set-Cookie", f"{NAME}=control; path=/")
    return response
