"""The pages that the edge itself answers with. Pure.

A browser gets HTML, everything else Cloudflare's one line ("error code: 1101"), and what to do where we know it. No
page shows a traceback, an origin's address or a header; those are in the log under the Ray ID. While developing
(`Config.error_details`) a client on this machine or in its network sees the traceback and the origin, too.

Codes: https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-1xxx-errors/
"""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from edgeworker.admission import ALLOW, Refusal
from edgeworker.errors import OriginError
from edgeworker.messages import Headers, RefusalReason, Request, Response


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """`code` is Cloudflare's error code, or None if there is only the HTTP status. `hints` teach the reader."""

    status: int
    code: int | None
    title: str
    detail: str = ""
    hints: Sequence[str] = ()


WORKER_FAILED: Final = ErrorPage(500, 1101, "Worker threw exception", "The script of this URL raised an error.")
SCRIPT_EXCEEDED_LIMITS: Final = ErrorPage(
    503, 1102, "Worker exceeded resource limits", "The script of this URL took longer than it may."
)
SCRIPT_LOST: Final = ErrorPage(
    503,
    1102,
    "Worker exceeded resource limits",
    "Another request to the same script took more than it may, and this one ended with it.",
)
LOOP: Final = ErrorPage(
    508,
    1019,
    "Loop",
    "This request went through workers of this edge too often; a fetch() reaches the worker that makes it.",
)
STORAGE_FAILED: Final = ErrorPage(503, None, "Service unavailable", "The edge cannot decide about this request now.")
RESERVED: Final = ErrorPage(404, None, "Not found", "Paths under /cdn-cgi/ belong to the edge.")

_ORIGIN_TITLES: Final = {
    503: "Service unavailable",
    520: "Web server returned an unknown error",
    521: "Web server is down",
    522: "Connection timed out",
    523: "Origin is unreachable",
    524: "A timeout occurred",
    525: "SSL handshake failed",
    526: "Invalid SSL certificate",
    530: "Origin DNS error",
}


def choose_origin_page(error: OriginError) -> ErrorPage:
    """The page for a server behind the edge that did not answer. What it was is in the log."""
    title = _ORIGIN_TITLES.get(error.status, "Bad gateway")
    return ErrorPage(error.status, error.code, title, "The server behind the edge did not answer this request.")


def nothing_here(host: str, path: str, *, why: str, hints: Sequence[str], from_worker: bool = False) -> ErrorPage:
    """The page for a request that has no origin to go to: no worker takes it, or its worker has passed it on."""
    start = f"The worker of {host}{path} passed the request on" if from_worker else f"No worker takes {host}{path}"
    return ErrorPage(530, 1016, "Origin DNS error", f"{start}, and {why}.", hints)


def refuse(refusal: Refusal, *evidence: str, rule: str = "what every request must be to be admitted") -> Response:
    """A request that is not admitted. The text says what would be right."""
    headers = Headers([("cache-control", "no-store"), ("content-type", "text/plain; charset=UTF-8")])
    if refusal.status == 405:
        headers.set("allow", ALLOW)
    response = Response(refusal.status, headers, refusal.text.encode() + b"\n")
    response.refusal_reason = RefusalReason(rule, (refusal.text, *evidence))
    return response


def answer(
    page: ErrorPage, request: Request, *, rule: str, evidence: Sequence[str] = (), details: str = ""
) -> Response:
    """The page as a response in the form that the client asked for. Never stored by a cache.

    `rule` and `evidence` are for `edgeworker explain`, see RefusalReason. `details` are for a developer's eyes: a
    traceback, or which origin failed and how.
    """
    ray = request.headers.get("cf-ray") or ""
    headers = Headers([("cache-control", "private, no-store"), ("referrer-policy", "same-origin")])
    if ray:
        headers.append("cf-ray", ray)
    if "text/html" in (request.headers.get("accept") or ""):
        headers.append("content-type", "text/html; charset=UTF-8")
        headers.append("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
        body = _html(page, ray, details)
    else:
        headers.append("content-type", "text/plain; charset=UTF-8")
        body = _text(page, ray, details)
    response = Response(page.status, headers, body.encode())
    code = page.code or page.status
    response.refusal_reason = RefusalReason(rule, (f"error {code}: {page.title}", *evidence))
    return response


def _text(page: ErrorPage, ray: str, details: str) -> str:
    # Cloudflare's whole text is this one line; more follows only where it teaches.
    lines = [f"error code: {page.code or page.status}"]
    if page.hints:
        lines += ["", page.detail, *page.hints, *([f"Ray ID: {ray}"] if ray else [])]
    if details:
        lines += ["", details]
    return "\n".join(lines)


_STYLE: Final = """\
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:12vh auto;padding:0 1.5rem}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .5rem}
p,li{overflow-wrap:anywhere}
pre{overflow-x:auto;padding:.75rem;border:1px solid #8886}
small{opacity:.7}"""


def _html(page: ErrorPage, ray: str, details: str) -> str:
    import html

    number = f"Error {page.code or page.status}"
    hints = "".join(f"<li>{html.escape(hint)}</li>" for hint in page.hints)
    foot = (
        f"HTTP {page.status} {HTTPStatus(page.status).phrase}"
        if page.status in HTTPStatus._value2member_map_
        else f"HTTP {page.status}"
    )
    if ray:
        foot += f" · Ray ID: {html.escape(ray)}"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html.escape(page.title)}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{number}: {html.escape(page.title)}</h1><p>{html.escape(page.detail)}</p>"
        + (f"<ul>{hints}</ul>" if hints else "")
        + (f"<pre>{html.escape(details)}</pre>" if details else "")
        + f"<p><small>{foot}</small></p></main></body></html>\n"
    )
