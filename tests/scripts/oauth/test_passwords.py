"""Passwords at rest: attack O13, and defect 15."""

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from issuer import passwords
from issuer.passwords import BadHash, BadPassword

# Made with the reference implementation's parameters by cryptography itself, which is not our code.
ARGON2 = Argon2id(salt=b"0123456789abcdef", length=32, iterations=2, lanes=1, memory_cost=19_456).derive_phc_encoded(
    b"correct horse"
)


@pytest.mark.parametrize("scheme", ["argon2id", "scrypt"])
def test_a_password_matches_its_own_hash_alone(scheme: passwords.Scheme) -> None:
    stored = passwords.make("correct horse", scheme=scheme)

    assert stored.startswith(f"${scheme}$")
    assert passwords.matches(stored, "correct horse")
    assert not passwords.matches(stored, "correct horsf")
    assert not passwords.matches(stored, "")
    assert stored != passwords.make("correct horse", scheme=scheme)


def test_a_hash_of_another_program_is_understood() -> None:
    assert passwords.matches(ARGON2, "correct horse")


def test_one_password_typed_in_two_ways_is_one() -> None:
    stored = passwords.make("caf\u00e9 au lait")

    assert passwords.matches(stored, "cafe\u0301 au lait")


def test_the_best_scheme_is_taken_unless_one_is_chosen() -> None:
    assert passwords.make("correct horse").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize("password", ["", "1234567", "é" * 7, "x" * 1025, "é" * 513, "x" * 10_000_000])
def test_a_password_too_short_or_too_long_cannot_be_set(password: str) -> None:
    with pytest.raises(BadPassword) as refused:
        passwords.make(password)

    assert password == "" or password not in str(refused.value)


def test_a_password_that_is_too_long_is_not_even_hashed() -> None:
    longest, longer = b"x" * 1024, b"x" * 1025

    def hashed(password: bytes) -> str:
        kdf = Argon2id(salt=b"0123456789abcdef", length=32, iterations=1, lanes=1, memory_cost=64)
        return kdf.derive_phc_encoded(password)

    assert passwords.matches(hashed(longest), longest.decode())
    assert not passwords.matches(hashed(longer), longer.decode())
    assert not passwords.matches(hashed(longest), "x" * 10_000_000)


def test_a_hash_for_no_one_costs_what_a_real_one_costs_and_matches_nothing() -> None:
    assert passwords.dummy().rsplit("$", 2)[0] == passwords.make("correct horse").rsplit("$", 2)[0]
    assert not passwords.matches(passwords.dummy(), "")
    assert not passwords.matches(passwords.dummy(), "correct horse")


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "correct horse",
        "$2b$12$abcdefghijklmnopqrstuv",
        "$argon2id$v=19$m=99999999,t=2,p=1$" + "A" * 22 + "$" + "A" * 43,
        "$argon2id$v=19$m=1048576,t=2,p=1$" + "A" * 22 + "$" + "A" * 43,
        "$argon2id$v=19$m=19456,t=99,p=1$" + "A" * 22 + "$" + "A" * 43,
        "$argon2id$v=19$m=8,t=1,p=2$" + "A" * 22 + "$" + "A" * 43,
        "$argon2i$v=19$m=19456,t=2,p=1$" + "A" * 22 + "$" + "A" * 43,
        "$scrypt$ln=20,r=8,p=1$" + "A" * 22 + "$" + "A" * 43,
        "$scrypt$ln=15,r=8,p=3$" + "A" * 21 + "$" + "A" * 43,
        ARGON2 + "\n",
    ],
)
def test_a_hash_that_is_malformed_or_too_costly_is_refused(stored: str) -> None:
    with pytest.raises(BadHash):
        passwords.check_hash(stored)
    with pytest.raises(BadHash):
        passwords.matches(stored, "correct horse")
