"""AES in the modes GCM, CBC, CTR and KW."""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import keywrap
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from edgeworker.runtime.webapi.crypto.keys import Algorithm, CryptoKey, bytes_field, int_field, operation_error
from edgeworker.runtime.webapi.crypto.secret import AESKeys, secret_of

_BLOCK: Final = 16
_TAG_BITS: Final = (32, 64, 96, 104, 112, 120, 128)
_CRYPT: Final = ("encrypt", "decrypt", "wrapKey", "unwrapKey")


class GCM(AESKeys):
    def __init__(self) -> None:
        super().__init__("AES-GCM", _CRYPT)

    def encrypt(self, algorithm: Algorithm, key: CryptoKey, data: bytes) -> bytes:
        size = _tag_bytes(algorithm)
        encryptor = Cipher(algorithms.AES(secret_of(key)), modes.GCM(_iv(algorithm))).encryptor()
        encryptor.authenticate_additional_data(_additional(algorithm))
        return encryptor.update(data) + encryptor.finalize() + encryptor.tag[:size]

    def decrypt(self, algorithm: Algorithm, key: CryptoKey, data: bytes) -> bytes:
        size = _tag_bytes(algorithm)
        if len(data) < size:
            raise operation_error(
                f"Ciphertext length of {8 * len(data)} bits must be greater than or equal to the size of the AES-GCM "
                f"tag length of {8 * size} bits."
            )
        text, tag = data[: len(data) - size], data[len(data) - size :]
        mode = modes.GCM(_iv(algorithm), tag, min_tag_length=size)
        decryptor = Cipher(algorithms.AES(secret_of(key)), mode).decryptor()
        decryptor.authenticate_additional_data(_additional(algorithm))
        try:
            return decryptor.update(text) + decryptor.finalize()
        except InvalidTag:
            raise _failed(len(text), len(text), self.name) from None


class CBC(AESKeys):
    def __init__(self) -> None:
        super().__init__("AES-CBC", _CRYPT)

    def encrypt(self, algorithm: Algorithm, key: CryptoKey, data: bytes) -> bytes:
        encryptor = Cipher(algorithms.AES(secret_of(key)), modes.CBC(self._iv(algorithm))).encryptor()
        padder = PKCS7(8 * _BLOCK).padder()
        return encryptor.update(padder.update(data) + padder.finalize()) + encryptor.finalize()

    def decrypt(self, algorithm: Algorithm, key: CryptoKey, data: bytes) -> bytes:
        decryptor = Cipher(algorithms.AES(secret_of(key)), modes.CBC(self._iv(algorithm))).decryptor()
        unpadder = PKCS7(8 * _BLOCK).unpadder()
        try:
            return unpadder.update(decryptor.update(data) + decryptor.finalize()) + unpadder.finalize()
        except ValueError:
            raise _failed(len(data), max(0, len(data) - _BLOCK), self.name) from None

    def _iv(self, algorithm: Algorithm) -> bytes:
        iv = bytes_field(algorithm, "iv")
        if len(iv) != _BLOCK:
            raise operation_error(f"AES-CBC IV must be 16 bytes long (provided {len(iv)} bytes).")
        return iv


class CTR(AESKeys):
    """Only the last `length` bits of the counter count."""

    def __init__(self) -> None:
        super().__init__("AES-CTR", _CRYPT)

    def encrypt(self, algorithm: Algorithm, key: CryptoKey, data: bytes) -> bytes:
        counter, bits = bytes_field(algorithm, "counter"), int_field(algorithm, "length")
        if len(counter) != _BLOCK:
            raise operation_error(f"AES-CTR counter must be 16 bytes long (provided {len(counter)} bytes).")
        if not 1 <= bits <= 128:
            raise operation_error(f"Invalid AES-CTR counter length ({bits} bits): it is from 1 to 128.")
        if (len(data) + _BLOCK - 1) // _BLOCK > 1 << bits:
            raise operation_error("Counter block values will repeat.")
        start = int.from_bytes(counter, "big")
        mask = (1 << bits) - 1
        # The library's counter is of 128 bits: where ours begins anew, so does the encryption.
        before = ((1 << bits) - (start & mask)) * _BLOCK
        first = self._run(key, counter, data[:before])
        return first + self._run(key, (start & ~mask).to_bytes(_BLOCK, "big"), data[before:])

    decrypt = encrypt

    def _run(self, key: CryptoKey, counter: bytes, data: bytes) -> bytes:
        encryptor = Cipher(algorithms.AES(secret_of(key)), modes.CTR(counter)).encryptor()
        return encryptor.update(data) + encryptor.finalize()


class KW(AESKeys):
    def __init__(self) -> None:
        super().__init__("AES-KW", ("wrapKey", "unwrapKey"))

    def encrypt(self, algorithm: Algorithm, key: CryptoKey, data: bytes) -> bytes:
        """Of wrapKey only: no key of this algorithm may have the usage "encrypt"."""
        try:
            return keywrap.aes_key_wrap(secret_of(key), data)
        except ValueError as error:
            raise operation_error(f"AES-KW key wrapping failed: {error}") from None

    def decrypt(self, algorithm: Algorithm, key: CryptoKey, data: bytes) -> bytes:
        try:
            return keywrap.aes_key_unwrap(secret_of(key), data)
        except (keywrap.InvalidUnwrap, ValueError):
            raise operation_error("AES-KW key unwrapping failed.") from None


def _iv(algorithm: Algorithm) -> bytes:
    iv = bytes_field(algorithm, "iv")
    # The library's limits; workerd's are wider, and 12 bytes are the usual length.
    if not 8 <= len(iv) <= 128:
        raise operation_error(f"AES-GCM IV must be from 8 to 128 bytes long here (provided {len(iv)} bytes).")
    return iv


def _additional(algorithm: Algorithm) -> bytes:
    return b"" if algorithm.get("additionalData") is None else bytes_field(algorithm, "additionalData")


def _tag_bytes(algorithm: Algorithm) -> int:
    bits = int_field(algorithm, "tagLength", 128)
    if bits not in _TAG_BITS:
        raise operation_error(f"Invalid AES-GCM tag length {bits}.")
    return bits // 8


def _failed(given: int, expected: int, name: str) -> Exception:
    return operation_error(
        "Decryption failed. This could be due to a ciphertext authentication failure, bad padding, incorrect "
        f"CryptoKey, or another algorithm-specific reason. Input length was {given}, output length expected to be "
        f"{expected} for {name}"
    )
