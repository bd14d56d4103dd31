"""The page of recipes: each of its examples runs as the test that it is."""

import gc
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import edgeworker.testing.edge  # stays imported when an inner run is over
import edgeworker.testing.forged
import edgeworker.testing.httpx_transport

pytest_plugins = ["pytester"]

PAGE = (Path(edgeworker.testing.edge.__file__).parent / "RECIPES.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def _small_heap() -> Iterator[None]:
    """An inner run ends with several collections of garbage; what is here already need not be looked through."""
    gc.freeze()
    yield
    gc.unfreeze()


def test_every_recipe_runs(pytester: pytest.Pytester) -> None:
    blocks = _BLOCK.findall(PAGE)
    examples = 0
    for number, (language, file, text) in enumerate(blocks):
        if file:
            (pytester.path / file).write_text(text)
        elif language == "python":
            (pytester.path / f"test_recipe_{number:02}.py").write_text(text)
            examples += len(re.findall(r"^ *(?:async )?def test_", text, re.MULTILINE))
    pytester.makeini("[pytest]\nfilterwarnings = error\nasyncio_default_fixture_loop_scope = function\n")

    result = pytester.runpytest_inprocess("-q", "--strict-markers", "-p", "no:cacheprovider")

    outcomes = result.parseoutcomes()
    assert outcomes["passed"] >= examples >= 20
    assert set(outcomes) == {"passed"}
