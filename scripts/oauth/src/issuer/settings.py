"""The settings of both workers, read from their `vars` and secrets. Pure. README.md lists them.

Each is a string, a number, a list or a table in wrangler.toml's `[vars]`; lists and tables may also be strings of JSON.
An unusable setting raises an error that begins with its name, before any request is answered.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from issuer import clients
from issuer.clients import BadClient, RegisteredClient
from verifier.variables import SettingError, Variables

__all__ = ["IssuerSettings", "SettingError", "check_client", "read"]

COMPATIBILITIES: Final = ("", "curity-tutorial")
PUBLISHERS: Final = ("binding", "api", "off")
HASHES: Final = ("sha256", "sha384", "sha512")
ENCODINGS: Final = ("base64", "base64url", "hex")
API_BASE: Final = "https://api.cloudflare.com/client/v4"

# An entry of KV lives for 60 seconds at least, and the call that writes it takes a while too.
MIN_SPLIT_TTL_SECONDS: Final = 120
MAX_TTL_SECONDS: Final = 31_536_000  # what the ATOMIC service keeps at most

_DEFAULT_SCOPES: Final = {
    "openid": "Know who you are",
    "profile": "See your name",
    "email": "See your e-mail address",
    "offline_access": "Keep access while you are away",
}

# KV allows 512 bytes, and the longest hash (SHA-512 in hex) has 128.
_LONGEST_PREFIX: Final = 512 - 128

_HOST: Final = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])"
_ISSUER: Final = re.compile(rf"(https?)://({_HOST})(:[1-9][0-9]{{0,4}})?((?:/[A-Za-z0-9._~-]+)*)")
_ORIGIN: Final = re.compile(rf"\*|https?://{_HOST}(?::[0-9]{{1,5}})?")
_URL: Final = re.compile(r"https?://[^\s/?#]+(?:/[^\s?#]*)?")
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_-]*")
_LOOPBACK: Final = re.compile(r"localhost|.+\.localhost|127\.0\.0\.1|\[::1\]")


@dataclass(frozen=True, slots=True)
class IssuerSettings:
    """Times in seconds. `scopes` maps each scope to its sentence on the consent page; `resources[0]` is the audience of
    a token requested without a resource; `clients` are the configured ones, by id."""

    issuer: str
    resources: tuple[str, ...]
    scopes: Mapping[str, str] = field(default_factory=lambda: dict(_DEFAULT_SCOPES))
    clients: Mapping[str, RegisteredClient] = field(default_factory=dict)
    code_ttl_seconds: int = 60
    access_token_ttl_seconds: int = 600
    id_token_ttl_seconds: int = 600
    refresh_idle_seconds: int = 1_209_600
    refresh_absolute_seconds: int = 7_776_000
    reuse_grace_seconds: int = 0
    session_idle_seconds: int = 1800
    session_absolute_seconds: int = 43_200
    signup: bool = False
    compat: str = ""
    cors_origins: frozenset[str] = frozenset({"*"})
    publish: str = "binding"
    publish_api_base: str = API_BASE
    publish_account_id: str = ""
    publish_namespace_id: str = ""
    publish_api_token: str = field(default="", repr=False)
    publish_margin_seconds: int = 60
    token_hash: str = "sha256"
    key_encoding: str = "base64"
    key_prefix: str = ""

    @property
    def origin(self) -> str:
        """The issuer's scheme and host (and port)."""
        return self.issuer.removesuffix(self.path)

    @property
    def path(self) -> str:
        """The issuer's path, without a slash at its end: empty for most."""
        return "/" + rest if (rest := self.issuer.partition("://")[2].partition("/")[2]) else ""

    def url(self, path: str) -> str:
        """The public URL of an endpoint; all are below the issuer's path."""
        return self.issuer + path


def read(env: object) -> IssuerSettings:
    """The settings in `env` (bindings as attributes), with defaults for missing ones.

    Raises:
        SettingError: a value is unusable.
    """
    default = IssuerSettings(issuer="", resources=())
    variables = IssuerVariables(env)
    issuer = _issuer(variables)
    settings = IssuerSettings(
        issuer=issuer,
        resources=variables.resources("RESOURCES") or (issuer,),
        scopes=variables.scopes("SCOPES", default.scopes),
        clients=variables.clients("CLIENTS"),
        code_ttl_seconds=variables.number("CODE_TTL_SECONDS", default.code_ttl_seconds, 1, 600),
        access_token_ttl_seconds=variables.number(
            "ACCESS_TOKEN_TTL_SECONDS", default.access_token_ttl_seconds, 1, 86_400
        ),
        id_token_ttl_seconds=variables.number("ID_TOKEN_TTL_SECONDS", default.id_token_ttl_seconds, 1, 86_400),
        refresh_idle_seconds=variables.number(
            "REFRESH_IDLE_SECONDS", default.refresh_idle_seconds, 60, MAX_TTL_SECONDS
        ),
        refresh_absolute_seconds=variables.number(
            "REFRESH_ABSOLUTE_SECONDS", default.refresh_absolute_seconds, 60, MAX_TTL_SECONDS
        ),
        reuse_grace_seconds=variables.number("REUSE_GRACE_SECONDS", default.reuse_grace_seconds, 0, 300),
        session_idle_seconds=variables.number(
            "SESSION_IDLE_SECONDS", default.session_idle_seconds, 60, MAX_TTL_SECONDS
        ),
        session_absolute_seconds=variables.number(
            "SESSION_ABSOLUTE_SECONDS", default.session_absolute_seconds, 60, MAX_TTL_SECONDS
        ),
        signup=variables.flag("SIGNUP", default.signup),
        compat=variables.exact_choice("COMPAT", default.compat, COMPATIBILITIES),
        cors_origins=frozenset(
            item.lower() for item in variables.list_or_json("CORS_ORIGINS", tuple(default.cors_origins), _ORIGIN)
        ),
        publish=variables.exact_choice("PUBLISH", default.publish, PUBLISHERS),
        publish_api_base=variables.text("PUBLISH_API_BASE", default.publish_api_base, _URL, "an http or https URL"),
        publish_account_id=variables.text("PUBLISH_ACCOUNT_ID", "", _IDENTIFIER, "an account's id"),
        publish_namespace_id=variables.text("PUBLISH_NAMESPACE_ID", "", _IDENTIFIER, "a namespace's id"),
        publish_api_token=variables.secret("PUBLISH_API_TOKEN"),
        publish_margin_seconds=variables.number("PUBLISH_MARGIN_SECONDS", default.publish_margin_seconds, 0, 3600),
        token_hash=variables.choice("TOKEN_HASH", default.token_hash, HASHES),
        key_encoding=variables.exact_choice("KEY_ENCODING", default.key_encoding, ENCODINGS),
        key_prefix=variables.text("KEY_PREFIX", default.key_prefix),
    )
    _check(settings)
    return settings


def _check(settings: IssuerSettings) -> None:
    """Checks of several variables together. Raises SettingError."""
    if settings.publish == "api":
        for name, value in (
            ("PUBLISH_ACCOUNT_ID", settings.publish_account_id),
            ("PUBLISH_NAMESPACE_ID", settings.publish_namespace_id),
            ("PUBLISH_API_TOKEN", settings.publish_api_token),
        ):
            if not value:
                raise SettingError(f'{name}: PUBLISH = "api" needs it')
    if len(settings.key_prefix.encode()) > _LONGEST_PREFIX:
        raise SettingError(f"KEY_PREFIX: longer than {_LONGEST_PREFIX} bytes; a KV key has room for 512 in all")
    if settings.refresh_idle_seconds > settings.refresh_absolute_seconds:
        raise SettingError(
            f"REFRESH_IDLE_SECONDS: {settings.refresh_idle_seconds} is more than REFRESH_ABSOLUTE_SECONDS, "
            f"{settings.refresh_absolute_seconds}"
        )
    for client in settings.clients.values():
        check_client(client, settings)


def check_client(client: RegisteredClient, settings: IssuerSettings) -> None:
    """Checks a client against the server's settings.

    Raises:
        SettingError: the client names a scope or resource that the server does not have, or its tokens cannot be split.
    """
    where = f"CLIENTS: client {client.client_id!r}"
    if unknown := [name for name in client.scope if name not in settings.scopes]:
        raise SettingError(f"{where} has scope {unknown[0]!r}, which SCOPES does not")
    if unknown := [name for name in (*client.resources, *client.audience) if name not in settings.resources]:
        raise SettingError(f"{where} names resource {unknown[0]!r}, which RESOURCES does not")
    if (
        client.token_format == "split"
        and settings.publish != "off"
        and settings.access_token_ttl_seconds < MIN_SPLIT_TTL_SECONDS
    ):
        raise SettingError(
            f"ACCESS_TOKEN_TTL_SECONDS: {settings.access_token_ttl_seconds} is too short for {client.client_id!r}, "
            f"whose tokens are split: KV keeps nothing for less than 60 seconds, so use {MIN_SPLIT_TTL_SECONDS} or more"
        )


def _issuer(variables: "IssuerVariables") -> str:
    """RFC 8414 section 2: an https URL without query and fragment. Plain http is for this machine alone."""
    issuer = variables.text("ISSUER", "")
    if not issuer:
        raise SettingError('ISSUER: it is missing; set the server\'s public URL, like "https://auth.example.com"')
    match = _ISSUER.fullmatch(issuer)
    if match is None or any(part in (".", "..") for part in match[4].split("/")):
        raise SettingError(
            f"ISSUER: {issuer!r} is not an absolute URL in lower case without query, fragment and a slash at its end, "
            'like "https://auth.example.com"'
        )
    if match[1] == "http" and not _LOOPBACK.fullmatch(match[2]):
        raise SettingError(f"ISSUER: {issuer!r} must be https; http is allowed on localhost only")
    return issuer


class IssuerVariables(Variables):
    """Reads single variables, by kind."""

    def secret(self, name: str) -> str:
        """A variable that no error quotes."""
        value = self.value(name)
        if value is None:
            return ""
        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
            raise SettingError(f"{name}: it is not printable ASCII without spaces")
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self.value(name)
        known: dict[object, bool] = {None: default, "true": True, "false": False, "": False}
        if isinstance(value, bool):
            return value
        if not (value is None or isinstance(value, str)) or value not in known:
            raise SettingError(f"{name}: {value!r} is neither true nor false")
        return known[value]

    def exact_choice(self, name: str, default: str, known: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value not in known:
            named = ", ".join(f'"{item}"' for item in known)
            raise SettingError(f"{name}: {value!r} is not one of {named}")
        return value

    def list_or_json(
        self, name: str, default: tuple[str, ...], allowed: re.Pattern[str] | None = None
    ) -> tuple[str, ...]:
        """A list of strings, a JSON list as a string, or a string with commas."""
        value = self.value(name)
        if value is None:
            return default
        if isinstance(value, str):
            stripped = value.strip()
            value = self._json(name, stripped) if stripped.startswith("[") else re.split(r"\s*,\s*", stripped)
            if value == [""]:
                value = []
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            raise SettingError(f"{name}: {value!r} is neither a list of strings nor a string with commas")
        for item in value:
            if not item or (allowed is not None and not allowed.fullmatch(item.lower())):
                raise SettingError(f'{name}: {item!r} is not like "https://app.example.com"')
        return tuple(value)

    def resources(self, name: str) -> tuple[str, ...]:
        items = self.list_or_json(name, ())
        for item in items:
            if not clients.is_resource(item):
                raise SettingError(
                    f'{name}: {item!r} is not an absolute URI without a fragment, like "https://api.example.com"'
                )
        return items

    def scopes(self, name: str, default: Mapping[str, str]) -> Mapping[str, str]:
        value = self.value(name)
        if value is None:
            return default
        if isinstance(value, str):
            value = self._json(name, value)
        if not isinstance(value, Mapping) or not all(isinstance(said, str) for said in value.values()):
            raise SettingError(f'{name}: it is not a table of strings, like {{ "orders.read" = "See your orders" }}')
        for scope in value:
            if not isinstance(scope, str) or not _SCOPE.fullmatch(scope):
                raise SettingError(f'{name}: {scope!r} is not a scope; use printable ASCII without spaces, " and \\')
        return dict(value)

    def clients(self, name: str) -> Mapping[str, RegisteredClient]:
        value = self.value(name)
        if value is None or value == "":
            return {}
        if isinstance(value, str):
            value = self._json(name, value)
        if not isinstance(value, list | tuple):
            raise SettingError(f"{name}: it is not a list of clients")
        found: dict[str, RegisteredClient] = {}
        for number, item in enumerate(value, start=1):
            if not isinstance(item, Mapping):
                raise SettingError(f"{name}: client {number} is not a table")
            try:
                client = clients.parse(item)
            except BadClient as error:
                raise SettingError(f"{name}: client {number}: {error}") from None
            if client.client_id in found:
                raise SettingError(f"{name}: two clients have the id {client.client_id!r}")
            found[client.client_id] = client
        return found

    def _json(self, name: str, text: str) -> object:
        try:
            parsed: object = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SettingError(f"{name}: it is not JSON: {error}") from None
        return parsed
