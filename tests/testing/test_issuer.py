"""Tokens of a test: good ones, split ones, and the keys behind them."""

import jwt
import pytest

from edgeworker.errors import OriginError
from edgeworker.messages import URL, Request
from edgeworker.testing.clock import MovableClock
from edgeworker.testing.issuer import Algorithm, TokenIssuer, kv_key, signing_key
from edgeworker.testing.origin import Origin

NOW = 1_700_000_000


class Published:
    """What a publisher was asked to write."""

    def __init__(self) -> None:
        self.entries: dict[str, tuple[str, int]] = {}

    def __call__(self, namespace: str, key: str, value: str, expiration: int) -> None:
        assert namespace == "TOKENS"
        self.entries[key] = (value, expiration)


@pytest.fixture
def published() -> Published:
    return Published()


@pytest.fixture
def origin() -> Origin:
    return Origin(MovableClock(NOW))


@pytest.fixture
def issuer(published: Published, origin: Origin) -> TokenIssuer:
    return TokenIssuer(MovableClock(NOW), published, origin)


def _claims(text: str) -> dict[str, object]:
    key = signing_key("ES256" if jwt.get_unverified_header(text)["alg"] == "ES256" else "RS256")
    algorithms = [key.algorithm]
    options: dict[str, bool] = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
    claims: dict[str, object] = jwt.decode(
        text,
        key.private.public_key(),
        algorithms=algorithms,
        options=options,  # type: ignore[arg-type]  # its TypedDict is not exported
    )
    return claims


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_token_is_signed_and_whole(issuer: TokenIssuer, published: Published, algorithm: Algorithm) -> None:
    token = issuer.token(sub="bob", scope="read", ttl_seconds=120, algorithm=algorithm)

    assert str(token) == token.jwt
    assert jwt.get_unverified_header(token.jwt) == {
        "alg": algorithm,
        "typ": "at+jwt",
        "kid": signing_key(algorithm).kid,
    }
    claims = _claims(token.jwt)
    assert (claims["iss"], claims["sub"], claims["scope"]) == ("https://issuer.example.net", "bob", "read")
    assert (claims["iat"], claims["nbf"], claims["exp"]) == (NOW, NOW, NOW + 120)
    assert published.entries == {}
    assert issuer.tokens == [token]


def test_a_split_token_is_its_signature_and_the_rest_is_published(issuer: TokenIssuer, published: Published) -> None:
    token = issuer.token(split=True, ttl_seconds=300)

    value, _, signature = token.jwt.rpartition(".")
    assert str(token) == signature
    assert (token.key, token.published_value) == (kv_key(signature), value)
    assert published.entries == {kv_key(signature): (value, NOW + 300)}


# From the JWS examples of RFC 7520's collection; computed with sha256sum and base64.
@pytest.mark.parametrize(
    ("signature", "key"),
    [
        ("sig4616", "//p0H11e353t4zR+7J004M1LWP7fjivdkA74UV7aZF4="),
        ("sig1", "ZFdh7wy2aeTJh5uy27ZMX92N4QIR8wf9DQNmtrls7uU="),
    ],
)
def test_the_key_is_the_publishers(signature: str, key: str) -> None:
    assert kv_key(signature) == key


def test_a_token_that_lives_shorter_than_kv_can_keep_is_published_longer(
    issuer: TokenIssuer, published: Published
) -> None:
    token = issuer.token(split=True, ttl_seconds=10)

    assert _claims(token.jwt)["exp"] == NOW + 10
    assert [expiration for _, expiration in published.entries.values()] == [NOW + 60]


def test_claims_and_header_can_be_added_and_removed(issuer: TokenIssuer) -> None:
    token = issuer.token(claims={"tenant": "t1", "nbf": None}, headers={"typ": "JWT", "kid": None}, aud=["a", "b"])

    claims = _claims(token.jwt)
    assert (claims["tenant"], claims["aud"]) == ("t1", ["a", "b"])
    assert "nbf" not in claims
    assert jwt.get_unverified_header(token.jwt) == {"alg": "RS256", "typ": "JWT"}


def test_two_tokens_are_never_the_same(issuer: TokenIssuer) -> None:
    assert str(issuer.token()) != str(issuer.token())


def test_a_token_need_not_be_published(issuer: TokenIssuer, published: Published) -> None:
    issuer.token(split=True, publish=False)

    assert published.entries == {}


def test_what_cannot_be_split_goes_to_the_client_as_it_is(issuer: TokenIssuer) -> None:
    token = issuer.issue("nonsense", split=True, publish=True)

    assert (str(token), token.split, token.key) == ("nonsense", False, None)


def test_neither_a_token_nor_a_key_is_shown(issuer: TokenIssuer) -> None:
    token = issuer.token(split=True)

    assert str(token) not in repr(token)
    assert token.published_value is not None
    assert token.published_value not in repr(token)
    assert "private" not in repr(signing_key("RS256"))


async def test_workers_can_fetch_the_keys_once_they_are_served(issuer: TokenIssuer, origin: Origin) -> None:
    request = Request("GET", URL.parse(issuer.jwks_url))
    with pytest.raises(OriginError):
        await origin.internet.fetch(request)

    rule = issuer.serve()
    response = await origin.internet.fetch(request)

    assert response.body is not None
    keys = jwt.PyJWKSet.from_json((await response.body.read()).decode())
    assert [key.key_id for key in keys.keys] == [signing_key("RS256").kid, signing_key("ES256").kid]
    assert len(rule.requests) == 1
    assert all("d" not in key for key in [signing_key("RS256").public, signing_key("ES256").public])
