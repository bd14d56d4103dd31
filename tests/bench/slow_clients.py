"""Clients that send header fields so slowly that they only hold a connection: run as a program, or with `hold`."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from tests.bench.processes import allow_many_files, ended, wait_for_line

ROOT: Final = Path(__file__).resolve().parents[2]
_PER_ADDRESS: Final = 900  # an edge admits 1,024 connections of one address
_PAUSE_SECONDS: Final = 3.0


def hold(stack: ExitStack, port: int, count: int) -> None:
    """Returns when they are connected; they stay to the end of the block."""
    if count:
        command = [sys.executable, "-m", "tests.bench.slow_clients", str(port), str(count)]
        process = stack.enter_context(ended(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)))
        wait_for_line(process, "connected")


@contextmanager
def held(port: int, count: int) -> Iterator[None]:
    """They are connected in the block."""
    with ExitStack() as stack:
        hold(stack, port, count)
        yield


async def _stay(port: int, number: int, connected: asyncio.Semaphore) -> None:
    address = f"127.0.1.{1 + number // _PER_ADDRESS}"
    first = True
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
            writer.write(b"GET / HTTP/1.1\r\nHost: slow.example\r\nX-Slow: ")
            if first:
                first = False
                connected.release()
            while not writer.transport.is_closing():
                writer.write(b"x")
                await asyncio.sleep(_PAUSE_SECONDS)
        except OSError:
            await asyncio.sleep(_PAUSE_SECONDS)  # the server has closed it: another one


async def _main(port: int, count: int) -> None:
    allow_many_files()
    connected = asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as clients:
        for number in range(count):
            clients.create_task(_stay(port, number, connected))
            if number % 100 == 99:
                await asyncio.sleep(0.02)  # a backlog is not endless
        for _ in range(count):
            await connected.acquire()
        print("connected", flush=True)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2])))
