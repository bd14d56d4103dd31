"""`DOMException`. Source: https://webidl.spec.whatwg.org/#idl-DOMException"""

from collections.abc import Mapping
from typing import Final

from edgeworker.runtime.webapi.ffi import JsException
from edgeworker.runtime.webapi.surplus import javascript_class

# https://webidl.spec.whatwg.org/#idl-DOMException-error-names
_CODES: Final[Mapping[str, int]] = {
    "IndexSizeError": 1, "HierarchyRequestError": 3, "WrongDocumentError": 4, "InvalidCharacterError": 5,
    "NoModificationAllowedError": 7, "NotFoundError": 8, "NotSupportedError": 9, "InUseAttributeError": 10,
    "InvalidStateError": 11, "SyntaxError": 12, "InvalidModificationError": 13, "NamespaceError": 14,
    "InvalidAccessError": 15, "TypeMismatchError": 17, "SecurityError": 18, "NetworkError": 19, "AbortError": 20,
    "URLMismatchError": 21, "QuotaExceededError": 22, "TimeoutError": 23, "InvalidNodeTypeError": 24,
    "DataCloneError": 25,
}  # fmt: skip


@javascript_class
class DOMException(JsException):
    """`DOMException.new(message, name)`."""

    def __init__(self, message: object = "", name: object = "Error") -> None:
        super().__init__(str(name), str(message))
        self.code = _CODES.get(self.name, 0)

    @classmethod
    def new(cls, *args: object) -> "DOMException":
        return cls(*args)


# As a script that asks is told by pyodide, where every error of JavaScript is of this class.
DOMException.__name__ = DOMException.__qualname__ = "JsException"
