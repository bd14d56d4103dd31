"""The command line: names the commands, turns a person's mistakes into one clear line and an exit status.

A command is a module with `configure(parser)` and `run(options) -> int`, named in `commands`. What is slow to import is
imported inside `run`, so that its `--help` stays fast.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final

import edgeworker
from edgeworker.cli.commands import ALIASES, COMMANDS
from edgeworker.cli.options import extend_python_path, wrangler_words
from edgeworker.cli.output import Output
from edgeworker.cli.parsing import CommandParser
from edgeworker.cli.standard_streams import open_missing_streams
from edgeworker.errors import ConfigError, EdgeworkerError, StoreError

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
    """The whole command line. With `used` only that command is imported and has its options; with "" none has."""
    top = CommandParser(
        prog="edgeworker",
        description="A local edge: fetch-handler workers, routes, KV in SQLite, the split-token gateway.",
        epilog=EPILOG,
    )
    top.add_argument("--version", action=_Version, help="show the version and exit")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        aliases = ALIASES.get(name, [])
        if used is not None and used not in (name, *aliases):
            commands.add_parser(name, aliases=aliases, help=command.summary)
            continue
        module = command.load()
        first, _, rest = (module.__doc__ or "").partition("\n")
        its_parser = commands.add_parser(
            name, aliases=aliases, help=command.summary, description=first, epilog=rest.strip("\n") or None
        )
        module.configure(its_parser)
        its_parser.set_defaults(run=module.run)
    return top


def _find_command(words: Sequence[str]) -> str:
    """The first word that is a command, which options may precede by mistake; "" if there is none."""
    names = {*COMMANDS, *(alias for aliases in ALIASES.values() for alias in aliases)}
    return next((word for word in words if word in names), "")


# With --json these write nothing but JSON, on stderr too.
_RUNNING: Final = ("dev", "test-server")


def _tell_error(error: EdgeworkerError, *, as_json: bool) -> None:
    from edgeworker.cli.run_options import explain_error

    text = explain_error(error)
    if as_json:
        import json
        from datetime import UTC, datetime

        from edgeworker.clock import SystemClock

        now = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC).isoformat(timespec="milliseconds")
        line = {"time": now, "level": "error", "logger": "edgeworker.cli", "message": text, "event": "failed"}
        print(json.dumps(line, ensure_ascii=False), file=sys.stderr)
    else:
        Output.for_stream(sys.stderr).error(text)


def _is_folder_there() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and exits: 0 done, 1 a mistake that the text on stderr explains, 2 wrong usage, 130 Ctrl-C."""
    open_missing_streams()
    words = wrangler_words(sys.argv[1:] if arguments is None else arguments)
    options = parser(_find_command(words)).parse_args(words)
    options.arguments = words
    try:
        extend_python_path(options)
        status = int(options.run(options))
        sys.stdout.flush()
    except EdgeworkerError as error:
        is_json_log = options.command == "serve" and options.log_format == "json"
        _tell_error(error, as_json=is_json_log or (getattr(options, "json", False) and options.command in _RUNNING))
        status = 1
    except FileNotFoundError:
        if _is_folder_there():
            raise
        _tell_error(ConfigError("the current folder was removed; change to another one, such as: cd /"), as_json=False)
        status = 1
    except PermissionError as error:
        if error.filename is None:  # not a file that a person could give to this user
            raise
        denied = StoreError(f"{error.filename}: permission denied; run this as the user that owns it, or as root")
        _tell_error(denied, as_json=getattr(options, "json", False) and options.command in _RUNNING)
        status = 1
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:
        # The reader of our output went away (`edgeworker routes | head`). Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    sys.exit(status)
