"""What a JavaScript engine finds behind each name of `env`. Each engine makes its own objects of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from edgeworker.config import JSON
from edgeworker.handler import Context, Handler
from edgeworker.kv.namespace import KVNamespace


class JavaScriptError(Exception):
    """What a call throws in the script: `error` is the name of the class ("TypeError")."""

    def __init__(self, error: str, text: str) -> None:
        super().__init__(text)
        self.error = error
        self.text = text


class JavaScriptException(Exception):
    """What a script threw and did not catch. `stack` has the places of the sources. `no_retry`: it called noRetry()
    before."""

    def __init__(self, name: str, text: str, stack: str, *, no_retry: bool = False) -> None:
        super().__init__(f"{name}: {text}" if name else text)
        self.name = name
        self.text = text
        self.stack = stack
        self.no_retry = no_retry


class CallableWorker(Protocol):
    """Another worker's entrypoint: answers `fetch()` and RPC."""

    def handler(self, caller: Context) -> Handler: ...

    async def call(
        self, method: str, args: Sequence[object], options: Mapping[str, object], caller: Context
    ) -> object: ...


@runtime_checkable
class OwnEntrypoints(Protocol):
    """The worker's own entrypoints: `Context.exports`."""

    def service_of(self, name: str, props: Mapping[str, object]) -> CallableWorker: ...


# One method of an object in `env`: takes the script's arguments, as None, bool, int, float, str, bytes, datetime, list
# and dict, and gives back one of these. Raises JavaScriptError.
Method = Callable[[Sequence[object]], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class EnvValue:
    """A text or any other JSON value."""

    value: JSON


@dataclass(frozen=True, slots=True)
class EnvNamespace:
    """A KV namespace, with the methods of Cloudflare's."""

    namespace: KVNamespace


@dataclass(frozen=True, slots=True)
class EnvService:
    """Another worker: `fetch()` and RPC."""

    worker: CallableWorker


@dataclass(frozen=True, slots=True)
class EnvFetcher:
    """An object that has only `fetch()`."""

    handler: Handler


@dataclass(frozen=True, slots=True)
class EnvMethods:
    """An object with these methods. Calls of those in `without_answer` return at once and are carried out later."""

    methods: Mapping[str, Method]
    without_answer: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class EnvDurableObjects:
    """A namespace of the engine's own. `script` is the worker that exports the class, None for this one."""

    class_name: str
    script: str | None
    uses_sqlite: bool


@dataclass(frozen=True, slots=True)
class EnvNotEmulated:
    """Using it throws an error that names its kind."""

    kind: str


EnvEntry = EnvValue | EnvNamespace | EnvService | EnvFetcher | EnvMethods | EnvDurableObjects | EnvNotEmulated
