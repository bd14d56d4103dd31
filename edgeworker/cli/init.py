"""Writes a new project: a worker with its tests that runs here and on Cloudflare.

NAME is the folder, and its last part the worker's name. A file that is there already is never overwritten.

examples:
  edgeworker init my-worker
  edgeworker init my-gateway --template split-token
  edgeworker init my-gateway --template split-token-js
  edgeworker init my-login --template oauth
  edgeworker init /etc/edgeworker --template server --host api.example.com --origin http://127.0.0.1:3000
  edgeworker generate split-tokens-worker    as the split-token tutorial does with wrangler
  cd my-worker && uv run edgeworker dev
"""

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edgeworker.cli.newest_python import RELEASES, RELEASES_WITH_ENGINE, find_newest_python
from edgeworker.cli.output import Output
from edgeworker.cli.requirement import own_requirement
from edgeworker.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Template:
    """`scripts` are folders of the project, each with the bundled script whose modules it gets; `packages` is what the
    project imports beside the standard library, as its pyproject.toml says. `dev_options` are what `edgeworker dev`
    needs to be of use, `first` the commands before it, `npm` those of npm before these. `deploy` is how it comes to
    Cloudflare, `has_tests` whether pytest runs its tests, `needs_engine` whether it runs in the embedded engine."""

    text: str
    scripts: Mapping[str, str] = field(default_factory=dict)
    packages: Sequence[str] = ()
    dev_options: str = ""
    first: Sequence[str] = ()
    npm: Sequence[str] = ()
    deploy: str = "uv run pywrangler deploy   (to Cloudflare)"
    is_javascript: bool = False
    has_tests: bool = True
    needs_engine: bool = False


_DEPLOY_JAVASCRIPT: Final = "npm install && npx wrangler deploy   (to Cloudflare)"
TEMPLATES: Final[Mapping[str, Template]] = {
    "hello": Template("a worker that greets"),
    "split-token": Template(
        "the split-token gateway", scripts={"src": "split_token"}, dev_options=" --origin http://127.0.0.1:3000"
    ),
    "oauth": Template(
        "an OAuth server whose tokens are split, the gateway, and an API behind it",
        scripts={"src": "oauth/src", "gateway": "split_token", "api": "protected_api"},
        first=(
            "edgeworker oauth keys init",
            "edgeworker oauth users add ann@example.com --name Ann",
            "edgeworker oauth clients import clients.toml",
        ),
        deploy="to Cloudflare: README.md",
    ),
    "fastapi": Template("a FastAPI application", packages=("fastapi",)),
    "cron": Template("a worker with cron triggers", dev_options=" --cron"),
    "split-token-js": Template(
        "the split-token gateway in JavaScript",
        dev_options=" --origin http://127.0.0.1:3000",
        deploy=_DEPLOY_JAVASCRIPT,
        is_javascript=True,
        needs_engine=True,
    ),
    "hono": Template(
        "a Hono application in TypeScript", npm=("npm install",), deploy=_DEPLOY_JAVASCRIPT, is_javascript=True
    ),
    "tutorial": Template(
        "the worker of the split-token tutorial, for wrangler 1",
        dev_options=" --origin http://127.0.0.1:3000",
        deploy="today's wrangler refuses it: README.md",
        is_javascript=True,
        has_tests=False,
    ),
}
_USUAL: Final = "hello"
_SERVER: Final = "server"
_USUAL_OF_GENERATE: Final = "tutorial"  # whose reader types `wrangler generate NAME`

_PROJECT: Final = "pyproject.toml"
_PACKAGE: Final = "package.json"
# uv takes the first Python of PATH that will do, and not the newest.
_REQUIRES_PYTHON: Final = re.compile(rb'requires-python = ">=3\.11')
_DEPLOYED: Final = (3, 13)  # at the compatibility date of the templates

_NAMED: Final = 20  # more files than these are only counted

# Stands for the name in the templates' files, so that each of them is valid as it is.
_PLACEHOLDER: Final = "project-name"
# Stands for what asks for this edgeworker, in the templates' pyproject.toml.
_REQUIREMENT: Final = b'  "edgeworker",\n'
_WITH_ENGINE: Final = b'  "edgeworker[javascript]",\n'
# A worker's name is a part of its host on workers.dev, hence a DNS label.
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help='the new folder; "." is this one')
    texts = ", ".join(f"{name} ({template.text})" for name, template in TEMPLATES.items())
    parser.add_argument(
        "--template",
        choices=[*TEMPLATES, _SERVER],
        metavar="TEMPLATE",
        help=f"{texts}, {_SERVER} (the configuration of a gateway on a server of your own, for `serve`); default: "
        f"{_USUAL}, and {_USUAL_OF_GENERATE} for `edgeworker generate`",
    )
    server = parser.add_argument_group(f"of --template {_SERVER}")
    server.add_argument("--host", metavar="HOST", help="the host that clients ask for, such as api.example.com")
    server.add_argument("--origin", metavar="URL", help="the server behind it, such as http://127.0.0.1:3000")


def run(options: argparse.Namespace) -> int:
    import shlex

    chosen = options.template or (_USUAL_OF_GENERATE if options.command == "generate" else _USUAL)
    folder = Path(options.name)
    if chosen == _SERVER:
        return _write_server(folder, options)
    if options.host is not None or options.origin is not None:
        raise ConfigError(f"--host and --origin are of --template {_SERVER}")
    template = TEMPLATES[chosen]
    newest = find_newest_python(RELEASES_WITH_ENGINE if template.needs_engine else RELEASES)
    written = write(folder, chosen, newest)
    out = Output.for_stream()
    named = ", ".join(written) if len(written) <= _NAMED else f"{len(written)} files; begin with README.md"
    out.ok(f"wrote {chosen} to {folder}: {named}")
    with_uv = "uv run " if own_requirement() is not None else ""
    if template.packages and not with_uv:
        out.warning(f"the worker imports {', '.join(template.packages)}, which the single binary does not have")
    out.line()
    out.heading("Next:")
    if folder.resolve() != Path.cwd():
        out.line(f"  cd {shlex.quote(str(folder))}")
    for command in template.npm:
        out.line(f"  {command}")
    if _PROJECT not in written:
        with_uv = ""
    for command in template.first:
        out.line(f"  {with_uv}{command}")
    out.line(f"  {with_uv}edgeworker dev{template.dev_options}")
    if template.has_tests and with_uv:
        out.line("  uv run pytest")
    elif template.has_tests:
        out.line("  pytest                     (in an environment in which edgeworker is installed)")
    out.line(f"  {template.deploy}")
    return 0


def _write_server(folder: Path, options: argparse.Namespace) -> int:
    import shlex

    from edgeworker.cli.server_files import EDGE, write_server

    written = write_server(folder, options.host, options.origin)
    out = Output.for_stream()
    out.ok(f"wrote {', '.join(written)} to {folder}")
    out.line()
    out.heading("Next:")
    edge, unit = shlex.quote(str((folder / EDGE).resolve())), "/etc/systemd/system/edgeworker.service"
    out.line(f"  edgeworker check --production --edge {edge} --persist-to /var/lib/edgeworker")
    out.line(f"  edgeworker serve --edge {edge} --processes 2 --print-unit > {unit}")
    out.line("  systemctl enable --now edgeworker")
    return 0


def write(folder: Path, template: str, newest: tuple[int, int] | None = None) -> list[str]:
    """Writes the project and returns the names of its files, sorted. `newest` is the Python that is here to run it.

    Raises:
        ConfigError: the folder's name is not a valid worker name, a file is there already, or the folder
            cannot be written.
    """
    name = folder.resolve().name
    if _NAME.fullmatch(name) is None:
        raise ConfigError(
            f'"{name}" is not a valid worker name: use up to 63 of a-z, 0-9 and "-", such as "my-worker"; it is a '
            "part of a host name"
        )
    contents = dict(_files(template, name))
    if newest is not None and _PROJECT in contents:
        major, minor = min(newest, _DEPLOYED)
        bound = f'requires-python = ">={major}.{minor}'.encode()
        contents[_PROJECT] = _REQUIRES_PYTHON.sub(bound, contents[_PROJECT])
    files = dict(sorted(contents.items()))
    taken = [file for file in files if (folder / file).exists()]
    if taken:
        raise ConfigError(
            f"{folder} has {', '.join(taken)} already, and nothing is overwritten; give another folder, or move them"
        )
    try:
        for file, content in files.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as stream:
                stream.write(content)
    except OSError as error:
        raise ConfigError(f"{error.filename or folder} cannot be written: {error.strerror or error}") from error
    return list(files)


def _files(template: str, name: str) -> Iterator[tuple[str, bytes]]:
    """(path in the project, content). What comes later replaces what came before under the same path."""
    from edgeworker.host.bundled import scripts_folder

    templates, own = scripts_folder() / "templates", own_requirement()
    asked = b"" if own is None else f'  "{own}",\n'.encode()
    with_engine = asked.replace(b'"edgeworker', b'"edgeworker[javascript]', 1)
    common = () if TEMPLATES[template].is_javascript else _tree(templates / "common")
    for path, content in [*common, *_tree(templates / template)]:
        # A real .gitignore among the templates would rule over the templates themselves.
        bears = _package_name(name, content) if path in (_PROJECT, _PACKAGE) else name
        named = content.replace(_PLACEHOLDER.encode(), bears.encode())
        yield (
            path.replace("gitignore", ".gitignore"),
            named.replace(_REQUIREMENT, asked).replace(_WITH_ENGINE, with_engine),
        )
    for folder, script in TEMPLATES[template].scripts.items():
        for path, content in _tree(scripts_folder() / script):
            if path.endswith(".py"):
                yield f"{folder}/{path}", content


def _package_name(name: str, project: bytes) -> str:
    """uv and npm install no package into a project of the same name."""
    is_installed = re.search(rb'"%s["\[<>=~]' % re.escape(name.encode()), project) is not None
    return f"{name}-worker" if is_installed else name


def _tree(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(folder).as_posix(), path.read_bytes()
