"""What a script is told of an operation that failed."""

from typing import Final

from edgeworker.errors import EdgeworkerError
from edgeworker.messages import BodyLost, BodyTooLarge, BodyUsed
from edgeworker.runtime.contract.javascript import JavaScriptError, JavaScriptException
from edgeworker.runtime.quickjs import node_ciphers
from edgeworker.runtime.quickjs.invocation import OperationFailed
from edgeworker.runtime.webapi import body_init
from edgeworker.runtime.webapi.fetch_failure import FetchFailed
from edgeworker.runtime.webapi.ffi import JsException

_USED: Final = body_init.BODY_USED


def describe_failure(error: Exception) -> OperationFailed | None:
    """What the script's promise is rejected with; None for a fault of ours."""
    match error:
        case OperationFailed():
            return error
        case JavaScriptError():
            return OperationFailed(error.error, error.text)
        case JsException():
            return OperationFailed(error.name, error.message)
        case JavaScriptException():  # of a handler of HTMLRewriter
            return OperationFailed(error.name, error.text)
        case BodyUsed():
            return OperationFailed("TypeError", _USED)
        case FetchFailed():
            cause = error.__cause__
            return OperationFailed("Error", str(cause if isinstance(cause, EdgeworkerError) else error))
        case node_ciphers.CipherError() | BodyTooLarge() | BodyLost() | EdgeworkerError():
            return OperationFailed("Error", str(error))
        case _:
            return None
