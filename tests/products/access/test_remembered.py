"""Verified tokens in memory."""

import tracemalloc

from edgeworker.products.access.remembered import MAX_TOKENS, RememberedToken, RememberedTokens

ENTRY = RememberedToken(100, 7, "aud", "N" * 16, "ada@example.com")


def test_a_token_is_found_until_it_expires() -> None:
    memory = RememberedTokens()
    memory.remember("token", ENTRY)

    assert memory.find("token", 99) == ENTRY
    assert memory.find("other", 99) is None
    assert memory.find("token", 100) is None
    assert len(memory) == 0


def test_a_service_tokens_entry_has_no_nonce() -> None:
    memory = RememberedTokens()
    memory.remember("token", RememberedToken(100, 7, "aud", "", ""))

    assert memory.find("token", 0) == RememberedToken(100, 7, "aud", "", "")


def test_what_is_forgotten_is_gone() -> None:
    memory = RememberedTokens()
    memory.remember("token", ENTRY)

    memory.forget("token")

    assert memory.find("token", 0) is None


def test_there_are_never_more_than_the_limit_and_what_is_used_stays() -> None:
    memory = RememberedTokens(10)
    memory.remember("used", ENTRY)
    for number in range(100):
        memory.remember(f"token {number}", ENTRY)
        memory.find("used", 0)

    assert len(memory) <= 10
    assert memory.find("used", 0) == ENTRY


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
