"""NaCl's box, against what libsodium made of the same keys and texts."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edgeworker.products.access.nacl_box import seal

# PyNaCl 1.6: crypto_box(m, bytes(range(100, 124)), public(bytes(range(32, 64))), bytes(range(32))).
BOXES = {
    b"hello edge, " * 11: (
        "5264b365504b783fed77ccd7d97915768de607b8db214bcc90957b270b4ccffb3e6a61ee92dbfc7c5ccd60350ea727bda97257d49d"
        "72927315b03937687f0f9137da512ba64de90d0776f4b4d95b6579a8d7f11582a5347c1bb51464c5f6293b3e45fc21847dca8254f9"
        "e0b3de3af08553864528b6848faf3d0f8cd525b2999a959b5b71b6aeaf1372d21bb54974771774da4440"
    ),
}
LONG = {
    0: "9e2139fbb561d247",
    31: "e6c7f00659ae921f",
    32: "79e7e485c86182ee",
    33: "967dedf8c86f3f36",
    5000: "92019617fc031dfe",
}


def _seal(message: bytes) -> bytes:
    recipient = X25519PrivateKey.from_private_bytes(bytes(range(32, 64))).public_key()
    return seal(
        message,
        nonce=bytes(range(100, 124)),
        recipient=recipient.public_bytes(Encoding.Raw, PublicFormat.Raw),
        private=X25519PrivateKey.from_private_bytes(bytes(range(32))),
    )


@pytest.mark.parametrize("message", BOXES)
def test_a_box_is_libsodiums(message: bytes) -> None:
    assert _seal(message).hex() == BOXES[message]


@pytest.mark.parametrize("length", LONG)
def test_boxes_of_every_length_are_libsodiums(length: int) -> None:
    assert hashlib.sha256(_seal(b"a" * length)).hexdigest()[:16] == LONG[length]


@pytest.mark.parametrize("recipient", [b"", b"short", bytes(32)])
def test_what_is_not_a_public_key_is_refused(recipient: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # cryptography's own
        seal(b"m", nonce=bytes(24), recipient=recipient, private=X25519PrivateKey.generate())
