"""A login without a page: for tests, and for `edgeworker access login`. Policies decide as they do for a browser."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from edgeworker.clock import Clock
from edgeworker.config import JSON
from edgeworker.messages import URL, InvalidURL
from edgeworker.products.access.config import LOCAL_PROVIDER_TYPE, Application
from edgeworker.products.access.directory import Directory, Snapshot
from edgeworker.products.access.issuing import AccessTokenIssuer
from edgeworker.products.access.login import local_identity
from edgeworker.products.access.policy import Identity, IdentityAllowed, Visitor, decide_identity
from edgeworker.products.access.sessions import Sessions


class LocalLogin:
    """`account_id` stands in the organization's tokens."""

    def __init__(self, directory: Directory, clock: Clock, account_id: str) -> None:
        self.sessions = Sessions(directory, clock)
        self._issuer = AccessTokenIssuer(directory, self.sessions, clock, account_id)
        self._clock = clock

    async def log_in(
        self,
        email: str,
        application: Application,
        snapshot: Snapshot,
        *,
        groups: Sequence[str] = (),
        claims: Mapping[str, JSON] | None = None,
        ip: str,
        country: str = "",
    ) -> str:
        """The application's token. Raises PermissionError where no policy allows this person."""
        identity = identity_of(email, snapshot, groups=groups, claims=claims)
        uuid = await self.sessions.user_uuid(identity.email, application.user_population)
        identity = replace(
            identity,
            user_uuid=uuid,
            ip=ip,
            country=country or identity.country,
            logged_in_at=self._clock.now(),
        )
        decided = decide_identity(application, Visitor(ip, identity.country, identity=identity), snapshot.context)
        if not isinstance(decided, IdentityAllowed):
            raise PermissionError(f"no policy of {application.name} allows {email}")
        session = await self.sessions.begin(identity, snapshot, application.user_population)
        token, _ = await self._issuer.identity_token(session, application, decided.policy)
        return token


def identity_of(
    email: str, snapshot: Snapshot, *, groups: Sequence[str] = (), claims: Mapping[str, JSON] | None = None
) -> Identity:
    """Someone of edge.toml with what stands there, or anyone else."""
    provider = next(item for item in snapshot.providers.values() if item.type == LOCAL_PROVIDER_TYPE)
    found = local_identity(email.lower(), provider, snapshot, groups=tuple(groups))
    return replace(
        found,
        oidc_fields={**found.oidc_fields, **(claims or {})},
        custom={**found.custom, **(claims or {})},
    )


def find_application(snapshot: Snapshot, text: str | None) -> Application:
    """By its name, id, AUD tag, host or URL; without a text the only one there is. Raises LookupError."""
    applications = snapshot.index.applications
    if text is None:
        if len(applications) == 1:
            return applications[0]
    else:
        for application in applications:
            if text in (application.name, application.id, application.aud):
                return application
        try:
            url = URL.parse(text if "://" in text else f"https://{text}")
        except InvalidURL:
            url = None
        if url is not None and (match := snapshot.index.match(url.hostname, url.path)) is not None:
            return match.application
    names = ", ".join(f'"{application.name}"' for application in applications) or "none"
    raise LookupError(f'"{text or ""}" is not the name, host or URL of one application; there are: {names}')
