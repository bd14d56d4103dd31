"""Which script the running code works for: told by the frames on the stack, and where none is a script's, by a context
variable."""

import sys
from contextvars import ContextVar
from types import FrameType, ModuleType
from typing import Final

from edgeworker.config import DEFAULT_CPU_MS
from edgeworker.runtime.contract.portability import SILENT, Portability
from edgeworker.runtime.contract.socket_policy import NoSockets, SocketPolicy

MARK: Final = "__edgeworker_script__"  # in the builtins of a script's modules: whose they are
# Rooms of what Python scripts are given; all else of the edge works for itself, the engines of JavaScript too.
_GIVEN: Final = tuple(f"edgeworker.runtime.{room}." for room in ("contract", "python", "sdk", "webapi"))
_LOOP: Final = frozenset({"asyncio.events", "asyncio.runners"})
_current: Final[ContextVar["Script"]] = ContextVar("edgeworker_script")


class Script:
    """One loaded script, as far as what watches it needs to know."""

    def __init__(self, worker: str) -> None:
        self.worker = worker
        self.cpu_seconds = DEFAULT_CPU_MS / 1000  # how long the script may keep the loop at a time
        self.portability: Portability = SILENT
        self.is_loading = False  # its top level runs
        self.waits = False  # some code of the script waits without `await`
        self.sockets: SocketPolicy = NoSockets()  # where its libraries may connect to by themselves
        self.signal_handlers: dict[int, object] = {}  # what it gave to `signal.signal`; they are never called
        self.looked_up: dict[str, str] = {}  # addresses that they may connect to -> the name that they looked up

    def find_module(self, name: str, *, may_load: bool = True) -> ModuleType | None:
        """The script's own module that its author calls `name`, or None if it has none."""
        return None


def script_of_frame(frame: FrameType) -> Script | None:
    """Whose code this frame runs, or None for code that belongs to no script."""
    script = frame.f_builtins.get(MARK)
    return script if isinstance(script, Script) else None


def nearest_script_frame() -> tuple[FrameType, Script] | None:
    """The innermost frame of a script below the caller."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if (script := script_of_frame(frame)) is not None:
            return frame, script
        frame = frame.f_back
    return None


def current_script() -> Script | None:
    """The script for which the calling code runs: the nearest frame of a script decides, then `enter_script`."""
    found = nearest_script_frame()
    return _current.get(None) if found is None else found[1]


def entered_script() -> Script | None:
    """The script that was entered, without a look at the frames."""
    return _current.get(None)


def calling_script() -> Script | None:
    """The script on whose behalf a library works; None for the edge's own work, also where a script waits for it."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if (script := script_of_frame(frame)) is not None:
            return script
        name = frame.f_globals.get("__name__", "")
        # What scripts are given calls back into their code, and into frameworks.
        if not isinstance(name, str):
            name = ""
        if is_of_edge(name):
            return None
        if name in _LOOP:  # a task of its own: what lies below started the event loop, not the task
            break
        frame = frame.f_back
    return _current.get(None)


def is_of_edge(module: str) -> bool:
    """Whether code of that module works for the edge itself, not for the script that it was called by."""
    return module.startswith("edgeworker.") and not module.startswith(_GIVEN)


# What `enter_script` does, for where each request passes: two calls into C.
set_script: Final = _current.set
reset_script: Final = _current.reset


class enter_script:  # read as a statement: `with enter_script(script):`
    """Code inside works for this script, also where no frame of it is on the stack, as in a framework."""

    __slots__ = ("_script", "_token")

    def __init__(self, script: Script) -> None:
        self._script = script

    def __enter__(self) -> None:
        self._token = _current.set(self._script)

    def __exit__(self, *_error: object) -> None:
        _current.reset(self._token)
