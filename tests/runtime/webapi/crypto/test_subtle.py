"""What no recording can say: keys and signatures that are new each time, and what our own choices are."""

import pytest

from edgeworker.runtime.webapi.crypto import Crypto, CryptoKey
from edgeworker.runtime.webapi.crypto.keys import CryptoKeyPair
from edgeworker.runtime.webapi.crypto.subtle import KINDS
from edgeworker.runtime.webapi.ffi import JsDict, JsException
from edgeworker.runtime.webapi.plain_objects import as_js

subtle = Crypto().subtle
E = b"\x01\x00\x01"
RSA = {"modulusLength": 2048, "publicExponent": E, "hash": "SHA-256"}
SIGNING = [
    # (of the keys, of the signature, and how long it is)
    ({"name": "RSASSA-PKCS1-v1_5", **RSA}, "RSASSA-PKCS1-v1_5", 256),
    ({"name": "RSA-PSS", **RSA}, {"name": "RSA-PSS", "saltLength": 32}, 256),
    ({"name": "ECDSA", "namedCurve": "P-256"}, {"name": "ECDSA", "hash": "SHA-256"}, 64),
    ({"name": "ECDSA", "namedCurve": "P-521"}, {"name": "ECDSA", "hash": "SHA-512"}, 132),
    ("Ed25519", {"name": "Ed25519"}, 64),
]


async def pair(algorithm: object, *usages: str) -> CryptoKeyPair:
    made = await subtle.generateKey(as_js(algorithm), True, list(usages))
    assert isinstance(made, CryptoKeyPair)
    return made


@pytest.mark.parametrize(("keys", "algorithm", "size"), SIGNING, ids=lambda value: str(value)[:40])
async def test_what_a_new_key_signs_is_verified_by_its_public_half_alone(
    keys: object, algorithm: object, size: int
) -> None:
    made, other = await pair(keys, "sign", "verify"), await pair(keys, "sign", "verify")

    signature = await subtle.sign(algorithm, made.privateKey, b"data")

    assert len(signature) == size
    assert await subtle.verify(algorithm, made.publicKey, signature, b"data")
    assert not await subtle.verify(algorithm, made.publicKey, signature, b"date")
    assert not await subtle.verify(algorithm, other.publicKey, signature, b"data")


@pytest.mark.parametrize("form", ["jwk", "spki", "pkcs8"])
@pytest.mark.parametrize(
    "algorithm",
    [
        {"name": "RSA-OAEP", **RSA},
        {"name": "ECDH", "namedCurve": "P-384"},
        "X25519",
        "Ed25519",
        *[a for a, _, _ in SIGNING[:3]],
    ],
    ids=lambda value: value if isinstance(value, str) else value["name"],
)
async def test_an_exported_key_is_imported_as_what_it_was(algorithm: object, form: str) -> None:
    name = algorithm if isinstance(algorithm, str) else as_js(algorithm)["name"]  # type: ignore[index]  # a JsDict
    usages = {"RSA-OAEP": ("encrypt", "decrypt"), "ECDH": ("deriveBits",), "X25519": ("deriveBits",)}
    made = await pair(algorithm, *usages.get(str(name), ("sign", "verify")))
    key = made.publicKey if form == "spki" else made.privateKey

    exported = await subtle.exportKey(form, key)
    again = await subtle.importKey(form, exported, as_js(algorithm), True, key.usages)

    assert (again.type, again.name, list(again.usages)) == (key.type, key.name, list(key.usages))
    assert await subtle.exportKey(form, again) == exported


async def test_oaep_encrypts_for_the_private_key() -> None:
    made = await pair({"name": "RSA-OAEP", **RSA}, "encrypt", "decrypt")
    labelled = as_js({"name": "RSA-OAEP", "label": b"l"})

    secret = await subtle.encrypt(labelled, made.publicKey, b"data")

    assert await subtle.decrypt(labelled, made.privateKey, secret) == b"data"
    with pytest.raises(JsException, match=r"RSA-OAEP failed encrypt/decrypt\."):
        await subtle.decrypt("RSA-OAEP", made.privateKey, secret)


async def test_two_halves_agree_on_a_secret() -> None:
    for algorithm in ({"name": "ECDH", "namedCurve": "P-521"}, {"name": "X25519"}):
        one, two = await pair(algorithm, "deriveBits"), await pair(algorithm, "deriveBits")
        name = algorithm["name"]

        ours = await subtle.deriveBits({"name": name, "public": two.publicKey}, one.privateKey)
        theirs = await subtle.deriveBits({"name": name, "public": one.publicKey}, two.privateKey)

        assert ours == theirs
        assert len(ours) in (66, 32)


async def test_a_key_that_is_not_extractable_stays_here() -> None:
    made = await subtle.generateKey(as_js({"name": "AES-GCM", "length": 256}), False, ["encrypt"])
    assert isinstance(made, CryptoKey)

    for form in ("raw", "jwk"):
        with pytest.raises(JsException, match="Attempt to export non-extractable AES-GCM key"):
            await subtle.exportKey(form, made)
    wrapping = await subtle.generateKey(as_js({"name": "AES-KW", "length": 128}), True, ["wrapKey"])
    with pytest.raises(JsException, match="Attempt to export non-extractable AES-GCM key"):
        await subtle.wrapKey("raw", made, wrapping, "AES-KW")


async def test_no_secret_is_shown_by_a_repr() -> None:
    key = await subtle.importKey("raw", b"very secret", as_js({"name": "HMAC", "hash": "SHA-256"}), True, ["sign"])

    assert repr(key) == "CryptoKey(type='secret', algorithm='HMAC')"


@pytest.mark.parametrize(
    ("algorithm", "says"),
    [
        ({**RSA, "modulusLength": 16_384}, "RSA keys of 1024 to 8192 bits"),
        ({**RSA, "modulusLength": 512}, "RSA keys of 1024 to 8192 bits"),
        ({**RSA, "publicExponent": b"\x05"}, "must be either 3 or 65537"),
    ],
)
async def test_a_key_that_would_hold_the_edge_for_minutes_is_not_made(algorithm: dict[str, object], says: str) -> None:
    with pytest.raises(JsException, match=says):
        await pair({"name": "RSA-PSS", **algorithm}, "sign")


@pytest.mark.parametrize("name", KINDS)
async def test_what_an_algorithm_cannot_do_is_an_error_and_no_crash(name: str) -> None:
    described = JsDict(name=name, hash=JsDict(name="SHA-256"))
    key = CryptoKey("secret", described, True, ("sign", "encrypt", "deriveBits"), b"")
    for usage, capable in (("sign", "sign"), ("encrypt", "encrypt"), ("deriveBits", "derive")):
        if hasattr(KINDS[name], capable):
            continue
        with pytest.raises(JsException, match=f'The {usage} operation is not implemented for "{name}"'):
            await getattr(subtle, usage)(name, key, b"")


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 100])
@pytest.mark.parametrize("mode", ["AES-CBC", "AES-CTR", "AES-GCM"])
async def test_what_is_encrypted_is_decrypted(mode: str, size: int) -> None:
    key = await subtle.importKey("raw", bytes(16), mode, False, ["encrypt", "decrypt"])
    parameters: dict[str, dict[str, object]] = {
        "AES-CBC": {"iv": bytes(16)},
        "AES-CTR": {"counter": b"\xff" * 16, "length": 8},  # begins anew after the first block
        "AES-GCM": {"iv": bytes(12)},
    }
    algorithm = {"name": mode, **parameters[mode]}

    decrypted = await subtle.decrypt(algorithm, key, await subtle.encrypt(algorithm, key, bytes(size)))

    assert bytes(decrypted) == bytes(size)
