import pytest

from edgeworker.bindings import KVBinding, ServiceBinding, TextBinding, UnsupportedBinding
from edgeworker.messages import Response
from edgeworker.runtime import ScriptFailure
from tests.runtime.stage import Stage


async def test_a_service_binding_fetches_from_another_worker_whenever_that_is_loaded(stage: Stage) -> None:
    stage.add_fetch(
        """
        answer = await self.env.BACK.fetch("https://any.example/x?y=z", method="POST", body="hi", headers={"a": "1"})
        return Response(await answer.text() + str(answer.status))
        """,
        ServiceBinding("BACK", "back"),
    )
    stage.add_fetch(
        """
        text = f"{request.method} {request.url} {await request.text()} {request.headers['a']}"
        return Response(text, status=202)
        """,
        name="back",
    )

    assert (await stage.get()).text == "POST https://any.example/x?y=z hi 1202"


@pytest.mark.parametrize(
    ("body", "length"),
    [
        ("'hé'", "3"),
        ("b'abcd'", "4"),
        ("''", "0"),
        ("to_js(b'ab')", "2"),
        ("js.URLSearchParams.new('a=b')", "3"),
        ("js.Blob.new(['abc'])", "3"),
    ],
)
async def test_the_other_worker_sees_the_length_of_a_body_where_it_is_known(
    stage: Stage, body: str, length: str
) -> None:
    stage.add(
        "import js\nfrom pyodide.ffi import to_js\nfrom workers import Response, WorkerEntrypoint\n\n\n"
        "class Default(WorkerEntrypoint):\n    async def fetch(self, request):\n"
        f"        made = js.Request.new('https://any.example/', method='POST', body={body})\n"
        "        return await self.env.BACK.fetch(made)\n",
        ServiceBinding("BACK", "back"),
    )
    stage.add_fetch("return Response(str(request.headers.get('content-length')))", name="back")

    assert (await stage.get()).text == length


async def test_a_kv_binding_stores_and_streams(stage: Stage) -> None:
    stage.add_fetch(
        """
        if request.method == "PUT":
            await self.env.TOKENS.put("k", request.body, metadata={"by": request.method}, expirationTtl=60)
            return Response(await self.env.TOKENS.get("k"))
        found = await self.env.TOKENS.getWithMetadata("k", type="stream")
        return Response(found.value, headers={"by": found.metadata.by})
        """,
        KVBinding("TOKENS", "ns"),
    )

    assert (await stage.get(method="PUT", body=b"sent")).text == "sent"
    answer = await stage.get()
    assert (answer.text, answer.headers.get("by")) == ("sent", "PUT")


async def test_what_kv_refuses_is_an_exception_of_javascript(stage: Stage) -> None:
    text = await stage.run(
        """
        try:
            await self.env.TOKENS.put("k", "v", expirationTtl=59)
        except Exception as error:
            return Response(str(error))
        """,
        KVBinding("TOKENS", "ns"),
    )

    assert text == "Error: KV PUT failed: 400 Invalid expiration_ttl of 59. Expiration TTL must be at least 60."


async def test_a_service_binding_passes_a_request_on_and_shares_the_callers_way_out(stage: Stage) -> None:
    stage.origin.answer = lambda _: Response(203, body=b"origin")
    stage.add_fetch("return await self.env.BACK.fetch(request)", ServiceBinding("BACK", "back"))
    stage.add_fetch("return await fetch(request)", name="back")

    answer = await stage.get("https://example.com/p", method="PUT", body=b"sent")

    assert (answer.status, answer.text) == (203, "origin")
    assert stage.origin.requests[0].method == "PUT"


async def test_the_methods_of_an_entrypoint_are_called_with_copies(stage: Stage) -> None:
    stage.add_fetch(
        """
        given = {"items": [1, 2]}
        result = await self.env.BACK.total(given, scale=2)
        return Response(f"{result.total} {result['note']} {given['items']} {await self.env.BACK.plain()}")
        """,
        ServiceBinding("BACK", "back", entrypoint="Sums", props={"note": "n"}),
    )
    stage.add(
        """
        from workers import WorkerEntrypoint
        class Sums(WorkerEntrypoint):
            async def total(self, given, *, scale):
                given["items"].append(3)
                return {"total": sum(given["items"]) * scale, "note": self.ctx.props.note}
            def plain(self):
                return None
        """,
        name="back",
    )

    assert (await stage.get()).text == "12 n [1, 2] None"


WRONG = [
    # (the call, what it raises)
    ("self.env.GONE.fetch(request)", 'Worker "nobody" not found, to which service binding GONE points'),
    ("self.env.GONE.total()", 'Worker "nobody" not found'),
    ("self.env.BACK.nothing()", "class Default: Method nothing does not exist"),
    ("self.env.NAMED.total()", 'worker "w" has no entrypoint named "Sums"; its named ones: none'),
    ("self.env.BACK.fails()", "went wrong"),
    ("self.env.BACK.echo((1, 2))", "<class 'tuple'> cannot be sent over RPC."),
    ("self.env.BACK.echo(asyncio.sleep)", "ok"),
    ("self.env.BUCKET.get('x')", "env.BUCKET.get: R2 bucket is not emulated by edgeworker"),
    ("self.env.BUCKET()", "env.BUCKET(): R2 bucket is not emulated"),
    ("self.env.NOTHING", 'worker "w" has no binding "NOTHING"; bound are: GONE, BACK, NAMED, BUCKET, V'),
]


@pytest.mark.parametrize(("call", "says"), WRONG)
async def test_a_wrong_use_of_a_binding_says_what_is_wrong(stage: Stage, call: str, says: str) -> None:
    stage.add(
        f"""
        import asyncio
        from workers import Response, WorkerEntrypoint
        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                try:
                    await {call}
                except Exception as error:
                    return Response(str(error))
                return Response("ok")
            async def fails(self):
                raise ValueError("went wrong")
            async def echo(self, value):
                return value
        """,
        ServiceBinding("GONE", "nobody"),
        ServiceBinding("BACK", "w"),
        ServiceBinding("NAMED", "w", entrypoint="Sums"),
        UnsupportedBinding("BUCKET", "R2 bucket"),
        TextBinding("V", "v"),
    )

    assert says in (await stage.get()).text


async def test_workers_that_call_each_other_without_end_are_stopped(stage: Stage) -> None:
    stage.add_fetch("return await self.env.SELF.fetch(request)", ServiceBinding("SELF", "w"))

    with pytest.raises(ScriptFailure):
        await stage.get()


async def test_workers_that_call_each_other_by_rpc_come_to_an_end(stage: Stage) -> None:
    script = """
        from workers import Response, WorkerEntrypoint

        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                try:
                    await self.env.OTHER.again(0)
                except Exception as error:
                    return Response(str(error))

            async def again(self, depth):
                return await self.env.OTHER.again(depth + 1)
    """
    stage.add(script, ServiceBinding("OTHER", "b"), name="a")
    stage.add(script, ServiceBinding("OTHER", "a"), name="b")

    assert (await stage.get(worker="a")).text.startswith("Subrequest depth limit exceeded.")
