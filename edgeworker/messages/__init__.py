"""Requests, responses, headers, bodies and URLs as plain values in the Fetch standard's shapes. Pure.

These are the core's types, cheap to make and to pass on. What a script sees (`workers.Request`, `js.Headers`) is a
view of them and lives in `edgeworker.runtime`.
"""

from edgeworker.messages.body import Body, BodyLost, BodyTooLarge, BodyUsed
from edgeworker.messages.headers import Headers
from edgeworker.messages.name_table import NameTable
from edgeworker.messages.request import Access, Client, Credentials, Redirect, Request, VerifiedToken
from edgeworker.messages.response import NULL_BODY_STATUSES, RefusalReason, Response, Upgrade
from edgeworker.messages.url import URL, InvalidURL, canonical_path
from edgeworker.messages.websocket import Closed, WebSocketEnd, WebSocketMessage

__all__ = [
    "NULL_BODY_STATUSES",
    "URL",
    "Access",
    "Body",
    "BodyLost",
    "BodyTooLarge",
    "BodyUsed",
    "Client",
    "Closed",
    "Credentials",
    "Headers",
    "InvalidURL",
    "NameTable",
    "Redirect",
    "RefusalReason",
    "Request",
    "Response",
    "Upgrade",
    "VerifiedToken",
    "WebSocketEnd",
    "WebSocketMessage",
    "canonical_path",
]
