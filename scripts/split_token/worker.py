"""Joins split tokens: the client shows a JWT's signature, KV knows header and payload, the API gets the whole JWT."""

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("The gateway refuses every request until its rules are here.", status=503)
