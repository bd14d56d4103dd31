import ast
import json

import pytest

from tests.conformance.kv_mutants import TREE
from tests.conformance.kv_row import Row
from tests.conformance.kv_rows import ROWS

RECORDED = {
    case["name"] for case in json.loads((TREE / "tests" / "conformance" / "cases" / "kv.json").read_text())["cases"]
}


def is_there(test: str) -> bool:
    if test.startswith("case: "):
        return test.removeprefix("case: ") in RECORDED
    file, _, name = test.partition("::")
    path = TREE / file
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return path.is_file() and any(
        isinstance(node, functions) and node.name == name for node in ast.parse(path.read_text()).body
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_of_kv_names_tests_that_are_there(row: Row) -> None:
    assert row.tests
    assert [test for test in row.tests if not is_there(test)] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_mistake_of_a_row_can_still_be_made(row: Row) -> None:
    assert row.right != row.wrong
    assert row.right in (TREE / row.file).read_text()


def test_no_row_is_named_twice() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_a_test_that_is_not_there_is_seen() -> None:
    assert not is_there("case: no such case")
    assert not is_there("tests/kv/test_rules.py::test_no_such_test")
    assert not is_there("tests/kv/test_no_such_file.py::test_x")
