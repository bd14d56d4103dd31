"""The memory of verified tokens is bounded, and no token is in it."""

from edgeworker.products.remembered import RememberedByToken


def test_what_was_remembered_is_found_until_it_is_forgotten() -> None:
    memory: RememberedByToken[str] = RememberedByToken(max_entries=10, max_bytes=1000)
    memory.remember(b"token-1", "one", size=1)
    memory.remember(b"token-1", "uno", size=1)

    assert memory.find(b"token-1") == "uno"
    assert memory.find(b"token-2") is None
    memory.forget(b"token-1")
    assert memory.find(b"token-1") is None
    memory.remember(b"token-3", "three", size=1)
    memory.clear()
    assert len(memory) == 0


def test_the_number_of_entries_and_of_bytes_is_bounded() -> None:
    by_count: RememberedByToken[int] = RememberedByToken(max_entries=100, max_bytes=10**9)
    by_size: RememberedByToken[int] = RememberedByToken(max_entries=10**9, max_bytes=1000)
    for number in range(1000):
        by_count.remember(b"%d" % number, number, size=1)
        by_size.remember(b"%d" % number, number, size=100)

    assert len(by_count) <= 100
    assert len(by_size) <= 10
    assert by_count.find(b"999") == by_size.find(b"999") == 999
    by_size.remember(b"huge", 1, size=501)
    assert by_size.find(b"huge") is None


def test_what_is_used_stays() -> None:
    memory: RememberedByToken[int] = RememberedByToken(max_entries=10, max_bytes=10**9)
    memory.remember(b"often", 1, size=1)
    for number in range(100):
        memory.remember(b"%d" % number, number, size=1)
        assert memory.find(b"often") == 1


def test_no_token_is_kept() -> None:
    memory: RememberedByToken[int] = RememberedByToken(max_entries=10, max_bytes=1000)
    memory.remember(b"secret-token", 1, size=1)

    assert b"secret" not in repr(vars(memory)).encode()
