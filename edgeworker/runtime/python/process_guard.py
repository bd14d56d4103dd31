"""Processes that scripts start, and functions of C that they call by ctypes to connect or to start some.

Nothing of the outbound policy holds for them, so they are refused unless the operator lets them in. Cloudflare has no
processes: pyodide's `subprocess` and `os.fork` raise OSError too. A script that means to go around this can.
"""

import _posixsubprocess
import errno
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from functools import wraps
from types import FrameType, ModuleType
from typing import Final

from edgeworker.runtime.contract.script_frames import calling_script
from edgeworker.runtime.python import tracebacks
from edgeworker.runtime.python.told_once import ToldOnce

_log = logging.getLogger(__name__)
_told: Final = ToldOnce()
# They start `ldconfig`, `gcc`, `uname` and the like, and go on without.
_LOOKUPS: Final = frozenset({"ctypes.util", "platform", "uuid"})
_DEEPEST_LOOKUP: Final = 8  # frames of `subprocess` between
# https://docs.python.org/3/library/os.html#process-management; the rest of `os.exec*` and `os.spawn*` calls these.
_OF_OS: Final = ("execv", "execve", "fork", "forkpty", "posix_spawn", "posix_spawnp", "system")
_OF_C: Final = frozenset(
    [
        "accept",
        "accept4",
        "bind",
        "connect",
        "getaddrinfo",
        "gethostbyname",
        "gethostbyname2",
        "listen",
        "sendmmsg",
        "sendmsg",
        "sendto",
        "socket",
        "syscall",
        "clone",
        "dlopen",
        "dlsym",
        "popen",
        "posix_spawn",
        "posix_spawnp",
        "system",
        "execl",
        "execle",
        "execlp",
        "execv",
        "execve",
        "execvp",
        "execvpe",
        "fexecve",
        "fork",
        "forkpty",
        "vfork",
    ]
)


def _guard(name: str, usual: Callable[..., object]) -> Callable[..., object]:
    @wraps(usual)
    def guarded(*arguments: object, **options: object) -> object:
        if not _is_lookup():
            check(f"a process by {name}")
        return usual(*arguments, **options)

    return guarded


def _is_lookup() -> bool:
    """Whether the standard library asks the system for something, such as where a library is."""
    frame: FrameType | None = sys._getframe(2)
    for _ in range(_DEEPEST_LOOKUP):
        if frame is None:
            break
        if frame.f_globals.get("__name__") in _LOOKUPS:
            return True
        frame = frame.f_back
    return False


def check(what: str) -> None:
    """Raises OSError if a script may not have `what`."""
    script = calling_script()
    if script is None:
        return
    refusal = script.sockets.refuse_native(what)
    _tell(script.worker, what, refusal)
    if refusal is not None:
        raise OSError(errno.ENOTSUP, refusal)


_usual: Final = {
    (module, name): found
    for module, names in ((os, _OF_OS), (subprocess, ("_fork_exec",)), (_posixsubprocess, ("fork_exec",)))
    for name in names
    if (found := getattr(module, name, None)) is not None
}
_guarded: Final = {
    (module, name): _guard(f"os.{name}()" if module is os else "subprocess", usual)
    for (module, name), usual in _usual.items()
}


def install() -> None:
    """While scripts are loaded; may be called again."""
    for (module, name), guarded in _guarded.items():
        setattr(module, name, guarded)
    if (loaded := sys.modules.get("ctypes")) is not None:
        guard_ctypes(loaded)


def uninstall() -> None:
    for (module, name), usual in _usual.items():
        setattr(module, name, usual)


def guard_ctypes(ctypes: ModuleType) -> None:
    """Functions of libraries are looked up by one method. It stays, and asks nothing where no script calls it."""
    library = getattr(ctypes, "CDLL", None)
    usual: Callable[..., object] | None = getattr(library, "__getitem__", None)
    if usual is None or hasattr(usual, "__wrapped__"):
        return
    look_up = usual

    @wraps(look_up)
    def guarded(self: object, name: object) -> object:
        if name in _OF_C:
            check(f"{name}() of C by ctypes")
        return look_up(self, name)

    setattr(library, "__getitem__", guarded)  # noqa: B010


def _tell(worker: str, what: str, refusal: str | None) -> None:
    place = tracebacks.describe_script_line()
    if not _told.is_first(worker, what, place, refusal):
        return
    if refusal is not None:
        _log.warning('worker "%s": %s%s', worker, refusal, place)
    else:
        _log.warning(
            'worker "%s" uses %s%s: nothing in [outbound] holds for it, and it fails on Cloudflare', worker, what, place
        )
