"""The pure rules of scripts/split_token/tokens.py."""

import base64
import hashlib
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.split_token import tokens
from scripts.split_token.tokens import BadEntry, InvalidToken

# https://github.com/ietf-jose/cookbook (RFC 7520), example jws/4_1 (RS256): header.payload, and the signature's text.
COOKBOOK_VALUE = (
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9."
    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5k"
    "IGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4"
)
COOKBOOK_RS256 = (
    "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA"
    "78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQ"
    "dLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18"
    "kDquDg"
)


def _part(document: str | bytes) -> str:
    content = document.encode() if isinstance(document, str) else document
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


HEADER = _part('{"alg":"RS256","typ":"JWT"}')


@pytest.mark.parametrize(
    ("token", "key"),
    [
        (COOKBOOK_RS256, "IA5j0HndBW3yiQReK9q2eeg+icxduF5/KtLpZhBTxDA="),
        # The special characters of standard base64 in every place that hurts.
        ("sig4616", "//p0H11e353t4zR+7J004M1LWP7fjivdkA74UV7aZF4="),
        ("sig1", "ZFdh7wy2aeTJh5uy27ZMX92N4QIR8wf9DQNmtrls7uU="),
    ],
)
def test_the_key_is_what_the_publishers_write(token: str, key: str) -> None:
    assert tokens.key_of(token) == key


def test_the_known_signature_and_value_have_the_known_lengths() -> None:
    assert (len(COOKBOOK_RS256), len(COOKBOOK_VALUE)) == (342, 296)


@pytest.mark.parametrize("hash_name", sorted(tokens.HASHES))
def test_the_encodings_are_of_the_same_digest(hash_name: str) -> None:
    digest = hashlib.new(hash_name, b"sig4616").digest()

    standard = tokens.key_of("sig4616", hash_name=hash_name, encoding="base64")
    url = tokens.key_of("sig4616", hash_name=hash_name, encoding="base64url")

    assert base64.b64decode(standard, validate=True) == digest
    assert re.fullmatch(r"[A-Za-z0-9_-]+", url)
    assert base64.urlsafe_b64decode(url + "=" * (-len(url) % 4)) == digest
    assert tokens.key_of("sig4616", hash_name=hash_name, encoding="hex", prefix="split:") == f"split:{digest.hex()}"


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
    assert tokens.bearer(authorization) == token


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
        tokens.bearer(authorization)


@given(st.text())
def test_any_text_is_either_no_bearer_or_a_token_or_refused(text: str) -> None:
    for authorization in (text, f"Bearer {text}", f"bearer  {text}"):
        try:
            token = tokens.bearer(authorization)
        except InvalidToken:
            continue
        assert token is None or re.fullmatch(r"[A-Za-z0-9_.-]+", token)


@given(st.from_regex(r"[A-Za-z0-9_-]{1,400}", fullmatch=True), st.sampled_from(["Bearer", "bearer", "BeArEr"]))
def test_every_base64url_text_is_a_token_whatever_the_case_of_the_scheme(token: str, scheme: str) -> None:
    assert tokens.bearer(f"{scheme} {token}") == token
    assert tokens.key_of(token) == base64.b64encode(hashlib.sha256(token.encode()).digest()).decode()


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()))
def test_the_claims_of_every_object_are_read_as_json_reads_them(claims: dict[str, object]) -> None:
    assert tokens.claims_of(f"{HEADER}.{_part(json.dumps(claims))}") == claims


@given(st.text() | st.from_regex(r"[A-Za-z0-9_.-]{0,60}", fullmatch=True))
def test_any_value_is_claims_or_a_bad_entry(value: str) -> None:
    try:
        claims = tokens.claims_of(value)
    except BadEntry:
        return
    assert isinstance(claims, dict)


@pytest.mark.parametrize(
    "value",
    [
        "",
        ".",
        HEADER,
        f"{HEADER}.",
        f".{_part('{}')}",
        f"{HEADER}.{_part('{}')}.",
        f"{HEADER}.{_part('{}')}.c2ln",
        f"{HEADER}.{_part('{}')}\r\nX-Admin: 1",
        f"{HEADER}.{_part('{}')}\n",
        f" {HEADER}.{_part('{}')}",
        f"{HEADER}.{_part('{}')} ",
        f"{HEADER}.e30=",  # padding
        f"{HEADER}.e31",  # "{}" with an unused bit set
        f"{HEADER}.e",  # six bits
        f"{HEADER[:-1]}{chr(ord(HEADER[-1]) + 1)}.e30",
    ],
)
def test_what_is_no_header_and_payload_is_a_bad_entry(value: str) -> None:
    with pytest.raises(BadEntry):
        tokens.claims_of(value)


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        "{}{}",
        "\ufeff{}",  # a byte order mark
        b"{\xff}",
        '{"exp":1,"exp":9999999999}',
        '{"exp":1,"e\\u0078p":9999999999}',  # the same name, spelled in two ways
        '{"a":{"b":1,"b":2}}',
        '{"exp":NaN}',
        '{"exp":Infinity}',
        '{"exp":-Infinity}',
        '{"exp":' + "9" * 5000 + "}",
        "[" * 12000,
        '{"a":"' + "x" * 20000 + '"}',
    ],
)
def test_a_payload_that_is_not_one_unambiguous_object_is_a_bad_entry(payload: str | bytes) -> None:
    with pytest.raises(BadEntry):
        tokens.claims_of(f"{HEADER}.{_part(payload)}")


@pytest.mark.parametrize(
    ("claims", "now", "leeway", "refusal"),
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
        ({"exp": 200, "nbf": 100}, 100, 0, None),
        ({"exp": 200, "nbf": 101}, 100, 0, "not valid yet"),
        ({"exp": 200, "nbf": 160}, 100, 60, None),
        ({"exp": 200, "nbf": 161}, 100, 60, "not valid yet"),
        ({"exp": 200, "nbf": "0"}, 100, 0, "nbf is not a number"),
        ({"exp": 200, "nbf": None}, 100, 0, "nbf is not a number"),
    ],
)
def test_the_times_of_a_token(claims: tokens.Claims, now: float, leeway: float, refusal: str | None) -> None:
    if refusal is None:
        tokens.check_times(claims, now=now, leeway=leeway)
    else:
        with pytest.raises(InvalidToken, match=refusal):
            tokens.check_times(claims, now=now, leeway=leeway)


@pytest.mark.parametrize(
    ("audience", "fits"),
    [
        ("https://api", True),
        (["other", "https://api"], True),
        ("https://api/", False),
        ("https://ap", False),
        (["https://apis"], False),
        ([["https://api"]], False),
        ({"https://api": 1}, False),
        (7, False),
        (None, False),
        ([], False),
    ],
)
def test_the_audience_is_an_exact_member(audience: object, fits: bool) -> None:
    allowed = frozenset({"https://api"})
    if fits:
        tokens.check_audience({"aud": audience}, allowed)
    else:
        with pytest.raises(InvalidToken, match="not meant for this API"):
            tokens.check_audience({"aud": audience}, allowed)


@pytest.mark.parametrize("issuer", ["https://issuer/", "https://ISSUER", "https://issue", ["https://issuer"], None])
def test_the_issuer_is_exact(issuer: object) -> None:
    tokens.check_issuer({"iss": "https://issuer"}, "https://issuer")
    with pytest.raises(InvalidToken, match="another issuer"):
        tokens.check_issuer({"iss": issuer}, "https://issuer")


@pytest.mark.parametrize(
    ("claims", "missing"),
    [
        ({"scope": "read write"}, set()),
        ({"scope": "read"}, {"write"}),
        ({"scope": ["read", "write"]}, set()),
        ({"scp": ["read", 7], "scope": "write"}, set()),
        ({"scope": "readwrite"}, {"read", "write"}),
        ({"scope": None}, {"read", "write"}),
        ({}, {"read", "write"}),
    ],
)
def test_all_required_scopes_must_be_there(claims: tokens.Claims, missing: set[str]) -> None:
    assert tokens.missing_scopes(claims, frozenset({"read", "write"})) == missing
