"""Shows Cloudflare Access and acts on it: applications, keys, logins for curl, and who may reach a URL.

Works on edge.toml and the data directory, whether or not an edge is running; changes hold with its next request.

examples:
  edgeworker access apps                                     AUD tags, the team domain, the certs URL
  edgeworker access certs --kid 1f0c... --pem                one certificate, for openssl or a debugger page
  edgeworker access keys rotate
  curl -H "$(edgeworker access login ada@example.com --app shop.localhost)" http://shop.localhost:8787/
  edgeworker access explain http://shop.localhost:8787/admin --as ada@example.com
  edgeworker access explain https://api.example.com/ -H 'CF-Access-Client-Id: ...' -H 'CF-Access-Client-Secret: ...'
  edgeworker access revoke --user ada@example.com
"""

import argparse
from pathlib import Path

from edgeworker.cli.options import add_config_options


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="access_command", metavar="ACTION", required=True)
    apps = actions.add_parser("apps", help="the applications with their AUD tags, and where verifiers find the keys")
    apps.add_argument("--json", action="store_true", help="print one JSON object")
    certs = actions.add_parser("certs", help="the public keys, as the certs URL answers them")
    certs.add_argument("--kid", metavar="KID", help="only the key with this id, or a beginning of it")
    certs.add_argument("--pem", action="store_true", help="print certificates as PEM")
    keys = actions.add_parser("keys", help="when keys rotate, or rotate them now")
    keys.add_argument("keys_command", nargs="?", choices=["rotate"], help="let the next key sign from now on")
    login = actions.add_parser("login", help="log in without a page and print a header for curl")
    login.add_argument("email", metavar="EMAIL", help="who; with groups and claims if edge.toml has them")
    login.add_argument("--app", metavar="HOST", help="the application: its host, URL or name")
    login.add_argument("--groups", default="", metavar="A,B", help="groups of the identity")
    login.add_argument("--ip", default="127.0.0.1", metavar="ADDRESS", help="where the login comes from (%(default)s)")
    login.add_argument("--country", default="", metavar="CODE", help="such as PT")
    login.add_argument(
        "--print",
        choices=["header", "cookie", "token"],
        default="header",
        help="header: Cf-Access-Token for curl -H; cookie: for curl -b; token: the token alone (%(default)s)",
    )
    explain = actions.add_parser("explain", help="which application and policy decide about a URL, and why")
    explain.add_argument("url", metavar="URL")
    explain.add_argument("-H", "--header", action="append", default=[], metavar="NAME: VALUE", help="a header field")
    explain.add_argument("-X", "--method", default="GET", metavar="METHOD")
    explain.add_argument("--as", dest="email", metavar="EMAIL", help="someone who is logged in")
    explain.add_argument("--groups", default="", metavar="A,B", help="groups of the identity")
    explain.add_argument("--ip", default="127.0.0.1", metavar="ADDRESS", help="the client's address (%(default)s)")
    explain.add_argument("--country", default="", metavar="CODE", help="the client's country")
    revoke = actions.add_parser("revoke", help="end sessions, at once in every process")
    who = revoke.add_mutually_exclusive_group(required=True)
    who.add_argument("--user", metavar="EMAIL", help="every session of this person")
    who.add_argument("--app", metavar="HOST", help="every token of this application")
    for action in (apps, certs, keys, login, explain, revoke):
        add_config_options(action)
        action.add_argument(
            "--persist-to", type=Path, default=Path(".edgeworker"), metavar="DIR", help="data directory (%(default)s)"
        )


def run(options: argparse.Namespace) -> int:
    import asyncio

    from edgeworker.cli.access.actions import run_action

    asyncio.run(run_action(options))
    return 0
