from urllib.parse import urlparse

from workers import DurableObject, Response, WorkerEntrypoint, WorkflowEntrypoint


class Room(DurableObject):
    async def fetch(self, request):
        return Response(await self.ctx.storage.get("greeting"))


class Orders(WorkflowEntrypoint):
    async def run(self, event, step):
        @step.do("first")
        async def first():
            return event

        await first()


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        match urlparse(request.url).path:
            case "/d1":
                rows = await self.env.DB.prepare("SELECT quote FROM quotes").all()
                return Response.json(rows.results[0])
            case "/r2":
                return Response((await self.env.BUCKET.get("key")).body)
            case "/ai":
                return Response.json(await self.env.AI.run("@cf/model", {"prompt": "hello"}))
            case "/do":
                return await self.env.ROOMS.getByName("lobby").fetch(request)
            case "/workflow":
                return Response.json(await self.env.ORDERS.create())
            case "/queue":
                await self.env.QUEUE.send("message")
                return Response("sent")
            case _:
                return Response("runs")
