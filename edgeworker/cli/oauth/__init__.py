"""Sets up the OAuth server of scripts/oauth: signing keys, users, clients.

Users and clients work on the data directory (an edge that runs on it sees each change at once), or with --api-url on
the API of a running edge, or of Cloudflare. Passwords are asked for, or read from standard input; a client's secret is
made here and shown once. Both are kept as hashes. Signing keys are a secret of the worker that signs: here they are
written where `edgeworker dev` reads secrets, readable by you only.

import files are TOML or JSON, all or none:
  [[users]]                                         [[clients]]
  email = "ann@example.com"                         client_id = "shop"
  name = "Ann"                                      redirect_uris = ["https://shop.example.com/callback"]
  password_hash = "$argon2id$v=19$m=..."            scope = "openid orders.read"

examples:
  edgeworker oauth keys init -c token/wrangler.toml
  edgeworker oauth keys rotate -c token/wrangler.toml --overlap 1h
  edgeworker oauth keys show --private | npx wrangler secret put SIGNING_KEYS -c token/wrangler.toml
  edgeworker oauth users add ann@example.com --name Ann --verified
  edgeworker oauth users list --json
  edgeworker oauth clients add shop --name "The shop" --redirect-uri https://shop.example.com/callback --scope openid
  SECRET=$(edgeworker oauth clients rotate-secret shop)
  edgeworker oauth clients end-tokens shop -c token/wrangler.toml
  edgeworker oauth clients import clients.toml --api-url http://127.0.0.1:8788
"""

import argparse
from typing import TYPE_CHECKING

from edgeworker.cli.oauth import options
from edgeworker.errors import ConfigError

if TYPE_CHECKING:
    from edgeworker.cli.kv.target import KVTarget
    from edgeworker.cli.oauth.withdrawal import PublishedTokens
    from issuer.settings import IssuerSettings

# What reads only says that there is no database; what writes may make one.
_WRITES = {"add", "import"}
# What takes away what users or clients had.
_WITHDRAWS = {"disable", "enable", "set-password", "end-sessions", "end-tokens", "delete", "import"}


def configure(parser: argparse.ArgumentParser) -> None:
    options.configure(parser)


def run(chosen: argparse.Namespace) -> int:
    import asyncio
    import contextlib

    if chosen.oauth_command == "keys":
        from edgeworker.cli.oauth import keys

        return keys.run(chosen)
    if chosen.cwd is not None and not chosen.cwd.is_dir():
        raise ConfigError(f"--cwd {chosen.cwd}: there is no such folder")
    with contextlib.chdir(chosen.cwd or "."):
        return asyncio.run(_run_in_place(chosen))


async def _run_in_place(chosen: argparse.Namespace) -> int:
    import sys

    from edgeworker.cli.kv.choose import namespace_id, open_place
    from edgeworker.cli.oauth import clients, users
    from edgeworker.cli.oauth.registry import Registry
    from edgeworker.cli.output import Output
    from edgeworker.clock import SystemClock

    out, err, clock = Output.for_stream(), Output.for_stream(sys.stderr), SystemClock()
    namespace = namespace_id(chosen)
    place = open_place(chosen, clock, make=chosen.action in _WRITES)
    try:
        registry = Registry(place, namespace)
        published = _find_published(chosen, place, namespace) if chosen.action in _WITHDRAWS else None
        if chosen.oauth_command == "users":
            return await users.run(registry, chosen, out, err, clock.now(), published)
        return await clients.run(registry, chosen, out, err, _settings(chosen), published)
    finally:
        await place.close()


def _find_published(chosen: argparse.Namespace, place: "KVTarget", namespace: str) -> "PublishedTokens | None":
    """With --namespace-id there may be no configuration at all, and settings that the server refuses run no server."""
    from edgeworker.cli.kv.choose import load_config
    from edgeworker.cli.oauth.withdrawal import published_tokens

    if chosen.namespace_id is not None:
        return None
    try:
        return published_tokens(load_config(chosen), place, users_namespace=namespace, binding=chosen.binding)
    except ValueError:
        return None


def _settings(chosen: argparse.Namespace) -> "IssuerSettings | None":
    """Of the server that the configuration here runs. With --namespace-id there may be no configuration at all."""
    from edgeworker.cli.kv.choose import load_config
    from edgeworker.host.issuer_scripts import settings_of

    if chosen.namespace_id is not None or chosen.action not in _WRITES:
        return None
    try:
        return settings_of(load_config(chosen))
    except ValueError as error:
        raise ConfigError(str(error)) from None
