"""Refresh tokens: which one is current, which is reuse, which is neither."""

import itertools
from dataclasses import replace

import pytest

from issuer import digests, refresh_tokens
from issuer.records import Family

GRANT = refresh_tokens.new_grant_id()
SEAL = refresh_tokens.new_seal()


def family(token: str) -> Family:
    return Family(
        grant_id=GRANT,
        client_id="shop",
        user_id="u_1",
        scope=(),
        resource=(),
        seal=SEAL,
        current=digests.digest(token),
        created=1000,
        rotated_at=1000,
        auth_time=1000,
        expires_at=1100,
        absolute_expires_at=1250,
    )


def test_every_token_of_a_family_is_known_as_issued_however_old() -> None:
    tokens = [refresh_tokens.new_token(GRANT, SEAL) for _ in range(5)]
    known = family(tokens[0])
    for used, following in itertools.pairwise(tokens):
        known = refresh_tokens.rotate(known, used, following, now=1010, idle_seconds=100)

    assert [refresh_tokens.is_current(token, known) for token in tokens] == [False] * 4 + [True]
    assert all(refresh_tokens.was_issued(token, known) for token in tokens)


def test_who_knows_the_grant_alone_has_nothing() -> None:
    known = family(refresh_tokens.new_token(GRANT, SEAL))

    for invented in (
        refresh_tokens.new_token(GRANT, refresh_tokens.new_seal()),
        f"{GRANT}.{'A' * 64}",
        f"{GRANT}.",
        GRANT,
        "",
    ):
        assert not refresh_tokens.was_issued(invented, known)
        assert not refresh_tokens.is_current(invented, known)


def test_a_token_of_another_grant_is_not_of_this_one() -> None:
    other = refresh_tokens.new_grant_id()

    assert not refresh_tokens.was_issued(refresh_tokens.new_token(other, SEAL), family("x"))


@pytest.mark.parametrize(("now", "lost"), [(1000, True), (1009, True), (1010, False)])
def test_the_previous_token_is_good_for_the_time_of_grace(now: int, lost: bool) -> None:
    first, second = refresh_tokens.new_token(GRANT, SEAL), refresh_tokens.new_token(GRANT, SEAL)
    known = refresh_tokens.rotate(family(first), first, second, now=1000, idle_seconds=100)

    assert refresh_tokens.is_lost(first, known, now=now, grace_seconds=10) is lost
    assert not refresh_tokens.is_lost(first, known, now=now, grace_seconds=0)
    assert not refresh_tokens.is_lost(second, known, now=now, grace_seconds=10)


def test_asking_again_does_not_prolong_the_grace() -> None:
    first, second, third = (refresh_tokens.new_token(GRANT, SEAL) for _ in range(3))
    known = refresh_tokens.rotate(family(first), first, second, now=1000, idle_seconds=100)
    known = refresh_tokens.rotate(known, first, third, now=1009, idle_seconds=100)

    assert known.rotated_at == 1000
    assert not refresh_tokens.is_lost(first, known, now=1010, grace_seconds=10)


def test_idle_time_is_renewed_up_to_the_absolute_end() -> None:
    first, second = refresh_tokens.new_token(GRANT, SEAL), refresh_tokens.new_token(GRANT, SEAL)

    assert refresh_tokens.rotate(family(first), first, second, now=1050, idle_seconds=100).expires_at == 1150
    assert refresh_tokens.rotate(family(first), first, second, now=1200, idle_seconds=100).expires_at == 1250


def test_the_state_of_atomic_decides_and_a_revoked_one_is_none() -> None:
    known = replace(family("x"), previous="p")

    assert refresh_tokens.with_state(family("y"), refresh_tokens.state_of(known)) == known
    assert refresh_tokens.with_state(known, refresh_tokens.REVOKED) is None
    assert refresh_tokens.with_state(known, None) is None
