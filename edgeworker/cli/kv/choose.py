"""Which place and which namespace the options of a `kv` command mean."""

import argparse
import os

from edgeworker.bindings import KVBinding
from edgeworker.cli.kv.options import TOKEN_VARIABLE
from edgeworker.cli.kv.remote import RemoteApi
from edgeworker.cli.kv.target import DataDirectory, KVTarget, existing_database
from edgeworker.clock import Clock
from edgeworker.config import Config
from edgeworker.errors import ConfigError


def open_place(options: argparse.Namespace, clock: Clock, *, make: bool) -> KVTarget:
    """`make` lets a database be made where the data directory has none. Raises an EdgeworkerError."""
    if options.api_url is None:
        if options.remote:
            raise ConfigError("--remote needs --api-url, the address of a running edge's API (http://127.0.0.1:8788)")
        if not make:
            existing_database(options.persist_to)
        return DataDirectory.open(options.persist_to, clock)
    if options.local:
        raise ConfigError("--local means the data directory, --api-url a running edge; give one of them")
    return RemoteApi.open(options.api_url, token=_token(options), account=options.account_id)


def namespace_id(options: argparse.Namespace) -> str:
    """From --namespace-id or --binding. Raises ConfigError."""
    if options.namespace_id is not None:
        return str(options.namespace_id)
    return bound_namespace(load_config(options), options.binding)


async def named_namespace(place: KVTarget, options: argparse.Namespace, name: str, *, may_be_new: bool = False) -> str:
    """The id that BINDING|ID means: an id or a title that is there, else a binding of the configuration.

    With `may_be_new` any other text is the id of a namespace that will be made. Raises ConfigError.
    """
    there = await place.namespaces()
    for namespace in there:
        if namespace.id == name:
            return name
    for namespace in there:
        if namespace.title == name:
            return namespace.id
    bindings = _bindings(load_config(options))
    if name not in bindings and any(name in ids for ids in bindings.values()):
        return name  # configured, and nothing was written to it so far
    if name in bindings or not may_be_new:
        known = [f'"{namespace.title}" ({namespace.id})' for namespace in there]
        return bound_namespace(load_config(options), name, known=known)
    return name


def bound_namespace(config: Config, name: str, *, known: list[str] | None = None) -> str:
    """Raises ConfigError where no worker has that KV binding, or two have it for different namespaces."""
    bindings = _bindings(config)
    ids = bindings.get(name, set())
    if len(ids) > 1:
        raise ConfigError(f'the binding "{name}" means {", ".join(sorted(ids))} in different workers; use the id')
    if not ids:
        found = ", ".join([*(known or []), *(f"binding {binding}" for binding in sorted(bindings))]) or "none"
        raise ConfigError(f'there is no KV namespace or binding "{name}"; there are: {found}')
    return next(iter(ids))


def _bindings(config: Config) -> dict[str, set[str]]:
    bindings: dict[str, set[str]] = {}
    for worker in config.workers:
        for binding in worker.bindings:
            if isinstance(binding, KVBinding):
                bindings.setdefault(binding.name, set()).add(binding.namespace_id)
    return bindings


def load_config(options: argparse.Namespace) -> Config:
    from edgeworker.host.bundled import DEFAULT_SCRIPT, script
    from wrangler_compat import LoadOptions, load

    return load(
        LoadOptions(
            default_script=script(DEFAULT_SCRIPT) / "worker.py",
            configs=tuple(options.config),
            env=options.env,
            env_files=tuple(options.env_file),
            preview=options.preview,
            # A binding is looked up also where the script is one that this edge would not run.
            use_default_script=True,
            environ=os.environ,
        )
    ).require()


def _token(options: argparse.Namespace) -> str:
    from edgeworker.host.datadir import DataDir

    if options.api_token or os.environ.get(TOKEN_VARIABLE):
        return str(options.api_token or os.environ[TOKEN_VARIABLE])
    directory = DataDir(options.persist_to)
    if not directory.api_token_file.exists():
        raise ConfigError(
            f"--api-url needs a token: give --api-token, set {TOKEN_VARIABLE}, or name the edge's data directory with "
            "--persist-to"
        )
    return directory.api_token()
