"""What the algorithms with key pairs share: the forms SPKI and PKCS #8, and which half may do what."""

from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from edgeworker.runtime.webapi.crypto.keys import CryptoKey, Usages, data_error, invalid_access, no_export
from edgeworker.runtime.webapi.ffi import JsException

_NAMES: Final = {"spki": "SPKI", "pkcs8": "PKCS8"}


def from_der(form: str, data: object) -> object:
    """The key object. Raises JsException (DataError) for what is not a key."""
    assert isinstance(data, bytes)
    try:
        return load_der_public_key(data) if form == "spki" else load_der_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise data_error(f"Invalid {_NAMES[form]} input.") from None


def of_another_algorithm(form: str) -> JsException:
    return data_error(f"Invalid {_NAMES[form]} input: the key is of another algorithm.")


def to_der(form: str, key: CryptoKey) -> bytes:
    """Raises JsException (InvalidAccessError) for the form of the other half."""
    needed = {"spki": "public", "pkcs8": "private"}.get(form)
    if needed is None:
        raise no_export(form)
    if key.type != needed:
        raise invalid_access(f'Asymmetric {form} export requires {needed} key (not "{key.type}").')
    material = key.material
    if needed == "public":
        written: object = getattr(material, "public_bytes")(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # noqa: B009
    else:
        written = getattr(material, "private_bytes")(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())  # noqa: B009
    assert isinstance(written, bytes)
    return written


def halves(usages: Usages, public: Usages, private: Usages) -> tuple[Usages, Usages]:
    """The usages of a new pair. Raises JsException (SyntaxError) where the private key could do nothing."""
    for usage in usages:
        if usage not in (*public, *private):
            raise JsException("SyntaxError", f'Attempt to generate asymmetric keys with invalid usage "{usage}".')
    of_private = tuple(usage for usage in private if usage in usages)
    if not of_private:
        raise JsException("SyntaxError", "Attempt to generate asymmetric keys with no valid private key usages.")
    return tuple(usage for usage in public if usage in usages), of_private
