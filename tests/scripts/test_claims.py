"""What scripts/*/verifier reads of a JWT, and which claims it refuses."""

import base64
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier import claims
from verifier.claims import Claims, InvalidToken, MalformedToken


@pytest.mark.parametrize(
    ("authorization", "token"),
    [
        # The decision table of the gateway; RFC 9110 section 11.4 (scheme without case, 1*SP), RFC 6750 section 2.1.
        (None, None),
        ("", None),
        ("Basic dXNlcjpwYXNz", None),
        ("Digest username=x", None),
        ("Bearerxyz", None),
        ("xyz", None),  # the original's own test line forgot the scheme
        ("Bearer xyz", "xyz"),
        ("bearer xyz", "xyz"),
        ("BEARER xyz", "xyz"),
        ("bEaReR  xyz", "xyz"),
        ("Bearer     -_09azAZ", "-_09azAZ"),
        ("Bearer a.b.c", "a.b.c"),
    ],
)
def test_bearer_credentials_are_read(authorization: str | None, token: str | None) -> None:
    assert claims.parse_bearer_credentials(authorization) == token


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer ",
        "Bearer x y",
        "Bearer xyz ",
        "Bearer \txyz",
        "Bearer xyz\t",
        "Bearer \u00a0xyz",
        "Bearer x\x00",
        "Bearer xyz=",
        "Bearer xyz==",
        "Bearer x+z",
        "Bearer x/z",
        "Bearer x~z",
        "Bearer a, Bearer b",  # two Authorization fields
        "Bearer a,b",
        "Bearer .",
        "Bearer a.",
        "Bearer .a",
        "Bearer a.b",
        "Bearer a..c",
        "Bearer a.b.c.d",
        "Bearer a.b.c.d.e",
        "Bearer \u00e9",
        "Bearer xyz\n",
    ],
)
def test_malformed_bearer_credentials_are_refused(authorization: str) -> None:
    with pytest.raises(InvalidToken, match="malformed"):
        claims.parse_bearer_credentials(authorization)


@given(st.text())
def test_any_text_is_either_no_bearer_or_a_token_or_refused(text: str) -> None:
    for authorization in (text, f"Bearer {text}", f"bearer  {text}"):
        try:
            token = claims.parse_bearer_credentials(authorization)
        except InvalidToken:
            continue
        assert token is None or re.fullmatch(r"[A-Za-z0-9_.-]+", token)


@given(st.from_regex(r"[A-Za-z0-9_-]{1,400}", fullmatch=True), st.sampled_from(["Bearer", "bearer", "BeArEr"]))
def test_every_base64url_text_is_a_token_whatever_the_case_of_the_scheme(token: str, scheme: str) -> None:
    assert claims.parse_bearer_credentials(f"{scheme} {token}") == token


def _part(document: str | bytes) -> str:
    content = document.encode() if isinstance(document, str) else document
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "text",
    [
        '{"sub":"\\ud800"}',  # half a character
        '{"sub":"\\udc00\\ud800"}',
        '{"\\ud800":1}',
        '{"a":[{"b":"\\uDFFF"}]}',
        '{"exp":1,"exp":2}',
        '{"exp":NaN}',
        "[]",
        "",
    ],
)
def test_a_part_that_readers_read_differently_is_malformed(text: str) -> None:
    with pytest.raises(MalformedToken) as caught:
        claims.decode_object(_part(text))
    assert "ud800" not in str(caught.value)


def test_whole_characters_are_read_however_they_are_written() -> None:
    text = '{"a":"\\ud83d\\ude00","b":"\U0001f600","c":"\\u0000\\r\\n\\u202e"}'

    assert claims.decode_object(_part(text)) == {"a": "\U0001f600", "b": "\U0001f600", "c": "\0\r\n\u202e"}


@pytest.mark.parametrize("part", ["", "e30=", "e31", "e", "e30\n", " e30", "e3+", "e3/"])
def test_only_one_spelling_of_base64url_is_canonical(part: str) -> None:
    assert claims.is_canonical_base64url("e30")
    assert not claims.is_canonical_base64url(part)


@pytest.mark.parametrize("header", [{"crit": ["exp"]}, {"crit": []}, {"crit": None}, {"b64": False}, {"b64": True}])
def test_an_extension_that_must_be_understood_is_refused(header: dict[str, object]) -> None:
    with pytest.raises(InvalidToken, match="extension"):
        claims.check_header({"alg": "RS256", **header})


@pytest.mark.parametrize(
    ("kind", "fits"),
    [
        ("at+jwt", True),
        ("AT+JWT", True),
        ("application/at+jwt", True),
        ("Application/At+Jwt", True),
        ("JWT", False),
        ("jwt+at", False),
        (" at+jwt", False),
        ("application/application/at+jwt", False),
        ("logout+jwt", False),
        (["at+jwt"], False),
        (None, False),
    ],
)
def test_the_type_is_one_of_those_that_are_expected(kind: object, fits: bool) -> None:
    if fits:
        claims.check_header({"typ": kind}, frozenset({"at+jwt"}))
    else:
        with pytest.raises(InvalidToken, match="another type"):
            claims.check_header({"typ": kind}, frozenset({"at+jwt"}))
    claims.check_header({"typ": kind})


@pytest.mark.parametrize(
    ("payload", "now", "leeway", "refusal"),
    [
        ({"exp": 100}, 99, 0, None),
        ({"exp": 100}, 99.999, 0, None),
        ({"exp": 100}, 100, 0, "expired"),  # RFC 7519 section 4.1.4: on or after
        ({"exp": 100}, 159, 60, None),
        ({"exp": 100}, 160, 60, "expired"),
        ({"exp": 100.5}, 100, 0, None),
        ({"exp": -1}, 0, 0, "expired"),
        ({"exp": 0}, 100, 0, "expired"),
        ({}, 100, 0, "no expiry"),
        ({"exp": None}, 100, 0, "exp is not a number"),
        ({"exp": "9999999999"}, 100, 0, "exp is not a number"),
        ({"exp": True}, 0, 0, "exp is not a number"),
        ({"exp": [9999999999]}, 100, 0, "exp is not a number"),
        ({"exp": {}}, 100, 0, "exp is not a number"),
        ({"exp": json.loads("1e400")}, 100, 0, "exp is not a number"),
        ({"exp": json.loads("-1e400")}, 100, 0, "exp is not a number"),
        ({"exp": 10**400}, 100, 0, "exp is not a number"),
        ({"exp": 101, "nbf": -(10**400)}, 100, 0, "nbf is not a number"),
        ({"exp": 200, "nbf": 100}, 100, 0, None),
        ({"exp": 200, "nbf": 101}, 100, 0, "not valid yet"),
        ({"exp": 200, "nbf": 160}, 100, 60, None),
        ({"exp": 200, "nbf": 161}, 100, 60, "not valid yet"),
        ({"exp": 200, "iat": 100}, 100, 0, None),
        ({"exp": 200, "iat": 101}, 100, 0, "not valid yet"),
        ({"exp": 200, "iat": 160}, 100, 60, None),
        ({"exp": 200, "iat": 161}, 100, 60, "not valid yet"),
        ({"exp": 200, "iat": "0"}, 100, 0, "iat is not a number"),
        ({"exp": 200, "nbf": "0"}, 100, 0, "nbf is not a number"),
        ({"exp": 200, "nbf": None}, 100, 0, "nbf is not a number"),
    ],
)
def test_the_times_of_a_token(payload: Claims, now: float, leeway: float, refusal: str | None) -> None:
    if refusal is None:
        claims.check_times(payload, now=now, leeway=leeway)
    else:
        with pytest.raises(InvalidToken, match=refusal):
            claims.check_times(payload, now=now, leeway=leeway)


@pytest.mark.parametrize(
    ("audience", "fits"),
    [
        ("https://api", True),
        (["other", "https://api"], True),
        ("https://api/", False),
        ("https://ap", False),
        (["https://apis"], False),
        ([["https://api"]], False),
        (["https://api", 7], False),
        (["https://api", ["https://api"]], False),
        ({"https://api": 1}, False),
        (7, False),
        (None, False),
        ([], False),
    ],
)
def test_the_audience_is_an_exact_member(audience: object, fits: bool) -> None:
    allowed = frozenset({"https://api"})
    if fits:
        claims.check_audience({"aud": audience}, allowed)
    else:
        with pytest.raises(InvalidToken, match="not meant for this API"):
            claims.check_audience({"aud": audience}, allowed)


@pytest.mark.parametrize("issuer", ["https://issuer/", "https://ISSUER", "https://issue", ["https://issuer"], None])
def test_the_issuer_is_exact(issuer: object) -> None:
    claims.check_issuer({"iss": "https://issuer"}, "https://issuer")
    with pytest.raises(InvalidToken, match="another issuer"):
        claims.check_issuer({"iss": issuer}, "https://issuer")


@pytest.mark.parametrize(
    ("payload", "missing"),
    [
        ({"scope": "read write"}, set()),
        ({"scope": "read"}, {"write"}),
        ({"scope": ["read", "write"]}, set()),
        ({"scp": ["read", 7], "scope": "write"}, set()),
        ({"scope": "readwrite"}, {"read", "write"}),
        ({"scope": None}, {"read", "write"}),
        ({"scope": "read  write "}, set()),
        ({}, {"read", "write"}),
    ],
)
def test_all_required_scopes_must_be_there(payload: Claims, missing: set[str]) -> None:
    assert claims.missing_scopes(payload, frozenset({"read", "write"})) == missing
