"""Why a script could not be loaded, as its author wants to read it: file, line, caret, and what would be right."""

import re
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from edgeworker.config import Worker
from edgeworker.errors import ScriptError
from edgeworker.runtime.python import tracebacks
from edgeworker.runtime.python.modules import Modules
from edgeworker.suggestions import did_you_mean

# Modules of Pyodide itself: they have no meaning on CPython, and none that deploys either.
_NOT_PORTABLE: Final = {
    "micropip": "packages are declared in pyproject.toml and installed with pywrangler, not at run time",
    "pyodide_js": "it is Pyodide's own interface; Python Workers cannot rely on it",
    "wsgi": "the SDK has it as a part of workers: from workers import wsgi",
    "pyodide_http": "use the libraries themselves (httpx, requests)",
}

# What an older Python calls a SyntaxError, by the line or by its message. The newest first.
_SYNTAX: Final = (
    ((3, 14), re.compile(r"""(?<![\w'"])[tT][rR]?['"]|^\s*except\s+[\w.]+\s*,|multiple exception types""")),
    ((3, 13), re.compile(r"^\s*(?:class|def|async\s+def|type)\s+\w+\s*\[[^\]=]*=[^\]]*\]")),
    (
        (3, 12),
        re.compile(
            r"^\s*type\s+\w+\s*(?:\[.*\])?\s*=|^\s*(?:class|def|async\s+def)\s+\w+\s*\["
            r"|f-string expression part cannot include"
            r"""|[fF]"[^"{]*\{[^}"]*"[^"]*"|[fF]'[^'{]*\{[^}']*'[^']*'"""
        ),
    ),
)


_IMPORTED_NAME: Final = re.compile(r"cannot import name '(\w+)' from (?:partially initialized module )?'([\w.]+)'")


def check_main(worker: Worker, main: Path) -> ScriptError | None:
    """An error for a `main` that is not a readable file."""
    place = f"{worker.source}: " if worker.source else ""
    if main.is_dir():
        return ScriptError(f'{place}main of worker "{worker.name}" is a folder: {main}; name its .py file')
    if not main.is_file():
        beside = sorted(path.name for path in main.parent.glob("*.py"))
        found = f"; beside it lie {', '.join(beside[:5])}" if beside else ""
        return ScriptError(f'{place}main of worker "{worker.name}" does not exist: {main}{found}')
    return None


def explain_unknown_language(worker: Worker, main: Path, known: Iterable[str]) -> ScriptError:
    return ScriptError(
        f'main of worker "{worker.name}" is {main.name}, a kind of script that does not run here; its name must end in '
        f"{' or '.join(known)}"
    )


def explain_load_error(error: BaseException, worker: Worker, modules: Modules) -> ScriptError:
    """The error for what a script raised while it was imported."""
    place = tracebacks.find_last_line(error)
    match error:
        case SyntaxError() if error.filename is not None and Path(error.filename).is_file():
            text = _describe_syntax_error(error)
            place = error.filename, error.lineno or 1
        case ModuleNotFoundError() if error.name is not None:
            text = _describe_place(error, worker) + _describe_missing_module(error, error.name, modules)
        case _:
            shown = modules.plain("".join(traceback.format_exception_only(type(error), error)).strip())
            text = _describe_place(error, worker) + shown + _suggest_import(shown, worker, modules)
            text += _format_frames(error, modules)
            if isinstance(error, SyntaxError) and "null bytes" in text:
                text += "; it is not UTF-8 text: save it as UTF-8"
    return ScriptError(f'worker "{worker.name}": {modules.plain(text)}', place)


def _suggest_import(message: str, worker: Worker, modules: Modules) -> str:
    """What was meant by a name that is not in `workers`, or by a script that imports from itself."""
    found = _IMPORTED_NAME.search(message)
    if found is None:
        return ""
    name, module = found.groups()
    known = [each for each in dir(modules.import_("workers")) if not each.startswith("_")]
    if module == "workers":
        return did_you_mean(name, known)
    if worker.main is not None and module == worker.main.stem and name in known:
        return f'. {worker.main.name} imports from itself. Did you mean "from workers import {name}"?'
    return ""


def _describe_syntax_error(error: SyntaxError) -> str:
    """`file, line 3: invalid syntax`, the line, and the caret below what is wrong."""
    shown = traceback.format_exception_only(type(error), error)
    # The first line is Python's 'File "...", line n', the last one the class and the message.
    text = (
        f"{error.filename}, line {error.lineno}: {type(error).__name__}: {error.msg}\n{''.join(shown[1:-1])}".rstrip()
    )
    needed = find_needed_version(error.text or "", error.msg or "")
    if needed is None or sys.version_info >= needed:
        return text
    here = ".".join(map(str, sys.version_info[:2]))
    return (
        f"{text}\nThis is written for Python {needed[0]}.{needed[1]} or newer, and edgeworker runs on Python {here}; "
        f"Cloudflare runs 3.12 and newer. Run it there: uv run --python 3.13 edgeworker dev"
    )


def find_needed_version(line: str, message: str) -> tuple[int, int] | None:
    """The release of Python whose syntax a line that could not be parsed has. Pure."""
    for version, pattern in _SYNTAX:
        if pattern.search(line) or pattern.search(message):
            return version
    return None


def _describe_place(error: BaseException, worker: Worker) -> str:
    place = tracebacks.find_last_line(error)
    return f"{worker.main}: " if place is None else f"{place[0]}, line {place[1]}: "


def _describe_missing_module(error: ModuleNotFoundError, name: str, modules: Modules) -> str:
    top = name.partition(".")[0]
    text = str(error)
    place = tracebacks.find_last_line(error)
    line = "" if place is None else f"\n    {tracebacks.read_source_line(*place)}"
    if (built := modules.webassembly(name)) is not None:
        return (
            f'{text}: {built} is built for WebAssembly and cannot be loaded here; install "{top}" where '
            f"edgeworker runs ({_describe_environment()}), which is then used instead{line}"
        )
    if modules.owns(top):
        return f"{text}: {top} is the worker's own, and has no such module{line}"
    if top in _NOT_PORTABLE:
        return f"{text}: {_NOT_PORTABLE[top]}{line}"
    return (
        f'{text}: package "{top}" is not installed where edgeworker runs ({_describe_environment()}); install it '
        f"there, and list it in pyproject.toml's dependencies so that it is deployed too{line}"
    )


def _describe_environment() -> str:
    return "the single binary carries only its own packages" if getattr(sys, "frozen", False) else str(Path(sys.prefix))


def _format_frames(error: BaseException, modules: Modules) -> str:
    kept = tracebacks.trim_traceback(error)
    frames = traceback.format_tb(kept)
    return "\n" + modules.plain("".join(frames)).rstrip() if frames else ""
