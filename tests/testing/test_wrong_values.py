"""What a test wrote wrong is said at once, in a sentence with what would be right."""

from collections.abc import Callable
from typing import Any

import pytest

from edgeworker.errors import ConfigError
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
        (lambda edge: edge.post("/", body=5), "body=5 cannot be sent; give text, bytes, pieces of bytes, or json=5"),
        (lambda edge: edge.post("/", json={1}), "json={1} cannot be written as JSON"),
        (lambda edge: edge.get("/", headers="x"), "headers='x' are not headers; write headers={"),
        (lambda edge: edge.get("/", headers=b"a: b"), "headers=b'a: b' are not headers; write headers={"),
        (lambda edge: edge.get("/", headers=5), "headers=5 are not headers"),
        (lambda edge: edge.get("/", headers=["ab"]), "headers hold 'ab', which is not a name and a value"),
        (lambda edge: edge.get("/", headers=[("a",)]), "headers hold ('a',), which is not a name and a value"),
        (lambda edge: edge.get("/", header={"a": "b"}), 'header= is not an option of a call. Did you mean "headers="'),
        (lambda edge: edge.get("/", params={"a": 1}), "params= is not an option of a call; write them into the URL"),
        (
            lambda edge: edge.get("/", timeout="x"),
            "timeout= is not an option of a call; there are: headers, body, json",
        ),
        (lambda edge: edge.get(""), '"" is not a URL; write "https://example.com/", or a path'),
        (lambda edge: edge.get(None), "the URL is None, which is not text"),
        (lambda edge: edge.get(b"/"), "the URL is b'/', which is not text"),
        (lambda edge: edge.request(5, "/"), 'the method is 5, which is not text; give "PATCH"'),
        (lambda edge: edge.get("/", ip=5), "ip= is 5, which is not text"),
        (lambda edge: edge.origin.on(5), "5 is not a pattern of a rule"),
        (lambda edge: edge.origin.on("/x", 5), "the answer of a rule is 5, which is not a function of the request"),
        (lambda edge: edge.run(5), "edge.run() takes a coroutine, not 5"),
    ],
    ids=range(30),
)
def test_a_wrong_value_is_told(edge: Edge, wrong: Callable[[Edge], object], said: str) -> None:
    with edge, pytest.raises((TypeError, ValueError)) as told:
        wrong(edge)

    assert said in str(told.value)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (5, "5 is not where a configuration is; give a file such as"),
        (b"wrangler.toml", "is not where a configuration is"),
        ({"name": "w"}, "is not where a configuration is"),
        ([5], "5 is not a path; give a file such as"),
        ("", '"" is not a path; '),
        ("edgeworker/__init__.py", "is a script, not a configuration; give the wrangler.toml that names it"),
    ],
    ids=range(6),
)
def test_what_is_not_a_configuration_is_told(source: Any, said: str) -> None:
    with pytest.raises((TypeError, ConfigError)) as told:
        Edge(source)

    assert said in str(told.value)
