"""Tables of configuration files, as dataclasses describe them. The shapes are those that a product may have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edgeworker.config import ProductConfig, Zone
from edgeworker.schema import fields as schema
from edgeworker.schema.describe import Row, describe_keys, describe_values
from edgeworker.schema.diagnostics import Diagnostics, SourceLocation
from edgeworker.schema.fields import HIDDEN, ByKind, BySingleKey, Custom, ExtensionTable
from edgeworker.schema.layout import Registry
from edgeworker.schema.table_reader import TableReader
from edgeworker.schema.value_types import BOOLEAN, DURATION, HOST, PATH, SECONDS, TEXT, TEXTS, WHOLE, one_of
from edgeworker.schema.wrangler_checks import FieldContext
from tests.wrangler_compat.project import document


@dataclass(frozen=True, slots=True)
class Email:
    """One address."""

    email: str = field(metadata=schema.key(TEXT, "the address"))


@dataclass(frozen=True, slots=True)
class Everyone:
    """Whoever asks."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group of one provider."""

    name: str = field(metadata=schema.key(TEXT, ""))
    provider: str = schema.setting("local", TEXT, "")


@dataclass(frozen=True, slots=True)
class Rules:
    include: tuple[Email | Everyone | Group, ...] = field(
        metadata=schema.tables(BySingleKey({"email": Email, "everyone": Everyone, "group": Group}), "who may pass")
    )
    decision: str = schema.setting("allow", one_of("allow", "deny"), "what follows")
    source: str = field(default="", metadata=schema.source())


@dataclass(frozen=True, slots=True)
class OneTimePin:
    """A code by e-mail."""


@dataclass(frozen=True, slots=True)
class OpenID:
    """Any OpenID provider."""

    client_id: str = field(metadata=schema.key(TEXT, ""))
    client_secret: str = field(repr=False, metadata=schema.key(TEXT, "never shown"))


@dataclass(frozen=True, slots=True)
class Cookies:
    path: bool = schema.setting(False, BOOLEAN, "")
    same_site: str = schema.setting("none", TEXT, "")


@dataclass(frozen=True, slots=True)
class Door(ProductConfig):
    domain: str = field(metadata=schema.key(HOST, "what is behind the door"))
    session_seconds: int = schema.setting(86_400, DURATION, "how long it stays open", path="session_duration")
    ca_file: Path | None = schema.setting(None, PATH, "")
    tags: tuple[str, ...] = schema.setting((), TEXTS, "")
    cookies: Cookies = field(default=Cookies(), metadata=schema.table(Cookies, "how it is remembered"))
    limit: int = schema.setting(5, WHOLE, "", path="rates.limit")
    period: float = schema.setting(1.0, SECONDS, "", path="rates.period")
    provider: OneTimePin | OpenID | None = field(
        default=None, metadata=schema.table(ByKind("type", {"pin": OneTimePin, "oidc": OpenID}), "who asks for a name")
    )
    policies: tuple[Rules, ...] = field(default=(), metadata=schema.tables(Rules, "in order"))
    location: SourceLocation | None = field(default=None, metadata=schema.location("domain"))

    def check_table(self, context: FieldContext, written: Mapping[str, object]) -> None:
        if "tags" in written and not self.policies:
            context.key("tags").error(f'"{context.label}.tags" needs a policy: write [[{context.label}.policies]].')


WHOLE_DOOR = """\
[door]
domain = "a.example"
session_duration = "2h45m"
ca_file = "ca.pem"
tags = ["x"]
cookies = { path = true }
rates = { limit = 7 }
provider = { type = "oidc", client_id = "c", client_secret = "sesame" }

[[door.policies]]
include = [{ email = "a@b.example" }, { everyone = {} }, { group = { name = "g" } }]

[[door.policies]]
decision = "deny"
include = [{ email = { email = "c@d.example" } }]
"""


def read(text: str) -> tuple[Door | None, list[str]]:
    diagnostics = Diagnostics()
    file = document(text, "edge.toml")
    context = FieldContext(file, diagnostics, ("door",), "door")
    made = TableReader(Path("/project"), "edge.toml").read(Door, context, file.values["door"])
    return made, [f"{one.text} [{one.locations[0].line}]" for one in diagnostics.of("error")]


def test_a_table_becomes_its_dataclass() -> None:
    door, errors = read(WHOLE_DOOR)

    assert errors == []
    assert door == Door(
        domain="a.example",
        session_seconds=9900,
        ca_file=Path("/project/ca.pem"),
        tags=("x",),
        cookies=Cookies(path=True),
        limit=7,
        provider=OpenID("c", "sesame"),
        policies=(
            Rules((Email("a@b.example"), Everyone(), Group("g")), "allow", "edge.toml:10 (door.policies[0])"),
            Rules((Email("c@d.example"),), "deny", "edge.toml:13 (door.policies[1])"),
        ),
        location=SourceLocation("edge.toml", 2, "door.domain"),
    )


WRONG = [
    # (the table's lines behind its domain, what is said)
    ("dominion = 1", '"door.dominion" is not a key of edge.toml. Did you mean "domain"? [3]'),
    (
        'session_duration = "1d"',
        '"door.session_duration" must be a duration such as "24h", "30m" or "2h45m", not "1d". [3]',
    ),
    ("cookies = 1", '"door.cookies" must be a table, not 1: write [door.cookies]. [3]'),
    ("cookies = { path = 1 }", '"door.cookies.path" must be true or false, not 1. [3]'),
    ("cookies = { paths = true }", '"door.cookies.paths" is not a key of edge.toml. Did you mean "path"? [3]'),
    ("rates = { limit = -1 }", '"door.rates.limit" must be a whole number, 0 or more, not -1. [3]'),
    ("policies = 1", '"door.policies" must be an array of tables: write [[door.policies]], not [door.policies]. [3]'),
    ("[[door.policies]]", '"door.policies[0]" has no "include": it must be an array of tables. [3]'),
    ("policies = [1]", '"door.policies[0]" must be a table, not 1: write [[door.policies]]. [3]'),
    (
        "policies = [{ include = [{ emial = 1 }] }]",
        '"door.policies[0].include[0].emial" is not a key of edge.toml. Did you mean "email"? [3]',
    ),
    (
        "policies = [{ include = [{ email = 5 }] }]",
        '"door.policies[0].include[0].email" must be a text, not 5. [3]',
    ),
    (
        "policies = [{ include = [{ email = { email = 5 } }] }]",
        '"door.policies[0].include[0].email.email" must be a text, not 5. [3]',
    ),
    (
        "policies = [{ include = [{ group = {} }] }]",
        '"door.policies[0].include[0].group" has no "name": it must be a text. [3]',
    ),
    (
        "policies = [{ include = [{ group = {}, everyone = {} }] }]",
        '"door.policies[0].include[0]" must be a table with exactly one key, not 2 keys (group, everyone). The key is '
        "one of: email, everyone, group. [3]",
    ),
    (
        'policies = [{ include = ["a"] }]',
        '"door.policies[0].include[0]" must be a table with exactly one key, not "a". The key is one of: email, '
        "everyone, group. [3]",
    ),
    ('provider = "pin"', '"door.provider" must be a table, not "pin". [3]'),
    ("provider = {}", '"door.provider" has no "type": it must be "pin" or "oidc". [3]'),
    ("provider = { type = 1 }", '"door.provider.type" must be "pin" or "oidc", not 1. [3]'),
    ('provider = { type = "pin", pin = 1 }', '"door.provider.pin" is not a key of edge.toml. There are none. [3]'),
    ('tags = ["x"]', '"door.tags" needs a policy: write [[door.policies]]. [3]'),
]


@pytest.mark.parametrize(("lines", "error"), WRONG, ids=[lines for lines, _ in WRONG])
def test_what_is_wrong_is_said_with_its_line_and_what_would_be_right(lines: str, error: str) -> None:
    assert read(f'[door]\ndomain = "a.example"\n{lines}\n')[1] == [error]


def test_what_must_be_there_and_is_not_is_said() -> None:
    assert read("[door]\nlimit = 1\n") == (
        None,
        [
            '"door.limit" is not a key of edge.toml. There are: domain, session_duration, ca_file, tags, cookies, '
            "rates, provider, policies. [2]",
            '"door" has no "domain": it must be a host name such as "example.com". [1]',
        ],
    )


def test_a_secret_of_a_wrong_type_is_not_quoted() -> None:
    provider = 'provider = { type = "oidc", client_id = "c", client_secret = ["sesame"] }'
    (error,) = read(f'[door]\ndomain = "a"\n{provider}\n')[1]

    assert error == '"door.provider.client_secret" must be a text; what is there is not shown. [3]'


def test_only_what_is_not_a_default_is_shown_and_no_secret() -> None:
    door, _ = read(WHOLE_DOOR)

    assert dict(describe_values(door)) == {
        "domain": "a.example",
        "session_duration": "9900",
        "ca_file": "/project/ca.pem",
        "tags": "x",
        "cookies.path": "true",
        "rates.limit": "7",
        "provider.client_id": "c",
        "provider.client_secret": HIDDEN,
        "policies[0].include[0].email": "a@b.example",
        "policies[0].include[2].name": "g",
        "policies[1].decision": "deny",
        "policies[1].include[0].email": "c@d.example",
    }


def _read_level(context: FieldContext, value: object) -> int | None:
    if value in (1, 2):
        return int(str(value))
    context.error(f'"{context.label}" must be 1 or 2, not {value}.')
    return None


def test_a_table_that_others_register_is_read_into_the_tuple_of_its_dataclass() -> None:
    registry: Registry = {
        Zone: (
            ExtensionTable("door", Door, "a door"),
            ExtensionTable("level", Custom(_read_level, [("", "1 or 2", "how high")]), "a level"),
        )
    }
    file = document('name = "a.example"\nlevel = 2\n[door]\ndomain = "b"\n')
    diagnostics = Diagnostics()

    zone = TableReader(Path("/project"), "edge.toml", registry).read(
        Zone, FieldContext(file, diagnostics, (), ""), file.values
    )

    assert zone is not None
    assert [type(product).__name__ for product in zone.products] == ["Door", "int"]
    assert diagnostics.messages == []
    rows = list(describe_keys(Zone, registry))
    assert Row("[door]", "domain", 'a host name such as "example.com"', "required; what is behind the door") in rows
    assert Row("[door.cookies]", "path", "true or false", "default: `false`") in rows
    assert Row("[[door.policies.include]]", "everyone", "an empty table", "Whoever asks") in rows
    assert Row("[door.provider]", 'type = "oidc"', "", "Any OpenID provider") in rows
    assert Row("[level]", "", "1 or 2", "how high") in rows


def test_a_table_that_is_not_registered_is_unknown() -> None:
    file = document('name = "a.example"\n[door]\ndomain = "b"\n')
    diagnostics = Diagnostics()

    TableReader(Path("/project"), "edge.toml").read(Zone, FieldContext(file, diagnostics, (), ""), file.values)

    assert [one.text.partition(".")[0] for one in diagnostics.of("error")] == ['"door" is not a key of edge']
