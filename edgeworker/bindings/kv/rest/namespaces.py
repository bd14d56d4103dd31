"""KV over REST: namespaces."""

import secrets
from typing import Final

from edgeworker.bindings.kv.rest.answers import kv_errors, make_error, namespace_of
from edgeworker.config import JSON, Namespace
from edgeworker.messages import Response
from edgeworker.rest.call import Call
from edgeworker.rest.envelope import page_info, success
from edgeworker.rest.errors import KVCode
from edgeworker.rest.paging import number_page

# https://developers.cloudflare.com/kv/platform/limits/
MAX_NAMESPACES: Final = 1000


async def list_namespaces(call: Call) -> Response:
    """Without `order` they come in the order of their making; a page beyond the end is empty, which ends a pager."""
    page = number_page(call.query, default_per_page=20, malformed=(KVCode.MALFORMED_PAGE, KVCode.MALFORMED_PER_PAGE))
    order, direction = call.query.get("order") or None, call.query.get("direction") or "asc"
    if direction not in ("asc", "desc"):
        text = f'"{direction}" is not a direction; use asc or desc'
        raise make_error("list namespaces", 400, KVCode.INVALID_DIRECTION, text)
    namespaces = await call.store.namespaces.all()
    match order:
        case None:
            pass
        case "id":
            namespaces.sort(key=lambda namespace: namespace.id)
        case "title":
            namespaces.sort(key=lambda namespace: namespace.title)
        case _:
            text = f'"{order}" is not an order; use id or title'
            raise make_error("list namespaces", 400, KVCode.INVALID_ORDER, text)
    if direction == "desc":
        namespaces.reverse()
    shown: list[JSON] = [
        _show_namespace(namespace) for namespace in namespaces[page.start : page.start + page.per_page]
    ]
    info = page_info(page=page.page, per_page=page.per_page, count=len(shown), total_count=len(namespaces))
    return success(shown, result_info=info)


async def create_namespace(call: Call) -> Response:
    title = await _title(call, "create namespace")
    if len(await call.store.namespaces.all()) >= MAX_NAMESPACES:
        text = f"an account has at most {MAX_NAMESPACES} namespaces"
        raise make_error("create namespace", 400, KVCode.TOO_MANY_NAMESPACES, text)
    namespace = Namespace(secrets.token_hex(16), title)
    with kv_errors("create namespace"):
        await call.store.namespaces.create(namespace)
    return success(_show_namespace(namespace))


async def get_namespace(call: Call) -> Response:
    namespace = await call.store.namespaces.get(call.params["namespace"])
    if namespace is None:
        raise make_error("get namespace", 404, KVCode.NAMESPACE_NOT_FOUND, "namespace not found")
    return success(_show_namespace(namespace))


async def rename_namespace(call: Call) -> Response:
    title = await _title(call, "rename namespace")
    with kv_errors("rename namespace"):
        await call.store.namespaces.rename(call.params["namespace"], title)
    return success(_show_namespace(Namespace(call.params["namespace"], title)))


async def delete_namespace(call: Call) -> Response:
    """With all its keys."""
    await namespace_of(call, "remove namespace")
    with kv_errors("remove namespace"):
        await call.store.namespaces.delete(call.params["namespace"])
    return success(None)


async def _title(call: Call, action: str) -> str:
    asked = await call.json(KVCode.MALFORMED_BODY)
    title = asked.get("title") if isinstance(asked, dict) else None
    if not isinstance(title, str) or not title.strip():
        raise make_error(action, 400, KVCode.TITLE_MISSING, "missing title")
    if any("\ud800" <= character <= "\udfff" for character in title):
        raise make_error(
            action, 400, KVCode.MALFORMED_BODY, "the title holds a lone surrogate, which is not a character"
        )
    return title


def _show_namespace(namespace: Namespace) -> JSON:
    return {"id": namespace.id, "title": namespace.title, "supports_url_encoding": True}
