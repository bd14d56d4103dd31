"""Access's tokens: their claims, and every forgery that must not open an application (attacks J of the attack list)."""

import base64
import hashlib
import hmac
import json
from functools import cache

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256

from edgeworker.config import JSON
from edgeworker.products.access import jws, tokens
from edgeworker.products.access.config import GRACE_SECONDS, Application
from edgeworker.products.access.jws import InvalidToken
from edgeworker.products.access.keys import KeySet, SigningKey, make_key
from edgeworker.products.access.objects import parse_application
from edgeworker.products.access.policy import Identity

ISSUER = "https://acme.cloudflareaccess.com"
NOW = 1_800_000_000
APP = parse_application({"name": "a", "domain": "a.com"})
OTHER = parse_application({"name": "b", "domain": "b.com"})
LEGACY = parse_application({"name": "c", "domain": "c.com", "legacy_claims": True})
ADA = Identity("ada@example.com", "0b2cf5a3-8a6c-4c5e-8a43-4a1cf7f3b1aa", "idp", "oidc", country="PT")


@cache
def key(number: int) -> SigningKey:
    return make_key("acme.cloudflareaccess.com", now=NOW)


KEYS = KeySet(key(1), NOW - 100)


def _claims(application: Application = APP, nonce: str = "N" * 16) -> dict[str, JSON]:
    return tokens.identity_claims(ADA, application, issuer=ISSUER, nonce=nonce, now=NOW, seconds=600, policy_id="p")


def _read(text: str, *, keys: KeySet = KEYS, now: int = NOW, application: Application = APP) -> tokens.AppClaims:
    return tokens.read_app_token(text, application, keys, issuer=ISSUER, now=now)


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _segment(value: object) -> str:
    return _b64((value if isinstance(value, str) else json.dumps(value)).encode())


def _rs256(header: object, payload: object) -> str:
    """Signed with the right key, whatever it says."""
    signed = f"{_segment(header)}.{_segment(payload)}"
    return f"{signed}.{_b64(key(1).private.sign(signed.encode(), padding.PKCS1v15(), SHA256()))}"


HEADER: dict[str, JSON] = {"alg": "RS256", "kid": key(1).kid, "typ": "JWT"}


def test_an_identity_token_has_the_documented_claims() -> None:
    token = tokens.sign(_claims(), key(1))

    assert jwt.get_unverified_header(token) == HEADER
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["aud"] == [APP.aud]
    assert claims["nbf"] == claims["iat"] == NOW
    assert claims["exp"] == NOW + 600
    assert (claims["iss"], claims["type"], claims["email"]) == (ISSUER, "app", "ada@example.com")
    assert (claims["sub"], claims["country"]) == (ADA.user_uuid, "PT")
    assert len(claims["identity_nonce"]) == 16
    assert "custom" not in claims
    assert _read(token).nonce == "N" * 16


def test_a_service_token_has_one_audience_and_an_empty_subject() -> None:
    claims = tokens.service_claims("ab.access", APP, issuer=ISSUER, now=NOW, seconds=600)

    assert claims == {
        "type": "app",
        "aud": APP.aud,
        "exp": NOW + 600,
        "iat": NOW,
        "iss": ISSUER,
        "common_name": "ab.access",
        "sub": "",
    }
    assert _read(tokens.sign(claims, key(1))).common_name == "ab.access"


def test_the_older_shape_has_neither_type_nor_country() -> None:
    claims = _claims(LEGACY, nonce="f" * 64)

    assert sorted(claims) == ["aud", "email", "exp", "iat", "iss", "nonce", "sub"]
    assert _read(tokens.sign(claims, key(1)), application=LEGACY).nonce == "f" * 64


def test_a_token_of_the_older_shape_opens_no_other_application() -> None:
    claims: dict[str, JSON] = {**_claims(LEGACY, nonce="f" * 64), "aud": [APP.aud]}

    with pytest.raises(InvalidToken):
        _read(tokens.sign(claims, key(1)))


def test_custom_claims_are_added_in_their_order_as_far_as_they_fit() -> None:
    assert list(tokens.capped({"a": "x" * 500, "b": "y" * 400, "c": "z" * 300, "d": 1})) == ["a", "b"]


def _hs256(secret: bytes, payload: object) -> str:
    signed = f"{_segment({**HEADER, 'alg': 'HS256'})}.{_segment(payload)}"
    return f"{signed}.{_b64(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def _public(encoding: serialization.Encoding, form: serialization.PublicFormat) -> bytes:
    return key(1).public.public_bytes(encoding, form)


GOOD = tokens.sign(_claims(), key(1))
_PARTS = GOOD.split(".")
_SECRETS = {
    "PEM": _public(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
    "DER": _public(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
    "SSH": _public(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH),
    "JWK": json.dumps(key(1).jwk).encode(),
    "certificate": key(1).certificate.encode(),
}


def _with_claims(**changes: JSON) -> str:
    claims = {name: value for name, value in {**_claims(), **changes}.items() if value != "REMOVE"}
    return _rs256(HEADER, claims)


BAD: dict[str, str] = {
    "empty": "",
    "J1 none": f"{_segment({**HEADER, 'alg': 'none'})}.{_PARTS[1]}.",
    "J1 nOnE": f"{_segment({**HEADER, 'alg': 'nOnE'})}.{_PARTS[1]}.{_PARTS[2]}",
    "J1 no alg": _rs256({"kid": key(1).kid, "typ": "JWT"}, _claims()),
    **{f"J2 HS256 with the {name}": _hs256(secret, _claims()) for name, secret in _SECRETS.items()},
    "J3 RS512": jwt.encode(dict(_claims()), key(1).private, algorithm="RS512", headers={"kid": key(1).kid}),
    "J3 PS256": jwt.encode(dict(_claims()), key(1).private, algorithm="PS256", headers={"kid": key(1).kid}),
    "J4 no kid": _rs256({"alg": "RS256", "typ": "JWT"}, _claims()),
    "J4 unknown kid": _rs256({**HEADER, "kid": "0" * 64}, _claims()),
    "J4 kid is a number": _rs256({**HEADER, "kid": 7}, _claims()),
    "J4 kid is a path": _rs256({**HEADER, "kid": "../../dev/null"}, _claims()),
    "J5 jwk": _rs256({**HEADER, "jwk": key(1).jwk}, _claims()),
    "J5 jku": _rs256({**HEADER, "jku": "http://127.0.0.1:1/"}, _claims()),
    "J6 crit": _rs256({**HEADER, "crit": ["x"], "x": 1}, _claims()),
    "J6 b64": _rs256({**HEADER, "crit": ["b64"], "b64": False}, _claims()),
    "J13 padding": GOOD + "==",
    "J13 newline": GOOD[:-1] + "\n" + GOOD[-1],
    "J13 standard alphabet": GOOD.replace("-", "+").replace("_", "/") + "+",
    "J14 two segments": ".".join(_PARTS[:2]),
    "J14 four segments": f"{GOOD}.x",
    "J14 detached": f"{_PARTS[0]}..{_PARTS[2]}",
    "J15 a claim twice": _rs256(HEADER, json.dumps(_claims())[:-1] + f',"exp":{NOW + 9999}}}'),
    "J16 exp as text": _with_claims(exp=str(NOW + 600)),
    "J16 exp as fraction": _with_claims(exp=NOW + 600.5),
    "J16 exp true": _with_claims(exp=True),
    "J16 exp null": _with_claims(exp=None),
    "J16 exp negative": _with_claims(exp=-1),
    "J16 exp huge": _rs256(HEADER, json.dumps({**_claims(), "exp": 0}).replace('"exp": 0', '"exp": 1' + "0" * 5000)),
    "J16 exp infinite": _rs256(HEADER, json.dumps({**_claims(), "exp": 0}).replace('"exp": 0', '"exp": 1e400')),
    "J17 no exp": _with_claims(exp="REMOVE"),
    "J17 no iss": _with_claims(iss="REMOVE"),
    "J17 no aud": _with_claims(aud="REMOVE"),
    "J17 no type": _with_claims(type="REMOVE"),
    "J18 aud of another": _with_claims(aud=[OTHER.aud]),
    "J18 aud is a beginning": _with_claims(aud=[APP.aud[:32]]),
    "J18 aud nested": _with_claims(aud=[[APP.aud]]),
    "J18 aud of two": _with_claims(aud=[APP.aud, OTHER.aud]),
    "J19 iss with a slash": _with_claims(iss=f"{ISSUER}/"),
    "J19 iss in a list": _with_claims(iss=[ISSUER]),
    "J19 iss in capitals": _with_claims(iss=ISSUER.upper()),
    "J20 iat in the future": _with_claims(iat=NOW + 61),
    "J21 deep": _rs256(HEADER, "[" * 5000 + "]" * 5000),
    "J21 long": _with_claims(x="y" * 20_000),
    "J23 org": _with_claims(type="org"),
    "J23 meta": _with_claims(type="meta"),
    "J23 match": _with_claims(type="match"),
    "J23 at+jwt": _rs256({**HEADER, "typ": "at+jwt"}, _claims()),
    "J24 zip": _rs256({**HEADER, "zip": "DEF"}, _claims()),
    "signature of another token": f"{_PARTS[0]}.{_PARTS[1]}.{tokens.sign(_claims(OTHER), key(1)).split('.')[2]}",
    "another key under our kid": jws.sign(_claims(), key(2).private, key(1).kid),
    "no nonce and no common name": _with_claims(identity_nonce="REMOVE"),
    "nonce and common name": _with_claims(common_name="x.access"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_forged_or_foreign_token_is_refused(name: str) -> None:
    with pytest.raises(InvalidToken):
        _read(BAD[name])


def test_what_is_forged_here_is_good_but_for_what_it_changes() -> None:
    assert _read(_with_claims()).email == "ada@example.com"
    assert _read(_with_claims(iat=NOW + 59)).email == "ada@example.com"
    assert _read(GOOD).email == "ada@example.com"


def test_a_signature_has_one_text() -> None:
    """Of the last character's bits four are beyond the last byte: sixteen texts would be one signature."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = [GOOD[:-1] + letter for letter in alphabet if letter != GOOD[-1]]

    for text in others:
        with pytest.raises(InvalidToken):
            _read(text)


def test_a_token_ends_at_its_exp_or_when_its_key_is_retired() -> None:
    rotated = KEYS.rotate(key(2), NOW)
    long_lived = tokens.sign({**_claims(), "exp": NOW + 30 * 86_400}, key(1))

    assert _read(GOOD, now=NOW + 599).valid_until == NOW + 600
    with pytest.raises(InvalidToken, match="expired"):
        _read(GOOD, now=NOW + 600)
    assert _read(long_lived, keys=rotated).valid_until == NOW + GRACE_SECONDS
    assert _read(long_lived, keys=rotated, now=NOW + GRACE_SECONDS - 1).email
    with pytest.raises(InvalidToken, match="retired"):
        _read(long_lived, keys=rotated, now=NOW + GRACE_SECONDS)
