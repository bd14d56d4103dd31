"""Shows the whole split-token job on real input, each step verified.

It makes an RSA key, signs a JWT, publishes header and payload through the KV REST API as a token publisher does, calls
the edge with the signature alone, and lets a small API verify the whole JWT. Then it tries what must be refused. All of
it runs on this machine, over HTTP, with storage that is removed at the end.

With --oauth it is the whole flow instead: a project with an OAuth server on two workers, the gateway and an API, a
person who logs in and agrees in a browser, a client that is written with oauthlib, and what must be refused.

With --access it is Cloudflare Access: a login, a second application, a service token, forged tokens, an origin that
verifies, a rotation and a revocation.

With --shield it is API Shield: JWTs are verified at the edge before an API hears of the request, by rules of an
edge.toml and of the REST API.

With --javascript the tutorial's own worker, in JavaScript and unchanged, gets the same tokens as the gateway in Python.

examples:
  edgeworker demo             exits 0 only if every step was verified
  edgeworker demo --keep      leaves it running and prints curl lines to try
  edgeworker demo --oauth     login, consent, split token, API, refresh, revocation
  edgeworker demo --oauth --keep    and then log in with your own browser
  edgeworker demo --access    logins, policies, signed tokens, rotation, revocation
  edgeworker demo --javascript    the tutorial's worker beside the one in Python
  edgeworker demo --shield    tokens that are refused, and why; claims as header fields; a key that rotates
"""

import argparse

from edgeworker.cli.output import Output


def configure(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--oauth", action="store_true", help="show the whole OAuth flow, from the login on")
    which.add_argument("--access", action="store_true", help="show Cloudflare Access, from the login on")
    which.add_argument("--shield", action="store_true", help="show API Shield's JWT validation")
    which.add_argument(
        "--javascript", action="store_true", help="show the tutorial's JavaScript worker beside Python's"
    )
    parser.add_argument("--keep", action="store_true", help="leave everything running and say what to try")


def run(options: argparse.Namespace) -> int:
    import asyncio

    if options.access:
        from edgeworker.cli.demo.access.show import perform as perform_access

        return 0 if asyncio.run(perform_access(Output.for_stream(wraps=True), keep=options.keep)) else 1

    if options.oauth:
        from edgeworker.cli.demo.oauth.show import perform as perform_oauth

        return 0 if asyncio.run(perform_oauth(Output.for_stream(wraps=True), keep=options.keep)) else 1

    if options.shield:
        from edgeworker.cli.demo.shield.show import perform as perform_shield

        return 0 if asyncio.run(perform_shield(Output.for_stream(wraps=True), keep=options.keep)) else 1

    if options.javascript:
        from edgeworker.cli.demo.tutorial.show import perform as perform_tutorial

        return 0 if asyncio.run(perform_tutorial(Output.for_stream(wraps=True), keep=options.keep)) else 1

    from edgeworker.cli.demo.show import perform

    return 0 if asyncio.run(perform(Output.for_stream(wraps=True), keep=options.keep)) else 1
