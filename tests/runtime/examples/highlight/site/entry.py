from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        done = await self.env.HIGHLIGHT.highlight_code(await request.text(), "python")
        unknown = await self.env.HIGHLIGHT.highlight_code("x", language="no such")
        return Response(f"{done.alias} {done['html']} {unknown.error} {unknown.alias}")
