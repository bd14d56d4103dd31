"""Makes `workers`, `js` and the like importable for everybody for a while: for unit tests that import a script.

A script in an edge needs none of this: its imports are its worker's own (edgeworker.runtime.modules).
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType

from edgeworker.clock import Clock, SystemClock
from edgeworker.runtime.env import Env
from edgeworker.runtime.module_env import ModuleEnv
from edgeworker.runtime.modules import ShimLoader, Shims
from edgeworker.runtime.shims import Supplied, for_worker


class _Lender:
    """Last in `sys.meta_path`: what is really installed under one of the names stays what it is."""

    def __init__(self, shims: Shims) -> None:
        self._shims = shims

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        shim = self._shims.get(fullname)
        if shim is None:
            return None
        is_package = any(name.startswith(fullname + ".") for name in self._shims)
        return ModuleSpec(fullname, ShimLoader(shim), origin="edgeworker", is_package=is_package)


@contextmanager
def lent_modules(env: Env | None = None, clock: Clock | None = None) -> Iterator[None]:
    """While it is open, `from workers import Response` works in any module; what was imported so is forgotten after.

    `env` is what `workers.env` reads.
    """
    shims = for_worker(Supplied("tests", ModuleEnv("tests", env), clock or SystemClock()))
    lender = _Lender(shims)
    sys.meta_path.append(lender)
    try:
        yield
    finally:
        sys.meta_path.remove(lender)
        for name in shims:
            module = sys.modules.get(name)
            if module is not None and isinstance(getattr(module, "__loader__", None), ShimLoader):
                del sys.modules[name]
