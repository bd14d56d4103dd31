"""/login: checks passwords, limits guessing, and starts sessions."""

import logging
from contextlib import suppress
from typing import Final

from client_network import network_of
from issuer import (
    auth_pages,
    authorization_decision,
    cookies,
    csrf,
    digests,
    html_responses,
    login_backoff,
    pages,
    passwords,
    users,
)
from issuer.authorization_decision import AskForAccount, AskForLogin
from issuer.authorization_request import AuthorizationError, AuthorizationRequest, InvalidRequest, PendingRequest
from issuer.authorization_response import error_response, read_pending_request
from issuer.authorize_endpoint import decide
from issuer.endpoint_response import EndpointResponse
from issuer.login_backoff import FailureLimit, LoginFailures
from issuer.page_context import PageContext, PageError, SignedIn, app, person
from issuer.password_queue import Busy
from issuer.users import BadUser, User

_log = logging.getLogger("oauth")

WRONG: Final = "E-mail address or password is wrong."
OUTDATED: Final = "The form was too old. Please try again."
BUSY: Final = "Many people sign in just now. Please try again in a moment."
BUSY_SECONDS: Final = 5


async def login(context: PageContext) -> EndpointResponse:
    """With the query of an authorization request, which continues afterwards; without one it is only a login."""
    parameters = context.query()
    if parameters.get("client_id") is None:
        return await _answer_form(context, None) if context.request.method == "POST" else await _plain_page(context)
    request = await read_pending_request(context, parameters)
    try:
        if context.request.method == "POST":
            return await _answer_form(context, request)
        return await _page_for(context, request)
    except AuthorizationError as error:
        return error_response(context, request.target, error)


async def _plain_page(context: PageContext) -> EndpointResponse:
    signed_in = await context.signed_in()
    if signed_in is None:
        return _login_page(context, None)
    who = person(signed_in.user)
    return context.page(auth_pages.account(context.frame, who=who, logout=context.path("/logout")))


async def _page_for(context: PageContext, request: PendingRequest) -> EndpointResponse:
    """Raises AuthorizationError."""
    signed_in = await context.signed_in()
    if signed_in is None:
        return _login_page(context, request, email=_hinted_email(request))
    if isinstance(request, InvalidRequest):
        return html_responses.redirect(context.path("/authorize", request.query), status=302)
    match await decide(context, request, signed_in):
        case AskForAccount():
            return _account_page(context, request, signed_in)
        case AskForLogin():
            email = signed_in.user.email
            reason = f"You are signed in as {email}. To go on, sign in once more, with this account or another one."
            return _login_page(context, request, email=_hinted_email(request), reason=reason)
        case _:
            return html_responses.redirect(context.path("/authorize", request.query), status=302)


def _account_page(
    context: PageContext, request: AuthorizationRequest, signed_in: SignedIn, *, status: int = 200
) -> EndpointResponse:
    form = pages.PostForm(
        context.path("/login", request.query), csrf.token(signed_in.session_id, "choose", request.query)
    )
    kept = [pair for pair in request.query.split("&") if not pair.startswith("prompt=")]
    text = auth_pages.choose_account(
        context.frame,
        form,
        app=app(request.target.client, request.target.redirect_uri),
        who=person(signed_in.user),
        other=context.path("/login", "&".join([*kept, "prompt=login"])),
    )
    return context.page(text, status=status, form_source=request.target.form_sources)


def _hinted_email(request: PendingRequest) -> str:
    """The login_hint if it is an address; otherwise there is nothing to show."""
    try:
        return users.normal_email(request.login_hint or "") if isinstance(request, AuthorizationRequest) else ""
    except BadUser:
        return ""


def _login_page(
    context: PageContext,
    request: PendingRequest | None,
    *,
    email: str = "",
    fault: str = "",
    reason: str = "",
    status: int = 200,
    retry_after: int | None = None,
) -> EndpointResponse:
    query = "" if request is None else request.query
    faults = {"": fault} if fault and retry_after is not None else {"email": fault} if fault else {}
    text = auth_pages.login(
        context.frame,
        pages.PostForm(context.path("/login", query), csrf.token(context.form_secret(), "login", query)),
        app=None if request is None else app(request.target.client, request.target.redirect_uri),
        email=email,
        faults=faults,
        reason=reason,
        signup=context.path("/signup", query) if context.settings.signup else None,
    )
    form_source = None if request is None else request.target.form_sources
    return context.page(text, status=status, form_source=form_source, retry_after=retry_after)


async def _answer_form(context: PageContext, request: PendingRequest | None) -> EndpointResponse:
    """Raises AuthorizationError."""
    query = "" if request is None else request.query
    body = await context.body()
    if body.get("action") == "continue" and isinstance(request, AuthorizationRequest):
        return await _choose_account(context, request)
    if not await context.is_own_anonymous_form("login", query):
        return await _answer_old_form(context, request, body.get("email") or "")
    if body.get("action") == "cancel":
        if request is None:
            return html_responses.redirect(context.path("/login"))
        raise AuthorizationError("access_denied", "the user did not log in")
    if body.repeated(["email", "password"]):
        raise PageError(400, "This request cannot be read", "The form has a field twice.")
    typed, password = body.get("email") or "", body.get("password") or ""
    counted = await _count_attempt(context, typed)
    if isinstance(counted, int):
        fault = f"There were too many tries. Please wait {in_words(counted)}."
        return _login_page(context, request, email=typed, fault=fault, status=429, retry_after=counted)
    attempts = context.server.attempts
    try:
        found = await _authenticate(context, typed, password)
    except Busy:
        for limit in counted:
            attempts.take_back(limit)
        return _login_page(context, request, email=typed, fault=BUSY, status=503, retry_after=BUSY_SECONDS)
    if found is None:
        _log.info("a login failed from %s", network_of(context.request.address) or "an unknown address")
        for limit, failures in counted.items():
            await context.failures.put(limit.key, login_backoff.dump(failures), login_backoff.FORGOTTEN_SECONDS)
        return _login_page(context, request, email=typed, fault=WRONG, status=403)
    # The account's count starts anew. Of the address's count only this attempt is taken back: with an account of one's
    # own one must not clear what was tried on others.
    account, *others = counted
    attempts.forget(account)
    for limit in others:
        attempts.take_back(limit)
    if counted[account].count > 1:
        await context.failures.delete(account.key)
    user, epoch = found
    return await start_session(context, request, user, epoch)


async def _answer_old_form(context: PageContext, request: PendingRequest | None, typed: str) -> EndpointResponse:
    """Nothing is checked. In a second tab, after the login in the first one, the user just goes on."""
    signed_in = await context.signed_in()
    if signed_in is not None and _is_same_account(typed, signed_in.user.email):
        return _continue(context, request)
    return _login_page(context, request, fault=OUTDATED, status=403)


def _is_same_account(one: str, other: str) -> bool:
    try:
        return users.account(one) == users.account(other)
    except BadUser:
        return False


def _continue(context: PageContext, request: PendingRequest | None) -> EndpointResponse:
    return html_responses.redirect(
        context.path("/login") if request is None else context.path("/authorize", request.query)
    )


async def _choose_account(context: PageContext, request: AuthorizationRequest) -> EndpointResponse:
    """The account that is logged in is the one for this request."""
    signed_in = await context.signed_in()
    if signed_in is None or not await context.is_own_form(signed_in.session_id, "choose", request.query):
        if signed_in is not None and isinstance(await decide(context, request, signed_in), AskForAccount):
            return _account_page(context, request, signed_in, status=403)
        return _login_page(context, request, fault=OUTDATED, status=403)
    session = authorization_decision.with_chosen_account(signed_in.session, request)
    await context.sessions.put(signed_in.session_id, session, now=context.now)
    return html_responses.redirect(context.path("/authorize", request.query))


async def start_session(
    context: PageContext, request: PendingRequest | None, user: User, epoch: str
) -> EndpointResponse:
    """A new session under a new id, so that an id that someone planted before is worth nothing."""
    await context.sessions.end(context.session_id)
    login_for = "" if request is None else request.digest
    session_id, _ = await context.sessions.start(user.id, login_for=login_for, epoch=epoch, now=context.now)
    issuer = context.settings.issuer
    context.cookies += [cookies.put(cookies.SESSION, session_id, issuer), cookies.remove(cookies.FORM, issuer)]
    return _continue(context, request)


async def _authenticate(context: PageContext, typed: str, password: str) -> tuple[User, str] | None:
    """(the user, the epoch of the new session), or None. For every address it reads as much and hashes as often.

    Raises Busy.
    """
    store, queue = context.store, context.server.password_queue
    await queue.run(passwords.best)  # before anything is known, because the first call is slow
    try:
        email = users.normal_email(typed)
    except BadUser:
        email = "unknown@invalid"
    user = await store.user_by_email(email)
    stored = await store.renewed_password(user)
    try:
        found = await queue.run(passwords.authenticate, stored, password)
    except passwords.BadHash as error:
        _log.error("ALARM: user %s cannot log in: %s", "" if user is None else user.id, error)
        return None
    if not found or user is None or stored is None or user.disabled:
        return None
    # The operator may have changed the password while this one was checked. The epoch is read first: a mark that is set
    # later voids the session.
    epoch = await store.epoch(user.id)
    again = await store.user_by_id(user.id)
    if again is None or again.disabled or again.password != user.password:
        return None
    if passwords.is_outdated(stored):
        # A password that is too short by now keeps its hash; after Busy the next login renews it.
        with suppress(Busy, passwords.BadPassword):
            await store.renew_password(user, await queue.run(passwords.make, password))
    return user, epoch


async def _count_attempt(context: PageContext, typed: str) -> dict[FailureLimit, LoginFailures] | int:
    """What this attempt is counted under, as a failure until it succeeds; or the seconds to wait."""
    address, now, attempts = context.request.address, context.now, context.server.attempts
    if not await context.check_rate_limit(network_of(address)):
        return login_backoff.FIRST_WAIT_SECONDS
    try:
        account = users.account(typed)
    except BadUser:
        account = digests.digest(typed)
    limits = login_backoff.limits(account, address)
    stored = {limit: login_backoff.load(await context.failures.get(limit.key)) for limit in limits}
    # From here on nothing is awaited, so no other attempt comes in between.
    wait = max(attempts.wait_seconds(limit, stored[limit], now=now) for limit in limits)
    return wait or {limit: attempts.begin(limit, stored[limit], now=now) for limit in limits}


def in_words(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} seconds"
    minutes = -(-seconds // 60)
    return "a minute" if minutes == 1 else f"{minutes} minutes"
