import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworker.cli.jwt import token_text
from edgeworker.cli.jwt.token_text import EntryKey, Token
from edgeworker.errors import ConfigError


def _part(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


HEADER = _part('{"alg":"RS256"}')


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("a.b.c", Token("a", "b", "c")),
        (" Bearer a.b.c\n", Token("a", "b", "c")),
        ("bearer   a.b.c", Token("a", "b", "c")),
        ("a.b", Token("a", "b", None)),
        ("c", Token(None, None, "c")),
    ],
)
def test_one_two_and_three_parts_are_three_kinds(text: str, token: Token) -> None:
    assert token_text.parse(text) == token


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "empty"),
        ("a..c", "Part 2 of 3 of the token is empty"),
        ("a.b.", "Part 3 of 3 of the token is empty"),
        ("a.b.c=", "Part 3 of 3 of the token has characters that base64url does not have"),
        ("a.b.c.d", "4 parts"),
        ("a.b.c.d.e", "encrypted"),
        ("x" * 1_048_577, "more than 1048576"),
    ],
)
def test_anything_else_is_refused_without_quoting_it(text: str, error: str) -> None:
    with pytest.raises(ConfigError, match=error):
        token_text.parse(text)


@pytest.mark.parametrize(
    ("entry", "key"),
    [
        (EntryKey(), "//p0H11e353t4zR+7J004M1LWP7fjivdkA74UV7aZF4="),
        (EntryKey(prefix="split:"), "split://p0H11e353t4zR+7J004M1LWP7fjivdkA74UV7aZF4="),
        (EntryKey(encoding="base64url"), "__p0H11e353t4zR-7J004M1LWP7fjivdkA74UV7aZF4"),
        (EntryKey(hash="sha512", encoding="hex"), hashlib.sha512(b"sig4616").hexdigest()),
    ],
)
def test_the_entry_of_a_signature(entry: EntryKey, key: str) -> None:
    assert entry.of("sig4616") == key


@given(st.dictionaries(st.text(), st.integers() | st.text()))
def test_claims_are_decoded_as_json_reads_them(claims: dict[str, object]) -> None:
    decoded = token_text.decode(token_text.parse(f"{HEADER}.{_part(json.dumps(claims))}"))

    assert decoded.claims == claims


@pytest.mark.parametrize(
    ("payload", "odd"),
    [
        ('{"exp":1}', []),
        ("{}", ["there is no exp: the gateway refuses it"]),
        ('{"exp":1,"exp":2}', ['payload: "exp" is there more than once; readers differ on which one counts']),
        ('{"exp":"1"}', ['exp is not a number: "1"']),
        ('{"exp":1,"nbf":true}', ["nbf is not a number: true"]),
    ],
)
def test_what_a_careful_reader_would_refuse_is_named(payload: str, odd: list[str]) -> None:
    assert list(token_text.decode(Token(HEADER, _part(payload), None)).odd) == odd


def test_unused_bits_and_a_missing_signature_are_odd() -> None:
    decoded = token_text.decode(Token(_part('{"alg":"none"}'), "e31", None))

    assert "payload: not canonical base64url (unused bits are set)" in decoded.odd
    assert "alg is none: it is not signed" in decoded.odd


@pytest.mark.parametrize("payload", ["e", _part("{"), _part("[]"), _part("[" * 100_000), "____"])
def test_a_payload_that_is_not_an_object_is_refused(payload: str) -> None:
    with pytest.raises(ConfigError, match="payload of the token"):
        token_text.decode(Token(HEADER, payload, None))


def test_a_token_does_not_show_itself() -> None:
    assert "secret" not in repr(token_text.parse("header.payload.secret"))
