import asyncio
import json

import httpx
from js import AbortController, AbortSignal, Headers, Object, setTimeout
from js import fetch as js_fetch
from pyodide.ffi import JsException, create_once_callable, to_js
from workers import Request, Response, WorkerEntrypoint, fetch


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response.json(await getattr(self, request.url.rsplit("/", 1)[-1])(request))

    async def gather(self, request):
        async def one(name):
            response = await fetch(f"https://api.example.com/{name}")
            return (await response.json())["name"]

        tasks = [asyncio.create_task(one(name)) for name in ("a", "b")]
        async with asyncio.TaskGroup() as group:
            third = group.create_task(one("c"))
        return [*(await asyncio.gather(*tasks)), third.result(), await asyncio.wait_for(one("d"), timeout=5)]

    async def post(self, request):
        response = await fetch(
            "https://api.example.com/echo",
            method="POST",
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self.env.TOKEN}"},
            body=json.dumps({"text": "hello"}),
        )
        return {
            "status": response.status,
            "ok": response.ok,
            "type": response.headers["content-type"],
            "none": response.headers.get("x-none", "default"),
            "text": await response.text(),
        }

    async def js_post(self, request):
        init = {"method": "POST", "headers": {"content-type": "text/plain"}, "body": "plain"}
        response = await js_fetch("https://api.example.com/echo", to_js(init, dict_converter=Object.fromEntries))
        keywords = await js_fetch(
            "https://api.example.com/echo", method="PUT", headers=Headers.new({"x-a": "1"}.items()), body="put"
        )
        return [
            await response.text(),
            (await keywords.text()),
            keywords.status,
            keywords.headers.get("content-type") or "",
        ]

    async def abort(self, request):
        controller = AbortController.new()
        setTimeout(create_once_callable(lambda: controller.abort()), 1)
        try:
            await js_fetch("https://api.example.com/slow", signal=controller.signal)
        except JsException as error:
            first = error.name
        try:
            await js_fetch("https://api.example.com/slow", to_js({"signal": AbortSignal.timeout(1)}))
        except JsException as error:
            return [first, error.name, str(error)]

    async def failed(self, request):
        found = []
        for call in (fetch, js_fetch):
            try:
                await call("https://down.example.com/")
            except Exception as error:
                found.append(type(error).__name__)
        return found

    async def httpx(self, request):
        async with httpx.AsyncClient(base_url="https://api.example.com", headers={"x-client": "httpx"}) as client:
            got = await client.get("/a", params={"q": "x y"})
            posted = await client.post("/echo", json={"a": 1})
        return [got.json(), posted.status_code, posted.json()["body"]]

    async def forward(self, request):
        changed = Request(
            "https://api.example.com/echo",
            method=request.method,
            headers={**dict(request.headers), "x-forwarded-by": "worker"},
            body=await request.text(),
        )
        changed.headers["not"] = "sent"
        response = await fetch(changed)
        return await response.json()
