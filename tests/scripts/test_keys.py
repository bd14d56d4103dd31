"""The issuer's keys in scripts/*/verifier: which are believed, and whose signature is."""

import base64
import json
import math
from collections.abc import Mapping
from functools import cache

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from verifier import claims, keys
from verifier.claims import ALGORITHMS
from verifier.keys import BadKeySet, BadSignature, UnknownKey

ALLOWED = frozenset(ALGORITHMS)

Member = dict[str, object]


@cache
def _rsa(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def _ec(curve: type[ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1]) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


@cache
def _ed() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def _member(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey, **more: object) -> Member:
    match key:
        case rsa.RSAPublicKey():
            document = RSAAlgorithm.to_jwk(key)
        case ec.EllipticCurvePublicKey():
            document = ECAlgorithm.to_jwk(key)
        case ed25519.Ed25519PublicKey():
            document = OKPAlgorithm.to_jwk(key)
    member: Member = json.loads(document)
    member.pop("key_ops", None)
    return {**member, **more}


def _set(*members: Mapping[str, object]) -> str:
    return json.dumps({"keys": list(members)})


def _rsa_member(*, n: int | None = None, e: int = 65537) -> Member:
    """A JWK of numbers that no library would make a key of."""
    numbers = {"n": n or _rsa().public_key().public_numbers().n, "e": e}
    members = {name: value.to_bytes((value.bit_length() + 7) // 8, "big") for name, value in numbers.items()}
    return {
        "kty": "RSA",
        "kid": "odd",
        **{name: base64.urlsafe_b64encode(raw).rstrip(b"=").decode() for name, raw in members.items()},
    }


def _roca_modulus() -> int:
    """Two factors of the form k * M + 65537**a mod M, M being the product of the first 126 primes (CVE-2017-15361)."""
    primes = [number for number in range(2, 702) if all(number % smaller for smaller in range(2, number))]
    product = math.prod(primes)
    assert len(primes) == 126
    first, second = (k * product + pow(65537, a, product) for k, a in ((2**60 + 1, 12345), (2**61 + 7, 54321)))
    assert (first * second).bit_length() > 2048  # a shorter one would be refused for that
    return first * second


_ROCA_MODULUS = _roca_modulus()
RSA_KEY = _member(_rsa().public_key(), kid="one")
GOOD = _set(RSA_KEY)


def _verify(token: str, document: str, allowed: frozenset[str] = ALLOWED) -> None:
    keys.verify_signature(token, claims.decode_object(token.partition(".")[0]), keys.parse_key_set(document, allowed))


def _signed(algorithm: str = "RS256", *, kid: str | None = "one", **headers: object) -> str:
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    match algorithm[:2]:
        case "ES":
            key = _ec({"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}[algorithm])
        case "Ed":
            key = _ed()
        case _:
            key = _rsa()
    jws = jwt.PyJWS()
    jws.register_algorithm("Ed25519", OKPAlgorithm())  # RFC 9864
    return jws.encode(b'{"sub":"ann"}', key, algorithm=algorithm, headers={**headers, **({"kid": kid} if kid else {})})


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_signature_of_the_named_key_is_accepted(algorithm: str) -> None:
    members = [
        RSA_KEY,
        _member(_ec(ec.SECP256R1).public_key(), kid="one"),
        _member(_ec(ec.SECP384R1).public_key(), kid="one"),
        _member(_ec(ec.SECP521R1).public_key(), kid="one"),
        _member(_ed().public_key(), kid="one"),
    ]

    _verify(_signed(algorithm), _set(*members))
    _verify(_signed(algorithm, kid=None), _set(*members))


@pytest.mark.parametrize(
    ("token", "document", "allowed"),
    [
        pytest.param(_signed(kid="two"), _set(RSA_KEY), ALLOWED, id="unknown kid"),
        pytest.param(_signed("ES256"), _set(RSA_KEY), ALLOWED, id="algorithm of another family"),
        pytest.param(_signed("PS256"), _set({**RSA_KEY, "alg": "RS256"}), ALLOWED, id="the key says which algorithm"),
        pytest.param(_signed("RS512"), _set(RSA_KEY), frozenset({"RS256"}), id="not allowed by the setting"),
        pytest.param(_signed(kid=None), _set(RSA_KEY, {**RSA_KEY, "kid": "two"}), ALLOWED, id="no kid and two keys"),
        pytest.param(jwt.encode({}, "", algorithm="none"), _set(RSA_KEY), ALLOWED, id="none"),
        pytest.param(
            jwt.encode({}, "x" * 32, algorithm="HS256", headers={"kid": "one"}), _set(RSA_KEY), ALLOWED, id="HMAC"
        ),
    ],
)
def test_a_token_that_names_no_such_key_is_refused(token: str, document: str, allowed: frozenset[str]) -> None:
    with pytest.raises(UnknownKey):
        _verify(token, document, allowed)


def _without_kid(member: Member) -> Member:
    return {name: value for name, value in member.items() if name != "kid"}


@pytest.mark.parametrize("kid", ["one", "any", None])
def test_keys_without_an_id_are_tried(kid: str | None) -> None:
    """`kid` is optional in a set (RFC 7517 section 4.5), also while one key replaces another."""
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    new = _member(other.public_key())
    members = [new, _without_kid(RSA_KEY), _member(_ec(ec.SECP256R1).public_key())]

    _verify(_signed(kid=kid), _set(*members))
    _verify(_signed("ES256", kid=kid), _set(*members))
    with pytest.raises(UnknownKey):  # so that a newer set is looked for
        _verify(_signed(kid=kid), _set(new))


def test_a_key_with_the_id_of_the_token_goes_before_those_without() -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    _verify(_signed(kid="one"), _set(_member(other.public_key()), RSA_KEY))
    with pytest.raises(BadSignature):
        _verify(_signed(kid="one"), _set(_without_kid(RSA_KEY), _member(other.public_key(), kid="one")))


def test_not_more_than_a_few_keys_are_tried() -> None:
    members = [_without_kid(RSA_KEY)] * (keys.MAX_CANDIDATES + 1)

    _verify(_signed(kid=None), _set(*members[1:]))
    with pytest.raises(UnknownKey):
        _verify(_signed(kid=None), _set(*members))


@pytest.mark.parametrize("named", ["EdDSA", "Ed25519", None])
@pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519"])
def test_both_names_of_the_ed25519_algorithm_are_one(algorithm: str, named: str | None) -> None:
    member = _member(_ed().public_key(), kid="one", **({} if named is None else {"alg": named}))

    _verify(_signed(algorithm), _set(member))


@pytest.mark.parametrize("kid", [7, ["one"], {"one": 1}, True])
def test_a_key_id_that_is_not_text_is_refused(kid: object) -> None:
    with pytest.raises(UnknownKey):
        keys.parse_key_set(_set(RSA_KEY), ALLOWED).find(kid, "RS256")


def test_a_signature_of_another_key_or_over_another_payload_is_refused() -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    forged = jwt.encode({"sub": "ann"}, other, algorithm="RS256", headers={"kid": "one"})
    header, _, signature = _signed().split(".")
    payload = base64.urlsafe_b64encode(b'{"sub":"eve"}').rstrip(b"=").decode()

    for token in (forged, f"{header}.{payload}.{signature}"):
        with pytest.raises(BadSignature):
            _verify(token, _set(RSA_KEY))


@pytest.mark.parametrize(
    "member",
    [
        pytest.param(_rsa_member(n=_ROCA_MODULUS), id="modulus of the ROCA kind"),
        pytest.param(_rsa_member(n=_rsa().public_key().public_numbers().n + 1), id="even modulus"),
        pytest.param(_rsa_member(e=1), id="exponent 1"),
        pytest.param(_rsa_member(e=2), id="exponent 2"),
        pytest.param(_rsa_member(e=65536), id="even exponent"),
        pytest.param(_member(_rsa(1024).public_key(), kid="weak"), id="1024 bits"),
        pytest.param({**RSA_KEY, "use": "enc"}, id="for encryption"),
        pytest.param({**RSA_KEY, "key_ops": ["sign"]}, id="not for verifying"),
        pytest.param({**RSA_KEY, "key_ops": "verify"}, id="key_ops is no list"),
        pytest.param({**RSA_KEY, "alg": "RSA-OAEP"}, id="algorithm for encryption"),
        pytest.param({**RSA_KEY, "alg": ["RS256"]}, id="algorithm is no text"),
        pytest.param({**RSA_KEY, "kid": 7}, id="key id is no text"),
        pytest.param({**RSA_KEY, "n": "!!!"}, id="not base64url"),
        pytest.param({"kty": "RSA"}, id="members missing"),
        pytest.param(
            {**_member(_ec(ec.SECP256R1).public_key()), "y": _member(_ec(ec.SECP256R1).public_key())["x"]},
            id="not on the curve",
        ),
        pytest.param({"kty": "unknown"}, id="unknown type"),
        pytest.param({}, id="no type"),
    ],
)
def test_a_key_that_is_not_sound_or_not_for_this_is_left_out(member: Mapping[str, object]) -> None:
    found = keys.parse_key_set(_set(member, {**RSA_KEY, "kid": "good"}), ALLOWED)

    assert [key.kid for key in found.keys] == ["good"]
    with pytest.raises(BadKeySet, match="none of its keys"):
        keys.parse_key_set(_set(member), ALLOWED)


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ("", "not JSON"),
        ("<html>", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", 'list "keys"'),
        ("{}", 'list "keys"'),
        ('{"keys":{}}', 'list "keys"'),
        (json.dumps({"keys": [{}] * 101}), 'list "keys"'),
        ('{"keys":[7]}', "not an object"),
        ('{"keys":[]}', "none of its keys"),
        (f'{{"keys":[],{GOOD[1:]}', "there twice"),
        (" " * 262_145, "longer"),
        (_set(RSA_KEY, {**RSA_KEY, "x": 1}), "have the id 'one'"),
        (_set(RSA_KEY, {"kty": "oct", "k": "c2VjcmV0", "kid": "s"}), "private or symmetric"),
        (_set(json.loads(RSAAlgorithm.to_jwk(_rsa()))), "private or symmetric"),
    ],
)
def test_a_document_that_is_not_a_public_key_set_is_refused(document: str, why: str) -> None:
    with pytest.raises(BadKeySet, match=why):
        keys.parse_key_set(document, ALLOWED)
