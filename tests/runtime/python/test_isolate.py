"""Events other than fetch, and what a closed isolate does."""

import logging

import pytest

from edgeworker.bindings import TextBinding
from edgeworker.handler import Context
from edgeworker.messages import URL, Request
from edgeworker.runtime import Scheduled, ScriptFailure
from tests.runtime.stage import IMPORTS, Stage

EVENT = Scheduled("*/5 * * * *", 1_700_000_000_000)
SAYS = "f'{controller.cron}|{controller.scheduledTime}|{controller.type}|'"

SCHEDULED = [
    # (script, what it fetches: the path tells what it was given)
    (
        "class Default(WorkerEntrypoint):\n    async def scheduled(self, controller):\n"
        f"        await fetch('https://o.example/', body={SAYS} + self.env.V, method='POST')\n",
        "*/5 * * * *|1700000000000|scheduled|v",
    ),
    (
        "class Default(WorkerEntrypoint):\n    async def scheduled(self, controller, env, ctx):\n"
        f"        ctx.waitUntil(fetch('https://o.example/', body={SAYS} + env.V, method='POST'))\n",
        "*/5 * * * *|1700000000000|scheduled|v",
    ),
    (
        "async def on_scheduled(controller, env, ctx):\n    controller.noRetry()\n"
        f"    await fetch('https://o.example/', body={SAYS} + env.V, method='POST')\n",
        "*/5 * * * *|1700000000000|scheduled|v",
    ),
    ("async def on_scheduled():\n    await fetch('https://o.example/', body='none', method='POST')\n", "none"),
]


@pytest.mark.parametrize(("script", "sends"), SCHEDULED)
async def test_a_cron_trigger_calls_the_handler_with_as_many_arguments_as_it_takes(
    stage: Stage, script: str, sends: str
) -> None:
    worker = stage.add(IMPORTS + script, TextBinding("V", "v"))

    await worker.scheduled(EVENT, stage.origin)
    await stage.background.drain()

    body = stage.origin.requests[0].body
    assert body is not None
    assert (await body.read()).decode() == sends


NO_HANDLER = [
    ("class Default(WorkerEntrypoint):\n    pass\n", "Method scheduled does not exist"),
    ("async def on_fetch(request):\n    pass\n", 'does not export a handler named "on_scheduled"'),
]


@pytest.mark.parametrize(("script", "says"), NO_HANDLER)
async def test_a_cron_trigger_without_a_handler_says_so(
    stage: Stage, caplog: pytest.LogCaptureFixture, script: str, says: str
) -> None:
    worker = stage.add(IMPORTS + script)

    with caplog.at_level(logging.ERROR), pytest.raises(ScriptFailure):
        await worker.scheduled(EVENT, stage.origin)
    assert says in caplog.text


@pytest.mark.parametrize("name", ["_hidden", "ctx", "env", "__init__"])
async def test_what_is_not_public_cannot_be_called_by_rpc(stage: Stage, name: str) -> None:
    request = Request("GET", URL.parse("https://a.b/"))
    context = Context(request, name="caller", background=stage.background, subrequest=stage.origin)
    worker = stage.add(IMPORTS + "class Default(WorkerEntrypoint):\n    def _hidden(self):\n        return 1\n")

    with pytest.raises(TypeError, match="does not implement the method"):
        await worker.call(name, (), {}, caller=context)


async def test_a_durable_object_in_a_script_does_not_keep_it_from_running(stage: Stage) -> None:
    assert (
        await stage.run(
            "return Response(f'{issubclass(Room, DurableObject)} {issubclass(Flow, WorkflowEntrypoint)}')",
            above="""
        from workers import DurableObject, WorkflowEntrypoint
        from workers.workflows import NonRetryableError
        class Room(DurableObject):
            async def fetch(self, request):
                return Response("")
        class Flow(WorkflowEntrypoint):
            async def run(self, event, step):
                raise NonRetryableError("no")
        """,
        )
        == "True True"
    )
