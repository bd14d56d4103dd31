import sys
from importlib import import_module

import pytest

from edgeworker.runtime.contract.env import Env
from edgeworker.runtime.python.importable_shims import ShimFinder, make_shims_importable
from tests.kv.clocks import FakeClock

NAMES = ("asgi", "js", "pyodide.ffi", "workers", "workers.asgi", "workers.wsgi")


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_lent(name: str) -> None:
    spec = ShimFinder().find_spec(name)

    assert spec is not None
    assert spec.origin == "edgeworker"


def test_other_names_are_not() -> None:
    assert ShimFinder().find_spec("json") is None
    assert ShimFinder().find_spec("workers.nothing") is None


def test_the_modules_work_and_are_forgotten_when_no_one_needs_them_any_more() -> None:
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] in ("workers", "js")}
    with make_shims_importable(Env("tests", {"V": "v"}), FakeClock()):
        # In front of the pytest plugin's own, which lends the same names for the whole run.
        sys.meta_path.insert(0, sys.meta_path.pop())
        workers = import_module("workers")
        assert workers.env.V == "v"
        assert callable(import_module("workers.asgi").fetch)
        assert import_module("js").JSON.stringify([1]) == "[1]"

    assert not {"workers", "workers.asgi", "js"} & set(sys.modules)
    sys.modules.update(before)


def test_env_without_values_is_patched() -> None:
    with make_shims_importable():
        workers = import_module("workers")
        with workers.patch_env({"KEY": "value"}):
            assert workers.env.KEY == "value"
        with pytest.raises(AttributeError, match='no binding "KEY"'):
            _ = workers.env.KEY
