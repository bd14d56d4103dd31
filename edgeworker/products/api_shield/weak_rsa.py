"""RSA moduli that look sound and are not. Pure."""

from typing import Final

_PRIMES: Final = (
    11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157,
)  # fmt: skip
_GENERATOR: Final = 65537


def _subgroup(prime: int) -> frozenset[int]:
    members, power = set(), 1
    while power not in members:
        members.add(power)
        power = power * _GENERATOR % prime
    return frozenset(members)


_SUBGROUPS: Final = tuple((prime, _subgroup(prime)) for prime in _PRIMES)


def has_roca_fingerprint(modulus: int) -> bool:
    """Whether the modulus was made by a library whose keys can be factored (CVE-2017-15361): it then is a power of
    65537 modulo every small prime, which one of 2^27 others is by chance."""
    return all(modulus % prime in members for prime, members in _SUBGROUPS)
