"""What `edgeworker access` does."""

import argparse
import json
import sys
from dataclasses import dataclass, replace
from typing import Final

from edgeworker.cli.access.explaining import explain_request, groups_of
from edgeworker.cli.diagnostics import show_warnings
from edgeworker.cli.options import load_options
from edgeworker.cli.output import Output
from edgeworker.clock import Clock, SystemClock
from edgeworker.config import JSON, Config
from edgeworker.errors import ConfigError
from edgeworker.host.datadir import DataDir
from edgeworker.products.access.config import DAY_SECONDS, AccessConfig, Application, access_config, made_up_account
from edgeworker.products.access.directory import RUNNING, Directory, Snapshot
from edgeworker.products.access.keys import certs
from edgeworker.products.access.local_login import LocalLogin, find_application
from edgeworker.products.access.product import AccessProduct
from edgeworker.products.access.sessions import email_key, is_email
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
                await explain_request(opened.config, opened.directory, clock, options)
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
    found = [key for key in snapshot.keys.published_keys(now) if kid is None or key.kid.startswith(kid)]
    if not found:
        known = ", ".join(key.kid for key in snapshot.keys.published_keys(now))
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
    for key in snapshot.keys.published_keys(now)[1:]:
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
            email,
            application,
            snapshot,
            groups=groups_of(options.groups),
            ip=options.ip,
            country=options.country.upper(),
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
