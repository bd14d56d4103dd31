"""A test's own hand in a KV namespace: plain calls that faults do not touch."""

import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol, TypeVar

from edgeworker.bindings import KVBinding
from edgeworker.config import JSON, Config
from edgeworker.kv.namespace import FoundValue, KeyListPage, KVNamespace
from edgeworker.testing.content import check_whole_number

T = TypeVar("T")


class Doing(Protocol):
    """Does a store's work at once; a store in memory never waits."""

    def __call__(self, work: Callable[[], Awaitable[T]], /) -> T: ...


class KVAccess:
    """One namespace. Rules and texts of errors are KV's: a key that KV refuses raises KVError here too.

    Faults that fail or delay calls are for scripts; this hand is spared. With eventual KV it is another place of the
    world: what it writes is seen by scripts later.
    """

    def __init__(self, namespace: KVNamespace, doing: Doing) -> None:
        self._namespace = namespace
        self._do = doing

    @property
    def id(self) -> str:
        return self._namespace.id

    def get(self, key: str) -> str | None:
        """As UTF-8; None where there is nothing (any more)."""
        found = self.find(key)
        return None if found is None else found.value.decode("utf-8", "replace")

    def find(self, key: str) -> FoundValue | None:
        """The value's bytes, the metadata and the expiry."""
        return self._do(lambda: self._namespace.get_with_metadata(key))

    def put(
        self,
        key: str,
        value: str | bytes,
        *,
        expiration: int | None = None,
        expiration_ttl: int | None = None,
        metadata: JSON = None,
    ) -> None:
        if not isinstance(value, str | bytes):
            raise TypeError(f"the value of {key!r} is a {type(value).__name__}; KV has text and bytes: json.dumps(...)")
        for name, seconds in (("expiration", expiration), ("expiration_ttl", expiration_ttl)):
            if seconds is not None:
                check_whole_number(name, seconds)
        self._do(
            lambda: self._namespace.put(
                key, value, expiration=expiration, expiration_ttl=expiration_ttl, metadata=metadata
            )
        )

    def delete(self, key: str) -> None:
        self._do(lambda: self._namespace.delete(key))

    def keys(self, prefix: str = "") -> list[str]:
        """In KV's order."""
        names: list[str] = []
        cursor: str | None = None
        while True:
            page = self._page(prefix, cursor)
            names += [key.name for key in page.keys]
            cursor = page.cursor
            if cursor is None:
                return names

    def clear(self) -> None:
        for key in self.keys():
            self.delete(key)

    def seed(self, source: "Mapping[str, JSON | bytes] | str | Path") -> None:
        """Writes what `source` has: a dict, a JSON file (an object, or wrangler's bulk list), or a folder whose files
        are the values and whose relative paths are the keys. What is not text in an object is written as JSON.

        Raises:
            ValueError: the file is neither; the text says what it is instead.
        """
        if isinstance(source, Mapping):
            for key, value in source.items():
                self.put(key, _value(value))
            return
        path = Path(source)
        if path.is_dir():
            for file in sorted(path.rglob("*")):
                if file.is_file():
                    self.put(file.relative_to(path).as_posix(), file.read_bytes())
            return
        content: JSON = json.loads(path.read_text(encoding="utf-8"))
        match content:
            case dict():
                self.seed(content)
            case list():
                for index, item in enumerate(content):
                    self._put_bulk(item, f"{path}[{index}]")
            case _:
                raise ValueError(f'{path}: neither an object nor a list of {{"key", "value"}} but {content!r:.80}')

    def __contains__(self, key: str) -> bool:
        return self.find(key) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def __repr__(self) -> str:
        return f"KVAccess({self.id!r})"

    def _page(self, prefix: str, cursor: str | None) -> KeyListPage:
        return self._do(lambda: self._namespace.list(prefix=prefix, cursor=cursor))

    def _put_bulk(self, item: JSON, place: str) -> None:
        """One element as `wrangler kv bulk put` takes it."""
        if not isinstance(item, dict):
            raise ValueError(f'{place}: not {{"key": "...", "value": "..."}}')
        key, text = item.get("key"), item.get("value")
        if not isinstance(key, str) or not isinstance(text, str):
            raise ValueError(f"{place}: key and value must be text")
        value: str | bytes = text
        if item.get("base64") is True:
            try:
                value = base64.b64decode(text, validate=True)
            except binascii.Error as error:
                raise ValueError(f"{place}: value is not base64: {error}") from None
        expiration, ttl = item.get("expiration"), item.get("expiration_ttl")
        self.put(
            key,
            value,
            expiration=expiration if isinstance(expiration, int) else None,
            expiration_ttl=ttl if isinstance(ttl, int) else None,
            metadata=item.get("metadata"),
        )


def namespace_id(config: Config, name: str | None) -> str:
    """The id of the namespace that a test calls `name`: a binding, a title or an id; None: the only one there is.

    Raises:
        LookupError: there is none, or several; the text lists what there is.
    """
    bindings: Final = [
        (worker.name, binding.name, binding.namespace_id)
        for worker in config.workers
        for binding in worker.bindings
        if isinstance(binding, KVBinding)
    ]
    named = {found for _, binding, found in bindings if name in (None, binding)}
    if not named:
        named = {namespace.id for namespace in config.namespaces if name in (namespace.id, namespace.title)}
    if len(named) == 1:
        return named.pop()
    listed = ", ".join(f"{binding} of worker {worker} (id {found})" for worker, binding, found in bindings) or "none"
    if not named:
        raise LookupError(f'no KV namespace "{name or ""}" is bound here; there are: {listed}')
    raise LookupError(
        f"{'several KV namespaces' if name is None else f'several bindings {name}'}: name one by its id: {listed}"
    )


def _value(value: JSON | bytes) -> str | bytes:
    return value if isinstance(value, str | bytes) else json.dumps(value, ensure_ascii=False)
