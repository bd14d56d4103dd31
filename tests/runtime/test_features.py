"""The table that COMPATIBILITY.md is written from, held against the code."""

from collections.abc import Mapping

import pytest

from edgeworker.clock import SystemClock
from edgeworker.features import FEATURES, Feature
from edgeworker.runtime.contract.env import Env
from edgeworker.runtime.contract.unsupported import NotEmulated
from edgeworker.runtime.python.module_env import ModuleEnv
from edgeworker.runtime.python.shims import ShimServices, make_shims
from edgeworker.runtime.webapi.absent import NOT_EMULATED

SHIMS = make_shims(ShimServices("w", ModuleEnv(Env("w", {})), SystemClock()))
OF_MODULES = [(feature, name) for feature in FEATURES if feature.where in SHIMS for name in feature.names]


def _names(module: str) -> Mapping[str, object]:
    return SHIMS[module]()


@pytest.mark.parametrize(("feature", "name"), OF_MODULES, ids=lambda value: value if isinstance(value, str) else "")
def test_what_the_table_names_can_be_imported(feature: Feature, name: str) -> None:
    assert name in _names(feature.where)


@pytest.mark.parametrize(
    ("feature", "name"), [(feature, name) for feature, name in OF_MODULES if feature.support == "refused"]
)
def test_what_the_table_refuses_is_refused_by_name(feature: Feature, name: str) -> None:
    found = _names(feature.where)[name]
    assert callable(found)

    with pytest.raises(NotEmulated, match=name):
        found()


def test_every_global_that_is_refused_is_in_the_table() -> None:
    listed = {name for feature in FEATURES if feature.where == "js" for name in feature.names}
    assert set(NOT_EMULATED) - listed == set()
    refused = {name for feature, name in OF_MODULES if feature.where == "js" and feature.support == "refused"}
    assert refused <= set(NOT_EMULATED)


def test_no_name_stands_twice() -> None:
    names = [(feature.where, name) for feature in FEATURES for name in feature.names]

    assert len(names) == len(set(names))
