"""Which tests hold each row of what KV promises, and a mistake in the code that those tests have to find.

A row is a limit, a call, a detail, an exception or an error code, in four sections: limits, calls from a script,
what Python adds, and REST. `python -m tests.conformance.kv_mutants` makes each mistake in a copy of the tree and runs
the row's tests there.
"""

from dataclasses import dataclass
from typing import Final

RULES: Final = "tests/kv/test_rules.py::"
NAMESPACE: Final = "tests/kv/test_namespace.py::"
STORE: Final = "tests/kv/test_store.py::"
EVENTUAL: Final = "tests/kv/test_eventual.py::"
VIEW: Final = "tests/bindings/kv/test_python_view.py::"
REST: Final = "tests/bindings/kv/rest/test_"

CODE: Final = "edgeworker/kv/"
SCRIPT: Final = "edgeworker/bindings/kv/python_view.py"
ARGUMENTS: Final = "edgeworker/bindings/kv/python_arguments.py"
API: Final = "edgeworker/rest/"
KV_REST: Final = "edgeworker/bindings/kv/rest/"


@dataclass(frozen=True, slots=True)
class Row:
    """`tests` are pytest's names, or "case: NAME" for one of cases/kv.json; the mistake is `wrong` for `right`."""

    name: str
    tests: tuple[str, ...]
    file: str
    right: str
    wrong: str
