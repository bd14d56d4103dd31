"""`crypto`: random values, and `subtle` with the algorithms that workerd has. Source: https://www.w3.org/TR/webcrypto-2/"""

import secrets
from functools import cached_property
from typing import TYPE_CHECKING

from edgeworker.runtime.webapi.base import type_error
from edgeworker.runtime.webapi.buffers import ArrayBuffer
from edgeworker.runtime.webapi.crypto.keys import CryptoKey
from edgeworker.runtime.webapi.ffi import JsException
from edgeworker.runtime.webapi.global_scope import refuse_in_global_scope
from edgeworker.runtime.webapi.surplus import javascript_class

if TYPE_CHECKING:
    from edgeworker.runtime.webapi.crypto.subtle import SubtleCrypto

_MAX_RANDOM_BYTES = 65_536

__all__ = ["Crypto", "CryptoKey"]


@javascript_class
class Crypto:
    @cached_property
    def subtle(self) -> "SubtleCrypto":
        # The algorithms take longer to import than all the rest of a small script.
        from edgeworker.runtime.webapi.crypto.subtle import SubtleCrypto

        return SubtleCrypto()

    def randomUUID(self) -> str:
        import uuid

        refuse_in_global_scope("crypto.randomUUID()")
        return str(uuid.uuid4())

    def getRandomValues(self, array: object) -> object:
        """Fills the array and answers it. At most 65536 bytes, as in the standard."""
        refuse_in_global_scope("crypto.getRandomValues()")
        if not isinstance(array, bytearray):
            raise type_error("crypto.getRandomValues() takes a typed array of whole numbers")
        size = bytearray.__len__(array)
        if size > _MAX_RANDOM_BYTES:
            raise JsException("QuotaExceededError", "getRandomValues() only accepts buffers of size <= 64K")
        content = secrets.token_bytes(size)
        if isinstance(array, ArrayBuffer):
            array.fill_bytes(content)
        else:
            array[:] = content
        return array
