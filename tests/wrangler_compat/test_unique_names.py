"""The names that a configuration puts into `env`."""

import pytest

from edgeworker.schema.diagnostics import Diagnostics
from edgeworker.schema.wrangler_field import binding_names
from tests.wrangler_compat.project import document
from wrangler_compat.unique_names import check_unique_names


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ([{"binding": "A"}, {"binding": "B"}], ["A", "B"]),
        ([{"binding": "A"}, {"name": "B"}], []),
        ({"bindings": [{"name": "A"}]}, ["A"]),
        ({"binding": "A"}, ["A"]),
        ({"A": 1, "B": 2}, ["A", "B"]),
        ("A", []),
    ],
)
def test_names_are_found_in_the_three_shapes_that_wrangler_has(value: object, names: list[str]) -> None:
    assert binding_names(value) == names


def test_a_name_that_is_used_twice_is_an_error_with_both_lines() -> None:
    diagnostics = Diagnostics()
    read = document('[vars]\nA = "1"\n[[kv_namespaces]]\nbinding = "A"\n[[queues.producers]]\nbinding = "A"\n')

    check_unique_names(read, read.values, {name: (name,) for name in read.values}, diagnostics)

    message = diagnostics.messages[0]
    assert message.text == "A assigned to KV Namespace, Queue, and Environment Variable bindings."
    assert [location.line for location in message.locations] == [3, 5, 1]
