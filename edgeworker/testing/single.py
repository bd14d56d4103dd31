"""A configuration of one worker from Python values, for tests that have no file."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from edgeworker.bindings import JSONBinding, KVBinding, SecretBinding, TextBinding
from edgeworker.config import JSON, Binding, Config, Route, Worker
from edgeworker.errors import ConfigError
from edgeworker.testing.folder import describe_missing, in_project
from edgeworker.testing.kv_access import KVAccess


class KVByName(Protocol):
    """The fixture `kv`: `kv("TOKENS")`, or `kv()` where there is one namespace only."""

    def __call__(self, name: str | None = None) -> KVAccess: ...


def single_worker(
    main: Path | str,
    *,
    name: str = "worker",
    routes: Iterable[str] = (),
    kv: Iterable[str] = (),
    variables: Mapping[str, JSON] | None = None,
    secrets: Mapping[str, str] | None = None,
    crons: Iterable[str] = (),
    origin: str | None = None,
) -> Config:
    """`main` is the script's file, `kv` has the names of KV bindings. The worker answers localhost besides `routes`.

    Raises ConfigError if `main` is relative and not in the project's folder (see edgeworker.testing.folder).
    """
    file = in_project(main)
    if not Path(main).is_absolute() and not file.is_file():
        raise ConfigError(describe_missing(main))
    bindings: list[Binding] = [KVBinding(binding, binding) for binding in kv]
    bindings += variable_bindings(variables or {})
    bindings += [SecretBinding(key, text) for key, text in (secrets or {}).items()]
    return Config(
        workers=(Worker(name, file, tuple(bindings), crons=tuple(crons)),),
        routes=tuple(Route(pattern, name) for pattern in routes),
        default_worker=name,
        origin=origin,
    )


def variable_bindings(variables: Mapping[str, JSON]) -> list[Binding]:
    """Text stays text, everything else is JSON, as in `[vars]`."""
    return [
        TextBinding(name, value) if isinstance(value, str) else JSONBinding(name, value)
        for name, value in variables.items()
    ]
