"""/signup: off unless SIGNUP is on. It tells if an address is taken, because the server cannot send mail."""

from client_network import network_of
from issuer import auth_pages, csrf, login_backoff, pages, passwords, users
from issuer.authorization_request import PendingRequest
from issuer.authorization_response import read_pending_request
from issuer.endpoint_response import EndpointResponse
from issuer.login_endpoint import BUSY, BUSY_SECONDS, OUTDATED, in_words, start_session
from issuer.page_context import PageContext, PageError, app
from issuer.password_queue import Busy
from issuer.users import BadUser


async def signup(context: PageContext) -> EndpointResponse:
    if not context.settings.signup:
        raise PageError(404, "There is nothing here", "Accounts are not created on this page.")
    parameters = context.query()
    request = None
    if parameters.get("client_id") is not None:
        request = await read_pending_request(context, parameters)
    if context.request.method != "POST":
        return _signup_page(context, request, {})
    body = await context.body()
    if body.repeated(["email", "password", "name"]):
        raise PageError(400, "This request cannot be read", "The form has a field twice.")
    if not await context.is_own_anonymous_form("signup", "" if request is None else request.query):
        return _signup_page(context, request, {"": OUTDATED}, status=403)
    if not await context.check_rate_limit(network_of(context.request.address)):
        wait = login_backoff.FIRST_WAIT_SECONDS
        text = f"There were too many tries. Please wait {in_words(wait)}."
        return _signup_page(context, request, {"": text}, status=429, retry_after=wait)
    return await _sign_up(context, request, body.get("email") or "", body.get("password") or "", body.get("name") or "")


async def _sign_up(
    context: PageContext, request: PendingRequest | None, email: str, password: str, name: str
) -> EndpointResponse:
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
        return _signup_page(context, request, faults, email=email, name=name, status=422)
    try:
        hashed = await context.server.password_queue.run(passwords.make, password)
    except Busy:
        return _signup_page(context, request, {"": BUSY}, email=email, name=name, status=503, retry_after=BUSY_SECONDS)
    user = users.new(email, hashed, now=context.now, name=name)
    if not await context.store.add_user(user):
        taken = {"email": "There is an account with this address. Sign in with it, or use another one."}
        return _signup_page(context, request, taken, email=email, name=name, status=409)
    return await start_session(context, request, user, await context.store.epoch(user.id))


def _signup_page(
    context: PageContext,
    request: PendingRequest | None,
    faults: dict[str, str],
    *,
    email: str = "",
    name: str = "",
    status: int = 200,
    retry_after: int | None = None,
) -> EndpointResponse:
    query = "" if request is None else request.query
    text = auth_pages.signup(
        context.frame,
        pages.PostForm(context.path("/signup", query), csrf.token(context.form_secret(), "signup", query)),
        app=None if request is None else app(request.target.client, request.target.redirect_uri),
        email=email,
        name=name,
        faults=faults,
        login=context.path("/login", query),
    )
    form_source = None if request is None else request.target.form_sources
    return context.page(text, status=status, form_source=form_source, retry_after=retry_after)
