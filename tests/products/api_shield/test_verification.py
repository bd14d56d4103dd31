"""Tokens that count and tokens that do not. The codes are rows of RFC 8725, Wycheproof and jwt_tool as they are
known."""

import base64
import json

import pytest

from edgeworker.config import JSON
from edgeworker.products.api_shield.json_text import InvalidText, encode_base64url
from edgeworker.products.api_shield.keys import VerificationKeys
from edgeworker.products.api_shield.verification import Result, ValidSignature, parse_token, verify_token
from tests.products.api_shield.minting import (
    ALGORITHMS,
    EC,
    HMAC,
    NOW,
    RSA,
    MintingKey,
    key_set,
    mint,
    mint_raw,
    signing_key,
)

KEY = signing_key("RS256")


def _result(token: str, keys: VerificationKeys, *, now: float = NOW, require_exp: bool = False) -> Result:
    try:
        outcome = verify_token(parse_token(token), keys, require_exp=require_exp)
    except InvalidText:
        return "malformed"
    return outcome.result_at(now) if isinstance(outcome, ValidSignature) else outcome


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_token_of_each_algorithm_counts_and_a_changed_one_does_not(alg: str) -> None:
    key = signing_key(alg)
    keys = key_set(key)
    token = mint(key)
    head, payload, signature = token.split(".")
    changed = encode_base64url(json.dumps({"sub": "root", "exp": NOW + 3600}).encode())
    flipped = signature[:10] + ("A" if signature[10] != "A" else "B") + signature[11:]

    assert _result(token, keys) == "valid"
    assert _result(f"{head}.{changed}.{signature}", keys) == "bad_signature"
    assert _result(f"{head}.{payload}.{flipped}", keys) == "bad_signature"
    assert _result(mint(MintingKey(alg, key.kid, signing_key(alg, "other").private)), keys) == "bad_signature"
    assert _result(mint(key, header={"kid": "k2"}), keys) == "unknown_kid"
    assert _result(mint(key, header={"kid": None}), keys) == "no_kid"
    assert _result(mint(key, header={"kid": ""}), keys) == "no_kid"


@pytest.mark.parametrize(
    ("alg", "other"), [(a, b) for family in (RSA, EC, HMAC) for a in family for b in family if a != b]
)
def test_another_algorithm_of_the_family_does_not_count(alg: str, other: str) -> None:
    """J3: the key decides which algorithm signs, not the token."""
    key = signing_key(alg)
    signed = f"{encode_base64url(json.dumps({'alg': other, 'kid': 'k1'}).encode())}.{encode_base64url(b'{}')}"
    signature = key.sign(signed.encode(), other if alg not in EC else alg)

    assert _result(f"{signed}.{encode_base64url(signature)}", key_set(key)) == "alg_mismatch"


@pytest.mark.parametrize("alg", ["none", "nOnE", "None", "", "HS256", "ES512", "EdDSA", "ES256K"])
def test_what_is_not_signed_by_the_key_does_not_count(alg: str) -> None:
    """J1, J2: no algorithm, and HMAC with the public key as its secret."""
    header = encode_base64url(json.dumps({"alg": alg, "kid": "k1"}).encode())

    assert _result(f"{header}.{encode_base64url(b'{}')}.AA", key_set(KEY)) == "alg_mismatch"
    assert _result(f"{header}.{encode_base64url(b'{}')}.", key_set(KEY)) == "malformed"


def test_a_public_key_is_not_a_secret() -> None:
    """J2: in every form in which a library could take it for one."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = KEY.private.public_key()  # type: ignore[union-attr]  # an RSA key
    forms = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        json.dumps(KEY.jwk()).encode(),
    ]

    assert {_result(mint(MintingKey("HS256", "k1", form)), key_set(KEY)) for form in forms} == {"alg_mismatch"}


@pytest.mark.parametrize(
    ("claims", "now", "result"),
    [
        ({"exp": NOW}, NOW + 60, "valid"),
        ({"exp": NOW}, NOW + 61, "expired"),
        ({"exp": NOW}, NOW + 59, "valid"),
        ({"exp": NOW + 0.5}, NOW + 60, "valid"),
        ({"exp": 0}, NOW, "expired"),
        ({"nbf": NOW}, NOW - 60, "valid"),
        ({"nbf": NOW}, NOW - 61, "not_yet_valid"),
        ({"nbf": NOW}, NOW - 59, "valid"),
        ({"iat": NOW + 10**6}, NOW, "valid"),
        ({}, NOW, "valid"),
    ],
)
def test_times_are_taken_with_sixty_seconds_of_skew(claims: dict[str, JSON], now: int, result: Result) -> None:
    """J20: https://developers.cloudflare.com/api-shield/security/jwt-validation/ documents the drift, `iat` is not
    read."""
    assert _result(mint(KEY, claims), key_set(KEY), now=now) == result


def test_a_configuration_may_ask_for_an_expiry() -> None:
    assert _result(mint(KEY, {"sub": "a"}), key_set(KEY), require_exp=True) == "no_exp"
    assert _result(mint(KEY), key_set(KEY), require_exp=True) == "valid"


@pytest.mark.parametrize(
    "value",
    ['"1900000000"', "true", "null", "-1", "1e400", "NaN", "[1]", "9" * 5000, "9007199254740993", "-Infinity"],
)
@pytest.mark.parametrize("name", ["exp", "nbf"])
def test_a_time_that_is_not_a_number_is_not_a_time(name: str, value: str) -> None:
    """J16."""
    assert _result(mint(KEY, f'{{"{name}":{value}}}'), key_set(KEY)) == "malformed"


@pytest.mark.parametrize(
    "payload",
    ['{"exp":1,"exp":9999999999}', "[]", '"text"', "", "{", "\ufeff{}", '{"a":{"b":1,"b":2}}', "[" * 100_000],
)
def test_a_payload_that_can_be_read_in_two_ways_or_none_does_not_count(payload: str) -> None:
    """J15, J21."""
    assert _result(mint(KEY, payload), key_set(KEY)) == "malformed"


def test_a_payload_in_another_encoding_does_not_count() -> None:
    assert _result(mint(KEY, '{"sub":"ä"}'.encode("latin-1")), key_set(KEY)) == "malformed"
    assert _result(mint(KEY, '{"sub":"ä"}'.encode("utf-16")), key_set(KEY)) == "malformed"


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"b64": False, "crit": ["b64"]},
        {"b64": True},
        {"zip": "DEF"},
        {"enc": "A128GCM"},
        {"kid": 7},
        {"kid": ["k1"]},
        {"kid": {"a": 1}},
        {"alg": 5},
        {"alg": None},
    ],
)
def test_a_header_that_changes_the_rules_does_not_count(header: dict[str, JSON]) -> None:
    """J4, J6, J24."""
    assert _result(mint(KEY, header=header), key_set(KEY)) == "malformed"


@pytest.mark.parametrize("kid", ["../k1", "k1\x00", "' or 1=1 --", "K1", "k1 ", "x" * 5000])
def test_a_kid_is_compared_whole(kid: str) -> None:
    assert _result(mint(KEY, header={"kid": kid}), key_set(KEY)) == "unknown_kid"


def test_keys_within_a_header_are_not_looked_at() -> None:
    """J5: the attacker's key, or where it could be fetched."""
    other = signing_key("RS256", "other")
    header: dict[str, JSON] = {"jwk": other.jwk(), "jku": "http://127.0.0.1/keys", "x5u": "http://x/", "x5c": ["MII"]}

    token = mint(MintingKey("RS256", "k1", other.private), header=header)

    assert _result(token, key_set(KEY)) == "bad_signature"
    assert _result(mint(KEY, header=header), key_set(KEY)) == "valid"


def _standard(text: str) -> str:
    return base64.b64encode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))).decode()


def test_there_is_one_text_of_a_token() -> None:
    """J13, J14: padding, the standard alphabet, bits after the last byte, white space, other segments."""
    token = mint(KEY, '{"sub":"??>>"}')
    head, payload, signature = token.split(".")
    bits = [f"{head}.{payload}.{signature[:-1]}{char}" for char in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop0123-_"]
    spoilt = [
        *(other for other in bits if other != token and len(signature) % 4),
        f"{token}=", f"{token}==", f"{head}=.{payload}.{signature}", f"{head}.{_standard(payload)}.{signature}",
        f" {token}", f"{token}\n", f"{head}\n.{payload}.{signature}", f"{head}.{payload}", f"{token}.", f"{token}.AAAA",
        f".{payload}.{signature}", f"{head}..{signature}", "", ".", "..", "...", "a.b.c", f"\ufeff{token}", "é.é.é",
        json.dumps({"protected": head, "payload": payload, "signature": signature}),
        "x" * 9000, f"{head}.{payload}.{'A' * 9000}",
    ]  # fmt: skip

    assert [other for other in spoilt if _result(other, key_set(KEY)) not in ("malformed", "bad_signature")] == []
    assert _result(token, key_set(KEY)) == "valid"


@pytest.mark.parametrize("alg", EC)
def test_an_ecdsa_signature_is_two_numbers_of_one_length(alg: str) -> None:
    """J25: zeros ("psychic signatures"), DER, and more or fewer bytes."""
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    key = signing_key(alg)
    signed, _, signature = mint(key).rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    half = len(raw) // 2
    der = encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))

    for other in (bytes(len(raw)), der, raw + b"\0", raw[:-1], b"\xff" * len(raw)):
        assert _result(f"{signed}.{encode_base64url(other)}", key_set(key)) == "bad_signature"


def test_claims_that_no_header_could_hold_are_kept_as_they_are() -> None:
    """J22: what a lone surrogate or a line break does is for those to see who use the claim."""
    token = mint_raw(KEY, b'{"alg":"RS256","kid":"k1"}', '{"sub":"\\ud800","name":"a\\r\\nb"}')

    outcome = verify_token(parse_token(token), key_set(KEY), require_exp=False)

    assert isinstance(outcome, ValidSignature)
    assert outcome.claims == {"sub": "\ud800", "name": "a\r\nb"}
    assert "sub" not in repr(outcome)
