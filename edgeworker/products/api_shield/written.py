"""What is written in the tables of [zones.api_shield]. Reads the files of keys that it names; else pure.

Imports neither cryptography nor the Rules language: every edge reads its edge.toml with it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edgeworker.config import JSON
from edgeworker.errors import ConfigError
from edgeworker.products.api_shield.config import (
    MAX_DESCRIPTION_CHARACTERS,
    MAX_TITLE_CHARACTERS,
    TokenConfiguration,
)
from edgeworker.products.api_shield.header_names import check_header_name
from edgeworker.products.api_shield.presets import Preset, expand
from edgeworker.products.api_shield.token_sources import MAX_SOURCES, read_source
from edgeworker.schema import fields as schema
from edgeworker.schema.value_types import (
    ANY_TEXT,
    BOOLEAN,
    DURATION,
    HEADER,
    PATH,
    POSITIVE,
    TEXT,
    TEXTS,
    ValueType,
    one_of,
)

_AUTHORIZATION: Final = 'http.request.headers["authorization"][0]'
_ACTION: Final = one_of("log", "block")
_KEYS: Final = ValueType(
    "an array of JSON Web Keys", lambda value: isinstance(value, list) and all(isinstance(one, dict) for one in value)
)


def _limited(what: str, text: str, most: int) -> None:
    if len(text) > most:
        raise ConfigError(f"{what} has {len(text)} characters; at most {most} are allowed.")


@dataclass(frozen=True, slots=True)
class WrittenConfiguration:
    """[[zones.api_shield.token_configurations]]"""

    id: str = field(metadata=schema.key(TEXT, 'how rules call it: is_jwt_valid("ID")'))
    jwks_file: Path | None = schema.setting(
        None, PATH, "a file with the key set, as the identity provider publishes it"
    )
    keys: list[JSON] | None = field(default=None, repr=False, metadata=schema.key(_KEYS, "or the keys themselves"))
    token_sources: tuple[str, ...] = schema.setting((_AUTHORIZATION,), TEXTS, "where tokens are; up to 4")
    title: str = schema.setting("", ANY_TEXT, "for people; up to 50 characters")
    description: str = schema.setting("", ANY_TEXT, "up to 500 characters")
    require_exp: bool = schema.setting(
        False, BOOLEAN, "a token without exp never counts; Cloudflare has no such switch"
    )
    source: str = field(default="", metadata=schema.source())
    made: TokenConfiguration | None = None

    def __post_init__(self) -> None:
        """Raises ConfigError."""
        _limited("The title", self.title, MAX_TITLE_CHARACTERS)
        _limited("The description", self.description, MAX_DESCRIPTION_CHARACTERS)
        if not 1 <= len(self.token_sources) <= MAX_SOURCES:
            raise ConfigError(f"token_sources has {len(self.token_sources)} items; it takes 1 to {MAX_SOURCES}.")
        if (self.jwks_file is None) == (self.keys is None):
            raise ConfigError(f'The token configuration "{self.id}" needs either jwks_file or keys.')
        # Cryptography is loaded only where there are keys.
        from edgeworker.products.api_shield.key_files import InvalidKeys, read_key_file, read_keys, written_at

        try:
            sources = tuple(read_source(text) for text in self.token_sources)
            keys = read_keys(self.keys or []) if self.jwks_file is None else read_key_file(self.jwks_file)
        except (ValueError, InvalidKeys) as error:
            raise ConfigError(f"{error}.") from None
        made = TokenConfiguration(
            self.id,
            self.title or self.id,
            sources,
            keys,
            self.description,
            self.require_exp,
            source=self.source,
            keys_imported_at=0 if self.jwks_file is None else written_at(self.jwks_file),
        )
        object.__setattr__(self, "made", made)


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """[[zones.api_shield.rules]]: an expression, or the choices of the dashboard that one is made of."""

    title: str = field(metadata=schema.key(TEXT, "for people; up to 50 characters"))
    id: str = schema.setting("", ANY_TEXT, "by default made of the title")
    action: str = schema.setting("block", _ACTION, "what follows where the expression is false")
    expression: str = schema.setting("", TEXT, "the policy, or use token_configurations")
    token_configurations: tuple[str, ...] = schema.setting((), TEXTS, "ids; instead of an expression")
    missing_token: str = schema.setting(
        "mark-as-non-compliant", one_of("ignore", "mark-as-non-compliant"), "of a request without a token"
    )
    validate: str = schema.setting("all", one_of("all", "any"), "of several token configurations")
    pass_preflight: bool = schema.setting(False, BOOLEAN, "let OPTIONS pass, as browsers need it")
    hosts: tuple[str, ...] = schema.setting((), TEXTS, "of the operations that it covers; by default all")
    exclude: tuple[str, ...] = schema.setting(
        (), TEXTS, 'operations that it leaves out, as "POST api.example.com/login"'
    )
    enabled: bool = schema.setting(True, BOOLEAN, "")
    description: str = schema.setting("", ANY_TEXT, "up to 500 characters")
    source: str = field(default="", metadata=schema.source())

    def __post_init__(self) -> None:
        """Raises ConfigError."""
        _limited("The title", self.title, MAX_TITLE_CHARACTERS)
        _limited("The description", self.description, MAX_DESCRIPTION_CHARACTERS)
        if bool(self.expression) == bool(self.token_configurations):
            raise ConfigError(f'The rule "{self.title}" needs either expression or token_configurations.')

    def policy(self) -> str:
        """The expression that is written or that the choices stand for."""
        if self.expression:
            return self.expression
        missing, validate = self.missing_token, self.validate
        return expand(
            Preset(
                self.token_configurations,
                "ignore" if missing == "ignore" else "mark-as-non-compliant",
                "any" if validate == "any" else "all",
                self.pass_preflight,
            )
        )


@dataclass(frozen=True, slots=True)
class WrittenCustomRule:
    """[[zones.api_shield.custom_rules]]"""

    expression: str = field(metadata=schema.key(TEXT, "acts where it is true, on every request of the zone"))
    action: str = schema.setting("block", _ACTION, "")
    description: str = schema.setting("", ANY_TEXT, "for people")
    id: str = schema.setting("", ANY_TEXT, "by default made of the expression")
    enabled: bool = schema.setting(True, BOOLEAN, "")
    source: str = field(default="", metadata=schema.source())


@dataclass(frozen=True, slots=True)
class WrittenTransform:
    """[[zones.api_shield.header_transforms]]"""

    header: str = field(metadata=schema.key(HEADER, "deleted first, then set"))
    value: str = field(metadata=schema.key(TEXT, "an expression that is a text"))
    expression: str = schema.setting("", ANY_TEXT, "where it applies; by default everywhere")
    description: str = schema.setting("", ANY_TEXT, "for people")
    enabled: bool = schema.setting(True, BOOLEAN, "")
    source: str = field(default="", metadata=schema.source())

    def __post_init__(self) -> None:
        """Raises ConfigError."""
        try:
            check_header_name(self.header)
        except ValueError as error:
            raise ConfigError(f"{error}.") from None


@dataclass(frozen=True, slots=True)
class WrittenRateLimit:
    """[[zones.api_shield.rate_limits]]"""

    requests: int = field(metadata=schema.key(POSITIVE, "how many in a period"))
    period_seconds: int = field(metadata=schema.key(DURATION, "", path="period"))
    characteristics: tuple[str, ...] = field(
        metadata=schema.key(TEXTS, "expressions by whose values is counted; `ip.src`: an IPv4 address, of IPv6 a /64")
    )
    mitigation_seconds: int = schema.setting(0, DURATION, "how long what is beyond is blocked", path="mitigation")
    expression: str = schema.setting("", ANY_TEXT, "which requests are counted; by default all")
    description: str = schema.setting("", ANY_TEXT, "for people")
    enabled: bool = schema.setting(True, BOOLEAN, "")
    source: str = field(default="", metadata=schema.source())
