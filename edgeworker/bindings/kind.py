"""What a kind of binding is: all that its folder brings, as one value."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Never, TypeVar

from edgeworker.config import Binding
from edgeworker.schema.worker_fields import WorkerFields
from edgeworker.schema.wrangler_field import Field

if TYPE_CHECKING:  # most commands read configurations and run no script
    from edgeworker.assets import AssetServer
    from edgeworker.clock import Clock
    from edgeworker.kv.namespace import KVNamespace
    from edgeworker.rest.router import Endpoint
    from edgeworker.runtime.contract.bound import BoundService
    from edgeworker.runtime.contract.javascript import EnvEntry
    from edgeworker.runtime.contract.worker import Worker
    from edgeworker.state import AtomicStore
    from edgeworker.state.rate_counters import RateCounters

UNKNOWN_TYPE: Final = "Incomplete"  # of `_typeshed`: Any, for now
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
    assets: "AssetServer | None" = None


@dataclass(frozen=True, slots=True)
class Kind:
    """`value` is the binding's configuration. `fields` are the rows of wrangler's configuration that the kind has, and
    `read` makes its bindings of a worker's fields. `describe` gives the kind in wrangler's words and a text for people,
    in which no secret stands; `annotate` its Python type, of the module `workers.bindings` for
    type checkers. `bind` makes the service, and the views of it when they are asked for. `endpoints` are
    those of the REST API.
    """

    value: type[Binding]
    fields: tuple[Field, ...]
    read: Callable[[WorkerFields], Iterable[Binding]]
    describe: Callable[[Binding], tuple[str, str]]
    annotate: Callable[[Binding], str]
    bind: "Callable[[Binding, Resources], BoundService]"
    endpoints: "Callable[[], Sequence[Endpoint]]"


def _read_nothing(_fields: WorkerFields) -> Iterable[Never]:
    """For bindings that are made elsewhere."""
    return ()


def make_kind(
    value: type[B],
    *,
    fields: tuple[Field, ...] = (),
    read: Callable[[WorkerFields], Iterable[B]] = _read_nothing,
    describe: Callable[[B], tuple[str, str]],
    service: Callable[[B, Resources], S],
    python: Callable[[B, S], object],
    endpoints: "Callable[[], Sequence[Endpoint]]" = tuple,
    javascript: "Callable[[B, S], EnvEntry] | None" = None,
    annotate: Callable[[B], str] = lambda _binding: UNKNOWN_TYPE,
) -> Kind:
    """A Kind out of functions that know the binding's own type. `python` makes the view of Python scripts, `javascript`
    what the engines of JavaScript make theirs of; without it, using the binding there raises an error that names it.

    The functions import the service, the views and the endpoints by themselves: a command that only reads a
    configuration needs none of them.
    """

    def describe_any(binding: Binding) -> tuple[str, str]:
        assert isinstance(binding, value)
        return describe(binding)

    def annotate_any(binding: Binding) -> str:
        assert isinstance(binding, value)
        return annotate(binding)

    def bind(binding: Binding, resources: Resources) -> "BoundService":
        from edgeworker.runtime.contract.bound import BoundService

        assert isinstance(binding, value)
        own, made = binding, service(binding, resources)

        def javascript_entry() -> "EnvEntry":
            from edgeworker.runtime.contract.javascript import EnvNotEmulated

            return EnvNotEmulated(describe(own)[0]) if javascript is None else javascript(own, made)

        return BoundService(binding.name, made, {"python": lambda: python(own, made), "javascript": javascript_entry})

    return Kind(value, fields, read, describe_any, annotate_any, bind, endpoints)
