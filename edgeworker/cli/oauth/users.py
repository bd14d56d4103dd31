"""`oauth users`: who may log in at the OAuth server."""

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from edgeworker.cli.kv.ask import confirm
from edgeworker.cli.oauth.import_file import ImportFile, Item
from edgeworker.cli.oauth.registry import Registry, write_record
from edgeworker.cli.oauth.typed import new_password
from edgeworker.cli.oauth.withdrawal import PublishedTokens, describe_withdrawal
from edgeworker.errors import ConfigError, StoreError
from edgeworker.host.issuer_scripts import UserRecords
from edgeworker.strict_json import loads

if TYPE_CHECKING:
    from edgeworker.cli.output import Output
    from issuer.users import User

_PREFIX = "u:"
# What stands for a password's hash while the rest of a record is looked at.
_NO_HASH = "$scrypt$ln=15,r=8,p=3$" + "A" * 22 + "$" + "A" * 43


async def run(
    registry: Registry,
    options: argparse.Namespace,
    out: "Output",
    err: "Output",
    now: int,
    published: PublishedTokens | None = None,
) -> int:
    """`published`: what is to be taken from the gateway where a user's sessions end."""
    users = Users(registry, now)
    match options.action:
        case "add":
            made = {"email": options.email, "name": options.name, "email_verified": options.verified}
            user = await users.add({**made, "claims": _claims(options.claims)}, new_password, options.scheme)
            _report(out, err, options, user, f"user {user.email} may log in; id (and `sub` of every token): {user.id}")
        case "list":
            return await _list(users, options, out, err)
        case "show":
            _, user = await users.find(options.user)
            out.line(json.dumps(show_user(user), indent=2, ensure_ascii=False))
        case "disable" | "enable" as action:
            key, user = await users.find(options.user)
            user = await users.put(key, replace(user, disabled=action == "disable"), ends_sessions=True)
            _report(
                out, err, options, user, f"user {user.email} is {action}d; {await _describe_ended(user, published)}"
            )
        case "set-password":
            key, user = await users.find(options.user)
            hashed = users.hashed(new_password(user.email), options.scheme)
            user = await users.put(key, replace(user, password=hashed), ends_sessions=True)
            _report(
                out,
                err,
                options,
                user,
                f"user {user.email} has the new password; {await _describe_ended(user, published)}",
            )
        case "end-sessions":
            _, user = await users.find(options.user)
            await users.end_sessions(user)
            _report(
                out,
                err,
                options,
                user,
                f"user {user.email} is signed out everywhere: {await _describe_ended(user, published)}",
            )
        case "delete":
            key, user = await users.find(options.user)
            if not options.yes and not confirm(f"Remove {user.email} ({user.id}) for ever?"):
                err.line("Not removing.")
                return 0
            await users.delete(key, user)
            _report(out, err, options, user, f"user {user.email} is removed; {await _describe_ended(user, published)}")
        case _:
            imported, ended = await users.import_file(options)
            for user in ended:
                await _describe_ended(user, published)
            if options.json:
                out.line(json.dumps([show_user(user) for user in imported], indent=2, ensure_ascii=False))
            err.ok(f"{len(imported):,} user{'' if len(imported) == 1 else 's'} imported from {options.file}")
    return 0


class Users:
    """Users in the registry. Methods raise ConfigError for what a person can mend."""

    def __init__(self, registry: Registry, now: int) -> None:
        self.records = UserRecords()
        self._registry = registry
        self._now = now

    async def add(
        self, values: Mapping[str, object], password: Callable[[str], str], scheme: str | None = None
    ) -> "User":
        """`values` are members of the record; `password` gives the one of this address, once all else is right."""
        user = self._parse_user(values)
        keys = self.records.keys(user.email)
        if await self._registry.there(keys):
            raise ConfigError(f"there is a user {user.email} already; see: edgeworker oauth users show {user.email}")
        return await self.put(keys[0], replace(user, password=self.hashed(password(user.email), scheme)))

    async def put(self, key: str, user: "User", *, ends_sessions: bool = False) -> "User":
        """Writes the record, and the entry that leads to it from the user's id."""
        await self._registry.put(self._entries(key, user, ends_sessions=ends_sessions))
        return user

    async def end_sessions(self, user: "User") -> None:
        """Voids all sessions, codes, refresh tokens and consents that the user has now."""
        await self._registry.put(self._end_mark(user))

    async def delete(self, key: str, user: "User") -> None:
        records = self.records
        await self._registry.delete(
            [key, records.id_key(user.id), records.end_key(user.id), records.renewed_key(user.id)]
        )

    async def find(self, email_or_id: str) -> tuple[str, "User"]:
        """(the key of the record, the user)."""
        if self.records.is_id(email_or_id):
            key = await self._registry.text(self.records.id_key(email_or_id))
        else:
            try:
                keys = self.records.keys(email_or_id)
            except self.records.bad as error:
                raise ConfigError(str(error)) from None
            present = await self._registry.there(keys)
            key = next((key for key in keys if key in present), None)
        record = None if key is None else await self._registry.record(key)
        if key is None or record is None:
            raise ConfigError(f"there is no user {email_or_id}; see: edgeworker oauth users list")
        try:
            return key, self.records.parse(record)
        except self.records.bad as error:
            raise StoreError(f'the entry "{key}" is not a user: {str(error).replace(chr(10), "; ")}') from None

    async def all(self) -> list["User | StoreError"]:
        found: list[User | StoreError] = []
        for key, record in await self._registry.records(_PREFIX):
            try:
                found.append(record if isinstance(record, StoreError) else self.records.parse(record))
            except self.records.bad as error:
                found.append(StoreError(f'the entry "{key}" is not a user: {str(error).replace(chr(10), "; ")}'))
        return found

    async def import_file(self, options: argparse.Namespace) -> tuple[list["User"], list["User"]]:
        """(all users of the file, those of them whose sessions end)."""
        file = ImportFile(options.file, "users")
        account = self.records.account
        there = {account(user.email): user for user in await self.all() if not isinstance(user, StoreError)}
        made: list[tuple[User, str | None]] = []
        seen: dict[str, int] = {}
        for item in file.items:
            found = self._parse_item(item, there)
            if found is None:
                continue
            user = found[0]
            name = account(user.email)
            if name in seen:
                item.fault(f"email: {user.email} is in this file twice; see users[{seen[name]}]", "email")
            elif name in there and not options.replace:
                item.fault(f"email: there is a user {user.email} already; --replace replaces such users", "email")
            seen[name] = item.index
            made.append(found)
        file.require()
        users: list[User] = []
        ended: list[User] = []
        entries: dict[str, str] = {}
        for user, password in made:
            before = there.get(account(user.email))
            if password is not None:
                same = before is not None and self.records.matches(before.password, password)
                kept = before.password if same and before is not None else self.hashed(password, options.scheme)
                user = replace(user, password=kept)
            ends = before is not None and (before.password, before.disabled) != (user.password, user.disabled)
            key = self.records.key(user.email)
            if before is not None and not await self._registry.there([key]):
                key = self.records.keys(before.email)[1]  # a record of an earlier version
            entries |= self._entries(key, user, ends_sessions=ends)
            users.append(user)
            if ends:
                ended.append(user)
        await self._registry.put(entries)
        return users, ended

    def hashed(self, password: str, scheme: str | None) -> str:
        try:
            return self.records.hash_password(password, scheme=scheme)
        except ValueError as error:  # BadPassword, or BadHash where the scheme is not there
            raise ConfigError(str(error)) from None

    def _parse_item(self, item: Item, there: Mapping[str, "User"]) -> tuple["User", str | None] | None:
        """The user of one table, and the password that is still to be hashed; None where it has faults."""
        values = dict(item.values)
        password, hashed = values.pop("password", None), values.pop("password_hash", None)
        right = True
        if (password is None) == (hashed is None):
            item.fault('a user has either "password" or "password_hash" (a PHC string)')
            right = False
        elif password is not None:
            try:
                self.records.check_password(password if isinstance(password, str) else "")
            except self.records.bad_password as error:
                item.fault(f"password: {error}", "password")
                right = False
        email = values.get("email")
        kept = self._present(email, there)
        # A user that is replaced stays the same person: tokens and grants name the id.
        made = {} if kept is None else {"id": kept.id, "created": kept.created}
        try:
            user = self._make_user({**made, **values, "password": _NO_HASH if hashed is None else hashed})
        except self.records.bad as error:
            lines = [line.replace("password:", "password_hash:", 1) for line in str(error).split("\n")]
            item.faults(lines)
            return None
        return (user, password if isinstance(password, str) else None) if right else None

    def _present(self, email: object, there: Mapping[str, "User"]) -> "User | None":
        try:
            return there.get(self.records.account(email)) if isinstance(email, str) else None
        except self.records.bad:
            return None

    def _make_user(self, values: Mapping[str, object]) -> "User":
        return self.records.parse({"t": "user", "id": self.records.new_id(), "created": self._now, **values})

    def _parse_user(self, values: Mapping[str, object]) -> "User":
        try:
            return self._make_user({**values, "password": _NO_HASH})
        except self.records.bad as error:
            raise ConfigError(str(error)) from None

    def _entries(self, key: str, user: "User", *, ends_sessions: bool = False) -> dict[str, str]:
        entries = {key: write_record(self.records.record(user)), self.records.id_key(user.id): key}
        # After the record: a login that sees the mark then also sees the new password.
        return entries | (self._end_mark(user) if ends_sessions else {})

    def _end_mark(self, user: "User") -> dict[str, str]:
        return {self.records.end_key(user.id): self.records.new_end_mark(now=self._now)}


async def _describe_ended(user: "User", published: PublishedTokens | None) -> str:
    """What ended with a user's mark, and what goes on for how long. Withdraws what is published."""
    tail = await describe_withdrawal(published, lambda tokens: tokens.withdraw(user.id))
    return f"all sessions and refresh tokens are void at once{tail}"


def show_user(user: "User") -> dict[str, object]:
    """A user as it is shown: all but the password's hash."""
    return {
        "id": user.id,
        "email": user.email,
        "email_verified": user.email_verified,
        "name": user.name,
        "created": user.created,
        "disabled": user.disabled,
        "claims": dict(user.claims),
    }


async def _list(users: Users, options: argparse.Namespace, out: "Output", err: "Output") -> int:
    found = await users.all()
    good = sorted((user for user in found if not isinstance(user, StoreError)), key=lambda user: user.email)
    if options.json:
        out.line(json.dumps([show_user(user) for user in good], indent=2, ensure_ascii=False))
    else:
        from edgeworker.cli.output import format_minute

        rows = [(user.email, user.name, user.id, _state(user), format_minute(user.created)) for user in good]
        out.table(("e-mail", "name", "id", "", "made"), rows)
        if not good:
            out.note("there is no user; make one with: edgeworker oauth users add EMAIL")
    faults = [fault for fault in found if isinstance(fault, StoreError)]
    for fault in faults:
        err.error(str(fault))
    return 1 if faults else 0


def _state(user: "User") -> str:
    return ", ".join([*(["disabled"] if user.disabled else []), *(["address verified"] if user.email_verified else [])])


def _claims(text: str | None) -> object:
    if text is None:
        return {}
    try:
        return loads(text)
    except ValueError as error:
        raise ConfigError(f"--claims is not JSON: {error}") from None


def _report(out: "Output", err: "Output", options: argparse.Namespace, user: "User", text: str) -> None:
    if options.json:
        out.line(json.dumps(show_user(user), indent=2, ensure_ascii=False))
    else:
        err.ok(text)
