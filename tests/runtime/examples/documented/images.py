from js import URL, fetch


async def on_fetch(request):
    url = URL.new(request.url)
    return fetch(f"https://images.example.net/hash{url.pathname}")
