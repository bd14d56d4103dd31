"""Which event loop an edge runs on."""

import asyncio
import sys

import pytest

from edgeworker.host import event_loop


def _loop_module() -> str:
    seen: list[str] = []

    async def main() -> None:
        seen.append(type(asyncio.get_running_loop()).__module__.partition(".")[0])

    event_loop.run(main())
    return seen[0]


def test_uvloop_is_used_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("uvloop")
    monkeypatch.delenv(event_loop.LOOP_VARIABLE, raising=False)

    assert _loop_module() == "uvloop"


def test_an_operator_can_keep_asyncios_own_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(event_loop.LOOP_VARIABLE, "asyncio")

    assert _loop_module() == "asyncio"


def test_nothing_needs_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(event_loop.LOOP_VARIABLE, raising=False)
    monkeypatch.setitem(sys.modules, "uvloop", None)

    assert _loop_module() == "asyncio"
