"""Greets."""

from urllib.parse import parse_qs, urlsplit

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        query = parse_qs(urlsplit(request.url).query)
        name = query.get("name", ["world"])[0]
        return Response(f"{self.env.GREETING} {name}!")
