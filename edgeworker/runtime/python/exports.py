"""What a script exports, and how its handlers are called.

Source: the dispatch of workerd's Python runtime (src/pyodide), which drops positional arguments that a function
does not take.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Final

from edgeworker.errors import ScriptError
from edgeworker.runtime.sdk.entrypoints import WorkerEntrypoint
from edgeworker.suggestions import did_you_mean

# Module-level handlers of the older style -> the method of the class style.
GLOBAL_HANDLERS: Final = {
    "on_fetch": "fetch",
    "on_scheduled": "scheduled",
    "on_queue": "queue",
    "on_email": "email",
    "on_tail": "tail",
}
OLD_METHODS: Final = {method: name for name, method in GLOBAL_HANDLERS.items()}
_JAVASCRIPT_SPELLINGS: Final = {"onFetch": "on_fetch", "onScheduled": "on_scheduled", "fetch": "on_fetch"}


@dataclass(frozen=True, slots=True)
class Exports:
    """`functions` are the module-level handlers by the name of their method; one of the two styles is empty."""

    default: type[WorkerEntrypoint] | None
    functions: Mapping[str, Callable[..., object]]
    named: Mapping[str, type[WorkerEntrypoint]]


def find_exports(module: ModuleType, file: str) -> Exports:
    """Raises ScriptError for a script without a handler and for one with both styles; `file` names it."""
    names = _public(module)
    functions = {
        method: value for name, method in GLOBAL_HANDLERS.items() if name in names and callable(value := names[name])
    }
    classes = {
        name: value
        for name, value in names.items()
        if isinstance(value, type) and issubclass(value, WorkerEntrypoint) and value is not WorkerEntrypoint
    }
    default = classes.pop("Default", None)
    if default is None and isinstance(names.get("Default"), type):
        raise ScriptError(f"{file}: class Default must be a WorkerEntrypoint: class Default(WorkerEntrypoint)")
    if default is not None and functions:
        given = ", ".join(name for name, method in GLOBAL_HANDLERS.items() if method in functions)
        raise ScriptError(
            f"{file}: Cannot define multiple default entrypoints: keep class Default or the module's {given}, not both"
        )
    if default is None and not functions and not classes:
        raise ScriptError(
            f'{file}: Python entrypoint "{file}" does not export a handler named "on_fetch", and no class '
            f"Default(WorkerEntrypoint) with a method fetch(self, request){_suggest(module, names)}"
        )
    return Exports(default, functions, classes)


def count_positional(function: Callable[..., object], most: int) -> int:
    """How many of `most` positional arguments the function takes."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some callables of C have no signature
        return most
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return most
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return min(most, sum(parameter.kind in kinds for parameter in parameters))


def _public(module: ModuleType) -> dict[str, object]:
    names = vars(module)
    listed = names.get("__all__")
    return names if listed is None else {name: value for name, value in names.items() if name in listed}


def _suggest(module: ModuleType, names: dict[str, object]) -> str:
    if names is not vars(module) and any(name in vars(module) for name in ("Default", *GLOBAL_HANDLERS)):
        return "; one exists, but __all__ does not list it"
    for wrong, right in _JAVASCRIPT_SPELLINGS.items():
        if callable(names.get(wrong)) and getattr(names[wrong], "__module__", None) == module.__name__:
            return f"; the function {wrong} would have to be {right}"
    own = [name for name, value in names.items() if getattr(value, "__module__", None) == module.__name__]
    for name in own:
        known = ("Default",) if isinstance(names[name], type) else tuple(GLOBAL_HANDLERS)
        if meant := did_you_mean(name, known, before=f"; there is {name}. "):
            return meant
    return ""
