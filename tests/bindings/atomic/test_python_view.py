from edgeworker.bindings import AtomicBinding
from tests.runtime.stage import Stage


async def test_a_script_takes_a_code_once(stage: Stage) -> None:
    text = await stage.run(
        """
        atomic = self.env.ATOMIC
        put = await atomic.put_if_absent("code", "alice", ttl_seconds=60)
        takes = await asyncio.gather(*(atomic.take("code") for _ in range(50)))
        return Response(f"{put} {[who for who in takes if who]} {await atomic.put_if_absent('code', 'bob', 60)}")
        """,
        AtomicBinding("ATOMIC"),
        above="import asyncio\n",
    )

    assert text == "True ['alice'] True"


async def test_an_entry_expires_by_the_edges_clock(stage: Stage) -> None:
    stage.add_fetch(
        """
        if request.method == "POST":
            await self.env.ATOMIC.put_if_absent("k", "v", 60)
        return Response(str(await self.env.ATOMIC.get("k")))
        """,
        AtomicBinding("ATOMIC"),
    )

    assert (await stage.get(method="POST")).text == "v"
    stage.clock.advance(59.9)
    assert (await stage.get()).text == "v"
    stage.clock.advance(0.1)
    assert (await stage.get()).text == "None"


async def test_what_is_refused_is_an_exception_of_javascript(stage: Stage) -> None:
    text = await stage.run(
        """
        from pyodide.ffi import JsException
        texts = []
        for call in (lambda a: a.take(""), lambda a: a.put_if_absent("k", "v", 0), lambda a: a.put("k", "v")):
            try:
                await call(self.env.ATOMIC)
            except JsException as error:
                texts.append(str(error))
        return Response("; ".join(texts))
        """,
        AtomicBinding("ATOMIC"),
    )

    assert text == (
        "RangeError: key must have 1 to 512 bytes of UTF-8, not 0; "
        "RangeError: ttl_seconds must be from 1 to 31536000, not 0; "
        'TypeError: The RPC receiver does not implement the method "put".'
    )


async def test_spaces_keep_apart(stage: Stage) -> None:
    text = await stage.run(
        """
        await self.env.A.put_if_absent("k", "a", 60)
        await self.env.B.put_if_absent("k", "b", 60)
        return Response(f"{await self.env.A.take('k')}{await self.env.B.take('k')} {self.env.A!r}")
        """,
        AtomicBinding("A", "a"),
        AtomicBinding("B", "b"),
    )

    assert text == "ab <service binding A: edgeworker-atomic>"
