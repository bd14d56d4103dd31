"""The REST API's error codes, one enum per service, and the one exception that carries them. Pure.

The numbers of one service mean something else in another (10013 is "namespace not found" to KV and "unknown" to
Workers), so an endpoint names the enum, not the number.

Source: https://developers.cloudflare.com/api/ and, for what each code means to KV, answers seen from the service.
"""

from enum import IntEnum


class GeneralCode(IntEnum):
    """Codes that any service may answer."""

    NO_ROUTE = 7000
    NOT_ROUTABLE = 7003
    INVALID_REQUEST = 9400
    AUTHENTICATION = 10000
    METHOD_NOT_ALLOWED = 10405
    TOO_MANY_FAILURES = 10502


class KVCode(IntEnum):
    """Codes of Workers KV."""

    UNAVAILABLE = 10001
    MALFORMED_PAGE = 10007
    MALFORMED_PER_PAGE = 10008
    KEY_NOT_FOUND = 10009
    MALFORMED_BODY = 10012
    NAMESPACE_NOT_FOUND = 10013
    TITLE_EXISTS = 10014
    TOO_MANY_NAMESPACES = 10018
    TITLE_MISSING = 10019
    TOO_MANY_REQUESTS = 10022
    TOO_LARGE = 10024
    INVALID_LIMIT = 10028
    INVALID_REQUEST = 10029
    KEY_TOO_LONG = 10030
    INVALID_EXPIRATION = 10033
    INVALID_EXPIRATION_TTL = 10034
    INVALID_CURSOR = 10041
    ILLEGAL_KEY = 10042
    INVALID_ORDER = 10043
    INVALID_DIRECTION = 10044
    TOO_MANY_KEYS = 10046
    INVALID_METADATA = 10047


class AccessCode(IntEnum):
    """Codes of Cloudflare Access."""

    NOT_ENABLED = 9999
    NOT_FOUND = 11021
    INVALID_REQUEST = 12130
    CONFLICT = 12132


class WorkersCode(IntEnum):
    """Codes of Workers scripts. 10007, 10021 and 10027 are Cloudflare's."""

    NOT_FOUND = 10007
    INVALID_SCRIPT = 10021
    TOO_LARGE = 10027
    INVALID_REQUEST = 10400
    NOT_AVAILABLE = 10405


class ZoneCode(IntEnum):
    """Codes of the zones' service."""

    INVALID_ZONE = 1001


class ApiShieldCode(IntEnum):
    """Codes of API Shield. Cloudflare documents 10403; the others are of its kind."""

    INVALID = 10400
    NOT_ENTITLED = 10403
    NOT_FOUND = 10404
    CONFLICT = 10409
    TOO_LARGE = 10413


Code = GeneralCode | KVCode | ZoneCode | ApiShieldCode | AccessCode | WorkersCode


class ApiError(Exception):
    """An answer that is an error: HTTP `status`, the service's `code` and the text for a person."""

    def __init__(self, status: int, code: Code, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text
