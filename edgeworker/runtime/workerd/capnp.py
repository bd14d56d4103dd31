"""The configuration of a workerd child, as the text that workerd reads. Pure.

Source: workerd.capnp of the npm package workerd. The child gets no network, no disk and no service of its own: every
service besides its workers is our socket, and each says in a field that a script cannot set which one it is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from edgeworker.javascript.project import Module

SERVICE_FIELD: Final = "ew-service"
KEY_FIELD: Final = "ew-key"
SCHEME_FIELD: Final = "ew-scheme"
CF_FIELD: Final = "ew-cf"
AUDIENCE_PROPERTY: Final = "ew-access"  # of `cf`: the audience of `ctx.access`, where there is one

_DISK: Final = "edgeworker-objects"
_SEPARATOR: Final = ",\n  "
_KINDS: Final = {
    "esm": "esModule",
    "commonjs": "commonJsModule",
    "script": "commonJsModule",  # sloppy mode, as a classic script has it
    "text": "text",
    "data": "data",
    "wasm": "wasm",
    "json": "json",
}


@dataclass(frozen=True, slots=True)
class NativeBinding:
    """`form` is the member of the union Binding in workerd.capnp, `value` its text in capnp's syntax."""

    name: str
    form: str
    value: str


@dataclass(frozen=True, slots=True)
class DurableObjectClass:
    """A class of the worker's own that has instances with storage, as workerd has it by itself."""

    class_name: str
    unique_key: str
    uses_sqlite: bool


@dataclass(frozen=True, slots=True)
class ChildWorker:
    """One worker of the child. `host_services` are those of our side that its bindings and globals use.

    `entrypoints` are names of exported classes that get a socket of their own, besides the default one ("").
    """

    name: str
    modules: Sequence[Module]
    compatibility_date: str
    compatibility_flags: Sequence[str]
    bindings: Sequence[NativeBinding]
    host_services: Mapping[str, str]  # the last part of its name -> what stands in SERVICE_FIELD
    sockets: Mapping[str, str]  # entrypoint ("" is the default) -> path of its unix socket
    durable_objects: Sequence[DurableObjectClass] = field(default_factory=tuple)


def quote(text: str) -> str:
    """A text in capnp's syntax, which has C's escapes and none for code points: others are written byte by byte."""
    pieces = []
    for byte in text.encode("utf-8", "surrogatepass"):
        character = chr(byte)
        pieces.append(f"\\{character}" if character in '"\\' else character if 32 <= byte < 127 else f"\\x{byte:02x}")
    return f'"{"".join(pieces)}"'


def host_service(worker: str, service: str) -> str:
    """The name of a service of ours in the child: bindings of two workers may have one name."""
    return f"{worker}/{service}"


def write_config(
    workers: Sequence[ChildWorker],
    *,
    host: str,
    key: str,
    extensions: Mapping[str, str],
    heap_megabytes: int,
    objects: str = "",
) -> tuple[str, dict[str, bytes]]:
    """The text, and the files that it embeds, by name. `host` is the path of our socket, `key` what proves that a
    request comes from this child. `extensions` are modules of ours by name, for wrapped bindings. `objects` is the
    folder of what Durable Objects store."""
    files: dict[str, bytes] = {}

    def embed(content: bytes) -> str:
        name = f"m{len(files)}"
        files[name] = content
        return f'embed "{name}"'

    services = [line for worker in workers for line in _write_services(worker, host, key, embed)]
    if any(worker.durable_objects for worker in workers):
        services.append(f"(name={quote(_DISK)}, disk=(path={quote(objects)}, writable=true))")
    sockets = [
        f"(name={quote(f'{worker.name}#{entrypoint}')}, address={quote(f'unix:{path}')}, "
        f'http=(forwardedProtoHeader="{SCHEME_FIELD}", cfBlobHeader="{CF_FIELD}"), '
        f"service=(name={quote(worker.name)}{f', entrypoint={quote(entrypoint)}' if entrypoint else ''}))"
        for worker in workers
        for entrypoint, path in worker.sockets.items()
    ]
    modules = ", ".join(
        f"(name={quote(name)}, internal=true, esModule={embed(source.encode())})" for name, source in extensions.items()
    )
    text = "\n".join(
        (
            'using Workerd = import "/workerd/workerd.capnp";',
            "const config :Workerd.Config = (",
            f" services = [\n  {_SEPARATOR.join(services)}\n ],",
            f" sockets = [\n  {_SEPARATOR.join(sockets)}\n ],",
            f" extensions = [(modules=[{modules}])],",
            f' v8Flags = ["--max-heap-size={heap_megabytes}"],',
            ");\n",
        )
    )
    return text, files


def _write_services(worker: ChildWorker, host: str, key: str, embed: Callable[[bytes], str]) -> Iterator[str]:
    modules = ", ".join(
        f"(name={quote(module.name)}, {_KINDS[module.kind]}={embed(module.content)})" for module in worker.modules
    )
    flags = ", ".join(quote(flag) for flag in worker.compatibility_flags)
    bindings = ", ".join(f"(name={quote(one.name)}, {one.form}={one.value})" for one in worker.bindings)
    objects = ", ".join(
        f"(className={quote(one.class_name)}, uniqueKey={quote(one.unique_key)}, "
        f"enableSql={'true' if one.uses_sqlite else 'false'})"
        for one in worker.durable_objects
    )
    # In memory there would be no SQL, and an alarm ends workerd 2026-07-30.
    storage = f"durableObjectStorage=(localDisk={quote(_DISK)}), " if worker.durable_objects else ""
    yield (
        f"(name={quote(worker.name)}, worker=(modules=[{modules}], "
        f"compatibilityDate={quote(worker.compatibility_date)}, compatibilityFlags=[{flags}], bindings=[{bindings}], "
        f"durableObjectNamespaces=[{objects}], {storage}"
        f"globalOutbound={quote(host_service(worker.name, 'out'))}, "
        f"cacheApiOutbound={quote(host_service(worker.name, 'cache'))}))"
    )
    for service, number in worker.host_services.items():
        yield (
            f"(name={quote(host_service(worker.name, service))}, external=(address={quote(f'unix:{host}')}, "
            f'http=(forwardedProtoHeader="{SCHEME_FIELD}", cfBlobHeader="{CF_FIELD}", injectRequestHeaders=['
            f"(name={quote(SERVICE_FIELD)}, value={quote(number)}), "
            f"(name={quote(KEY_FIELD)}, value={quote(key)})])))"
        )
