"""API Shield over REST: endpoint management."""

from typing import Final
from uuid import uuid4

from edgeworker.config import JSON
from edgeworker.messages import Response
from edgeworker.products.api_shield.objects import operation_json
from edgeworker.products.api_shield.operations import (
    Operation,
    normalize_endpoint,
    normalize_host,
    normalize_method,
)
from edgeworker.rest.call import Call
from edgeworker.rest.envelope import success
from wrangler_compat.api.api_shield.members import as_list, as_object
from wrangler_compat.api.api_shield.shielded_zone import (
    ShieldedZone,
    invalid,
    listing,
    load_zone,
    not_found,
    query_values,
    read_json,
    refuse_source,
    timestamp,
)

MAX_OPERATIONS = 10_000
_ORDERS = ("method", "host", "endpoint")


async def list_operations(call: Call) -> Response:
    zone = await load_zone(call)
    hosts, methods, part = query_values(call, "host"), query_values(call, "method"), call.query.get("endpoint", "")
    found = [
        operation
        for operation in zone.config.operations
        if (not hosts or operation.host in hosts)
        and (not methods or operation.method in methods)
        and part in operation.endpoint
    ]
    order, direction = call.query.get("order", "method"), call.query.get("direction", "asc")
    if (order not in _ORDERS and not order.startswith("thresholds.")) or direction not in ("asc", "desc"):
        raise invalid("order is one of method, host, endpoint, and direction asc or desc")
    match order:
        case "host":
            found.sort(key=lambda operation: (operation.host, operation.endpoint, operation.method))
        case "endpoint":
            found.sort(key=lambda operation: (operation.endpoint, operation.host, operation.method))
        case _:
            found.sort(key=lambda operation: (operation.method, operation.host, operation.endpoint))
    if direction == "desc":
        found.reverse()
    return listing(call, [operation_json(operation) for operation in found])


async def create_operations(call: Call) -> Response:
    """Several; what is there already is answered as it is."""
    zone = await load_zone(call)
    values = as_list(await read_json(call), "the body")
    made = await _add(call, zone, [_read(value, f"[{index}]", call) for index, value in enumerate(values)])
    shown: list[JSON] = [operation_json(operation) for operation in made]
    return success(shown)


async def create_operation(call: Call) -> Response:
    zone = await load_zone(call)
    (made,) = await _add(call, zone, [_read(await read_json(call), "the body", call)])
    return success(operation_json(made))


async def get_operation(call: Call) -> Response:
    zone = await load_zone(call)
    return success(operation_json(_find(zone, call.params["operation"])))


async def delete_operation(call: Call) -> Response:
    zone = await load_zone(call)
    operation = _find(zone, call.params["operation"])
    refuse_source("the operation", operation.source)
    await zone.objects.delete_operations([operation.id])
    return success({"operation_id": operation.id})


async def delete_operations(call: Call) -> Response:
    """All that were made over the API."""
    zone = await load_zone(call)
    await zone.objects.delete_operations([operation.id for operation in zone.stored.operations])
    return success(None)


def _find(zone: ShieldedZone, id: str) -> Operation:
    found = next((operation for operation in zone.config.operations if operation.id == id), None)
    if found is None:
        raise not_found("operation", id)
    return found


def _read(value: JSON, name: str, call: Call) -> Operation:
    members = as_object(value, name)
    texts = [members.get(member) for member in ("method", "host", "endpoint")]
    method, host, endpoint = (text if isinstance(text, str) else "" for text in texts)
    try:
        return Operation(
            str(uuid4()),
            normalize_method(method),
            normalize_host(host),
            normalize_endpoint(endpoint),
            timestamp(call.clock),
        )
    except ValueError as error:
        raise invalid(f"{name}: {error}") from None


async def _add(call: Call, zone: ShieldedZone, operations: list[Operation]) -> list[Operation]:
    """Each with the id that it has: one operation is not stored twice."""
    known = {operation.key: operation for operation in zone.config.operations}
    new = {operation.key: operation for operation in operations if operation.key not in known}
    if len(known) + len(new) > MAX_OPERATIONS:
        raise invalid(f"a zone has at most {MAX_OPERATIONS} operations")
    await zone.objects.put_operations(list(new.values()))
    return [known.get(operation.key) or new[operation.key] for operation in operations]


ANSWERS: Final = {
    function.__name__: function
    for function in (
        list_operations,
        create_operations,
        delete_operations,
        create_operation,
        get_operation,
        delete_operation,
    )
}
