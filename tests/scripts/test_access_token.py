"""scripts/*/verifier/access_token.py as another script calls it, with texts that no header field would carry."""

import json

import pytest

from edgeworker.config import JSON
from edgeworker.testing.issuer import encoded, segment, sign, signing_key
from verifier import access_token, keys
from verifier.access_token import InvalidToken, TokenRequirements
from verifier.claims import ALGORITHMS

NOW = 1_700_000_000
KEY = signing_key("RS256")
SET = keys.parse_key_set(json.dumps({"keys": [dict(KEY.public)]}), frozenset(ALGORITHMS))
EXPECTED = TokenRequirements(issuer="https://issuer", audience=frozenset({"https://api"}))
CLAIMS: dict[str, JSON] = {"iss": "https://issuer", "aud": "https://api", "sub": "ann", "exp": NOW + 60, "scope": "a b"}


async def _verify(text: str) -> access_token.VerifiedAccessToken:
    return await access_token.verify(text, keys.FixedKeySource(SET), EXPECTED, now=NOW)


def _token(**claims: JSON) -> str:
    return sign({**CLAIMS, **claims}, KEY, headers={"kid": KEY.kid, "typ": "at+jwt"})


async def test_a_good_token_gives_its_subject_and_scopes() -> None:
    token = await _verify(_token())

    assert (token.issuer, token.subject, sorted(token.scopes)) == ("https://issuer", "ann", ["a", "b"])
    assert token.missing(frozenset({"a", "c"})) == {"c"}
    assert token.claims == CLAIMS


@pytest.mark.parametrize(
    "change", ["{}=", "{}==", "{}\n", "\ufeff{}", " {}", "{} ", "{}.", ".{}", "{}.e30", "{}~", "{}\0", "Bearer {}"]
)
async def test_a_text_that_is_not_the_token_alone_is_refused(change: str) -> None:
    with pytest.raises(InvalidToken):
        await _verify(change.format(_token()))


@pytest.mark.parametrize("text", ["", ".", "..", "...", "a.b", "e30.e30.", "\u00e9.\u00e9.\u00e9", "\ud800.e30.AAAA"])
async def test_a_text_that_is_not_a_token_is_refused(text: str) -> None:
    with pytest.raises(InvalidToken):
        await _verify(text)


async def test_a_token_is_not_longer_than_a_header_field() -> None:
    assert (await _verify(_token(a="x" * 11_000))).subject == "ann"
    with pytest.raises(InvalidToken, match="malformed"):
        await _verify(_token(a="x" * 12_500))


@pytest.mark.parametrize("subject", [None, "", 7, ["ann"]])
async def test_a_token_without_a_subject_is_refused(subject: JSON) -> None:
    with pytest.raises(InvalidToken, match="no subject"):
        await _verify(_token(sub=subject))


@pytest.mark.parametrize("cnf", [{"jkt": "x"}, {"x5t#S256": "x"}, {}, None])
async def test_a_token_that_is_bound_to_a_key_is_not_a_bearer_token(cnf: JSON) -> None:
    with pytest.raises(InvalidToken, match="bound to a key"):
        await _verify(_token(cnf=cnf))


async def test_the_signature_is_checked() -> None:
    head, _, signature = _token().split(".")

    with pytest.raises(InvalidToken, match="signature"):
        await _verify(f"{head}.{segment({**CLAIMS, 'sub': 'eve'})}.{signature}")
    with pytest.raises(InvalidToken, match="signature"):
        await _verify(f"{_token().rpartition('.')[0]}.{encoded(bytes(256))}")
