"""The objects of one zone that were made over the API, in the product's documents.

Secrets are documents of their own, which nothing that answers a request over the API reads back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edgeworker.config import JSON
from edgeworker.products.api_shield.config import ShieldConfig, TokenConfiguration, ValidationRule
from edgeworker.products.api_shield.objects import (
    configuration_json,
    operation_json,
    read_configuration,
    read_operation,
    read_rule,
    rule_json,
    secrets_json,
)
from edgeworker.products.api_shield.operations import Operation
from edgeworker.state import Delete, Document, DocumentStore, Put

DOCUMENTS: Final = "api_shield"
_ORDER: Final = "rules"


@dataclass(frozen=True, slots=True)
class StoredObjects:
    """`rules` are in their order; `order_revision` is that of the document that holds it."""

    operations: tuple[Operation, ...] = ()
    configurations: tuple[TokenConfiguration, ...] = ()
    rules: tuple[ValidationRule, ...] = ()
    order_revision: int = 0


class ZoneObjects:
    """Reads and writes them. A change is one transaction; two that would undo each other end in Conflict."""

    def __init__(self, documents: DocumentStore, zone_id: str) -> None:
        self._documents = documents
        self._zone_id = zone_id

    def _kind(self, name: str) -> str:
        return f"{self._zone_id}/{name}"

    async def load(self) -> StoredObjects:
        operations = await self._documents.list(self._kind("operation"))
        configurations = await self._documents.list(self._kind("configuration"))
        secrets = {document.id: document for document in await self._documents.list(self._kind("secret"))}
        rules = {document.id: read_rule(document.value) for document in await self._documents.list(self._kind("rule"))}
        order = await self._documents.get(self._kind("order"), _ORDER)
        ids = _ids(order)
        return StoredObjects(
            tuple(read_operation(document.value) for document in operations),
            tuple(
                read_configuration(document.value, _secrets(secrets.get(document.id))) for document in configurations
            ),
            (*(rules[id] for id in ids if id in rules), *(rule for id, rule in rules.items() if id not in ids)),
            0 if order is None else order.revision,
        )

    async def put_operations(self, operations: Sequence[Operation]) -> None:
        await self._documents.write(
            [Put(self._kind("operation"), operation.id, operation_json(operation)) for operation in operations]
        )

    async def delete_operations(self, ids: Sequence[str]) -> None:
        await self._documents.write([Delete(self._kind("operation"), id) for id in ids])

    async def put_configuration(self, configuration: TokenConfiguration) -> None:
        value = configuration_json(configuration)
        value["require_exp"] = configuration.require_exp
        value["keys_imported_at"] = configuration.keys_imported_at
        secrets = secrets_json(configuration.keys)
        change = (
            Put(self._kind("secret"), configuration.id, {"keys": secrets})
            if secrets
            else Delete(self._kind("secret"), configuration.id)
        )
        await self._documents.write([Put(self._kind("configuration"), configuration.id, value), change])

    async def delete_configuration(self, id: str) -> None:
        await self._documents.write([Delete(self._kind("configuration"), id), Delete(self._kind("secret"), id)])

    async def put_rules(self, rules: Sequence[ValidationRule], order: Sequence[str], *, order_revision: int) -> None:
        """`order` are the ids of all rules. Raises Conflict if the order was changed since `order_revision`."""
        value: dict[str, JSON] = {"ids": list(order)}
        await self._documents.write(
            [
                *(Put(self._kind("rule"), rule.id, rule_json(rule)) for rule in rules),
                Put(self._kind("order"), _ORDER, value, if_revision=order_revision),
            ]
        )

    async def delete_rule(self, id: str) -> None:
        await self._documents.write([Delete(self._kind("rule"), id)])


def merge(configured: ShieldConfig, stored: StoredObjects) -> ShieldConfig:
    """What is written in the file comes first, and wins where both have an object of one id."""
    operation_keys = {operation.key for operation in configured.operations}
    configuration_ids = {configuration.id for configuration in configured.configurations}
    rule_ids = {rule.id for rule in configured.rules}
    return ShieldConfig(
        (*configured.operations, *(one for one in stored.operations if one.key not in operation_keys)),
        (*configured.configurations, *(one for one in stored.configurations if one.id not in configuration_ids)),
        (*configured.rules, *(one for one in stored.rules if one.id not in rule_ids)),
        configured.custom_rules,
        configured.header_transforms,
        configured.rate_limits,
        configured.challenge,
    )


def _ids(order: Document | None) -> list[str]:
    ids = [] if order is None else order.value.get("ids")
    return [id for id in ids if isinstance(id, str)] if isinstance(ids, list) else []


def _secrets(document: Document | None) -> list[JSON]:
    keys = None if document is None else document.value.get("keys")
    return keys if isinstance(keys, list) else []
