"""What a test wrote wrong is said at once, in a sentence with what would be right."""

from collections.abc import Callable

import pytest

from edgeworker.testing import Edge, single_worker


@pytest.fixture
def edge() -> Edge:
    return Edge(single_worker("edgeworker/__init__.py", kv=["TOKENS"]))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda edge: edge.clock.advance("61"), "seconds of clock.advance is '61'; give a number, such as 60"),
        (lambda edge: edge.kv("TOKENS").put("a", "b", expiration_ttl="60"), "expiration_ttl is '60'; give a whole"),
        (lambda edge: edge.kv("TOKENS").put("a", "b", expiration=True), "expiration is True; give a whole number"),
        (lambda edge: edge.kv("TOKENS").put("a", {"b": 1}), "the value of 'a' is a dict; KV has text and bytes"),
        (lambda edge: edge.origin.on("/x", status="200"), "status is '200'; give a whole number"),
        (lambda edge: edge.origin.on("/x", delay_seconds="1"), "delay_seconds is '1'; give a number"),
        (lambda edge: edge.origin.on("/x", times=1.5), "times is 1.5; give a whole number"),
        (lambda edge: edge.request("get it", "/"), '"get it" is not a method; write one such as "PATCH"'),
        (lambda edge: edge.get("/", ip="me"), 'ip="me" is not an address; give one such as "192.0.2.1"'),
        (lambda edge: edge.get("/", headers={"X": None}), "the header 'X' is None; give text"),
        (lambda edge: edge.get("api.example.com/x"), '"api.example.com/x" is not a URL; write "https://api'),
        (lambda edge: edge.post("/", body={"a": 1}), "for a dict write json={...}"),
    ],
    ids=range(12),
)
def test_a_wrong_value_is_told(edge: Edge, wrong: Callable[[Edge], object], said: str) -> None:
    with edge, pytest.raises((TypeError, ValueError)) as told:
        wrong(edge)

    assert said in str(told.value)
