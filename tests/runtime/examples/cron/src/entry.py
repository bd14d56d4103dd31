from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def scheduled(self, controller, env, ctx):
        await self.env.RUNS.put("last", f"{controller.cron} {controller.scheduledTime}")

    async def fetch(self):
        return Response(await self.env.RUNS.get("last") or "not yet")
