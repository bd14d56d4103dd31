import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from edgeworker.bindings import JSONBinding, SecretBinding, TextBinding
from edgeworker.messages import URL, Body, BodyLost, Request, Response
from edgeworker.runtime import ScriptFailure
from tests.runtime.stage import IMPORTS, Stage


async def test_a_worker_answers_with_its_bindings(stage: Stage) -> None:
    bindings = (
        TextBinding("GREETING", "hello"),
        SecretBinding("KEY", "s3cret"),
        JSONBinding("LIMITS", {"a": {"b": [1]}}),
    )
    text = await stage.run(
        """
        env = self.env
        return Response(f"{env.GREETING} {len(env.KEY)} {env.LIMITS.a.b[0]} {env.LIMITS['a']['b']} {env!r}")
        """,
        *bindings,
    )

    assert text == "hello 6 1 [1] Env(GREETING, KEY, LIMITS)"


async def test_a_request_passes_through_untouched(stage: Stage) -> None:
    stage.origin.answer = lambda _: Response(201, body=b"made", status_text="Made")
    stage.add_fetch("return await fetch(request)")

    answer = await stage.get("https://example.com/a?b=c", method="POST", headers={"X-One": "1"}, body=b"sent")

    assert (answer.status, answer.content) == (201, b"made")
    sent = stage.origin.requests[0]
    assert (sent.method, sent.url.href, sent.headers.get("x-one")) == ("POST", "https://example.com/a?b=c", "1")
    assert sent.redirect == "manual"
    assert sent.body is not None
    assert await sent.body.read() == b"sent"


async def test_wait_until_outlives_the_response(stage: Stage) -> None:
    stage.add_fetch(
        """
        async def later(where):
            await fetch(f"https://log.example/{where}")
        self.ctx.waitUntil(later("ctx"))
        wait_until(later("module"))
        return Response("now")
        """,
        above="from workers import wait_until\n",
    )

    assert (await stage.get()).text == "now"
    await stage.background.drain()
    assert sorted(request.url.path for request in stage.origin.requests) == ["/ctx", "/module"]


@pytest.mark.parametrize("asked", [True, False])
async def test_an_uncaught_exception_is_a_failure_that_is_logged_once_from_the_scripts_own_frames_on(
    stage: Stage, caplog: pytest.LogCaptureFixture, *, asked: bool
) -> None:
    stage.add_fetch(
        f"""
        if {asked}:
            self.ctx.passThroughOnException()
        return Response(fail())
        """,
        above="""
        class Wrong(Exception):
            pass
        def fail():
            raise Wrong("no good")
        """,
    )

    with caplog.at_level(logging.ERROR), pytest.raises(ScriptFailure) as raised:
        await stage.get("https://example.com/path?token=secret")

    assert raised.value.pass_through is asked
    assert str(raised.value.original) == "no good"
    assert len(caplog.records) == 1
    text = caplog.records[0].getMessage()
    lines = text.splitlines()
    assert lines[0] == 'worker "w": uncaught exception (GET https://example.com/path)'
    assert lines[1] == "Traceback (most recent call last):"
    assert lines[2].endswith('worker.py", line 11, in fetch')
    assert lines[-1] == "worker.Wrong: no good"
    assert "edgeworker/runtime" not in text


async def test_a_client_that_goes_away_while_its_body_is_read_leaves_one_line_in_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    async def lost() -> AsyncIterator[bytes]:
        yield b"begun"
        raise BodyLost("The connection was closed.")

    stage.add_fetch("return Response(await request.text())")

    with caplog.at_level(logging.WARNING), pytest.raises(ScriptFailure):
        await stage.get("https://example.com/path?token=secret", method="POST", body=Body(lost()))

    assert [record.getMessage() for record in caplog.records] == [
        'worker "w": The connection was closed. (POST https://example.com/path)'
    ]


RESULTS = [
    ("None", "returned None (is a `return` missing?)"),
    ("{'a': 1}", "returned dict"),
    ("'text'", "returned str"),
]


@pytest.mark.parametrize(("result", "says"), RESULTS)
async def test_a_result_that_is_not_a_response_is_a_type_error(stage: Stage, result: str, says: str) -> None:
    stage.add_fetch(f"return {result}")

    with pytest.raises(ScriptFailure) as raised:
        await stage.get()

    assert isinstance(raised.value.original, TypeError)
    assert "the Promise did not resolve to 'Response'" in str(raised.value.original)
    assert says in str(raised.value.original)


async def test_an_error_response_cannot_be_answered(stage: Stage) -> None:
    stage.add_fetch("import js\nreturn js.Response.error()")

    with pytest.raises(ScriptFailure) as failure:
        await stage.get()
    assert "must not be an error response (like Response.error())" in str(failure.value.original)


async def test_a_response_whose_body_was_sent_cannot_be_sent_again(stage: Stage) -> None:
    stage.add_fetch("return KEPT", above="KEPT = Response('once')\n")

    assert (await stage.get()).text == "once"
    with pytest.raises(ScriptFailure) as raised:
        await stage.get()
    assert "Body has already been used." in str(raised.value.original)


@pytest.mark.parametrize(
    ("body", "original"),
    [
        ("import sys; sys.exit(1)", SystemExit),
        ("raise KeyboardInterrupt", KeyboardInterrupt),
        ("raise BaseExceptionGroup('all', [SystemExit()])", BaseExceptionGroup),
        ("import asyncio\nraise asyncio.CancelledError", asyncio.CancelledError),
        ("import asyncio\nt = asyncio.create_task(asyncio.sleep(9)); t.cancel(); await t", asyncio.CancelledError),
    ],
)
async def test_what_ends_a_python_program_ends_the_request_and_not_the_edge(
    stage: Stage, body: str, original: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    stage.add_fetch(body)

    with pytest.raises(ScriptFailure) as failure:
        await stage.get()

    assert isinstance(failure.value.original, original)
    assert f"{original.__name__}" in caplog.text


async def test_a_request_that_is_cancelled_is_no_failure_of_the_script(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.add_fetch("import asyncio\nawait asyncio.sleep(3600)")
    asking = asyncio.create_task(stage.get())
    await asyncio.sleep(0.01)

    asking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
    assert "uncaught exception" not in caplog.text


KIND = "type(request).__module__.rpartition('.')[2]"
METHOD = "class Default(WorkerEntrypoint):\n    "
STYLES = [
    # (script, what it answers)
    (f"async def on_fetch(request, env, ctx):\n    return Response({KIND} + env.V)", "fetchv"),
    (f"@handler\nasync def on_fetch(request, env, ctx):\n    return Response({KIND} + env.V)", "requestv"),
    (f"@handler\nasync def on_fetch(request):\n    return Response({KIND})", "request"),
    (f"async def on_fetch(request, env):\n    return Response({KIND} + env.V)", "fetchv"),
    ("async def on_fetch():\n    return Response('none')", "none"),
    ("def on_fetch(request):\n    return Response('sync')", "sync"),
    ("async def on_fetch(*args):\n    return Response(str(len(args)))", "3"),
    ("async def on_fetch(request, env, ctx, *, more=1):\n    return Response(str(more))", "1"),
    ("on_fetch = lambda request, env: Response(env.V)", "v"),
    (METHOD + "def fetch(self):\n        return Response(self.env.V)", "v"),
    (METHOD + "async def fetch(self, r, env, ctx):\n        return Response(f'{env.V} {ctx is self.ctx}')", "v True"),
    (METHOD + "async def fetch(self, request, env=None):\n        return Response(env.V)", "v"),
    (
        METHOD + "def __init__(self, ctx, env):\n        super().__init__(ctx, env)\n        self.mine = env.V\n"
        "    async def fetch(self, request):\n        return Response(self.mine)",
        "v",
    ),
    (
        "class Base(WorkerEntrypoint):\n    async def fetch(self, request):\n        return Response(self.env.V)\n"
        "class Default(Base):\n    pass",
        "v",
    ),
]


@pytest.mark.parametrize(("script", "answers"), STYLES)
async def test_every_style_of_entry_runs_with_as_many_arguments_as_it_takes(
    stage: Stage, script: str, answers: str
) -> None:
    stage.add(f"{IMPORTS}from workers import handler\n{script}\n", TextBinding("V", "v"))

    assert (await stage.get()).text == answers


async def test_a_fresh_entrypoint_object_is_made_for_each_request(stage: Stage) -> None:
    stage.add_fetch(
        """
        self.count = getattr(self, "count", 0) + 1
        return Response(str(self.count))
        """
    )

    assert [(await stage.get()).text for _ in range(2)] == ["1", "1"]


async def test_an_init_that_forgets_its_parent_is_told_so(stage: Stage) -> None:
    stage.add(
        IMPORTS + "class Default(WorkerEntrypoint):\n    def __init__(self, ctx, env):\n        pass\n"
        "    async def fetch(self, request):\n        return Response('')\n"
    )

    with pytest.raises(ScriptFailure) as raised:
        await stage.get()
    assert "Default.__init__ must call super().__init__(ctx, env)" in str(raised.value.original)


async def test_a_script_without_the_handler_that_is_called_says_so(stage: Stage) -> None:
    stage.add(
        IMPORTS + "class Default(WorkerEntrypoint):\n    async def scheduled(self, controller):\n        pass\n",
        name="a",
    )
    stage.add("async def on_scheduled(controller):\n    pass\n", name="b")

    for name, says in (("a", "Method fetch does not exist"), ("b", 'does not export a handler named "on_fetch"')):
        with pytest.raises(ScriptFailure) as raised:
            await stage.get(worker=name)
        assert says in str(raised.value.original)
        assert stage.workers[name].isolate.handles("scheduled")
        assert not stage.workers[name].isolate.handles("fetch")


async def test_a_request_is_known_to_its_context_only(stage: Stage) -> None:
    worker = stage.add_fetch("return Response(self.ctx.props.plan + str(self.ctx.access))")

    response = await worker.run(Request("GET", URL.parse("https://a.b/")), stage.origin, props={"plan": "free"})

    assert response.body is not None
    assert await response.body.read() == b"freeNone"


async def test_ctx_says_which_name_is_right(stage: Stage) -> None:
    assert (
        await stage.run(
            """
        try:
            self.ctx.wait_until
        except AttributeError as error:
            return Response(str(error))
        """
        )
        == "ctx has no attribute 'wait_until'; the name is waitUntil"
    )


async def test_a_script_that_does_not_answer_in_time_is_given_up(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    waits = "import asyncio\nasync def on_fetch(request):\n    await asyncio.Event().wait()\n"
    stage.add(waits, seconds=0.01)

    with caplog.at_level(logging.ERROR), pytest.raises(ScriptFailure) as raised:
        await stage.get()

    assert raised.value.exceeded_limits
    assert "the script did not answer within 0.01 s (limits.script_seconds)" in caplog.text


async def test_a_timeout_of_the_scripts_own_is_its_own(stage: Stage) -> None:
    stage.add("async def on_fetch(request):\n    raise TimeoutError('mine')\n", seconds=30)

    with pytest.raises(ScriptFailure) as raised:
        await stage.get()

    assert not raised.value.exceeded_limits
    assert str(raised.value.original) == "mine"


OLD_CLASS = """
from workers import Response, WorkerEntrypoint
class Default(WorkerEntrypoint):
    async def on_fetch(self, request):
        return Response(f"old {request.url}")
"""


@pytest.mark.parametrize(("date", "warned"), [("2025-01-01", False), ("2026-01-01", True)])
async def test_a_class_with_the_handlers_of_the_first_months_runs(
    stage: Stage, caplog: pytest.LogCaptureFixture, date: str, warned: bool
) -> None:
    worker = stage.add(OLD_CLASS, date=date)

    assert (await stage.get("https://x.example/a")).text == "old https://x.example/a"
    assert worker.isolate.handles("fetch")
    assert ("does not call on_fetch of a class from compatibility date 2025-08-14 on" in caplog.text) == warned
