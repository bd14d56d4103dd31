"""Access over REST: tags, custom pages and bookmarks, kept as they are written. No page of the edge shows them."""

from functools import partial
from typing import Final

from edgeworker.config import JSON
from edgeworker.messages import Response
from edgeworker.rest.call import Call
from edgeworker.rest.envelope import success
from edgeworker.state import Delete
from wrangler_compat.api.access.account import AccessAccount, StoredObject, account_of, body_of, invalid, listing, times
from wrangler_compat.api.access.object_endpoints import ObjectEndpoints, put_object
from wrangler_compat.api.access.rule_objects import own_members

_PAGES: Final = ("identity_denied", "forbidden", "login", "interstitial")


async def list_tags(call: Call) -> Response:
    account = account_of(call)
    counts = await _tag_counts(account)
    return listing(call, [_tag(item, counts) for item in await account.objects("tag")])


async def create_tag(call: Call) -> Response:
    account = account_of(call)
    value = await _read_named(account, call)
    if any(item.value.get("name") == value["name"] for item in await account.objects("tag")):
        raise invalid(f'there is a tag "{value["name"]}" already')
    return success(_tag(await put_object(account, "tag", value), {}))


async def get_tag(call: Call) -> Response:
    account = account_of(call)
    return success(_tag(await _find_tag(account, call), await _tag_counts(account)))


async def update_tag(call: Call) -> Response:
    account = account_of(call)
    known = await _find_tag(account, call)
    return success(
        _tag(await put_object(account, "tag", await _read_named(account, call), known), await _tag_counts(account))
    )


async def delete_tag(call: Call) -> Response:
    account = account_of(call)
    known = await _find_tag(account, call)
    await account.commit([Delete("tag", known.id)])
    return success({"name": known.value.get("name")})


async def _find_tag(account: AccessAccount, call: Call) -> StoredObject:
    """Tags are found by name. Raises ApiError (404)."""
    for item in await account.objects("tag"):
        if item.value.get("name") == call.params["tag"]:
            return item
    return await account.find("tag", call.params["tag"])


async def _tag_counts(account: AccessAccount) -> dict[str, int]:
    counts: dict[str, int] = {}
    for app in await account.objects("app"):
        tags = app.value.get("tags")
        for name in tags if isinstance(tags, list) else ():
            counts[str(name)] = counts.get(str(name), 0) + 1
    return counts


def _tag(item: StoredObject, counts: dict[str, int]) -> dict[str, JSON]:
    name = str(item.value.get("name"))
    return {"name": name, "app_count": counts.get(name, 0), **times(item.value)}


async def _read_page(account: AccessAccount, call: Call) -> dict[str, JSON]:
    value = await _read_named(account, call)
    if value.get("type") not in _PAGES:
        raise invalid(f'"{value.get("type")}" is not a type of page; there are: {", ".join(_PAGES)}')
    if not isinstance(value.get("custom_html"), str):
        raise invalid('the page has no "custom_html"')
    return value


def _page(item: StoredObject, *, html: bool = True) -> dict[str, JSON]:
    shown: dict[str, JSON] = {"uid": item.id, "name": item.value.get("name"), "type": item.value.get("type")}
    if html:
        shown["custom_html"] = item.value.get("custom_html")
    return {**shown, **times(item.value)}


def _bookmark(item: StoredObject) -> dict[str, JSON]:
    own = {name: value for name, value in item.value.items() if not name.endswith("_at")}
    return {**own, "id": item.id, **times(item.value)}


async def _read_named(_account: AccessAccount, call: Call) -> dict[str, JSON]:
    value = own_members(await body_of(call))
    name = value.get("name")
    if not isinstance(name, str) or not name.strip():
        raise invalid('there is no "name"')
    return value


PAGES: Final = ObjectEndpoints("custom_page", "page", _read_page, _page, partial(_page, html=False))
BOOKMARKS: Final = ObjectEndpoints("bookmark", "bookmark", _read_named, _bookmark)
