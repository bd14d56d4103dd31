"""What of a traceback a script's author should see: the script's frames, not the edge's around them."""

import linecache
import traceback
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Final

from edgeworker.runtime.contract.script_frames import nearest_script_frame, script_of_frame

_OURS: Final = frozenset({"edgeworker", "importlib"})


def trim_traceback(error: BaseException) -> TracebackType | None:
    """The traceback without the edge's frames and the import system's. None where nothing else is left."""
    kept: TracebackType | None = None
    for step in reversed(list(_steps(error.__traceback__))):
        if not _is_ours(step.tb_frame):
            kept = TracebackType(kept, step.tb_frame, step.tb_lasti, step.tb_lineno)
    return kept


def find_last_line(error: BaseException) -> tuple[str, int] | None:
    """(file, line) of the innermost frame of a script: where the error came from, as its author sees it."""
    place: tuple[str, int] | None = None
    for step in _steps(error.__traceback__):
        if script_of_frame(step.tb_frame) is not None:
            place = step.tb_frame.f_code.co_filename, step.tb_lineno
    return place


def format_error(error: BaseException) -> str:
    """The exception as Python prints it, from the script's own frames on."""
    return "".join(traceback.format_exception(type(error), error, trim_traceback(error))).rstrip()


def read_source_line(file: str, line: int) -> str:
    """The text of a line, or "" where it cannot be read."""
    return linecache.getline(file, line).strip()


def _steps(step: TracebackType | None) -> Iterator[TracebackType]:
    while step is not None:
        yield step
        step = step.tb_next


def _is_ours(frame: FrameType) -> bool:
    """By the module's name, not by the file: the built-in scripts lie within the package too."""
    name = frame.f_globals.get("__name__", "")
    return isinstance(name, str) and name.partition(".")[0] in _OURS and script_of_frame(frame) is None


def describe_line(frame: FrameType) -> str:
    """To be put behind what is said of it, such as " (worker.py, line 3: x = 1)"."""
    file, line = frame.f_code.co_filename, frame.f_lineno
    return f" ({file}, line {line}: {read_source_line(file, line)})"


def describe_script_line() -> str:
    """The line of a script that led here; "" if there is none."""
    found = nearest_script_frame()
    return "" if found is None else describe_line(found[0])
