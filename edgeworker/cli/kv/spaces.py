"""`kv namespace`: making, listing, renaming and deleting namespaces, with wrangler's words."""

import argparse
import json
from typing import TYPE_CHECKING

from edgeworker.cli.kv.ask import confirm
from edgeworker.cli.kv.choose import bound_namespace, load_config
from edgeworker.cli.kv.target import KVTarget
from edgeworker.config import JSON
from edgeworker.errors import ConfigError

if TYPE_CHECKING:
    from edgeworker.cli.output import Output


async def run(place: KVTarget, options: argparse.Namespace, out: "Output") -> int:
    match options.action:
        case "create":
            await _create(place, options, out)
        case "list":
            shown: list[JSON] = [
                {"id": namespace.id, "title": namespace.title, "supports_url_encoding": True}
                for namespace in sorted(await place.namespaces(), key=lambda namespace: namespace.title)
            ]
            out.line(json.dumps(shown, indent=2, ensure_ascii=False))
        case "delete":
            return await _delete(place, options, out)
        case _:
            namespace = await _choose_namespace(place, options)
            out.prose(f'Renaming KV namespace {namespace} to "{options.new_name}".')
            await place.rename(namespace, options.new_name)
            out.ok(f'Successfully renamed namespace to "{options.new_name}"')
    return 0


async def _create(place: KVTarget, options: argparse.Namespace, out: "Output") -> None:
    title = f"{options.title}_preview" if options.preview else options.title
    out.prose(f'Creating namespace with title "{title}"')
    namespace = await place.create(title)
    binding = options.binding or "".join(letter if letter.isalnum() else "_" for letter in options.title)
    id_name = "preview_id" if options.preview else "id"
    out.ok("To use it in a worker, add to its wrangler.toml:")
    out.line(f'[[kv_namespaces]]\nbinding = "{binding}"\n{id_name} = "{namespace.id}"')


async def _delete(place: KVTarget, options: argparse.Namespace, out: "Output") -> int:
    namespace = await _choose_namespace(place, options)
    out.prose(f'About to delete KV namespace id: "{namespace}", with all its keys. This cannot be undone.')
    if not options.skip_confirmation and not confirm("Delete it?"):
        out.line("Not deleting.")
        return 0
    await place.remove(namespace)
    out.prose(f'Deleted KV namespace id: "{namespace}".')
    return 0


async def _choose_namespace(place: KVTarget, options: argparse.Namespace) -> str:
    """By title, --namespace-id or --binding: exactly one of them. Raises ConfigError."""
    binding = getattr(options, "binding", None)
    given = [option for option in (options.title, options.namespace_id, binding) if option is not None]
    if len(given) != 1:
        raise ConfigError("name the namespace in exactly one way: by its title, --namespace-id or --binding")
    if options.namespace_id is not None:
        return str(options.namespace_id)
    if binding is not None:
        return bound_namespace(load_config(options), binding)
    for namespace in await place.namespaces():
        if namespace.title == options.title:
            return namespace.id
    raise ConfigError(f'there is no namespace with the title "{options.title}"')
