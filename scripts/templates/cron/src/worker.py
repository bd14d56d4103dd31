"""Notes when each of its triggers fired last, and shows it."""

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def scheduled(self, controller):
        await self.env.RUNS.put(controller.cron, str(int(controller.scheduledTime)))
        print(f"{controller.cron} fired")

    async def fetch(self):
        listed = await self.env.RUNS.list()
        runs = {key.name: await self.env.RUNS.get(key.name) for key in listed.keys}
        return Response.json(runs)
