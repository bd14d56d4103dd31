"""Keys out of passwords, and ciphers, of `node:crypto`. What is asked of them is JSON with bytes in hexadecimal."""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.modes import CBC, CTR, ECB

# One such call is not interrupted by the script's CPU limit, so it has limits of its own.
_MAX_ITERATIONS: Final = 1_000_000
_MAX_SCRYPT_BYTES: Final = 128 * 1024 * 1024
_MAX_SCRYPT_COST: Final = 1 << 22  # N * r * p: a second or two
_MAX_KEY_BYTES: Final = 1024 * 1024
_HASHES: Final = frozenset({"md5", "sha1", "sha224", "sha256", "sha384", "sha512"})
_CIPHERS: Final = frozenset(f"aes-{bits}-{mode}" for bits in (128, 192, 256) for mode in ("cbc", "ctr", "gcm", "ecb"))


class CipherError(Exception):
    """What the script is told."""


def derive(text: str) -> bytes:
    """scrypt, PBKDF2 or HKDF. May take a second: called in a thread. Raises CipherError."""
    told = json.loads(text)
    length = _read_integer(told, "length", _MAX_KEY_BYTES)
    secret, salt = _read_bytes(told, "secret"), _read_bytes(told, "salt")
    name = str(told.get("hash", "sha1")).lower().replace("sha-", "sha")
    if told["method"] != "scrypt" and name not in _HASHES:
        raise CipherError(f"Invalid digest: {told.get('hash')}")
    try:
        match told["method"]:
            case "scrypt":
                memory = min(_read_integer(told, "maxmem", _MAX_SCRYPT_BYTES) + 1024 * 1024, _MAX_SCRYPT_BYTES)
                n, r, p = (_read_integer(told, part, 1 << 24) for part in ("N", "r", "p"))
                if n * r * p > _MAX_SCRYPT_COST:
                    raise CipherError(f"Invalid scrypt params: N * r * p may be {_MAX_SCRYPT_COST} at most here")
                return hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=memory, dklen=length)
            case "pbkdf2":
                iterations = _read_integer(told, "iterations", _MAX_ITERATIONS)
                return hashlib.pbkdf2_hmac(name, secret, salt, iterations, length)
            case _:
                return _derive_hkdf(name, secret, salt, _read_bytes(told, "info"), length)
    except (ValueError, OverflowError, MemoryError) as error:
        raise CipherError(f"Invalid {told['method']} params: {error}") from error


def derive_and_measure(text: str) -> tuple[bytes, float]:
    """`derive`, and the CPU time that it took: it counts as the script's."""
    begun = time.thread_time()
    return derive(text), time.thread_time() - begun


def _derive_hkdf(name: str, secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869."""
    size = hashlib.new(name).digest_size
    if length > 255 * size:
        raise CipherError("Invalid key length")
    extracted = hmac.new(salt or bytes(size), secret, name).digest()
    made = block = b""
    for number in range(1, -(-length // size) + 1):
        block = hmac.new(extracted, block + info + bytes([number]), name).digest()
        made += block
    return made[:length]


def transform(text: str, content: bytes) -> bytes:
    """All that a cipher or decipher was given, at once; a GCM text's tag is its last 16 bytes. Raises CipherError."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives import padding
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    told = json.loads(text)
    name, key, nonce = str(told["name"]).lower(), _read_bytes(told, "key"), _read_bytes(told, "nonce")
    if name not in _CIPHERS:
        raise CipherError(f"Unknown cipher {told['name']}; this engine has {', '.join(sorted(_CIPHERS))}")
    if len(key) * 8 != int(name.split("-")[1]):
        raise CipherError("Invalid key length")
    pads = name.endswith(("cbc", "ecb")) and told.get("pads", True)
    try:
        if name.endswith("gcm"):
            use = AESGCM(key).decrypt if told["decrypts"] else AESGCM(key).encrypt
            return use(nonce, content, _read_bytes(told, "aad"))
        cipher = Cipher(algorithms.AES(key), _make_mode(name, nonce))
        if told["decrypts"]:
            decryptor = cipher.decryptor()
            plain = decryptor.update(content) + decryptor.finalize()
            if not pads:
                return plain
            remover = padding.PKCS7(128).unpadder()
            return remover.update(plain) + remover.finalize()
        if pads:
            adder = padding.PKCS7(128).padder()
            content = adder.update(content) + adder.finalize()
        encryptor = cipher.encryptor()
        return encryptor.update(content) + encryptor.finalize()
    except InvalidTag as error:
        raise CipherError("Authentication failed") from error
    except ValueError as error:
        raise CipherError(str(error)) from error


def _make_mode(name: str, nonce: bytes) -> "CBC | CTR | ECB":
    from cryptography.hazmat.primitives.ciphers import modes

    if name.endswith("cbc"):
        return modes.CBC(nonce)
    return modes.CTR(nonce) if name.endswith("ctr") else modes.ECB()  # what the script asks for


def _read_bytes(told: Mapping[str, object], name: str) -> bytes:
    return bytes.fromhex(str(told.get(name) or ""))


def _read_integer(told: Mapping[str, object], name: str, most: int) -> int:
    value = told.get(name)
    if not isinstance(value, int) or not 0 <= value <= most:
        raise CipherError(f'The value of "{name}" is out of range. It must be >= 0 && <= {most}. Received {value}')
    return value
