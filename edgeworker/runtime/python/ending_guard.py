"""Calls with which a script would end the process that it shares with all workers, or take over its signals.

They are mistakes of a script or habits of a library, such as `os._exit()` in an error handler; what means to end the
process can. On Cloudflare a script has a process of its own, which is started again, and whose signals never come:
`signal.signal()` does nothing there, as here, and event loops refuse handlers.
"""

import asyncio
import errno
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from types import ModuleType
from typing import Final

from edgeworker.runtime.contract.script_frames import Script, calling_script
from edgeworker.runtime.python import tracebacks
from edgeworker.runtime.python.told_once import ToldOnce

_log = logging.getLogger(__name__)
_told: Final = ToldOnce()
_OF_OS: Final = ("_exit", "abort", "kill", "killpg")
# What Python refuses outside of the main thread, with a ValueError that libraries expect, and timers that would end us.
_OF_SIGNAL: Final = ("set_wakeup_fd", "alarm", "setitimer")
_SENDING: Final = ("raise_signal", "pthread_kill")
# What uvloop's do without the functions of `signal`, and asyncio's before they call these.
_OF_LOOPS: Final = ("add_signal_handler", "remove_signal_handler")
_NOT_CAUGHT: Final = (signal.SIGKILL, signal.SIGSTOP)
# A process that a script has forked, where it may, can end itself.
_process = 0


def _calling_script_here() -> Script | None:
    script = calling_script()
    return script if script is not None and os.getpid() == _process else None


def _guard(owner: ModuleType | type, name: str, usual: Callable[..., object]) -> Callable[..., object]:
    called = f"{owner.__name__ if isinstance(owner, ModuleType) else 'loop'}.{name}()"

    @wraps(usual)
    def guarded(*arguments: object, **options: object) -> object:
        script = _calling_script_here()
        if script is not None and _concerns_us(name, arguments):
            refusal = _refuse(script, called)
            if name in _OF_LOOPS:
                raise NotImplementedError(refusal)  # as Pyodide's loop, and that of Windows
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
    _tell(script, refusal)
    return f"{refusal}; raise an exception instead"


def _tell(script: Script, text: str) -> None:
    """Once for each line of the script."""
    place = tracebacks.describe_script_line()
    if _told.is_first(script.worker, text, place):
        _log.warning('worker "%s": %s%s', script.worker, text, place)


_usual_signal: Final = signal.signal
_usual_getsignal: Final = signal.getsignal


@wraps(_usual_signal)
def _signal(signalnum: int, handler: object) -> object:
    """Libraries set handlers while they are imported: a script's are kept for it, and never called."""
    script = _calling_script_here()
    if script is None:
        return _usual_signal(signalnum, handler)  # type: ignore[arg-type]  # it refuses what is none
    before = _getsignal(signalnum)  # refuses what is not a signal
    if not callable(handler) and handler not in (signal.SIG_DFL, signal.SIG_IGN):
        raise TypeError("signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object")
    if signalnum in _NOT_CAUGHT:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    _tell(script, "signal.signal() has no effect: the signals of the process are for the edge, and no script gets them")
    script.signal_handlers[signalnum] = handler
    return before


@wraps(_usual_getsignal)
def _getsignal(signalnum: int) -> object:
    script = _calling_script_here()
    usual = _usual_getsignal(signalnum)
    return usual if script is None else script.signal_handlers.get(signalnum, usual)


_usual: Final = {
    (module, name): found
    for module, names in ((os, _OF_OS), (signal, (*_OF_SIGNAL, *_SENDING)))
    for name in names
    if (found := getattr(module, name, None)) is not None
}
_guarded: Final = {(module, name): _guard(module, name, usual) for (module, name), usual in _usual.items()}
_usual[signal, "signal"], _guarded[signal, "signal"] = _usual_signal, _signal
_usual[signal, "getsignal"], _guarded[signal, "getsignal"] = _usual_getsignal, _getsignal
# By class and name: what the class itself has (None: it inherits the method), and the guard.
_of_loops: Final[dict[tuple[type, str], tuple[object, Callable[..., object]]]] = {}


def _loop_classes() -> Iterator[type]:
    yield asyncio.SelectorEventLoop
    faster = getattr(sys.modules.get("uvloop"), "Loop", None)
    if isinstance(faster, type):
        yield faster


def install() -> None:
    """While scripts are loaded; may be called again."""
    global _process
    _process = os.getpid()
    for (module, name), guarded in _guarded.items():
        setattr(module, name, guarded)
    for loop in _loop_classes():
        for name in _OF_LOOPS:
            if (loop, name) not in _of_loops:
                _of_loops[loop, name] = (vars(loop).get(name), _guard(loop, name, getattr(loop, name)))
            setattr(loop, name, _of_loops[loop, name][1])


def uninstall() -> None:
    for (module, name), usual in _usual.items():
        setattr(module, name, usual)
    for (loop, name), (own, guarded) in _of_loops.items():
        if own is not None:
            setattr(loop, name, own)
        elif vars(loop).get(name) is guarded:
            delattr(loop, name)
