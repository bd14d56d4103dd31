"""One maker for each kind of binding; together they build a worker's env."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from edgeworker import config
from edgeworker.clock import Clock
from edgeworker.config import (
    AtomicBinding,
    Binding,
    JSONBinding,
    KVBinding,
    SecretBinding,
    ServiceBinding,
    TextBinding,
    UnsupportedBinding,
)
from edgeworker.errors import ScriptError
from edgeworker.kv.namespace import KVNamespace
from edgeworker.runtime import Env, Worker
from edgeworker.runtime.atomic_view import AtomicView
from edgeworker.runtime.ffi import as_js
from edgeworker.runtime.kv_view import KVView
from edgeworker.runtime.service import ServiceView
from edgeworker.runtime.unsupported import UnsupportedView
from edgeworker.state.atoms import Atoms


@dataclass(frozen=True, slots=True)
class Sources:
    """Where bindings take what they give: a namespace by its id, a worker of this edge by its name, or None.

    `workers` is asked when a service binding is used, so that the order of loading does not matter.
    """

    clock: Clock
    namespaces: Callable[[str], KVNamespace]
    workers: Callable[[str], Worker | None]
    atoms: Atoms


def make_env(worker: config.Worker, sources: Sources) -> Env:
    return Env(worker.name, {binding.name: MAKERS[type(binding)](binding, sources) for binding in worker.bindings})


def _text(binding: Binding, _sources: Sources) -> object:
    assert isinstance(binding, TextBinding | SecretBinding)
    return binding.text


def _json(binding: Binding, _sources: Sources) -> object:
    assert isinstance(binding, JSONBinding)
    return as_js(binding.value)


def _kv(binding: Binding, sources: Sources) -> object:
    assert isinstance(binding, KVBinding)
    return KVView(sources.namespaces(binding.namespace_id), name=binding.name)


def _service(binding: Binding, sources: Sources) -> object:
    assert isinstance(binding, ServiceBinding)

    def find() -> Worker:
        worker = sources.workers(binding.worker)
        if worker is None:
            raise ScriptError(
                f'Worker "{binding.worker}" not found, to which service binding {binding.name} points; it must be one '
                "of the workers that run in this edge"
            )
        return worker

    return ServiceView(find, name=binding.name, entrypoint=binding.entrypoint, props=binding.props)


def _atomic(binding: Binding, sources: Sources) -> object:
    assert isinstance(binding, AtomicBinding)
    return AtomicView(sources.atoms, sources.clock, name=binding.name, space=binding.space)


def _unsupported(binding: Binding, _sources: Sources) -> object:
    assert isinstance(binding, UnsupportedBinding)
    return UnsupportedView(binding.name, binding.kind)


Maker = Callable[[Binding, Sources], object]
MAKERS: Final[Mapping[type[Binding], Maker]] = {
    TextBinding: _text,
    SecretBinding: _text,
    JSONBinding: _json,
    KVBinding: _kv,
    ServiceBinding: _service,
    AtomicBinding: _atomic,
    UnsupportedBinding: _unsupported,
}
