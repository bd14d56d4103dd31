"""What `fetch("data:...")` answers. Pure; as workerd, recorded in tests/conformance/cases/web_api.json.

Source: https://fetch.spec.whatwg.org/#data-urls
"""

import base64
import binascii
import re
from typing import Final
from urllib.parse import unquote_to_bytes

from edgeworker import messages
from edgeworker.messages import Body, Headers

_DEFAULT_TYPE: Final = "text/plain;charset=US-ASCII"
_BASE64: Final = re.compile(r" *; *base64 *", re.IGNORECASE)
_ESSENCE: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def answer_data_url(url: str, method: str) -> messages.Response | None:
    """None for what is not a data URL. Only a GET gets a body."""
    head, comma, text = url.partition("#")[0].partition(",")
    if not comma or not head.lower().startswith("data:"):
        return None
    kind = head[len("data:") :].strip()
    content = unquote_to_bytes(text)
    parts = kind.split(";")
    if len(parts) > 1 and _BASE64.fullmatch(";" + parts[-1]):
        kind, content = ";".join(parts[:-1]), _decode(content)
    body = None if method != "GET" else Body(content)
    return messages.Response(200, Headers([("content-type", _content_type(kind))]), body, status_text="OK")


def _decode(content: bytes) -> bytes:
    """Without white space and with the padding that lacks; nothing of what is not base64."""
    packed = b"".join(content.split()).rstrip(b"=")
    try:
        return base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True)
    except binascii.Error:
        return b""


def _content_type(kind: str) -> str:
    if kind.startswith(";"):
        kind = "text/plain" + kind
    essence, *parameters = (part.strip() for part in kind.split(";"))
    if not _ESSENCE.fullmatch(essence):
        return _DEFAULT_TYPE
    pairs = [part.partition("=") for part in parameters if "=" in part]
    return ";".join([essence.lower(), *(f"{name.strip().lower()}={value.strip()}" for name, _, value in pairs)])
