"""Which keys of a set are taken: https://developers.cloudflare.com/api-shield/security/jwt-validation/api/"""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from edgeworker.config import JSON
from edgeworker.products.api_shield.json_text import encode_base64url
from edgeworker.products.api_shield.keys import InvalidKeys, Notice, StoredSecrets, read_keys, secrets_of
from tests.products.api_shield.minting import ALGORITHMS, signing_key, small_rsa_key

GOOD = signing_key("RS256", "good").jwk()


def _secret(size: int) -> str:
    return encode_base64url(b"s" * size)


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_key_is_stored_with_its_members_alone(alg: str) -> None:
    key = signing_key(alg).jwk(use="sig", x5c=["MII"], key_ops=["verify"], ext=True, x5t="abc")

    stored = read_keys([key]).keys[0].jwk

    members = {"RSA": {"n", "e"}, "EC": {"crv", "x", "y"}, "oct": set()}[str(key["kty"])]
    assert stored == {name: key[name] for name in ("kty", "kid", "alg", *members)}


def _without(key: dict[str, JSON], *names: str) -> dict[str, JSON]:
    return {name: value for name, value in key.items() if name not in names}


_P521 = ec.generate_private_key(ec.SECP521R1()).public_key().public_numbers()
_ES512: dict[str, JSON] = {
    "kty": "EC", "kid": "p", "alg": "ES512", "crv": "P-521",
    "x": encode_base64url(_P521.x.to_bytes(66, "big")), "y": encode_base64url(_P521.y.to_bytes(66, "big")),
}  # fmt: skip
_ES256 = signing_key("ES256", "e").jwk()


def _number(value: int) -> str:
    return encode_base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (small_rsa_key("s").jwk(), "its modulus has 1024 bits"),
        ({**GOOD, "kid": "x", "e": "AQ"}, "not one of a sound key"),
        ({**GOOD, "kid": "x", "e": "Ag"}, "not one of a sound key"),
        ({**GOOD, "kid": "x", "n": _number(2**2047 + 2)}, "not one of a sound key"),
        ({**GOOD, "kid": "x", "n": _number(pow(65537, 130))}, "can be factored"),
        ({**GOOD, "kid": "x", "n": str(GOOD["n"]) + "="}, "not base64url without padding"),
        ({**GOOD, "kid": "x", "n": ""}, "its n is missing"),
        ({**GOOD, "kid": "x", "alg": "RS1"}, 'alg "RS1" is not for RSA keys'),
        ({**GOOD, "kid": "x", "alg": "HS256"}, 'alg "HS256" is not for RSA keys'),
        ({**GOOD, "kid": "x", "alg": None}, "alg that is missing is not for RSA keys"),
        ({**GOOD, "kid": "x", "use": "enc"}, 'its use is "enc"'),
        ({**GOOD, "kid": "x", "key_ops": ["sign"]}, 'key_ops do not have "verify"'),
        ({**GOOD, "kid": "x", "key_ops": "verify"}, 'key_ops do not have "verify"'),
        (_without(GOOD, "kid"), "it has no kid"),
        ({**GOOD, "kid": ""}, "it has no kid"),
        ({**GOOD, "kid": 5}, "it has no kid"),
        (_ES512, 'crv "P-521" is not supported'),
        (_without(_ES256, "crv"), "crv that is missing is not supported"),
        ({**_ES256, "crv": "secp256k1", "alg": "ES256K"}, 'crv "secp256k1" is not supported'),
        ({**_ES256, "alg": "ES384"}, 'alg "ES384" does not fit the curve P-256'),
        ({**_ES256, "y": _ES256["x"]}, "its point is not on the curve"),
        ({**_ES256, "x": encode_base64url(b"\0" * 33)}, "its x has 33 bytes instead of 32"),
        ({"kty": "OKP", "crv": "Ed25519", "kid": "o", "alg": "EdDSA", "x": "AA"}, 'kty "OKP" is not supported'),
        ({"kty": "oct", "kid": "o", "k": _secret(64)}, "alg that is missing is not for oct keys"),
        ({"kid": "x"}, "kty that is missing is not supported"),
    ],
)
def test_a_key_that_cannot_verify_is_left_out_and_told(key: dict[str, JSON], reason: str) -> None:
    found = read_keys([GOOD, key])

    assert [kept.kid for kept in found.keys] == ["good"]
    assert found.dropped == 1
    assert reason in found.notices[0].text
    assert found.notices[0].text.startswith("keys[1] was dropped: ")


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
def test_a_private_key_is_refused(member: str) -> None:
    with pytest.raises(InvalidKeys, match="is a private key") as raised:
        read_keys([{**GOOD, member: "c2VjcmV0"}])

    assert "c2VjcmV0" not in str(raised.value)


@pytest.mark.parametrize(("alg", "least"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_a_secret_has_a_least_length(alg: str, least: int) -> None:
    key: dict[str, JSON] = {"kty": "oct", "kid": "h", "alg": alg}

    assert len(read_keys([{**key, "k": _secret(least)}]).keys) == 1
    with pytest.raises(InvalidKeys, match=f"has {least - 1} bytes; {alg} needs at least {least}"):
        read_keys([{**key, "k": _secret(least - 1)}])


@pytest.mark.parametrize("k", [None, 7, "", " ", "a b", "YQ==", "a+b/" * 16])
def test_a_secret_is_base64url(k: JSON) -> None:
    with pytest.raises(InvalidKeys):
        read_keys([{"kty": "oct", "kid": "h", "alg": "HS256", "k": k}])


def test_an_algorithm_that_is_left_out_is_told() -> None:
    found = read_keys([_without(GOOD, "alg"), _without(_ES256, "alg")])

    assert [key.alg for key in found.keys] == ["RS256", "ES256"]
    assert found.notices == (
        Notice(110003, 'keys[0].alg was omitted and defaulted to "RS256" (kid "good")'),
        Notice(110003, 'keys[1].alg was omitted and defaulted to "ES256" (kid "e")'),
    )


def test_a_secret_that_is_left_out_is_kept_where_that_is_allowed() -> None:
    key: dict[str, JSON] = {"kty": "oct", "kid": "h", "alg": "HS256"}
    kept = StoredSecrets(secrets_of(read_keys([{**key, "k": _secret(32)}]).keys))

    assert secrets_of(read_keys([key], kept=kept).keys) == {("HS256", "h"): b"s" * 32}
    for other in (key, {**key, "k": None}):
        with pytest.raises(InvalidKeys, match="k is missing"):
            read_keys([other], kept=None if other is key else kept)
    with pytest.raises(InvalidKeys, match="k is missing"):
        read_keys([{**key, "kid": "new"}], kept=kept)


def test_a_set_has_at_most_sixteen_keys_and_no_two_of_one_name() -> None:
    secrets: list[JSON] = [{"kty": "oct", "kid": f"h{n}", "alg": "HS256", "k": _secret(32)} for n in range(17)]

    assert len(read_keys(secrets[:16]).keys) == 16
    with pytest.raises(InvalidKeys, match="at most 16 keys; these are 17"):
        read_keys(secrets)
    with pytest.raises(InvalidKeys, match='two keys with alg HS256 and kid "h0"'):
        read_keys([secrets[0], secrets[1], secrets[0]])


@pytest.mark.parametrize("keys", [[], [_ES512], [{}], [_without(GOOD, "kid")]])
def test_a_set_without_a_key_that_verifies_is_refused(keys: list[JSON]) -> None:
    """A configuration without keys would make every token invalid."""
    with pytest.raises(InvalidKeys, match="no key is left"):
        read_keys(keys)


def test_what_is_not_a_key_is_refused() -> None:
    with pytest.raises(InvalidKeys, match=r"keys\[1\] is not a JSON object"):
        read_keys([GOOD, "text"])


def test_no_secret_is_shown() -> None:
    found = read_keys([{"kty": "oct", "kid": "h", "alg": "HS256", "k": _secret(32)}])

    assert "sss" not in repr(found)
    assert "sss" not in repr(StoredSecrets(secrets_of(found.keys)))
    assert "k" not in found.keys[0].jwk
