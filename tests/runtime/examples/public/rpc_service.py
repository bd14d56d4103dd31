from workers import Response, WorkerEntrypoint


class Admin(WorkerEntrypoint):
    async def who(self):
        return {"who": self.ctx.props.user}


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(f"{request.method} {request.url} {await request.text()}")

    async def add(self, a, b):
        return a + b

    def greet(self, name, *, greeting="Hello"):
        return f"{greeting}, {name}"

    async def describe(self, given):
        return {"given": given, "kind": type(given).__name__, "text": given.a[1]["b"]}

    async def binary(self, data):
        return bytes(reversed(data))

    async def page(self):
        return Response("a page")

    async def fail(self):
        raise ValueError("no luck")
