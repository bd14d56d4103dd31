"""Reads wrangler's files and edge.toml, and makes the edge's configuration of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgeworker.bindings import JSONBinding, KVBinding
from edgeworker.config import Binding, Config, CustomDomain, Namespace, Route, Socket, Worker
from edgeworker.javascript.settings import JavaScriptEngine
from edgeworker.schema.diagnostics import Diagnostics, SourceLocation
from edgeworker.schema.ids import made_up, version_id
from edgeworker.schema.value_types import BASE_URL
from edgeworker.schema.wrangler_checks import as_table, without_passwords
from wrangler_compat.config import NEWEST_DATE, ParsedWorker, parse_worker
from wrangler_compat.cross_checks import (
    LocatedRoute,
    check_accounts,
    check_default_worker,
    check_names,
    check_routes,
    check_services,
    check_whole,
)
from wrangler_compat.discovery import discover, short
from wrangler_compat.document import ConfigFile, parse_document, read_text
from wrangler_compat.edge_toml import EdgeFile, read_edge
from wrangler_compat.entry import ScriptEntry, find_entry
from wrangler_compat.environments import choose
from wrangler_compat.loaded import ConfigSource, Loaded
from wrangler_compat.other_environments import check_other_environments
from wrangler_compat.secret_files import SecretFiles
from wrangler_compat.variables import Sources, parse_given, text_bindings, with_stored_secrets
from wrangler_compat.zones import ZoneFinder

if TYPE_CHECKING:
    from edgeworker.publishing.versions import PublishedProject

EDGE_FILE: Final = "edge.toml"
DEFAULT_NAME: Final = "split-token"
_TOKENS: Final = "TOKENS"  # the binding that the default script reads


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What the command line knows. Paths may be relative to `cwd`.

    `default_script` is the built-in script's file, which runs where no `main` is configured; with
    `use_default_script` it also runs in place of a JavaScript `main`. `env` None: none was chosen; "": the top level.
    `variables` are "NAME:value" texts, `preview` chooses `preview_id` of a KV namespace instead of `id`.
    `js_engine` is the engine of JavaScript workers and `workerd` the program, instead of those that edge.toml names.
    `published` projects take the place of the configured workers of their names, and have their secrets.
    `for_deployment` also tells what wrangler's deploy would warn of, and its dev would not. `give_way` is called
    between steps of about a millisecond: a thread beside an event loop may pause there.
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
    js_engine: JavaScriptEngine | None = None
    workerd: Path | None = None
    for_deployment: bool = False
    published: "tuple[PublishedProject, ...]" = ()
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    give_way: Callable[[], None] = field(default=lambda: None)


def load(options: LoadOptions) -> Loaded:
    """Never raises for what stands in a file: see `Loaded.diagnostics`."""
    return _Loader(options).run()


@dataclass(frozen=True, slots=True)
class _Source:
    """One worker's file. `file` None: there is no configuration at all. `folder` has `.dev.vars` and the like."""

    file: Path | None
    folder: Path
    env: str | None
    default_script: bool
    redirected: bool = False
    secrets: Path | None = None  # where they are, if not in `folder`


@dataclass(frozen=True, slots=True)
class _Loadable:
    """A worker that can run."""

    parsed: ParsedWorker
    entry: ScriptEntry
    bindings: tuple[Binding, ...]
    label: str | None = None  # how it is called where its file has no name that a person knows


class _Loader:
    def __init__(self, options: LoadOptions) -> None:
        self._options = options
        self._cwd = options.cwd.resolve()
        self._diagnostics = Diagnostics()
        self._own = self._diagnostics.child("")
        self._files: dict[Path, None] = {}
        self._env = options.env if options.env is not None else options.environ.get("CLOUDFLARE_ENV")
        self._given = parse_given(options.variables, self._own)
        self._secret_files = SecretFiles(self._cwd, options.env_files, options.environ, self._read)

    def run(self) -> Loaded:
        edge = self._edge()
        sources = list(self._sources(edge))
        loadables = [loadable for source in sources if (loadable := self._worker(source)) is not None]
        for project in self._options.published:
            self._place(project, loadables)
        self._options.give_way()
        config = self._config(edge, loadables, anything=any(source.file is not None for source in sources))
        documents = {loadable.parsed.name: loadable.parsed.document for loadable in loadables}
        found = {
            name: ConfigSource(document.file, tuple(as_table(document.values.get("env")) or {}))
            for name, document in documents.items()
            if document.file in self._files
        }
        return Loaded(config, self._diagnostics, tuple(self._secret_files.used), found)

    def _read(self, file: Path, diagnostics: Diagnostics) -> str | None:
        self._files[file] = None
        return read_text(file, short(file, self._cwd), diagnostics)

    def _document(self, file: Path, diagnostics: Diagnostics) -> ConfigFile | None:
        text = self._read(file, diagnostics)
        self._options.give_way()
        return None if text is None else parse_document(text, file, short(file, self._cwd), diagnostics)

    def _edge(self) -> EdgeFile:
        """edge.toml: the one that was named; or the one right here, if no single worker was named."""
        here = self._cwd / EDGE_FILE
        if self._options.edge is not None:
            file = self._cwd / self._options.edge
        elif not self._options.configs and here.is_file():
            file = here
        else:
            return EdgeFile()
        part = self._diagnostics.child(f"Processing {short(file, self._cwd)} configuration:")
        document = self._document(file, part)
        self._options.give_way()
        return EdgeFile() if document is None else read_edge(document, part)

    def _sources(self, edge: EdgeFile) -> Iterator[_Source]:
        options = self._options
        folder = (self._cwd / options.edge).parent if options.edge is not None else self._cwd
        for entry in edge.workers:
            file = (folder / entry.config).resolve()
            env = entry.env if entry.env is not None else self._env
            if file.is_file():
                yield _Source(file, file.parent, env, entry.default_script or options.use_default_script)
            else:
                self._own.error(f'There is no worker at "{entry.config}" ({short(file, self._cwd)}).', entry.location)
        for config in options.configs:
            file = (self._cwd / config).resolve()
            yield _Source(file, file.parent, self._env, options.use_default_script)
        if edge.workers or options.configs:
            return
        found = discover(folder.resolve(), self._own)
        self._files.update(dict.fromkeys(found.read))
        if found.file is not None or not self._own.has_errors:
            yield _Source(found.file, found.folder, self._env, options.use_default_script, found.redirected)

    def _place(self, project: "PublishedProject", loadables: list[_Loadable]) -> None:
        """The published worker in place of the configured one of its name, or after all others."""
        names = [loadable.parsed.name for loadable in loadables]
        place = names.index(project.name) if project.name in names else None
        folder = project.config.parent
        secrets = folder if place is None else loadables[place].parsed.document.file.parent
        loadable = self._worker(_Source(project.config, folder, project.version.env, False, secrets=secrets))
        if loadable is None:
            return
        published = replace(loadable, label=f"{project.name}, version {project.version.number}")
        if published.parsed.name != project.name:
            self._own.error(
                f'"{project.config.name}" is of the worker "{published.parsed.name}", and it was published as '
                f'"{project.name}": publish it under its own name.'
            )
        elif not _keeps_inside(published, folder):
            self._own.error(
                f'The worker "{project.name}" has its "main" or its assets outside of its folder: only what lies in '
                "the folder of its wrangler file is published."
            )
        elif place is None:
            loadables.append(published)
        else:
            loadables[place] = published

    def _worker(self, source: _Source) -> _Loadable | None:
        options = self._options
        if source.file is None:
            part = self._diagnostics.child("")
            values: dict[str, object] = {
                "name": DEFAULT_NAME,
                "compatibility_date": NEWEST_DATE,
                "compatibility_flags": ["python_workers"],
            }
            document: ConfigFile | None = ConfigFile(source.folder / "wrangler.toml", "no configuration", values, {})
        else:
            part = self._diagnostics.child(f"Processing {short(source.file, self._cwd)} configuration:")
            document = self._document(source.file, part)
        if document is None:
            return None
        self._options.give_way()
        by = "`--env/-e` CLI argument" if options.env is not None else "CLOUDFLARE_ENV environment variable"
        env = None if source.file is None else source.env
        environment = choose(
            document, env, part, redirected=source.redirected, by=by, for_deployment=options.for_deployment
        )
        self._options.give_way()
        parsed = parse_worker(environment, part, preview=options.preview)
        if source.file is None:
            entry: ScriptEntry | None = ScriptEntry(options.default_script, True)
        else:
            entry = find_entry(parsed, options.default_script, part, use_default_script=source.default_script)
        if options.for_deployment and not source.redirected:
            check_other_environments(document, env, options.default_script, part)
        files = self._secret_files.read(
            source.secrets or source.folder, source.env or None, parsed.required_secrets, part
        )
        texts = text_bindings(
            Sources(parsed.variables, files, self._given, parsed.required_secrets),
            part,
            document.locate(("secrets",)),
        )
        if entry is None:
            return None
        bindings = (*with_stored_secrets(parsed.bindings, texts), *self._version(parsed, entry))
        if entry.is_default_script and all(binding.name != _TOKENS for binding in bindings):
            bindings = (*bindings, self._tokens(parsed, source, part))
        return _Loadable(parsed, entry, bindings)

    def _tokens(self, parsed: ParsedWorker, source: _Source, diagnostics: Diagnostics) -> KVBinding:
        binding = KVBinding(_TOKENS, made_up("kv", parsed.name, _TOKENS))
        if source.file is not None:
            diagnostics.warning(
                f"The split-token script reads the KV namespace env.{_TOKENS}, which is not configured: one with the "
                f'id "{binding.namespace_id}" is used. Add [[kv_namespaces]] with binding = "{_TOKENS}".',
                SourceLocation(parsed.document.name),
            )
        return binding

    def _version(self, parsed: ParsedWorker, entry: ScriptEntry) -> Iterator[Binding]:
        if parsed.version_binding is None:
            return
        files = [file for file in (parsed.document.file, entry.main) if file is not None and file.is_file()]
        newest = max((file.stat().st_mtime for file in files), default=0.0)
        moment = datetime.fromtimestamp(newest, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        identifier = version_id(*(file.read_bytes() for file in files))
        yield JSONBinding(parsed.version_binding, {"id": identifier, "tag": "", "timestamp": moment})

    def _config(self, edge: EdgeFile, loadables: Sequence[_Loadable], *, anything: bool) -> Config:
        parsed_workers = [loadable.parsed for loadable in loadables]
        workers = tuple(_worker(loadable) for loadable in loadables)
        finder = ZoneFinder(edge.zones, self._own)
        for parsed in parsed_workers:
            finder.learn(parsed)
        routes, domains = check_routes(
            [*edge.routes_without_worker, *_locate_routes(parsed_workers, finder)], self._own
        )
        check_names(parsed_workers, self._own)
        if not self._diagnostics.has_errors:  # else a worker that is missing here may be one with an error
            check_services(workers, self._own)
            check_default_worker(edge.default_worker, workers, edge.locations, self._own)
        configured_account = self._account_id(edge, parsed_workers)
        account_id = configured_account or made_up("account")
        check_accounts(parsed_workers, account_id, self._own)
        config = Config(
            workers=workers,
            routes=tuple(routes),
            custom_domains=tuple(domains),
            zones=finder.all(),
            namespaces=tuple(_namespaces(edge, loadables)),
            default_worker=edge.default_worker or (workers[0].name if workers else None),
            default_on_every_host=not anything,
            origin=self._origin(edge),
            account_id=account_id,
            account_is_made_up=configured_account is None,
            workers_dev_subdomain=edge.workers_dev_subdomain,
            edge_socket=_edge_socket(edge, parsed_workers, self._own),
            api_socket=edge.api_socket or Socket(port=8788),
            https_socket=None
            if edge.https_socket is None
            else replace(edge.https_socket, trusted_proxies=edge.trusted_proxies),
            api_https_socket=edge.api_https_socket,
            redirect_socket=edge.redirect_socket,
            management_socket=edge.management_socket,
            tls=edge.tls,
            origin_tls=edge.origin_tls,
            normalize_to_origin=edge.normalize_to_origin,
            api_hosts=edge.api_hosts,
            cloudflare_api_for_workers=edge.cloudflare_api_for_workers,
            relaxed_expiration=edge.relaxed_expiration,
            kv=edge.kv,
            outbound=edge.outbound,
            javascript=replace(
                edge.javascript,
                engine=self._options.js_engine or edge.javascript.engine,
                workerd=edge.javascript.workerd if self._options.workerd is None else self._cwd / self._options.workerd,
            ),
            lenient_python=edge.python.lenient,
            limits=edge.limits,
            cf=edge.cf,
            products=edge.products,
            files=tuple(self._files),
        )
        check_whole(config, self._diagnostics)
        return config

    def _account_id(self, edge: EdgeFile, parsed_workers: list[ParsedWorker]) -> str | None:
        """The configured one."""
        configured = next(
            (account for parsed in parsed_workers if (account := parsed.settings.account_id) is not None), None
        )
        return edge.account_id or configured or self._options.environ.get("CLOUDFLARE_ACCOUNT_ID") or None

    def _origin(self, edge: EdgeFile) -> str | None:
        given = self._options.origin
        if given is not None and not BASE_URL.fits(given):
            self._own.error(f'--origin must be {BASE_URL.expected}, not "{without_passwords(given)}".')
            return None
        return given or edge.origin


def _edge_socket(edge: EdgeFile, parsed_workers: Sequence[ParsedWorker], diagnostics: Diagnostics) -> Socket:
    """What edge.toml says, else what `[dev]` of the first worker says."""
    socket = edge.edge_socket or Socket()
    if edge.edge_socket is None and parsed_workers:
        first = parsed_workers[0]
        port = socket.port if first.port is None else first.port
        socket = Socket(first.host or socket.host, port, tls=first.settings.dev.local_protocol == "https")
    if socket.tls and edge.proxy_protocol:
        diagnostics.error(
            '"dev.local_protocol" is "https", which cannot speak the PROXY protocol that "sockets.proxy_protocol" of '
            "edge.toml asks for: leave one of them out.",
            parsed_workers[0].document.locate(("dev", "local_protocol")),
        )
    return replace(socket, trusted_proxies=edge.trusted_proxies, proxy_protocol=edge.proxy_protocol)


def _keeps_inside(loadable: _Loadable, folder: Path) -> bool:
    main, assets = loadable.entry.main, loadable.parsed.assets
    places = [] if main is None or loadable.entry.is_default_script else [main]
    if assets is not None:
        places.append(assets.directory)
    return all(place.resolve().is_relative_to(folder.resolve()) for place in places)


def _worker(loadable: _Loadable) -> Worker:
    parsed = loadable.parsed
    return Worker(
        name=parsed.name,
        main=loadable.entry.main,
        bindings=loadable.bindings,
        compatibility_date=parsed.compatibility_date,
        compatibility_flags=parsed.settings.compatibility_flags,
        crons=parsed.settings.crons,
        cpu_ms=parsed.settings.cpu_ms,
        javascript=parsed.javascript,
        workers_dev=parsed.workers_dev,
        is_default_script=loadable.entry.is_default_script,
        source=loadable.label or parsed.document.name,
        assets=parsed.assets,
        access_dev=parsed.settings.access_dev,
    )


def _locate_routes(parsed_workers: Iterable[ParsedWorker], finder: ZoneFinder) -> Iterator[LocatedRoute]:
    for parsed in parsed_workers:
        for written in parsed.routes:
            zone = finder.zone_of(written, parsed.zone_id)
            kind = CustomDomain if written.custom_domain else Route
            yield LocatedRoute(kind(written.pattern, parsed.name, zone, str(written.location)), written.location)


def _namespaces(edge: EdgeFile, loadables: Iterable[_Loadable]) -> Iterator[Namespace]:
    """Every id once; the first title counts, and no two namespaces have the same."""
    ids = {namespace.id for namespace in edge.namespaces}
    titles = {namespace.title for namespace in edge.namespaces}
    yield from edge.namespaces
    for loadable in loadables:
        for binding in loadable.bindings:
            if not isinstance(binding, KVBinding) or binding.namespace_id in ids:
                continue
            title = f"{loadable.parsed.name}-{binding.name.lower()}"
            ids.add(binding.namespace_id)
            yield Namespace(binding.namespace_id, title if title not in titles else f"{title}-{binding.namespace_id}")
            titles.add(title)
