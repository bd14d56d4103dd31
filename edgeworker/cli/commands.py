"""The commands: what the help says of each, and its module, which is imported only where the command is used.

A start that imported all of them would take three times as long.
"""

from importlib import import_module
from types import ModuleType
from typing import Final, NamedTuple


class Command(NamedTuple):
    """`module` is below `edgeworker.cli`; `summary` is the first line of its docstring.

    No dataclass: their module is a tenth of what `--help` costs.
    """

    module: str
    summary: str

    def load(self) -> ModuleType:
        return import_module(f"edgeworker.cli.{self.module}")


COMMANDS: Final[dict[str, Command]] = {
    "access": Command(
        "access", "Shows Cloudflare Access and acts on it: applications, keys, logins for curl, and who may reach a URL"
    ),
    "demo": Command("demo", "Shows the whole split-token job on real input, each step verified"),
    "dev": Command("dev", "Runs workers on this machine, reloading them when their files change"),
    "check": Command("check", "Validates configuration, loads each script as `dev` does, and serves nothing"),
    "config": Command("config_show", "Shows the configuration that all files and options together make"),
    "cron": Command("cron", "Fires cron triggers of a running edge, and shows when they are due"),
    "explain": Command(
        "explain",
        "Tells why the edge refused a request or cut its answer: which rule decided, on which evidence, by the ray id",
    ),
    "init": Command("init", "Writes a new project: a worker with its tests that runs here and on Cloudflare"),
    "jwt": Command("jwt", "Looks at tokens: splits, joins, inspects and verifies them, and sends them nowhere"),
    "kv": Command("kv", "Reads and writes KV: keys, namespaces, bulk, views, exports, backups"),
    "oauth": Command("oauth", "Sets up the OAuth server of scripts/oauth: signing keys, users, clients"),
    "publish": Command(
        "publishing.publish",
        "Publishes a worker into an edge that `serve` runs: its script, bindings and routes, as one version",
    ),
    "reload": Command(
        "reload", "Reloads a running `serve` and waits until it has: configuration, scripts and certificates"
    ),
    "rollback": Command(
        "publishing.rollback", "Serves again what an edge served before, or a version that was published earlier"
    ),
    "routes": Command("routes", "Prints the routes, or why a URL goes where it goes"),
    "serve": Command(
        "serve",
        "Serves an edge with real traffic: production defaults, several processes, reload without a failed request",
    ),
    "shield": Command(
        "shield", "API Shield: why a request is blocked, what of the rules is not meant, and which endpoints there are"
    ),
    "status": Command(
        "status",
        "Shows how a serving edge does: requests, reloads, tokens, origins, certificates; of all its processes",
    ),
    "test-server": Command(
        "test_server",
        "Runs an edge for tests in any language: in memory, its clock and its origins steered over a control socket",
    ),
    "tls": Command("tls", "Makes and shows the local certificate authority, with which https works on this machine"),
    "token": Command("token", "Makes, lists and revokes named tokens for the REST API"),
    "types": Command(
        "env_types",
        "Writes the types of a Python worker's `env` for mypy and pyright, of its bindings, variables and secrets",
    ),
    "versions": Command("publishing.versions", "Lists what was published into an edge, and which versions it serves"),
}

# Other names of commands, which the help does not list as commands of their own.
ALIASES: Final[dict[str, list[str]]] = {"init": ["generate"], "publish": ["deploy"]}
