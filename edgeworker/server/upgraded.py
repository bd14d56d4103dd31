"""WebSockets on their way through the edge, byte for byte both ways.

Frames are not looked at, so fragments, close codes and extensions are what client and origin agree on.

Source: https://www.rfc-editor.org/rfc/rfc9110#section-7.8
"""

import asyncio
from collections.abc import Iterable

from edgeworker.admission import Field, end_to_end
from edgeworker.messages import Response, Upgrade
from edgeworker.server.http1 import heads
from edgeworker.server.http1.switched import SwitchedStream


def write_head(response: Response, stream: SwitchedStream, fields: Iterable[Field], *, date: bytes) -> None:
    """Answer 101 with the response's header fields and `fields`. Raises ConnectionError if the client has gone."""
    lines = [
        *end_to_end(response.headers.raw),
        *fields,
        (b"Date", date),
        (b"Connection", b"Upgrade"),
        (b"Upgrade", b"websocket"),
    ]
    stream.write(heads.serialize_head(heads.status_line(101, response.status_text), lines))


async def relay_bytes(stream: SwitchedStream, upgrade: Upgrade) -> None:
    """Relay bytes both ways until either end is done."""
    try:
        await _relay_both_ways(stream, upgrade)
    finally:
        upgrade.close()


async def _relay_both_ways(client: Upgrade, origin: Upgrade) -> None:
    async with asyncio.TaskGroup() as group:
        relays = [group.create_task(_relay(client, origin)), group.create_task(_relay(origin, client))]
        await asyncio.wait(relays, return_when=asyncio.FIRST_COMPLETED)
        for relay in relays:
            relay.cancel()


async def _relay(source: Upgrade, target: Upgrade) -> None:
    """Until the source ends, or the target takes no more."""
    try:
        while data := await source.receive():
            await target.send(data)
    except (OSError, TimeoutError):
        return
