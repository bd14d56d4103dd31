"""What a worker's configuration says of how it runs in this engine, and its env as its realm is told of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edgeworker.cache.store import CacheStore
from edgeworker.clock import Clock
from edgeworker.javascript.project import Project
from edgeworker.runtime.contract.javascript import (
    EnvDurableObjects,
    EnvEntry,
    EnvFetcher,
    EnvMethods,
    EnvNamespace,
    EnvNotEmulated,
    EnvService,
    EnvValue,
)

DEFAULT_HEAP_MEGABYTES: Final = 128  # https://developers.cloudflare.com/workers/platform/limits/#memory


@dataclass(frozen=True, slots=True)
class EmbeddedSettings:
    """`cpu_ms` bounds the CPU time of one event, `heap_megabytes` the memory of all of the script's objects."""

    name: str
    project: Project
    env: Mapping[str, EnvEntry]
    cache: CacheStore
    clock: Clock
    compatibility_flags: tuple[str, ...] = ()
    cpu_ms: int = 30_000
    heap_megabytes: int = DEFAULT_HEAP_MEGABYTES

    def describe_env(self) -> dict[str, object]:
        return {name: _describe(entry) for name, entry in self.env.items()}


def _describe(entry: EnvEntry) -> dict[str, object]:
    match entry:
        case EnvValue(value):
            return {"form": "value", "value": value}
        case EnvNamespace():
            return {"form": "kv"}
        case EnvService():
            return {"form": "service"}
        case EnvFetcher():
            return {"form": "fetcher"}
        case EnvMethods(methods, without_answer):
            return {"form": "methods", "methods": list(methods), "withoutAnswer": list(without_answer)}
        case EnvDurableObjects():
            return {"form": "unsupported", "kind": "Durable Object"}
        case EnvNotEmulated(kind):
            return {"form": "unsupported", "kind": kind}
