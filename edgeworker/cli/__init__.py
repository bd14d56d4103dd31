"""The command line: names the commands, turns a person's mistakes into one clear line and an exit status.

A command is a module with `configure(parser)` and `run(options) -> int`. What is slow to import is imported inside
`run`, so that `--help` and the start of `dev` stay fast.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from types import ModuleType
from typing import Final

import edgeworker
from edgeworker.cli import (
    access,
    check,
    config_show,
    cron,
    demo,
    dev,
    env_types,
    explain,
    init,
    jwt,
    kv,
    oauth,
    routes,
    serve,
    shield,
    status,
    test_server,
    tls,
    token,
)
from edgeworker.cli.options import wrangler_words
from edgeworker.cli.output import Output
from edgeworker.cli.parsing import CommandParser
from edgeworker.cli.publishing import publish, rollback, versions
from edgeworker.cli.run_options import explain_error
from edgeworker.cli.standard_streams import open_missing_streams
from edgeworker.clock import SystemClock
from edgeworker.errors import EdgeworkerError

COMMANDS: Final[dict[str, ModuleType]] = {
    "access": access,
    "demo": demo,
    "dev": dev,
    "check": check,
    "config": config_show,
    "cron": cron,
    "explain": explain,
    "init": init,
    "jwt": jwt,
    "kv": kv,
    "oauth": oauth,
    "publish": publish,
    "rollback": rollback,
    "routes": routes,
    "serve": serve,
    "shield": shield,
    "status": status,
    "test-server": test_server,
    "tls": tls,
    "token": token,
    "types": env_types,
    "versions": versions,
}

# Other names of commands, which the help does not list as commands of their own.
ALIASES: Final[dict[str, list[str]]] = {"init": ["generate"], "publish": ["deploy"]}

EPILOG: Final = """\
examples:
  edgeworker demo                       see the whole split-token job, verified step by step
  edgeworker dev                        run the worker of ./wrangler.toml, or the split-token gateway
  edgeworker dev -c a/wrangler.toml -c b/wrangler.toml --origin http://127.0.0.1:3000
  edgeworker routes https://api.example.com/orders
  edgeworker COMMAND --help             options and examples of one command
"""


class _Version(argparse.Action):
    """Tells the form, the Python and the commit too: the binary carries them. Looks the version up only where it is
    wanted."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        python = f"Python {sys.version.split()[0]}"
        parts = [*(["compiled"] if _is_compiled() else []), python, *_built_from()]
        print(f"edgeworker {edgeworker.__version__} ({', '.join(parts)})")
        parser.exit()


def _built_from() -> list[str]:
    """What `poe build` wrote into the binary of the sources that it had; nothing elsewhere."""
    from pathlib import Path

    try:
        return [Path(edgeworker.__file__).with_name("built_from.txt").read_text("utf-8").strip()]
    except OSError:
        return []


def _is_compiled() -> bool:
    """Whether the data path was compiled, as in the binary and in wheels of `poe build-fast`."""
    from importlib.util import find_spec

    found = find_spec("edgeworker.admission")
    return found is not None and not str(found.origin).endswith((".py", ".pyc"))


def parser(used: str | None = None) -> argparse.ArgumentParser:
    """The whole command line; each module's first docstring line is its help.

    Where `used` is a command, only that one has its options: those of all are a tenth of what a start of `dev` costs.
    """
    top = CommandParser(
        prog="edgeworker",
        description="A local edge: fetch-handler workers, routes, KV in SQLite, the split-token gateway.",
        epilog=EPILOG,
    )
    top.add_argument("--version", action=_Version, help="show the version and exit")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    configured = [name for name in COMMANDS if used in (name, *ALIASES.get(name, []))] or list(COMMANDS)
    for name, module in COMMANDS.items():
        first, _, rest = (module.__doc__ or "").partition("\n")
        command = commands.add_parser(
            name,
            aliases=ALIASES.get(name, []),
            help=first.rstrip("."),
            description=first,
            epilog=rest.strip("\n") or None,
        )
        if name in configured:
            module.configure(command)
            command.set_defaults(run=module.run)
    return top


# With --json these write nothing but JSON, on stderr too.
_RUNNING: Final = ("dev", "test-server")


def _tell_error(error: EdgeworkerError, *, as_json: bool) -> None:
    text = explain_error(error)
    if as_json:
        now = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC).isoformat(timespec="milliseconds")
        line = {"time": now, "level": "error", "logger": "edgeworker.cli", "message": text, "event": "failed"}
        print(json.dumps(line, ensure_ascii=False), file=sys.stderr)
    else:
        Output.for_stream(sys.stderr).error(text)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and exits: 0 done, 1 a mistake that the text on stderr explains, 2 wrong usage, 130 Ctrl-C."""
    open_missing_streams()
    words = wrangler_words(sys.argv[1:] if arguments is None else arguments)
    options = parser(words[0] if words else None).parse_args(words)
    options.arguments = words
    try:
        status = int(options.run(options))
        sys.stdout.flush()
    except EdgeworkerError as error:
        _tell_error(error, as_json=getattr(options, "json", False) and options.command in _RUNNING)
        status = 1
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:
        # The reader of our output went away (`edgeworker routes | head`). Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    sys.exit(status)
