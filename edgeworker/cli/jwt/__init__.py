"""Looks at tokens: splits, joins, inspects and verifies them, and sends them nowhere.

A token is read from standard input, from @FILE, or given as an argument; "Bearer " in front of it is ignored. An
argument stays in the shell's history, and other users of the machine can see it while the command runs: for tokens that
are worth something, use the other two. Nothing is sent anywhere; --keys URL fetches the keys and tells nothing.

examples:
  edgeworker jwt inspect < token.txt           claims, times in words, and which KV entry it has
  edgeworker jwt split @token.txt              what the client gets, and what is published where
  edgeworker jwt join @kv-value.txt < split-token.txt
  edgeworker jwt inspect "$KV_VALUE"           header.payload, as KV holds it
  edgeworker jwt inspect @split.txt --hash sha512 --encoding hex     the key for the gateway's other settings
  edgeworker jwt verify @token.txt --keys https://issuer.example/jwks
  edgeworker jwt verify @token.txt --keys https://team.cloudflareaccess.com/cdn-cgi/access/certs --audience AUD
  edgeworker jwt verify - --keys public.pem --audience https://api.example < token.txt     a PEM key or certificate

exit status: 0 done, or everything holds; 1 something does not hold, or a mistake in what was given; 2 wrong usage
"""

import argparse

HASHES = ("sha256", "sha384", "sha512")
ENCODINGS = ("base64", "base64url", "hex")


def configure(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="jwt_command", metavar="ACTION", required=True)
    inspect = commands.add_parser("inspect", help="claims, times in words, and which KV entry a token has")
    inspect.add_argument("token", nargs="?", default="-", metavar="TOKEN", help="a JWT, a split token or a KV value")
    _add_entry_options(inspect)
    split = commands.add_parser("split", help="what the client gets, and what is published under which key")
    split.add_argument("token", nargs="?", default="-", metavar="TOKEN", help="a whole JWT")
    _add_entry_options(split)
    join = commands.add_parser("join", help="the whole JWT of a KV value and a split token")
    join.add_argument("value", metavar="VALUE", help="header.payload, as KV holds it")
    join.add_argument("token", nargs="?", default="-", metavar="TOKEN", help="the split token")
    verify = commands.add_parser("verify", help="checks signature and times; exit 1 where one does not hold")
    verify.add_argument("token", nargs="?", default="-", metavar="TOKEN", help="a whole JWT")
    verify.add_argument(
        "--keys", required=True, metavar="WHERE", help="URL or file of a JWK set, or file of a PEM key or certificate"
    )
    verify.add_argument("--issuer", metavar="ISS", help="what iss must be")
    verify.add_argument("--audience", metavar="AUD", help="what must be among aud")
    verify.add_argument(
        "--leeway", type=_seconds, default=0, metavar="SECONDS", help="how far clocks may differ (default: 0)"
    )


def run(options: argparse.Namespace) -> int:
    from edgeworker.cli.jwt import actions
    from edgeworker.cli.jwt.token_text import EntryKey
    from edgeworker.cli.output import Output
    from edgeworker.clock import SystemClock

    out, now = Output.for_stream(), SystemClock().now()
    match options.jwt_command:
        case "inspect":
            entry = EntryKey(options.hash, options.encoding, options.prefix)
            return actions.inspect(out, options.token, entry, now=now, as_json=options.json)
        case "split":
            entry = EntryKey(options.hash, options.encoding, options.prefix)
            return actions.split(out, options.token, entry, as_json=options.json)
        case "join":
            return actions.join(out, options.value, options.token)
        case _:
            expected = actions.Expected(options.issuer, options.audience, options.leeway)
            return actions.verify(out, options.token, options.keys, expected, now=now)


def _add_entry_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--hash", choices=HASHES, default="sha256", help="hash of the KV key (default: sha256)")
    parser.add_argument("--encoding", choices=ENCODINGS, default="base64", help="encoding of it (default: base64)")
    parser.add_argument("--prefix", default="", metavar="TEXT", help="what stands before it")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _seconds(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError(f'"{text}" is not a number of seconds; use a whole number such as 30')
    return int(text)
