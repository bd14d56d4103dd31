"""/login and /signup: passwords, and whoever guesses them."""

import logging

from issuer import (
    auth_pages,
    authorization,
    cookies,
    csrf,
    hashes,
    passwords,
    replies,
    throttle,
    users,
)
from issuer.authorization import Ask, ChooseAccount, Refused
from issuer.authorizing import decide, proven, refusal
from issuer.hasher import Busy
from issuer.replies import Reply
from issuer.throttle import Failures, Limit
from issuer.users import BadUser, User
from issuer.visits import Failed, Visit, app, person

_log = logging.getLogger("oauth")

WRONG = "E-mail address or password is wrong."
STALE = "The form was too old. Please try again."
BUSY_SECONDS = 5


async def login(visit: Visit) -> Reply:
    """With the query of an authorization request, which goes on afterwards; without one it is just a login."""
    fields = visit.query()
    if fields.get("client_id") is None:
        return await _posted(visit, None) if visit.asked.method == "POST" else await _plain_page(visit)
    to = await proven(visit, fields)
    try:
        ask = authorization.read(fields, to, visit.settings)
        return await _posted(visit, ask) if visit.asked.method == "POST" else await _page_for(visit, ask)
    except Refused as refused:
        return refusal(visit, to, refused)


async def _plain_page(visit: Visit) -> Reply:
    signed_in = await visit.signed_in()
    if signed_in is None:
        return _login_page(visit, None)
    return visit.page(auth_pages.account(visit.frame, who=person(signed_in[2]), logout=visit.path("/logout")))


async def _page_for(visit: Visit, ask: Ask) -> Reply:
    signed_in = await visit.signed_in()
    if signed_in is not None:
        session_id, _, user = signed_in
        match await decide(visit, ask, signed_in):
            case ChooseAccount():
                form = auth_pages.Form(visit.path("/login", ask.query), csrf.token(session_id, "choose", ask.query))
                other = visit.path("/login", _with_prompt(ask, "login"))
                to = app(ask.target.client, ask.target.redirect_uri)
                shown = auth_pages.choose_account(visit.frame, form, app=to, who=person(user), other=other)
                return visit.page(shown, form_source=_source(ask))
            case authorization.Login():
                pass
            case _:
                return replies.redirect(visit.path("/authorize", ask.query), status=302)
    reason = ""
    if signed_in is not None:
        email = signed_in[2].email
        reason = f"You are signed in as {email}. To go on, sign in once more, with this account or another one."
    return _login_page(visit, ask, email=_hint(ask), reason=reason)


def _hint(ask: Ask) -> str:
    """A login_hint that is an address; anything else is nothing to show."""
    try:
        return users.normal_email(ask.login_hint or "")
    except BadUser:
        return ""


def _with_prompt(ask: Ask, prompt: str) -> str:
    kept = [pair for pair in ask.query.split("&") if not pair.startswith("prompt=")]
    return "&".join([*kept, f"prompt={prompt}"])


def _source(ask: Ask | None) -> str | None:
    return None if ask is None else ask.target.form_sources


def _login_page(
    visit: Visit,
    ask: Ask | None,
    *,
    email: str = "",
    fault: str = "",
    reason: str = "",
    status: int = 200,
    retry_after: int | None = None,
) -> Reply:
    query = "" if ask is None else ask.query
    faults = {"": fault} if fault and retry_after is not None else {"email": fault} if fault else {}
    text = auth_pages.login(
        visit.frame,
        auth_pages.Form(visit.path("/login", query), csrf.token(visit.form_secret(), "login", query)),
        app=None if ask is None else app(ask.target.client, ask.target.redirect_uri),
        email=email,
        faults=faults,
        reason=reason,
        signup=visit.path("/signup", query) if visit.settings.signup else None,
    )
    return visit.page(text, status=status, form_source=_source(ask), retry_after=retry_after)


async def _posted(visit: Visit, ask: Ask | None) -> Reply:
    query = "" if ask is None else ask.query
    body = await visit.body()
    if body.get("action") == "continue" and ask is not None:
        return await _chosen(visit, ask)
    if not await visit.form_is_ours("login", query):
        return _login_page(visit, ask, fault=STALE, status=403)
    if body.get("action") == "cancel":
        if ask is None:
            return replies.redirect(visit.path("/login"))
        raise Refused("access_denied", "the user did not log in")
    if body.repeated(["email", "password"]):
        raise Failed(400, "This request cannot be read", "The form has a field twice.")
    typed, password = body.get("email") or "", body.get("password") or ""
    tries = await _begin(visit, typed)
    if isinstance(tries, int):
        fault = f"There were too many tries. Please wait {_words(tries)}."
        return _login_page(visit, ask, email=typed, fault=fault, status=429, retry_after=tries)
    attempts = visit.isolate.attempts
    try:
        user = await _authenticated(visit, typed, password)
    except Busy:
        for limit in tries:
            attempts.take_back(limit)
        fault = "Many people sign in just now. Please try again in a moment."
        return _login_page(visit, ask, email=typed, fault=fault, status=503, retry_after=BUSY_SECONDS)
    if user is None:
        _log.info("a login failed from %s", throttle.network(visit.asked.address) or "an unknown address")
        for limit, failures in tries.items():
            await visit.failures.put(limit.key, throttle.dump(failures), expirationTtl=throttle.FORGOTTEN_SECONDS)
        return _login_page(visit, ask, email=typed, fault=WRONG, status=403)
    # The account starts anew. Of the address only this try is taken back: one own account must not clear what was
    # tried on others.
    account, *others = tries
    attempts.forget(account)
    for limit in others:
        attempts.take_back(limit)
    if tries[account].count > 1:
        await visit.failures.delete(account.key)
    return await _begun(visit, ask, user)


async def _chosen(visit: Visit, ask: Ask) -> Reply:
    """The account that is logged in is the one for this request."""
    signed_in = await visit.signed_in()
    if signed_in is None or not await visit.is_ours(signed_in[0], "choose", ask.query):
        return _login_page(visit, ask, fault=STALE, status=403)
    session_id, session, _ = signed_in
    await visit.sessions.keep(session_id, authorization.chosen(session, ask), now=visit.now)
    return replies.redirect(visit.path("/authorize", ask.query))


async def _begun(visit: Visit, ask: Ask | None, user: User) -> Reply:
    """A new session under a new id: one that somebody planted before is worth nothing."""
    await visit.sessions.end(visit.session_id)
    session_id, _ = await visit.sessions.start(user.id, login_for="" if ask is None else ask.digest, now=visit.now)
    issuer = visit.settings.issuer
    visit.cookies += [cookies.put(cookies.SESSION, session_id, issuer), cookies.remove(cookies.FORM, issuer)]
    return replies.redirect(visit.path("/login") if ask is None else visit.path("/authorize", ask.query))


async def _authenticated(visit: Visit, typed: str, password: str) -> User | None:
    """The user, or None. Known or not, allowed or not, one password is hashed. Raises Busy."""
    hasher = visit.isolate.hasher
    dummy = await hasher.run(passwords.dummy)  # before anything is known, because the first time it is slow
    try:
        user = await visit.store.user_by_email(users.normal_email(typed))
    except BadUser:
        user = None
    try:
        found = await hasher.run(passwords.matches, dummy if user is None else user.password, password)
    except passwords.BadHash as error:
        _log.error("ALARM: user %s cannot log in: %s", "" if user is None else user.id, error)
        found = await hasher.run(passwords.matches, dummy, password)
    return user if found and user is not None and not user.disabled else None


async def _begin(visit: Visit, typed: str) -> dict[Limit, Failures] | int:
    """What this try is counted under, as a failure until it is none; or the seconds to wait."""
    address, now, attempts = visit.asked.address, visit.now, visit.isolate.attempts
    if not await visit.limit(throttle.network(address)):
        return throttle.FIRST_WAIT_SECONDS
    try:
        email = users.normal_email(typed)
    except BadUser:
        email = hashes.digest(typed)
    limits = throttle.limits(email, address)
    kept = {limit: throttle.load(await visit.failures.get(limit.key)) for limit in limits}
    # From here to the end nothing waits, so that no other try comes between.
    wait = max(attempts.wait_seconds(limit, kept[limit], now=now) for limit in limits)
    return wait or {limit: attempts.begin(limit, kept[limit], now=now) for limit in limits}


def _words(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} seconds"
    minutes = -(-seconds // 60)
    return "a minute" if minutes == 1 else f"{minutes} minutes"


async def signup(visit: Visit) -> Reply:
    """Off unless SIGNUP is on. Who signs up is told where an address is taken: there is no mail that could tell it."""
    if not visit.settings.signup:
        raise Failed(404, "There is nothing here", "Accounts are not created on this page.")
    fields = visit.query()
    ask = None
    if fields.get("client_id") is not None:
        to = await proven(visit, fields)
        try:
            ask = authorization.read(fields, to, visit.settings)
        except Refused as refused:
            return refusal(visit, to, refused)
    if visit.asked.method != "POST":
        return _signup_page(visit, ask, {})
    body = await visit.body()
    if body.repeated(["email", "password", "name"]):
        raise Failed(400, "This request cannot be read", "The form has a field twice.")
    if not await visit.form_is_ours("signup", "" if ask is None else ask.query):
        return _signup_page(visit, ask, {"": STALE}, status=403)
    if not await visit.limit(throttle.network(visit.asked.address)):
        wait = throttle.FIRST_WAIT_SECONDS
        text = f"There were too many tries. Please wait {_words(wait)}."
        return _signup_page(visit, ask, {"": text}, status=429, retry_after=wait)
    return await _signed_up(visit, ask, body.get("email") or "", body.get("password") or "", body.get("name") or "")


async def _signed_up(visit: Visit, ask: Ask | None, email: str, password: str, name: str) -> Reply:
    faults: dict[str, str] = {}
    try:
        users.normal_email(email)
    except BadUser:
        faults["email"] = "Enter an e-mail address, like ann@example.com."
    try:
        passwords.check(password)
    except passwords.BadPassword as error:
        faults["password"] = f"Choose another password: {error}."
    if len(name) > users.MAX_NAME or not name.isprintable():
        faults["name"] = f"Enter a name of at most {users.MAX_NAME} characters in one line, or none."
    if faults:
        return _signup_page(visit, ask, faults, email=email, name=name, status=422)
    try:
        made = await visit.isolate.hasher.run(passwords.make, password)
    except Busy:
        fault = {"": "Many people sign in just now. Please try again in a moment."}
        return _signup_page(visit, ask, fault, email=email, name=name, status=503, retry_after=BUSY_SECONDS)
    user = users.new(email, made, now=visit.now, name=name)
    if not await visit.store.add_user(user):
        taken = {"email": "There is an account with this address. Sign in with it, or use another one."}
        return _signup_page(visit, ask, taken, email=email, name=name, status=409)
    return await _begun(visit, ask, user)


def _signup_page(
    visit: Visit,
    ask: Ask | None,
    faults: dict[str, str],
    *,
    email: str = "",
    name: str = "",
    status: int = 200,
    retry_after: int | None = None,
) -> Reply:
    query = "" if ask is None else ask.query
    text = auth_pages.signup(
        visit.frame,
        auth_pages.Form(visit.path("/signup", query), csrf.token(visit.form_secret(), "signup", query)),
        app=None if ask is None else app(ask.target.client, ask.target.redirect_uri),
        email=email,
        name=name,
        faults=faults,
        login=visit.path("/login", query),
    )
    return visit.page(text, status=status, form_source=_source(ask), retry_after=retry_after)
