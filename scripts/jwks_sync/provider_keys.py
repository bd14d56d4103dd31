"""Which keys of an identity provider's set go to API Shield. Pure.

API Shield holds 16 keys in a configuration and drops what it does not support without an error, so that is decided
here.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MAX_KEYS = 16
RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
CURVES = {"P-256": "ES256", "P-384": "ES384"}
PRIVATE_MEMBERS = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")

Jwk = Mapping[str, object]


class DoubtfulKeySet(ValueError):
    """A set that is not taken over: the keys of before stay."""


@dataclass(frozen=True)
class KeyMembers:
    """One key with the members that API Shield keeps. `name` tells it from others."""

    members: tuple[tuple[str, str], ...]

    @property
    def name(self) -> tuple[str, str]:
        found = dict(self.members)
        return found["alg"], found["kid"]


def read_key_set(text: str) -> list[KeyMembers]:
    """The keys that can verify signatures. Raises DoubtfulKeySet if there is none, or one that should not be public."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise DoubtfulKeySet("it is not JSON") from None
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise DoubtfulKeySet('it has no "keys"')
    found: dict[tuple[str, str], KeyMembers] = {}
    for key in keys:
        if not isinstance(key, dict):
            raise DoubtfulKeySet("a key is not an object")
        if any(member in key for member in PRIVATE_MEMBERS):
            raise DoubtfulKeySet("it holds a private key or a secret")
        taken = take_members(key)
        if taken is None:
            continue
        if taken.name in found and found[taken.name] != taken:
            raise DoubtfulKeySet("two keys have one kid and alg")
        found[taken.name] = taken
    if not found:
        raise DoubtfulKeySet("it holds no key that API Shield supports")
    if len(found) > MAX_KEYS:
        raise DoubtfulKeySet(f"it holds {len(found)} keys, and API Shield takes {MAX_KEYS}")
    return list(found.values())


def take_members(key: Jwk) -> KeyMembers | None:
    """None for a key that API Shield would drop."""
    operations = key.get("key_ops", ["verify"])
    if key.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return None
    match key.get("kty"):
        case "RSA" if key.get("alg", "RS256") in RSA_ALGORITHMS:
            return _members({"alg": "RS256", **key}, ("kty", "kid", "alg", "n", "e"))
        case "EC" if (alg := CURVES.get(str(key.get("crv")))) is not None and key.get("alg", alg) == alg:
            return _members({"alg": alg, **key}, ("kty", "kid", "alg", "crv", "x", "y"))
        case _:
            return None


def _members(key: Jwk, names: Sequence[str]) -> KeyMembers | None:
    values = [key.get(name) for name in names]
    if not all(isinstance(value, str) and value for value in values):
        return None
    return KeyMembers(tuple((name, str(value)) for name, value in zip(names, values, strict=True)))


def with_overlap(new: Sequence[KeyMembers], kept: Sequence[KeyMembers]) -> list[KeyMembers]:
    """The new keys, and as many of `kept` (the latest first) as there is room for."""
    names = {key.name for key in new}
    older = [key for key in kept if key.name not in names]
    return [*new, *older[: MAX_KEYS - len(new)]]


def same_keys(one: Sequence[KeyMembers], other: Sequence[KeyMembers]) -> bool:
    return set(one) == set(other)
