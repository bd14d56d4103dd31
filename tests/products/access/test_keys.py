"""Signing keys: what is published, which verify, and how they change places."""

from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from edgeworker.config import JSON
from edgeworker.errors import StoreError
from edgeworker.products.access.config import DAY_SECONDS, GRACE_SECONDS
from edgeworker.products.access.keys import KeySet, SigningKey, certs, from_document, make_key, to_document

NOW = 1_800_000_000
EC_KEY = (
    ec.generate_private_key(ec.SECP256R1())
    .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    .decode()
)


@cache
def key(number: int) -> SigningKey:
    return make_key("acme.cloudflareaccess.com", now=NOW)


FRESH = KeySet(key(1), NOW, upcoming=key(2))
ROTATED = FRESH.rotate(key(3), NOW + 10)


def test_two_keys_are_published_at_each_time() -> None:
    settled = ROTATED.with_upcoming(key(3))

    assert FRESH.published_keys(NOW) == (key(1), key(2))
    assert ROTATED.published_keys(NOW + 10) == (key(2), key(1))
    assert ROTATED.published_keys(NOW + 10 + GRACE_SECONDS) == (key(2),)
    assert ROTATED.needs_upcoming(NOW + 10 + GRACE_SECONDS)
    assert not ROTATED.needs_upcoming(NOW + 9 + GRACE_SECONDS)
    assert settled.published_keys(NOW) == (key(2), key(3))


def test_the_previous_key_verifies_for_seven_days_and_the_announced_one_not_yet() -> None:
    assert FRESH.find(key(1).kid, NOW) == (key(1), None)
    assert FRESH.find(key(2).kid, NOW) is None
    assert ROTATED.find(key(1).kid, NOW + 10) == (key(1), NOW + 10 + GRACE_SECONDS)
    assert ROTATED.find(key(1).kid, NOW + 10 + GRACE_SECONDS) is None


def test_a_second_rotation_within_the_grace_drops_the_older_key_at_once() -> None:
    twice = ROTATED.rotate(key(3), NOW + 20)

    assert twice.published_keys(NOW + 20) == (key(3), key(2))
    assert twice.find(key(1).kid, NOW + 20) is None


def test_a_rotation_is_due_after_its_interval() -> None:
    assert not FRESH.is_due(NOW + 42 * DAY_SECONDS - 1, 42)
    assert FRESH.is_due(NOW + 42 * DAY_SECONDS, 42)


def test_the_certs_document_has_the_members_of_the_real_one() -> None:
    shown = certs(FRESH, now=NOW, swap=False)
    swapped = certs(FRESH, now=NOW, swap=True)

    assert sorted(shown) == ["keys", "public_cert", "public_certs"]
    assert sorted(shown["keys"][0]) == ["alg", "e", "kid", "kty", "n", "use"]  # type: ignore[index,arg-type]
    assert shown["public_cert"] == swapped["public_cert"] == {"kid": key(1).kid, "cert": key(1).certificate}
    assert swapped["keys"] == [key(2).jwk, key(1).jwk]
    assert swapped["public_certs"] == [
        {"kid": key(2).kid, "cert": key(2).certificate},
        {"kid": key(1).kid, "cert": key(1).certificate},
    ]


def test_a_key_has_a_certificate_for_its_public_key() -> None:
    certificate = x509.load_pem_x509_certificate(key(1).certificate.encode())
    public = certificate.public_key()

    assert isinstance(public, rsa.RSAPublicKey)
    assert public.public_numbers() == key(1).public.public_numbers()
    assert public.key_size == 2048
    assert len(key(1).kid) == 64
    assert "PRIVATE" not in repr(key(1))


def test_keys_survive_as_a_document() -> None:
    back = from_document(to_document(ROTATED))

    assert (back.current.kid, back.rotated_at) == (key(2).kid, NOW + 10)
    assert back.previous is not None
    assert back.previous.kid == key(1).kid
    assert back.current.private.private_numbers() == key(2).private.private_numbers()


def test_a_key_that_was_read_before_is_not_checked_again() -> None:
    document = to_document(ROTATED)

    assert from_document(document).current.private is from_document(document).current.private


@pytest.mark.parametrize(
    "current",
    [None, {"kid": "k", "certificate": "c", "private": "x"}, {"kid": "k", "certificate": "c", "private": EC_KEY}],
    ids=["none", "not PEM", "not RSA"],
)
def test_a_document_without_a_key_is_damaged(current: JSON) -> None:
    with pytest.raises(StoreError, match="damaged"):
        from_document({"rotated_at": 1, "current": current})
