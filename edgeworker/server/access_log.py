"""One record for each finished request: what an access log can say about it. Pure."""

from collections.abc import Callable
from typing import Final, NamedTuple

from edgeworker.admission import Refusal
from edgeworker.messages import RefusalReason

# The rule behind what is refused unread, or because of how it is written or sent.
LISTENER_RULE: Final = "what this listener accepts as a request"
# nginx's status for the log: the client left before the response began.
CLIENT_LEFT: Final = 499


# A tuple: there is one for each request, and a frozen dataclass takes three times as long to make.
class AccessLogRecord(NamedTuple):
    """`host` and `path` are "-" where the request was refused unread, and `reason` says why.

    `status` is 499 if the client left before its response began. `seconds` runs from the head of the request to the
    last byte of the response given to the system; `sent_bytes` counts the response's body. `complete` is False if the
    response was cut or the client had gone. `served_by`: see Response.served_by. `client` is the client's address, as
    far as trusted proxies tell it; `ray` is the response's CF-Ray, or "". `token` is Response.token_result, `refusal`
    why the edge refused it.
    """

    method: str
    host: str
    path: str
    status: int
    seconds: float
    sent_bytes: int
    complete: bool = True
    served_by: str = ""
    client: str = ""
    ray: str = ""
    reason: str = ""
    token: str = ""
    refusal: RefusalReason | None = None


AccessLogger = Callable[[AccessLogRecord], None]


def build_unread_record(refusal: Refusal, *, client: str, ray: str) -> AccessLogRecord:
    """Of a request that was refused unread."""
    return AccessLogRecord(
        "-",
        "-",
        "-",
        refusal.status,
        0.0,
        0,
        client=client,
        ray=ray,
        reason=refusal.text,
        refusal=RefusalReason(LISTENER_RULE, (refusal.text,)),
    )
