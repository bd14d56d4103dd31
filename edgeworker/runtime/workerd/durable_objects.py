"""Which classes of Durable Objects each worker of a child has. Pure."""

from collections.abc import Mapping

from edgeworker.errors import ScriptError
from edgeworker.runtime.contract.javascript import EnvDurableObjects, EnvEntry
from edgeworker.runtime.workerd.capnp import DurableObjectClass

Envs = Mapping[str, Mapping[str, EnvEntry]]  # by the worker's name


def find_classes(worker: str, envs: Envs) -> list[DurableObjectClass]:
    """The classes of this worker that it, or another one of the child, has a namespace of."""
    found: dict[str, DurableObjectClass] = {}
    for name, env in envs.items():
        for entry in env.values():
            if not isinstance(entry, EnvDurableObjects) or (entry.script or name) != worker:
                continue
            # What the worker itself says of its class counts.
            if entry.class_name not in found or entry.script is None:
                key = f"{worker}-{entry.class_name}"
                found[entry.class_name] = DurableObjectClass(entry.class_name, key, entry.uses_sqlite)
    return list(found.values())


def check_scripts(envs: Envs) -> None:
    """Raises ScriptError for a class of a worker that is not in the child."""
    for worker, env in envs.items():
        for name, entry in env.items():
            if isinstance(entry, EnvDurableObjects) and entry.script is not None and entry.script not in envs:
                raise ScriptError(
                    f'worker "{worker}": the Durable Object binding {name} names the script "{entry.script}", which is '
                    "not a JavaScript worker of this edge in workerd; add it (-c), or name one that is"
                )
