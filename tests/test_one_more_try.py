"""A second try is for few tests, and it is told."""

import shutil
from pathlib import Path

import pytest

from tests import one_more_try

pytest_plugins = ["pytester"]

# Number n fails at its first try only, while n < FAILING; "always" fails at each.
TESTS = """
import pathlib, pytest

@pytest.mark.parametrize("number", [f"n{{n}}" for n in range({count})])
def test_sometimes(number):
    seen = pathlib.Path(number)
    if not seen.exists():
        seen.touch()
        pytest.fail("the first try")

def test_always():
    assert {passes}
"""


def run(
    pytester: pytest.Pytester, *, count: int, passes: bool = True, options: tuple[str, ...] = ()
) -> pytest.RunResult:
    shutil.copy(Path(one_more_try.__file__), pytester.path / "one_more_try.py")
    pytester.makepyfile(TESTS.format(count=count, passes=passes))
    return pytester.runpytest_subprocess("-p", "one_more_try", *options)


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["one process", "xdist"])
def test_few_tests_may_pass_at_their_second_try_and_are_named(
    pytester: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    result = run(pytester, count=one_more_try.MOST, options=("--reruns", "1", *workers))

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*failed at first*", "*test_sometimes[[]n0]*", "*the first try*"])


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["one process", "xdist"])
def test_more_of_them_fail_the_run(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    result = run(pytester, count=one_more_try.MOST + 1, options=("--reruns", "1", *workers))

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["4 tests, and at most 3 may: this run has failed."])


def test_what_fails_twice_fails(pytester: pytest.Pytester) -> None:
    assert run(pytester, count=0, passes=False, options=("--reruns", "1")).ret == pytest.ExitCode.TESTS_FAILED


def test_without_the_option_nothing_is_tried_twice(pytester: pytest.Pytester) -> None:
    assert run(pytester, count=1).ret == pytest.ExitCode.TESTS_FAILED
