"""The pages of Access: choosing who to be, one-time PINs, refusals, and the end of a session. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from edgeworker.messages import Response
from edgeworker.products.access.answers import Reason
from edgeworker.products.access.config import IdentityProvider, LocalIdentity
from edgeworker.products.access.html_page import NOTHING, Markup, fill, joined, page
from edgeworker.products.access.policy import Identity, group_names

REASONS: Final[Mapping[Reason, tuple[str, str]]] = {
    "policy_denied": ("That account does not have access.", "No policy of this application allows it."),
    "service_auth_required": ("Forbidden", "Only service tokens and client certificates open this application."),
    "login_required": ("Log in first", "Your session has ended, or there was none."),
    "oauth_required": ("Log in first", "This application takes OAuth access tokens."),
    "preflight_denied": ("Forbidden", "This application lets no CORS preflight pass."),
    "websocket_denied": ("Forbidden", "An application on a worker accepts no WebSocket."),
    "service_token_invalid": ("Unauthorized", "The service token is not valid."),
    "service_token_denied": ("Forbidden", "No policy of this application allows the service token."),
    "service_token_malformed": ("Unauthorized", "The service token did not come in its one form."),
    "unmatched": ("Forbidden", "No Access application covers this address, and the organization requires one."),
}


@dataclass(frozen=True, slots=True)
class LoginForm:
    """`query` is the query string of the login's URL, which every form and link carries on; `csrf` its token."""

    host: str
    application: str
    query: str
    csrf: str


def login_page(
    form: LoginForm,
    identities: Iterable[LocalIdentity],
    providers: Iterable[IdentityProvider],
    *,
    team: str,
    alert: str = "",
    typed: str = "",
    status: int = 200,
) -> Response:
    offered = list(providers)
    parts = [
        fill(
            '<h1>Log in to {name}</h1>\n<p class="lead"><bdi>{host}</bdi></p>\n', name=form.application, host=form.host
        ),
        _render_alert(alert),
    ]
    local = next((provider for provider in offered if provider.type == "local"), None)
    known = list(identities)
    if local is not None and known:
        buttons = joined(_render_identity(identity) for identity in known)
        content = fill('<ul class="choices">\n{buttons}</ul>\n', buttons=buttons)
        parts.append(fill("<h2>Continue as</h2>\n{form}", form=_render_form("local", form, content)))
    # One that is not configured here is a name for rules and for local identities.
    others = [provider for provider in offered if provider.oidc is not None or provider.saml is not None]
    if others:
        links = joined(_render_provider(provider, form) for provider in others)
        parts.append(fill('<h2>Log in with</h2>\n<ul class="choices">\n{links}</ul>\n', links=links))
    if any(provider.type == "onetimepin" for provider in offered):
        parts.append(_render_pin_request(form, typed, open=bool(alert) or not (known or others)))
    if local is not None:
        parts.append(_render_any_identity(form, typed, open=not known))
    if not offered:
        parts.append(fill("<p>{text}</p>", text="This application has no way to log in: see allowed_idps."))
    return page(f"Log in to {form.application}", joined(parts), team=team, local=local is not None, status=status)


def _render_alert(text: str) -> Markup:
    return fill('<div class="alert" role="alert"><p>{text}</p></div>\n', text=text) if text else NOTHING


def _render_form(action: str, form: LoginForm, content: Markup) -> Markup:
    return fill(
        '<form method="post" action="/cdn-cgi/access/{action}/{host}?{query}">\n'
        '<input type="hidden" name="csrf" value="{csrf}">\n{content}</form>\n',
        action=action,
        host=quote(form.host, safe=""),
        query=form.query,
        csrf=form.csrf,
        content=content,
    )


def _render_identity(identity: LocalIdentity) -> Markup:
    return fill(
        '<li><button name="email" value="{email}"><span class="letter" aria-hidden="true">{letter}</span>'
        '<span class="who"><b><bdi>{name}</bdi></b>{detail}</span></button></li>\n',
        email=identity.email,
        letter=_choose_letter(identity.name or identity.email),
        name=identity.name or identity.email,
        detail=_render_detail(identity),
    )


def _render_detail(identity: LocalIdentity) -> Markup:
    groups = sorted(group_names(Identity(identity.email, "", "", "", groups=identity.groups)))
    shown = [identity.email] if identity.name else []
    if groups:
        shown.append(", ".join(groups[:6]))
    return joined(fill("<small><bdi>{text}</bdi></small>", text=text) for text in shown)


def _render_provider(provider: IdentityProvider, form: LoginForm) -> Markup:
    return fill(
        '<li><a class="button" href="/cdn-cgi/access/idp/{id}/{host}?{query}"><span class="letter" aria-hidden="true">'
        '{letter}</span><span class="who"><b>{name}</b></span></a></li>\n',
        id=quote(provider.id, safe=""),
        host=quote(form.host, safe=""),
        query=form.query,
        letter=_choose_letter(provider.name),
        name=provider.name,
    )


def _choose_letter(text: str) -> str:
    return next((character.upper() for character in text if character.isalnum()), "?")


def _render_pin_request(form: LoginForm, typed: str, *, open: bool) -> Markup:
    content = fill(
        '<div class="field">\n<label for="pin-email">E-mail</label>\n'
        '<p class="hint" id="pin-hint">A code is shown in the log of edgeworker; no mail is sent.</p>\n'
        '<input id="pin-email" name="email" type="email" autocomplete="email" maxlength="254" required '
        'aria-describedby="pin-hint" value="{typed}">\n</div>\n<button>Send me a code</button>\n',
        typed=typed,
    )
    return _render_section("Get a login code", _render_form("onetimepin", form, content), open=open)


def _render_any_identity(form: LoginForm, typed: str, *, open: bool) -> Markup:
    content = fill(
        '<div class="field">\n<label for="email">E-mail</label>\n'
        '<input id="email" name="email" type="email" autocomplete="off" maxlength="254" required value="{typed}">\n'
        '</div>\n<div class="field">\n<label for="groups">Groups</label>\n'
        '<p class="hint" id="groups-hint">Names with commas between them, or none.</p>\n'
        '<input id="groups" name="groups" maxlength="1000" autocomplete="off" aria-describedby="groups-hint">\n</div>\n'
        "<button>Log in</button>\n",
        typed=typed,
    )
    return _render_section("Be someone else", _render_form("local", form, content), open=open)


def _render_section(title: str, content: Markup, *, open: bool) -> Markup:
    return fill(
        "<details{open}>\n<summary>{title}</summary>\n{content}</details>\n",
        open=Markup(" open" if open else ""),
        title=title,
        content=content,
    )


def pin_page(form: LoginForm, email: str, *, team: str, alert: str = "", status: int = 200) -> Response:
    """The same page whether a code was made or not: it tells no one which addresses are allowed."""
    content = fill(
        '<input type="hidden" name="email" value="{email}">\n<div class="field">\n<label for="code">Code</label>\n'
        '<p class="hint" id="code-hint">Six digits, valid for 10 minutes.</p>\n'
        '<input id="code" class="code" name="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9]*" '
        'maxlength="6" required autofocus aria-describedby="code-hint"{invalid}>\n</div>\n<button>Log in</button>\n',
        email=email,
        invalid=Markup(' aria-invalid="true"' if alert else ""),
    )
    text = "If {email} is allowed here, a code was written to the log of edgeworker."
    again = fill(
        '<p><a href="/cdn-cgi/access/login/{host}?{query}">Use another address</a></p>\n',
        host=quote(form.host, safe=""),
        query=form.query,
    )
    parts = [
        fill("<h1>Enter the code</h1>\n"),
        fill('<p class="lead">' + text + "</p>\n", email=fill("<strong><bdi>{email}</bdi></strong>", email=email)),
        _render_alert(alert),
        _render_form("onetimepin", form, content),
        again,
    ]
    return page("Enter the code", joined(parts), team=team, status=status)


def transfer_page(application: str, email: str, *, query: str, proof: str, team: str) -> Response:
    """Asks whether a program may have this login. `query` is that of the page's address, with its "?"."""
    parts = [
        fill("<h1>Let a program log in?</h1>\n"),
        fill(
            "<p>A program asks for a token of <strong><bdi>{name}</bdi></strong>. It can then do there whatever "
            "<strong><bdi>{email}</bdi></strong> may do.</p>\n"
            "<p>Go on only if you began this yourself just now, with cloudflared in a terminal.</p>\n",
            name=application,
            email=email,
        ),
        fill(
            '<form method="post" action="/cdn-cgi/access/cli{query}">\n'
            '<input type="hidden" name="proof" value="{proof}">\n<button>Give it the token</button>\n</form>\n',
            query=query,
            proof=proof,
        ),
    ]
    return page("Let a program log in?", joined(parts), team=team)


def refusal_page(
    reason: Reason,
    *,
    status: int,
    team: str,
    host: str,
    ray: str = "",
    email: str = "",
    message: str = "",
    retry_url: str = "",
) -> Response:
    """`message` is the application's own text; `retry_url` is where another account can be chosen."""
    title, text = REASONS[reason]
    facts = [("Application", host)]
    if email:
        facts.append(("Logged in as", email))
    if ray:
        facts.append(("Ray ID", ray))
    parts = [
        fill("<h1>{title}</h1>\n<p>{text}</p>\n", title=title, text=message or text),
        fill('<p><a href="{url}">Log in as someone else</a></p>\n', url=retry_url) if retry_url else NOTHING,
        fill("<dl>\n{rows}</dl>\n", rows=joined(_render_fact(name, value) for name, value in facts)),
    ]
    return page(title, joined(parts), team=team, status=status)


def _render_fact(name: str, value: str) -> Markup:
    return fill("<dt>{name}</dt><dd><bdi>{value}</bdi></dd>\n", name=name, value=value)


def message_page(
    title: str, text: str, *, team: str, status: int = 200, link: tuple[str, str] | None = None
) -> Response:
    """A page that only says something; `link` is (where to, text)."""
    parts = [fill("<h1>{title}</h1>\n<p>{text}</p>\n", title=title, text=text)]
    if link is not None:
        parts.append(fill('<p><a href="{url}">{text}</a></p>\n', url=link[0], text=link[1]))
    return page(title, joined(parts), team=team, status=status)
