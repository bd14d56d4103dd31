"""Everything that Access decides with, as one snapshot: what edge.toml says, what was made over the API, the keys, and
what was revoked.

A snapshot is built anew when the documents changed, by whatever process: `peek` looks at their version, which costs
microseconds. Most changes are sessions, which are not part of it; so each write of a part also writes one document, and
only another revision of that document makes another snapshot.
"""

import asyncio
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edgeworker.clock import Clock
from edgeworker.config import JSON
from edgeworker.errors import StoreError
from edgeworker.products.access.config import (
    LOCAL_PROVIDER_TYPE,
    AccessConfig,
    Application,
    IdentityProvider,
    LocalIdentity,
    Organization,
    Policy,
    PublicDestination,
    ServiceToken,
)
from edgeworker.products.access.json_object import InvalidObject
from edgeworker.products.access.matching import ApplicationIndex
from edgeworker.products.access.objects import (
    made_up_uuid,
    parse_application,
    parse_group,
    parse_list,
    parse_policy,
    parse_service_token,
)
from edgeworker.products.access.organization import parse_organization
from edgeworker.products.access.policy import RuleContext, has_early_policies, has_login, rechecks_identity
from edgeworker.products.access.provider_objects import parse_identity_provider
from edgeworker.state import Conflict, Delete, DocumentStore, Put

if TYPE_CHECKING:
    from edgeworker.products.access.keys import KeySet, SigningKey

Change = Put | Delete

_REVISION: Final = ("directory", "revision")
_KEYS: Final = ("keys", "current")
ORGANIZATION: Final = ("organization", "current")
_log = logging.getLogger(__name__)

RUNNING: Final = ("running", "issuer")
# Kinds of documents whose change makes another snapshot.
KINDS: Final = ("app", "policy", "group", "identity_provider", "service_token", "list")
_LOCAL_ID: Final = made_up_uuid("identity_provider", "local")
_PIN_ID: Final = made_up_uuid("identity_provider", "onetimepin")


@dataclass(frozen=True, slots=True)
class Revocations:
    """Tokens of an application or a user with a lower generation than that are void; so is what a revoked session
    opened. `app_moments` is for service tokens, whose tokens have no session: those issued until then are void."""

    sessions: frozenset[str] = frozenset()
    apps: Mapping[str, int] | None = None
    app_moments: Mapping[str, int] | None = None
    users: Mapping[str, int] | None = None

    def app_generation(self, app_id: str) -> int:
        return (self.apps or {}).get(app_id, 0)

    def app_moment(self, app_id: str) -> int:
        return (self.app_moments or {}).get(app_id, -1)

    def user_generation(self, user_uuid: str) -> int:
        return (self.users or {}).get(user_uuid, 0)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`rechecked` are the ids of applications whose Allow and Deny policies ask for what each request shows, so that a
    session alone is not enough; for those in `decided_by_session` it is, and no other policy can come before it."""

    serial: int
    organization: Organization
    index: ApplicationIndex
    context: RuleContext
    providers: Mapping[str, IdentityProvider]
    service_tokens: Mapping[str, ServiceToken]  # by Client ID
    keys: "KeySet"
    revocations: Revocations
    rechecked: frozenset[str]
    decided_by_session: frozenset[str]
    identities: tuple[LocalIdentity, ...]

    def application(self, app_id: str) -> Application | None:
        return next((app for app in self.index.applications if app.id == app_id), None)

    def providers_for(self, application: Application) -> list[IdentityProvider]:
        """Those that the application allows, or all."""
        allowed = application.allowed_idps
        return [provider for provider in self.providers.values() if not allowed or provider.id in allowed]


class Directory:
    """Makes snapshots. One for each edge. Without `local_login` no one can log in by picking who to be."""

    def __init__(
        self,
        config: AccessConfig,
        documents: DocumentStore,
        clock: Clock,
        *,
        local_login: bool = True,
    ) -> None:
        self.config = config
        self._local_login = local_login
        self.documents = documents
        self._clock = clock
        self._lock = asyncio.Lock()
        self._version = -1
        self._revision = -1
        self._serial = 0
        self._snapshot: Snapshot | None = None

    def peek(self) -> Snapshot | None:
        """The snapshot, where it is there and nothing was written since. Raises StoreError."""
        return self._snapshot if self.documents.version() == self._version else None

    async def load(self) -> Snapshot:
        """The snapshot as of now. Raises StoreError."""
        async with self._lock:
            version = self.documents.version()
            if self._snapshot is not None and version == self._version:
                return self._snapshot
            document = await self.documents.get(*_REVISION)
            revision = 0 if document is None else document.revision
            if self._snapshot is None or revision != self._revision:
                self._serial += 1
                self._snapshot = await self._build()
                self._revision = revision
            # The version from before the reading, so that the next `peek` notices what was written meanwhile.
            self._version = version
            return self._snapshot

    async def announce_issuer(self) -> None:
        """Store the issuer of the running edge, for commands that do not know its sockets."""
        try:
            known = await self.documents.get(*RUNNING)
            if known is None or known.value.get("issuer") != self.config.issuer:
                await self.documents.put(*RUNNING, {"issuer": self.config.issuer})
        except (StoreError, Conflict) as error:
            _log.warning("Access: other commands do not learn the issuer of this edge: %s", error)

    async def current(self) -> Snapshot:
        return self.peek() or await self.load()

    async def commit(self, changes: Sequence[Change]) -> None:
        """Writes what snapshots are made of. Raises Conflict, StoreError."""
        await self.documents.write([*changes, Put(*_REVISION, {"changed": secrets.token_hex(8)})])

    async def signing(self) -> Snapshot:
        """The snapshot with keys that may sign now: rotated where that was due, and announced for the next time."""
        snapshot = await self.current()
        now = self._clock.now()
        if snapshot.keys.is_due(now, snapshot.organization.key_rotation_days):
            await self.rotate()
        elif snapshot.keys.needs_upcoming(now):
            await self._announce(snapshot.keys)
        else:
            return snapshot
        return await self.current()

    async def rotate(self) -> None:
        """The next key signs from now on. Of several processes that rotate at once one does."""
        from edgeworker.products.access import keys as signing_keys

        document = await self.documents.get(*_KEYS)
        if document is None:
            await self.load()
            return
        keys = signing_keys.from_document(document.value)
        fresh = keys.upcoming or await self._make_key()
        await self._put_keys(keys.rotate(fresh, self._clock.now()), if_revision=document.revision)

    async def _announce(self, known: "KeySet") -> None:
        from edgeworker.products.access import keys as signing_keys

        fresh = await self._make_key()
        document = await self.documents.get(*_KEYS)
        keys = known if document is None else signing_keys.from_document(document.value)
        if document is not None and keys.needs_upcoming(self._clock.now()):
            await self._put_keys(keys.with_upcoming(fresh), if_revision=document.revision)

    async def _put_keys(self, keys: "KeySet", *, if_revision: int) -> None:
        from edgeworker.products.access import keys as signing_keys

        put = Put(*_KEYS, signing_keys.to_document(keys), if_revision=if_revision)
        try:
            await self.commit([put])
        except Conflict:
            return  # another process was first

    async def _make_key(self) -> "SigningKey":
        from edgeworker.products.access import keys as signing_keys

        # Looking for primes holds a processor for a while, and other requests must not wait for it.
        return await asyncio.to_thread(signing_keys.make_key, self.config.auth_domain, now=self._clock.now())

    async def _keys(self) -> "KeySet":
        from edgeworker.products.access import keys as signing_keys

        document = await self.documents.get(*_KEYS)
        if document is None:
            current, upcoming = await asyncio.gather(self._make_key(), self._make_key())
            made = signing_keys.KeySet(current, self._clock.now(), upcoming=upcoming)
            try:
                await self.documents.put(*_KEYS, signing_keys.to_document(made), if_revision=0)
            except Conflict:
                return await self._keys()
            return made
        return signing_keys.from_document(document.value)

    async def _build(self) -> Snapshot:
        objects = {kind: await self._objects(kind) for kind in KINDS}
        stored = await self.documents.get(*ORGANIZATION)
        organization = parse_organization(self.config, {} if stored is None else stored.value)
        policies = [parse_policy(value, source=place) for value, place in objects["policy"]]
        reusable: dict[str, Policy] = {policy.id: policy for policy in policies}
        by_name = {policy.name: policy for policy in policies}
        groups = [parse_group(value, source=place) for value, place in objects["group"]]
        lists = [parse_list(value) for value, _ in objects["list"]]
        context = RuleContext(
            groups={group.name: group for group in groups} | {group.id: group for group in groups},
            lists={rules.name: rules for rules in lists} | {rules.id: rules for rules in lists},
        )
        applications = [
            parse_application(value, policies=by_name | reusable, source=place) for value, place in objects["app"]
        ]
        tokens = [parse_service_token(value, source=place) for value, place in objects["service_token"]]
        providers = [parse_identity_provider(value, source=place) for value, place in objects["identity_provider"]]
        return Snapshot(
            serial=self._serial,
            organization=organization,
            index=ApplicationIndex(applications),
            context=context,
            providers=_with_own(providers, local=self._local_login),
            service_tokens={token.client_id: token for token in tokens},
            keys=await self._keys(),
            revocations=await self._revocations(),
            rechecked=frozenset(app.id for app in applications if rechecks_identity(app, context)),
            decided_by_session=frozenset(
                app.id
                for app in applications
                if has_login(app)
                and not rechecks_identity(app, context)
                and not has_early_policies(app)
                and app.service_token_header is None
                and app.oauth is None
                and all(isinstance(place, PublicDestination) for place in app.destinations)
            ),
            identities=self.config.identities if self._local_login else (),
        )

    async def _objects(self, kind: str) -> list[tuple[dict[str, JSON], str]]:
        """(its JSON, where it was written): edge.toml's first, and they win over documents of the same id."""
        configured = [({**item.value, "id": item.id}, item.place) for item in self.config.objects if item.kind == kind]
        ids = {value["id"] for value, _ in configured}
        documents = await self.documents.list(kind)
        made = [({**document.value, "id": document.id}, "") for document in documents if document.id not in ids]
        return [*configured, *made]

    async def _revocations(self) -> Revocations:
        sessions: set[str] = set()
        numbers: dict[str, dict[str, int]] = {"app": {}, "user": {}, "moment": {}}
        for document in await self.documents.list("revocation"):
            kind, _, identifier = document.id.partition(":")
            generation = document.value.get("generation")
            if kind == "session":
                sessions.add(identifier)
            elif kind in numbers and isinstance(generation, int):
                numbers[kind][identifier] = generation
                moment = document.value.get("moment")
                if kind == "app" and isinstance(moment, int):
                    numbers["moment"][identifier] = moment
        return Revocations(frozenset(sessions), numbers["app"], numbers["moment"], numbers["user"])


def _with_own(providers: list[IdentityProvider], *, local: bool) -> dict[str, IdentityProvider]:
    """With the login page's own two, unless there are providers of these types already."""
    offered = [provider for provider in providers if local or provider.type != LOCAL_PROVIDER_TYPE]
    types = {provider.type for provider in offered}
    found = {provider.id: provider for provider in offered}
    if local and LOCAL_PROVIDER_TYPE not in types:
        found[_LOCAL_ID] = IdentityProvider(_LOCAL_ID, "Local identities", LOCAL_PROVIDER_TYPE)
    if "onetimepin" not in types:
        found[_PIN_ID] = IdentityProvider(_PIN_ID, "One-time PIN", "onetimepin")
    return found


def check_objects(config: AccessConfig) -> None:
    """Raises InvalidObject for the first object that names a policy which is not there."""
    policies = [parse_policy(dict(item.value), item.place) for item in config.objects if item.kind == "policy"]
    reusable = {policy.name: policy for policy in policies} | {policy.id: policy for policy in policies}
    for item in config.objects:
        if item.kind == "app":
            parse_application(dict(item.value), item.place, policies=reusable)


__all__ = ["KINDS", "ORGANIZATION", "Change", "Directory", "InvalidObject", "Revocations", "Snapshot", "check_objects"]
