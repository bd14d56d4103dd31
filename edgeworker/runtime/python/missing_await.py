"""Names the worker and the line where a script drops a coroutine that it never awaited: what it says does not happen.

Python warns of it too, but of a line of whatever runs when the coroutine is collected, and of no worker.
"""

import logging
import warnings
from collections.abc import Callable, Coroutine
from typing import Final

from edgeworker.runtime.contract import script_frames
from edgeworker.runtime.python import tracebacks
from edgeworker.runtime.python.told_once import ToldOnce

_log = logging.getLogger(__name__)
_NAME: Final = "_warn_unawaited_coroutine"  # what the interpreter calls
_usual: Final[Callable[[Coroutine[object, object, object]], None]] = getattr(warnings, _NAME)
_told: Final = ToldOnce()


def install() -> None:
    """While scripts are loaded; may be called again."""
    setattr(warnings, _NAME, _warn)


def uninstall() -> None:
    setattr(warnings, _NAME, _usual)


def _warn(coroutine: Coroutine[object, object, object]) -> None:
    frame = getattr(coroutine, "cr_frame", None)
    found = script_frames.nearest_script_frame()
    own = None if frame is None else script_frames.script_of_frame(frame)
    script = found[1] if found is not None else own or script_frames.entered_script()
    if script is None:
        if getattr(coroutine, "cr_origin", None) is None:
            # As Python says it, but of the line that dropped the coroutine: through us it would name this one.
            name = getattr(coroutine, "__qualname__", coroutine)
            text = f"coroutine '{name}' was never awaited"
            warnings.warn(text, RuntimeWarning, stacklevel=2, source=coroutine)
        else:
            _usual(coroutine)
        return
    called = f"{getattr(coroutine, '__qualname__', coroutine)}()"
    if found is not None:
        file, line = found[0].f_code.co_filename, found[0].f_lineno
    elif own is not None and frame is not None:
        file, line = frame.f_code.co_filename, frame.f_code.co_firstlineno
    else:
        file, line = "", 0
    if not _told.is_first(script.worker, file, line):
        return
    source = tracebacks.read_source_line(file, line) if file else ""
    place = f" ({file}, line {line}: {source})" if file else ""
    _log.warning(
        'worker "%s" never awaited %s, which did nothing: write await before it%s', script.worker, called, place
    )
