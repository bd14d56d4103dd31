"""The parser of HTTP/1.1: llhttp, by way of httptools. Without it nothing is served: there is no slower one to fall
back to, because two parsers are two readings of the same bytes.
"""

from edgeworker.errors import EdgeworkerError

try:
    from httptools import (
        HttpParserError,
        HttpParserInvalidMethodError,
        HttpParserInvalidURLError,
        HttpParserUpgrade,
        HttpRequestParser,
        HttpResponseParser,
    )
except ImportError as error:
    raise EdgeworkerError(
        f"the HTTP parser cannot be loaded ({error}): its compiled part is missing or made for another Python; "
        "install httptools again for this Python, from a wheel or with a C compiler"
    ) from error

__all__ = [
    "HttpParserError",
    "HttpParserInvalidMethodError",
    "HttpParserInvalidURLError",
    "HttpParserUpgrade",
    "HttpRequestParser",
    "HttpResponseParser",
]
