"""The signing keys: what is a set of them, and how it is rotated without anybody noticing."""

import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from issuer import keys, signing
from issuer.keys import BadKeys
from issuer.signing import BadToken

NOW = 1_800_000_000
RING = keys.new(now=NOW)


def document(**changes: object) -> str:
    member = {**json.loads(keys.dump(RING))["keys"][1], **changes}
    return json.dumps({"keys": [{name: value for name, value in member.items() if value is not None}]})


def test_a_set_is_read_as_it_was_written() -> None:
    assert keys.parse(keys.dump(RING)) == RING
    assert "\n" not in keys.dump(RING)
    assert "'" not in keys.dump(RING)


def test_the_kid_is_the_thumbprint_of_rfc_7638() -> None:
    # RFC 7638 section 3.1.
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhM"
        "stn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5h"
        "ajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )

    assert keys.thumbprint({"kty": "RSA", "n": n, "e": "AQAB"}) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    assert all(key.kid == keys.thumbprint(key.jwk) for key in RING.keys)


def test_a_new_key_is_published_before_it_signs_and_an_old_one_as_long_as_its_tokens_live() -> None:
    ring = keys.rotate(RING, now=NOW + 10, overlap_seconds=100, keep_seconds=50)
    old, new = (next(key for key in part if key.alg == "ES256") for part in (ring.keys[:2], ring.keys[2:]))

    assert keys.signer(ring, "ES256", now=NOW + 109) == old
    assert keys.signer(ring, "ES256", now=NOW + 110) == new
    for now, published in ((NOW + 10, {old.kid, new.kid}), (NOW + 159, {old.kid, new.kid}), (NOW + 160, {new.kid})):
        members = keys.public(ring, now=now)["keys"]
        assert isinstance(members, list)
        assert {member["kid"] for member in members if member["alg"] == "ES256"} == published


def test_keys_whose_time_is_up_are_forgotten_at_the_next_rotation() -> None:
    once = keys.rotate(RING, now=NOW, overlap_seconds=1, keep_seconds=1)
    twice = keys.rotate(once, now=NOW + 100, overlap_seconds=1, keep_seconds=1)

    assert len(twice.keys) == 4
    assert not {key.kid for key in RING.keys} & {key.kid for key in twice.keys}


def test_a_ring_without_a_key_for_now_says_so() -> None:
    with pytest.raises(BadKeys, match="no ES256 key signs now"):
        keys.signer(keys.new(["RS256"], now=NOW), "ES256", now=NOW)
    with pytest.raises(BadKeys, match="no RS256 key signs now"):
        keys.signer(RING, "RS256", now=NOW - 1)


def test_nothing_private_is_published_or_shown() -> None:
    private = [key.jwk["d"] for key in RING.keys]

    for text in (json.dumps(keys.public(RING, now=NOW)), repr(RING)):
        assert not any(part in text for part in private)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "it is not JSON"),
        ("[]", "not a JWK set"),
        ('{"keys": []}', "not a JWK set"),
        ('{"keys": [5]}', "key 1 is not an object"),
        ("[" * 100_000, "longer than"),
        (document(alg="HS256"), "alg is not one of"),
        (document(alg="RS256"), "not a valid RS256 key"),
        (document(use="enc"), 'use is not "sig"'),
        (document(nbf="soon"), "nbf and exp"),
        (document(nbf=True), "nbf and exp"),
        (document(d=None), "not a private ES256 key"),
        (document(x="AA"), "not a valid ES256 key"),
        (document(kid=""), "kid is not"),
        (json.dumps({"keys": json.loads(document())["keys"] * 2}), "same kid"),
        (
            json.dumps(
                {"keys": [{**json.loads(RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 1024))), "alg": "RS256"}]}
            ),
            "1024 bits are too few",
        ),
        (
            json.dumps(
                {"keys": [{**json.loads(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()))), "alg": "ES256"}]}
            ),
            "ES256 key",
        ),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else None,
)
def test_what_is_not_a_set_of_signing_keys_is_refused_and_not_quoted(text: str, fault: str) -> None:
    with pytest.raises(BadKeys, match=fault) as refused:
        keys.parse(text)

    assert RING.keys[1].jwk["d"] not in str(refused.value)


@pytest.mark.parametrize(
    "token", ["", "a.b", "a.b.c", "e30.e30.", "eyJhbGciOiJub25lIn0.e30.", "x" * 9000, "e30=.e30=.e30="]
)
def test_what_no_key_of_the_client_signed_is_not_believed(token: str) -> None:
    with pytest.raises(BadToken):
        signing.claims_of_client(token, keys.public(RING, now=NOW))


@pytest.mark.parametrize("headers", [{"crit": ["x"], "x": 1}, {"typ": "at+jwt"}, {"kid": "other"}])
def test_a_header_that_is_not_understood_is_refused(headers: dict[str, object]) -> None:
    key = RING.keys[0]
    token = jwt.encode({"sub": "x"}, key.private, algorithm="RS256", headers={"kid": key.kid, **headers})

    with pytest.raises(BadToken):
        signing.claims_of_client(token, keys.public(RING, now=NOW))
    good = jwt.encode({"sub": "x"}, key.private, algorithm="RS256", headers={"kid": key.kid})
    assert signing.claims_of_client(good, keys.public(RING, now=NOW)) == {"sub": "x"}
