"""Hashes of the OAuth server's keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer import digests


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        ("", "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"),  # SHA-256 of nothing
        # RFC 7636 appendix B
        ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
    ],
)
def test_a_digest_is_base64url_of_sha_256(text: str, digest: str) -> None:
    assert digests.digest(text) == digest


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_only_the_same_parts_join_to_the_same_digest(one: list[str], other: list[str]) -> None:
    assert (digests.digest_of_parts(*one) == digests.digest_of_parts(*other)) is (one == other)


def test_any_text_has_a_digest() -> None:
    assert len(digests.digest("\ud800")) == len(digests.digest_of_parts("\ud800", "")) == 43
