"""API Shield: why a request is blocked, what of the rules is not meant, and which endpoints there are.

`explain` and `lint` read the configuration, and what was made over the API from the data directory; nothing is sent
anywhere. `discover` and `import` print lines for `operations` of [zones.api_shield]; with --add they store the
operations as the API would, which a running edge sees at once.

examples:
  edgeworker shield explain https://api.example.com/users/7 -H "Authorization: Bearer $TOKEN"
  edgeworker shield explain -X POST https://api.example.com/users -H @headers.txt
  edgeworker shield rules                            every rule, and the expression that its choices stand for
  edgeworker shield lint                             exit status 1 if anything is most likely not meant
  edgeworker dev --json | tee edge.log;  edgeworker shield discover edge.log --zone example.com
  edgeworker shield import openapi.yaml --zone example.com --add

exit status of explain: 0 the request passes, 1 it is blocked
"""

import argparse
from pathlib import Path

from edgeworker.cli.options import add_config_options


def configure(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="shield_command", metavar="ACTION", required=True)
    explain = commands.add_parser("explain", help="which operation a request is, which rule decides, and why")
    explain.add_argument("url", metavar="URL", help="the request's URL")
    explain.add_argument("-X", "--request", default="GET", metavar="METHOD", help="its method (%(default)s)")
    explain.add_argument(
        "-H",
        "--header",
        action="append",
        default=[],
        metavar="LINE",
        help='a field, as "Name: value", or @FILE of them',
    )
    explain.add_argument("--ip", default="127.0.0.1", metavar="ADDRESS", help="the client's address (%(default)s)")
    lint = commands.add_parser("lint", help="what is most likely not meant")
    rules = commands.add_parser("rules", help="every rule with its expression and how many operations it decides on")
    discover = commands.add_parser(
        "discover", help="endpoints that answered and are not operations, from the log of `dev --json`"
    )
    discover.add_argument("log", nargs="?", default="-", metavar="FILE", help="the log; - is standard input (default)")
    discover.add_argument("--at-least", type=int, default=1, metavar="N", help="leave out what answered less often")
    imported = commands.add_parser("import", help="the operations of an OpenAPI document")
    imported.add_argument("document", metavar="FILE", help="openapi.yaml or openapi.json")
    imported.add_argument(
        "--host", action="append", default=[], metavar="HOST", help="in place of the document's servers"
    )
    for command in (discover, imported):
        command.add_argument("--add", action="store_true", help="store them in the data directory")
    for command in (explain, lint, rules, discover, imported):
        command.add_argument("--zone", metavar="NAME", help="the zone, where more than one has API Shield")
        command.add_argument(
            "--persist-to", type=Path, default=Path(".edgeworker"), metavar="DIR", help="data directory (%(default)s)"
        )
        add_config_options(command)


def run(options: argparse.Namespace) -> int:
    from edgeworker.cli.shield import actions

    match options.shield_command:
        case "explain":
            return actions.explain(options)
        case "lint":
            return actions.lint_zones(options)
        case "rules":
            return actions.show_rules(options)
        case "discover":
            return actions.discover(options)
        case _:
            return actions.import_document(options)
