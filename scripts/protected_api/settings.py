"""The API's settings, read from the worker's `vars`. Pure. The README has the table."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from verifier.access_token import Expected
from verifier.claims import ALGORITHMS
from verifier.variables import QUOTABLE, SCOPE, URL, Paths, SettingError, Variables

__all__ = ["SettingError", "Settings", "read"]

_RESOURCE: Final = re.compile(r"https?://[^\s/?#\"\\]+(?:/[^\s?#\"\\]*)?")

READ_AND_WRITE: Final[Mapping[str, str]] = {
    "GET /records": "records.read",
    "GET /records/*": "records.read",
    "POST /records": "records.write",
    "PUT /records/*": "records.write",
    "DELETE /records/*": "records.write",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """`rules` are paths with the scopes that they need; all that match a request hold. `jwks` is the text of a fixed
    JWK set, empty where `jwks_url` is set. `resource` is this API's own URL, empty where it has none to tell."""

    realm: str
    expected: Expected
    rules: tuple[tuple[Paths, frozenset[str]], ...]
    jwks_url: str
    jwks: str
    resource: str
    cors_origins: frozenset[str]

    def scopes(self, method: str, path: str) -> frozenset[str]:
        """Those that a request needs. HEAD is a GET without a body."""
        method = "GET" if method == "HEAD" else method
        return frozenset().union(*(scopes for paths, scopes in self.rules if paths.match(method, path)))

    @property
    def all_scopes(self) -> list[str]:
        return sorted(frozenset().union(*(scopes for _, scopes in self.rules)))


def read(env: object) -> Settings:
    """The settings that `env` (bindings as attributes) holds, with defaults for those it does not.

    Raises:
        SettingError: one that is missing or cannot be used.
    """
    if getattr(env, "RECORDS", None) is None:
        raise SettingError('RECORDS: there is no such KV binding; add [[kv_namespaces]] with binding = "RECORDS"')
    variables = Variables(env)
    issuer, audience = variables.text("ISSUER", ""), variables.items("AUDIENCE", ())
    if not issuer:
        raise SettingError('ISSUER: whose tokens are accepted is not set; it is what their "iss" says')
    if not audience:
        raise SettingError('AUDIENCE: what the tokens\' "aud" must name is not set; usually it is the URL of this API')
    jwks_url = variables.text("JWKS_URL", "", URL, "an http or https URL")
    jwks = variables.document("JWKS")
    if bool(jwks_url) == bool(jwks):
        raise SettingError("JWKS_URL: set either it or JWKS: where the issuer's public keys are, or the keys")
    default = next((name for name in audience if _RESOURCE.fullmatch(name)), "")
    resource = variables.text("RESOURCE", default, _RESOURCE, "an http or https URL without query and fragment")
    return Settings(
        realm=variables.text("REALM", "api", QUOTABLE, 'printable ASCII without " and \\'),
        expected=Expected(
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


def _rules(variables: Variables) -> tuple[tuple[Paths, frozenset[str]], ...]:
    """Of the table SCOPES: "METHOD /path" or "/path*" -> scopes with spaces between them."""
    table = variables.table("SCOPES")
    rules = []
    for text, scopes in (READ_AND_WRITE if table is None else table).items():
        if not isinstance(scopes, str) or not all(SCOPE.fullmatch(scope) for scope in scopes.split()):
            raise SettingError(f'SCOPES: {scopes!r} for {text!r} is not like "orders.read"')
        rules.append((Paths((variables.pattern("SCOPES", text),)), frozenset(scopes.split())))
    return tuple(rules)
