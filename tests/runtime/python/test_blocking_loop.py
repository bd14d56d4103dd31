"""`asyncio.run()` and `run_until_complete()` where a loop runs already, as in Pyodide."""

import asyncio

import pytest

from tests.runtime.stage import Stage

WAITING = """
import asyncio
from asyncio import run
from workers import Response, WorkerEntrypoint, fetch

async def work():
    await asyncio.sleep(0)
    return await (await fetch("https://o.example/")).text()

def wait_on_a_loop_of_its_own():
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work())
    finally:
        loop.close()

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(CALL)
"""


@pytest.mark.parametrize(
    "call",
    [
        "asyncio.run(work())",
        "run(work())",
        "asyncio.get_event_loop().run_until_complete(work())",
        "wait_on_a_loop_of_its_own()",
    ],
)
async def test_a_handler_may_wait_on_the_loop_that_runs(stage: Stage, call: str) -> None:
    stage.add(WAITING.replace("CALL", call))

    answers = await asyncio.gather(stage.get(), stage.get())

    assert [answer.text for answer in answers] == ["from the origin", "from the origin"]


async def test_others_are_refused_as_before_while_a_script_is_loaded(stage: Stage) -> None:
    stage.add(WAITING.replace("CALL", "'x'"))
    work = asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="cannot be called from a running event loop"):
        asyncio.run(work)
    work.close()


def test_where_no_loop_runs_a_new_one_does() -> None:
    async def work() -> int:
        return 5

    assert asyncio.run(work()) == 5
