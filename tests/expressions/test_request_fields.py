"""The values of fields on requests as they come."""

import pytest

from edgeworker.expressions import CUSTOM_RULES, RequestFacts, TokenFact, compile_expression, parse
from edgeworker.expressions.request_fields import FIELD_READERS
from edgeworker.expressions.value_types import Value
from edgeworker.messages import URL, Client, Headers, Request


def _facts(request: Request, **tokens: TokenFact) -> RequestFacts:
    return RequestFacts(request, now_ms=1_000, tokens=tokens)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("http.host", b"example.com"),
        ("http.request.uri", b"/a%2Fb?x=1&x=%20&y"),
        ("http.request.full_uri", b"http://example.com:8080/a%2Fb?x=1&x=%20&y"),
        ("http.request.uri.path", b"/a%2Fb"),
        ("http.request.uri.query", b"x=1&x=%20&y"),
        ("http.request.uri.args", {"x": [b"1", b"%20"], "y": [b""]}),
        ("http.request.uri.args.names", [b"x", b"x", b"y"]),
        ("raw.http.request.uri", b"/./a%2fb?x"),
        ("raw.http.request.uri.path", b"/./a%2fb"),
        ("http.request.cookies", {"a b": [b"1", b"3"], "c": [b'"2"']}),
        ("http.request.accepted_languages", [b"de", b"en", b"fr"]),
        ("http.referer", b""),
        ("ip.src.country", b"AQ"),
        ("ip.src.city", None),
        ("cf.tls_client_auth.cert_presented", False),
        ("ssl", False),
    ],
)
def test_a_field_has_its_value(name: str, value: Value | None) -> None:
    request = Request(
        "GET",
        URL.parse("http://example.com:8080/a%2Fb?x=1&x=%20&y"),
        Headers(
            [("Cookie", 'a%20b=1; c="2"; a b=3; lone'), ("Accept-Language", "fr;q=0.1, de, en;q=0.5"), ("X", "\xff")]
        ),
        cf={"country": "AQ", "tlsClientAuth": {"certPresented": "0"}},
        raw_target="/./a%2fb?x",
    )

    assert _facts(request).field(name) == value


def test_every_field_can_be_read_of_a_bare_request() -> None:
    request = Request("GET", URL.parse("https://example.com/"), Headers(), client=Client("2001:db8::1"))

    assert [name for name in FIELD_READERS if not isinstance(_facts(request).field(name), object)] == []


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("ip.src eq 127.0.0.1", False),
        ("ip.src ne 127.0.0.1", False),
        ("not ip.src in {0.0.0.0/0 ::/0}", True),
        ("ip.src in {0.0.0.0/0 ::/0}", False),
        ("ip.src lt 255.255.255.255", False),
        ('http.host eq "example.com"', True),
    ],
)
def test_a_client_without_an_address_has_no_ip_src(expression: str, holds: bool) -> None:
    """The peer of a Unix socket, for one."""
    facts = _facts(Request("GET", URL.parse("https://example.com/"), Headers(), client=Client("")))

    assert facts.field("ip.src") is None
    assert compile_expression(parse(expression, CUSTOM_RULES))(facts) is holds


def test_claims_are_listed_by_the_configuration_that_found_them() -> None:
    facts = _facts(
        Request("GET", URL.parse("https://example.com/"), Headers()),
        one=TokenFact(True, True, {"sub": "a", "aud": "x", "nbf": 5.9}, b'{"sub":"a"}'),
        two=TokenFact(True, True, {"sub": "\ud800", "aud": ["y", 3, "z"], "iat": True}, b"{}"),
        bad=TokenFact(True, False, {}, b""),
    )

    assert facts.field("http.request.jwt.claims") == {"one": [b'{"sub":"a"}'], "two": [b"{}"]}
    assert facts.field("http.request.jwt.claims.aud") == {"one": [b"x"], "two": [b"y", b"z"]}
    assert facts.field("http.request.jwt.claims.sub.values") == [b"a", b"\xed\xa0\x80"]
    assert facts.field("http.request.jwt.claims.nbf.sec") == {"one": [5]}
    assert facts.field("http.request.jwt.claims.iat.sec.names") == []
