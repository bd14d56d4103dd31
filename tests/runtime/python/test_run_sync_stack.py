"""`run_sync`: synchronous code of a script that waits."""

import asyncio
from contextvars import ContextVar

import pytest

from edgeworker.runtime.python import run_sync_stack
from tests.patience import PATIENCE_SECONDS
from tests.runtime.stage import IMPORTS, Stage

_variable: ContextVar[str] = ContextVar("variable", default="outside")


async def test_the_loop_goes_on_while_synchronous_code_waits() -> None:
    order: list[str] = []

    async def slow(name: str) -> str:
        order.append(f"{name} begins")
        await asyncio.sleep(0)
        order.append(f"{name} ends")
        return name

    def synchronous(name: str) -> str:
        return run_sync_stack.run_sync(slow(name)) + run_sync_stack.run_sync(slow(name))

    async def handler(name: str) -> str:
        await asyncio.sleep(0)
        return synchronous(name)

    results = await asyncio.gather(run_sync_stack.run(handler("a")), run_sync_stack.run(handler("b")))

    assert list(results) == ["aa", "bb"]
    assert order.index("b begins") < order.index("a ends")


async def test_exceptions_and_context_variables_pass_in_both_directions() -> None:
    async def fail() -> None:
        _variable.set("inside")
        raise ValueError("told")

    async def handler() -> str:
        try:
            run_sync_stack.run_sync(fail())
        except ValueError as error:
            return f"{error} {_variable.get()}"
        return "nothing was raised"

    assert await run_sync_stack.run(handler()) == "told inside"
    with pytest.raises(ValueError, match="told"):
        await run_sync_stack.run(fail())


async def test_cancelling_reaches_what_is_waited_for() -> None:
    seen: list[str] = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("cancelled")

    async def handler() -> None:
        run_sync_stack.run_sync(forever())

    task = asyncio.ensure_future(run_sync_stack.run(handler()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["cancelled"]


async def test_a_thread_waits_on_the_loop_that_started_it() -> None:
    assert await run_sync_stack.in_thread(lambda: run_sync_stack.run_sync(asyncio.sleep(0, "slept"))) == "slept"


async def test_elsewhere_it_cannot_wait() -> None:
    with pytest.raises(RuntimeError, match="not at the top level of a script"):
        run_sync_stack.run_sync(asyncio.sleep(0))


async def test_a_script_that_fetches_synchronously_runs(stage: Stage) -> None:
    stage.add(
        IMPORTS
        + "from pyodide.ffi import run_sync\n"
        + "def look():\n    return run_sync(run_sync(fetch('https://o.example/')).text())\n"
        + "class Default(WorkerEntrypoint):\n    async def fetch(self, request):\n"
        + "        return Response(look() + await (await fetch('https://o.example/')).text())\n"
    )

    assert (await stage.get()).text == "from the originfrom the origin"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [  # as pyodide 0.28.3 answers
        ("await asyncio.create_task(inner(7))", "7"),
        ("await asyncio.wait_for(inner(7), PATIENCE)", "7"),
        ("await asyncio.gather(inner(1), inner(2))", "[1, 2]"),
        ("await asyncio.create_task(outer(7))", "7"),
        ("[await task for task in asyncio.as_completed([inner(7)])]", "[7]"),
        ("(await asyncio.gather(failing(), return_exceptions=True))[0].args", "('no',)"),
    ],
)
async def test_tasks_of_a_script_wait_as_its_handler_does(stage: Stage, expression: str, expected: str) -> None:
    script = f"""
import asyncio
from pyodide.ffi import run_sync
PATIENCE = {PATIENCE_SECONDS}
async def inner(value):
    await asyncio.sleep(0)
    return run_sync(asyncio.sleep(0, value))
async def outer(value):
    return await asyncio.create_task(inner(value))
async def failing():
    await inner(0)
    raise ValueError("no")
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(repr({expression}))
"""
    stage.add(IMPORTS + script)

    assert (await stage.get()).text == expected


async def test_a_task_that_is_cancelled_before_it_began_leaves_nothing(stage: Stage) -> None:
    script = """
import asyncio
from pyodide.ffi import run_sync
async def never():
    run_sync(asyncio.sleep(0))
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        task = asyncio.create_task(never())
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return Response(f"{task.cancelled()} {task.get_coro().__name__}")
"""
    stage.add(IMPORTS + script)

    assert (await stage.get()).text == "True never"
