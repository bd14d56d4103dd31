"""One request to the auth worker, with all that its answer is made of."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from issuer import cookies, csrf, forms, replies
from issuer.clients import Client
from issuer.forms import BadForm, Fields
from issuer.hasher import Hasher
from issuer.pages import App, Frame, Person
from issuer.records import Code
from issuer.redirects import place
from issuer.replies import Reply
from issuer.sessions import Session, Sessions
from issuer.settings import Settings
from issuer.throttle import Attempts
from issuer.users import User


class Store(Protocol):
    """What is used of `storage.Storage`. Each raises Unavailable where a store does not answer."""

    async def client(self, client_id: str) -> Client | None: ...
    async def user_by_email(self, email: str) -> User | None: ...
    async def user_by_id(self, user_id: str) -> User | None: ...
    async def add_user(self, user: User) -> bool: ...
    async def put_code(self, code: str, record: Code) -> None: ...
    async def revoke_grants(self, user_id: str) -> None: ...


class Failed(Exception):
    """The request ends with this page instead."""

    def __init__(self, status: int, title: str, text: str, *, details: str = "") -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.text = text
        self.details = details


@dataclass(frozen=True, slots=True)
class Asked:
    """What came in. `query` is the raw one; `address` is the client's, as the edge knows it; `now` in epoch seconds."""

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
class Isolate:
    """What is kept between requests. `hint` is the claims of an id_token_hint, or None for what is none of ours."""

    settings: Settings
    hint: Callable[[str], Awaitable[dict[str, object] | None]]
    hasher: Hasher = field(default_factory=Hasher)
    attempts: Attempts = field(default_factory=Attempts)


@dataclass(slots=True)
class Visit:
    """`limit` says whether this address may try once more to log in. What `cookies` holds is set with the answer."""

    asked: Asked
    isolate: Isolate
    store: Store
    sessions: Sessions
    failures: "FailureStore"
    limit: Callable[[str], Awaitable[bool]]
    cookies: list[str] = field(default_factory=list)
    _body: Fields | None = None

    @property
    def settings(self) -> Settings:
        return self.isolate.settings

    @property
    def now(self) -> int:
        return self.asked.now

    @property
    def frame(self) -> Frame:
        return Frame(self.settings.path, self.settings.issuer.partition("://")[2].partition("/")[0])

    @property
    def session_id(self) -> str | None:
        return cookies.read(self.asked.cookie, cookies.SESSION, self.settings.issuer)

    def path(self, name: str, query: str = "") -> str:
        """Where a page of ours is, from the root of this host: nothing of a request decides where that leads."""
        return f"{self.settings.path}{name}" + (f"?{query}" if query else "")

    def query(self) -> Fields:
        try:
            return forms.parse(self.asked.query)
        except BadForm as error:
            raise Failed(400, "This request cannot be read", f"In its address {error}.") from None

    async def body(self) -> Fields:
        """The fields of a posted form."""
        if self._body is None:
            kind = (self.asked.content_type or "").partition(";")[0].strip().lower()
            if kind != forms.MEDIA_TYPE:
                raise Failed(415, "This request cannot be read", f"A form is sent as {forms.MEDIA_TYPE}.")
            content = await self.asked.body(forms.MAX_LENGTH)
            if len(content) > forms.MAX_LENGTH:
                raise Failed(413, "This request is too large", f"A form has at most {forms.MAX_LENGTH} bytes.")
            try:
                self._body = forms.parse(content.decode("utf-8"))
            except UnicodeDecodeError:
                raise Failed(400, "This request cannot be read", "It is not UTF-8.") from None
            except BadForm as error:
                raise Failed(400, "This request cannot be read", f"In its form {error}.") from None
        return self._body

    async def signed_in(self) -> tuple[str, Session, User] | None:
        """(session id, session, user), or None for who is not logged in, or may not be any more."""
        session_id = self.session_id
        session = await self.sessions.find(session_id, now=self.now)
        if session_id is None or session is None:
            return None
        user = await self.store.user_by_id(session.user_id)
        if user is None or user.disabled or user.id != session.user_id:
            return None
        return session_id, session, user

    def form_secret(self) -> str:
        """The secret of a browser that is not logged in; a new one goes out as a cookie with the answer."""
        secret = cookies.read(self.asked.cookie, cookies.FORM, self.settings.issuer)
        if secret is None:
            secret = cookies.new_secret()
            self.cookies.append(cookies.put(cookies.FORM, secret, self.settings.issuer))
        return secret

    async def is_ours(self, secret: str | None, purpose: str, query: str) -> bool:
        """Whether a posted form was shown by us to this browser, for this purpose and this query."""
        # Browsers say where a form was sent from; there it is decided before any token.
        if self.asked.fetch_site not in (None, "same-origin", "none"):
            return False
        body = await self.body()
        return not body.repeated(["csrf"]) and csrf.is_valid(body.get("csrf"), secret, purpose, query)

    async def form_is_ours(self, purpose: str, query: str) -> bool:
        """The same for a form that was shown to somebody who was not logged in."""
        secret = cookies.read(self.asked.cookie, cookies.FORM, self.settings.issuer)
        return await self.is_ours(secret, purpose, query)

    def page(
        self, text: str, *, status: int = 200, form_source: str | None = None, retry_after: int | None = None
    ) -> Reply:
        return replies.page(text, status=status, form_source=form_source, retry_after_seconds=retry_after)


class FailureStore(Protocol):
    """Failed logins, beyond this isolate."""

    async def get(self, key: str) -> str | None: ...
    async def put(self, key: str, value: str, *, expirationTtl: int) -> object: ...
    async def delete(self, key: str) -> object: ...


def app(client: Client, uri: str = "") -> App:
    return App(client.client_name or client.client_id, client.client_id, place(uri) if uri else "")


def person(user: User) -> Person:
    return Person(user.name, user.email)
