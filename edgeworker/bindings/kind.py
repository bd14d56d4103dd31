"""What a kind of binding is: all that its folder brings, as one value."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from edgeworker.config import Binding

if TYPE_CHECKING:  # most commands read configurations and run no script
    from edgeworker.assets import Assets
    from edgeworker.clock import Clock
    from edgeworker.kv.namespace import KVNamespace
    from edgeworker.runtime.contract.bound import BoundService
    from edgeworker.runtime.contract.worker import Worker
    from edgeworker.state import AtomicStore
    from edgeworker.state.rate_counters import RateCounters

B = TypeVar("B", bound=Binding)
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Resources:
    """What services stand on: a namespace by its id, a worker of this edge by its name, and what an edge keeps.

    `workers` is asked when a service binding is used, so that the order of loading does not matter. `assets` are the
    worker's own.
    """

    clock: "Clock"
    namespaces: "Callable[[str], KVNamespace]"
    workers: "Callable[[str], Worker | None]"
    atomic: "AtomicStore"
    rates: "RateCounters"
    assets: "Assets | None" = None


@dataclass(frozen=True, slots=True)
class Kind:
    """`value` is the binding's configuration. `describe` gives the kind in wrangler's words and a text for people, in
    which no secret stands. `bind` makes the service, and the views of it when they are asked for.
    """

    value: type[Binding]
    describe: Callable[[Binding], tuple[str, str]]
    bind: "Callable[[Binding, Resources], BoundService]"


def make_kind(
    value: type[B],
    *,
    describe: Callable[[B], tuple[str, str]],
    service: Callable[[B, Resources], S],
    python: Callable[[B, S], object],
) -> Kind:
    """A Kind out of functions that know the binding's own type. `python` makes the view of Python scripts.

    The functions import the service and the views by themselves: who only reads a configuration needs neither.
    """

    def describe_any(binding: Binding) -> tuple[str, str]:
        assert isinstance(binding, value)
        return describe(binding)

    def bind(binding: Binding, resources: Resources) -> "BoundService":
        from edgeworker.runtime.contract.bound import BoundService

        assert isinstance(binding, value)
        own, made = binding, service(binding, resources)
        return BoundService(binding.name, made, {"python": lambda: python(own, made)})

    return Kind(value, describe_any, bind)
