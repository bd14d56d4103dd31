"""Reads and writes what both workers store in USERS, CODES and TOKENS, and what ATOMIC lets happen only once.

If a store does not answer, nothing is decided: `Unavailable` is raised, and the worker answers 503. Times and durations
are in seconds.
"""

import json
import logging
from dataclasses import replace
from typing import Final

from issuer import clients, digests, end_marks, records, refresh_tokens, users
from issuer.clients import RegisteredClient
from issuer.publisher import SplitTokenPublisher
from issuer.records import AccessToken, Code, Family, GrantEntry
from issuer.settings import IssuerSettings, SettingError, check_client
from issuer.store_bindings import GuardedAtomic, GuardedNamespace, Unavailable
from issuer.users import User

_log = logging.getLogger("oauth")

_MIN_TTL: Final = 60  # of KV
_MAX_ATOMIC_TTL: Final = 31_536_000
_SIGN_UP_SECONDS: Final = 3600  # after this a new user is visible everywhere
_TRIES: Final = 20  # of a compare-and-put that other writers interrupt


class IssuerStorage:
    """One per request: `env` is the request's. Without ATOMIC single use is best effort: KV cannot compare and put."""

    def __init__(self, env: object, settings: IssuerSettings) -> None:
        self._settings = settings
        self._users = GuardedNamespace.bound(env, "USERS")
        self._codes = GuardedNamespace.bound(env, "CODES")
        self.tokens = GuardedNamespace.bound(env, "TOKENS")
        self.atomic = GuardedAtomic.bound(env)
        self.publisher = SplitTokenPublisher(env, settings)

    # Clients and users

    async def client(self, client_id: str) -> RegisteredClient | None:
        """The configured client of that id, else the one in USERS."""
        found = self._settings.clients.get(client_id)
        if found is not None or len(client_id) > 256:
            return found
        document = _parse_object(await self._users.get(clients.key(client_id)), "client")
        if document is None:
            return None
        try:
            client = clients.parse(document)
            check_client(client, self._settings)
        except (clients.BadClient, SettingError) as error:
            _log.error("ALARM: the record of client %r is unusable: %s", client_id, error)
            return None
        return client if client.client_id == client_id else None

    async def user_by_email(self, email: str) -> User | None:
        """The user of an e-mail address in any spelling. It reads the same number of entries for every address."""
        found = [await self._read_user(key) for key in users.keys(email)]
        return next((user for user in found if user is not None), None)

    async def user_by_id(self, user_id: str) -> User | None:
        key = await self._users.get(users.id_key(user_id))
        user = None if key is None else await self._read_user(key)
        return user if user is not None and user.id == user_id else None

    async def add_user(self, user: User) -> bool:
        """False if the address is taken."""
        keys = users.keys(user.email)
        claim = f"user:{keys[0]}"
        if self.atomic is not None and not await self.atomic.put_if_absent(claim, user.id, _SIGN_UP_SECONDS):
            return False
        try:
            for key in keys:
                if await self._users.get(key) is not None:
                    return False
            await self._users.put(keys[0], json.dumps(users.record(user)))
            await self._users.put(users.id_key(user.id), keys[0])
        except Unavailable:
            if self.atomic is not None:
                await self.atomic.take(claim)
            raise
        return True

    async def _read_user(self, key: str) -> User | None:
        document = _parse_object(await self._users.get(key), "user")
        if document is None:
            return None
        try:
            return users.parse(document)
        except users.BadUser as error:
            _log.error("ALARM: the record of a user is unusable: %s", error)
            return None

    async def renewed_password(self, user: User | None) -> str | None:
        """The hash to compare with: the one that a login renewed, if it is of the user's present password.

        None if there is no user; that costs one read as well.
        """
        text = await self._users.get(users.renewed_key("" if user is None else user.id))
        return None if user is None else users.renewed_hash(user, text)

    async def renew_password(self, user: User, renewed: str) -> None:
        """In an entry of its own: an operator may be changing the user's record at this moment."""
        await self._users.put(users.renewed_key(user.id), users.renewed_record(user, renewed))

    # The end of everything that a user began

    async def epoch(self, user_id: str) -> str:
        """See `end_marks`."""
        key = end_marks.key(user_id)
        marks = [await self._users.get(key)]
        if self.atomic is not None:
            marks.append(await self.atomic.get(key))
        return end_marks.epoch(*marks)

    async def is_void(self, user_id: str | None, began: str) -> bool:
        """Whether something of this user that began in the epoch `began` was ended since."""
        return user_id is not None and end_marks.is_void(began, await self.epoch(user_id))

    async def end_all(self, user_id: str, *, now: int) -> None:
        """Ends all sessions, codes, grants and consents of a user.

        The mark voids them. The listed grants are also revoked one by one, because the gateway knows no marks.
        """
        key, mark = end_marks.key(user_id), end_marks.new(now=now)
        if self.atomic is None:
            await self._users.put(key, mark)
        else:
            await self.atomic.replace(key, mark, _MAX_ATOMIC_TTL)
        for grant in await self.grants(user_id):
            await self.revoke(grant.grant_id, user_id)

    # Codes

    async def put_code(self, code: str, record: Code) -> None:
        ttl = max(_MIN_TTL, self._settings.code_ttl_seconds)
        await self._codes.put(records.code_key(code), records.dump(record), ttl)

    async def code(self, code: str) -> Code | None:
        text = await self._codes.get(records.code_key(code))
        return None if text is None else records.load(Code, text)

    async def consume_code(self, code: str, record: Code) -> bool:
        """Whether this is the code's first use. The mark stays as long as tokens that were issued for it are valid."""
        ttl = max(_MIN_TTL, self._settings.access_token_ttl_seconds, self._settings.code_ttl_seconds)
        key = records.code_key(code)
        if self.atomic is None:
            again = await self.code(code)
            first = again is not None and not again.used
        else:
            first = await self.atomic.put_if_absent(_code_use_key(code), record.grant_id, ttl)
        if first:
            await self._codes.put(key, records.dump(replace(record, used=True)), ttl)
        return first

    async def release_code(self, code: str, record: Code) -> None:
        """Undoes `consume_code` if no token was given out."""
        await self.put_code(code, record)
        if self.atomic is not None:
            await self.atomic.take(_code_use_key(code))

    # Access tokens

    async def put_access(self, token: str, record: AccessToken, *, now: int) -> None:
        ttl = max(_MIN_TTL, record.expires_at - now)
        if record.grant_id is not None:
            await self.tokens.put(records.member_key(record.grant_id, token), record.publish_key or "", ttl)
        await self.tokens.put(records.access_key(token), records.dump(record), ttl)

    async def access(self, token: str) -> AccessToken | None:
        """The record of an access token, by the text that the client received; None if its grant was ended."""
        text = await self.tokens.get(records.access_key(token))
        record = None if text is None else records.load(AccessToken, text)
        if record is None or (record.grant_id is not None and await self.is_revoked(record.grant_id)):
            return None
        return None if await self.is_void(record.user_id, record.epoch) else record

    async def drop_access(self, token: str, record: AccessToken) -> None:
        """Deletes everything of this token. Its entry in SPLIT goes first: that is what the gateway believes."""
        await self.publisher.withdraw(record.publish_key)
        await self.forget_access(token, record)

    async def forget_access(self, token: str, record: AccessToken) -> None:
        """Leaves the entry in SPLIT as it is."""
        await self.tokens.delete(records.access_key(token))
        if record.grant_id is not None:
            await self.tokens.delete(records.member_key(record.grant_id, token))

    # Grants and their refresh tokens

    async def put_grant(self, grant: GrantEntry, *, now: int) -> None:
        ttl = max(_MIN_TTL, grant.expires_at - now)
        await self.tokens.put(records.grant_key(grant.user_id, grant.grant_id), records.dump(grant), ttl)

    async def grants(self, user_id: str) -> list[GrantEntry]:
        """All that are listed for the user."""
        found = []
        for key in await self.tokens.keys(records.grant_key(user_id, "")):
            text = await self.tokens.get(key)
            grant = None if text is None else records.load(GrantEntry, text)
            if grant is not None and grant.user_id == user_id:
                found.append(grant)
        return found

    async def put_family(self, family: Family, *, now: int) -> None:
        ttl = max(_MIN_TTL, family.expires_at - now)
        await self.tokens.put(records.family_key(family.grant_id), records.dump(family), ttl)

    async def start_family(self, family: Family, *, now: int) -> None:
        if self.atomic is not None:
            # If it is not absent, the grant was revoked in the meantime, and stays so.
            state, ttl = refresh_tokens.state_of(family), max(1, family.expires_at - now)
            await self.atomic.put_if_absent(_rotation_key(family.grant_id), state, ttl)
        await self.put_family(family, now=now)

    async def family(self, grant_id: str) -> Family | None:
        """With the exact `current`, `previous` and `rotated_at` of ATOMIC. None if the grant was revoked or expired."""
        text = await self.tokens.get(records.family_key(grant_id))
        family = None if text is None else records.load(Family, text)
        if family is None or await self.is_revoked(grant_id):
            return None
        if self.atomic is None:
            return family
        key = _rotation_key(grant_id)
        state = await self.atomic.get(key)
        if state is None:
            # The namespaces are older than the binding; or the entry expired, as the family did then.
            ttl = max(1, min(_MAX_ATOMIC_TTL, family.expires_at - family.rotated_at))
            await self.atomic.put_if_absent(key, refresh_tokens.state_of(family), ttl)
            state = await self.atomic.get(key)
        return refresh_tokens.with_state(family, state)

    async def rotate(self, family: Family, following: Family, *, now: int) -> bool:
        """Replaces `family` by `following`. False, and nothing has happened, if another request replaced it first."""
        ttl = max(1, following.expires_at - now)
        known, state = refresh_tokens.state_of(family), refresh_tokens.state_of(following)
        if self.atomic is not None:
            return await self.atomic.compare_and_put(_rotation_key(family.grant_id), known, state, ttl)
        text = await self.tokens.get(records.family_key(family.grant_id))
        again = None if text is None else records.load(Family, text)
        if again is None or refresh_tokens.state_of(again) != known:
            return False
        await self.put_family(following, now=now)
        return True

    async def is_revoked(self, grant_id: str) -> bool:
        return await self.tokens.get(records.revoked_key(grant_id)) is not None

    async def revoke(self, grant_id: str, user_id: str) -> None:
        """Ends a grant: its refresh token, its access tokens, and their entries in SPLIT.

        The mark comes first. A request that issues a token meanwhile looks for the mark afterwards and takes it back.
        """
        settings = self._settings
        ttl = settings.refresh_absolute_seconds + settings.access_token_ttl_seconds
        await self.tokens.put(records.revoked_key(grant_id), refresh_tokens.REVOKED, max(_MIN_TTL, ttl))
        if self.atomic is not None:
            await self._end_rotation(self.atomic, grant_id, min(ttl, _MAX_ATOMIC_TTL))
        prefix = records.members_prefix(grant_id)
        for key in await self.tokens.keys(prefix):
            await self.publisher.withdraw(await self.tokens.get(key) or None)
            await self.tokens.delete(records.ACCESS_PREFIX + key.removeprefix(prefix))
            await self.tokens.delete(key)
        await self.tokens.delete(records.family_key(grant_id))
        await self.tokens.delete(records.grant_key(user_id, grant_id))

    async def _end_rotation(self, atomic: GuardedAtomic, grant_id: str, ttl: int) -> None:
        key = _rotation_key(grant_id)
        for _ in range(_TRIES):
            state = await atomic.get(key)
            if state == refresh_tokens.REVOKED:
                return
            if state is None:
                ended = await atomic.put_if_absent(key, refresh_tokens.REVOKED, ttl)
            else:
                ended = await atomic.compare_and_put(key, state, refresh_tokens.REVOKED, ttl)
            if ended:
                return
        raise Unavailable(f"a refresh token changed {_TRIES} times while it was revoked")

    # Identifiers that may be seen once

    async def is_new(self, name: str, ttl_seconds: int) -> bool:
        """Whether `name` was not seen in the last `ttl_seconds`."""
        key = "seen:" + digests.digest(name)
        ttl = max(1, min(ttl_seconds, _MAX_ATOMIC_TTL))
        if self.atomic is not None:
            return await self.atomic.put_if_absent(key, "1", ttl)
        if await self.tokens.get(key) is not None:
            return False
        await self.tokens.put(key, "1", max(_MIN_TTL, ttl))
        return True


def _code_use_key(code: str) -> str:
    return "code:" + digests.digest(code)


def _rotation_key(grant_id: str) -> str:
    return "refresh:" + grant_id


def _parse_object(text: str | None, kind: str) -> dict[str, object] | None:
    if text is None:
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        _log.error("ALARM: the record of a %s is not a JSON object", kind)
        return None
    return document
