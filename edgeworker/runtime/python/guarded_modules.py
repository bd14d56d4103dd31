"""Modules of the standard library that are guarded once they are loaded, so that no script has to pay for them."""

from collections.abc import Callable, Mapping
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final

from edgeworker.runtime.python import process_guard, script_logging

GUARDS: Final[Mapping[str, Callable[[ModuleType], None]]] = {
    "ctypes": process_guard.guard_ctypes,
    "logging.config": script_logging.guard_config,
}


def guard_when_loaded(spec: ModuleSpec | None, name: str) -> ModuleSpec | None:
    """The specification of a module of `GUARDS`, whose loader calls the guard when the module has run."""
    execute = getattr(spec.loader, "exec_module", None) if spec is not None else None
    if spec is None or execute is None:
        return spec

    def execute_and_guard(module: ModuleType) -> None:
        execute(module)
        GUARDS[name](module)

    setattr(spec.loader, "exec_module", execute_and_guard)  # noqa: B010
    return spec
