"""What every endpoint of Access works with: the account's Access, its objects, and their errors."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edgeworker.config import JSON
from edgeworker.messages import Response
from edgeworker.products.access.config import AccessConfig, ObjectKind, Policy, access_config
from edgeworker.products.access.directory import Change, Directory
from edgeworker.products.access.json_object import InvalidObject
from edgeworker.products.access.objects import parse_policy
from edgeworker.products.access.product import AccessProduct
from edgeworker.products.access.sessions import Sessions
from edgeworker.rest.call import MAX_OBJECT_BYTES, Call
from edgeworker.rest.envelope import page_info, success
from edgeworker.rest.errors import AccessCode, ApiError, GeneralCode, ZoneCode
from edgeworker.rest.paging import number_page
from edgeworker.state import Conflict
from edgeworker.strict_json import loads

_PER_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An application, policy or the like. `place` is where edge.toml has it, or ""; `revision` its document's."""

    id: str
    value: dict[str, JSON]
    place: str = ""
    revision: int = 0


class AccessAccount:
    """The Access of one call."""

    def __init__(self, config: AccessConfig, call: Call) -> None:
        self.config = config
        self.call = call
        self.now = call.clock.now()
        self.documents = call.state.documents(AccessProduct.name)
        self.directory = Directory(config, self.documents, call.clock)
        self.sessions = Sessions(self.directory, call.clock)

    async def objects(self, kind: ObjectKind) -> list[StoredObject]:
        """edge.toml's first, then what was made over the API, oldest first."""
        configured = [
            StoredObject(item.id, dict(item.value), item.place) for item in self.config.objects if item.kind == kind
        ]
        ids = {item.id for item in configured}
        made = [
            StoredObject(document.id, dict(document.value), revision=document.revision)
            for document in await self.documents.list(kind)
            if document.id not in ids
        ]
        return [*configured, *sorted(made, key=lambda item: (str(item.value.get("created_at")), item.id))]

    async def find(self, kind: ObjectKind, identifier: str) -> StoredObject:
        """Raises ApiError (404)."""
        for item in await self.objects(kind):
            if item.id == identifier:
                return item
        raise not_found(kind, identifier)

    async def find_own(self, kind: ObjectKind, identifier: str) -> StoredObject:
        """One that may be changed. Raises ApiError: 404, or 409 for what edge.toml has."""
        item = await self.find(kind, identifier)
        if item.place:
            raise read_only(kind, item.place)
        return item

    async def reusable(self) -> dict[str, Policy]:
        """Policies that applications may name, by id and by name."""
        policies = [parse_policy({**item.value, "id": item.id}) for item in await self.objects("policy")]
        return {policy.name: policy for policy in policies} | {policy.id: policy for policy in policies}

    async def commit(self, changes: Sequence[Change]) -> None:
        """Raises ApiError (409) where someone else changed the object meanwhile."""
        try:
            await self.directory.commit(changes)
        except Conflict:
            text = "access.api.error.conflict: it was changed meanwhile; read it again"
            raise ApiError(409, AccessCode.CONFLICT, text) from None


def account_of(call: Call) -> AccessAccount:
    """Raises ApiError: 404 for a zone that is not there, 403 where edge.toml has no [access]."""
    zone = call.params.get("zone")
    if zone is not None and all(item.id != zone for item in call.config.zones):
        raise ApiError(404, ZoneCode.INVALID_ZONE, "Invalid zone identifier")
    config = access_config(call.config)
    if config is None:
        text = 'access.api.error.not_enabled: Access is not enabled; write [access] with team = "..." into edge.toml'
        raise ApiError(403, AccessCode.NOT_ENABLED, text)
    return AccessAccount(config, call)


async def body_of(call: Call) -> dict[str, JSON]:
    """The body as an object; an empty one where there is none. Raises ApiError."""
    content = await call.content(limit=MAX_OBJECT_BYTES)
    if not content.strip():
        return {}
    try:
        value = loads(content)
    except ValueError as error:
        raise invalid(f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise invalid("the body is not an object")
    return value


def invalid(text: str) -> ApiError:
    return ApiError(400, AccessCode.INVALID_REQUEST, f"access.api.error.invalid_request: {text}")


def invalid_object(error: InvalidObject) -> ApiError:
    """In the words of the real one, which names the member."""
    first = error.path.partition(".")[0].partition("[")[0]
    where = f"invalid '{first}' configuration: " if first in ("include", "require", "exclude") else ""
    return invalid(f"{where}{error}")


def not_found(kind: str, identifier: str) -> ApiError:
    text = f'access.api.error.not_found: there is no {kind.replace("_", " ")} "{identifier}"'
    return ApiError(404, AccessCode.NOT_FOUND, text)


def read_only(kind: str, place: str) -> ApiError:
    text = f"access.api.error.conflict: this {kind.replace('_', ' ')} is written in {place}; change it there"
    return ApiError(409, AccessCode.CONFLICT, text)


def listing(call: Call, items: Sequence[JSON]) -> Response:
    page = number_page(call.query, default_per_page=_PER_PAGE, malformed=(GeneralCode.INVALID_REQUEST,) * 2)
    shown = list(items[page.start : page.start + page.per_page])
    return success(
        shown,
        result_info=page_info(page=page.page, per_page=page.per_page, count=len(shown), total_count=len(items)),
    )


def timestamp(moment: JSON) -> JSON:
    """RFC 3339 of epoch seconds; None for anything else."""
    if isinstance(moment, bool) or not isinstance(moment, int):
        return None
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_of(text: JSON) -> int | None:
    """Epoch seconds of RFC 3339. Raises ApiError for what is not a time."""
    if text is None:
        return None
    try:
        found = datetime.datetime.fromisoformat(str(text))
    except ValueError:
        raise invalid(f'"{text}" is not a time such as 2026-01-02T03:04:05Z') from None
    return int((found if found.tzinfo else found.replace(tzinfo=datetime.UTC)).timestamp())


def times(value: Mapping[str, JSON]) -> dict[str, JSON]:
    return {name: timestamp(value.get(name)) for name in ("created_at", "updated_at")}
