"""Access over REST: the logins of the last week, newest first, as `logs/access_requests` lists them."""

from collections.abc import Mapping

from edgeworker.config import JSON
from edgeworker.messages import Response
from edgeworker.rest.call import Call
from edgeworker.rest.envelope import success
from wrangler_compat.api.access.account import account_of, invalid, moment_of, timestamp

_DEFAULT_LIMIT = 25
_MAX_LIMIT = 1000


async def list_logins(call: Call) -> Response:
    """Filters: email (part of it, or all with emailOp=eq), app_uid, allowed, since, until, direction, limit."""
    account, query = account_of(call), call.query
    since, until = moment_of(query.get("since")), moment_of(query.get("until"))
    found = [
        document.value
        for document in sorted(await account.documents.list("login"), key=lambda item: item.id)
        if _is_wanted(document.value, query, since, until)
    ]
    if query.get("direction", "desc") != "asc":
        found.reverse()
    limit = _limit(query.get("limit") or query.get("per_page"))
    return success([{**value, "created_at": timestamp(value.get("created_at"))} for value in found[:limit]])


def _limit(text: str | None) -> int:
    if not text:
        return _DEFAULT_LIMIT
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= _MAX_LIMIT:
        raise invalid(f'"{text}" is not a limit from 1 to {_MAX_LIMIT}')
    return int(text)


def _is_wanted(value: Mapping[str, JSON], query: Mapping[str, str], since: int | None, until: int | None) -> bool:
    at, email = value.get("created_at"), str(value.get("user_email"))
    if not isinstance(at, int) or (since is not None and at < since) or (until is not None and at > until):
        return False
    wanted = query.get("email", "").lower()
    is_exact = query.get("emailOp") == "eq" or query.get("email_exact") == "true"
    if wanted and (email != wanted if is_exact else wanted not in email):
        return False
    if query.get("app_uid") and value.get("app_uid") != query["app_uid"]:
        return False
    return query.get("allowed") not in ("true", "false") or (query["allowed"] == "true") == value.get("allowed")
