"""Connections that have been answered once and then wait, as browsers' and proxies' do: run as a program, or `hold`."""

import asyncio
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from tests.bench.processes import allow_many_files, ended, wait_for_line

ROOT: Final = Path(__file__).resolve().parents[2]
_PER_ADDRESS: Final = 900  # an edge admits 1,024 connections of one address
_AT_ONCE: Final = 50
_REQUEST: Final = b"GET / HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n\r\n"


def hold(stack: ExitStack, port: int, count: int) -> None:
    """Returns when each has been answered; they stay to the end of the block."""
    command = [sys.executable, "-m", "tests.measures.idle_clients", str(port), str(count)]
    process = stack.enter_context(ended(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)))
    wait_for_line(process, "waiting")


async def _main(port: int, count: int) -> None:
    allow_many_files()
    kept: list[asyncio.StreamWriter] = []
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def ask(number: int) -> None:
        async with at_once:
            address = f"127.0.2.{1 + number // _PER_ADDRESS}"
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
            writer.write(_REQUEST)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 401 "):
                raise SystemExit(f"connection {number}: {head!r}")
            kept.append(writer)

    async with asyncio.TaskGroup() as clients:
        for number in range(count):
            clients.create_task(ask(number))
    print("waiting", flush=True)
    while True:
        await asyncio.sleep(1)
        if closed := sum(writer.transport.is_closing() for writer in kept):
            raise SystemExit(f"{closed} of {count} were closed")


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2])))
