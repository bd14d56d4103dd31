"""The modules of the bundled OAuth server that know its records and keys, loaded for the command line and for tests.

They are the very files that the server's two workers run: one source of truth for what lies in KV. Their imports are
absolute (`from issuer import digests`), so they get a module space of their own as a worker does; nothing of it is seen
by other code, and a project's own package `issuer` stays its own.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Final

from edgeworker.bindings import JSONBinding, SecretBinding, TextBinding
from edgeworker.config import Config, Worker
from edgeworker.host.bundled import scripts_folder
from edgeworker.runtime.python.modules import Modules

if TYPE_CHECKING:
    from issuer.clients import BadClient, RegisteredClient
    from issuer.keys import ServerKeySet
    from issuer.records import AccessToken
    from issuer.settings import IssuerSettings
    from issuer.users import User

OAUTH: Final = "oauth"
_WORKERS: Final = ("auth_worker.py", "token_worker.py")


def oauth_folder() -> Path:
    """The folder of the OAuth server: `auth/`, `token/` and `src/`. Raises ScriptError."""
    return scripts_folder() / OAUTH


@cache
def issuer_module(name: str) -> ModuleType:
    """The module `issuer.<name>` of the server. Raises ScriptError where this installation has no scripts."""
    return _space().import_(f"issuer.{name}")


@cache
def verifier_module(name: str) -> ModuleType:
    """The module `verifier.<name>`, with which the gateway and the API verify tokens. Raises ScriptError."""
    return _space().import_(f"verifier.{name}")


@cache
def _space() -> Modules:
    # It is never closed: functions of the modules may import others when they are called.
    return Modules("oauth", oauth_folder() / "src" / "token_worker.py", {})


def settings_of(config: Config) -> "IssuerSettings | None":
    """The settings of the OAuth server that a configuration runs, or None where it runs none.

    Raises ValueError, which names the variable, where they cannot be used.
    """
    for worker in config.workers:
        if worker.main is not None and worker.main.name in _WORKERS and (worker.main.parent / "issuer").is_dir():
            read: Callable[[object], IssuerSettings] = issuer_module("settings").read
            return read(variables_of(worker))
    return None


def variables_of(worker: Worker) -> object:
    """What settings are read from: a worker's variables and secrets, as attributes."""
    values: dict[str, object] = {}
    for binding in worker.bindings:
        match binding:
            case TextBinding(name, text) | SecretBinding(name, text):
                values[name] = text
            case JSONBinding(name, value):
                values[name] = value
            case _:
                pass
    return SimpleNamespace(**values)


class ClientRecords:
    """`issuer.clients` with types. Errors of `parse`: `BadClient`, with `faults`."""

    def __init__(self) -> None:
        module = issuer_module("clients")
        self.parse: Callable[[Mapping[str, object]], RegisteredClient] = module.parse
        self.record: Callable[[RegisteredClient], dict[str, object]] = module.record
        self.key: Callable[[str], str] = module.key
        self.hash_secret: Callable[[str], str] = module.hash_secret
        self.bad: type[BadClient] = module.BadClient
        # Whether a client fits to a server's settings; raises ValueError where it does not.
        self.check: Callable[[RegisteredClient, IssuerSettings], None] = issuer_module("settings").check_client


class UserRecords:
    """`issuer.users` and `issuer.passwords` with types. Errors: `bad` (a line for each mistake), `bad_password`."""

    def __init__(self) -> None:
        users, passwords, end_marks = (issuer_module(name) for name in ("users", "passwords", "end_marks"))
        self.parse: Callable[[Mapping[str, object]], User] = users.parse
        self.record: Callable[[User], dict[str, object]] = users.record
        self.key: Callable[[str], str] = users.key
        # All keys under which the record of an address may be, that of `key` first.
        self.keys: Callable[[str], tuple[str, ...]] = users.keys
        self.account: Callable[[str], str] = users.account
        self.id_key: Callable[[str], str] = users.id_key
        self.renewed_key: Callable[[str], str] = users.renewed_key
        # The entry that ends all sessions and grants of a user: its key by the user's id, and a new value, with `now=`.
        self.end_key: Callable[[str], str] = end_marks.key
        self.new_end_mark: Callable[..., str] = end_marks.new
        self.is_id: Callable[[str], bool] = users.is_id
        self.new_id: Callable[[], str] = users.new_id
        self.bad: type[ValueError] = users.BadUser
        self.hash_password: Callable[..., str] = passwords.make
        self.check_password: Callable[[str], None] = passwords.check
        self.matches: Callable[[str, str], bool] = passwords.matches
        self.bad_password: type[ValueError] = passwords.BadPassword


class TokenKeys:
    """What is in TOKENS, of `issuer.records`: keys that list a user's grants and a grant's access tokens, and the
    records of access tokens."""

    def __init__(self) -> None:
        module = issuer_module("records")
        self.grant: Callable[[str, str], str] = module.grant_key
        self.members: Callable[[str], str] = module.members_prefix
        self.access_prefix: str = module.ACCESS_PREFIX
        self._load: Callable[[type[AccessToken], str], AccessToken | None] = module.load
        self._access: type[AccessToken] = module.AccessToken

    def access(self, text: str) -> "AccessToken | None":
        return self._load(self._access, text)


class SigningKeys:
    """`issuer.keys` with types. `new` and `public` want `now=`, `rotate` wants `overlap_seconds=` too."""

    def __init__(self) -> None:
        module = issuer_module("keys")
        self.new: Callable[..., ServerKeySet] = module.new
        self.rotate: Callable[..., ServerKeySet] = module.rotate
        self.parse: Callable[[str], ServerKeySet] = module.parse
        self.dump: Callable[[ServerKeySet], str] = module.dump
        self.public: Callable[..., dict[str, object]] = module.public
        self.bad: type[ValueError] = module.BadKeys
