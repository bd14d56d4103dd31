import importlib
import sys
import time

import pytest

from edgeworker.runtime.env import Env
from edgeworker.runtime.lending import lent_modules
from tests.kv.clocks import FakeClock


def test_the_names_can_be_imported_by_anybody_while_they_are_lent() -> None:
    with lent_modules(Env("tests", {"V": "v"}), FakeClock()):
        workers = importlib.import_module("workers")
        assert workers.env.V == "v"
        assert importlib.import_module("workers.asgi").fetch is not None
        assert importlib.import_module("js").JSON.stringify([1]) == "[1]"
        assert importlib.import_module("time") is time  # what is there already stays

    assert not {"workers", "workers.asgi", "js"} & set(sys.modules)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("workers")
