"""The v4 API's envelope: {success, errors, messages, result, result_info}. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from edgeworker.config import JSON
from edgeworker.messages import Headers, RefusalReason, Response
from edgeworker.rest.errors import Code
from edgeworker.strict_json import dumps

API_RULE: Final = "the REST API"
_JSON_TYPE: Final = "application/json"


def success(
    result: JSON, *, result_info: Mapping[str, JSON] | None = None, messages: Sequence[tuple[int, str]] = ()
) -> Response:
    """200 with `result`; `result_info` is there only where a list has pages. `messages` as (code, text)."""
    message_items: list[JSON] = [{"code": code, "message": text} for code, text in messages]
    content: dict[str, JSON] = {"success": True, "errors": [], "messages": message_items, "result": result}
    if result_info is not None:
        content["result_info"] = dict(result_info)
    return _answer(200, content)


def failure(
    status: int,
    errors: Sequence[tuple[Code, str]],
    *,
    hint: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """`errors` as (code, text), the most telling one first: clients act on the first. `hint` goes into `messages`.

    The refusal's reason has the codes alone: texts may name keys.
    """
    shown: list[JSON] = [{"code": int(code), "message": text} for code, text in errors]
    messages: list[JSON] = [] if hint is None else [{"code": int(errors[0][0]), "message": hint}]
    response = _answer(status, {"success": False, "errors": shown, "messages": messages, "result": None})
    for name, value in (headers or {}).items():
        response.headers.set(name, value)
    response.refusal_reason = RefusalReason(API_RULE, tuple(_describe(code) for code, _ in errors))
    return response


def _describe(code: Code) -> str:
    return f"code {int(code)}: {code.name.lower().replace('_', ' ')}"


def page_info(*, page: int, per_page: int, count: int, total_count: int) -> dict[str, JSON]:
    """What pagers by number read; a page beyond the end has count 0 and an empty result."""
    return {
        "page": page,
        "per_page": per_page,
        "count": count,
        "total_count": total_count,
        "total_pages": -(-total_count // per_page),
    }


def _answer(status: int, content: dict[str, JSON]) -> Response:
    # Non-ASCII text is escaped: a lone surrogate has no UTF-8 form, but JSON can say it.
    body = dumps(content).encode()
    return Response(status, Headers({"content-type": _JSON_TYPE, "cache-control": "no-store"}), body)
