"""/logout: OpenID Connect RP-Initiated Logout 1.0, and the same for somebody who came by himself."""

import logging
from dataclasses import dataclass

from issuer import auth_pages, cookies, csrf, pages, redirects, replies
from issuer.clients import Client
from issuer.forms import Fields
from issuer.replies import Reply
from issuer.visits import Failed, Visit, app, person

_log = logging.getLogger("oauth")

PARAMETERS = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a logout request asks for. `subject` is whom its id_token_hint names, where that is ours."""

    query: str
    client: Client | None
    subject: str | None
    redirect_uri: str | None
    state: str | None


async def logout(visit: Visit) -> Reply:
    fields = visit.query()
    if visit.asked.method == "POST":
        body = await visit.body()
        if body.get("csrf") is None:
            # Another site may post a logout request. Its browser sends us the session with the GET that follows.
            return replies.redirect(visit.path("/logout", (await _wish(visit, _merged(fields, body))).query))
        return await _confirmed(visit, await _wish(visit, fields))
    wish = await _wish(visit, fields)
    signed_in = await visit.signed_in()
    if signed_in is None:
        return _after(visit, wish)
    session_id, _, user = signed_in
    if wish.subject == user.id:
        await visit.sessions.end(session_id)
        return _after(visit, wish)
    text = auth_pages.confirm_logout(
        visit.frame,
        auth_pages.Form(visit.path("/logout", wish.query), csrf.token(session_id, "logout", wish.query)),
        who=person(user),
        app=None if wish.client is None else app(wish.client, wish.redirect_uri or ""),
    )
    return visit.page(text, form_source=_source(wish))


async def _confirmed(visit: Visit, wish: Wish) -> Reply:
    signed_in = await visit.signed_in()
    if signed_in is None:
        return _after(visit, wish)
    session_id, _, user = signed_in
    if not await visit.is_ours(session_id, "logout", wish.query):
        raise Failed(
            403, "This page was too old", "You are still signed in. Open the page to sign out again, and try once more."
        )
    body = await visit.body()
    if body.get("action") == "stay":
        return replies.redirect(visit.path("/login"))
    if body.get("action") != "logout":
        raise Failed(400, "This request cannot be read", "The form does not say what to do.")
    if body.get("everywhere") == "yes":
        await visit.store.revoke_grants(user.id)
        await visit.sessions.forget_consents(user.id, now=visit.now)
        _log.info("user %s ended all grants", user.id)
    await visit.sessions.end(session_id)
    return _after(visit, wish)


async def _wish(visit: Visit, fields: Fields) -> Wish:
    """Raises Failed for what is sent twice, and for an address that is not registered: it is never redirected to."""
    if repeated := fields.repeated(PARAMETERS):
        raise Failed(400, "You are still signed in", f"The request has {repeated[0]} more than once.")
    hint, named = fields.get("id_token_hint"), fields.get("client_id")
    claims = await visit.isolate.hint(hint) if hint is not None else None
    audience, subject = (claims or {}).get("aud"), (claims or {}).get("sub")
    if isinstance(audience, str) and named not in (None, audience):
        raise Failed(400, "You are still signed in", "The request names one app, and its id_token_hint another one.")
    client_id = audience if isinstance(audience, str) else named
    client = None if client_id is None else await visit.store.client(client_id)
    if client is not None and client.disabled:
        client = None
    uri = fields.get("post_logout_redirect_uri")
    if uri is not None and not (client is not None and _is_registered(uri, client)):
        raise Failed(
            400,
            "You are still signed in",
            "The address to go to afterwards (post_logout_redirect_uri) is not registered for an app that the request "
            "names. Open this page without it to sign out.",
            details="For your safety you were not sent there.",
        )
    return Wish(
        query=fields.query(PARAMETERS),
        client=client,
        subject=subject if client is not None and isinstance(subject, str) else None,
        redirect_uri=uri,
        state=fields.get("state"),
    )


def _is_registered(uri: str, client: Client) -> bool:
    return uri in client.post_logout_redirect_uris and redirects.match(uri, (uri,))


def _merged(fields: Fields, body: Fields) -> Fields:
    names = dict.fromkeys((*fields.values, *body.values))
    return Fields({name: (*fields.values.get(name, ()), *body.values.get(name, ())) for name in names})


def _source(wish: Wish) -> str | None:
    if wish.redirect_uri is None or wish.client is None:
        return None
    registered = (*wish.client.redirect_uris, *wish.client.post_logout_redirect_uris)
    return redirects.form_sources(wish.redirect_uri, registered)


def _after(visit: Visit, wish: Wish) -> Reply:
    """Nobody is logged in any more."""
    if visit.session_id is not None:
        visit.cookies.append(cookies.remove(cookies.SESSION, visit.settings.issuer))
    if wish.redirect_uri is None:
        text = pages.message(
            visit.frame,
            "You are signed out",
            "Your session in this browser has ended. Apps that you use may keep sessions of their own.",
            link=(visit.path("/login"), "Sign in again"),
        )
        return visit.page(text)
    parameters = {} if wish.state is None else {"state": wish.state}
    location = redirects.answer(wish.redirect_uri, parameters) if parameters else wish.redirect_uri
    return replies.redirect(location, status=303 if visit.asked.method == "POST" else 302)
