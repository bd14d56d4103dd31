"""Bad tokens are bad for the reason that they are named after, and for a good reader of JWTs too."""

import base64
import json

import jwt
import pytest

from edgeworker.testing.clock import MovableClock
from edgeworker.testing.forged import BAD_CLAIMS, BAD_FORMS, BAD_SIGNATURES, BAD_TIMES, BAD_TOKENS
from edgeworker.testing.issuer import TokenIssuer, kv_key, signing_key
from edgeworker.testing.origin import Origin

# PyJWT takes these although a strict reader must not; each is checked for itself below.
LENIENT = {"padded", "exp is text", "duplicate members", "compressed"}


def _issuer(entries: dict[str, str]) -> TokenIssuer:
    clock = MovableClock()  # from this second on: PyJWT looks at the machine's clock
    return TokenIssuer(clock, lambda _namespace, key, value, _expiration: entries.update({key: value}), Origin(clock))


def _accepted(text: str, issuer: TokenIssuer) -> bool:
    key = signing_key("RS256")
    try:
        jwt.decode(
            text,
            key.private.public_key(),
            algorithms=["RS256"],
            audience=issuer.audience,
            issuer=issuer.url,
            options={"require": ["exp"]},
        )
    except jwt.PyJWTError:
        return False
    return jwt.get_unverified_header(text).get("kid") in (None, key.kid)


def test_a_good_token_is_accepted_by_the_same_reader() -> None:
    issuer = _issuer({})

    assert _accepted(issuer.token().jwt, issuer)


@pytest.mark.parametrize("variant", [variant for variant in BAD_TOKENS if variant not in LENIENT])
def test_a_bad_token_is_refused(variant: str) -> None:
    issuer = _issuer({})

    token = issuer.bad(variant)

    assert not _accepted(token.jwt, issuer)


def _payload(text: str) -> bytes:
    segment = text.split(".")[1]
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def test_what_a_lenient_reader_takes_is_bad_nevertheless() -> None:
    issuer = _issuer({})

    assert issuer.bad("padded").jwt.endswith("==")
    assert isinstance(json.loads(_payload(issuer.bad("exp is text").jwt))["exp"], str)
    assert _payload(issuer.bad("duplicate members").jwt).count(b'"exp"') == 2
    assert jwt.get_unverified_header(issuer.bad("compressed").jwt)["zip"] == "DEF"
    assert _payload(issuer.bad("compressed").jwt)[:1] == b"\x78"


def test_a_bad_split_token_is_published() -> None:
    entries: dict[str, str] = {}
    issuer = _issuer(entries)

    token = issuer.bad("expired", split=True)

    assert entries == {kv_key(str(token)): token.published_value}


def test_spare_bits_make_another_text_of_the_same_signature() -> None:
    signature = str(_issuer({}).bad("spare bits set", split=True))

    decoded = base64.urlsafe_b64decode(signature + "==")
    assert base64.urlsafe_b64encode(decoded).rstrip(b"=") != signature.encode()


def test_an_unknown_variant_is_named() -> None:
    with pytest.raises(ValueError, match='there is no bad token "late"; there are: expired, '):
        _issuer({}).bad("late")


def test_every_variant_is_in_one_group() -> None:
    groups = [*BAD_TIMES, *BAD_CLAIMS, *BAD_SIGNATURES, *BAD_FORMS]

    assert sorted(groups) == sorted(set(groups)) == sorted(BAD_TOKENS)
