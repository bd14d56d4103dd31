"""A missing `await` names the worker and the line."""

import pytest

from edgeworker.bindings import KVBinding
from tests.runtime.stage import Stage


async def test_a_call_that_is_not_awaited_is_told(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.add_fetch("self.env.KV.put('k', 'v')\nreturn Response('done')", KVBinding("KV", "kv"))

    for _ in range(2):
        assert (await stage.get()).text == "done"

    assert caplog.text.count('worker "w" never awaited') == 1
    assert "put(), which did nothing: write await before it (" in caplog.text
    assert "worker.py, line 4: self.env.KV.put('k', 'v'))" in caplog.text


async def test_a_function_of_the_script_is_told_too(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.add_fetch("save()\nreturn Response('done')", above="async def save():\n    pass\n")

    await stage.get()

    assert 'worker "w" never awaited save()' in caplog.text
    assert "worker.py, line 6: save())" in caplog.text


async def test_what_no_script_dropped_is_pythons_to_tell(stage: Stage) -> None:
    stage.add_fetch("return Response('x')")

    async def other() -> None:
        pass

    with pytest.warns(RuntimeWarning, match="^coroutine '.*other' was never awaited$") as told:
        other()  # type: ignore[unused-coroutine]  # it is what is tested
    assert told[0].filename == __file__


async def test_what_is_given_to_wait_until_is_awaited(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.add_fetch("self.ctx.waitUntil(self.env.KV.put('k', 'v'))\nreturn Response('x')", KVBinding("KV", "kv"))

    await stage.get()
    await stage.background.drain()

    assert "never awaited" not in caplog.text
