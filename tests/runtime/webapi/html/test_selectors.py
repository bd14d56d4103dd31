from dataclasses import dataclass, field

import pytest

from edgeworker.runtime.webapi.html.selectors import Selector, SelectorError


@dataclass
class Node:
    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    index: int = 1
    index_of_type: int = 1

    def attribute(self, name: str) -> str | None:
        return self.attributes.get(name)


def matches(selector: Selector, path: list[Node]) -> bool:
    """`path`: the open elements from the outside; the last one is asked for."""
    taken, above = False, selector.outside
    for node in path:
        taken, above = selector.match(node, above)
    return taken


@pytest.mark.parametrize(
    ("nth", "indexes"),
    [
        ("2", [2]),
        ("odd", [1, 3, 5, 7]),
        ("EVEN", [2, 4, 6, 8]),
        ("2n", [2, 4, 6, 8]),
        ("3n+1", [1, 4, 7]),
        ("3n - 1", [2, 5, 8]),
        ("-n+3", [1, 2, 3]),
        ("-2n+5", [1, 3, 5]),
        ("n", [1, 2, 3, 4, 5, 6, 7, 8]),
        ("+n+7", [7, 8]),
        ("0n+4", [4]),
        ("0", []),
        ("-1", []),
    ],
)
def test_nth_child_counts_as_css_does(nth: str, indexes: list[int]) -> None:
    """https://www.w3.org/TR/css-syntax-3/#anb-microsyntax"""
    selector = Selector(f"p:nth-child({nth})")

    assert [index for index in range(1, 9) if matches(selector, [Node("p", index=index)])] == indexes


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("a b c", True),
        ("a c", True),
        ("a > c", False),
        ("b > c", True),
        ("a > b > c", True),
        ("b a c", False),
        ("a  >  b c", True),
        (r".w\:full", True),
        ("#b\\.1", False),
        ("[title='x y']", True),
        ("[title = x]", False),
        ("[title~=x s]", True),
        (":not( b ):not(.none)", True),
    ],
)
def test_elements_are_found_by_their_ancestors_and_themselves(selector: str, found: bool) -> None:
    path = [Node("a"), Node("b", {"id": "b.1"}), Node("c", {"class": "w:full other", "title": "x y"})]

    assert matches(Selector(selector), path) is found


@pytest.mark.parametrize(
    ("selector", "says"),
    [
        ("p:nth-child(x)", "Unexpected token in selector."),
        ("p:nth-child(2", "Unexpected end of selector."),
        ("p:nth-child", "Unsupported pseudo-class"),
        ("p:not(a b)", "Unexpected token in selector."),
        ("p:not(a", "Unexpected end of selector."),
        ("[a=", "Unexpected end of selector."),
        ("[a!b]", "Unexpected token in selector."),
        ("[a=b", "Unexpected end of selector."),
        ("[a=b c]", "Unexpected token in selector."),
        ("p)", "Unexpected token in selector."),
        ("p!", "Unexpected token in selector."),
    ],
)
def test_what_is_not_a_selector_is_refused(selector: str, says: str) -> None:
    with pytest.raises(SelectorError, match=says):
        Selector(selector)


def test_a_deep_page_costs_no_more_than_a_flat_one() -> None:
    asked = 0

    class Counting(Node):
        def attribute(self, name: str) -> str | None:
            nonlocal asked
            asked += 1
            return None

    assert not matches(Selector("[a] [a] [a] [a] p, div > div > [b]"), [Counting("div") for _ in range(1000)])
    assert asked <= 2 * 1000
