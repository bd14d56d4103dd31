import js
from js import Array, ArrayBuffer, Date, JSON, Map, Math, Object, Set, Uint8Array, atob, btoa, crypto
from pyodide.ffi import JsProxy, jsnull, to_js
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        filled = crypto.getRandomValues(Uint8Array.new(16))
        digest = await crypto.subtle.digest("SHA-256", js.TextEncoder.new().encode("abc"))
        words = js.Uint32Array.new(2)
        crypto.getRandomValues(words)
        object_ = Object.new()
        object_.name = "n"
        object_.count = 2
        map_ = to_js({"a": 1})
        array = Array.new()
        array.push("x")
        date = Date.new(2024, 0, 31)
        buffer = ArrayBuffer.new(4)
        view = Uint8Array.new(buffer)
        view[0] = 7
        response = js.Response.new(to_js(b"\x01\x02"))
        return Response.json(
            {
                "random": len(filled.to_py().tobytes()) == 16,
                "uuid": len(crypto.randomUUID()) == 36,
                "hex": "".join(f"{b:02x}" for b in Uint8Array.new(digest))[:8],
                "digest": bytes(Uint8Array.new(digest).to_py()).hex()[:8],
                "memory": digest.to_bytes().hex()[:8],
                "words": [words.length, words.byteLength, words.BYTES_PER_ELEMENT],
                "object": JSON.stringify(object_),
                "typeof": [object_.typeof, array.typeof],
                "map": [map_.get("a"), map_.has("a"), map_.size],
                "array": [array.length, array[0], list(array), array.to_py()],
                "date": date.toISOString(),
                "iso": Date.new("2024-02-29T12:00:00Z").getTime(),
                "now": Date.now() > 0,
                "math": [Math.floor(1.5), Math.max(1, 2), Math.round(2.5)],
                "base64": [btoa("hi"), atob("aGk=")],
                "shared": buffer.to_bytes()[0],
                "json": JSON.parse('{"a": {"b": [1, null]}}').a.b[0],
                "null": JSON.parse("null") in (None, jsnull),
                "nested": Object.entries(Object.fromEntries([["k", "v"]])).to_py(),
                "keys": list(Object.keys(object_)),
                "proxy": [isinstance(object_, JsProxy), isinstance({}, JsProxy)],
                "bytes": list(await response.bytes()),
                "set": Set.new([1, 1]).size,
                "js_map": Map.new([["a", 1]]).get("a"),
                "number": js.Number("12"),
                "string": js.String(12),
                "parse": js.parseInt("42px"),
                "float": js.parseFloat("1.5rem"),
                "nan": js.isNaN(float("nan")),
                "scheduler": await js.scheduler.wait(0),
                "error": js.Error.new("broken").message,
                "clone": js.structuredClone(object_).name,
                "global": js.globalThis.JSON.stringify([1]),
            }
        )
