"""Makes `workers`, `js` and the like importable in the whole process for a while: for unit tests that import a script.

A script in an edge needs none of this: its imports are its worker's own (edgeworker.runtime.python.modules).
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType

from edgeworker.clock import Clock, SystemClock
from edgeworker.runtime.contract.env import Env
from edgeworker.runtime.python.module_env import ModuleEnv
from edgeworker.runtime.python.modules import Shims
from edgeworker.runtime.python.script_loaders import ShimLoader
from edgeworker.runtime.python.shims import ShimServices, make_shims


class ShimFinder:
    """Goes last into `sys.meta_path`: what is really installed under one of the names stays what it is.

    `env` is what `workers.env` reads; without it, `workers.patch_env` gives it values.
    """

    def __init__(self, env: Env | None = None, clock: Clock | None = None) -> None:
        given = Env("tests", {}) if env is None else env
        self._shims: Shims = make_shims(ShimServices("tests", ModuleEnv(given), clock or SystemClock()))

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        shim = self._shims.get(fullname)
        if shim is None:
            return None
        is_package = any(name.startswith(fullname + ".") for name in self._shims)
        return ModuleSpec(fullname, ShimLoader(shim), origin="edgeworker", is_package=is_package)

    def forget(self) -> None:
        """Removes what was imported so from `sys.modules`."""
        for name in self._shims:
            module = sys.modules.get(name)
            if module is not None and isinstance(getattr(module, "__loader__", None), ShimLoader):
                del sys.modules[name]


@contextmanager
def make_shims_importable(env: Env | None = None, clock: Clock | None = None) -> Iterator[None]:
    """While it is open, `from workers import Response` works in any module; what was imported so is forgotten after."""
    finder = ShimFinder(env, clock)
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        finder.forget()
