"""API Shield's objects as JSON: what the API shows, and what is stored. Pure.

Source of the shapes: https://developers.cloudflare.com/api/resources/token_validation/ and .../api_gateway/.
"""

from collections.abc import Mapping
from typing import Literal

from edgeworker.config import JSON
from edgeworker.products.api_shield.config import TokenConfiguration, ValidationRule
from edgeworker.products.api_shield.json_text import decode_base64url, encode_base64url
from edgeworker.products.api_shield.keys import SecretKey, StoredSecrets, VerificationKeys, read_keys
from edgeworker.products.api_shield.operations import Operation
from edgeworker.products.api_shield.token_sources import read_source

JSONObject = Mapping[str, JSON]


def operation_json(operation: Operation) -> dict[str, JSON]:
    return {
        "operation_id": operation.id,
        "method": operation.method,
        "host": operation.host,
        "endpoint": operation.endpoint,
        "last_updated": operation.last_updated,
    }


def read_operation(value: JSONObject) -> Operation:
    return Operation(
        _text(value, "operation_id"),
        _text(value, "method"),
        _text(value, "host"),
        _text(value, "endpoint"),
        _text(value, "last_updated"),
    )


def configuration_json(configuration: TokenConfiguration) -> dict[str, JSON]:
    """Without any secret."""
    return {
        "id": configuration.id,
        "title": configuration.title,
        "description": configuration.description,
        "token_type": "JWT",
        "token_sources": [source.expression for source in configuration.token_sources],
        "credentials": {"keys": keys_json(configuration.keys)},
        "created_at": configuration.created_at,
        "last_updated": configuration.last_updated,
    }


def keys_json(keys: VerificationKeys) -> list[JSON]:
    return [dict(key.jwk) for key in keys.keys]


def secrets_json(keys: VerificationKeys) -> list[JSON]:
    """What is stored apart from everything that the API shows."""
    return [
        {"alg": key.alg, "kid": key.kid, "k": encode_base64url(key.secret)}
        for key in keys.keys
        if isinstance(key, SecretKey)
    ]


def read_configuration(value: JSONObject, secrets: list[JSON]) -> TokenConfiguration:
    """What was stored by `configuration_json` and `secrets_json`."""
    credentials = value["credentials"]
    assert isinstance(credentials, dict)
    keys = credentials["keys"]
    assert isinstance(keys, list)
    sources = value["token_sources"]
    assert isinstance(sources, list)
    kept = StoredSecrets(
        {
            (_text(secret, "alg"), _text(secret, "kid")): decode_base64url(_text(secret, "k"), "secret")
            for secret in secrets
            if isinstance(secret, dict)
        }
    )
    imported_at = value.get("keys_imported_at")
    return TokenConfiguration(
        id=_text(value, "id"),
        title=_text(value, "title"),
        token_sources=tuple(read_source(str(source)) for source in sources),
        keys=read_keys(keys, kept=kept),
        description=_text(value, "description"),
        require_exp=value.get("require_exp") is True,
        created_at=_text(value, "created_at"),
        last_updated=_text(value, "last_updated"),
        keys_imported_at=imported_at if isinstance(imported_at, int) else 0,
    )


def rule_json(rule: ValidationRule) -> dict[str, JSON]:
    include: JSON = None if rule.include_hosts is None else [{"host": list(rule.include_hosts)}]
    exclude: JSON = [{"operation_ids": list(rule.excluded_operations)}] if rule.excluded_operations else None
    return {
        "id": rule.id,
        "title": rule.title,
        "description": rule.description,
        "action": rule.action,
        "enabled": rule.enabled,
        "expression": rule.expression,
        "selector": {"include": include, "exclude": exclude},
        "created_at": rule.created_at,
        "last_updated": rule.last_updated,
        "modified_by": rule.modified_by,
    }


def read_rule(value: JSONObject) -> ValidationRule:
    """What was stored by `rule_json`."""
    selector = value["selector"]
    assert isinstance(selector, dict)
    include, exclude = selector.get("include"), selector.get("exclude")
    return ValidationRule(
        id=_text(value, "id"),
        title=_text(value, "title"),
        action="block" if value.get("action") == "block" else "log",
        expression=_text(value, "expression"),
        description=_text(value, "description"),
        enabled=value.get("enabled") is True,
        include_hosts=None if include is None else tuple(_members(include, "host")),
        excluded_operations=tuple(_members(exclude, "operation_ids")),
        created_at=_text(value, "created_at"),
        last_updated=_text(value, "last_updated"),
        modified_by=_text(value, "modified_by"),
    )


def _members(value: JSON, name: Literal["host", "operation_ids"]) -> list[str]:
    """The texts under `name` of each object of a list."""
    found: list[str] = []
    for item in value if isinstance(value, list) else []:
        members = item.get(name) if isinstance(item, dict) else None
        found += [member for member in members if isinstance(member, str)] if isinstance(members, list) else []
    return found


def _text(value: JSONObject, name: str) -> str:
    found = value.get(name, "")
    return found if isinstance(found, str) else ""
