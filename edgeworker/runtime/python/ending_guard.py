"""Calls with which a script would end the process that it shares with all workers, or take over its signals.

They are mistakes of a script or habits of a library, such as `os._exit()` in an error handler; what means to end the
process can. On Cloudflare a script has a process of its own, which is started again.
"""

import errno
import logging
import os
import signal
from collections.abc import Callable
from functools import wraps
from types import ModuleType
from typing import Final

from edgeworker.runtime.contract.script_frames import Script, calling_script, nearest_script_frame
from edgeworker.runtime.python import tracebacks

_log = logging.getLogger(__name__)
_told: Final[set[tuple[str, str]]] = set()
_OF_OS: Final = ("_exit", "abort", "kill", "killpg")
# What Python refuses outside of the main thread, with a ValueError that libraries expect, and timers that would end us.
_OF_SIGNAL: Final = ("signal", "set_wakeup_fd", "alarm", "setitimer")
_SENDING: Final = ("raise_signal", "pthread_kill")
# A process that a script has forked, where it may, can end itself.
_process = 0


def _guard(module: ModuleType, name: str, usual: Callable[..., object]) -> Callable[..., object]:
    called = f"{module.__name__}.{name}()"

    @wraps(usual)
    def guarded(*arguments: object, **options: object) -> object:
        script = calling_script()
        if script is not None and os.getpid() == _process and _concerns_us(name, arguments):
            refusal = _refuse(script, called)
            raise ValueError(refusal) if name in _OF_SIGNAL else OSError(errno.ENOTSUP, refusal)
        return usual(*arguments, **options)

    return guarded


def _concerns_us(name: str, arguments: tuple[object, ...]) -> bool:
    """Whether it is not a signal to another process, such as one that a script has started, where it may."""
    if name not in ("kill", "killpg") or not arguments or not isinstance(arguments[0], int):
        return True
    target, number = arguments[0], arguments[1] if len(arguments) > 1 else None
    if number == 0:  # only asks whether it is there
        return False
    if name == "killpg":
        return target in (0, os.getpgrp())
    return target <= 0 or target in (_process, os.getppid())


def _refuse(script: Script, called: str) -> str:
    refusal = f"scripts may not call {called}: the process and its signals belong to the edge and to all its workers"
    place = ""
    if (found := nearest_script_frame()) is not None:
        file, line = found[0].f_code.co_filename, found[0].f_lineno
        place = f" ({file}, line {line}: {tracebacks.read_source_line(file, line)})"
    if (script.worker, called + place) not in _told:
        _told.add((script.worker, called + place))
        _log.warning('worker "%s": %s%s', script.worker, refusal, place)
    return f"{refusal}; raise an exception instead"


_usual: Final = {
    (module, name): found
    for module, names in ((os, _OF_OS), (signal, (*_OF_SIGNAL, *_SENDING)))
    for name in names
    if (found := getattr(module, name, None)) is not None
}
_guarded: Final = {(module, name): _guard(module, name, usual) for (module, name), usual in _usual.items()}


def install() -> None:
    """While scripts are loaded; may be called again."""
    global _process
    _process = os.getpid()
    for (module, name), guarded in _guarded.items():
        setattr(module, name, guarded)


def uninstall() -> None:
    for (module, name), usual in _usual.items():
        setattr(module, name, usual)
