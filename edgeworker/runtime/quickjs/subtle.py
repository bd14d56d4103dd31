"""`crypto.subtle` for scripts of this engine: reads the arguments; the edge's own WebCrypto does the work."""

import json
from collections.abc import Mapping
from typing import Final

from edgeworker.config import JSON
from edgeworker.runtime.contract.javascript_values import decode, encode
from edgeworker.runtime.webapi.crypto.keys import CryptoKey, CryptoKeyPair
from edgeworker.runtime.webapi.crypto.subtle import SubtleCrypto
from edgeworker.runtime.webapi.ffi import JsException

_MARK: Final = "$ew"
_KEY: Final = "$ew-key"
_METHODS: Final = frozenset(
    {"digest", "importKey", "exportKey", "generateKey", "sign", "verify", "encrypt", "decrypt"}
    | {"deriveBits", "deriveKey", "wrapKey", "unwrapKey"}
)


class Keys:
    """The keys of one realm by number: their material never enters the script's memory."""

    def __init__(self) -> None:
        self._keys: dict[int, CryptoKey] = {}
        self._subtle = SubtleCrypto()

    async def run(self, method: str, values: list[JSON]) -> str:
        """The answer as JSON with marks. Raises JsException."""
        if method not in _METHODS:
            raise JsException("TypeError", f"crypto.subtle has no {method}()")
        arguments = [self._read_argument(decode(_mark_keys(value))) for value in values]
        try:
            return json.dumps(self._encode_answer(await getattr(self._subtle, method)(*arguments)))
        except (TypeError, ValueError) as error:  # an argument that has the wrong type
            raise JsException("TypeError", f"{method}(): {error}") from error

    def _read_argument(self, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        if set(value) == {_KEY}:
            return self._keys.get(int(str(value[_KEY])))
        return {name: self._read_argument(item) for name, item in value.items()}

    def _encode_answer(self, value: object) -> JSON:
        match value:
            case CryptoKeyPair():
                return {
                    "publicKey": self._describe_key(value.publicKey),
                    "privateKey": self._describe_key(value.privateKey),
                }
            case CryptoKey():
                return self._describe_key(value)
            case _:
                return encode(value)

    def _describe_key(self, key: CryptoKey) -> JSON:
        id = len(self._keys) + 1
        self._keys[id] = key
        told: dict[str, JSON] = {
            "id": id,
            "type": key.type,
            "extractable": key.extractable,
            "algorithm": encode(key.algorithm),
            "usages": list(key.allowed),
        }
        return {_MARK: "key", "value": told}


def _mark_keys(value: JSON) -> JSON:
    """Keys as objects that `decode` leaves alone."""
    if isinstance(value, list):
        return [_mark_keys(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(_MARK) == "key":
        return {_KEY: value["value"]}
    return {name: _mark_keys(item) for name, item in value.items()}
