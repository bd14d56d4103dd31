"""What the views of JavaScript workers have in common."""

from collections.abc import Awaitable, Callable, Sequence

from edgeworker.bindings.refusal import CallRefused
from edgeworker.runtime.contract.javascript import JavaScriptError, Method


def method(call: Callable[..., Awaitable[object]], arguments: int) -> Method:
    """A method of so many arguments: more are ignored and those that are missing are None, as JavaScript has it."""

    async def run(given: Sequence[object]) -> object:
        values = [*given[:arguments], *[None] * (arguments - len(given))]
        try:
            return await call(*values)
        except CallRefused as error:
            raise JavaScriptError(error.error, error.text) from error

    return run
