"""/authorize and /code: who asks is proven, the user decides, and the answer goes to the client."""

import logging
import secrets

from issuer import auth_pages, authorization, csrf, redirects, replies
from issuer.authorization import Ask, AskConsent, ChooseAccount, Grant, Login, Refused, Target, Unproven
from issuer.forms import Fields
from issuer.records import Code
from issuer.replies import Reply
from issuer.sessions import Consent, Session
from issuer.users import User
from issuer.visits import Failed, Visit, app, person

_log = logging.getLogger("oauth")

SIGNED_IN = tuple[str, Session, User]


async def proven(visit: Visit, fields: Fields) -> Target:
    """Client and redirect URI of a request. Raises Failed with a page of our own: nothing may be redirected."""
    try:
        named = authorization.client_id(fields)
        return authorization.target(fields, await visit.store.client(named))
    except Unproven as error:
        _log.info("an authorization request was refused: %s", error)
        raise Failed(
            400,
            "This app cannot sign you in",
            f"{error} Go back to the app and try again; if it stays so, tell the people who run the app.",
            details="For your safety you were not sent back to the app.",
        ) from None


async def authorize(visit: Visit) -> Reply:
    fields = visit.query()
    if visit.asked.method == "POST":
        body = await visit.body()
        names = dict.fromkeys((*fields.values, *body.values))
        # Together, so that a parameter in both is one that was sent twice.
        fields = Fields({name: (*fields.values.get(name, ()), *body.values.get(name, ())) for name in names})
    to = await proven(visit, fields)
    try:
        ask = authorization.read(fields, to, visit.settings)
        if visit.asked.method == "POST":
            # A browser sends no Lax cookie with a form of another site, but it does with the GET that follows.
            return replies.redirect(visit.path("/authorize", ask.query))
        return await _decided(visit, ask, await visit.signed_in())
    except Refused as refused:
        return refusal(visit, to, refused)


async def _decided(visit: Visit, ask: Ask, signed_in: SIGNED_IN | None) -> Reply:
    match await decide(visit, ask, signed_in):
        case AskConsent() if signed_in is not None:
            return _consent_page(visit, ask, signed_in)
        case Grant() if signed_in is not None:
            return await _grant(visit, ask, signed_in)
        case _:
            return replies.redirect(visit.path("/login", ask.query), status=302)


async def decide(visit: Visit, ask: Ask, signed_in: SIGNED_IN | None) -> authorization.Decision:
    """Raises Refused."""
    if signed_in is None:
        return authorization.decide(ask, None, Consent("", ""), None, now=visit.now)
    _, session, user = signed_in
    consent = await visit.sessions.consent(user.id, ask.target.client.client_id)
    return authorization.decide(ask, session, consent, await _hinted(visit, ask), now=visit.now)


async def _hinted(visit: Visit, ask: Ask) -> str | None:
    """The `sub` of the id_token_hint; empty for one that is none of ours, or was made for another client."""
    if ask.id_token_hint is None:
        return None
    claims = await visit.isolate.hint(ask.id_token_hint) or {}
    subject = claims.get("sub")
    return subject if isinstance(subject, str) and claims.get("aud") == ask.target.client.client_id else ""


def _consent_page(visit: Visit, ask: Ask, signed_in: SIGNED_IN) -> Reply:
    session_id, _, user = signed_in
    client, uri = ask.target.client, ask.target.redirect_uri
    again = Fields({"prompt": (" ".join(sorted({"login", *ask.prompt})),)})
    other = "&".join(filter(None, [_without_prompt(ask), again.query(["prompt"])]))
    text = auth_pages.consent(
        visit.frame,
        auth_pages.Form(visit.path("/code", ask.query), csrf.token(session_id, "consent", ask.query)),
        app=app(client, uri),
        who=person(user),
        permissions=[visit.settings.scopes[name] for name in ask.scope],
        resource=ask.resource,
        other=visit.path("/login", other),
        remembered=authorization.is_remembered(ask),
    )
    return visit.page(text, form_source=ask.target.form_sources)


def _without_prompt(ask: Ask) -> str:
    return "&".join(pair for pair in ask.query.split("&") if not pair.startswith("prompt="))


async def code(visit: Visit) -> Reply:
    """The consent form. The request is read again from the query, and the token says that it is the one displayed."""
    fields = visit.query()
    to = await proven(visit, fields)
    try:
        ask = authorization.read(fields, to, visit.settings)
        signed_in = await visit.signed_in()
        if signed_in is None:
            return replies.redirect(visit.path("/login", ask.query))
        if not await visit.is_ours(signed_in[0], "consent", ask.query):
            raise Failed(
                403,
                "This page was too old",
                "You allowed nothing. Go back to the app and begin again; "
                "if you did not come here from an app, close this page.",
            )
        decision = (await visit.body()).get("decision")
        if decision not in ("allow", "deny"):
            raise Failed(400, "This request cannot be read", "The form says neither to allow nor to deny.")
        if decision == "deny":
            raise Refused("access_denied", "the user did not allow it")
        if isinstance(await decide(visit, ask, signed_in), Login | ChooseAccount):
            return replies.redirect(visit.path("/authorize", ask.query))
        user = signed_in[2]
        if authorization.is_remembered(ask):
            consent = await visit.sessions.consent(user.id, to.client.client_id)
            await visit.sessions.remember(consent.with_more(ask.scope, ask.resource), now=visit.now)
        return await _grant(visit, ask, signed_in)
    except Refused as refused:
        return refusal(visit, to, refused)


async def _grant(visit: Visit, ask: Ask, signed_in: SIGNED_IN) -> Reply:
    session_id, session, user = signed_in
    given = secrets.token_urlsafe(32)
    record = Code(
        client_id=ask.target.client.client_id,
        user_id=user.id,
        grant_id=secrets.token_urlsafe(16),
        redirect_uri=ask.target.redirect_uri,
        redirect_uri_sent=ask.target.redirect_uri_sent,
        scope=ask.scope,
        expires_at=visit.now + visit.settings.code_ttl_seconds,
        auth_time=session.auth_time,
        nonce=ask.nonce,
        code_challenge=ask.code_challenge,
        resource=ask.resource,
        amr=("pwd",),
        session=visit.sessions.digest(session_id),
    )
    await visit.store.put_code(given, record)
    spent = authorization.used(session, ask)
    if spent != session:
        await visit.sessions.keep(session_id, spent, now=visit.now)
    return _answer(visit, ask.target, {"code": given})


def refusal(visit: Visit, to: Target, refused: Refused) -> Reply:
    return _answer(visit, to, {"error": refused.error, "error_description": refused.description})


def _answer(visit: Visit, to: Target, parameters: dict[str, str]) -> Reply:
    """By redirect or by form; always with the issuer, so that a client knows whom it has it from (RFC 9207)."""
    if to.state is not None:
        parameters["state"] = to.state
    parameters["iss"] = visit.settings.issuer
    if to.response_mode == "form_post":
        shown = auth_pages.form_post(
            visit.frame, app=app(to.client, to.redirect_uri), action=to.redirect_uri, parameters=parameters
        )
        return visit.page(shown, form_source=to.form_sources)
    status = 303 if visit.asked.method == "POST" else 302
    return replies.redirect(redirects.answer(to.redirect_uri, parameters), status=status)
