"""What `edgeworker jwt` does: each function prints and returns the exit status."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import jwt
from jwt.algorithms import OKPAlgorithm

from edgeworker.cli.jwt import key_files, token_text, words
from edgeworker.cli.jwt.token_text import EntryKey, Object, Token
from edgeworker.cli.output import Output
from edgeworker.errors import ConfigError

_TIMES: Final = {"exp": "expires", "nbf": "valid from", "iat": "issued", "auth_time": "logged in"}


@dataclass(frozen=True, slots=True)
class Expected:
    """What `verify` asks for beside the signature; None asks for nothing."""

    issuer: str | None = None
    audience: str | None = None
    leeway_seconds: int = 0


def read_operand(text: str) -> str:
    """An argument as it is, the content of @FILE, or standard input for "-". Raises ConfigError."""
    try:
        if text == "-":
            return sys.stdin.read()
        return Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text
    except OSError as error:
        raise ConfigError(f"{text}: the file cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{'standard input' if text == '-' else text}: it is not text.") from None


def inspect(out: Output, operand: str, entry: EntryKey, *, now: int, as_json: bool) -> int:
    """Header, claims with times in words, the KV entry, and what is odd. Never the signature itself."""
    token = token_text.parse(read_operand(operand))
    decoded = None if token.payload is None else token_text.decode(token)
    key = None if token.signature is None else entry.of(token.signature)
    if as_json:
        document: Object = {"kind": token.kind, "kv_key": key}
        if decoded is not None:
            times = {name: words.moment(at, now=now) for name, at in _moments(decoded.claims)}
            document |= {"header": decoded.header, "claims": decoded.claims, "times": times, "odd": decoded.odd}
        out.line(json.dumps(document, ensure_ascii=False))
        return 0
    out.heading(f"A {token.kind}")
    if decoded is not None:
        out.table(["header", "value"], [[_escape(name), _escape(value)] for name, value in decoded.header.items()])
        out.table(["claim", "value", "in words"], _claim_rows(decoded.claims, now=now))
    if key is None:
        out.note("Its KV key is the hash of the signature, which is not here.")
    else:
        out.line(f"KV key: {key}")
    for text in () if decoded is None else decoded.odd:
        out.warning(text)
    return 0


def split(out: Output, operand: str, entry: EntryKey, *, as_json: bool) -> int:
    """The two halves of a whole JWT and where they go."""
    token = _whole(token_text.parse(read_operand(operand)))
    token_text.decode(token)
    signature, value = token.signature or "", token.value or ""
    if as_json:
        out.line(json.dumps({"token": signature, "kv_key": entry.of(signature), "kv_value": value}))
        return 0
    for heading, text in (
        ("The client's token", signature),
        ("The KV key", entry.of(signature)),
        ("The KV value", value),
    ):
        out.heading(heading)
        out.line(text)
    return 0


def join(out: Output, value_operand: str, token_operand: str) -> int:
    """Prints the whole JWT, nothing else, so that it can be piped on."""
    if value_operand == token_operand == "-":
        raise ConfigError("Only one of VALUE and TOKEN can come from standard input.")
    value = token_text.parse(read_operand(value_operand))
    token = token_text.parse(read_operand(token_operand))
    if value.value is None or value.signature is not None:
        raise ConfigError(f"VALUE is a {value.kind}; it must be what KV holds, header and payload.")
    if token.signature is None or token.payload is not None:
        raise ConfigError(f"TOKEN is a {token.kind}; it must be a split token, one part.")
    token_text.decode(value)
    out.line(f"{value.value}.{token.signature}")
    return 0


def verify(out: Output, operand: str, where: str, expected: Expected, *, now: int) -> int:
    """Each check on a line of its own; 1 where one does not hold."""
    token = _whole(token_text.parse(read_operand(operand)))
    decoded = token_text.decode(token)
    checks = [
        _check_signature(token, decoded.header, key_files.load(where)),
        *_check_times(decoded.claims, now=now, leeway=expected.leeway_seconds),
    ]
    claims = decoded.claims
    if expected.issuer is not None:
        checks.append((claims.get("iss") == expected.issuer, f"iss is {_escape(claims.get('iss'))}"))
    if expected.audience is not None:
        audience = claims.get("aud")
        named = audience if isinstance(audience, list) else [audience]
        checks.append((expected.audience in named, f"aud is {_escape(audience)}"))
    checks += [(False, text) for text in decoded.odd if not text.startswith("there is no exp")]
    for holds, text in checks:
        (out.ok if holds else out.fail)(text)
    return 0 if all(holds for holds, _ in checks) else 1


def _check_signature(token: Token, header: Object, keys: list[key_files.NamedKey]) -> tuple[bool, str]:
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str):
        return False, "signature: the header names no algorithm"
    named = [key for key in keys if kid is not None and key.kid == kid]
    named = named or [key for key in keys if kid is None or key.kid is None]
    if not named:
        ids = ", ".join(_escape(key.kid) for key in keys)
        return False, f"signature: there is no key {_escape(kid)}; there are {ids}"
    fitting = [key for key in named if algorithm in key.algorithms]
    if not fitting:
        return False, f"signature: no key can verify {algorithm}"
    if kid is None and len(fitting) > 1 and any(key.kid is not None for key in fitting):
        return False, "signature: the header names no key (kid), and several fit; the gateway and the API refuse it"
    reason, jws = "", jwt.PyJWS()
    for name in ("Ed25519", "Ed448"):  # RFC 9864
        jws.register_algorithm(name, OKPAlgorithm())
    for key in fitting:
        try:
            jws.decode_complete(f"{token.value}.{token.signature}", key.public, algorithms=[algorithm])
        except jwt.InvalidTokenError as error:
            reason = str(error)
        else:
            return True, f"signature: {algorithm}, by the key {'of that file' if key.kid is None else _escape(key.kid)}"
    return False, f"signature: {reason}"


def _check_times(claims: Object, *, now: int, leeway: int) -> list[tuple[bool, str]]:
    checks = []
    moments = dict(_moments(claims))
    if "exp" in moments:
        checks.append((now < moments["exp"] + leeway, f"exp: {words.moment(moments['exp'], now=now)}"))
    else:
        checks.append((False, "exp: it has no expiry"))
    for name in ("nbf", "iat"):
        if name in moments:
            checks.append((moments[name] <= now + leeway, f"{name}: {words.moment(moments[name], now=now)}"))
    return checks


def _whole(token: Token) -> Token:
    if token.signature is None or token.payload is None:
        raise ConfigError(f"This is a {token.kind}; a whole JWT is needed (join makes one of the two halves).")
    return token


def _moments(claims: Object) -> list[tuple[str, float]]:
    """The claims that are moments, with their epoch seconds."""
    found = []
    for name in _TIMES:
        value = claims.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            found.append((name, value))
    return found


def _claim_rows(claims: Object, *, now: int) -> list[list[str]]:
    moments = dict(_moments(claims))
    return [
        [
            _escape(name),
            _escape(value),
            f"{_TIMES[name]} {words.moment(moments[name], now=now)}" if name in moments else "",
        ]
        for name, value in claims.items()
    ]


def _escape(value: object) -> str:
    """Text as it is where that is safe to print, else as JSON: a token's text may hold terminal control characters."""
    if isinstance(value, str) and value.isprintable():
        return value
    return json.dumps(value, ensure_ascii=True)
