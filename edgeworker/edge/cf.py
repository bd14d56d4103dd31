"""`request.cf`: what Cloudflare tells of a request, made up where nothing here can know it. Pure.

The keys are those that wrangler and miniflare supply without a network.
https://developers.cloudflare.com/workers/runtime-apis/request/#incomingrequestcfproperties
"""

from collections.abc import Mapping
from typing import Final

from edgeworker.admission import Refusal
from edgeworker.config import CF, JSON
from edgeworker.messages import Request
from edgeworker.strict_json import InvalidJSON, loads

_CERTIFICATE_TEXTS: Final = (
    "certIssuerDN",
    "certSubjectDN",
    "certIssuerDNRFC2253",
    "certSubjectDNRFC2253",
    "certIssuerDNLegacy",
    "certSubjectDNLegacy",
    "certSerial",
    "certIssuerSerial",
    "certSKI",
    "certIssuerSKI",
    "certFingerprintSHA1",
    "certFingerprintSHA256",
    "certNotBefore",
    "certNotAfter",
)
NO_CLIENT_CERTIFICATE: Final[Mapping[str, JSON]] = {
    "certPresented": "0",
    "certVerified": "NONE",
    "certRevoked": "0",
    **dict.fromkeys(_CERTIFICATE_TEXTS, ""),
}
# A made-up place: values that a script finds plausible and a test can recognise.
DEFAULTS: Final[Mapping[str, JSON]] = {
    "asOrganization": "",
    "asn": 395747,
    "colo": "DFW",
    "city": "Austin",
    "region": "Texas",
    "regionCode": "TX",
    "metroCode": "635",
    "postalCode": "78701",
    "country": "US",
    "continent": "NA",
    "timezone": "America/Chicago",
    "latitude": "30.27130",
    "longitude": "-97.74260",
    "clientTcpRtt": 0,
    "clientAcceptEncoding": "",
    "httpProtocol": "HTTP/1.1",
    "requestPriority": "weight=192;exclusive=0",
    "tlsCipher": "AEAD-AES128-GCM-SHA256",
    "tlsVersion": "TLSv1.3",
    "tlsClientAuth": dict(NO_CLIENT_CERTIFICATE),
    "edgeRequestKeepAliveStatus": 0,
    "clientTrustScore": 99,
    "botManagement": {
        "corporateProxy": False,
        "verifiedBot": False,
        "ja3Hash": "25b4882c2bcb50cd6b469ff28c596742",
        "staticResource": False,
        "detectionIds": [],
        "score": 99,
    },
}

_REMEMBERED: Final = 64
_REMEMBERED_LENGTH: Final = 64


class CfProperties:
    """Gives every request its `cf`: the defaults, the configured values, what the connection tells, and a header.

    Later ones win, key by key. The header counts only where its name is configured, and no worker or origin sees it.
    """

    def __init__(self, settings: CF) -> None:
        self._base: Mapping[str, object] = {**DEFAULTS, **settings.values}
        self._header = settings.override_header
        # Connections without TLS have one object of facts between them, and clients send the same few encodings.
        self._facts: Mapping[str, object] | None = None
        self._by_encodings: dict[str | None, Mapping[str, object]] = {}

    def attach(self, request: Request) -> Request | Refusal:
        """The request with its `cf`; a Refusal (400) of a header that is not a JSON object.

        `request` is the one that `admit` has just made: it is completed, not copied.
        """
        cf = request.cf = self._joined(request.cf, request.headers.get("accept-encoding"))
        if self._header is None or (text := request.headers.get(self._header)) is None:
            return request
        try:
            properties = loads(text)
        except InvalidJSON:
            properties = None
        if not isinstance(properties, dict):
            return Refusal(400, f'{self._header} must be one JSON object such as {{"country": "DE"}}.')
        request.cf = {**cf, **properties}
        request.headers.delete(self._header)
        return request

    def _joined(self, facts: Mapping[str, object] | None, encodings: str | None) -> Mapping[str, object]:
        """One object for all requests that are told the same; no one changes it. `facts` are the connection's."""
        if facts is not self._facts:
            self._facts, self._by_encodings = facts, {}
        found = self._by_encodings.get(encodings)
        if found is None:
            found = {**self._base, **(facts or {})}
            if encodings is not None:
                found["clientAcceptEncoding"] = encodings
            if len(self._by_encodings) < _REMEMBERED and len(encodings or "") < _REMEMBERED_LENGTH:
                self._by_encodings[encodings] = found
        return found

    def attach_for_subrequest(self, request: Request) -> Request:
        """A worker's fetch() of this edge. What it wrote as `cf` are options of its fetch, not properties."""
        return request.replace(cf=self._base)
