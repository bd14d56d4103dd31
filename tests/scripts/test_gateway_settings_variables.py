"""The settings of scripts/split_token."""

from types import SimpleNamespace

import pytest

import gateway_settings
from gateway_settings import GatewaySettings
from verifier.variables import PathPatterns, SettingError


def _read(**variables: object) -> GatewaySettings:
    return gateway_settings.read(SimpleNamespace(TOKENS=object(), **variables))


class _Converted:
    """A list or object of a variable on Cloudflare: JavaScript's, until it is asked to become Python's."""

    def __init__(self, value: object) -> None:
        self._value = value

    def to_py(self) -> object:
        return self._value


def test_without_variables_the_defaults_hold() -> None:
    assert _read() == GatewaySettings()


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("REALM", "orders", "realm", "orders"),
        ("CLOCK_LEEWAY_SECONDS", 30, "clock_leeway_seconds", 30),
        ("CLOCK_LEEWAY_SECONDS", "30", "clock_leeway_seconds", 30),
        ("CLOCK_LEEWAY_SECONDS", 30.0, "clock_leeway_seconds", 30),
        ("TOKEN_HASH", "SHA-384", "token_hash", "sha384"),
        ("TOKEN_HASH", "sha512", "token_hash", "sha512"),
        ("KEY_ENCODING", "hex", "key_encoding", "hex"),
        ("KEY_ENCODING", "base64url", "key_encoding", "base64url"),
        ("KEY_PREFIX", "split:", "key_prefix", "split:"),
        ("PUBLIC_PATHS", "/health, /docs/*", "public_paths", PathPatterns(((None, "/health"), (None, "/docs/*")))),
        ("PUBLIC_PATHS", ["OPTIONS /*"], "public_paths", PathPatterns((("OPTIONS", "/*"),))),
        ("PUBLIC_PATHS", _Converted(["/health"]), "public_paths", PathPatterns(((None, "/health"),))),
        ("PUBLIC_PATHS", "", "public_paths", PathPatterns()),
        ("JWT_PATHS", ["/internal/*"], "jwt_paths", PathPatterns(((None, "/internal/*"),))),
        ("CORS_ORIGINS", "https://App.example.com", "cors_origins", frozenset({"https://app.example.com"})),
        ("CORS_ORIGINS", ["*"], "cors_origins", frozenset({"*"})),
        ("MAX_TOKEN_LENGTH", 400, "max_token_length", 400),
        ("JWKS_URL", "https://issuer.example/jwks", "jwks_url", "https://issuer.example/jwks"),
        ("JWKS", {"keys": []}, "jwks", '{"keys": []}'),
        ("JWKS", '{"keys":[]}', "jwks", '{"keys": []}'),
        ("ALGORITHMS", ["RS256", "EdDSA"], "algorithms", frozenset({"RS256", "EdDSA"})),
        ("AUDIENCE", "https://api.example.com", "audience", frozenset({"https://api.example.com"})),
        ("SCOPE", "read write", "scope", frozenset({"read", "write"})),
        ("UPSTREAM_HEADER_LIMIT", 8192, "upstream_header_limit", 8192),
        ("STRIP_HEADERS", ["X_User", "x-id-*"], "strip_headers", ("x-user", "x-id-*")),
        ("STRIP_HEADERS", [], "strip_headers", ()),
        ("MISSES_PER_MINUTE", 0, "misses_per_minute", 0),
    ],
)
def test_a_variable_sets_its_setting(name: str, value: object, field: str, expected: object) -> None:
    assert getattr(_read(**{name: value}), field) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REALM", 'a "realm"'),
        ("REALM", "a\nb"),
        ("REALM", 7),
        ("CLOCK_LEEWAY_SECONDS", "soon"),
        ("CLOCK_LEEWAY_SECONDS", -1),
        ("CLOCK_LEEWAY_SECONDS", 301),
        ("CLOCK_LEEWAY_SECONDS", True),
        ("CLOCK_LEEWAY_SECONDS", 1.5),
        ("CLOCK_LEEWAY_SECONDS", "9" * 5000),
        ("TOKEN_HASH", "md5"),
        ("KEY_ENCODING", "base32"),
        ("KEY_PREFIX", "x" * 385),
        ("KEY_PREFIX", ["a"]),
        ("PUBLIC_PATHS", "health"),
        ("PUBLIC_PATHS", "/a*b"),
        ("PUBLIC_PATHS", "/docs/..%2f*"),
        ("PUBLIC_PATHS", {"a": "b"}),
        ("PUBLIC_PATHS", [7]),
        ("CORS_ORIGINS", "app.example.com"),
        ("CORS_ORIGINS", "https://app.example.com/"),
        ("MIN_TOKEN_LENGTH", 3000),
        ("MAX_TOKEN_LENGTH", 0),
        ("JWKS_URL", "issuer.example/jwks"),
        ("JWKS_URL", "file:///etc/passwd"),
        ("JWKS", "[]"),
        ("JWKS", "{"),
        ("ALGORITHMS", ["none"]),
        ("ALGORITHMS", ["HS256"]),
        ("ALGORITHMS", []),
        ("SCOPE", 'a"b'),
        ("STRIP_HEADERS", "x y"),
        ("MISSES_PER_MINUTE", -1),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(SettingError, match=f"^{name}: "):
        _read(**{name: value})


def test_two_sources_of_keys_are_refused() -> None:
    with pytest.raises(SettingError, match=r"^JWKS: there is a JWKS_URL too"):
        _read(JWKS='{"keys":[]}', JWKS_URL="https://issuer.example/jwks")


def test_without_the_kv_binding_the_text_says_how_to_add_it() -> None:
    with pytest.raises(SettingError, match=r'^TOKENS: .*kv_namespaces.*binding = "TOKENS"'):
        gateway_settings.read(SimpleNamespace())


@pytest.mark.parametrize(
    ("method", "path", "matches"),
    [
        ("GET", "/health", True),
        ("POST", "/health", True),
        ("GET", "/health/", False),
        ("GET", "/healthz", False),
        ("GET", "/Health", False),
        ("GET", "/docs/", True),
        ("GET", "/docs/a%20b", True),
        ("GET", "/docs", False),
        ("GET", "/docsx", False),
        ("OPTIONS", "/orders", True),
        ("GET", "/orders", False),
        # The API may see another path than the one that is compared.
        ("GET", "/docs/..%2forders", False),
        ("GET", "/docs/..%2Forders", False),
        ("GET", "/docs/%2e%2e/orders", False),
        ("GET", "/docs/..;/orders", False),
        ("GET", "/docs/..%3b/orders", False),
        ("GET", "/docs/%252e%252e/orders", False),
        ("GET", "/docs/..%5corders", False),
        ("GET", "/docs/..\\orders", False),
        ("GET", "/docs//orders", False),
        ("GET", "/docs/a%00", False),
        ("OPTIONS", "//evil", False),
    ],
)
def test_only_unambiguous_paths_are_public(method: str, path: str, matches: bool) -> None:
    paths = PathPatterns(((None, "/health"), (None, "/docs/*"), ("OPTIONS", "/*")))

    assert paths.match(method, path) is matches
