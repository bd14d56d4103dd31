"""How a realm starts its worker, and what is said of one that cannot be loaded."""

import json
import logging
from dataclasses import dataclass
from typing import Final

from edgeworker.runtime.quickjs.adapter import Engine, Function
from edgeworker.runtime.quickjs.modules import ModuleLoader
from edgeworker.runtime.quickjs.settings import EmbeddedSettings
from edgeworker.runtime.quickjs.stand_ins import INSTEAD

_log = logging.getLogger(__name__)

_SYNTAX_ADVICE: Final = (
    'run "npm install --save-dev esbuild" in the project, which lowers it, or "npm install --save-dev wrangler", which '
    "brings workerd"
)
_LISTENS: Final = b"unhandledrejection"
_FUNCTIONS: Final = (
    "prepare",
    "load",
    "dispatch",
    "request",
    "settle",
    "fetched",
    "fire",
    "leave",
    "socket",
    "report",
    "track",
)


@dataclass(frozen=True, slots=True)
class ScriptFunctions:
    """Those of rt/entry.js that we call."""

    load: Function
    dispatch: Function
    request: Function
    settle: Function
    fetched: Function
    fire: Function
    leave: Function
    socket: Function
    report: Function


def start_script(
    engine: Engine, loader: ModuleLoader, settings: EmbeddedSettings, seconds: float
) -> tuple[ScriptFunctions, bool]:
    """The functions, and whether `load` is still to load the worker's modules. Raises as `Engine.evaluate` does."""
    engine.evaluate(loader.prelude(), "edgeworker:start", module=True, seconds=seconds)
    prepare, *functions, track = engine.take("__edgeworker", _FUNCTIONS)
    project = settings.project
    if not engine.track_rejections(track) and any(_LISTENS in module.content for module in project.modules):
        _log.warning(
            'worker "%s": QuickJS does not tell on this system which rejections nothing handles, so listeners for '
            '"unhandledrejection" are never called. If the worker needs them, %s',
            settings.name,
            INSTEAD,
        )
    told = {
        "isServiceWorker": project.is_service_worker,
        "lowersAsync": project.lowers_async,
        "flags": settings.compatibility_flags,
        "env": settings.describe_env(),
    }
    engine.call(prepare, json.dumps(told), seconds=seconds)
    source, is_module = loader.main()
    engine.evaluate(source, "edgeworker:start" if is_module else project.main, module=False, seconds=seconds)
    return ScriptFunctions(*functions), is_module


def explain_refusal(text: str, loader: ModuleLoader, settings: EmbeddedSettings) -> str:
    """Why the worker cannot be loaded."""
    if loader.missing is not None:
        text = loader.missing
    elif text.startswith("SyntaxError") and settings.project.bundler is None:
        text += f"\nIf the syntax is right, it is newer than QuickJS: {_SYNTAX_ADVICE}"
    return f'worker "{settings.name}": {text}'


def warn_of_lacking(loader: ModuleLoader, name: str) -> None:
    if loader.lacking:
        _log.warning(
            'worker "%s": the embedded JavaScript engine has no %s; using it throws. If the worker needs it, %s',
            name,
            ", ".join(sorted(set(loader.lacking))),
            INSTEAD,
        )
