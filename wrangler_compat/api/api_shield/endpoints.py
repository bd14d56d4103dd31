"""API Shield's rows of the table of endpoints."""

from typing import Final

from edgeworker.rest.permissions import Need
from edgeworker.rest.router import Endpoint, Method
from wrangler_compat.api.api_shield import configurations, operations, rules

_OPERATIONS: Final = "/zones/{zone}/api_gateway/operations"
_OLD: Final = "until 2024 Cloudflare had it under this path"


def _token_validation(root: str, note: str) -> tuple[Endpoint, ...]:
    configs, rule_list = f"{root}/config", f"{root}/rules"
    config, rule = configs + "/{configuration}", rule_list + "/{rule}"
    read, edit = Need.API_SHIELD_READ, Need.API_SHIELD_EDIT
    previews: tuple[Method, ...] = ("POST", "PUT")
    return (
        Endpoint("GET", configs, configurations.list_configurations, read, note),
        Endpoint("POST", configs, configurations.create_configuration, edit, note),
        Endpoint("GET", config, configurations.get_configuration, read, note),
        Endpoint("PATCH", config, configurations.edit_configuration, edit, note),
        Endpoint("DELETE", config, configurations.delete_configuration, edit, note or "refused while a rule uses it"),
        Endpoint("PUT", config + "/credentials", configurations.put_credentials, edit, note or "dropped keys are told"),
        Endpoint("PATCH", config + "/credentials", configurations.patch_credentials, edit, note),
        *(Endpoint(method, rule_list + "/preview", rules.preview_rule, read, note) for method in previews),
        Endpoint("POST", rule_list + "/bulk", rules.create_rules, edit, note or "all or none"),
        Endpoint("PATCH", rule_list + "/bulk", rules.edit_rules, edit, note or "all or none"),
        Endpoint("GET", rule_list, rules.list_rules, read, note),
        Endpoint("POST", rule_list, rules.create_rule, edit, note),
        Endpoint("GET", rule, rules.get_rule, read, note),
        Endpoint("PATCH", rule, rules.edit_rule, edit, note),
        Endpoint("DELETE", rule, rules.delete_rule, edit, note),
    )


API_SHIELD_ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint("GET", _OPERATIONS, operations.list_operations, Need.API_SHIELD_READ, "no features"),
    Endpoint("POST", _OPERATIONS, operations.create_operations, Need.API_SHIELD_EDIT),
    Endpoint("DELETE", _OPERATIONS, operations.delete_operations, Need.API_SHIELD_EDIT),
    Endpoint("POST", _OPERATIONS + "/item", operations.create_operation, Need.API_SHIELD_EDIT),
    Endpoint("GET", _OPERATIONS + "/{operation}", operations.get_operation, Need.API_SHIELD_READ),
    Endpoint("DELETE", _OPERATIONS + "/{operation}", operations.delete_operation, Need.API_SHIELD_EDIT),
    *_token_validation("/zones/{zone}/token_validation", ""),
    *_token_validation("/zones/{zone}/api_gateway/token_validation", _OLD),
)
