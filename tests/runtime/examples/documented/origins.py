from js import URL, fetch

ORIGINS = {"a.example.com": "b.example.net"}


async def on_fetch(request):
    url = URL.new(request.url)
    if url.hostname in ORIGINS:
        url.hostname = ORIGINS[url.hostname]
        return await fetch(url, request)
    return await fetch(request)
