"""What `env` of a worker holds. A kind of binding is one folder here and one line in KINDS."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from edgeworker.bindings import (
    analytics,
    assets,
    atomic,
    durable_object,
    kv,
    rate_limit,
    secrets_store,
    service,
    unsupported,
    variables,
)
from edgeworker.bindings.analytics.binding import AnalyticsBinding
from edgeworker.bindings.assets.binding import AssetsBinding
from edgeworker.bindings.atomic.binding import AtomicBinding
from edgeworker.bindings.durable_object.binding import DurableObjectBinding
from edgeworker.bindings.kind import Kind, Resources
from edgeworker.bindings.kv.binding import KVBinding
from edgeworker.bindings.rate_limit.binding import RateLimitBinding
from edgeworker.bindings.secrets_store.binding import StoredSecretBinding
from edgeworker.bindings.service.binding import ServiceBinding
from edgeworker.bindings.unsupported.binding import UnsupportedBinding
from edgeworker.bindings.variables.binding import JSONBinding, SecretBinding, TextBinding
from edgeworker.config import Binding, Worker

if TYPE_CHECKING:
    from edgeworker.assets import AssetServer
    from edgeworker.runtime.contract.bound import BoundService

# In the order in which a worker's bindings are listed.
KINDS: Final[tuple[Kind, ...]] = (
    kv.KIND,
    service.KIND,
    atomic.KIND,
    rate_limit.KIND,
    analytics.KIND,
    secrets_store.KIND,
    durable_object.KIND,
    unsupported.KIND,
    assets.KIND,
    variables.TEXT,
    variables.JSON,
    variables.SECRET,
)


_BY_VALUE: Final[Mapping[type[Binding], Kind]] = {kind.value: kind for kind in KINDS}


def bind_services(
    worker: Worker, resources: Resources, assets: "AssetServer | None" = None
) -> "tuple[BoundService, ...]":
    """The services behind a worker's bindings. `assets` are the worker's own.

    Raises ConfigError for a binding that cannot work.
    """
    own = replace(resources, assets=assets)
    return tuple(_BY_VALUE[type(binding)].bind(binding, own) for binding in worker.bindings)


def describe_binding(binding: Binding) -> tuple[str, str]:
    """(kind, value) of a binding in wrangler's words, a secret's value masked."""
    return _BY_VALUE[type(binding)].describe(binding)


def annotate_binding(binding: Binding) -> str:
    """The Python type of a binding, by its name in `workers.bindings` for type checkers."""
    return _BY_VALUE[type(binding)].annotate(binding)


__all__ = [
    "KINDS",
    "AnalyticsBinding",
    "AssetsBinding",
    "AtomicBinding",
    "Binding",
    "DurableObjectBinding",
    "JSONBinding",
    "KVBinding",
    "Kind",
    "RateLimitBinding",
    "Resources",
    "SecretBinding",
    "ServiceBinding",
    "StoredSecretBinding",
    "TextBinding",
    "UnsupportedBinding",
    "annotate_binding",
    "bind_services",
    "describe_binding",
]
