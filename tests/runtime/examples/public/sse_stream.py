import asyncio
import json

from js import Response as JSResponse
from js import ReadableStream, TextDecoder, TextEncoder, TransformStream, Uint8Array
from pyodide.ffi import create_proxy, to_js
from workers import Response, WorkerEntrypoint, fetch

encoder = TextEncoder.new()


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        path = request.url.split("/", 3)[-1]
        return await getattr(self, f"do_{path}")(request)

    async def do_transform(self, request):
        stream = TransformStream.new()
        writer = stream.writable.getWriter()

        async def produce():
            for number in range(3):
                await writer.write(encoder.encode(f"data: {json.dumps({'n': number})}\n\n"))
                await asyncio.sleep(0)
            await writer.close()

        self.ctx.waitUntil(produce())
        return Response(stream.readable, headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})

    async def do_readable(self, request):
        async def start(controller):
            for word in ("one ", "two ", "three"):
                controller.enqueue(to_js(word.encode()))
            controller.close()

        return Response(ReadableStream.new({"start": create_proxy(start)}))

    async def do_upstream(self, request):
        upstream = await fetch("https://api.example.com/v1/chat", method="POST", body=json.dumps({"stream": True}))
        seen = []
        async for chunk in upstream.body:
            seen.append(chunk.to_bytes().decode())
        return Response("|".join(seen))

    async def do_reader(self, request):
        reader = request.body.getReader()
        decoder = TextDecoder.new()
        text = ""
        while True:
            result = await reader.read()
            if result.done:
                break
            text += decoder.decode(result.value, stream=True)
        return Response(text.upper())

    async def do_through(self, request):
        upstream = await fetch("https://api.example.com/v1/chat")

        def transform(chunk, controller):
            controller.enqueue(encoder.encode(TextDecoder.new().decode(chunk).upper()))

        upper = TransformStream.new(transform=create_proxy(transform))
        return JSResponse.new(upstream.body.pipeThrough(upper), status=200)

    async def do_tee(self, request):
        one, two = request.body.tee()
        first = await JSResponse.new(one).text()
        second = await JSResponse.new(two).arrayBuffer()
        return Response(f"{first} {Uint8Array.new(second).length}")
