"""Isolates: loaded scripts. `LANGUAGES` names the loaders; what they have in common is in `contract`."""

from collections.abc import Sequence
from typing import Final, Protocol

from edgeworker import config
from edgeworker.cache.store import CacheStore
from edgeworker.clock import Clock
from edgeworker.errors import ScriptError
from edgeworker.runtime.contract.bound import BoundService
from edgeworker.runtime.contract.env import Env
from edgeworker.runtime.contract.isolate import Isolate, Scheduled, ScriptFailure
from edgeworker.runtime.contract.no_script import NoScript
from edgeworker.runtime.contract.socket_policy import SocketPolicy
from edgeworker.runtime.contract.worker import Worker
from edgeworker.runtime.python import isolate, load_errors


# By the suffix of `main`; a language is added here.
class Loader(Protocol):
    def __call__(
        self,
        worker: config.Worker,
        bound: Sequence[BoundService],
        clock: Clock | None,
        cache: CacheStore | None,
        sockets: SocketPolicy | None,
        *,
        lenient: bool,
    ) -> Isolate: ...


LANGUAGES: Final[dict[str, Loader]] = {".py": isolate.load}


def load(
    worker: config.Worker,
    bound: Sequence[BoundService] = (),
    clock: Clock | None = None,
    cache: CacheStore | None = None,
    sockets: SocketPolicy | None = None,
    *,
    lenient: bool = False,
) -> Isolate:
    """Load a worker's script. `bound` are the services of its bindings, of which the isolate makes its env. `clock` is
    the edge's: what a script is told of the time. `cache` is what stands behind `js.caches`; its own by default.
    `sockets` says where libraries of the script may connect to by themselves; without it, nowhere. `lenient`: what
    fails on Cloudflare is told, and works here.

    Raises ScriptError with file, line and what would be right.
    """
    if worker.main is None:
        return NoScript(worker.name)
    loader = LANGUAGES.get(worker.main.suffix)
    if loader is None:
        raise load_errors.explain_unknown_language(worker, worker.main, LANGUAGES)
    return loader(worker, bound, clock, cache, sockets, lenient=lenient)


__all__ = ["LANGUAGES", "Env", "Isolate", "Scheduled", "ScriptError", "ScriptFailure", "Worker", "load"]
