"""What is said of releases of Python, held against the one that runs the tests."""

import importlib
import importlib.util
import sys
from collections.abc import Sequence

import pytest

from edgeworker.runtime.contract.portability import Release
from edgeworker.runtime.python.python_releases import (
    NEW_MODULES,
    NEW_NAMES,
    REMOVED_MODULES,
    Unportable,
    find_release_of_module,
    find_release_of_name,
    find_removal,
    find_unportable,
)

OLD, NEW = (3, 11), (3, 14)
HERE = sys.version_info[:2]


@pytest.mark.parametrize("name", sorted(NEW_MODULES))
def test_a_new_module_is_there_from_its_release_on(name: str) -> None:
    try:
        found = importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        found = False

    assert found == (NEW_MODULES[name] <= HERE)


@pytest.mark.parametrize(("module", "name"), sorted(NEW_NAMES))
def test_a_new_name_is_there_from_its_release_on(module: str, name: str) -> None:
    assert hasattr(importlib.import_module(module), name) == (NEW_NAMES[module, name] <= HERE)


@pytest.mark.parametrize("name", sorted(REMOVED_MODULES))
def test_a_removed_module_is_not_there_from_its_release_on(name: str) -> None:
    assert (name in sys.stdlib_module_names) == (REMOVED_MODULES[name] > HERE)


def test_names_and_submodules_are_found() -> None:
    assert find_release_of_module("compression.zstd") == NEW
    assert find_release_of_module("compress") is None
    assert find_release_of_name("string", "templatelib") == NEW
    assert find_release_of_name("itertools", "batched") == (3, 12)
    assert find_release_of_name("itertools", "chain") is None
    assert find_removal("distutils.core") == (3, 12)
    assert find_removal("cgi_of_mine") is None


@pytest.mark.parametrize(
    ("source", "running", "deployed", "found"),
    [
        ("import cgi", OLD, (3, 12), []),
        ("import cgi", OLD, (3, 13), [(1, "cgi went from the standard library with Python 3.13", None)]),
        ("import cgi", NEW, (3, 13), []),  # it did not load here
        (
            "import os, telnetlib as t",
            OLD,
            NEW,
            [(1, "telnetlib went from the standard library", None)],
        ),
        ("\ndef f():\n  from distutils.core import setup", OLD, NEW, [(3, "distutils.core went from", None)]),
        ("try:\n  import cgi\nexcept ImportError: ...", OLD, NEW, []),
        ("from . import cgi\nfrom .uu import a", OLD, NEW, []),
        ("import mine.cgi\nfrom imp_of_mine import imp", OLD, NEW, []),
        ("import imghdr", OLD, NEW, []),  # the script brings it
        ("from typing import override", NEW, (3, 12), []),
        ("from typing import Any, TypeIs", NEW, (3, 12), [(1, "typing.TypeIs came with Python 3.13", (3, 13))]),
        ("from uuid import uuid7", (3, 13), (3, 12), []),
        ("from string import templatelib", NEW, (3, 13), [(1, "string.templatelib came with Python 3.14", NEW)]),
        ("import compression.zstd as z", NEW, (3, 13), [(1, "compression.zstd came with Python 3.14", NEW)]),
        ("import compression.zstd as z", NEW, NEW, []),
        ("import cgi\n(", OLD, NEW, []),
        ("import cgi\n\0", OLD, NEW, []),
    ],
)
def test_what_the_deployed_python_does_not_have_is_found(
    source: str, running: Release, deployed: Release, found: Sequence[tuple[int, str, Release | None]]
) -> None:
    result = list(find_unportable(source.encode(), running, deployed, brings=lambda name: name == "imghdr"))

    assert [(each.line, each.needed) for each in result] == [(line, needed) for line, _, needed in found]
    assert all(what in each.what for each, (_, what, _) in zip(result, found, strict=True))


@pytest.mark.parametrize(
    ("source", "needed"),
    [
        ("class Box[T]: ...", (3, 12)),
        ("class Box[T = int]: ...", (3, 13)),
        ("x = t'{1}'", NEW),
        ("try: ...\nexcept A, B: ...", NEW),
    ],
)
def test_syntax_that_the_deployed_python_does_not_read_is_found(source: str, needed: Release) -> None:
    if needed > HERE:
        pytest.skip("this Python does not read it")

    line = source.count("\n") + 1

    assert list(find_unportable(source.encode(), HERE, (3, needed[1] - 1), brings=lambda _: False)) == [
        Unportable(line, f"this is syntax of {_spell(needed)}", needed)
    ]
    assert list(find_unportable(source.encode(), HERE, needed, brings=lambda _: False)) == []


def _spell(release: Release) -> str:
    return f"Python {release[0]}.{release[1]}"
