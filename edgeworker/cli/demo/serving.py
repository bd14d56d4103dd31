"""What every demo needs: a small server of its own in a thread, and staying until it is stopped."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar

from edgeworker.cli.output import Output

T = TypeVar("T")


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serves on a free port of this machine until the block ends; gives the URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


async def until_stopped(out: Output, stop: asyncio.Event) -> None:
    """Says how to stop it and waits for that."""
    out.line("Ctrl-C stops it and removes its storage.")
    await stop.wait()


async def until_told(telling: Coroutine[object, object, T], stop: asyncio.Event) -> T:
    """What `telling` gives. Raises KeyboardInterrupt where the demo is stopped before that."""
    telling_task, stopped = asyncio.ensure_future(telling), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait([telling_task, stopped], return_when=asyncio.FIRST_COMPLETED)
        if not telling_task.done():
            raise KeyboardInterrupt
        return telling_task.result()
    finally:
        telling_task.cancel()
        stopped.cancel()
