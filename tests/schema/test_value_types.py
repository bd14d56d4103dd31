"""What the values of edge.toml may be."""

from dataclasses import fields

import pytest

from edgeworker.config import KVSettings, Limits, Outbound
from edgeworker.schema.layout import lay_out
from edgeworker.schema.value_types import (
    ADDRESS,
    BASE_URL,
    BASE_URLS,
    BOOLEAN,
    DURATION,
    HOST,
    HOSTS,
    ID,
    NETWORKS,
    POSITIVE,
    SECONDS,
    TEXT,
    TEXTS,
    WHOLE,
    ValueType,
    one_of,
    split_address,
)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (TEXT, ["a"], ["", " ", 1, None]),
        (ID, ["a b", "13e...b2e"], ["", "a/b", 1]),
        (HOST, ["example.com", "bücher.example", "[::1]"], ["", "a b", "example.com:80", "*.example.com", 1]),
        (HOSTS, [[], ["edge.test"]], ["edge.test", ["a b"]]),
        (
            BASE_URL,
            ["http://127.0.0.1:3000", "https://api.test/"],
            ["", "127.0.0.1:3000", "ftp://a", "http://a/path", "http://a?x", "http://user@a", "http://a#b", 1],
        ),
        (BASE_URLS, [{}, {"a.com": "http://b", "*.a.com": "http://c"}], [[], {"a b": "http://b"}, {"a.com": "b"}]),
        (ADDRESS, ["127.0.0.1:8787", "[::1]:0", "localhost:80"], ["8787", ":80", "a:b", "a:70000", "::1:80", 8787]),
        (BOOLEAN, [True, False], [0, "true"]),
        (WHOLE, [0, 5], [-1, 1.5, True, "1"]),
        (POSITIVE, [1], [0, -1, True]),
        (SECONDS, [1, 0.5], [0, -1, True, "1", float("inf"), float("nan")]),
        (NETWORKS, [[], ["10.0.0.0/8", "::1"]], ["::1", ["a"], [1]]),
        (TEXTS, [[], ["a"]], ["a", [""], [1]]),
        (one_of("a", "b"), ["a"], ["c", 1, None, []]),
        (DURATION, ["24h", "2h45m", "30m", "90s"], ["", "24", "0h", "1d", "h", 24]),
    ],
)
def test_a_kind_takes_what_it_says(kind: ValueType, good: list[object], bad: list[object]) -> None:
    assert [value for value in good if not kind.fits(value)] == []
    assert [value for value in bad if kind.fits(value)] == []


def test_an_ipv6_address_loses_its_brackets() -> None:
    assert split_address("[::1]:80") == ("::1", 80)
    assert split_address("[nope]:80") is None


@pytest.mark.parametrize("settings", [KVSettings, Outbound, Limits])
def test_every_setting_of_the_edge_can_be_set(settings: type[KVSettings | Outbound | Limits]) -> None:
    of_the_environment = {"http_proxy", "https_proxy", "no_proxy"}
    assert set(lay_out(settings).children) == {
        field.name for field in fields(settings) if field.name not in of_the_environment
    }
