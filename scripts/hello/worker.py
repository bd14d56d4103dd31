"""The smallest worker. Change the text, and `edgeworker dev` serves the new one at the next request."""

from workers import Request, Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        return Response("Hello world!")
