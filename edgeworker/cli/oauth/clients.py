"""`oauth clients`: which applications may ask the OAuth server for tokens."""

import argparse
import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from edgeworker.cli.kv.ask import confirm
from edgeworker.cli.oauth.import_file import ImportFile, Item
from edgeworker.cli.oauth.registry import Registry, write_record
from edgeworker.cli.oauth.withdrawal import PublishedTokens, describe_withdrawal, describe_withdrawn
from edgeworker.errors import ConfigError, StoreError
from edgeworker.host.issuer_scripts import ClientRecords
from edgeworker.strict_json import loads

if TYPE_CHECKING:
    from edgeworker.cli.output import Output
    from issuer.clients import RegisteredClient
    from issuer.settings import IssuerSettings

_PREFIX: Final = "client:"
_SECRET_BYTES: Final = 32
# Secrets are kept as plain hashes, which is enough for random ones: 128 bits in base64url at least.
_LEAST_SECRET: Final = 22
_SECRETS_KEPT: Final = 2  # the newest, and the one before it

# Option -> member of the record (RFC 7591).
_MEMBERS: Final[Mapping[str, str]] = {
    "name": "client_name",
    "redirect_uri": "redirect_uris",
    "post_logout_redirect_uri": "post_logout_redirect_uris",
    "scope": "scope",
    "grant": "grant_types",
    "auth": "token_endpoint_auth_method",
    "token_format": "token_format",
    "resource": "resources",
    "audience": "audience",
    "access_token_alg": "access_token_alg",
    "id_token_alg": "id_token_signed_response_alg",
}


async def run(
    registry: Registry,
    options: argparse.Namespace,
    out: "Output",
    err: "Output",
    settings: "IssuerSettings | None",
    published: PublishedTokens | None = None,
) -> int:
    """`settings` are the server's, where they are known: a client must fit to them. `published` is what is to be taken
    from the gateway where a client loses what it had."""
    clients = Clients(registry, settings)
    match options.action:
        case "add":
            client, secret = await clients.add(_read_options(options))
            _report(out, err, options, client, f"client {client.client_id} is registered", secret)
        case "list":
            return await _list(clients, options, out, err)
        case "show":
            out.line(json.dumps(show_client(await clients.find(options.client)), indent=2, ensure_ascii=False))
        case "rotate-secret":
            client, secret = await clients.rotate_secret(options.client, drop_old=options.drop_old)
            kept = (
                "; the one before it stays valid until the next rotate-secret" if len(client.secret_hashes) > 1 else ""
            )
            _report(out, err, options, client, f"client {client.client_id} has a new secret{kept}", secret)
        case "disable" | "enable" as action:
            client = await clients.keep(replace(await clients.find(options.client), disabled=action == "disable"))
            ended = await _withdraw(client.client_id, published) if action == "disable" else ""
            _report(out, err, options, client, f"client {client.client_id} is {action}d{ended}")
        case "end-tokens":
            await _end_tokens(clients, options.client, out if options.json else None, err, published)
        case "delete":
            client = await clients.find(options.client)
            if not options.yes and not confirm(f"Remove the client {client.client_id} for ever?"):
                err.line("Not removing.")
                return 0
            await registry.delete([clients.records.key(client.client_id)])
            ended = await _withdraw(client.client_id, published)
            _report(out, err, options, client, f"client {client.client_id} is removed{ended}")
        case _:
            await _import(clients, options, out, err, published)
    return 0


class Clients:
    """Clients in the registry. Methods raise ConfigError for what a person can mend."""

    def __init__(self, registry: Registry, settings: "IssuerSettings | None" = None) -> None:
        self.records = ClientRecords()
        self._registry = registry
        self._settings = settings

    async def add(self, record: Mapping[str, object]) -> tuple["RegisteredClient", str | None]:
        """The client of a record without a secret, and the secret that was made, of which only the hash is kept."""
        values = dict(record)
        secret = new_secret() if _has_secret(values) else None
        if secret is not None:
            values["secret_hashes"] = [self.records.hash_secret(secret)]
        values["registration"] = _new_registration()
        try:
            client = self.records.parse(values)
        except self.records.bad as error:
            raise ConfigError("\n".join(error.faults)) from None
        if (misfit := self._misfit(client)) is not None:
            raise ConfigError(misfit)
        if await self._registry.there([self.records.key(client.client_id)]):
            raise ConfigError(
                f'there is a client "{client.client_id}" already; see: edgeworker oauth clients show {client.client_id}'
            )
        return await self.keep(client), secret

    async def keep(self, client: "RegisteredClient") -> "RegisteredClient":
        await self._registry.put({self.records.key(client.client_id): write_record(self.records.record(client))})
        return client

    async def find(self, client_id: str) -> "RegisteredClient":
        key = self.records.key(client_id)
        record = await self._registry.record(key)
        if record is None:
            raise ConfigError(
                f'there is no client "{client_id}" in KV; see: edgeworker oauth clients list (clients of the variable '
                "CLIENTS are changed in wrangler.toml)"
            )
        try:
            return self.records.parse(record)
        except self.records.bad as error:
            raise StoreError(f'the entry "{key}" is not a client: {"; ".join(error.faults)}') from None

    async def all(self) -> list["RegisteredClient | StoreError"]:
        found: list[RegisteredClient | StoreError] = []
        for key, record in await self._registry.records(_PREFIX):
            try:
                found.append(record if isinstance(record, StoreError) else self.records.parse(record))
            except self.records.bad as error:
                found.append(StoreError(f'the entry "{key}" is not a client: {"; ".join(error.faults)}'))
        return found

    async def rotate_secret(self, client_id: str, *, drop_old: bool) -> tuple["RegisteredClient", str]:
        client = await self.find(client_id)
        if not client.secret_hashes:
            raise ConfigError(
                f'the client "{client_id}" has no secret: its token_endpoint_auth_method is '
                f"{client.token_endpoint_auth_method}"
            )
        secret = new_secret()
        old = () if drop_old else client.secret_hashes[: _SECRETS_KEPT - 1]
        return await self.keep(replace(client, secret_hashes=(self.records.hash_secret(secret), *old))), secret

    async def import_file(
        self, options: argparse.Namespace
    ) -> tuple[list[tuple["RegisteredClient", str | None]], list[str]]:
        """(each client, with its secret where one was made for it; the ids of those that lose what they had)."""
        file = ImportFile(options.file, "clients")
        made: list[tuple[RegisteredClient, str | None]] = []
        before = {client.client_id: client for client in await self.all() if not isinstance(client, StoreError)}
        seen: dict[str, int] = {}
        for item in file.items:
            found = self._parse_item(item)
            if found is None:
                continue
            name = found[0].client_id
            known = before.get(name)
            found = replace(found[0], registration=known.registration if known else _new_registration()), found[1]
            if name in seen:
                item.fault(f'client_id: "{name}" is in this file twice; see clients[{seen[name]}]', "client_id")
            elif not options.replace and await self._registry.there([self.records.key(name)]):
                item.fault(
                    f'client_id: there is a client "{name}" already; --replace replaces such clients', "client_id"
                )
            seen[name] = item.index
            made.append(found)
        file.require()
        await self._registry.put(
            {self.records.key(client.client_id): write_record(self.records.record(client)) for client, _ in made}
        )
        return made, [
            client.client_id
            for client, _ in made
            if client.client_id in before and _loses(before[client.client_id], client)
        ]

    def _parse_item(self, item: Item) -> tuple["RegisteredClient", str | None] | None:
        values = dict(item.values)
        given = values.pop("client_secret", None)
        made: str | None = None
        if given is not None:
            if not isinstance(given, str) or len(given) < _LEAST_SECRET:
                # Not quoted.
                item.fault(
                    f"client_secret: shorter than {_LEAST_SECRET} characters; leave it out, and a random one is made",
                    "client_secret",
                )
                return None
            values["secret_hashes"] = [self.records.hash_secret(given)]
        elif _has_secret(values) and "secret_hashes" not in values:
            made = new_secret()
            values["secret_hashes"] = [self.records.hash_secret(made)]
        try:
            client = self.records.parse(values)
        except self.records.bad as error:
            item.faults(error.faults)
            return None
        if (misfit := self._misfit(client)) is not None:
            item.fault(misfit)
        return client, made

    def _misfit(self, client: "RegisteredClient") -> str | None:
        """Why the server would not know this client, as far as its settings are known here."""
        try:
            if self._settings is not None:
                self.records.check(client, self._settings)
        except ValueError as error:
            return str(error).removeprefix("CLIENTS: ")
        return None


def _loses(before: "RegisteredClient", after: "RegisteredClient") -> bool:
    """Whether a token issued before may be more than the client may have now. No resources means all."""
    return (
        (after.disabled and not before.disabled)
        or not set(before.scope) <= set(after.scope)
        or not set(before.redirect_uris) <= set(after.redirect_uris)
        or not set(before.grant_types) <= set(after.grant_types)
        or (bool(after.resources) and (not before.resources or not set(before.resources) <= set(after.resources)))
    )


async def _withdraw(client_id: str, published: PublishedTokens | None) -> str:
    """What was withdrawn and what goes on; it continues a sentence."""
    return await describe_withdrawal(published, lambda tokens: tokens.withdraw_of_client(client_id))


async def _end_tokens(
    clients: Clients, client_id: str, out: "Output | None", err: "Output", published: PublishedTokens | None
) -> None:
    """Also of a client of the variable CLIENTS, and of one that was removed. With `out`, as JSON."""
    if published is None or not published.can_withdraw:
        raise ConfigError(
            "end-tokens needs the configuration of the server, with the bindings TOKENS and SPLIT and "
            'PUBLISH = "binding": name it with -c token/wrangler.toml'
        )
    count = await published.withdraw_of_client(client_id)
    if not count and not published.knows_client(client_id):
        await clients.find(client_id)
    if out is not None:
        out.line(json.dumps({"client_id": client_id, "withdrawn": count}))
        return
    err.ok(
        f"the access tokens of client {client_id} are void{describe_withdrawn(count, published)}; its refresh tokens "
        "stay valid (disable the client to refuse them)"
    )


def _new_registration() -> str:
    """Tells this client from another one that had the same id before."""
    return secrets.token_urlsafe(12)


def new_secret() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def show_client(client: "RegisteredClient") -> dict[str, object]:
    """A client as it is shown: with every default, without the hashes of its secrets."""
    return {
        "client_id": client.client_id,
        "client_name": client.client_name,
        "token_endpoint_auth_method": client.token_endpoint_auth_method,
        "secrets": len(client.secret_hashes),
        "redirect_uris": list(client.redirect_uris),
        "post_logout_redirect_uris": list(client.post_logout_redirect_uris),
        "grant_types": list(client.grant_types),
        "scope": " ".join(client.scope),
        "resources": list(client.resources),
        "audience": list(client.audience),
        "token_format": client.token_format,
        "access_token_alg": client.access_token_alg,
        "id_token_signed_response_alg": client.id_token_signed_response_alg,
        "require_pkce": client.require_pkce,
        "consent": client.consent,
        "disabled": client.disabled,
    }


def _has_secret(values: Mapping[str, object]) -> bool:
    return str(values.get("token_endpoint_auth_method", "client_secret_basic")).startswith("client_secret")


def _read_options(options: argparse.Namespace) -> dict[str, object]:
    """The record that the options describe, without a secret."""
    values: dict[str, object] = {"client_id": options.client}
    for option, member in _MEMBERS.items():
        if (value := getattr(options, option)) is not None:
            values[member] = value
    values.setdefault(
        "grant_types", ["authorization_code", "refresh_token"] if options.redirect_uri else ["client_credentials"]
    )
    if isinstance(values.get("scope"), list):
        # "--scope 'openid email'" and "--scope openid --scope email" are the same.
        values["scope"] = " ".join(options.scope)
    if options.public:
        values["token_endpoint_auth_method"] = "none"
    if options.skip_consent:
        values["consent"] = "skip"
    if options.localhost_redirects:
        values["localhost_redirects"] = True
    if options.jwks is not None:
        values["jwks"] = _jwks(options)
    return values


def _jwks(options: argparse.Namespace) -> object:
    try:
        return loads(options.jwks.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"--jwks {options.jwks}: cannot be read as a JWK set: {error}") from None


async def _list(clients: Clients, options: argparse.Namespace, out: "Output", err: "Output") -> int:
    found = await clients.all()
    good = sorted((each for each in found if not isinstance(each, StoreError)), key=lambda client: client.client_id)
    if options.json:
        out.line(json.dumps([show_client(client) for client in good], indent=2, ensure_ascii=False))
    else:
        rows = [
            (
                client.client_id,
                client.client_name,
                client.token_endpoint_auth_method,
                ", ".join(client.grant_types),
                client.token_format,
                "disabled" if client.disabled else "",
            )
            for client in good
        ]
        out.table(("client", "name", "authenticates by", "grants", "tokens", ""), rows)
        if not good:
            out.note("there is no client in KV; register one with: edgeworker oauth clients add CLIENT-ID")
    faults = [fault for fault in found if isinstance(fault, StoreError)]
    for fault in faults:
        err.error(str(fault))
    return 1 if faults else 0


async def _import(
    clients: Clients, options: argparse.Namespace, out: "Output", err: "Output", published: PublishedTokens | None
) -> None:
    made, losing = await clients.import_file(options)
    ended = [(client_id, await _withdraw(client_id, published)) for client_id in losing]
    if options.json:
        listed = [
            {**show_client(client), **({} if secret is None else {"client_secret": secret})} for client, secret in made
        ]
        out.line(json.dumps(listed, indent=2, ensure_ascii=False))
    else:
        out.table(
            ("client", "client_secret"), [(client.client_id, secret) for client, secret in made if secret is not None]
        )
    err.ok(f"{len(made):,} client{'' if len(made) == 1 else 's'} imported from {options.file}")
    for client_id, tail in ended:
        err.note(f"client {client_id} lost rights{tail}")
    if any(secret is not None for _, secret in made):
        err.note("keep the secrets above; they are shown once")


def _report(
    out: "Output",
    err: "Output",
    options: argparse.Namespace,
    client: "RegisteredClient",
    text: str,
    secret: str | None = None,
) -> None:
    if options.json:
        also = {} if secret is None else {"client_secret": secret}
        out.line(json.dumps({**show_client(client), **also}, indent=2, ensure_ascii=False))
        return
    err.ok(text)
    if secret is not None:
        # The secret alone goes to stdout, so that it can be taken into a variable.
        err.note("its secret; keep it, it is shown once:")
        out.line(secret)
