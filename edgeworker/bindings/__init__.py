"""One maker for each kind of binding; together they build a worker's env."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from edgeworker import config
from edgeworker.assets import Assets
from edgeworker.bindings.analytics.python_view import AnalyticsView
from edgeworker.bindings.assets.python_view import AssetsView
from edgeworker.bindings.atomic.python_view import AtomicView
from edgeworker.bindings.kv.python_view import KVView
from edgeworker.bindings.rate_limit.python_view import RateCounters, RateLimitView
from edgeworker.bindings.secrets_store.python_view import StoredSecretView
from edgeworker.bindings.service.python_view import ServiceView
from edgeworker.clock import Clock
from edgeworker.config import (
    AnalyticsBinding,
    AssetsBinding,
    AtomicBinding,
    Binding,
    JSONBinding,
    KVBinding,
    RateLimitBinding,
    SecretBinding,
    ServiceBinding,
    StoredSecretBinding,
    TextBinding,
    UnsupportedBinding,
)
from edgeworker.errors import ConfigError, ScriptError
from edgeworker.kv.namespace import KVNamespace
from edgeworker.runtime import Env, Worker
from edgeworker.runtime.contract.unsupported import UnsupportedView
from edgeworker.runtime.webapi.ffi import as_js
from edgeworker.state import AtomicStore


@dataclass(frozen=True, slots=True)
class Sources:
    """Where bindings take what they give: a namespace by its id, a worker of this edge by its name, or None.

    `workers` is asked when a service binding is used, so that the order of loading does not matter.
    """

    clock: Clock
    namespaces: Callable[[str], KVNamespace]
    workers: Callable[[str], Worker | None]
    atomic: AtomicStore
    rates: RateCounters
    assets: Assets | None = None


def make_env(worker: config.Worker, sources: Sources, assets: Assets | None = None) -> Env:
    """`assets` are the worker's own."""
    sources = replace(sources, assets=assets)
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
    return AtomicView(sources.atomic, sources.clock, name=binding.name, space=binding.space)


def _assets(binding: Binding, sources: Sources) -> object:
    assert isinstance(binding, AssetsBinding)
    if sources.assets is None:
        raise ConfigError(f"binding {binding.name}: the worker has no assets; set `assets` of the Worker")
    return AssetsView(sources.assets, name=binding.name)


def _rate_limit(binding: Binding, sources: Sources) -> object:
    assert isinstance(binding, RateLimitBinding)
    return RateLimitView(
        sources.rates,
        sources.clock,
        name=binding.name,
        namespace=binding.namespace_id,
        limit=binding.limit,
        period_seconds=binding.period_seconds,
    )


def _analytics(binding: Binding, _sources: Sources) -> object:
    assert isinstance(binding, AnalyticsBinding)
    return AnalyticsView(name=binding.name, dataset=binding.dataset)


def _stored_secret(binding: Binding, _sources: Sources) -> object:
    assert isinstance(binding, StoredSecretBinding)
    return StoredSecretView(name=binding.name, secret_name=binding.secret_name, text=binding.text)


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
    AssetsBinding: _assets,
    RateLimitBinding: _rate_limit,
    AnalyticsBinding: _analytics,
    StoredSecretBinding: _stored_secret,
    UnsupportedBinding: _unsupported,
}
