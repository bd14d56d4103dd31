import json

from workers import Response, WorkerEntrypoint, fetch


class Default(WorkerEntrypoint):
    async def scheduled(self, controller):
        self.ctx.waitUntil(self.report(controller.cron))
        if controller.cron == "0 0 * * *":
            controller.noRetry()

    async def report(self, cron):
        await fetch("https://hooks.example.com/", method="POST", body=json.dumps({"cron": cron}))
        await self.env.KV.put("last", cron, {"expirationTtl": 120})

    async def queue(self, batch, env, ctx):
        for message in batch.messages:
            message.ack()

    async def email(self, message, env, ctx):
        await message.forward("a@example.com")

    async def tail(self, events):
        print(events)

    async def fetch(self):
        return Response(await self.env.KV.get("last") or "never")
