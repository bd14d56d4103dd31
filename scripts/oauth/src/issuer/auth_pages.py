"""The pages with forms: login, choice of an account, consent, sign-up, logout, and the answer by form_post. Pure."""

from collections.abc import Iterable, Mapping

from issuer.pages import NOTHING, App, Frame, HTMLMarkup, Person, PostForm, alert, field, fill, joined, person

# Not type="email": browsers refuse a local part that is not ASCII, and send the domain in Punycode.
EMAIL = 'type="text" inputmode="email" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="254"'


def login(
    frame: Frame,
    form: PostForm,
    *,
    app: App | None,
    email: str,
    faults: Mapping[str, str],
    reason: str = "",
    signup: str | None = None,
) -> str:
    """`reason` says why a logged-in user must log in again; `signup` is the path of that page."""
    lead = _lead(app)
    content = [
        fill("<h1>Sign in</h1>\n{lead}", lead=lead),
        alert("You are not signed in", faults),
        fill("<p>{reason}</p>\n", reason=reason) if reason else NOTHING,
        field("email", "E-mail address", attributes=EMAIL, value=email, invalid=bool(faults)),
        field(
            "password",
            "Password",
            attributes='type="password" autocomplete="current-password"',
            invalid=bool(faults),
        ),
        HTMLMarkup('<div class="choices">\n<button name="action" value="login">Sign in</button>\n'),
        HTMLMarkup('<button class="quiet" name="action" value="cancel" formnovalidate>Cancel</button>\n')
        if app
        else NOTHING,
        HTMLMarkup("</div>\n"),
    ]
    shown = form.wrap(joined(content))
    if signup is not None:
        shown = joined(
            [shown, fill('<p class="note">No account yet? <a href="{href}">Create one</a></p>', href=signup)]
        )
    return frame.page(f"{'Error: ' if faults else ''}Sign in", shown)


def _lead(app: App | None) -> HTMLMarkup:
    if app is None:
        return NOTHING
    return fill('<p class="lead">to continue to <strong><bdi>{name}</bdi></strong></p>\n', name=app.name)


def choose_account(frame: Frame, form: PostForm, *, app: App, who: Person, other: str) -> str:
    content = [
        fill("<h1>Choose an account</h1>\n{lead}", lead=_lead(app)),
        person(who),
        fill('<button name="action" value="continue">Continue as <bdi>{email}</bdi></button>\n', email=who.email),
    ]
    link = fill('<p class="note"><a href="{other}">Use another account</a></p>', other=other)
    return frame.page("Choose an account", joined([form.wrap(joined(content)), link]))


def consent(
    frame: Frame,
    form: PostForm,
    *,
    app: App,
    who: Person,
    permissions: Iterable[str],
    resource: Iterable[str],
    other: str,
    remembered: bool,
    notice: str = "",
) -> str:
    """`permissions` are sentences; `other` is the path of a login as someone else; `notice` is shown above all."""
    link = fill('<a href="{other}">Switch account</a>', other=other)
    items = joined(fill("<li><span>{sentence}</span></li>\n", sentence=sentence) for sentence in permissions)
    requested = (
        fill(
            '<h2 id="requested">It will be able to</h2>\n'
            '<ul class="permissions" aria-labelledby="requested">\n{items}</ul>\n',
            items=items,
        )
        if items
        else HTMLMarkup("<p>It asks for no particular permission.</p>\n")
    )
    places = joined(fill("<li><code>{name}</code></li>\n", name=name) for name in resource)
    again = "It will not ask again for the same permissions." if remembered else "It will ask each time."
    content = [
        fill(
            "<h1><bdi>{name}</bdi> wants to use your account</h1>\n"
            '<p class="lead">Its id here is <code><bdi>{id}</bdi></code>.</p>\n',
            name=app.name,
            id=app.client_id,
        ),
        alert("Please look again", {"": notice} if notice else {}),
        person(who, link=link),
        requested,
        fill(
            '<h2 id="places">For use at</h2>\n<ul class="places" aria-labelledby="places">\n{places}</ul>\n',
            places=places,
        )
        if places
        else NOTHING,
        HTMLMarkup(
            '<div class="choices">\n<button name="decision" value="allow">Allow</button>\n'
            '<button class="quiet" name="decision" value="deny">Do not allow</button>\n</div>\n'
        ),
        fill(
            '<p class="note">Either way you go on to <strong><bdi>{place}</bdi></strong>. '
            "Your password stays here. {again}</p>\n",
            place=app.place,
            again=again,
        ),
    ]
    return frame.page(f"Allow {app.name}?", form.wrap(joined(content)))


def signup(
    frame: Frame, form: PostForm, *, app: App | None, email: str, name: str, faults: Mapping[str, str], login: str
) -> str:
    lead = _lead(app)
    content = [
        fill("<h1>Create an account</h1>\n{lead}", lead=lead),
        alert("The account was not created", faults),
        field(
            "name",
            "Name (optional)",
            attributes='type="text" autocomplete="name" maxlength="200"',
            value=name,
            invalid="name" in faults,
            required=False,
        ),
        field("email", "E-mail address", attributes=EMAIL, value=email, invalid="email" in faults),
        field(
            "password",
            "Password",
            attributes='type="password" autocomplete="new-password" minlength="8"',
            hint="At least 8 characters. Several words make a good one.",
            invalid="password" in faults,
        ),
        HTMLMarkup('<div class="choices">\n<button name="action" value="signup">Create account</button>\n</div>\n'),
    ]
    link = fill('<p class="note">You have an account? <a href="{login}">Sign in</a></p>', login=login)
    title = f"{'Error: ' if faults else ''}Create an account"
    return frame.page(title, joined([form.wrap(joined(content)), link]))


def account(frame: Frame, *, who: Person, logout: str) -> str:
    content = [
        HTMLMarkup("<h1>You are signed in</h1>\n"),
        person(who),
        HTMLMarkup('<p class="lead">Go back to the app that you came from, or sign out.</p>\n'),
        fill('<p><a class="button" href="{logout}">Sign out…</a></p>\n', logout=logout),
    ]
    return frame.page("You are signed in", joined(content))


def confirm_logout(frame: Frame, form: PostForm, *, who: Person, app: App | None) -> str:
    asks = (
        fill('<p class="lead"><strong><bdi>{name}</bdi></strong> asks to end your session here.</p>\n', name=app.name)
        if app
        else HTMLMarkup('<p class="lead">This ends your session in this browser.</p>\n')
    )
    after = (
        fill('<p class="note">Afterwards you go on to <strong><bdi>{place}</bdi></strong>.</p>\n', place=app.place)
        if app and app.place
        else NOTHING
    )
    content = [
        HTMLMarkup("<h1>Sign out?</h1>\n"),
        asks,
        person(who),
        HTMLMarkup(
            '<div class="check"><input type="checkbox" id="everywhere" name="everywhere" value="yes" '
            'aria-describedby="everywhere-hint">\n'
            '<div><label for="everywhere">Sign out everywhere, and end what apps may do in my name</label>\n'
            '<p class="hint" id="everywhere-hint">Every browser has to sign in again, and every app to ask you again.'
            "</p></div></div>\n"
            '<div class="choices">\n<button name="action" value="logout">Sign out</button>\n'
            '<button class="quiet" name="action" value="stay">Stay signed in</button>\n</div>\n'
        ),
        after,
    ]
    return frame.page("Sign out?", form.wrap(joined(content)))


def form_post(frame: Frame, *, app: App, action: str, parameters: Mapping[str, str]) -> str:
    """The answer as a form of its own, which a person sends: without scripts nothing else can."""
    inputs = joined(
        fill('<input type="hidden" name="{name}" value="{value}">\n', name=name, value=value)
        for name, value in parameters.items()
    )
    content = fill(
        "<h1>Continue to <bdi>{name}</bdi></h1>\n"
        '<p class="lead">One more step takes you to <strong><bdi>{place}</bdi></strong>.</p>\n'
        '<form method="post" action="{action}">\n{inputs}<button>Continue</button>\n</form>\n',
        name=app.name,
        place=app.place,
        action=action,
        inputs=inputs,
    )
    return frame.page(f"Continue to {app.name}", content)
