"""Unit tests of a script, in a run of pytest as a project has it: no edge, no fixture."""

import sys

import pytest

from edgeworker.testing.lending import LentOnDemand

pytest_plugins = ["pytester"]

SCRIPT = """
from dataclasses import dataclass

from js import JSON
from pyodide.ffi import to_js
from workers import Request, Response, WorkerEntrypoint, env, handler


@dataclass
class Greeting:
    name: str


def greet(name):
    return Response.json({"hello": Greeting(name).name})


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return greet(await request.text() or self.env.NAME)


def whole():
    return JSON.stringify(to_js([1, 2])) + env.WHO
"""
TESTS = """
import asyncio
from types import SimpleNamespace

import workers
from entry import Default, greet, whole
from workers import Request, Response, patch_env


def test_a_function():
    response = greet("x")
    assert isinstance(response, Response)
    assert (response.status, response.headers["content-type"]) == (200, "application/json")


def test_a_handler():
    async def asked():
        default = Default(None, SimpleNamespace(NAME="env"))
        one = await default.fetch(Request("https://a.b/", method="POST", body="body"))
        other = await default.fetch(Request("https://a.b/"))
        return await one.json(), await other.json()

    assert asyncio.run(asked()) == ({"hello": "body"}, {"hello": "env"})


def test_env():
    with patch_env(WHO="!"):
        assert whole() == "[1,2]!"


def test_fetch_needs_an_invocation():
    try:
        asyncio.run(workers.fetch("https://a.b/"))
    except RuntimeError as error:
        assert "only while a handler runs" in str(error)
"""


def test_a_test_file_imports_a_script_and_calls_its_handlers(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(entry=SCRIPT, test_entry=TESTS)

    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=4)


def test_what_is_really_installed_under_a_name_is_not_hidden(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(asgi="MINE = True", test_mine="import asgi\n\ndef test_mine():\n    assert asgi.MINE")

    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_nothing_is_imported_for_a_project_that_asks_for_no_name() -> None:
    lent = LentOnDemand()

    assert lent.find_spec("json") is None
    assert lent._shim_finder is None


def test_closing_takes_it_out_of_the_import_system() -> None:
    lent = LentOnDemand()
    lent.open()
    assert lent in sys.meta_path

    lent.close()

    assert lent not in sys.meta_path
