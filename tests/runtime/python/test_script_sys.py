"""A script that sets `sys.stdout`."""

import sys

import pytest

from tests.runtime.stage import Stage


async def test_what_a_script_prints_goes_where_it_said_and_the_edges_output_stays(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sys.stdout
    stage.add_fetch(
        "print('to the script')\nsys.stdout.write('more')\nreturn Response(sys.stdout.getvalue())",
        above="import io, sys\nsys.stdout = io.StringIO()\n",
    )

    assert (await stage.get()).text == "to the script\nmore"
    assert sys.stdout is before
    print("of the edge")
    assert capsys.readouterr().out == "of the edge\n"


async def test_it_can_be_put_back(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.add_fetch(
        "kept = sys.stdout\nsys.stdout = io.StringIO()\nprint('inner')\ninner = sys.stdout.getvalue()\n"
        "sys.stdout = kept\nprint('outer')\nreturn Response(inner)",
        above="import io, sys\n",
    )

    assert (await stage.get()).text == "inner\n"
    assert capsys.readouterr().out == "outer\n"


async def test_two_scripts_have_streams_of_their_own(stage: Stage) -> None:
    body = "print('NAME')\nreturn Response(sys.stdout.getvalue())"
    for name in ("one", "two"):
        stage.add_fetch(body.replace("NAME", name), above="import io, sys\nsys.stdout = io.StringIO()\n", name=name)

    assert (await stage.get(worker="one")).text == "one\n"
    assert (await stage.get(worker="two")).text == "two\n"


@pytest.mark.parametrize(
    ("above", "body", "gives"),
    [
        ("import sys", "sys.version_info >= (3, 11), sys.modules['json'].__name__", "(True, 'json')"),
        ("from sys import version_info as v", "v >= (3, 11)", "True"),
        ("import sys\nsys.stdout = None\nprint('nowhere')", "print('nowhere')", "None"),
        ("import sys", "'stdout' in dir(sys), sys._getframe(0).f_code.co_name", "(True, 'fetch')"),
        ("import importlib", "importlib.import_module('sys').byteorder in ('big', 'little')", "True"),
        ("import contextlib, io", "contextlib.redirect_stdout(io.StringIO()).__enter__() is not None", "True"),
    ],
)
async def test_all_else_is_the_processes(stage: Stage, above: str, body: str, gives: str) -> None:
    before = sys.stdout
    stage.add_fetch(f"return Response(str(({body})))", above=above + "\n")

    try:
        assert (await stage.get()).text == gives
    finally:
        sys.stdout = before
