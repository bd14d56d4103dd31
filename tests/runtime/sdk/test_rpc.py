"""What crosses from one worker to another, as workers/rpc.py of workers-runtime-sdk 1.9.5 and workerd have it."""

import pytest

from edgeworker.bindings import ServiceBinding
from tests.runtime.stage import Stage

CALLED = """
import datetime, re
from workers import Response, WorkerEntrypoint
class Own:
    pass
class Default(WorkerEntrypoint):
    async def echo(self, value):
        return value
    async def made(self):
        return EXPRESSION
    async def kind(self, value):
        return type(value).__name__
    async def call(self, function):
        return await function(2, key=[1])
"""
CALLER = """
import datetime, js
from workers import Response, WorkerEntrypoint
class Own:
    pass
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        other = self.env.OTHER
        try:
            value = EXPRESSION
        except Exception as error:
            value = f"{type(error).__name__}: {error}"
        return Response(value if isinstance(value, str) else repr(value))
"""


async def called(stage: Stage, expression: str, made: str = "None") -> str:
    stage.add(CALLED.replace("EXPRESSION", made), name="other")
    stage.add(CALLER.replace("EXPRESSION", expression), ServiceBinding("OTHER", "other"))
    return (await stage.get()).text


NOT_CLONED = 'JsException: DataCloneError: Could not serialize object of type "Own". This type does not support'


@pytest.mark.parametrize(
    ("expression", "gives"),
    [
        ("bytes(await other.echo(b'ab')), await other.kind(b'ab')", "(b'ab', 'memoryview')"),
        ("await other.echo(2.0), await other.echo(2.5)", "(2, 2.5)"),
        ("await other.echo({'a': [None, {'b': 1}]})", "{'a': [None, {'b': 1}]}"),
        ("await other.echo({1, 2})", "{1, 2}"),
        (
            "await other.echo(datetime.datetime(2026, 1, 2, 3, 4, 5, 678901))",
            "datetime.datetime(2026, 1, 2, 3, 4, 5, 678000)",
        ),
        ("await other.echo((1, 2))", "TypeError: <class 'tuple'> cannot be sent over RPC."),
        ("await other.echo(bytearray(b'x'))", "TypeError: <class 'bytearray'> cannot be sent over RPC."),
        ("await other.echo(js.RegExp.new('x'))", "TypeError: "),
        ("await other.echo(Own())", NOT_CLONED),
        ("await other.echo([{'a': Own()}])", NOT_CLONED),
        ("await other.echo(Own)", 'JsException: DataCloneError: Could not serialize object of type "type"'),
        ("await (await other.echo(Response('x'))).text()", "x"),
        ("await other.call(lambda n, key: n + key[0])", "3"),
    ],
)
async def test_a_value_arrives_as_in_production(stage: Stage, expression: str, gives: str) -> None:  # fmt: skip
    assert (await called(stage, expression)).startswith(gives)


@pytest.mark.parametrize(
    ("made", "expression", "gives"),
    [
        ("lambda n: n + 1", "await (await other.made())(2)", "3"),
        ("{'f': lambda: {'a': 1}}", "(await (await other.made()).f()).a", "1"),
        ("self.echo", "bytes(await (await other.made())(b'x'))", "b'x'"),
        ("lambda n: n", "await (await other.made())((1, 2))", "TypeError: <class 'tuple'> cannot be sent over RPC."),
        ("lambda: Own()", "await (await other.made())()", NOT_CLONED),
        (
            "re.compile('x')",
            "await other.made()",
            'JsException: DataCloneError: Could not serialize object of type "Pattern"',
        ),
    ],
)
async def test_a_function_that_was_returned_is_called_where_it_was_made(
    stage: Stage, made: str, expression: str, gives: str
) -> None:
    assert (await called(stage, expression, made)).startswith(gives)
