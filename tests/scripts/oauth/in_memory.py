"""Both workers' contexts over stores in memory: one module of the issuer, without an edge around it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace

from edgeworker.config import JSON
from issuer import settings, users
from issuer.endpoint_context import EndpointContext, EndpointRequest
from issuer.endpoint_response import EndpointResponse
from issuer.failure_window import FailureWindow
from issuer.form_parameters import Parameters, parse
from issuer.id_token_hint import UNREADABLE, IDTokenHint
from issuer.page_context import AuthServer, PageContext, PageRequest
from issuer.sessions import SessionStore
from issuer.settings import IssuerSettings
from issuer.storage import IssuerStorage
from issuer.store_bindings import GuardedNamespace
from issuer.token_request import TokenRequest
from issuer.users import User
from tests.scripts.oauth import auth_stage, token_stage
from tests.scripts.oauth.auth_stage import HASH
from tests.scripts.oauth.token_stage import RING, START

PAGE_KEYS = 2  # of one call of `list`

FORM_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class ListedKey:
    name: str


@dataclass(frozen=True, slots=True)
class ListPage:
    keys: list[ListedKey]
    list_complete: bool
    cursor: str


@dataclass(slots=True)
class MemoryKV:
    """A KV namespace that forgets nothing. `broken` are the calls that fail."""

    entries: dict[str, str] = field(default_factory=dict)
    options: dict[str, dict[str, int]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)

    async def get(self, key: str, /) -> str | None:
        self._begin("get")
        return self.entries.get(key)

    async def put(self, key: str, value: str, /, **options: int) -> None:
        self._begin("put")
        self.entries[key], self.options[key] = value, options

    async def delete(self, key: str, /) -> None:
        self._begin("delete")
        self.entries.pop(key, None)

    async def list(self, **options: str | int) -> ListPage:
        self._begin("list")
        names = sorted(name for name in self.entries if name.startswith(str(options["prefix"])))
        start = int(options.get("cursor", 0))
        end = start + PAGE_KEYS
        return ListPage([ListedKey(name) for name in names[start:end]], end >= len(names), str(end))

    def _begin(self, call: str) -> None:
        self.calls.append(call)
        if call in self.broken:
            raise OSError("KV is away")


@dataclass(slots=True)
class MemoryAtomic:
    """The service of scripts/atomic. `interruptions`: so often another writer comes in between."""

    entries: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    interruptions: int = 0

    async def get(self, key: str, /) -> str | None:
        self._begin("get")
        return self.entries.get(key)

    async def take(self, key: str, /) -> str | None:
        self._begin("take")
        return self.entries.pop(key, None)

    async def put_if_absent(self, key: str, value: str, ttl_seconds: int, /) -> bool:
        self._begin("put_if_absent")
        if key in self.entries:
            return False
        self.entries[key] = value
        return True

    async def compare_and_put(self, key: str, expected: str, value: str, ttl_seconds: int, /) -> bool:
        self._begin("compare_and_put")
        if self.interruptions:
            self.interruptions -= 1
            return False
        if self.entries.get(key) != expected:
            return False
        self.entries[key] = value
        return True

    def _begin(self, call: str) -> None:
        if call in self.broken:
            raise OSError("ATOMIC is away")


@dataclass(slots=True)
class Stores:
    """What `env` holds."""

    users: MemoryKV = field(default_factory=MemoryKV)
    codes: MemoryKV = field(default_factory=MemoryKV)
    tokens: MemoryKV = field(default_factory=MemoryKV)
    split: MemoryKV = field(default_factory=MemoryKV)
    atomic: MemoryAtomic | None = field(default_factory=MemoryAtomic)

    @property
    def env(self) -> SimpleNamespace:
        return SimpleNamespace(
            USERS=self.users, CODES=self.codes, TOKENS=self.tokens, SPLIT=self.split, ATOMIC=self.atomic
        )

    def storage(self, known: IssuerSettings) -> IssuerStorage:
        return IssuerStorage(self.env, known)

    def add(self, user: User) -> User:
        self.users.entries[users.key(user.email)] = json.dumps(users.record(user))
        self.users.entries[users.id_key(user.id)] = users.key(user.email)
        return user


def ann(**changes: object) -> User:
    made = users.new("ann@example.com", HASH, now=START, name="Ann Larsson", email_verified=True)
    return users.parse({**users.record(made), **changes})


def token_settings(**variables: JSON) -> IssuerSettings:
    return settings.read(SimpleNamespace(**token_stage.variables(**variables)))


def auth_settings(*clients: Mapping[str, JSON], **variables: JSON) -> IssuerSettings:
    return settings.read(SimpleNamespace(**auth_stage.variables(*clients, **variables)))


def endpoint_context(
    stores: Stores,
    *,
    known: IssuerSettings | None = None,
    method: str = "GET",
    path: str = "/userinfo",
    authorization: str | None = None,
    now: int = START,
) -> EndpointContext:
    known = known or token_settings()

    async def body(_limit: int) -> bytes:
        return b""

    async def allow(_key: str) -> bool:
        return True

    request = EndpointRequest(
        method=method,
        path=path,
        query="",
        authorization=authorization,
        content_type=FORM_TYPE,
        accept=None,
        origin=None,
        request_headers=None,
        address="198.51.100.7",
        now=now,
        body=body,
    )
    return EndpointContext(request, known, RING, stores.storage(known), FailureWindow(30), allow)


def token_request(
    stores: Stores, fields: str, client_id: str = "shop", *, known: IssuerSettings | None = None
) -> TokenRequest:
    """Of an authenticated client; `fields` are the form's."""
    known = known or token_settings()
    return TokenRequest(parse(fields), known.clients[client_id], stores.storage(known), known, RING, START)


def page_context(
    stores: Stores,
    *,
    known: IssuerSettings | None = None,
    method: str = "GET",
    path: str = "/login",
    query: str = "",
    cookie: str | None = None,
    form: bytes = b"",
    content_type: str | None = FORM_TYPE,
    fetch_site: str | None = None,
    now: int = START,
) -> PageContext:
    known = known or auth_settings()
    storage = stores.storage(known)

    async def body(limit: int) -> bytes:
        return form[: limit + 1]

    async def read_hint(_token: str) -> IDTokenHint:
        return UNREADABLE

    async def allow(_key: str) -> bool:
        return True

    return PageContext(
        request=PageRequest(
            method=method,
            path=path,
            query=query,
            cookie=cookie,
            address="198.51.100.7",
            content_type=content_type,
            fetch_site=fetch_site,
            body=body,
            now=now,
        ),
        server=AuthServer(known, read_hint),
        store=storage,
        sessions=SessionStore(storage.tokens, storage.atomic, known),
        failures=_Failures(storage.tokens),
        check_rate_limit=allow,
    )


class _Failures:
    """Counts of failed logins, in the same namespace."""

    def __init__(self, namespace: GuardedNamespace) -> None:
        self._namespace = namespace

    async def get(self, key: str) -> str | None:
        return await self._namespace.get(key)

    async def put(self, key: str, value: str, ttl_seconds: int) -> None:
        await self._namespace.put(key, value, ttl_seconds)

    async def delete(self, key: str) -> None:
        await self._namespace.delete(key)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A Uint8Array."""

    content: bytes

    def to_bytes(self) -> bytes:
        return self.content


@dataclass(frozen=True, slots=True)
class ReadResult:
    done: bool
    value: Chunk | None = None

    def __getattr__(self, name: str, /) -> object:
        raise AttributeError(name)


@dataclass(slots=True)
class StreamedBody:
    """A stream of JavaScript that notes how much of it was read."""

    chunks: list[bytes]
    reads: int = 0
    cancelled: bool = False

    @property
    def body(self) -> "StreamedBody":
        return self

    def getReader(self) -> "StreamedBody":
        return self

    async def read(self) -> "ReadResult":
        if self.reads == len(self.chunks):
            return ReadResult(True)
        self.reads += 1
        return ReadResult(False, Chunk(self.chunks[self.reads - 1]))

    async def cancel(self) -> None:
        self.cancelled = True


def parameters(**values: str) -> Parameters:
    return Parameters({name: (value,) for name, value in values.items()})


def field_of(response: EndpointResponse, name: str) -> str | None:
    """The value of a header field that may be there once."""
    values = [value for key, value in response.fields if key == name]
    assert len(values) <= 1, values
    return values[0] if values else None


def document(response: EndpointResponse) -> dict[str, JSON]:
    assert response.text is not None
    found: dict[str, JSON] = json.loads(response.text)
    return found
