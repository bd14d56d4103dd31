"""Access over REST: the endpoints that all kinds of stored objects have alike."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from edgeworker.config import JSON
from edgeworker.messages import Response
from edgeworker.products.access.config import ObjectKind
from edgeworker.rest.call import Call
from edgeworker.rest.envelope import success
from edgeworker.state import Delete, Put
from wrangler_compat.api.access.account import AccessAccount, StoredObject, account_of, listing


@dataclass(frozen=True, slots=True)
class ObjectEndpoints:
    """Lists, creates, shows, changes and deletes objects of one kind. `parameter` of the path has the id.

    `read_body` gives the checked value of a new or changed object, and raises ApiError. `show_in_list` is for lists
    that show less.
    """

    kind: ObjectKind
    parameter: str
    read_body: Callable[[AccessAccount, Call], Awaitable[dict[str, JSON]]]
    show: Callable[[StoredObject], dict[str, JSON]]
    show_in_list: Callable[[StoredObject], dict[str, JSON]] | None = None

    async def list_all(self, call: Call) -> Response:
        show = self.show_in_list or self.show
        return listing(call, [show(item) for item in await account_of(call).objects(self.kind)])

    async def create(self, call: Call) -> Response:
        account = account_of(call)
        return success(self.show(await put_object(account, self.kind, await self.read_body(account, call))))

    async def get(self, call: Call) -> Response:
        return success(self.show(await account_of(call).find(self.kind, call.params[self.parameter])))

    async def update(self, call: Call) -> Response:
        account = account_of(call)
        known = await account.find_own(self.kind, call.params[self.parameter])
        return success(self.show(await put_object(account, self.kind, await self.read_body(account, call), known)))

    async def delete(self, call: Call) -> Response:
        account = account_of(call)
        known = await account.find_own(self.kind, call.params[self.parameter])
        await account.commit([Delete(self.kind, known.id)])
        return success({"id": known.id})


async def put_object(
    account: AccessAccount, kind: ObjectKind, value: dict[str, JSON], known: StoredObject | None = None
) -> StoredObject:
    """A new object, or `known` with another value. It counts with the next request in every process."""
    identifier = str(uuid.uuid4()) if known is None else known.id
    created = account.now if known is None else known.value.get("created_at", account.now)
    stored = {**value, "created_at": created, "updated_at": account.now}
    revision = 0 if known is None else known.revision
    await account.commit([Put(kind, identifier, stored, if_revision=revision)])
    return StoredObject(identifier, stored, revision=revision)
