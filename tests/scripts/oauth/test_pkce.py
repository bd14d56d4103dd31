"""PKCE with S256: the example of RFC 7636 appendix B, and what is refused."""

import pytest

from issuer import pkce

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_example_of_the_rfc_matches() -> None:
    assert pkce.challenge_of(VERIFIER) == CHALLENGE
    assert pkce.matches(VERIFIER, CHALLENGE)


@pytest.mark.parametrize(
    "verifier",
    [VERIFIER[:-1] + "x", VERIFIER[:42], "a" * 129, VERIFIER + "\n", VERIFIER.replace("-", "+"), ""],
)
def test_another_or_malformed_verifier_does_not(verifier: str) -> None:
    assert not pkce.matches(verifier, pkce.challenge_of(verifier) if len(verifier) != 43 else CHALLENGE)
