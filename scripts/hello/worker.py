"""The smallest worker: it greets. Change it, and `edgeworker dev` serves the new text at the next request."""

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("Hello world!")
