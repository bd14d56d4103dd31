"""A request to the management plane that was refused, as the ring of `edgeworker explain` records it. Pure.

Its path is left out: paths of the REST API name keys.
"""

from typing import Final

from edgeworker.messages import RefusalReason, Request
from edgeworker.server.access_log import AccessLogRecord

_RULE: Final = "what this socket of the management plane has"
_EVIDENCE: Final = {
    404: "there is nothing at this path",
    405: "what is at this path takes another method",
    500: "the answer could not be made: a fault of edgeworker; the log has its traceback",
}


def build_refusal_record(request: Request, status: int, ray: str, reason: RefusalReason | None) -> AccessLogRecord:
    """`reason` None: the application has no word about it."""
    if reason is None:
        evidence = _EVIDENCE.get(status)
        reason = RefusalReason(_RULE, () if evidence is None else (evidence,))
    return AccessLogRecord(
        request.method,
        request.url.host,
        "-",
        status,
        0.0,
        0,
        client=request.client.ip,
        ray=ray,
        refusal=reason,
    )
