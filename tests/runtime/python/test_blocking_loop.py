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


NESTED = """
import asyncio
from workers import Response, WorkerEntrypoint, fetch

async def inner():
    await asyncio.sleep(0)
    return await (await fetch("https://o.example/")).text()

async def deeper():
    return asyncio.run(inner())

async def in_a_task():
    return (await asyncio.gather(deeper(), deeper()))[1]

async def after_a_wait():
    await asyncio.sleep(0)
    return asyncio.get_event_loop().run_until_complete(deeper())

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        try:
            return Response(str(CALL))
        except Exception as error:
            return Response(f"{type(error).__name__}: {error}")
"""


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        # As pyodide 0.28 answers.
        ("asyncio.run(deeper())", "from the origin"),
        ("asyncio.run(in_a_task())", "from the origin"),
        ("asyncio.run(after_a_wait())", "from the origin"),
        ("await after_a_wait()", "from the origin"),
        ("asyncio.run(asyncio.sleep(0, 3))", "3"),
        ("asyncio.run(5)", "TypeError: object int is not awaitable"),
        ("asyncio.run(deeper)", "TypeError: object function is not awaitable"),
        # Pyodide refuses these, in Python's and the library's words.
        ("asyncio.Runner().run(inner())", "RuntimeError: Runner.run() cannot be called from a running event loop"),
        (
            "__import__('asgiref.sync').sync.async_to_sync(inner)()",
            "RuntimeError: You cannot use AsyncToSync in the same thread as an async event loop - "
            "just await the async function directly.",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
async def test_what_waits_may_wait_again(stage: Stage, call: str, answer: str) -> None:
    stage.add(NESTED.replace("CALL", call))

    answers = await asyncio.gather(stage.get(), stage.get())

    assert [one.text for one in answers] == [answer, answer]


async def test_at_the_top_level_of_a_script_the_message_names_what_was_called(stage: Stage) -> None:
    with pytest.raises(Exception, match=r"asyncio\.run\(\) works in a handler and in what it calls"):
        stage.add(NESTED.replace("CALL", "1") + "\nasyncio.run(asyncio.sleep(0))\n")


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
