"""The API's settings, read from the worker's `vars`. Pure. README.md lists them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from verifier.access_token import TokenRequirements
from verifier.claims import ALGORITHMS
from verifier.variables import QUOTABLE, SCOPE, URL, PathPatterns, SettingError, Variables

__all__ = ["APISettings", "SettingError", "read"]

_RESOURCE: Final = re.compile(r"https?://[^\s/?#\"\\]+(?:/[^\s?#\"\\]*)?")

READ_AND_WRITE: Final[Mapping[str, str]] = {
    "GET /records": "records.read",
    "GET /records/*": "records.read",
    "POST /records": "records.write",
    "PUT /records/*": "records.write",
    "DELETE /records/*": "records.write",
}


@dataclass(frozen=True, slots=True)
class APISettings:
    """`rules` are paths with the scopes that they require; a request needs those of every rule that matches. `jwks` is
    the text of a fixed JWK set, empty if `jwks_url` is set. `resource` is this API's own URL, or empty."""

    realm: str
    expected: TokenRequirements
    rules: tuple[tuple[PathPatterns, frozenset[str]], ...]
    jwks_url: str
    jwks: str
    resource: str
    cors_origins: frozenset[str]

    def scopes(self, method: str, path: str) -> frozenset[str]:
        """The scopes that a request needs. HEAD counts as GET."""
        method = "GET" if method == "HEAD" else method
        return frozenset().union(*(scopes for paths, scopes in self.rules if paths.match(method, path)))

    @property
    def all_scopes(self) -> list[str]:
        return sorted(frozenset().union(*(scopes for _, scopes in self.rules)))


def read(env: object) -> APISettings:
    """The settings in `env` (bindings as attributes), with defaults for missing ones.

    Raises:
        SettingError: a value is unusable, or a required one is missing.
    """
    if getattr(env, "RECORDS", None) is None:
        raise SettingError('RECORDS: this KV binding is missing; add [[kv_namespaces]] with binding = "RECORDS"')
    variables = Variables(env)
    issuer, audience = variables.text("ISSUER", ""), variables.items("AUDIENCE", ())
    if not issuer:
        raise SettingError('ISSUER: it is missing; set it to the "iss" of the tokens, like "https://auth.example.com"')
    if not audience:
        raise SettingError('AUDIENCE: it is missing; set it to what "aud" must contain, usually the URL of this API')
    jwks_url = variables.text("JWKS_URL", "", URL, "an http or https URL")
    jwks = variables.document("JWKS")
    if bool(jwks_url) == bool(jwks):
        raise SettingError("JWKS_URL: set either JWKS_URL (the URL of the issuer's public keys) or JWKS (the keys)")
    default = next((name for name in audience if _RESOURCE.fullmatch(name)), "")
    resource = variables.text("RESOURCE", default, _RESOURCE, "an http or https URL without query and fragment")
    return APISettings(
        realm=variables.text("REALM", "api", QUOTABLE, 'printable ASCII without " and \\'),
        expected=TokenRequirements(
            issuer=issuer,
            audience=frozenset(audience),
            types=variables.types("TOKEN_TYPE", ("at+jwt",)),
            algorithms=frozenset(variables.choices("ALGORITHMS", ALGORITHMS)),
            leeway_seconds=variables.number("CLOCK_LEEWAY_SECONDS", 0, 0, 300),
        ),
        rules=_rules(variables),
        jwks_url=jwks_url,
        jwks=jwks,
        resource=resource,
        cors_origins=variables.origins("CORS_ORIGINS"),
    )


def _rules(variables: Variables) -> tuple[tuple[PathPatterns, frozenset[str]], ...]:
    """The table SCOPES: "METHOD /path" or "/path*" -> space-separated scopes."""
    table = variables.table("SCOPES")
    rules = []
    for text, scopes in (READ_AND_WRITE if table is None else table).items():
        if not isinstance(scopes, str) or not all(SCOPE.fullmatch(scope) for scope in scopes.split()):
            raise SettingError(f'SCOPES: {scopes!r} for {text!r} is not like "orders.read"')
        rules.append((PathPatterns((variables.pattern("SCOPES", text),)), frozenset(scopes.split())))
    return tuple(rules)
