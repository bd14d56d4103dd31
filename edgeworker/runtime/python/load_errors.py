"""Why a script could not be loaded, as its author wants to read it: file, line, caret, and what would be right."""

import re
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from edgeworker.config import Worker
from edgeworker.errors import ScriptError
from edgeworker.runtime.contract import portability
from edgeworker.runtime.contract.portability import Release
from edgeworker.runtime.python import python_releases, tracebacks
from edgeworker.runtime.python.modules import Modules
from edgeworker.suggestions import did_you_mean

# Modules of Pyodide itself: they have no meaning on CPython, and none that deploys either.
_NOT_PORTABLE: Final = {
    "micropip": "packages are declared in pyproject.toml and installed with pywrangler, not at run time",
    "pyodide_js": "it is Pyodide's own interface; Python Workers cannot rely on it",
    "wsgi": "the SDK has it as a part of workers: from workers import wsgi",
    "pyodide_http": "use the libraries themselves (httpx, requests)",
}

_HERE: Final = python_releases.name_release(sys.version_info[:2])
_USUAL: Final = (3, 13)  # has all that edgeworker can use, the embedded engine for JavaScript too

_IMPORTED_NAME: Final = re.compile(r"cannot import name '(\w+)' from (?:partially initialized module )?'([\w.]+)'")
_MISSING_ATTRIBUTE: Final = re.compile(r"module '([\w.]+)' has no attribute '(\w+)'")


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
            text = _describe_syntax_error(error, worker)
            place = error.filename, error.lineno or 1
        case ModuleNotFoundError() if error.name is not None:
            text = _describe_place(error, worker) + _describe_missing_module(error, error.name, worker, modules)
        case _:
            shown = modules.plain("".join(traceback.format_exception_only(type(error), error)).strip())
            text = _describe_place(error, worker) + shown
            text += _suggest_import(shown, worker, modules) or _suggest_release(shown, worker)
            text += _format_frames(error, modules)
            if isinstance(error, SyntaxError) and "null bytes" in text:
                text += "; it is not UTF-8 text: save it as UTF-8"
    return ScriptError(f'worker "{worker.name}": {modules.plain(text)}', place)


def advise(error: BaseException, worker: Worker, modules: Modules) -> str:
    """What would be right where a handler failed at an import, after the error's own text; "" for anything else."""
    match error:
        case ModuleNotFoundError() if error.name is not None:
            return _describe_missing_module(error, error.name, worker, modules, line=False).removeprefix(f"{error}: ")
        case ImportError() if "attempted relative import" in str(error):
            return f"modules beside {worker.main} are imported by their names, as in import util"
        case _:
            shown = f"{type(error).__name__}: {error}"
            found = _suggest_import(shown, worker, modules) or _suggest_release(shown, worker)
            return found.strip(" .")


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


def _describe_syntax_error(error: SyntaxError, worker: Worker) -> str:
    """`file, line 3: invalid syntax`, the line, and the caret below what is wrong."""
    shown = traceback.format_exception_only(type(error), error)
    # The first line is Python's 'File "...", line n', the last one the class and the message.
    text = (
        f"{error.filename}, line {error.lineno}: {type(error).__name__}: {error.msg}\n{''.join(shown[1:-1])}".rstrip()
    )
    needed = python_releases.find_syntax_release(error.text or "", error.msg or "", error.offset or 0)
    return text if needed is None else text + _explain_release("\nThis is written for {} or newer", needed, worker)


def _suggest_release(message: str, worker: Worker) -> str:
    """Which Python a name of the standard library came with that this one does not have."""
    if (found := _IMPORTED_NAME.search(message)) is not None:
        name, module = found.groups()
    elif (found := _MISSING_ATTRIBUTE.search(message)) is not None:
        module, name = found.groups()
    else:
        return ""
    needed = python_releases.find_release_of_name(module, name)
    return "" if needed is None else _explain_release(". It came with {}", needed, worker)


def _explain_release(what: str, needed: Release, worker: Worker) -> str:
    """The end of a message that says `what` of the release that is needed, "" where this Python is not too old."""
    if sys.version_info >= needed:
        return ""
    release = python_releases.name_release(needed)
    text = f"{what.format(release)}, and edgeworker runs on {_HERE}"
    since, deployed = portability.find_first_date(needed), portability.find_deployed_release(worker)
    if since is None:
        text += "; Cloudflare runs 3.12 and newer"
    elif deployed < needed:
        text += (
            f"; Cloudflare has it from compatibility date {since} on, and would run this worker on "
            f"{python_releases.name_release(deployed)}"
        )
    if getattr(sys, "frozen", False):
        return f"{text}. The single binary brings its Python along: install edgeworker where {release} is"
    return f"{text}. Run it there: uv run --python {'.'.join(map(str, max(needed, _USUAL)))} edgeworker dev"


def _describe_place(error: BaseException, worker: Worker) -> str:
    place = tracebacks.find_last_line(error)
    return f"{worker.main}: " if place is None else f"{place[0]}, line {place[1]}: "


def _describe_missing_module(
    error: ModuleNotFoundError, name: str, worker: Worker, modules: Modules, *, line: bool = True
) -> str:
    """`line`: with the line of the script."""
    text = str(error)
    place = tracebacks.find_last_line(error) if line else None
    return _explain_missing(text, name, worker, modules) + (
        "" if place is None else f"\n    {tracebacks.read_source_line(*place)}"
    )


def _explain_missing(text: str, name: str, worker: Worker, modules: Modules) -> str:
    top = name.partition(".")[0]
    if (built := modules.webassembly(name)) is not None:
        return (
            f'{text}: {built} is built for WebAssembly and cannot be loaded here; install "{top}" where '
            f"edgeworker runs ({_describe_environment()}), which is then used instead"
        )
    if modules.owns(top):
        return f"{text}: {top} is the worker's own, and has no such module"
    if top in _NOT_PORTABLE:
        return f"{text}: {_NOT_PORTABLE[top]}"
    if (came := python_releases.find_release_of_module(name)) is not None and sys.version_info < came:
        return f"{text}{_explain_release(': it came with {}', came, worker)}"
    if (went := python_releases.find_removal(name)) is not None:
        return (
            f"{text}: it went from the standard library with {python_releases.name_release(went)}, and edgeworker runs "
            f"on {_HERE}; use another module, or list a package that has it in pyproject.toml's dependencies"
        )
    if getattr(sys, "frozen", False):
        return (
            f'{text}: package "{top}" is not in the single binary; `uv pip install --target python_modules --python '
            f"{sys.version_info[0]}.{sys.version_info[1]} {top}` puts it beside the script, or --python-path DIR names "
            f"a folder that has it"
        )
    return (
        f'{text}: package "{top}" is not installed where edgeworker runs ({_describe_environment()}); install it '
        f"there, and list it in pyproject.toml's dependencies so that it is deployed too"
    )


def _describe_environment() -> str:
    return "a folder that --python-path names" if getattr(sys, "frozen", False) else str(Path(sys.prefix))


def _format_frames(error: BaseException, modules: Modules) -> str:
    kept = tracebacks.trim_traceback(error)
    frames = traceback.format_tb(kept)
    return "\n" + modules.plain("".join(frames)).rstrip() if frames else ""
