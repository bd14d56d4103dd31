"""What both workers keep in USERS, CODES, TOKENS and SPLIT, and what must happen exactly once (ATOMIC).

Where a namespace does not answer, nothing is decided: `Unavailable` is raised, and the worker answers 503. Moments and
durations are in seconds.
"""

import json
import logging
from dataclasses import replace

from issuer import clients, families, hashes, records, users
from issuer.publisher import Publisher
from issuer.records import AccessToken, Code, Family, Grant
from issuer.settings import SettingError, check_client
from issuer.unavailable import Unavailable

__all__ = ["Storage", "Unavailable"]

_log = logging.getLogger("oauth")

_MIN_TTL = 60  # KV keeps nothing for less
_MAX_ATOMIC_TTL = 31_536_000
_SIGN_UP_SECONDS = 3600  # until then a new user is seen everywhere
_TRIES = 20  # of a compare-and-put that others come between


class Storage:
    """One per request: `env` is the request's. Without ATOMIC single use is best effort: KV cannot compare and put."""

    def __init__(self, env, settings):
        self._settings = settings
        self._users = _Namespace(env.USERS, "USERS")
        self._codes = _Namespace(env.CODES, "CODES")
        self._tokens = _Namespace(env.TOKENS, "TOKENS")
        atomic = getattr(env, "ATOMIC", None)
        self._atomic = None if atomic is None else _Atomic(atomic)
        self.publisher = Publisher(env, settings)

    @property
    def is_atomic(self):
        return self._atomic is not None

    # Clients and users

    async def client(self, client_id):
        """The configuration's client of that id, else the one in USERS, else None."""
        found = self._settings.clients.get(client_id)
        if found is not None or len(client_id) > 256:
            return found
        document = _object(await self._users.get(clients.key(client_id)), "client")
        if document is None:
            return None
        try:
            client = clients.parse(document)
            check_client(client, self._settings)
        except (clients.BadClient, SettingError) as error:
            _log.error("ALARM: the record of client %r cannot be used: %s", client_id, error)
            return None
        return client if client.client_id == client_id else None

    async def user_by_email(self, email):
        """The user of a normal e-mail address, or None."""
        return await self._user(users.key(email))

    async def user_by_id(self, user_id):
        key = await self._users.get(users.id_key(user_id))
        user = None if key is None else await self._user(key)
        return user if user is not None and user.id == user_id else None

    async def add_user(self, user):
        """False where the address is taken."""
        key = users.key(user.email)
        claim = f"user:{key}"
        if self._atomic is not None and not await self._atomic.put_if_absent(claim, user.id, _SIGN_UP_SECONDS):
            return False
        try:
            if await self._users.get(key) is not None:
                return False
            await self.put_user(user)
        except Unavailable:
            if self._atomic is not None:
                await self._atomic.take(claim)
            raise
        return True

    async def put_user(self, user):
        key = users.key(user.email)
        await self._users.put(key, json.dumps(users.record(user)))
        await self._users.put(users.id_key(user.id), key)

    async def _user(self, key):
        document = _object(await self._users.get(key), "user")
        if document is None:
            return None
        try:
            return users.parse(document)
        except users.BadUser as error:
            _log.error("ALARM: the record of a user cannot be used: %s", error)
            return None

    # Codes

    async def put_code(self, code, record):
        ttl = max(_MIN_TTL, self._settings.code_ttl_seconds)
        await self._codes.put(records.code_key(code), records.dump(record), ttl)

    async def code(self, code):
        text = await self._codes.get(records.code_key(code))
        return None if text is None else records.load(Code, text)

    async def consume_code(self, code, record):
        """Whether this is the code's first use. The mark stays as long as tokens that were made of it are valid."""
        ttl = max(_MIN_TTL, self._settings.access_token_ttl_seconds, self._settings.code_ttl_seconds)
        key = records.code_key(code)
        if self._atomic is None:
            again = await self.code(code)
            first = again is not None and not again.used
        else:
            first = await self._atomic.put_if_absent(_once(code), record.grant_id, ttl)
        if first:
            await self._codes.put(key, records.dump(replace(record, used=True)), ttl)
        return first

    async def release_code(self, code, record):
        """Undoes `consume_code`, where nothing of what the code stands for was given out."""
        await self.put_code(code, record)
        if self._atomic is not None:
            await self._atomic.take(_once(code))

    # Access tokens

    async def put_access(self, token, record, *, now):
        ttl = max(_MIN_TTL, record.expires_at - now)
        if record.grant_id is not None:
            await self._tokens.put(records.member_key(record.grant_id, token), record.publish_key or "", ttl)
        await self._tokens.put(records.access_key(token), records.dump(record), ttl)

    async def access(self, token):
        """The record of an access token, as the client received it; None also where its grant was revoked."""
        text = await self._tokens.get(records.access_key(token))
        record = None if text is None else records.load(AccessToken, text)
        if record is not None and record.grant_id is not None and await self.is_revoked(record.grant_id):
            return None
        return record

    async def drop_access(self, token, record):
        """Nothing is left of this token. Its part in SPLIT goes first: that is what the gateway believes."""
        await self.publisher.withdraw(record.publish_key)
        await self.forget_access(token, record)

    async def forget_access(self, token, record):
        """The part in SPLIT is left as it is."""
        await self._tokens.delete(records.access_key(token))
        if record.grant_id is not None:
            await self._tokens.delete(records.member_key(record.grant_id, token))

    # Grants and their refresh tokens

    async def put_grant(self, grant, *, now):
        ttl = max(_MIN_TTL, grant.expires_at - now)
        await self._tokens.put(records.grant_key(grant.user_id, grant.grant_id), records.dump(grant), ttl)

    async def grants(self, user_id):
        """All that are listed for the user."""
        found = []
        for key in await self._tokens.keys(records.grant_key(user_id, "")):
            text = await self._tokens.get(key)
            grant = None if text is None else records.load(Grant, text)
            if grant is not None and grant.user_id == user_id:
                found.append(grant)
        return found

    async def put_family(self, family, *, now):
        ttl = max(_MIN_TTL, family.expires_at - now)
        await self._tokens.put(records.family_key(family.grant_id), records.dump(family), ttl)

    async def start_family(self, family, *, now):
        if self._atomic is not None:
            # Not absent: the grant has been revoked meanwhile, which stays so.
            state, ttl = families.state_of(family), max(1, family.expires_at - now)
            await self._atomic.put_if_absent(_refresh(family.grant_id), state, ttl)
        await self.put_family(family, now=now)

    async def family(self, grant_id):
        """With `current`, `previous` and `rotated_at` from where they are exact. None where there is none any more."""
        text = await self._tokens.get(records.family_key(grant_id))
        family = None if text is None else records.load(Family, text)
        if family is None or await self.is_revoked(grant_id):
            return None
        if self._atomic is None:
            return family
        state = await self._atomic.get(_refresh(grant_id))
        if state is None:
            # The namespaces were there before the binding was; or the entry's time is up, as the family's is then.
            ttl = max(1, min(_MAX_ATOMIC_TTL, family.expires_at - family.rotated_at))
            await self._atomic.put_if_absent(_refresh(grant_id), families.state_of(family), ttl)
            state = await self._atomic.get(_refresh(grant_id))
        return families.with_state(family, state)

    async def rotate(self, family, following, *, now):
        """Replaces `family` by `following`. False where somebody else replaced it first: nothing has happened then."""
        ttl = max(1, following.expires_at - now)
        known, state = families.state_of(family), families.state_of(following)
        if self._atomic is not None:
            return await self._atomic.compare_and_put(_refresh(family.grant_id), known, state, ttl)
        text = await self._tokens.get(records.family_key(family.grant_id))
        again = None if text is None else records.load(Family, text)
        if again is None or families.state_of(again) != known:
            return False
        await self.put_family(following, now=now)
        return True

    async def is_revoked(self, grant_id):
        return await self._tokens.get(records.revoked_key(grant_id)) is not None

    async def revoke(self, grant_id, user_id):
        """Ends a grant: its refresh token, its access tokens, and their parts in SPLIT.

        The mark comes first. Who issues a token meanwhile looks for it afterwards and takes the token back.
        """
        settings = self._settings
        ttl = settings.refresh_absolute_seconds + settings.access_token_ttl_seconds
        await self._tokens.put(records.revoked_key(grant_id), families.REVOKED, max(_MIN_TTL, ttl))
        if self._atomic is not None:
            await self._end_rotation(grant_id, min(ttl, _MAX_ATOMIC_TTL))
        prefix = records.members_prefix(grant_id)
        for key in await self._tokens.keys(prefix):
            await self.publisher.withdraw(await self._tokens.get(key) or None)
            await self._tokens.delete("a:" + key.removeprefix(prefix))
            await self._tokens.delete(key)
        await self._tokens.delete(records.family_key(grant_id))
        await self._tokens.delete(records.grant_key(user_id, grant_id))

    async def revoke_grants(self, user_id):
        """Ends every grant of a user."""
        for grant in await self.grants(user_id):
            await self.revoke(grant.grant_id, user_id)

    async def _end_rotation(self, grant_id, ttl):
        key = _refresh(grant_id)
        for _ in range(_TRIES):
            state = await self._atomic.get(key)
            if state == families.REVOKED:
                return
            if state is None:
                ended = await self._atomic.put_if_absent(key, families.REVOKED, ttl)
            else:
                ended = await self._atomic.compare_and_put(key, state, families.REVOKED, ttl)
            if ended:
                return
        raise Unavailable(f"a refresh token changed {_TRIES} times while it was revoked")

    # What may be seen once

    async def is_new(self, name, ttl_seconds):
        """Whether `name` was not seen in the last `ttl_seconds`."""
        key = "seen:" + hashes.digest(name)
        ttl = max(1, min(ttl_seconds, _MAX_ATOMIC_TTL))
        if self._atomic is not None:
            return await self._atomic.put_if_absent(key, "1", ttl)
        if await self._tokens.get(key) is not None:
            return False
        await self._tokens.put(key, "1", max(_MIN_TTL, ttl))
        return True


def _once(code):
    return "code:" + hashes.digest(code)


def _refresh(grant_id):
    return "refresh:" + grant_id


def _object(text, kind):
    if text is None:
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        _log.error("ALARM: the record of a %s is no JSON object", kind)
        return None
    return document


class _Namespace:
    """A KV namespace whose every error is `Unavailable`."""

    def __init__(self, namespace, name):
        self._namespace = namespace
        self._name = name

    async def get(self, key):
        return await self._do("get", key)

    async def put(self, key, value, ttl_seconds=None):
        options = {} if ttl_seconds is None else {"expirationTtl": ttl_seconds}
        await self._do("put", key, value, **options)

    async def delete(self, key):
        await self._do("delete", key)

    async def keys(self, prefix):
        found, options = [], {}
        while True:
            page = await self._do("list", prefix=prefix, **options)
            found += [entry["name"] for entry in page["keys"]]
            if page["list_complete"]:
                return found
            options = {"cursor": page["cursor"]}

    async def _do(self, name, *args, **options):
        try:
            return await getattr(self._namespace, name)(*args, **options)
        except Exception as error:  # noqa: BLE001  whatever goes wrong with KV, nothing may pass without it
            raise Unavailable(f"{self._name}.{name}: {error!r}") from None


class _Atomic:
    """The service ATOMIC; every error of it is `Unavailable`."""

    def __init__(self, service):
        self._service = service

    async def get(self, key):
        return await self._do("get", key)

    async def take(self, key):
        return await self._do("take", key)

    async def put_if_absent(self, key, value, ttl_seconds):
        return await self._do("put_if_absent", key, value, ttl_seconds)

    async def compare_and_put(self, key, expected, value, ttl_seconds):
        return await self._do("compare_and_put", key, expected, value, ttl_seconds)

    async def _do(self, name, *args):
        try:
            return await getattr(self._service, name)(*args)
        except Exception as error:  # noqa: BLE001  without its answer nothing is known to happen once
            raise Unavailable(f"ATOMIC.{name}: {error!r}") from None
