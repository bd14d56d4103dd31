"""What `edgeworker access` does."""

import argparse
import json
import sys
from dataclasses import dataclass, replace
from typing import Final

from edgeworker.cli.diagnostics import show_warnings
from edgeworker.cli.options import load_options
from edgeworker.cli.output import Output
from edgeworker.clock import Clock, SystemClock
from edgeworker.config import JSON, Config
from edgeworker.errors import ConfigError
from edgeworker.host.datadir import DataDir
from edgeworker.messages import URL, Credentials, Headers, InvalidURL
from edgeworker.products.access import service_tokens
from edgeworker.products.access.answers import how_asked
from edgeworker.products.access.config import DAY_SECONDS, AccessConfig, Application, access_config, made_up_account
from edgeworker.products.access.directory import RUNNING, Directory, Snapshot
from edgeworker.products.access.explain import explain
from edgeworker.products.access.keys import certs
from edgeworker.products.access.local_login import LocalLogin, find_application, identity_of
from edgeworker.products.access.login import is_email
from edgeworker.products.access.policy import Visitor
from edgeworker.products.access.product import AccessProduct
from edgeworker.products.access.service_tokens import ShownCredential, ValidToken
from edgeworker.products.access.sessions import email_key
from edgeworker.state import SQLiteState

_NO_ACCESS: Final = 'there is no Access in this configuration; write [access] with team = "acme" into edge.toml'


@dataclass(frozen=True, slots=True)
class OpenedAccess:
    """The Access of a configuration and a data directory."""

    config: Config
    directory: Directory
    clock: Clock

    def find(self, snapshot: Snapshot, text: str | None) -> Application:
        """Raises ConfigError."""
        try:
            return find_application(snapshot, text)
        except LookupError as error:
            raise ConfigError(str(error)) from None

    @property
    def login(self) -> LocalLogin:
        return LocalLogin(self.directory, self.clock, self.config.account_id or made_up_account())


async def run_action(options: argparse.Namespace) -> None:
    from wrangler_compat import load

    loaded = load(load_options(options))
    config = loaded.require()
    if options.access_command != "apps":
        loaded.diagnostics.render("warning")
    else:
        show_warnings(Output.for_stream(sys.stderr), loaded.diagnostics)
    access = access_config(config)
    if access is None:
        raise ConfigError(_NO_ACCESS)
    clock = SystemClock()
    async with SQLiteState(DataDir.open(options.persist_to).path, clock) as state:
        documents = state.documents(AccessProduct.name)
        running = await documents.get(*RUNNING)
        is_written = any(isinstance(product, AccessConfig) and product.issuer for product in config.products)
        if running is not None and not is_written:
            # `dev --port` decides about the issuer, and is not known here.
            access = replace(access, issuer=str(running.value.get("issuer")))
        opened = OpenedAccess(config, Directory(access, documents, clock), clock)
        match options.access_command:
            case "apps":
                await _apps(opened, as_json=options.json)
            case "certs":
                await _certs(opened, kid=options.kid, as_pem=options.pem)
            case "keys":
                await _keys(opened, rotate=options.keys_command == "rotate")
            case "login":
                await _login(opened, options)
            case "explain":
                await _explain(opened, options)
            case _:
                await _revoke(opened, options)


async def _apps(opened: OpenedAccess, *, as_json: bool) -> None:
    snapshot = await opened.directory.current()
    issuer = snapshot.organization.issuer
    certs_url = f"{issuer}/cdn-cgi/access/certs"
    out = Output.for_stream()
    if as_json:
        apps: list[JSON] = [
            {"id": app.id, "name": app.name, "domain": app.domain, "aud": app.aud, "source": app.source}
            for app in snapshot.index.applications
        ]
        out.line(json.dumps({"team_domain": issuer, "certs_url": certs_url, "apps": apps}, ensure_ascii=False))
        return
    out.line(f"team domain (iss)  {issuer}")
    out.line(f"certs URL          {certs_url}")
    out.line()
    rows = [[app.name, _places(app), app.aud, app.source or "made over the API"] for app in snapshot.index.applications]
    out.table(["application", "covers", "AUD tag (POLICY_AUD)", "written in"], rows)
    if not rows:
        out.line("There are no applications.")


def _places(application: Application) -> str:
    return application.domain or ("another site, as its OpenID provider" if application.saas else "workers")


async def _certs(opened: OpenedAccess, *, kid: str | None, as_pem: bool) -> None:
    """Raises ConfigError for a kid that is not published."""
    snapshot = await opened.directory.signing()
    now = opened.clock.now()
    out = Output.for_stream()
    found = [key for key in snapshot.keys.published(now) if kid is None or key.kid.startswith(kid)]
    if not found:
        known = ", ".join(key.kid for key in snapshot.keys.published(now))
        raise ConfigError(f'no published key has the kid "{kid}"; there are: {known}')
    if as_pem:
        for key in found:
            out.line(key.certificate.rstrip("\n"))
    elif kid is None:
        out.line(json.dumps(certs(snapshot.keys, now=now, swap=False), indent=2))
    else:
        out.line(json.dumps(found[0].jwk, indent=2))


async def _keys(opened: OpenedAccess, *, rotate: bool) -> None:
    out = Output.for_stream()
    snapshot = await opened.directory.signing()
    now = opened.clock.now()
    if rotate:
        if snapshot.keys.is_in_grace(now):
            Output.for_stream(sys.stderr).note(
                "the last rotation was less than 7 days ago: tokens of the key before it are void now"
            )
        await opened.directory.rotate()
        snapshot = await opened.directory.signing()
    left = snapshot.keys.rotated_at + snapshot.organization.key_rotation_days * DAY_SECONDS - now
    out.line(f"current key    {snapshot.keys.current.kid}")
    for key in snapshot.keys.published(now)[1:]:
        role = "previous key " if snapshot.keys.is_in_grace(now) else "upcoming key "
        out.line(f"{role}  {key.kid}")
    out.line(f"next rotation  in {max(0, -(-left // DAY_SECONDS))} days")


async def _login(opened: OpenedAccess, options: argparse.Namespace) -> None:
    email = options.email.strip().lower()
    if not is_email(email):
        raise ConfigError(f'"{options.email}" is not an e-mail address, such as ada@example.com')
    snapshot = await opened.directory.signing()
    application = opened.find(snapshot, options.app)
    try:
        token = await opened.login.log_in(
            email, application, snapshot, groups=_groups(options.groups), ip=options.ip, country=options.country.upper()
        )
    except PermissionError as error:
        raise ConfigError(f"{error}; see: edgeworker access explain URL --as {email}") from None
    out = Output.for_stream()
    match options.print:
        case "header":
            out.line(f"Cf-Access-Token: {token}")
        case "cookie":
            out.line(f"CF_Authorization={token}")
        case _:
            out.line(token)


def _groups(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


async def _explain(opened: OpenedAccess, options: argparse.Namespace) -> None:
    snapshot = await opened.directory.current()
    try:
        url = URL.parse(options.url if "://" in options.url else f"http://{options.url}")
        headers = Headers([_field(text) for text in options.header])
    except (InvalidURL, TypeError) as error:
        raise ConfigError(str(error)) from None
    match = snapshot.index.match(url.hostname, url.path)
    token_id = None
    out = Output.for_stream()
    if match is not None:
        credentials = Credentials(
            client_id=headers.get("cf-access-client-id"), client_secret=headers.get("cf-access-client-secret")
        )
        shown = service_tokens.shown(credentials, headers, match.application)
        if isinstance(shown, ShownCredential):
            checked = service_tokens.check(shown, snapshot.service_tokens, opened.clock.now())
            token_id = checked.token.id if isinstance(checked, ValidToken) else None
            out.line("service token: " + ("valid" if isinstance(checked, ValidToken) else checked.trouble))
    identity = identity_of(options.email, snapshot, groups=_groups(options.groups)) if options.email else None
    visitor = Visitor(options.ip, options.country.upper(), service_token_id=token_id, identity=identity)
    asked = how_asked(options.method.upper(), headers)
    for line in explain(match, visitor, snapshot.context, asked).lines():
        out.line(line)


def _field(text: str) -> tuple[str, str]:
    """Raises ConfigError."""
    name, colon, value = text.partition(":")
    if not colon:
        raise ConfigError(f'"{text}" is not a header field, such as -H "Accept: text/html"')
    return name.strip(), value.strip()


async def _revoke(opened: OpenedAccess, options: argparse.Namespace) -> None:
    out = Output.for_stream()
    sessions = opened.login.sessions
    if options.user is not None:
        user = await opened.directory.documents.get("user", email_key(options.user.lower(), ""))
        if user is None:
            raise ConfigError(f'"{options.user}" has never logged in')
        await sessions.revoke_user(str(user.value.get("uuid")))
        out.ok(f"every session of {options.user} has ended")
        return
    application = opened.find(await opened.directory.current(), options.app)
    await sessions.revoke_application(application.id)
    out.ok(f"every token of {application.name} is void")
