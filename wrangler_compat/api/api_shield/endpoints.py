"""API Shield's rows of the table of endpoints."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from edgeworker.messages import Response
from edgeworker.rest.call import Call
from edgeworker.rest.permissions import Need
from edgeworker.rest.router import Endpoint, Method

Answer = Callable[[Call], Awaitable[Response]]

_OPERATIONS: Final = "/zones/{zone}/api_gateway/operations"
_OLD: Final = "until 2024 Cloudflare had it under this path"


async def _answer(load: Callable[[], Mapping[str, Answer]], name: str, call: Call) -> Response:
    """Cryptography and the Rules language are loaded with the first call: most edges never get one."""
    return await load()[name](call)


def _operations() -> Mapping[str, Answer]:
    from wrangler_compat.api.api_shield.operations import ANSWERS

    return ANSWERS


def _configurations() -> Mapping[str, Answer]:
    from wrangler_compat.api.api_shield.configurations import ANSWERS

    return ANSWERS


def _rules() -> Mapping[str, Answer]:
    from wrangler_compat.api.api_shield.rules import ANSWERS

    return ANSWERS


def _token_validation(root: str, note: str) -> tuple[Endpoint, ...]:
    configs, rule_list = f"{root}/config", f"{root}/rules"
    config, rule = configs + "/{configuration}", rule_list + "/{rule}"
    read, edit = Need.API_SHIELD_READ, Need.API_SHIELD_EDIT
    previews: tuple[Method, ...] = ("POST", "PUT")
    return (
        Endpoint("GET", configs, partial(_answer, _configurations, "list_configurations"), read, note),
        Endpoint("POST", configs, partial(_answer, _configurations, "create_configuration"), edit, note),
        Endpoint("GET", config, partial(_answer, _configurations, "get_configuration"), read, note),
        Endpoint("PATCH", config, partial(_answer, _configurations, "edit_configuration"), edit, note),
        Endpoint(
            "DELETE",
            config,
            partial(_answer, _configurations, "delete_configuration"),
            edit,
            note or "refused while a rule uses it",
        ),
        Endpoint(
            "PUT",
            config + "/credentials",
            partial(_answer, _configurations, "put_credentials"),
            edit,
            note or "dropped keys are told",
        ),
        Endpoint("PATCH", config + "/credentials", partial(_answer, _configurations, "patch_credentials"), edit, note),
        *(
            Endpoint(method, rule_list + "/preview", partial(_answer, _rules, "preview_rule"), read, note)
            for method in previews
        ),
        Endpoint("POST", rule_list + "/bulk", partial(_answer, _rules, "create_rules"), edit, note or "all or none"),
        Endpoint("PATCH", rule_list + "/bulk", partial(_answer, _rules, "edit_rules"), edit, note or "all or none"),
        Endpoint("GET", rule_list, partial(_answer, _rules, "list_rules"), read, note),
        Endpoint("POST", rule_list, partial(_answer, _rules, "create_rule"), edit, note),
        Endpoint("GET", rule, partial(_answer, _rules, "get_rule"), read, note),
        Endpoint("PATCH", rule, partial(_answer, _rules, "edit_rule"), edit, note),
        Endpoint("DELETE", rule, partial(_answer, _rules, "delete_rule"), edit, note),
    )


API_SHIELD_ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint("GET", _OPERATIONS, partial(_answer, _operations, "list_operations"), Need.API_SHIELD_READ, "no features"),
    Endpoint("POST", _OPERATIONS, partial(_answer, _operations, "create_operations"), Need.API_SHIELD_EDIT),
    Endpoint("DELETE", _OPERATIONS, partial(_answer, _operations, "delete_operations"), Need.API_SHIELD_EDIT),
    Endpoint("POST", _OPERATIONS + "/item", partial(_answer, _operations, "create_operation"), Need.API_SHIELD_EDIT),
    Endpoint("GET", _OPERATIONS + "/{operation}", partial(_answer, _operations, "get_operation"), Need.API_SHIELD_READ),
    Endpoint(
        "DELETE", _OPERATIONS + "/{operation}", partial(_answer, _operations, "delete_operation"), Need.API_SHIELD_EDIT
    ),
    *_token_validation("/zones/{zone}/token_validation", ""),
    *_token_validation("/zones/{zone}/api_gateway/token_validation", _OLD),
)
