"""Verified tokens in memory."""

import tracemalloc

import pytest

from edgeworker.products.access.remembered import MAX_TOKENS, RememberedToken, RememberedTokens

TOKEN = "header.claims.signature"
ENTRY = RememberedToken(100, 7, "aud", "N" * 16, "ada@example.com")


@pytest.mark.parametrize("is_hash_secret", [True, False])
def test_a_token_is_found_until_it_expires(is_hash_secret: bool) -> None:
    memory = RememberedTokens(is_hash_secret=is_hash_secret)
    memory.remember(TOKEN, ENTRY)

    assert memory.find(TOKEN, 99) == ENTRY
    assert memory.find("header.claims.another-signature", 99) is None
    assert memory.find(TOKEN, 100) is None
    assert len(memory) == 0


def test_a_service_tokens_entry_has_no_nonce() -> None:
    memory = RememberedTokens()
    memory.remember(TOKEN, RememberedToken(100, 7, "aud", "", ""))

    assert memory.find(TOKEN, 0) == RememberedToken(100, 7, "aud", "", "")


def test_what_is_forgotten_is_gone() -> None:
    memory = RememberedTokens()
    memory.remember(TOKEN, ENTRY)

    memory.forget(TOKEN)

    assert memory.find(TOKEN, 0) is None


class Collides(str):
    """A text with the number of another one."""

    __slots__ = ()

    def __hash__(self) -> int:
        return hash("header.claims.signature-of-ada")

    __eq__ = str.__eq__


def test_a_text_with_the_number_of_a_token_but_another_signature_is_not_that_token() -> None:
    memory = RememberedTokens(is_hash_secret=True)
    memory.remember("header.claims.signature-of-ada", ENTRY)

    assert memory.find(Collides("header.claims.signature-of-eve"), 0) is None
    assert memory.find("header.claims.signature-of-ada", 0) == ENTRY


def test_where_the_hashes_of_texts_are_known_tokens_are_found_by_a_secret_of_the_object() -> None:
    memory = RememberedTokens(is_hash_secret=False)
    memory.remember("header.claims.signature-of-ada", ENTRY)

    assert hash("header.claims.signature-of-ada") not in memory._young
    assert memory.find("header.claims.signature-of-ada", 0) == ENTRY


@pytest.mark.parametrize("token", ["", "a", "\ud800" * 12, "é" * 12, "x" * 5000])
@pytest.mark.parametrize("is_hash_secret", [True, False])
def test_a_text_that_is_no_token_is_not_found_and_breaks_nothing(token: str, is_hash_secret: bool) -> None:
    memory = RememberedTokens(is_hash_secret=is_hash_secret)
    memory.remember(TOKEN, ENTRY)

    memory.remember(token, ENTRY)

    assert memory.find(token, 0) in (None, ENTRY)
    assert memory.find(TOKEN, 0) == ENTRY


def test_there_are_never_more_than_the_limit_and_what_is_used_stays() -> None:
    memory = RememberedTokens(10)
    memory.remember(TOKEN, ENTRY)
    for number in range(100):
        memory.remember(f"header.claims.{number:012d}", ENTRY)
        memory.find(TOKEN, 0)

    assert len(memory) <= 10
    assert memory.find(TOKEN, 0) == ENTRY


def test_a_hundred_thousand_tokens_take_at_most_20_megabytes() -> None:
    tracemalloc.start()
    try:
        memory = RememberedTokens()
        for number in range(MAX_TOKENS):
            entry = RememberedToken(2**31, 7, "a" * 64, f"{number:016d}", f"someone.{number:07d}@example.com")
            memory.remember(f"{number:0700d}", entry)
        size = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert len(memory) >= MAX_TOKENS // 2
    assert size <= 20_000_000
