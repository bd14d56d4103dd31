"""By what a rate limit counts."""

import pytest

from edgeworker.expressions import ExpressionError, RequestFacts
from edgeworker.messages import URL, Client, Headers, Request
from edgeworker.products.api_shield.characteristics import compile_characteristic


def _facts(ip: str = "203.0.113.7", token: str = "") -> RequestFacts:
    headers = Headers({"authorization": token} if token else {})
    return RequestFacts(
        Request("GET", URL.parse("https://example.com/"), headers, client=Client(ip)), now_ms=0, tokens={}
    )


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
    ],
)
def test_a_clients_network_is_one_counter(one: str, two: str, same: bool) -> None:
    read = compile_characteristic(" ip.src ")

    assert (read(_facts(one)) == read(_facts(two))) is same


def test_a_token_is_kept_as_its_hash() -> None:
    read = compile_characteristic('http.request.headers["authorization"][0]')
    token = "Bearer " + "a" * 5000

    key, other = read(_facts(token=token)), read(_facts(token=token + "b"))

    assert key is not None
    assert len(key) == 33
    assert key != other
    assert b"aaa" not in key
    assert read(_facts(token="short")) == b"short"
    assert read(_facts()) is None


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(ExpressionError):
        compile_characteristic("ssl")
