"""Connects to one of several addresses: the next one is tried while the one before it does not answer.

https://www.rfc-editor.org/rfc/rfc8305
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from functools import partial
from ipaddress import ip_address
from typing import Final, TypeVar

_T = TypeVar("_T")

NEXT_ADDRESS_SECONDS: Final = 0.25


async def connect_to_one(
    addresses: Sequence[str], connect: Callable[[str], Coroutine[object, object, _T]], drop: Callable[[_T], None]
) -> tuple[str, _T]:
    """The address that was connected to, and what `connect` gave for it. `drop` gets what comes too late.

    Raises OSError, if no address can be connected to: that of one which refused, else of the first one.
    """
    if len(addresses) == 1:
        return addresses[0], await connect(addresses[0])
    outcome = await _race(alternate_families(addresses), connect, drop)
    if isinstance(outcome, tuple):
        return outcome
    try:
        raise next((error for error in outcome if isinstance(error, ConnectionRefusedError)), outcome[0])
    finally:
        del outcome  # else it holds itself by its traceback, until garbage is looked for


def alternate_families(addresses: Sequence[str]) -> list[str]:
    """Both families in turn, the first address stays first: where IPv6 leads nowhere, the second attempt is IPv4."""
    first = ip_address(addresses[0]).version
    preferred = [address for address in addresses if ip_address(address).version == first]
    others = [address for address in addresses if ip_address(address).version != first]
    mixed: list[str] = []
    for index in range(max(len(preferred), len(others))):
        mixed += preferred[index : index + 1] + others[index : index + 1]
    return mixed


async def _race(
    addresses: Sequence[str], connect: Callable[[str], Coroutine[object, object, _T]], drop: Callable[[_T], None]
) -> tuple[str, _T] | list[OSError]:
    loop = asyncio.get_running_loop()
    waiting = list(addresses)
    attempts: dict[asyncio.Task[_T | OSError], str] = {}
    failures: list[OSError] = []
    try:
        while waiting or attempts:
            if waiting:
                address = waiting.pop(0)
                # In a context of its own: this is the edge's work, also where a script waits for it.
                attempts[loop.create_task(_attempt(connect, address), context=Context())] = address
            seconds = NEXT_ADDRESS_SECONDS if waiting else None
            done, _ = await asyncio.wait(attempts, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                address, result = attempts[task], task.result()
                if not isinstance(result, OSError):
                    del attempts[task]
                    return address, result
                del attempts[task]
                failures.append(result)
        return failures
    finally:
        for task in attempts:
            task.cancel()
            task.add_done_callback(partial(_drop_late, drop))


async def _attempt(connect: Callable[[str], Coroutine[object, object, _T]], address: str) -> _T | OSError:
    try:
        return await connect(address)
    except OSError as error:
        return error


def _drop_late(drop: Callable[[_T], None], task: "asyncio.Task[_T | OSError]") -> None:
    if not task.cancelled() and task.exception() is None:
        result = task.result()
        if not isinstance(result, OSError):
            drop(result)
