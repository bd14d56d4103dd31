"""Reads wrangler's files and makes the edge's configuration of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgeworker.config import Binding, Config, KVBinding, Namespace, Route, SecretBinding, TextBinding, Worker
from edgeworker.errors import ConfigError
from wrangler_compat.diagnostics import Diagnostics, Place
from wrangler_compat.document import Document, parse_document


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What the command line knows. Paths may be relative to `cwd`.

    `default_script` is the built-in script's file, which runs where no `main` is configured; with
    `use_default_script` it also runs in place of a JavaScript `main`. `env` None: none was chosen; "": the top level.
    `variables` are "NAME:value" texts, `preview` chooses `preview_id` of a KV namespace instead of `id`.
    """

    default_script: Path
    cwd: Path = field(default_factory=Path.cwd)
    configs: tuple[Path, ...] = ()
    edge: Path | None = None
    env: str | None = None
    variables: tuple[str, ...] = field(default=(), repr=False)
    env_files: tuple[Path, ...] = ()
    use_default_script: bool = False
    origin: str | None = None
    preview: bool = False
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Loaded:
    """`config` is complete if `diagnostics` has no error; `config.files` lists what was read in either case."""

    config: Config
    diagnostics: Diagnostics

    def require(self) -> Config:
        """Raises ConfigError with all errors, as wrangler words them."""
        if self.diagnostics.has_errors:
            raise ConfigError(self.diagnostics.render("error"))
        return self.config


def load(options: LoadOptions) -> Loaded:
    """Never raises for what stands in a file: see `Loaded.diagnostics`."""
    diagnostics = Diagnostics()
    files = [options.cwd / file for file in options.configs]
    if not files and (options.cwd / "wrangler.toml").exists():
        files = [options.cwd / "wrangler.toml"]
    if not files:
        worker = Worker("split-token", options.default_script, (KVBinding("TOKENS", "tokens"),), is_default_script=True)
        config = Config(
            workers=(worker,),
            namespaces=(Namespace("tokens", "tokens"),),
            default_worker=worker.name,
            default_on_every_host=True,
            origin=options.origin,
        )
        return Loaded(config, diagnostics)
    config = Config(origin=options.origin, files=tuple(files))
    for file in files:
        config = _add(config, file, options, diagnostics)
    return Loaded(config, diagnostics)


def _add(config: Config, file: Path, options: LoadOptions, diagnostics: Diagnostics) -> Config:
    part = diagnostics.child(f"Processing {file.name} configuration:")
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        part.error(f"Could not read {file}: {error.strerror}.", Place(file.name))
        return config
    document = parse_document(text, file, file.name, part)
    if document is None:
        return config
    worker, routes = _worker(document, options)
    known = {namespace.id for namespace in config.namespaces}
    return replace(
        config,
        workers=(*config.workers, worker),
        routes=(*config.routes, *routes),
        namespaces=(
            *config.namespaces,
            *(
                Namespace(binding.namespace_id, f"{worker.name}-{binding.name.lower()}")
                for binding in worker.bindings
                if isinstance(binding, KVBinding) and binding.namespace_id not in known
            ),
        ),
        default_worker=config.default_worker or worker.name,
    )


def _worker(document: Document, options: LoadOptions) -> tuple[Worker, list[Route]]:
    values = document.values
    name = str(values.get("name") or "worker")
    main = values.get("main")
    bindings: list[Binding] = []
    variables = values.get("vars")
    if isinstance(variables, dict):
        bindings += [TextBinding(key, str(value)) for key, value in variables.items()]
    for text in options.variables:
        key, _, value = text.partition(":")
        bindings.append(SecretBinding(key, value))
    spaces = values.get("kv_namespaces")
    if isinstance(spaces, list):
        bindings += [KVBinding(str(item["binding"]), str(item.get("id") or item["binding"])) for item in spaces]
    worker = Worker(
        name,
        document.file.parent / main if isinstance(main, str) else options.default_script,
        tuple(bindings),
        is_default_script=main is None,
        source=document.name,
    )
    patterns = values.get("routes")
    found = patterns if isinstance(patterns, list) else [values["route"]] if values.get("route") else []
    routes = [
        Route(item if isinstance(item, str) else str(item["pattern"]), name, source=document.source(("routes", index)))
        for index, item in enumerate(found)
    ]
    return worker, routes
