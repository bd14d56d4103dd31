"""The child process: started, watched, started again, ended. No child outlives the edge, also after `kill -9`."""

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from edgeworker.errors import ScriptError
from edgeworker.runtime.workerd.binary import Binary
from edgeworker.runtime.workerd.capnp import ChildWorker, write_config
from edgeworker.runtime.workerd.console import ChildLog
from edgeworker.runtime.workerd.entry_module import extension_modules

_log = logging.getLogger(__name__)

_PREFIX: Final = "edgeworker-workerd-"
_LOCK: Final = "lock"
START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 5.0
_LAST_WORDS_SECONDS: Final = 5.0
_PR_SET_PDEATHSIG: Final = 1


class Child:
    """One workerd with the workers of one edge.

    `folder` is private to this user; its sockets are made before the child is started. `on_exit` is called when the
    child has ended without having been stopped. `map_stack` is for ChildLog.
    """

    def __init__(
        self,
        binary: Binary,
        on_exit: Callable[[], None],
        map_stack: Callable[[str, str], str],
        *,
        heap_megabytes: int,
    ) -> None:
        remove_stale_folders()
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX))  # 0700
        (self.folder / f".{_LOCK}").touch(mode=0o600)
        self._lock_descriptor = _lock(self.folder / f".{_LOCK}")
        (self.folder / f".{_LOCK}").rename(self.folder / _LOCK)  # held before another process can see it
        self.host = self.folder / "edge.sock"
        self.key = secrets.token_urlsafe(32)
        self._binary = binary
        self._on_exit = on_exit
        self._heap_megabytes = heap_megabytes
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._is_closing = False
        self._map_stack = map_stack
        self._log_reader = ChildLog()
        self._expected = 0

    def socket_path(self, number: int) -> Path:
        return self.folder / f"w{number}.sock"

    def write(self, workers: Sequence[ChildWorker]) -> None:
        objects = self.folder / "objects"
        objects.mkdir(mode=0o700, exist_ok=True)
        text, files = write_config(
            workers,
            host=str(self.host),
            key=self.key,
            extensions=extension_modules(),
            heap_megabytes=self._heap_megabytes,
            objects=str(objects),
        )
        self._expected = sum(len(worker.sockets) for worker in workers)
        for name, content in files.items():
            (self.folder / name).write_bytes(content)
        (self.folder / "config.capnp").write_text(text, "ascii")

    async def start(self, *, inspected: bool = False) -> int | None:
        """Returns when every socket listens: if it is `inspected`, the port of its inspector.

        Raises ScriptError with what workerd says of a script it refuses.
        """
        for path in self.folder.glob("w*.sock"):
            path.unlink()
        read_end, write_end = os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                str(self._binary.program),
                "serve",
                "--experimental",
                f"--control-fd={write_end}",
                # On a unix socket, workerd's inspector never lets it come to the others.
                *(["--inspector-addr=127.0.0.1:0"] if inspected else []),
                "config.capnp",
                cwd=self.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                pass_fds=(write_end,),
                env=_build_environment(),
                start_new_session=True,  # Ctrl+C is for the edge, which ends the child itself
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
                limit=1024 * 1024,
            )
        except OSError as error:
            os.close(read_end)
            raise ScriptError(f"{self._binary} cannot be started: {error.strerror}") from error
        finally:
            os.close(write_end)
        process = self._process
        assert process.stdout is not None
        assert process.stderr is not None
        self._log_reader = ChildLog(self._map_stack)
        self._tasks = [
            asyncio.ensure_future(self._log_reader.follow(process.stdout, logging.INFO)),
            asyncio.ensure_future(self._log_reader.follow(process.stderr, logging.ERROR)),
        ]
        listening = asyncio.ensure_future(_wait_for_sockets(read_end, self._expected))
        ended = asyncio.ensure_future(process.wait())
        done, _ = await asyncio.wait({listening, ended}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if listening in done and not ended.done():
            self._tasks.append(asyncio.ensure_future(self._watch(process)))
            return listening.result()
        listening.cancel()
        if not done:
            await self.stop()
            raise ScriptError(f"{self._binary} did not start within {START_SECONDS:.0f} s")
        await asyncio.gather(*self._tasks, return_exceptions=True)
        raise ScriptError(
            self._log_reader.refusal() or f"{self._binary} ended at its start ({_describe_exit(await process.wait())})"
        )

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        await process.wait()
        if not self._is_closing:
            self._on_exit()

    async def last_words(self) -> str:
        """What the child said before it ended."""
        await asyncio.wait(self._tasks[:2], timeout=_LAST_WORDS_SECONDS)
        return self._log_reader.last_words()

    @property
    def pid(self) -> int:
        """0 before the first start."""
        return 0 if self._process is None else self._process.pid

    def kill(self) -> None:
        """Ends the child at once; it counts as having ended by itself."""
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)

    async def stop(self) -> None:
        """Ends the child for good, and removes its folder."""
        self._is_closing = True
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _STOP_SECONDS)
            except TimeoutError:
                self.kill()
                await process.wait()
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # a program that is a script may have children of its own
        if self._tasks:
            await asyncio.wait(self._tasks[:2], timeout=_LAST_WORDS_SECONDS)  # both end with the last writer
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._lock_descriptor is not None:
            os.close(self._lock_descriptor)
            self._lock_descriptor = None
        shutil.rmtree(self.folder, ignore_errors=True)


def remove_stale_folders() -> None:
    """Removes what edges left that were killed: the lock in a folder is free once its process is gone. A folder without
    a lock was made this moment."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.stat().st_uid != os.getuid() or (lock := _lock(folder / _LOCK)) is None:
                continue
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _lock(file: Path) -> int | None:
    """The descriptor that holds the lock; None if another process has it, or the file cannot be opened."""
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


async def _wait_for_sockets(read_end: int, expected: int) -> int | None:
    """Reads the control messages, one JSON object a line, until all sockets are named. Returns the inspector's port."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb"))
    try:
        listening, port = 0, None
        while listening < expected:
            line = await reader.readline()
            if not line:
                await asyncio.Event().wait()  # the child ended; who waits for that tells of it
            with contextlib.suppress(ValueError, KeyError, TypeError):
                told = json.loads(line)
                listening += told["event"] == "listen"
                if told["event"] == "listen-inspector":
                    port = int(told["port"])
        return port
    finally:
        transport.close()


def _describe_exit(status: int) -> str:
    """`status` is that of asyncio: a signal is negative."""
    if status >= 0:
        return f"exit {status}"
    name = signal.Signals(-status).name if -status in signal.valid_signals() else f"signal {-status}"
    if -status == signal.SIGSYS:
        return f"{name}: a filter of system calls forbids what it needs; see SystemCallFilter= of serve --print-unit"
    return name


def _build_environment() -> dict[str, str]:
    """Nothing of ours but what finding shared libraries needs: scripts may read the environment. Workers run in UTC."""
    return {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ} | {
        "TZ": "UTC"
    }


def _end_with_parent() -> None:
    """Runs in the child before workerd does: the kernel ends it when the edge is gone."""
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
