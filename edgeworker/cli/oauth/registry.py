"""The namespace in which the OAuth server keeps users and clients, as the `oauth` commands read and write it."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from edgeworker.cli.kv.target import KVTarget, every_page
from edgeworker.config import JSON
from edgeworker.errors import StoreError
from edgeworker.kv.namespace import KeyValuePair
from edgeworker.kv.rules import MAX_BULK_PAIRS

_VALUES_AT_ONCE: Final = 100

Record = dict[str, JSON]


class Registry:
    """Every method raises an EdgeworkerError."""

    def __init__(self, place: KVTarget, namespace_id: str) -> None:
        self._place = place
        self._namespace = namespace_id

    async def text(self, key: str) -> str | None:
        value = (await self._place.values(self._namespace, [key]))[key]
        return None if value is None else value.decode("utf-8", "replace")

    async def record(self, key: str) -> Record | None:
        """Raises StoreError for a value that is not a JSON object."""
        text = await self.text(key)
        return None if text is None else _parse_record(key, text)

    async def records(self, prefix: str) -> list[tuple[str, Record | StoreError]]:
        """All of that prefix, by key; a StoreError in place of a value that is not a JSON object."""
        found: list[tuple[str, Record | StoreError]] = []
        async for page in every_page(self._place, self._namespace, prefix=prefix):
            names = [key.name for key in page.keys]
            for start in range(0, len(names), _VALUES_AT_ONCE):
                values = await self._place.values(self._namespace, names[start : start + _VALUES_AT_ONCE])
                for key, value in values.items():
                    if value is None:  # removed since the list was made
                        continue
                    try:
                        found.append((key, _parse_record(key, value.decode("utf-8", "replace"))))
                    except StoreError as error:
                        found.append((key, error))
        return found

    async def there(self, keys: Sequence[str]) -> set[str]:
        """Which of `keys` have an entry."""
        found: set[str] = set()
        for start in range(0, len(keys), _VALUES_AT_ONCE):
            values = await self._place.values(self._namespace, keys[start : start + _VALUES_AT_ONCE])
            found |= {key for key, value in values.items() if value is not None}
        return found

    async def put(self, entries: Mapping[str, str]) -> None:
        """Up to 10,000 entries are written together or not at all."""
        pairs = [KeyValuePair(key, text) for key, text in entries.items()]
        for start in range(0, len(pairs), MAX_BULK_PAIRS):
            await self._place.put_many(self._namespace, pairs[start : start + MAX_BULK_PAIRS])

    async def delete(self, keys: Sequence[str]) -> None:
        await self._place.delete_many(self._namespace, keys)


def write_record(record: Mapping[str, object]) -> str:
    """As the workers write records."""
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False)


def _parse_record(key: str, text: str) -> Record:
    try:
        record = json.loads(text)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise StoreError(f'the entry "{key}" is not a record: it is not a JSON object')
    return record
