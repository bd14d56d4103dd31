"""The values that fields have on one request. Pure.

What nothing here can know (scores of bots, bodies, answers) has no reader, and a rule that needs it is refused. Source:
https://developers.cloudflare.com/ruleset-engine/rules-language/fields/reference/
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote

from edgeworker.config import JSON
from edgeworker.expressions.value_types import Value
from edgeworker.messages import Request

JSONObject = Mapping[str, JSON]

_CLAIMS: Final = "http.request.jwt.claims"
_STRING_CLAIMS: Final = ("aud", "iss", "sub", "jti")
_TIME_CLAIMS: Final = ("iat", "nbf")


@dataclass(frozen=True, slots=True)
class TokenFact:
    """What one token configuration found on a request. Only a valid token has claims."""

    present: bool
    valid: bool
    claims: JSONObject = field(default_factory=dict, repr=False)
    claims_json: bytes = field(default=b"", repr=False)


class RequestFacts:
    """Facts about `request` at `now_ms`; `tokens` by configuration id. Fields are computed when they are asked for."""

    __slots__ = ("_known", "now_ms", "request", "tokens")

    def __init__(self, request: Request, *, now_ms: int, tokens: Mapping[str, TokenFact]) -> None:
        self.request = request
        self.now_ms = now_ms
        self.tokens = tokens
        self._known: dict[str, Value | None] = {}

    def field(self, name: str) -> Value | None:
        known = self._known
        if name not in known:
            known[name] = FIELD_READERS[name](self)
        return known[name]

    def token_is_valid(self, configuration_id: str) -> bool:
        token = self.tokens.get(configuration_id)
        return token is not None and token.valid

    def token_is_present(self, configuration_id: str) -> bool:
        token = self.tokens.get(configuration_id)
        return token is not None and token.present


Reader = Callable[[RequestFacts], Value | None]


def group_values(pairs: Iterable[tuple[str, bytes]]) -> dict[str, list[bytes]]:
    """The values of each name, in order."""
    result: dict[str, list[bytes]] = {}
    for name, value in pairs:
        result.setdefault(name, []).append(value)
    return result


def headers_of(request: Request) -> dict[str, list[bytes]]:
    """By lower-case name."""
    return group_values((name.lower().decode("latin-1"), value) for name, value in request.headers.raw)


def cookies_of(request: Request) -> dict[str, list[bytes]]:
    """By name, which is percent-decoded; values stay as they were sent."""
    pairs = [
        pair.partition(b"=")
        for header in headers_of(request).get("cookie", [])
        for pair in header.split(b";")
        if b"=" in pair
    ]
    return group_values((unquote(name.strip().decode("latin-1")), value.strip()) for name, _, value in pairs)


def _header(name: str) -> Reader:
    """A header's value, "" where it is missing."""
    return lambda facts: facts.request.headers.get_bytes(name) or b""


def _text(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _arguments(query: str) -> dict[str, list[bytes]]:
    pairs = [pair.partition("=") for pair in query.removeprefix("?").split("&") if pair]
    return group_values((name, _text(value)) for name, _, value in pairs)


def _names(values: Mapping[str, Sequence[bytes]]) -> list[Value]:
    return [_text(name) for name, found in values.items() for _ in found]


def _flat(values: Mapping[str, Sequence[bytes]]) -> list[Value]:
    return [value for found in values.values() for value in found]


def _extension(path: str) -> bytes:
    name, dot, extension = path.rpartition("/")[2].rpartition(".")
    return _text(extension.lower()) if dot and name else b""


def _raw_target(facts: RequestFacts) -> str:
    raw = facts.request.raw_target
    return facts.request.url.target if raw is None or not raw.startswith("/") else raw


def _accepted_languages(facts: RequestFacts) -> list[Value]:
    weighted: list[tuple[float, bytes]] = []
    for item in (facts.request.headers.get("accept-language") or "").split(","):
        language, _, parameter = item.partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=")) if parameter.strip().startswith("q=") else 1.0
        except ValueError:
            weight = 0.0
        if language.strip():
            weighted.append((weight, _text(language.strip())))
    return [language for _, language in sorted(weighted, key=lambda pair: -pair[0])]


def _cf(*path: str) -> Callable[[RequestFacts], object]:
    """What stands at `path` in `request.cf`, or None."""

    def read(facts: RequestFacts) -> object:
        found: object = facts.request.cf
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    return read


def _address(text: str) -> Value | None:
    """None for what is not known: the peer of a Unix socket has no address."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def _cf_text(*path: str) -> Reader:
    read = _cf(*path)
    return lambda facts: _text(found) if isinstance(found := read(facts), str) else None


def _cf_number(*path: str) -> Reader:
    read = _cf(*path)
    return lambda facts: found if isinstance(found := read(facts), int) else None


def _cf_is(*path: str, equal: str) -> Reader:
    read = _cf(*path)
    return lambda facts: read(facts) == equal


def _claim_fields() -> Iterable[tuple[str, Reader]]:
    yield _CLAIMS, lambda facts: {key: [token.claims_json] for key, token in facts.tokens.items() if token.valid}
    for claim in _STRING_CLAIMS:
        yield from _map_fields(f"{_CLAIMS}.{claim}", claim, _claim_texts)
    for claim in _TIME_CLAIMS:
        yield from _map_fields(f"{_CLAIMS}.{claim}.sec", claim, _claim_numbers)


def _map_fields(
    name: str, claim: str, values: Callable[[JSONObject, str], Sequence[Value]]
) -> Iterable[tuple[str, Reader]]:
    def by_configuration(facts: RequestFacts) -> dict[str, Sequence[Value]]:
        return {
            key: each for key, token in facts.tokens.items() if token.valid and (each := values(token.claims, claim))
        }

    yield name, by_configuration
    yield f"{name}.names", lambda facts: [_text(key) for key, each in by_configuration(facts).items() for _ in each]
    yield f"{name}.values", lambda facts: [value for each in by_configuration(facts).values() for value in each]


def _claim_texts(claims: JSONObject, claim: str) -> Sequence[Value]:
    """A text, or the texts of a list (`aud`)."""
    found = claims.get(claim)
    if isinstance(found, str):
        return [found.encode("utf-8", "surrogatepass")]
    candidates = found if isinstance(found, list) else []
    return [item.encode("utf-8", "surrogatepass") for item in candidates if isinstance(item, str)]


def _claim_numbers(claims: JSONObject, claim: str) -> Sequence[Value]:
    found = claims.get(claim)
    return [int(found)] if isinstance(found, int | float) and not isinstance(found, bool) else []


FIELD_READERS: Final[Mapping[str, Reader]] = {
    "http.cookie": _header("cookie"),
    "http.host": lambda facts: _text(facts.request.url.hostname),
    "http.referer": _header("referer"),
    "http.user_agent": _header("user-agent"),
    "http.x_forwarded_for": _header("x-forwarded-for"),
    "http.request.accepted_languages": _accepted_languages,
    "http.request.cookies": lambda facts: cookies_of(facts.request),
    "http.request.full_uri": lambda facts: _text(facts.request.url.href),
    "http.request.headers": lambda facts: headers_of(facts.request),
    "http.request.headers.names": lambda facts: _names(headers_of(facts.request)),
    "http.request.headers.values": lambda facts: _flat(headers_of(facts.request)),
    "http.request.headers.truncated": lambda facts: False,
    "http.request.method": lambda facts: _text(facts.request.method),
    "http.request.timestamp.sec": lambda facts: facts.now_ms // 1000,
    "http.request.timestamp.msec": lambda facts: facts.now_ms % 1000,
    "http.request.uri": lambda facts: _text(facts.request.url.target),
    "http.request.uri.args": lambda facts: _arguments(facts.request.url.query),
    "http.request.uri.args.names": lambda facts: _names(_arguments(facts.request.url.query)),
    "http.request.uri.args.values": lambda facts: _flat(_arguments(facts.request.url.query)),
    "http.request.uri.path": lambda facts: _text(facts.request.url.path),
    "http.request.uri.path.extension": lambda facts: _extension(facts.request.url.path),
    "http.request.uri.query": lambda facts: _text(facts.request.url.query.removeprefix("?")),
    "http.request.version": _cf_text("httpProtocol"),
    "raw.http.request.full_uri": lambda facts: _text(facts.request.url.origin + _raw_target(facts)),
    "raw.http.request.uri": lambda facts: _text(_raw_target(facts)),
    "raw.http.request.uri.args": lambda facts: _arguments(_raw_target(facts).partition("?")[2]),
    "raw.http.request.uri.args.names": lambda facts: _names(_arguments(_raw_target(facts).partition("?")[2])),
    "raw.http.request.uri.args.values": lambda facts: _flat(_arguments(_raw_target(facts).partition("?")[2])),
    "raw.http.request.uri.path": lambda facts: _text(_raw_target(facts).partition("?")[0]),
    "raw.http.request.uri.path.extension": lambda facts: _extension(_raw_target(facts).partition("?")[0]),
    "raw.http.request.uri.query": lambda facts: _text(_raw_target(facts).partition("?")[2]),
    "ip.src": lambda facts: _address(facts.request.client.ip),
    "ip.src.asnum": _cf_number("asn"),
    "ip.src.city": _cf_text("city"),
    "ip.src.continent": _cf_text("continent"),
    "ip.src.country": _cf_text("country"),
    "ip.src.is_in_european_union": _cf_is("isEUCountry", equal="1"),
    "ip.src.lat": _cf_text("latitude"),
    "ip.src.lon": _cf_text("longitude"),
    "ip.src.metro_code": _cf_text("metroCode"),
    "ip.src.postal_code": _cf_text("postalCode"),
    "ip.src.region": _cf_text("region"),
    "ip.src.region_code": _cf_text("regionCode"),
    "ip.src.timezone.name": _cf_text("timezone"),
    "ip.geoip.asnum": _cf_number("asn"),
    "ip.geoip.continent": _cf_text("continent"),
    "ip.geoip.country": _cf_text("country"),
    "ip.geoip.is_in_european_union": _cf_is("isEUCountry", equal="1"),
    "cf.ray_id": lambda facts: (facts.request.headers.get_bytes("cf-ray") or b"").partition(b"-")[0],
    "cf.tls_cipher": _cf_text("tlsCipher"),
    "cf.tls_version": _cf_text("tlsVersion"),
    "cf.tls_client_auth.cert_presented": _cf_is("tlsClientAuth", "certPresented", equal="1"),
    "cf.tls_client_auth.cert_verified": _cf_is("tlsClientAuth", "certVerified", equal="SUCCESS"),
    "cf.tls_client_auth.cert_revoked": _cf_is("tlsClientAuth", "certRevoked", equal="1"),
    "cf.tls_client_auth.cert_fingerprint_sha1": _cf_text("tlsClientAuth", "certFingerprintSHA1"),
    "cf.tls_client_auth.cert_fingerprint_sha256": _cf_text("tlsClientAuth", "certFingerprintSHA256"),
    "cf.tls_client_auth.cert_issuer_dn": _cf_text("tlsClientAuth", "certIssuerDN"),
    "cf.tls_client_auth.cert_issuer_dn_rfc2253": _cf_text("tlsClientAuth", "certIssuerDNRFC2253"),
    "cf.tls_client_auth.cert_issuer_serial": _cf_text("tlsClientAuth", "certIssuerSerial"),
    "cf.tls_client_auth.cert_serial": _cf_text("tlsClientAuth", "certSerial"),
    "cf.tls_client_auth.cert_subject_dn": _cf_text("tlsClientAuth", "certSubjectDN"),
    "cf.tls_client_auth.cert_subject_dn_rfc2253": _cf_text("tlsClientAuth", "certSubjectDNRFC2253"),
    "cf.worker.upstream_zone": _header("cf-worker"),
    "ssl": lambda facts: facts.request.url.scheme == "https",
    **dict(_claim_fields()),
}
