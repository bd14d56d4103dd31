"""The gateway's settings, read from the worker's `vars`. Pure. README.md lists them."""

import re
from dataclasses import dataclass
from typing import Final

from verifier.claims import ALGORITHMS
from verifier.variables import NO_PATHS, QUOTABLE, SCOPE, URL, PathPatterns, SettingError, Variables

HASHES: Final = ("sha256", "sha384", "sha512")
ENCODINGS: Final = ("base64", "base64url", "hex")

# Identity and forwarding fields that an API may trust. A final "*" matches any rest. X-Forwarded-* are set again from
# what the edge knows. "_" in a name counts as "-", because many servers treat the two alike.
STRIPPED: Final = ("cf-access-*", "forwarded", "x-auth-*", "x-forwarded-*")

# KV allows 512 bytes, and the longest hash (SHA-512 in hex) has 128.
_LONGEST_PREFIX: Final = 512 - 128

_FIELD_NAME: Final = re.compile(r"[!#$%&'+.^_`|~0-9a-z-]+\*?")


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Times in seconds, sizes in characters (which are bytes: tokens and headers are ASCII). 0 and empty mean "off"."""

    realm: str = "api"
    clock_leeway_seconds: int = 0
    token_hash: str = "sha256"
    key_encoding: str = "base64"
    key_prefix: str = ""
    min_token_length: int = 1
    max_token_length: int = 2048
    public_paths: PathPatterns = NO_PATHS
    jwt_paths: PathPatterns = NO_PATHS
    cors_origins: frozenset[str] = frozenset()
    jwks_url: str = ""
    jwks: str = ""
    algorithms: frozenset[str] = frozenset(ALGORITHMS)
    audience: frozenset[str] = frozenset()
    issuer: str = ""
    token_types: frozenset[str] = frozenset()
    scope: frozenset[str] = frozenset()
    upstream_header_limit: int = 0
    strip_headers: tuple[str, ...] = STRIPPED
    misses_per_minute: int = 3000

    @property
    def verifies(self) -> bool:
        return bool(self.jwks_url or self.jwks)


def read(env: object) -> GatewaySettings:
    """The settings in `env` (bindings as attributes), with defaults for missing ones.

    Raises:
        SettingError: a value is unusable.
    """
    if getattr(env, "TOKENS", None) is None:
        raise SettingError('TOKENS: this KV binding is missing; add [[kv_namespaces]] with binding = "TOKENS"')
    default = GatewaySettings()
    variables = Variables(env)
    settings = GatewaySettings(
        realm=variables.text("REALM", default.realm, QUOTABLE, 'printable ASCII without " and \\'),
        clock_leeway_seconds=variables.number("CLOCK_LEEWAY_SECONDS", default.clock_leeway_seconds, 0, 300),
        token_hash=variables.choice("TOKEN_HASH", default.token_hash, HASHES),
        key_encoding=variables.choice("KEY_ENCODING", default.key_encoding, ENCODINGS),
        key_prefix=variables.text("KEY_PREFIX", default.key_prefix),
        min_token_length=variables.number("MIN_TOKEN_LENGTH", default.min_token_length, 1, 8192),
        max_token_length=variables.number("MAX_TOKEN_LENGTH", default.max_token_length, 1, 8192),
        public_paths=variables.paths("PUBLIC_PATHS"),
        jwt_paths=variables.paths("JWT_PATHS"),
        cors_origins=variables.origins("CORS_ORIGINS"),
        jwks_url=variables.text("JWKS_URL", "", URL, "an http or https URL"),
        jwks=variables.document("JWKS"),
        algorithms=frozenset(variables.choices("ALGORITHMS", ALGORITHMS)),
        audience=frozenset(variables.items("AUDIENCE", ())),
        issuer=variables.text("ISSUER", ""),
        token_types=variables.types("TOKEN_TYPE", ()),
        scope=frozenset(variables.items("SCOPE", (), SCOPE, 'like "orders.read"', separators=r"[\s,]+")),
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
