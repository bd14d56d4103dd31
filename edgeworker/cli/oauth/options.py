"""The options of the `oauth` commands. Nothing slow is imported here: every start of the command line reads it."""

import argparse
from pathlib import Path
from typing import Final

from edgeworker.cli.kv.options import add_config_options, add_place_options

USERS_BINDING: Final = "USERS"
OVERLAP: Final = "15m"

_ABOUT: Final = {
    "keys": "the keys that sign tokens: make, rotate, show",
    "users": "who may log in: add, list, show, disable, enable, set a password, delete, import",
    "clients": "the applications: add, list, show, replace a secret, disable, enable, end tokens, delete, import",
}


def configure(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(dest="oauth_command", metavar="WHAT", required=True)
    for name, configure_kind in (("keys", _keys), ("users", _users), ("clients", _clients)):
        kind = kinds.add_parser(name, help=_ABOUT[name], description=_ABOUT[name])
        configure_kind(kind)


def _keys(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    init = commands.add_parser("init", help="make the first keys; nothing that is there is replaced")
    init.add_argument(
        "--alg", action="append", default=[], metavar="ALG", help="RS256 or ES256; may be repeated (default: both)"
    )
    rotate = commands.add_parser("rotate", help="publish new keys now, sign with them later, and let the old ones go")
    rotate.add_argument(
        "--overlap",
        default=OVERLAP,
        metavar="TIME",
        help="how long the new keys are published before they sign, so that every API has fetched them (%(default)s)",
    )
    rotate.add_argument(
        "--now", action="store_true", help="the new keys sign at once and the old ones go: after a theft of the keys"
    )
    show = commands.add_parser("show", help="which keys there are, and until when; never their private parts")
    which = show.add_mutually_exclusive_group()
    which.add_argument("--jwks", action="store_true", help="print the public key set, as the server publishes it")
    which.add_argument(
        "--private", action="store_true", help="print SIGNING_KEYS itself, into a pipe: for `wrangler secret put`"
    )
    for command in (init, rotate, show):
        group = command.add_argument_group("where")
        group.add_argument(
            "-c", "--config", type=Path, metavar="FILE", help="wrangler.toml of the worker that signs (oauth-token)"
        )
        group.add_argument("-e", "--env", metavar="NAME", help="environment of the wrangler file")
        _add_json(command)


def _users(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = commands.add_parser("add", help="make a user; the password is asked for, or read from standard input")
    add.add_argument("email", metavar="EMAIL")
    add.add_argument("--name", default="", metavar="TEXT", help="what pages and the claim `name` say")
    add.add_argument("--verified", action="store_true", help="the address is known to be the person's")
    add.add_argument("--claims", metavar="JSON", help="further claims for userinfo and ID tokens, as an object")
    listing = commands.add_parser("list", help="all users")
    show = commands.add_parser("show", help="one user")
    disable = commands.add_parser("disable", help="refuse a user from now on, and end all sessions")
    enable = commands.add_parser("enable", help="let a disabled user log in again")
    password = commands.add_parser("set-password", help="give a user another password, and end all sessions")
    end = commands.add_parser(
        "end-sessions", help="sign a user out everywhere: ends all sessions, refresh tokens and consents"
    )
    delete = commands.add_parser("delete", help="remove a user for ever")
    delete.add_argument("-y", "--yes", action="store_true", help="do not ask")
    imported = commands.add_parser("import", help="make the users of a TOML or JSON file, all or none")
    for command in (show, disable, enable, password, end, delete):
        command.add_argument("user", metavar="EMAIL|ID")
    for command in (add, password, imported):
        command.add_argument(
            "--hash",
            dest="scheme",
            choices=("argon2id", "scrypt"),
            help="how the password is stored; Cloudflare's Python checks scrypt only (default: the best available)",
        )
    _add_import(imported, "users")
    for command in (add, listing, show, disable, enable, password, end, delete, imported):
        _add_where(command)


def _clients(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = commands.add_parser("add", help="register a client; its secret is printed, once")
    add.add_argument("client", metavar="CLIENT-ID")
    _add_client_options(add)
    listing = commands.add_parser("list", help="all clients in KV (those of the variable CLIENTS are not here)")
    show = commands.add_parser("show", help="one client")
    rotate = commands.add_parser("rotate-secret", help="make another secret; the one before it stays valid as well")
    rotate.add_argument("--drop-old", action="store_true", help="the new secret is the only one from now on")
    disable = commands.add_parser("disable", help="give a client nothing any more, and withdraw its access tokens")
    enable = commands.add_parser("enable", help="let a disabled client work again")
    end = commands.add_parser(
        "end-tokens", help="withdraw the access tokens that a client has now, also one of the variable CLIENTS"
    )
    delete = commands.add_parser("delete", help="remove a client for ever")
    delete.add_argument("-y", "--yes", action="store_true", help="do not ask")
    imported = commands.add_parser("import", help="register the clients of a TOML or JSON file, all or none")
    for command in (show, rotate, disable, enable, end, delete):
        command.add_argument("client", metavar="CLIENT-ID")
    _add_import(imported, "clients")
    for command in (add, listing, show, rotate, disable, enable, end, delete, imported):
        _add_where(command)


def _add_client_options(add: argparse.ArgumentParser) -> None:
    add.add_argument("--name", metavar="TEXT", help="what the consent page calls it")
    add.add_argument("--redirect-uri", action="append", metavar="URI", help="where codes may be sent; may be repeated")
    add.add_argument(
        "--post-logout-redirect-uri", action="append", metavar="URI", help="where a logout may lead; may be repeated"
    )
    add.add_argument("--scope", action="append", metavar="SCOPE", help="what it may ask for; may be repeated")
    add.add_argument(
        "--grant",
        action="append",
        metavar="GRANT",
        help="authorization_code, refresh_token or client_credentials; may be repeated (default: the first two where "
        "there is a --redirect-uri, else the last)",
    )
    method = add.add_mutually_exclusive_group()
    method.add_argument("--auth", metavar="METHOD", help="client_secret_basic (default), client_secret_post, none, ...")
    method.add_argument("--public", action="store_true", help="an app that can keep no secret: --auth none, with PKCE")
    add.add_argument("--token-format", metavar="FORMAT", help="split (default), jwt or opaque")
    add.add_argument("--resource", action="append", metavar="URI", help="an API that it may ask tokens for")
    add.add_argument("--audience", action="append", metavar="URI", help="it is this API, and may introspect its tokens")
    add.add_argument("--access-token-alg", metavar="ALG", help="RS256 (default) or ES256")
    add.add_argument("--id-token-alg", metavar="ALG", help="RS256 (default) or ES256")
    add.add_argument("--skip-consent", action="store_true", help="your own application: users are not asked")
    add.add_argument("--localhost-redirects", action="store_true", help="http://localhost may be a --redirect-uri")
    add.add_argument("--jwks", type=Path, metavar="FILE", help="its public keys, for --auth private_key_jwt")


def _add_import(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help=f"TOML with [[{what}]], or JSON with a list {what}")
    parser.add_argument("--replace", action="store_true", help="those that are there already are replaced")


def _add_where(parser: argparse.ArgumentParser) -> None:
    _add_json(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--binding", default=USERS_BINDING, metavar="NAME", help="the namespace's binding (%(default)s)")
    which.add_argument("--namespace-id", metavar="ID", help="the namespace's id, where no configuration tells it")
    add_config_options(parser)
    add_place_options(parser)


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")
