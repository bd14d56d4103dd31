from workers import Response, WorkerEntrypoint, python_from_rpc


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        total = await self.env.SERVICE.add(1, 2)
        named = await self.env.SERVICE.greet("Ann", greeting="Hej")
        data = await self.env.SERVICE.describe({"a": [1, {"b": None}]})
        binary = await self.env.SERVICE.binary(b"abc")
        answer = await self.env.SERVICE.fetch("https://service/hello", method="POST", body="x")
        response = await self.env.SERVICE.page()
        try:
            await self.env.SERVICE.fail()
        except Exception as error:
            failed = str(error)
        return Response.json(
            {
                "total": total,
                "named": named,
                "data": data,
                "attribute": data.given.a[1]["b"],
                "binary": list(binary),
                "answer": await answer.text(),
                "page": await response.text(),
                "failed": failed,
                "props": await self.env.NAMED.who(),
            }
        )
