from js import URL, Request, caches
from workers import Response, WorkerEntrypoint, fetch


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        cache = caches.default
        key = Request.new(URL.new(request.url).toString(), request.js_object)
        cached = await cache.match(key)
        if cached:
            return Response(cached)
        answer = await fetch("https://origin.example/page")
        response = Response(
            answer.body, status=answer.status, headers={"Cache-Control": "s-maxage=10", "x-from": "origin"}
        )
        self.ctx.waitUntil(cache.put(key, response.js_object.clone()))
        return response
