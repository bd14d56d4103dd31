"""Cloudflare Access in a test: who is logged in, service tokens, rotation and revocation."""

import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from edgeworker.clock import Clock
from edgeworker.config import JSON, Config
from edgeworker.products.access.config import access_config
from edgeworker.products.access.directory import Directory, Snapshot
from edgeworker.products.access.keys import from_document, to_document
from edgeworker.products.access.local_login import LocalLogin, find_application
from edgeworker.products.access.objects import hash_secret
from edgeworker.products.access.product import AccessProduct
from edgeworker.products.access.service_tokens import new_client_id, new_secret
from edgeworker.products.access.sessions import email_key
from edgeworker.state import Put, State
from edgeworker.testing.access_keys import access_key, prepare_keys

T = TypeVar("T")


class AtOnce(Protocol):
    """Does work that waits for nothing, with or without a loop."""

    def __call__(self, work: Callable[[], Awaitable[T]], /) -> T: ...


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Someone with a session of one application. `headers` go with a request: `edge.get(url, headers=ada.headers)`."""

    email: str
    aud: str
    token: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"Cookie": f"CF_Authorization={self.token}"}


@dataclass(frozen=True, slots=True)
class IssuedServiceToken:
    """A service token with its secret. `id` is the UUID that policies name."""

    id: str
    client_id: str
    client_secret: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"CF-Access-Client-Id": self.client_id, "CF-Access-Client-Secret": self.client_secret}


class AccessHelper:
    """`edge.access`. No method is a coroutine: all works in tests with and without async."""

    def __init__(self, config: Config, state: State, clock: Clock, at_once: AtOnce) -> None:
        """Raises LookupError where the configuration has no [access]."""
        access = access_config(config)
        if access is None:
            raise LookupError('this edge has no Access: write [access] with team = "..." into edge.toml')
        self._config = config
        self._state = state
        self._documents = state.documents(AccessProduct.name)
        self._directory = Directory(access, self._documents, clock)
        self._login = LocalLogin(self._directory, clock, config.account_id)
        self._clock = clock
        self._at_once = at_once
        self._numbers = itertools.count(1)

    @property
    def team_domain(self) -> str:
        """The issuer of tokens, as a URL."""
        return self._directory.config.issuer

    @property
    def certs_url(self) -> str:
        return f"{self.team_domain}/cdn-cgi/access/certs"

    def aud(self, app: str | None = None) -> str:
        """The AUD tag of an application, by its name, host or URL. Raises LookupError."""

        async def find() -> str:
            return find_application(await self._snapshot(), app).aud

        return self._at_once(find)

    def login(
        self,
        email: str,
        *,
        app: str | None = None,
        groups: Sequence[str] = (),
        claims: Mapping[str, JSON] | None = None,
        ip: str = "192.0.2.1",
        country: str = "",
    ) -> LoggedIn:
        """A session of an application (the only one, or that of a name, a host or a URL), as a login would give it.

        Raises:
            LookupError: there is no such application.
            PermissionError: its policies do not allow this person.
        """

        async def log_in() -> LoggedIn:
            snapshot = await self._snapshot()
            application = find_application(snapshot, app)
            token = await self._login.log_in(
                email, application, snapshot, groups=groups, claims=claims, ip=ip, country=country
            )
            return LoggedIn(email.lower(), application.aud, token)

        return self._at_once(log_in)

    def service_token(self, name: str = "test") -> IssuedServiceToken:
        """A new service token, which a policy with `any_valid_service_token` or its id lets in."""
        number = next(self._numbers)
        token = IssuedServiceToken(f"00000000-0000-4000-8000-{number:012d}", new_client_id(), new_secret())
        value: dict[str, JSON] = {
            "name": f"{name} {number}",
            "client_id": token.client_id,
            "secret_hash": hash_secret(token.client_secret),
        }
        self._at_once(lambda: self._directory.commit([Put("service_token", token.id, value)]))
        return token

    def rotate(self) -> None:
        """Another key signs from now on; the one before verifies for seven more days."""

        async def rotate() -> None:
            await self._snapshot()
            document = await self._documents.get("keys", "current")
            assert document is not None
            fresh = access_key(f"rotated {next(self._numbers)}")
            rotated = from_document(document.value).rotate(fresh, self._clock.now())
            await self._directory.commit([Put("keys", "current", to_document(rotated))])

        self._at_once(rotate)

    def revoke(self, email: str | None = None, *, app: str | None = None) -> None:
        """Ends every session of a person, or voids every token of an application. Raises LookupError."""

        async def revoke() -> None:
            snapshot = await self._snapshot()
            if email is not None:
                user = await self._documents.get("user", email_key(email.lower(), ""))
                if user is None:
                    raise LookupError(f"{email} has never logged in")
                await self._login.sessions.revoke_user(str(user.value["uuid"]))
            if email is None or app is not None:
                await self._login.sessions.revoke_application(find_application(snapshot, app).id)

        self._at_once(revoke)

    async def _snapshot(self) -> Snapshot:
        await prepare_keys(self._config, self._state, self._clock)
        snapshot = await self._directory.current()
        # Keys are made here and not in a thread, so that nothing waits.
        now, keys = self._clock.now(), snapshot.keys
        if keys.is_due(now, snapshot.organization.key_rotation_days):
            keys = keys.rotate(access_key(f"rotated {next(self._numbers)}"), now)
        elif keys.needs_upcoming(now):
            keys = keys.with_upcoming(access_key(f"upcoming {next(self._numbers)}"))
        else:
            return snapshot
        await self._directory.commit([Put("keys", "current", to_document(keys))])
        return await self._directory.current()
