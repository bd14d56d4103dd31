"""Tokens that must be refused, each for one reason; for tests of code that checks tokens.

Sources: RFC 8725 (JWT best current practices), RFC 7515 and 7519, and the cases of Project Wycheproof.
"""

import hashlib
import hmac
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edgeworker.config import JSON
from edgeworker.testing.issuer import IssuerKey, TokenIssuer, encoded, segment, signing_key


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a forger begins with: an ordinary token's header and claims, and the issuer's key."""

    header: Mapping[str, JSON]
    claims: Mapping[str, JSON]
    key: IssuerKey
    now: int

    def signed(self, **claims: JSON) -> str:
        return self.over(segment(self.header), segment({**self.claims, **claims}))

    def without(self, claim: str) -> str:
        claims = {name: value for name, value in self.claims.items() if name != claim}
        return self.over(segment(self.header), segment(claims))

    def headed(self, header: Mapping[str, JSON], key: IssuerKey | None = None) -> str:
        """With a changed header, signed over it by the issuer's key or by another one."""
        return self.over(segment({**self.header, **header}), segment(self.claims), key)

    def over(self, head: str, body: str, key: IssuerKey | None = None) -> str:
        """Any two segments, signed by the issuer's key or by another one."""
        signer = key or self.key
        signature = jwt.get_algorithm_by_name(signer.algorithm).sign(f"{head}.{body}".encode(), signer.private)
        return f"{head}.{body}.{encoded(signature)}"

    def unsigned(self, algorithm: str, signature: str = "") -> str:
        return f"{segment({**self.header, 'alg': algorithm})}.{segment(self.claims)}.{signature}"

    def hmac(self, secret: bytes) -> str:
        text = f"{segment({**self.header, 'alg': 'HS256'})}.{segment(self.claims)}"
        return f"{text}.{encoded(hmac.digest(secret, text.encode(), hashlib.sha256))}"


def _tamper_payload(parts: _Parts) -> str:
    head, _, signature = parts.signed().split(".")
    return f"{head}.{segment({**parts.claims, 'sub': 'mallory'})}.{signature}"


def _flip_signature(parts: _Parts) -> str:
    head, body, signature = parts.signed().split(".")
    return f"{head}.{body}.{('B' if signature[0] == 'A' else 'A') + signature[1:]}"


def _foreign() -> IssuerKey:
    """A key that the issuer does not know."""
    return signing_key("RS256", "foreign")


def _embedded_key(parts: _Parts) -> str:
    foreign = _foreign()
    return parts.headed({"kid": foreign.kid, "jwk": dict(foreign.public)}, foreign)


def _without_kid(parts: _Parts) -> str:
    header = {name: value for name, value in parts.header.items() if name != "kid"}
    return parts.over(segment(header), segment(parts.claims), _foreign())


def _public_pem(parts: _Parts) -> bytes:
    return parts.key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _twice(parts: _Parts) -> str:
    """`exp` twice: one reader takes the first, another one the last."""
    text = json.dumps(dict(parts.claims))
    expired = f'"exp": {parts.now - 3600}'
    return parts.over(segment(parts.header), segment(f"{{{expired}, {text[1:]}"))


def _spare_bits(parts: _Parts) -> str:
    """The same signature's bytes in another spelling: the bits that the last character does not use are set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    token = parts.signed()
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]


def _compress(parts: _Parts) -> str:
    body = encoded(zlib.compress(json.dumps(dict(parts.claims)).encode()))
    return parts.over(segment({**parts.header, "zip": "DEF"}), body)


_Forgers = Mapping[str, Callable[[_Parts], str]]

# RFC 7519 4.1.4 and 4.1.5. An hour is more than any leeway.
_TIMES: Final[_Forgers] = {
    "expired": lambda parts: parts.signed(exp=parts.now - 3600, iat=parts.now - 7200, nbf=parts.now - 7200),
    "not yet valid": lambda parts: parts.signed(nbf=parts.now + 3600, exp=parts.now + 7200),
    "no exp": lambda parts: parts.without("exp"),
    "exp is text": lambda parts: parts.signed(exp=str(parts.now + 300)),
    "exp is null": lambda parts: parts.signed(exp=None),
    "exp is true": lambda parts: parts.signed(exp=True),
    "exp is infinite": lambda parts: parts.signed(exp=float("inf")),
}

# RFC 7519 4.1.1 and 4.1.3: for verifiers that expect an issuer and an audience.
_CLAIMS: Final[_Forgers] = {
    "wrong issuer": lambda parts: parts.signed(iss="https://evil.example"),
    "issuer with a slash": lambda parts: parts.signed(iss=f"{parts.claims['iss']}/"),
    "wrong audience": lambda parts: parts.signed(aud="https://other.example.com"),
    "audience is a part": lambda parts: parts.signed(aud=str(parts.claims["aud"])[:-1]),
}

# RFC 8725 2.1, 2.2, 3.1 to 3.3 and 3.10: for verifiers of signatures.
_SIGNATURES: Final[_Forgers] = {
    "alg none": lambda parts: parts.unsigned("none"),
    "alg nOnE": lambda parts: parts.unsigned("nOnE"),
    "alg none with a signature": lambda parts: parts.unsigned("none", parts.signed().rpartition(".")[2]),
    "HS256 with the public key as PEM": lambda parts: parts.hmac(_public_pem(parts)),
    "HS256 with the public key as JWK": lambda parts: parts.hmac(json.dumps(dict(parts.key.public)).encode()),
    "HS256 with an empty secret": lambda parts: parts.hmac(b""),
    "PS256 with an RS256 key": lambda parts: parts.headed({"alg": "PS256"}),
    "wrong key": lambda parts: parts.headed({}, _foreign()),
    "wrong key, no kid": _without_kid,
    "unknown kid": lambda parts: parts.headed({"kid": "unknown"}, _foreign()),
    "kid is a path": lambda parts: parts.headed({"kid": "../../../../dev/null"}, _foreign()),
    "key in the header": _embedded_key,
    "key set named in the header": lambda parts: parts.headed({"jku": "https://evil.example/jwks.json"}, _foreign()),
    "unknown critical extension": lambda parts: parts.headed({"crit": ["b64"], "b64": False}),
    "tampered payload": _tamper_payload,
    "tampered signature": _flip_signature,
    "empty signature": lambda parts: parts.signed().rpartition(".")[0] + ".",
}

# RFC 7515 2 and 7.1, RFC 8725 2.4: no JWT at all, or one that two readers read in two ways.
_FORMS: Final[_Forgers] = {
    "padded": lambda parts: parts.signed() + "==",
    "spare bits set": _spare_bits,
    "line break": lambda parts: parts.signed().replace(".", ".\n", 1),
    "two segments": lambda parts: parts.signed().rpartition(".")[0],
    "four segments": lambda parts: parts.signed() + ".AAAA",
    "five segments": lambda parts: parts.signed() + ".AAAA.AAAA",
    "duplicate members": _twice,
    "payload is a list": lambda parts: parts.over(segment(parts.header), segment("[1, 2]")),
    "payload is not JSON": lambda parts: parts.over(segment(parts.header), segment("{")),
    "payload is not UTF-8": lambda parts: parts.over(segment(parts.header), encoded(b'{"sub":"\xff"}')),
    "payload is nested deeply": lambda parts: parts.over(segment(parts.header), segment("[" * 6000 + "]" * 6000)),
    "compressed": _compress,
}

BAD_TIMES: Final = tuple(_TIMES)
BAD_CLAIMS: Final = tuple(_CLAIMS)
BAD_SIGNATURES: Final = tuple(_SIGNATURES)
BAD_FORMS: Final = tuple(_FORMS)
BAD_TOKENS: Final = (*BAD_TIMES, *BAD_CLAIMS, *BAD_SIGNATURES, *BAD_FORMS)

_FORGERS: Final[_Forgers] = {**_TIMES, **_CLAIMS, **_SIGNATURES, **_FORMS}


def forge(issuer: TokenIssuer, variant: str, *, now: int) -> str:
    """Raises ValueError for a name that is not in BAD_TOKENS."""
    forger = _FORGERS.get(variant)
    if forger is None:
        raise ValueError(f'there is no bad token "{variant}"; there are: {", ".join(BAD_TOKENS)}')
    key = issuer.key("RS256")
    return forger(_Parts(issuer.header(key), issuer.payload(), key, now))
