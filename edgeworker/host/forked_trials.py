"""Trials in processes that the parent of several forks: what a start of the program would load is loaded there already.

A serving process sends what to try and one end of a connection. The parent forks a watcher, which starts the trial in a
process group of its own, ends it when its time is over or when the other end is closed, and answers once. Neither has a
descriptor of the parent's: no socket, no lock.
"""

import asyncio
import json
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Final

from edgeworker.errors import EdgeworkerError
from edgeworker.host.priority import lower_own_priority

LONGEST_TRIAL_SECONDS: Final = 120.0
# The exit status of a trial that passed. Not 0, with which a script may end the process while it is loaded.
TRIAL_PASSED: Final = 93
_MOST_TEXT_BYTES: Final = 8000
_MOST_REQUEST_BYTES: Final = 4096
# The parent may be busy with the trial of a reload, which comes first.
_LONGEST_ANSWER_SECONDS: Final = 2 * LONGEST_TRIAL_SECONDS + 10
_LOOK_EVERY_SECONDS: Final = 0.02
_FIRST_DESCRIPTOR: Final = 3
# A trial must not notify systemd, nor take the sockets that systemd opened.
SERVICE_MANAGER_VARIABLES: Final = ("NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES")
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGHUP, signal.SIGUSR1)


@dataclass(frozen=True, slots=True)
class TrialResult:
    """How a trial ended: its exit status, and what it wrote to stderr. `is_late`: it took too long and was ended."""

    status: int
    text: str
    is_late: bool = False


class TrialRequests:
    """What serving processes ask their parent to try. To be made before they are forked."""

    def __init__(self) -> None:
        self.received, self._sent = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.received.setblocking(False)
        self._sent.setblocking(False)

    async def run(self, what: str) -> TrialResult | None:
        """None: the parent does not take it, or what it started ended without an answer."""
        ours, theirs = socket.socketpair()
        with closing(theirs):
            try:
                socket.send_fds(self._sent, [what.encode()], [theirs.fileno()])
            except OSError:
                ours.close()
                return None
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        try:
            async with asyncio.timeout(_LONGEST_ANSWER_SECONDS):
                answer = await reader.read()
        except TimeoutError:
            return TrialResult(1, "", is_late=True)
        except OSError:
            return None
        finally:
            writer.close()  # which ends a trial that no one waits for
        return _read_answer(answer)


def fork_requested_trial(
    requests: socket.socket, trial: Callable[[str], int], *, longest_seconds: float = LONGEST_TRIAL_SECONDS
) -> None:
    """Fork the watcher of a trial that was asked for, if there is one. `trial` gets what to try, and gives TRIAL_PASSED
    or another exit status, or raises EdgeworkerError.
    """
    try:
        content, descriptors, _, _ = socket.recv_fds(requests, _MOST_REQUEST_BYTES, 1)
    except OSError:
        return
    if len(descriptors) != 1:
        return
    connection = descriptors[0]
    try:
        if os.fork() == 0:
            try:
                _watch(connection, trial, content.decode(), longest_seconds)
            finally:
                os._exit(0)
    except OSError:
        pass  # no process more is allowed: the closed connection is the answer
    finally:
        os.close(connection)


def end_with_parent(number: signal.Signals) -> None:
    """The kernel sends this process a signal when the one that forked it ends."""
    with suppress(OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(1, number)  # PR_SET_PDEATHSIG


def _watch(connection: int, trial: Callable[[str], int], what: str, longest_seconds: float) -> None:
    signal.set_wakeup_fd(-1)
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    connection = _close_all_but(connection)
    lower_own_priority()
    read_end, write_end = os.pipe()
    process = os.fork()
    if process == 0:
        os.setpgid(0, 0)
        _run(trial, what, write_end)
    with suppress(OSError):  # both set it: each may be the first
        os.setpgid(process, process)
    os.close(write_end)
    answer = _until_ended(process, read_end, connection, time.monotonic() + longest_seconds)
    with socket.socket(fileno=connection) as answered, suppress(OSError):
        answered.sendall(json.dumps(answer).encode())


def _close_all_but(connection: int) -> int:
    """The descriptors of the parent's: listening sockets, pipes of other processes."""
    kept = os.dup2(connection, _FIRST_DESCRIPTOR) if connection != _FIRST_DESCRIPTOR else connection
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))
    return kept


def _run(trial: Callable[[str], int], what: str, write_end: int) -> None:
    """In the process of the trial."""
    status = 1
    try:
        end_with_parent(signal.SIGKILL)
        nothing = os.open(os.devnull, os.O_RDWR)
        for target, source in ((0, nothing), (1, nothing), (2, write_end)):
            os.dup2(source, target)
        os.closerange(_FIRST_DESCRIPTOR, os.sysconf("SC_OPEN_MAX"))
        for name in SERVICE_MANAGER_VARIABLES:
            os.environ.pop(name, None)
        status = trial(what)
    except EdgeworkerError as error:
        sys.stderr.write(f"{error}\n")
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        with suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(status)


def _until_ended(process: int, read_end: int, connection: int, deadline: float) -> Mapping[str, object]:
    """End the trial when its time is over, or when no one waits for it any more."""
    text, ended, is_late = b"", 0, False
    os.set_blocking(read_end, False)
    with selectors.DefaultSelector() as selector:
        selector.register(read_end, selectors.EVENT_READ)
        selector.register(connection, selectors.EVENT_READ)
        while not ended:
            ready = {key.fd for key, _ in selector.select(_LOOK_EVERY_SECONDS)}
            if read_end in ready:
                piece = os.read(read_end, _MOST_TEXT_BYTES)
                text = (text + piece)[-_MOST_TEXT_BYTES:]
                if not piece:
                    selector.unregister(read_end)
            is_late = time.monotonic() >= deadline
            if is_late or connection in ready:
                _kill_group(process)
                _, status = os.waitpid(process, 0)
                break
            ended, status = os.waitpid(process, os.WNOHANG)
    _kill_group(process)  # what it started and left
    with suppress(BlockingIOError):
        while piece := os.read(read_end, _MOST_TEXT_BYTES):
            text = (text + piece)[-_MOST_TEXT_BYTES:]
    said = text.decode("utf-8", "replace")
    return {"status": os.waitstatus_to_exitcode(status), "text": said, "is_late": is_late}


def _kill_group(process: int) -> None:
    with suppress(OSError):
        os.killpg(process, signal.SIGKILL)


def _read_answer(content: bytes) -> TrialResult | None:
    try:
        answer = json.loads(content)
    except ValueError:
        return None  # the watcher was killed
    return TrialResult(int(answer["status"]), str(answer["text"]), bool(answer["is_late"]))
