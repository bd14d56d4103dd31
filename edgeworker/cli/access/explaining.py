"""`edgeworker access explain`: which application and policy decide about a request, and why."""

import argparse
from dataclasses import replace

from edgeworker.admission import Refusal, admit
from edgeworker.cli.output import Output
from edgeworker.clock import Clock
from edgeworker.config import Config
from edgeworker.errors import ConfigError
from edgeworker.messages import URL, Client, Headers, InvalidURL, Request
from edgeworker.products.access import service_tokens
from edgeworker.products.access.answers import classify_request
from edgeworker.products.access.authentication import AccessAuthenticator, candidates
from edgeworker.products.access.config import Application, worker_tag
from edgeworker.products.access.directory import Directory, Snapshot
from edgeworker.products.access.explain import explain
from edgeworker.products.access.local_login import identity_of
from edgeworker.products.access.matching import Match
from edgeworker.products.access.opaque_tokens import OpaqueTokens
from edgeworker.products.access.policy import Visitor
from edgeworker.products.access.service_tokens import MalformedCredential, PresentedCredential, ValidToken
from edgeworker.products.access.sessions import Sessions
from edgeworker.routing import Resolver
from edgeworker.routing.resolver import RunWorker


async def explain_request(config: Config, directory: Directory, clock: Clock, options: argparse.Namespace) -> None:
    """Raises ConfigError for what cannot be a request."""
    snapshot = await directory.current()
    request = _request(options)
    match = _match(config, snapshot, request.url)
    out = Output.for_stream()
    visitor = Visitor(options.ip, options.country.upper())
    if match is not None:
        sessions = Sessions(directory, clock)
        authenticator = AccessAuthenticator(sessions, OpaqueTokens(directory.documents, sessions, clock), clock)
        visitor = await _visitor(request, match.application, snapshot, authenticator, clock, out)
    if options.email:
        identity = identity_of(options.email, snapshot, groups=groups_of(options.groups))
        visitor = replace(visitor, identity=identity)
    kind = classify_request(request.method, request.headers)
    for line in explain(match, visitor, snapshot.context, kind).lines():
        out.line(line)


def _request(options: argparse.Namespace) -> Request:
    try:
        url = URL.parse(options.url if "://" in options.url else f"http://{options.url}")
        headers = Headers([_field(text) for text in options.header])
        headers.set("Host", url.host)
        cf = {"country": options.country.upper()} if options.country else {}
        admitted = admit(Request(options.method.upper(), url, headers, client=Client(options.ip), cf=cf), ray="0-LOC")
    except (InvalidURL, TypeError, ValueError) as error:
        raise ConfigError(str(error)) from None
    if isinstance(admitted, Refusal):
        raise ConfigError(f"the edge refuses this request with {admitted.status}: {admitted.text}")
    return admitted


def _match(config: Config, snapshot: Snapshot, url: URL) -> Match | None:
    """By host and path, then by the worker that runs there."""
    match = snapshot.index.match(url.hostname, url.path)
    if match is None and snapshot.index.has_workers:
        resolution = Resolver(config).resolve(url)
        if isinstance(resolution, RunWorker):
            return snapshot.index.match_worker((worker_tag(resolution.worker), resolution.worker))
    return match


async def _visitor(
    request: Request,
    application: Application,
    snapshot: Snapshot,
    authenticator: AccessAuthenticator,
    clock: Clock,
    out: Output,
) -> Visitor:
    """Says what the request's credentials are worth."""
    token = None
    match service_tokens.read_credential(request.credentials, request.headers, application):
        case PresentedCredential() as credential:
            checked = service_tokens.check_credential(credential, snapshot.service_tokens, clock.now())
            token = checked.token if isinstance(checked, ValidToken) else None
            out.line("service token: " + ("valid" if isinstance(checked, ValidToken) else checked.problem))
        case MalformedCredential(text):
            out.line(f"service token: malformed ({text})")
        case None:
            pass
    session = await authenticator.app_session(request, application, snapshot)
    if session is not None:
        out.line(f"token: valid, of {session.entry.email or 'a client certificate'}")
    elif any(True for _ in candidates(request)):
        out.line(f"token: none that came is a valid one of {application.name}")
    return await authenticator.visitor(request, application, snapshot, service_token=token, session=session)


def groups_of(text: str) -> list[str]:
    """Of an option: names with commas between them."""
    return [name.strip() for name in text.split(",") if name.strip()]


def _field(text: str) -> tuple[str, str]:
    """Raises ConfigError."""
    name, colon, value = text.partition(":")
    if not colon:
        raise ConfigError(f'"{text}" is not a header field, such as -H "Accept: text/html"')
    return name.strip(), value.strip()
