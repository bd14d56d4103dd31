"""What a script asks of a KV namespace."""

import json
from collections.abc import Mapping
from typing import Final

from edgeworker.errors import KVError, KVTypeError, StoreError
from edgeworker.handler import Context
from edgeworker.kv import rules
from edgeworker.kv.namespace import KVNamespace, ListResultKey
from edgeworker.runtime.contract.javascript import EnvEntry, EnvNamespace
from edgeworker.runtime.contract.storage_failure import SEEN_BY_SCRIPTS, report_storage_failure
from edgeworker.runtime.quickjs.invocation import OperationFailed, Result

_VERBS: Final = {"get_many": "GET_BULK", "put": "PUT", "check": "PUT", "delete": "DELETE"}

Arguments = Mapping[str, object]


def peek(entry: EnvEntry | None, key: str, cache_ttl: int | None) -> str | bool | None:
    """The text under a key, where that takes no waiting; None if there is none, True where `run` has to be asked."""
    if not isinstance(entry, EnvNamespace):
        return True
    try:
        found = entry.namespace.peek(key, cache_ttl=cache_ttl)
    except (KVError, KVTypeError):
        return True
    if found is None:
        return None
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else True


async def run(env: Mapping[str, EnvEntry], told: Arguments, buffer: bytes | None, ctx: Context | None) -> Result:
    """Raises OperationFailed."""
    entry = env.get(str(told["name"]))
    if not isinstance(entry, EnvNamespace):
        raise OperationFailed("TypeError", f"env.{told['name']} is not a KV namespace")
    verb = _VERBS.get(str(told["method"]), "GET")
    try:
        return await _run(entry.namespace, told, buffer)
    except KVTypeError as error:
        raise OperationFailed("TypeError", str(error)) from error
    except KVError as error:
        raise OperationFailed("Error", f"KV {verb} failed: {error.status} {error}") from error
    except StoreError as error:
        report_storage_failure(f"KV {verb}", error, ctx)
        raise OperationFailed("Error", f"KV {verb} {SEEN_BY_SCRIPTS}") from error


async def _run(namespace: KVNamespace, told: Arguments, buffer: bytes | None) -> Result:
    key = str(told.get("key", ""))
    match told["method"]:
        case "get":
            found = await namespace.get_with_metadata(key, cache_ttl=_read_integer(told, "cacheTtl"))
            return Result() if found is None else Result(json.dumps(found.metadata), found.value)
        case "get_many":
            wanted = told["keys"]
            assert isinstance(wanted, list)
            many = await namespace.get_many([str(one) for one in wanted], cache_ttl=_read_integer(told, "cacheTtl"))
            entries = [
                (
                    name,
                    None
                    if entry is None
                    else {
                        "value": entry.value.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace"),
                        "metadata": entry.metadata,
                    },
                )
                for name, entry in many.items()
            ]
            return Result(json.dumps(entries))
        case "put" | "check" as verb:
            expiration, ttl = _read_integer(told, "expiration"), _read_integer(told, "expirationTtl")
            metadata = json.loads(json.dumps(told["metadata"]))
            if verb == "check":
                namespace.check_put(key, expiration, ttl, metadata)
            else:
                await namespace.put(key, buffer or b"", expiration=expiration, expiration_ttl=ttl, metadata=metadata)
            return Result()
        case "delete":
            await namespace.delete(key)
            return Result()
        case _:
            cursor = told["cursor"]
            page = await namespace.list(
                prefix=str(told["prefix"]),
                limit=_read_integer(told, "limit"),
                cursor=rules.cursor_of_script(cursor) if isinstance(cursor, str) else None,
            )
            listed: dict[str, object] = {
                "keys": [_describe_key(one) for one in page.keys],
                "list_complete": page.cursor is None,
            }
            if page.cursor is not None:
                listed["cursor"] = page.cursor
            return Result(json.dumps({**listed, "cacheStatus": None}))


def _describe_key(key: ListResultKey) -> dict[str, object]:
    told: dict[str, object] = {"name": key.name}
    if key.expires_at is not None:
        told["expiration"] = key.expires_at
    if key.metadata is not None:
        told["metadata"] = key.metadata
    return told


def _read_integer(told: Arguments, name: str) -> int | None:
    value = told.get(name)
    return int(value) if isinstance(value, int | float) else None
