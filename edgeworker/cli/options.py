"""The options that several commands share: which configuration to read."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgeworker.errors import ConfigError

if TYPE_CHECKING:
    from wrangler_compat import LoadOptions

_PREVIEW: Final = "--preview"


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """The options that say which edge to use. `load_options` turns it into LoadOptions."""
    from edgeworker.javascript.settings import ENGINES

    group = parser.add_argument_group("configuration")
    group.add_argument(
        "-c",
        "--config",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="a worker's wrangler.toml, .json or .jsonc; may be repeated (default: the nearest one)",
    )
    group.add_argument("--edge", type=Path, metavar="FILE", help="edge.toml: zones, origins, several workers, sockets")
    group.add_argument("-e", "--env", metavar="NAME", help="environment of the wrangler files ([env.NAME])")
    group.add_argument("--origin", metavar="URL", help="the server behind every host that has no other origin")
    group.add_argument(
        "--var", action="append", default=[], metavar="KEY:VALUE", help="a text binding; may be repeated"
    )
    group.add_argument(
        "--env-file", action="append", default=[], type=Path, metavar="FILE", help="read secrets here, not in .dev.vars"
    )
    group.add_argument(
        "--default-script",
        action="store_true",
        help="run the split-token script in place of a JavaScript main",
    )
    group.add_argument(
        "--js-engine",
        choices=ENGINES,
        help="what runs JavaScript workers (default: as edge.toml says, else the project's workerd, or embedded)",
    )
    group.add_argument(
        "--workerd",
        type=Path,
        metavar="PROGRAM",
        help="the workerd that runs JavaScript workers (default: as edge.toml says, else the project's, or on PATH)",
    )
    group.add_argument(
        "--python-path",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="a folder of packages for Python scripts, beside those that are installed; may be repeated",
    )
    add_preview(group, "use preview_id of KV namespaces instead of id")


def extend_python_path(options: argparse.Namespace) -> None:
    """Makes packages of `--python-path` importable, after those that are there. Raises ConfigError."""
    for folder in getattr(options, "python_path", ()):
        place = str(folder.resolve())
        if not folder.is_dir():
            example = f"`uv pip install --target {folder} PACKAGE` makes one"
            raise ConfigError(f'--python-path "{folder}" is not a folder; {example}')
        if place not in sys.path:
            sys.path.append(place)


def add_preview(parser: "argparse._ActionsContainer", text: str) -> None:
    parser.add_argument(_PREVIEW, nargs="?", const=True, default=False, type=_boolean, metavar="BOOLEAN", help=text)


def wrangler_words(arguments: Sequence[str]) -> list[str]:
    """The arguments with wrangler's forms of --preview as one word each.

    wrangler itself asks for `--preview false`; but of the words after --preview only "true" and "false" are its own,
    where argparse would take a key.
    """
    words: list[str] = []
    for index, word in enumerate(arguments):
        if word == "--":
            return [*words, *arguments[index:]]
        if word == _PREVIEW:
            words.append(f"{_PREVIEW}=true")
        elif word == "--no-preview":
            words.append(f"{_PREVIEW}=false")
        elif word in ("true", "false") and index and arguments[index - 1] == _PREVIEW:
            words[-1] = f"{_PREVIEW}={word}"
        else:
            words.append(word)
    return words


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise argparse.ArgumentTypeError(f'"{text}" is neither true nor false')
    return text == "true"


def load_options(options: argparse.Namespace) -> "LoadOptions":
    """What `wrangler_compat.load` wants to know."""
    from edgeworker.host.bundled import DEFAULT_SCRIPT, script
    from wrangler_compat import LoadOptions

    return LoadOptions(
        default_script=script(DEFAULT_SCRIPT) / "worker.py",
        configs=tuple(options.config),
        edge=options.edge,
        env=options.env,
        variables=tuple(options.var),
        env_files=tuple(options.env_file),
        use_default_script=options.default_script,
        origin=options.origin,
        preview=options.preview,
        js_engine=options.js_engine,
        workerd=options.workerd,
        environ=os.environ,
    )
