"""The gateway's settings, read from the worker's `vars`. Pure.

Each is a text, a number or a list in wrangler.toml's `[vars]`; a list may also be written as a text with commas. The
README has the table. A setting that cannot be used is refused by name, before any request is answered by it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

HASHES: Final = ("sha256", "sha384", "sha512")
ENCODINGS: Final = ("base64", "base64url", "hex")
ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)

# Identity and forwarding fields that an API may believe. A "*" at the end stands for any rest. X-Forwarded-* are set
# again from what the edge knows. "_" in a name counts as "-": many servers read the two alike.
STRIPPED: Final = ("cf-access-*", "forwarded", "x-auth-*", "x-forwarded-*")

# KV allows 512 bytes, and the longest hash (SHA-512 in hex) has 128.
_LONGEST_PREFIX: Final = 512 - 128

_ORIGIN: Final = re.compile(r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")
_PATH: Final = re.compile(r"(?:([A-Z]+) +)?(/[^*\s]*\*?)")
_FIELD_NAME: Final = re.compile(r"[!#$%&'+.^_`|~0-9a-z-]+\*?")
_QUOTABLE: Final = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]+")  # what a quoted string holds without escapes
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 section 3.3

# In a path these may mean something else to the API than to this comparison: an encoded slash, backslash, dot or
# percent sign, a NUL, a second slash, and parameters ("/public/..;/admin").
_AMBIGUOUS: Final = re.compile(r"%(?:2e|2f|5c|25|3b|00)|//|[\\;]", re.IGNORECASE)


class SettingError(ValueError):
    """A variable that cannot be used. The text begins with its name."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Paths that are named one by one ("/health"), or by how they begin ("/docs/*"), each for one method or for all."""

    patterns: tuple[tuple[str | None, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def match(self, method: str, path: str) -> bool:
        """`path` is a URL's path in canonical form. One that can be read in two ways matches nothing."""
        if _AMBIGUOUS.search(path):
            return False
        return any(
            (only is None or only == method) and (path.startswith(text[:-1]) if text[-1] == "*" else path == text)
            for only, text in self.patterns
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """Times in seconds, sizes in characters (which are bytes: tokens and headers are ASCII). 0 and empty mean "off"."""

    realm: str = "api"
    clock_leeway_seconds: int = 0
    token_hash: str = "sha256"
    key_encoding: str = "base64"
    key_prefix: str = ""
    min_token_length: int = 1
    max_token_length: int = 2048
    public_paths: Paths = Paths()
    jwt_paths: Paths = Paths()
    cors_origins: frozenset[str] = frozenset()
    jwks_url: str = ""
    jwks: str = ""
    algorithms: frozenset[str] = frozenset(ALGORITHMS)
    audience: frozenset[str] = frozenset()
    issuer: str = ""
    scope: frozenset[str] = frozenset()
    upstream_header_limit: int = 0
    strip_headers: tuple[str, ...] = STRIPPED
    misses_per_minute: int = 3000

    @property
    def verifies(self) -> bool:
        return bool(self.jwks_url or self.jwks)


def read(env: object) -> Settings:
    """The settings that `env` (bindings as attributes) holds, with defaults for those it does not.

    Raises:
        SettingError: a value that cannot be used.
    """
    if getattr(env, "TOKENS", None) is None:
        raise SettingError('TOKENS: there is no such KV binding; add [[kv_namespaces]] with binding = "TOKENS"')
    default = Settings()
    variables = _Variables(env)
    settings = Settings(
        realm=variables.text("REALM", default.realm, _QUOTABLE, 'printable ASCII without " and \\'),
        clock_leeway_seconds=variables.number("CLOCK_LEEWAY_SECONDS", default.clock_leeway_seconds, 0, 300),
        token_hash=variables.choice("TOKEN_HASH", default.token_hash, HASHES),
        key_encoding=variables.choice("KEY_ENCODING", default.key_encoding, ENCODINGS),
        key_prefix=variables.text("KEY_PREFIX", default.key_prefix),
        min_token_length=variables.number("MIN_TOKEN_LENGTH", default.min_token_length, 1, 8192),
        max_token_length=variables.number("MAX_TOKEN_LENGTH", default.max_token_length, 1, 8192),
        public_paths=variables.paths("PUBLIC_PATHS"),
        jwt_paths=variables.paths("JWT_PATHS"),
        cors_origins=frozenset(
            origin.lower()
            for origin in variables.items(
                "CORS_ORIGINS", (), re.compile(rf"\*|{_ORIGIN.pattern}"), 'like "https://app.example.com"'
            )
        ),
        jwks_url=variables.text("JWKS_URL", "", re.compile(r"https?://[^\s/]+/\S*"), "an http or https URL"),
        jwks=variables.document("JWKS"),
        algorithms=frozenset(variables.choices("ALGORITHMS", ALGORITHMS)),
        audience=frozenset(variables.items("AUDIENCE", ())),
        issuer=variables.text("ISSUER", ""),
        scope=frozenset(variables.items("SCOPE", (), _SCOPE, 'like "orders.read"', separators=r"[\s,]+")),
        upstream_header_limit=variables.number("UPSTREAM_HEADER_LIMIT", default.upstream_header_limit, 0, 1_048_576),
        strip_headers=tuple(
            name.lower().replace("_", "-")
            for name in variables.items("STRIP_HEADERS", STRIPPED, _FIELD_NAME, 'like "x-auth-*"')
        ),
        misses_per_minute=variables.number("MISSES_PER_MINUTE", default.misses_per_minute, 0, 1_000_000),
    )
    if settings.min_token_length > settings.max_token_length:
        raise SettingError(
            f"MIN_TOKEN_LENGTH: {settings.min_token_length} is more than MAX_TOKEN_LENGTH, {settings.max_token_length}"
        )
    if len(settings.key_prefix.encode()) > _LONGEST_PREFIX:
        raise SettingError(f"KEY_PREFIX: longer than {_LONGEST_PREFIX} bytes; a KV key has room for 512 in all")
    if settings.jwks_url and settings.jwks:
        raise SettingError("JWKS: there is a JWKS_URL too; keep one of them")
    return settings


class _Variables:
    """Reads single variables, by kind."""

    def __init__(self, env: object) -> None:
        self._env = env

    def value(self, name: str) -> object:
        """None where there is none. On Cloudflare a list or object is a JavaScript one until it is converted."""
        value = getattr(self._env, name, None)
        convert = getattr(value, "to_py", None)
        return convert() if callable(convert) else value

    def text(self, name: str, default: str, allowed: re.Pattern[str] | None = None, like: str = "") -> str:
        value = self.value(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise SettingError(f"{name}: {value!r} is not text")
        if allowed is not None and value and not allowed.fullmatch(value):
            raise SettingError(f"{name}: {value!r} is not {like}")
        return value

    def number(self, name: str, default: int, least: int, most: int) -> int:
        value = self.value(name)
        if value is None:
            return default
        if isinstance(value, float) and value.is_integer():  # JavaScript has one kind of number
            value = int(value)
        if isinstance(value, str) and value.isascii() and value.strip().isdecimal():
            value = int(value) if len(value) < 20 else most + 1
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise SettingError(f"{name}: {value!r} is not a whole number from {least} to {most}")
        return value

    def choice(self, name: str, default: str, known: tuple[str, ...]) -> str:
        value = self.text(name, default)
        # "SHA-256" is what one writes, "sha256" what Python calls it.
        plain = value.lower().replace("-", "")
        if plain not in known:
            raise SettingError(f"{name}: {value!r} is not one of {', '.join(known)}")
        return plain

    def items(
        self,
        name: str,
        default: tuple[str, ...],
        allowed: re.Pattern[str] | None = None,
        like: str = "",
        *,
        separators: str = r"\s*,\s*",
    ) -> tuple[str, ...]:
        value = self.value(name)
        if value is None:
            return default
        items = [item for item in re.split(separators, value.strip()) if item] if isinstance(value, str) else value
        if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
            raise SettingError(f"{name}: {value!r} is neither a list of texts nor a text with commas")
        for item in items:
            if not item or (allowed is not None and not allowed.fullmatch(item.lower())):
                raise SettingError(f"{name}: {item!r} is not {like or 'a text'}")
        return tuple(items)

    def choices(self, name: str, known: tuple[str, ...]) -> tuple[str, ...]:
        items = self.items(name, known)
        for item in items:
            if item not in known:
                raise SettingError(f"{name}: {item!r} is not one of {', '.join(known)}")
        if not items:
            raise SettingError(f"{name}: names no algorithm; choose from {', '.join(known)}")
        return items

    def paths(self, name: str) -> Paths:
        patterns: list[tuple[str | None, str]] = []
        for item in self.items(name, ()):
            match = _PATH.fullmatch(item)
            if match is None or _AMBIGUOUS.search(match[2]):
                raise SettingError(f'{name}: {item!r} is not like "/health", "/docs/*" or "OPTIONS /*"')
            patterns.append((match[1], match[2]))
        return Paths(tuple(patterns))

    def document(self, name: str) -> str:
        """A JSON object, which TOML may hold as a table or as text: here it is text again."""
        value = self.value(name)
        if value is None or value == "":
            return ""
        try:
            parsed = json.loads(value) if isinstance(value, str) else value
        except ValueError as error:
            raise SettingError(f"{name}: it is not JSON: {error}") from None
        if not isinstance(parsed, Mapping):
            raise SettingError(f"{name}: it is not a JSON object")
        return json.dumps(parsed)
