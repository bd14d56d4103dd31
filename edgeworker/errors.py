"""Every error a person can meet; one class per thing that can be done about it. Pure.

A message says what is wrong, where, and what would be right. A bug is not an EdgeworkerError and is not caught.
"""

from typing import Literal, TypeVar

_E = TypeVar("_E", bound=BaseException)


def with_cause(error: _E, cause: BaseException) -> _E:
    """`error` with its `__cause__`, which a compiled `raise ... from` leaves out."""
    error.__cause__ = cause
    return error


class EdgeworkerError(Exception):
    """What a person can mend. The command line prints its text without a traceback and exits 1."""


class ConfigError(EdgeworkerError):
    """Configuration that cannot be used: correct the file, option or value that the text names."""


class ScriptError(EdgeworkerError):
    """A worker's script that cannot be loaded or has no such handler: correct the script.

    `place` is the file and line of the mistake, where it is known and may be another file than the worker's main.
    """

    def __init__(self, text: str, place: tuple[str, int] | None = None) -> None:
        super().__init__(text)
        self.place = place


class SocketError(EdgeworkerError):
    """An address that cannot be listened on: choose another one, or stop the program that holds it.

    `socket` names the edge's socket: "url", "api_url", ...; "" where that is not known.
    """

    def __init__(self, text: str, *, socket: str = "") -> None:
        super().__init__(text)
        self.socket = socket


class OriginError(EdgeworkerError):
    """A server behind the edge, or on the internet, that did not answer as HTTP wants.

    `status` is Cloudflare's: 521 refused, 522 connect timed out, 523 unreachable (no such host or route),
    524 answer timed out, 520 an answer that is not HTTP, 525 TLS handshake failed, 526 bad certificate,
    530 (with `code` 1016) no origin is configured or its name does not resolve, 503 the edge itself has no room:
    too many requests are under way, or no file descriptor is left.
    `nothing_sent`: no byte of the request left, so that another server may get it. `sender_stalled`: the server still
    waited for the request's body, which its sender did not send.

    Source: https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/
    """

    def __init__(
        self,
        text: str,
        *,
        status: int,
        code: int | None = None,
        nothing_sent: bool = False,
        sender_stalled: bool = False,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.nothing_sent = nothing_sent
        self.sender_stalled = sender_stalled


# Which rule of KV was broken; the REST API has a code for each.
KVRule = Literal[
    "key name",
    "key length",
    "value",
    "value length",
    "metadata",
    "expiration",
    "expiration_ttl",
    "cache_ttl",
    "limit",
    "cursor",
    "bulk",
    "rate",
    "namespace not found",
    "title taken",
]


class KVError(EdgeworkerError):
    """A KV call that breaks a rule of KV. `status` is the HTTP status that KV's service would answer."""

    def __init__(self, text: str, *, status: int, rule: KVRule) -> None:
        super().__init__(text)
        self.status = status
        self.rule: KVRule = rule


class KVTypeError(KVError, TypeError):
    """A KV call that JavaScript refuses with a TypeError before it reaches KV's service."""

    def __init__(self, text: str, *, rule: KVRule) -> None:
        super().__init__(text, status=400, rule=rule)


class StoreError(EdgeworkerError):
    """Storage that cannot be read or written (locked, full, corrupt, newer): nothing was acknowledged."""


_MOST_CAUSES = 20


def find_store_error(error: BaseException) -> StoreError | None:
    """The failure of storage that this exception came of, if it did."""
    cause: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if cause is None or isinstance(cause, StoreError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None
