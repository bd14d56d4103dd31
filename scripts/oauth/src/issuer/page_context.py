"""One request to the auth worker, and what its pages need to answer it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from issuer import cookies, csrf, end_marks, form_parameters, html_responses
from issuer.clients import RegisteredClient
from issuer.endpoint_response import EndpointResponse
from issuer.form_parameters import MAX_PAGE_BYTES, BadParameters, Parameters
from issuer.id_token_hint import IDTokenHint
from issuer.login_backoff import LoginAttempts
from issuer.pages import App, Frame, Person
from issuer.password_queue import PasswordQueue
from issuer.redirect_uris import name_destination
from issuer.sessions import LoginSession, SessionStore
from issuer.settings import IssuerSettings
from issuer.storage import IssuerStorage
from issuer.users import User


class PageError(Exception):
    """The request ends with this page instead."""

    def __init__(self, status: int, title: str, text: str, *, details: str = "") -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.text = text
        self.details = details


@dataclass(frozen=True, slots=True)
class PageRequest:
    """`query` is the raw one; `address` is the client's, as the edge knows it; `now` is in epoch seconds."""

    method: str
    path: str
    query: str
    cookie: str | None
    address: str | None
    content_type: str | None
    fetch_site: str | None
    body: Callable[[int], Awaitable[bytes]]
    now: int


@dataclass(frozen=True, slots=True)
class AuthServer:
    """What is kept between requests. `read_hint` reads an id_token_hint."""

    settings: IssuerSettings
    read_hint: Callable[[str], Awaitable[IDTokenHint]]
    password_queue: PasswordQueue = field(default_factory=PasswordQueue)
    attempts: LoginAttempts = field(default_factory=LoginAttempts)


@dataclass(frozen=True, slots=True)
class SignedIn:
    session_id: str
    session: LoginSession
    user: User


class FailureStore(Protocol):
    """Counts of failed logins beyond this isolate. Durations are in seconds."""

    async def get(self, key: str) -> str | None: ...
    async def put(self, key: str, value: str, ttl_seconds: int) -> None: ...
    async def delete(self, key: str) -> None: ...


@dataclass(slots=True)
class PageContext:
    """`check_rate_limit` says whether this address may try to log in. `cookies` are set with the response."""

    request: PageRequest
    server: AuthServer
    store: IssuerStorage
    sessions: SessionStore
    failures: FailureStore
    check_rate_limit: Callable[[str], Awaitable[bool]]
    cookies: list[str] = field(default_factory=list)
    _body: Parameters | None = None

    @property
    def settings(self) -> IssuerSettings:
        return self.server.settings

    @property
    def now(self) -> int:
        return self.request.now

    @property
    def frame(self) -> Frame:
        return Frame(self.settings.path, self.settings.issuer.partition("://")[2].partition("/")[0])

    @property
    def session_id(self) -> str | None:
        return cookies.read(self.request.cookie, cookies.SESSION, self.settings.issuer)

    def path(self, name: str, query: str = "") -> str:
        """A page of ours, from the root of this host: nothing in a request decides where it leads."""
        return f"{self.settings.path}{name}" + (f"?{query}" if query else "")

    def query(self) -> Parameters:
        try:
            return form_parameters.parse(self.request.query)
        except BadParameters as error:
            raise PageError(400, "This request cannot be read", f"In its address {error}.") from None

    async def body(self) -> Parameters:
        """The fields of a posted form."""
        if self._body is None:
            if not form_parameters.is_form(self.request.content_type):
                raise PageError(415, "This request cannot be read", f"A form is sent as {form_parameters.MEDIA_TYPE}.")
            content = await self.request.body(MAX_PAGE_BYTES)
            if len(content) > MAX_PAGE_BYTES:
                raise PageError(413, "This request is too large", f"A form has at most {MAX_PAGE_BYTES} bytes.")
            try:
                self._body = form_parameters.parse(content)
            except BadParameters as error:
                raise PageError(400, "This request cannot be read", f"In its form {error}.") from None
        return self._body

    async def signed_in(self) -> SignedIn | None:
        """The session of this browser and its user; None if it is over, was ended, or the user may not log in."""
        session_id = self.session_id
        session = await self.sessions.find(session_id, now=self.now)
        if session_id is None or session is None:
            return None
        user = await self.store.user_by_id(session.user_id)
        if user is None or user.disabled or user.id != session.user_id:
            return None
        if end_marks.is_void(session.epoch, await self.store.epoch(user.id)):
            return None
        return SignedIn(session_id, session, user)

    def form_secret(self) -> str:
        """The secret of a browser that is not logged in; a new one is set as a cookie with the response."""
        secret = cookies.read(self.request.cookie, cookies.FORM, self.settings.issuer)
        if secret is None:
            secret = cookies.new_secret()
            self.cookies.append(cookies.put(cookies.FORM, secret, self.settings.issuer))
        return secret

    async def is_own_form(self, secret: str | None, purpose: str, query: str) -> bool:
        """Whether a posted form was shown by us to this browser, for this purpose and this query."""
        # Browsers say where a form was sent from; this decides before any token.
        if self.request.fetch_site not in (None, "same-origin", "none"):
            return False
        body = await self.body()
        return not body.repeated(["csrf"]) and csrf.is_valid(body.get("csrf"), secret, purpose, query)

    async def is_own_anonymous_form(self, purpose: str, query: str) -> bool:
        """The same for a form that was shown to a browser that was not logged in."""
        secret = cookies.read(self.request.cookie, cookies.FORM, self.settings.issuer)
        return await self.is_own_form(secret, purpose, query)

    def page(
        self, text: str, *, status: int = 200, form_source: str | None = None, retry_after: int | None = None
    ) -> EndpointResponse:
        return html_responses.page(text, status=status, form_source=form_source, retry_after_seconds=retry_after)


def app(client: RegisteredClient, uri: str = "") -> App:
    return App(client.client_name or client.client_id, client.client_id, name_destination(uri) if uri else "")


def person(user: User) -> Person:
    return Person(user.name, user.email)
