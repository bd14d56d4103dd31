"""Tokens as values: three formats, the claims of RFC 9068, the ID token, and the key of a split token."""

import base64
import hashlib
from dataclasses import replace

import jwt
import pytest

from edgeworker.config import JSON
from issuer import token_issuance
from issuer.settings import IssuerSettings
from issuer.token_issuance import AuthorizedAccess, IssuedAccessToken
from tests.scripts.oauth.in_memory import ann, token_settings
from tests.scripts.oauth.token_stage import API, OTHER_API, RING, START, claims

SETTINGS = token_settings()
ANN = ann(claims={"locale": "sv"})


def access(client_id: str = "shop", **changes: object) -> AuthorizedAccess:
    made = AuthorizedAccess(
        client=SETTINGS.clients[client_id],
        sub=ANN.id,
        scope=("openid", "orders.read"),
        audience=(API,),
        now=START,
        user_id=ANN.id,
        grant_id="grant",
        auth_time=START - 5,
        amr=("pwd",),
        epoch="epoch",
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # the test's fields


def issued(client_id: str = "shop", **changes: object) -> IssuedAccessToken:
    return token_issuance.issue(access(client_id, **changes), SETTINGS, RING)


def test_the_record_says_what_the_token_stands_for() -> None:
    record = issued("opaque-shop").record

    assert (record.client_id, record.sub, record.user_id, record.grant_id) == ("opaque-shop", ANN.id, ANN.id, "grant")
    assert (record.scope, record.audience) == (("openid", "orders.read"), (API,))
    assert (record.issued_at, record.expires_at) == (START, START + SETTINGS.access_token_ttl_seconds)
    assert record.epoch == "epoch"


def test_a_jwt_has_the_claims_of_rfc_9068() -> None:
    made = issued("jwt-shop")

    assert claims(made.text) == {
        "iss": SETTINGS.issuer,
        "sub": ANN.id,
        "aud": API,
        "client_id": "jwt-shop",
        "iat": START,
        "exp": START + 600,
        "jti": made.record.jti,
        "scope": "openid orders.read",
        "auth_time": START - 5,
        "amr": ["pwd"],
    }
    header = jwt.get_unverified_header(made.text)
    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
    assert made.published is made.record.publish_key is None


def test_what_is_not_known_is_not_in_the_token() -> None:
    found = claims(issued("jwt-shop", scope=(), auth_time=None, amr=(), audience=(API, OTHER_API)).text)

    assert found["aud"] == [API, OTHER_API]
    assert {"scope", "auth_time", "amr", "acr"}.isdisjoint(found)


def test_the_client_of_a_split_token_gets_the_signature_alone() -> None:
    made = issued()

    assert made.whole is not None
    assert made.whole == f"{made.published}.{made.text}"
    assert made.published is not None
    assert made.published.count(".") == 1
    assert claims(made.whole)["client_id"] == "shop"
    assert made.record.publish_key == token_issuance.key_of(made.text, SETTINGS)


def test_an_opaque_token_is_random_and_nothing_else() -> None:
    made = issued("opaque-shop")

    assert len(base64.urlsafe_b64decode(made.text + "=")) == 32
    assert made.whole is made.published is made.record.publish_key is None


@pytest.mark.parametrize("client_id", ["shop", "jwt-shop", "opaque-shop"])
def test_two_tokens_of_one_second_differ(client_id: str) -> None:
    """RS256 is deterministic: without `jti` equal claims would have one signature, so one split token for two."""
    assert issued(client_id).text != issued(client_id).text


def test_a_token_is_not_in_its_own_repr() -> None:
    made = issued()

    assert made.text not in repr(made)
    assert str(made.published) not in repr(made)


def id_token(
    settings: IssuerSettings = SETTINGS, nonce: str | None = "n", scope: tuple[str, ...] = ("openid",)
) -> dict[str, JSON]:
    given = access(scope=scope)
    made = token_issuance.issue(given, settings, RING)
    text = token_issuance.id_token(given, made, settings, RING, user=ANN, nonce=nonce)
    assert jwt.get_unverified_header(text)["typ"] == "JWT"
    found = claims(text)
    hashed = made.text if settings.compat == "" else made.whole
    assert found.pop("at_hash") == token_issuance.at_hash(str(hashed))
    return found


def test_the_id_token_is_for_the_client() -> None:
    """OpenID Connect Core section 2."""
    assert id_token() == {
        "iss": SETTINGS.issuer,
        "sub": ANN.id,
        "aud": "shop",
        "iat": START,
        "exp": START + SETTINGS.id_token_ttl_seconds,
        "auth_time": START - 5,
        "nonce": "n",
        "amr": ["pwd"],
    }
    assert "nonce" not in id_token(nonce=None)


def test_claims_of_the_record_are_for_the_scope_profile() -> None:
    assert "locale" not in id_token()
    assert id_token(scope=("openid", "profile"))["locale"] == "sv"


def test_a_record_cannot_say_who_the_user_is() -> None:
    forged = replace(ANN, claims={"sub": "u_bob", "iss": "https://evil.example", "aud": "other"})
    given = access(scope=("openid", "profile"))

    text = token_issuance.id_token(given, issued(), SETTINGS, RING, user=forged, nonce=None)

    found = claims(text)
    assert (found["sub"], found["iss"], found["aud"]) == (ANN.id, SETTINGS.issuer, "shop")


def test_at_hash_is_over_what_the_client_received_but_for_the_tutorial() -> None:
    id_token()
    id_token(token_settings(COMPAT="curity-tutorial"))


def test_at_hash_is_the_left_half() -> None:
    """The example of OpenID Connect Core appendix A.3, and of its access token."""
    assert token_issuance.at_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y") == "77QmUPtjPfzWtF2AnpK9RQ"


@pytest.mark.parametrize(
    ("signature", "key"),
    [
        # RFC 7520 4.1 has its vector in tests/scripts/test_split_tokens.py; these are of the references.
        ("sig4616", "//p0H11e353t4zR+7J004M1LWP7fjivdkA74UV7aZF4="),
        ("sig1", "ZFdh7wy2aeTJh5uy27ZMX92N4QIR8wf9DQNmtrls7uU="),
    ],
)
def test_the_key_is_the_hash_of_the_signatures_text(signature: str, key: str) -> None:
    assert token_issuance.key_of(signature, SETTINGS) == key


@pytest.mark.parametrize(
    ("encoding", "key"),
    [
        ("hex", hashlib.sha512(b"sig1").hexdigest()),
        ("base64url", base64.urlsafe_b64encode(hashlib.sha512(b"sig1").digest()).decode().rstrip("=")),
        ("base64", base64.b64encode(hashlib.sha512(b"sig1").digest()).decode()),
    ],
)
def test_hash_encoding_and_prefix_are_settings_as_the_gateway_has_them(encoding: str, key: str) -> None:
    known = token_settings(TOKEN_HASH="SHA-512", KEY_ENCODING=encoding, KEY_PREFIX="split:")

    assert token_issuance.key_of("sig1", known) == "split:" + key
