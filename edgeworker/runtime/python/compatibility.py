"""Where the real runtime, at a script's compatibility date and flags, would refuse what runs here.

Source: https://developers.cloudflare.com/workers/configuration/compatibility-flags/
"""

import dis
import sys
from collections.abc import Iterator
from types import CodeType
from typing import Final

from edgeworker.config import Worker
from edgeworker.runtime.contract.portability import find_deployed_release, find_first_date, is_enabled
from edgeworker.runtime.python.exports import GLOBAL_HANDLERS, Exports
from edgeworker.runtime.python.modules import Modules
from edgeworker.runtime.python.python_releases import find_unportable, name_release

NO_GLOBAL_HANDLERS_FROM: Final = "2025-08-14"


def warnings(worker: Worker, exports: Exports, modules: Modules) -> Iterator[str]:
    """Texts for a person; the flag `python_workers` is wrangler_compat's to ask for.

    A worker with neither date nor flags is made for tests and is not warned about.
    """
    if worker.compatibility_date is None and not worker.compatibility_flags:
        return
    old = [name for name, method in GLOBAL_HANDLERS.items() if _is_named_as_before(exports.default, name, method)]
    if old and (worker.compatibility_date or "") >= NO_GLOBAL_HANDLERS_FROM:
        new = ", ".join(GLOBAL_HANDLERS[name] for name in old)
        yield (
            f"Cloudflare does not call {', '.join(old)} of a class from compatibility date "
            f"{NO_GLOBAL_HANDLERS_FROM} on; it runs here. Name the method {new}"
        )
    if exports.functions and is_enabled(worker, "python_no_global_handlers", since=NO_GLOBAL_HANDLERS_FROM):
        given = ", ".join(name for name, method in GLOBAL_HANDLERS.items() if method in exports.functions)
        yield (
            f"Cloudflare does not call {given} from compatibility date {NO_GLOBAL_HANDLERS_FROM} on; it runs here. "
            "Write class Default(WorkerEntrypoint), or set the flag disable_python_no_global_handlers"
        )
    yield from _uses_of_arguments(exports, is_strict=modules.portability.is_strict)
    yield from _uses_of_other_releases(worker, modules)


def _uses_of_other_releases(worker: Worker, modules: Modules) -> Iterator[str]:
    deployed = find_deployed_release(worker)
    for path in modules.list_sources():
        try:
            source = path.read_bytes()
        except OSError:  # it was deleted after it was loaded
            continue
        for found in find_unportable(source, sys.version_info[:2], deployed, modules.brings):
            since = None if found.needed is None else find_first_date(found.needed)
            advice = (
                "Use another module, or list a package that has it in pyproject.toml's dependencies"
                if since is None
                else f"Set compatibility_date to {since} or later, or write it for {name_release(deployed)}"
            )
            yield (
                f"{path}, line {found.line}: {found.what}. It runs here; Cloudflare runs this worker on "
                f"{name_release(deployed)} and would refuse it. {advice}"
            )


def _is_named_as_before(default: type | None, name: str, method: str) -> bool:
    return default is not None and callable(getattr(default, name, None)) and not hasattr(default, method)


def _uses_of_arguments(exports: Exports, *, is_strict: bool) -> Iterator[str]:
    """Handlers of classes that use `env` or `ctx` as they were given: Cloudflare gives them None there."""
    classes = {"Default": exports.default, **exports.named}
    for name, kind in classes.items():
        for method in GLOBAL_HANDLERS.values():
            code = getattr(getattr(kind, method, None), "__code__", None)
            if not isinstance(code, CodeType):
                continue
            for argument, attribute in zip(code.co_varnames[2 : code.co_argcount], ("env", "ctx"), strict=False):
                line = _line_of_use(code, argument)
                if line is not None:
                    yield (
                        f"{code.co_filename}, line {line}: {name}.{method} uses its argument {argument}, which is None "
                        f"on Cloudflare{' and here' if is_strict else '; it is there here'}. Use self.{attribute}"
                    )


def _line_of_use(code: CodeType, name: str) -> int | None:
    for instruction in dis.get_instructions(code):
        used = instruction.argval
        if instruction.opname.startswith("LOAD_FAST") and (used == name or (isinstance(used, tuple) and name in used)):
            return None if instruction.positions is None else instruction.positions.lineno
    return None
