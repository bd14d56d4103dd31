"""The options of the `kv` commands. Nothing slow is imported here: every start of the command line reads it."""

import argparse
from pathlib import Path
from typing import Final

from edgeworker.cli.options import add_preview

TOKEN_VARIABLE: Final = "EDGEWORKER_API_TOKEN"
VIEW_LIMIT: Final = 50


def configure(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="kv_command", metavar="ACTION", required=True)
    for name, configure_command, text in (
        ("namespace", _namespace, "create, list, rename or delete namespaces"),
        ("key", _key, "put, get, list or delete keys"),
        ("bulk", _bulk, "put, get or delete many keys"),
        ("view", _view, "what is in a namespace"),
        ("export", _export, "a namespace as JSON lines"),
        ("import", _import, "JSON lines, or what wrangler kept, into a namespace"),
        ("stats", _add_directory, "how much is in each namespace"),
        ("backup", _backup, "all that the data directory holds as one file, also while the edge runs"),
        ("restore", _restore, "a backup in place of all that the data directory holds"),
    ):
        configure_command(commands.add_parser(name, help=text, description=text))


def _namespace(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = commands.add_parser("create", help="make a namespace")
    create.add_argument("title", metavar="NAMESPACE")
    create.add_argument("--binding", metavar="NAME", help="the binding's name in what is printed for the configuration")
    create.add_argument("--jurisdiction", metavar="NAME", help="wrangler's; here all data stays on this machine anyway")
    listing = commands.add_parser("list", help="print all namespaces as JSON")
    delete = commands.add_parser("delete", help="delete a namespace with all its keys")
    delete.add_argument("title", metavar="NAMESPACE", nargs="?")
    delete.add_argument("--binding", metavar="NAME")
    delete.add_argument("--namespace-id", metavar="ID")
    delete.add_argument("-y", "--skip-confirmation", action="store_true")
    rename = commands.add_parser("rename", help="give a namespace another title")
    rename.add_argument("title", metavar="OLD-NAME", nargs="?")
    rename.add_argument("--namespace-id", metavar="ID")
    rename.add_argument("--new-name", required=True, metavar="NAME")
    for command in (create, delete):
        add_config_options(command)
    for command in (listing, rename):
        add_config_options(command, preview=False)
    for command in (create, listing, delete, rename):
        add_place_options(command)


def _key(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    put = commands.add_parser("put", help="write a key")
    put.add_argument("key")
    put.add_argument("value", nargs="?", help="the value; or --path")
    put.add_argument("--path", type=Path, metavar="FILE", help="read the value from a file")
    _add_entry(put)
    get = commands.add_parser("get", help="print a key's value, as it is")
    get.add_argument("key")
    get.add_argument("--text", action="store_true", help="as UTF-8 text")
    listing = commands.add_parser("list", help="print all keys as JSON")
    listing.add_argument("--prefix", default="")
    delete = commands.add_parser("delete", help="remove a key")
    delete.add_argument("key")
    for command in (put, get, listing, delete):
        _add_namespace_options(command)


def _bulk(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    get = commands.add_parser("get", help="print the values of the keys in a file, as JSON")
    put = commands.add_parser("put", help="write the pairs in a file")
    _add_entry(put)
    delete = commands.add_parser("delete", help="remove the keys in a file")
    delete.add_argument("-f", "--force", action="store_true", help="do not ask")
    for command, what in ((get, "keys"), (put, "{key, value, ...} objects"), (delete, "keys")):
        command.add_argument("filename", type=Path, metavar="FILE", help=f"a JSON array of {what}")
        _add_namespace_options(command)


def _view(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("namespace", metavar="BINDING|ID")
    parser.add_argument("--prefix", default="")
    parser.add_argument("--limit", type=int, default=VIEW_LIMIT, metavar="N", help="how many keys (%(default)s)")
    add_config_options(parser)
    add_place_options(parser)


def _export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("namespace", metavar="BINDING|ID")
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="where to (default: standard output)")
    parser.add_argument("--prefix", default="")
    add_config_options(parser)
    add_place_options(parser)


def _import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("namespace", metavar="BINDING|ID")
    parser.add_argument("source", metavar="FILE", help='JSON lines, "-" for standard input, or a .wrangler folder')
    parser.add_argument(
        "--source-namespace", metavar="ID", help="which namespace of a .wrangler folder (default: the same id)"
    )
    add_config_options(parser)
    add_place_options(parser)


def _backup(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="where to; it must not be there yet")
    parser.add_argument("--keys", action="store_true", help="also the keys of products and of the local authority")
    _add_directory(parser)


def _restore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="what `kv backup` wrote")
    parser.add_argument("-f", "--force", action="store_true", help="do not ask before replacing what is there")
    _add_directory(parser)


def _add_directory(parser: argparse.ArgumentParser) -> None:
    _add_cwd(parser)
    parser.add_argument(
        "--persist-to", type=Path, default=Path(".edgeworker"), metavar="DIR", help="data directory (%(default)s)"
    )


def _add_cwd(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    parser.add_argument("--cwd", type=Path, metavar="DIR", help="run as if started in this folder")


def _add_entry(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ttl", type=int, metavar="SECONDS", help="how long it is to be there, at least 60")
    parser.add_argument("--expiration", type=int, metavar="EPOCH", help="when the entry expires, in epoch seconds")
    parser.add_argument("--metadata", metavar="JSON", help="any JSON of up to 1024 bytes")


def add_place_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("where")
    _add_cwd(group)
    group.add_argument(
        "--persist-to", type=Path, default=Path(".edgeworker"), metavar="DIR", help="data directory (%(default)s)"
    )
    group.add_argument("--api-url", metavar="URL", help="work on the API of a running edge instead")
    group.add_argument(
        "--api-token", metavar="TOKEN", help=f"for --api-url (default: {TOKEN_VARIABLE}, else the data directory's)"
    )
    group.add_argument("--account-id", metavar="ID", help="for --api-url, where it is not an edge of ours")
    which = group.add_mutually_exclusive_group()
    which.add_argument("--local", action="store_true", help="the data directory (the default)")
    which.add_argument("--remote", action="store_true", help="needs --api-url")


def add_config_options(parser: argparse.ArgumentParser, *, preview: bool = True) -> None:
    group = parser.add_argument_group("configuration, to find a binding's namespace")
    group.add_argument("-c", "--config", action="append", default=[], type=Path, metavar="FILE")
    group.add_argument("-e", "--env", metavar="NAME")
    group.add_argument("--env-file", action="append", default=[], type=Path, metavar="FILE")
    if preview:
        add_preview(group, "the preview_id of the binding instead of its id")


def _add_namespace_options(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--binding", metavar="NAME", help="the binding's namespace, from the configuration")
    which.add_argument("--namespace-id", metavar="ID")
    add_config_options(parser)
    add_place_options(parser)
