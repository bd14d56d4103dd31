"""The pure rules of scripts/split_token/tokens.py."""

import base64
import hashlib
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import split_tokens
from split_tokens import BadEntry

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
    assert split_tokens.kv_key_of(token) == key


def test_the_known_signature_and_value_have_the_known_lengths() -> None:
    assert (len(COOKBOOK_RS256), len(COOKBOOK_VALUE)) == (342, 296)


@pytest.mark.parametrize("hash_name", sorted(split_tokens.HASHES))
def test_the_encodings_are_of_the_same_digest(hash_name: str) -> None:
    digest = hashlib.new(hash_name, b"sig4616").digest()

    standard = split_tokens.kv_key_of("sig4616", hash_name=hash_name, encoding="base64")
    url = split_tokens.kv_key_of("sig4616", hash_name=hash_name, encoding="base64url")

    assert base64.b64decode(standard, validate=True) == digest
    assert re.fullmatch(r"[A-Za-z0-9_-]+", url)
    assert base64.urlsafe_b64decode(url + "=" * (-len(url) % 4)) == digest
    assert (
        split_tokens.kv_key_of("sig4616", hash_name=hash_name, encoding="hex", prefix="split:")
        == f"split:{digest.hex()}"
    )


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()))
def test_the_claims_of_every_object_are_read_as_json_reads_them(claims: dict[str, object]) -> None:
    assert split_tokens.claims_of(f"{HEADER}.{_part(json.dumps(claims))}") == claims


@given(st.text() | st.from_regex(r"[A-Za-z0-9_.-]{0,60}", fullmatch=True))
def test_any_value_is_claims_or_a_bad_entry(value: str) -> None:
    try:
        claims = split_tokens.claims_of(value)
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
def test_what_is_not_a_header_and_payload_is_a_bad_entry(value: str) -> None:
    with pytest.raises(BadEntry):
        split_tokens.claims_of(value)


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
        split_tokens.claims_of(f"{HEADER}.{_part(payload)}")
